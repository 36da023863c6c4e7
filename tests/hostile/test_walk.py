"""Every command and every screen over a store that is hostile in each of its fields."""

from __future__ import annotations

import importlib
import os
import pkgutil
import pty
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.screen import Screen

import lastgood
import lastgood.tui
from lastgood.cli import main, parser
from lastgood.tui.actions import VERBS
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


WALKED = {"MainScreen", "HelpScreen", "LogScreen", "AbsentScreen"}
"""Screens that this walk must open at least: dialogs come up only where the file under the cursor is verified."""


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


def test_no_screen_lets_it_through(tmp_path: Path, figure: list[str]) -> None:
    store = str(tmp_path / "store")
    for number, text in enumerate(poison.SEQUENCES.values()):
        poison.add_session(store, text, number)
    poison.add_session(store, "".join(poison.SEQUENCES.values())[:60], 99)
    poison.add_names_that_are_no_text(store)
    config = tmp_path / "config.toml"
    config.write_text('resume_command = ["echo", "{session_id}"]\n')
    trace = tmp_path / "trace"
    command = [sys.executable, str(Path(__file__).with_name("traced.py"))]
    raw = b""
    with Terminal(
        [*command, "--config", str(config), store], size=(100, 30), TRACE=str(trace), PAGER="cat", ESCDELAY="25"
    ) as t:
        t.wait_for("18 sessions", gone="verifying")
        for verb in VERBS:
            if verb.place not in ("move", "tree", "screen", "app"):
                continue
            if verb.name in ("quit", "suspend-process", "choose"):
                continue
            key = verb.keys.split(",")[0]
            t.press("g")
            t.press({"slash": "/", "right_square_bracket": "]", "left_square_bracket": "[", "question_mark": "?",
                     "right": "\x1b[C", "shift+tab": "\x1b[Z", "F5": "\x1b[15~", "ctrl+p": "\x10",
                     "h": "h"}.get(key, key))  # fmt: skip
            t.read(0.15)
            t.press("\x1b")
            t.read(0.1)
        t.press("g", "2", "tab")
        t.read(0.3)
        t.press("down", "enter")
        t.read(0.3)
        t.press("\x1b")
        t.read(0.1)
        t.press("\x1b")
        for _ in range(25):
            t.press("down")
            t.read(0.05)
        t.press("q")
        t.read(0.3)
        raw += t.raw
        assert b"Traceback" not in raw
    with Terminal([*command, "/nowhere\x1b]0;OWNED\x07"], TRACE=str(trace)) as t:
        t.wait_for("no store")
        raw += t.raw
    lines = set(trace.read_text().split("\n"))
    seen = {line.partition(" ")[2] for line in lines if line.startswith("screen ")}
    ran = {line.partition(" ")[2] for line in lines if line.startswith("action ")}
    assert poison.acting(raw) == []
    assert seen & screens() >= WALKED
    figure.append(f"hostile walk: {len(screens() & seen)} screens, {len(ran)} actions")
