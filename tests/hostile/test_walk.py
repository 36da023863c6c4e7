"""Every command and every screen over a store that is hostile in each of its fields."""

from __future__ import annotations

import importlib
import os
import pkgutil
import pty
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.screen import Screen

import lastgood
import lastgood.tui
from lastgood.cli import main, parser
from lastgood.tui.actions import BY_NAME, VERBS, Verb
from terminal import Terminal

sys.path.insert(0, os.path.dirname(__file__))
import poison

for package in ("core", "cli"):  # once, not in every child
    for module in pkgutil.iter_modules([os.path.join(os.path.dirname(lastgood.__file__), package)]):
        importlib.import_module(f"lastgood.{package}.{module.name}")

CONTRACT = (0, 1, 2, 3, 4, 5, 130)
CALLS: dict[str, list[list[str]]] = {
    "list": [[], ["--unclean"], ["--verify"], ["--json"]],
    "show": [["{s}"], ["{s}", "latest"], ["{s}", "backup", "--redact"], ["{s}", "{t}"], ["{s}", "latest", "--json"]],
    "verify": [["{s}"], ["{t}"], ["--file", "{t}"], ["{s}", "--json"]],
    "recover": [["{s}"], ["{s}", "--json"]],
    "diff": [["{s}", "latest", "backup"], ["{s}", "best"], ["{s}", "{t}"]],
    "restore": [["{s}", "--dry-run"], ["{s}", "backup", "--dry-run"], ["{s}", "--yes", "--reason", "{t}"]],
    "terminate": [["{s}", "--reason", "{t}", "--yes"]],
    "activate": [["{s}", "--yes"], ["{t}", "--yes"]],
    "salvage": [["{s}", "{broken}", "--dry-run"]],
    "repair": [["{s}", "--dry-run"]],
    "undo": [["--dry-run"], ["{t}", "--dry-run"]],
    "log": [[], ["--json"]],
    "pick": [["--wrong{t}"], ["{t}"]],
    "demo": [["--build", "/dev/null/{t}"], ["--wrong{t}"]],
    "info": [["--config", "{config}"], ["--json"], ["--wrong{t}"]],
    "completion": [["{t}"]],
}


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("LASTGOOD_STORE", raising=False)
    monkeypatch.setenv("SSH_CONNECTION", "\x1b]0;OWNED\x07\u202e 1 2 3")
    monkeypatch.setenv("SUDO_USER", "\x1b]0;OWNED\x07")
    monkeypatch.chdir(tmp_path)  # what a key exports goes there, not into the checkout


def told(words: Sequence[str]) -> tuple[int, bytes]:
    """The exit code and every byte that a terminal gets of this call; the call is a process of its own."""
    pid, fd = pty.fork()
    if pid == 0:
        for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):  # the terminal's, not those of the tests
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", errors="backslashreplace", closefd=False))
        try:
            code = main.run([*words])
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException:
            code = 99
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    came = b""
    while True:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        came += data
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), came


def walk(root: Path, text: str) -> list[str]:
    """What every command let through, over a session of `text`."""
    store = str(root / "store")
    name = poison.add_session(store, text, 0)
    config = root / "config.toml"
    config.write_text("theme = 1\n")
    at = {"s": name, "t": text.replace("\0", ""), "config": str(config), "broken": poison.file_name(f"cp_{text}.json")}
    wrong: list[str] = []
    for command, calls in CALLS.items():
        for call in calls:
            words = [command, *(word.format(**at) for word in call)]
            if command not in ("info", "completion", "demo", "pick"):
                words[1:1] = ["-s", store]
            code, came = told(words)
            assert came, words
            if code not in CONTRACT or b"Traceback" in came or b"failed inside" in came:
                wrong.append(f"{words}: exit {code}: {came[-300:]!r}")
            wrong += [f"{words}: {found}" for found in poison.acting(came)]
    return wrong


def test_the_walk_knows_every_command() -> None:
    assert CALLS.keys() == set(parser.COMMANDS)


@pytest.mark.parametrize("kind", poison.SEQUENCES)
def test_no_command_lets_it_through(kind: str, tmp_path: Path, figure: list[str]) -> None:
    assert walk(tmp_path, poison.SEQUENCES[kind]) == []
    if kind == "title":
        figure.append(f"hostile walk: {len(CALLS)} commands in {sum(map(len, CALLS.values()))} calls")


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=12))
def test_no_command_lets_any_text_through(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    assert walk(tmp_path_factory.mktemp("walk"), text) == []


def screens() -> set[str]:
    """Every screen of the program, found in its modules; what others are built on is none."""
    for module in pkgutil.walk_packages(lastgood.tui.__path__, "lastgood.tui."):
        importlib.import_module(module.name)
    found: set[type] = set()
    waiting: list[type] = [Screen]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.startswith("lastgood.tui") and not any(
                sub.__module__.startswith("lastgood.tui") for sub in kind.__subclasses__()
            ):
                found.add(kind)
    return {kind.__name__ for kind in found}


TYPED = {
    "slash": "/", "question_mark": "?", "right_square_bracket": "]", "left_square_bracket": "[", "plus": "+",
    "minus": "-", "right": "\x1b[C", "shift+tab": "\x1b[Z", "f5": "\x1b[15~", "ctrl+p": "\x10", "escape": "\x1b",
    "pagedown": "\x1b[6~", "pageup": "\x1b[5~", "ctrl+z": "\x1a",
}  # fmt: skip
LEAVING = ("quit", "suspend-process")
PANES = {"overview": "Overview", "json": "JsonView", "messages": "MessagesView", "diff": "DiffView"}
PATIENCE_SECONDS = 60


@dataclass
class Walk:
    """A hand at the keyboard of a program that tells what it does."""

    t: Terminal
    trace: Path

    def told(self, kind: str) -> list[str]:
        lines = [line.partition(" ") for line in self.trace.read_text().splitlines()]
        return [what for word, _, what in lines if word == kind]

    def wait(self, what: str, seen: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not seen():
            assert time.monotonic() < end, f"never came to {what}; the screen:\n{self.t.text}"
            self.t.read(0.02)

    def press(self, *names: str) -> None:
        """The keys of these verbs, one by one, each until its action is told of."""
        for name in names:
            verb = BY_NAME[name]
            action = verb.action.partition("(")[0].rpartition(".")[2]
            before = self.told("action").count(action)
            key = verb.keys.split(",")[0]
            self.t.press(TYPED.get(key, key))
            self.wait(f"the action {action} of {name}", lambda a=action, b=before: self.told("action").count(a) > b)  # type: ignore[misc]
            self.t.read(0.01)

    def to(self, screen: str) -> None:
        self.wait(screen, lambda: self.told("screen")[-1] == screen)
        self.t.read(0.01)

    def at_home(self) -> bool:
        return self.told("screen")[-1] == "MainScreen" and self.told("focus-in-MainScreen")[-1] == "SessionTree"

    def home(self) -> None:
        """To the tree of the main screen, on the first session, closed."""
        for _ in range(9):
            self.back()
            if self.at_home():
                break
        else:
            raise AssertionError(f"escape never led home; the screen:\n{self.t.text}")
        self.press("move.first", "close")

    def back(self) -> None:
        before = len(self.trace.read_bytes())
        self.t.press("\x1b")
        self.wait("anything by escape", lambda: len(self.trace.read_bytes()) > before)
        self.t.read(0.01)

    def at_a_file(self) -> None:
        self.home()
        self.press("unfold", "move.down", "move.down")

    def into(self, pane: str) -> None:
        """The focus into a tab of the preview, of a file."""
        self.at_a_file()
        self.press(pane)
        self.press("pane")
        self.wait(f"the pane {pane}", lambda: self.told("focus-in-MainScreen")[-1] == PANES[pane])


def of_places(*places: str) -> list[Verb]:
    return [verb for verb in VERBS if verb.place in places and verb.name not in LEAVING]


def walk_the_panes(walk: Walk) -> None:
    """Every verb of the preview's panes."""
    for pane in PANES:
        walk.into(pane)
        for verb in of_places(pane):
            if walk.told("focus-in-MainScreen")[-1] != PANES[pane] or walk.told("screen")[-1] != "MainScreen":
                walk.into(pane)
            walk.press(verb.name)


def walk_the_main_screen(walk: Walk) -> None:
    """Every verb of the main screen, pressed on a session and on a file; last what brings another session on top."""
    verbs = of_places("move", "tree", "screen", "app")
    for verb in sorted(verbs, key=lambda verb: verb.name in ("sort", "reverse")):
        for place in (walk.home, walk.at_a_file):
            if place == walk.at_a_file or verb.place != "move":
                place()
                walk.press(verb.name)


def walk_the_dialogs(walk: Walk) -> None:
    """A restore with what is asked before and after it; the log; a value that is too long for a clipboard."""
    walk.into("json")
    walk.press("move.down", "move.down", "json.read")
    walk.to("Reader")
    walk.press("reader.page", "reader.close", "move.up", "move.up", "copy")
    walk.to("CopyMenu")
    walk.press("copying.value")
    walk.to("SelectScreen")
    walk.press(*(verb.name for verb in of_places("select") if verb.name != "select.close"))
    walk.at_a_file()
    walk.press("restore")
    walk.to("PlanDialog")
    walk.press("plan.agree")
    walk.to("ResumeDialog")
    walk.press("dialog.cancel", "log")
    walk.to("LogScreen")
    walk.press("log.details")
    walk.to("TellDialog")
    walk.home()
    walk.press("help")
    walk.to("HelpScreen")
    walk.press(*(verb.name for verb in of_places("help") if verb.name != "help.close"))


def test_no_screen_lets_it_through(tmp_path: Path, figure: list[str]) -> None:
    store = str(tmp_path / "store")
    for number, text in enumerate(poison.SEQUENCES.values()):
        poison.add_session(store, text, number, times=10_000 if number == 0 else 1)
    poison.add_session(store, "".join(poison.SEQUENCES.values())[:60], 99)
    poison.add_names_that_are_no_text(store)
    config = tmp_path / "config.toml"
    config.write_text('resume_command = ["echo", "{session_id}"]\n')
    trace = tmp_path / "trace"
    command = [sys.executable, str(Path(__file__).with_name("traced.py"))]
    env = {"TRACE": str(trace), "PAGER": "cat", "ESCDELAY": "25"}
    with Terminal([*command, "--config", str(config), store], size=(100, 30), **env) as t:
        t.wait_for("18 sessions", gone="verifying")
        walk = Walk(t, trace)
        walk_the_dialogs(walk)
        walk_the_panes(walk)
        walk_the_main_screen(walk)
        walk.home()
        for _ in range(18):
            walk.press("move.down")
        t.press("q")
        t.exit_code()
        raw = t.raw
    with Terminal([*command, "/nowhere\x1b]0;OWNED\x07"], **env) as t:
        t.wait_for("no store")
        raw += t.raw
    assert b"Traceback" not in raw
    assert poison.acting(raw) == []
    assert screens() - set(walk.told("screen")) == set()
    figure.append(f"hostile walk: {len(set(walk.told('screen')))} screens, {len(set(walk.told('action')))} actions")
