"""The program in a real tmux, TERM=screen at 80x24: from the README's tour to a lost line."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyte
import pytest

import stores
from lastgood.core import demo
from lastgood.core.store import JOURNAL_FOLDER
from terminal import LASTGOOD

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux here")
PATIENCE_S = 30.0
BILLING = "61ad6d07"


class Tmux:
    """A tmux server of this test's own, with one pane of a shell."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        homes = {name: str(folder / name) for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")}
        dropped = ("TMUX", "NO_COLOR", "COLORTERM", "TEXTUAL_THEME", "LASTGOOD_STORE")
        self._env = {k: v for k, v in os.environ.items() if k not in dropped} | homes | {"ENV": "/dev/null"}
        config = folder / "tmux.conf"
        config.write_text("set -g default-terminal screen\nset -g status off\nset -sg escape-time 0\n")
        self("-f", str(config), "new-session", "-d", "-x", "80", "-y", "24", "sh")

    def __call__(self, *words: str) -> str:
        command = ["tmux", "-S", str(self._folder / "socket"), *words]
        return subprocess.run(command, env=self._env, check=True, capture_output=True, text=True).stdout

    def press(self, *keys: str) -> None:
        self("send-keys", *keys)

    def type(self, text: str) -> None:
        self("send-keys", "-l", text)

    def run(self, *words: str) -> None:
        """A command line of the shell."""
        self.type(" ".join(words))
        self.press("Enter")

    @property
    def screen(self) -> str:
        return self("capture-pane", "-p")

    @property
    def cells(self) -> list[tuple[object, ...]]:
        """What is seen of each cell: of a blank neither ink nor weight."""
        screen = pyte.Screen(80, 24)
        pyte.Stream(screen).feed(self("capture-pane", "-p", "-e").rstrip("\n").replace("\n", "\r\n"))
        row = [screen.buffer[y][x] for y in range(24) for x in range(80)]
        return [(c.bg, c.reverse, *(() if c.data == " " else (c.data, c.fg, c.bold))) for c in row]

    def until(self, holds: Callable[[str], bool], what: str) -> str:
        end = time.monotonic() + PATIENCE_S
        while not holds(seen := self.screen):
            assert time.monotonic() < end, f"never came: {what}; the screen:\n{seen}"
            time.sleep(0.05)
        return seen

    def shows(self, *words: str, gone: str = "") -> str:
        return self.until(lambda seen: all(w in seen for w in words) and not (gone and gone in seen), f"{words}")

    def at_rest(self) -> list[tuple[object, ...]]:
        """The cells once they have not changed for a while."""
        seen, since = self.cells, time.monotonic()
        while time.monotonic() < since + 0.6:
            if (now := self.cells) != seen:
                seen, since = now, time.monotonic()
            time.sleep(0.05)
        return seen


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    pane = Tmux(tmp_path)
    yield pane
    subprocess.run(["tmux", "-S", str(tmp_path / "socket"), "kill-server"], capture_output=True)


@pytest.fixture
def store(tmp_path: Path) -> str:
    folder = str(tmp_path / "store")
    demo.build(folder, now_ns=time.time_ns())
    return folder


def wait(holds: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.002)


def files(store: str) -> dict[str, stores.Entry]:
    return {path: entry for path, entry in stores.snapshot(store).items() if entry.type != "folder"}


def test_the_five_minutes_of_the_readme(tmux: Tmux, store: str) -> None:
    before = files(store)
    tmux.run(f"{shlex.join([*LASTGOOD, store])}; echo ended $?")
    first = tmux.shows("41 sessions", "crashed", "q quit", gone="verifying")
    assert len(first.split("\n")[0]) <= 80
    # 1. Who died?
    tmux.press("f")
    tmux.until(lambda seen: "41/41" not in seen, "faults only")
    tmux.press("f")
    tmux.shows("41/41")
    tmux.type("/bill")
    tmux.shows("fix billing tests", gone="41/41")
    tmux.press("Enter")
    # 2. What is there?
    tmux.until(lambda seen: f"✗ crashed   {BILLING}" in seen, "the session of the tour")
    tmux.press("g", "Enter")
    tmux.shows("mismatch", "broken", "backup")
    tmux.press("j")
    tmux.shows("Checksum mismatch")
    # 3. Look before you leap.
    tmux.press("j")
    tmux.shows("going back here loses 1 iteration")
    tmux.press("2")
    tmux.shows('"checkpoint_id"')
    tmux.press("3")
    tmux.shows("[Messages]", "user")
    tmux.press("d")
    tmux.shows("[Diff]", "tokens_used")
    tmux.press("1")
    tmux.shows("[Overview]", "stands as")
    # 4. Restore.
    tmux.press("h", "r")
    tmux.shows(f"Restore {BILLING}", "exactly", "Cancel (esc)", "Restore (y)")
    tmux.press("y")
    tmux.shows(f"✓ restored {BILLING}", "u undoes it")
    session = os.path.join(store, BILLING)
    assert stores.resume_by_latest(session)["iteration"] == stores.resume_by_mtime(session)["iteration"] == 40
    # 5. Take it back.
    tmux.press("u")
    tmux.shows(f"Undo restore of {BILLING}", "(y)")
    tmux.press("y")
    tmux.shows("✓ undone")
    assert files(store) == before
    tmux.press("l")
    tmux.shows("restore", "↺ undone")
    tmux.press("Escape")
    # 6. Or let it end.
    tmux.shows("q quit", gone="↺ undone")
    tmux.press("g", "h", "Space", "Space", "t")
    tmux.shows("Terminate 2 marked sessions")
    tmux.press("1")
    tmux.shows("Terminate 2 sessions", "(y)")
    tmux.press("Escape")
    # 7.
    tmux.shows("2 marked", gone="(y)")
    tmux.press("?")
    tmux.shows("Keys", "Here")
    tmux.press("q")
    tmux.shows("2 marked", gone="Here")
    tmux.press("q")
    tmux.shows("ended 0", gone="2 marked")
    assert files(store) == before


def test_what_is_drawn_in_pieces_is_what_a_whole_drawing_shows(tmux: Tmux, store: str) -> None:
    tmux.run(shlex.join([*LASTGOOD, store]))
    tmux.shows("41 sessions", "q quit", gone="verifying")
    ways = (
        ["j"] * 25,
        ["k"] * 20,
        ["PageDown", "j", "j"],
        ["E", "G"],
        ["k"] * 12,
        ["3", "Tab", "g", "j", "j"],
        ["Escape", "f"],
    )
    for keys in ways:
        tmux.press(*keys)
        pieces = tmux.at_rest()
        for columns in ("81", "80"):
            tmux("resize-window", "-x", columns)
            tmux.at_rest()
        assert tmux.at_rest() == pieces, keys


OUTLIVING = """
import signal, subprocess, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
code = subprocess.call(sys.argv[2:], preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))
open(sys.argv[1], "w").write(str(code))
"""
"""Runs a command and keeps its exit status, also where the terminal of both is gone."""


def test_a_line_that_drops_ends_it_with_129_and_an_action_under_way_is_done(
    tmux: Tmux, store: str, tmp_path: Path
) -> None:
    status, journal = tmp_path / "status", Path(store, JOURNAL_FOLDER, "journal.jsonl")
    tmux.run(shlex.join([sys.executable, "-c", OUTLIVING, str(status), *LASTGOOD, store]))
    tmux.shows("41 sessions", "q quit", gone="verifying")
    tmux.type("/bill")
    tmux.shows("fix billing tests", gone="41/41")
    tmux.press("Enter", "r")
    tmux.shows(f"Restore {BILLING}", "(y)")
    tmux.press("y")
    wait(journal.exists, "the action has begun")
    tmux("kill-session")
    wait(lambda: status.exists() and status.read_text(), "the end of the program")
    assert status.read_text() == "129"
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [record.get("state", record["type"]) for record in records] == ["intent", "done"]
    session = os.path.join(store, BILLING)
    assert stores.resume_by_latest(session)["iteration"] == stores.resume_by_mtime(session)["iteration"] == 40


def test_pick_in_a_pipe(tmux: Tmux, store: str, tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    take = shlex.join([sys.executable, "-c", "import json, sys; print(json.load(sys.stdin)['checkpoint_path'])"])
    tmux.run(f"{shlex.join([*LASTGOOD, 'pick', store])} | {take} > {shlex.quote(str(answer))}")
    tmux.shows("41 sessions", "c choose", gone="verifying")
    tmux.type("/bill")
    tmux.shows("fix billing tests", gone="41/41")
    tmux.press("Enter", "c")
    wait(lambda: answer.exists() and answer.read_text(), "an answer")
    path = Path(answer.read_text().strip())
    assert path.parent == Path(store, BILLING, "checkpoints")
    assert json.loads(path.read_bytes())["iteration"] == 40
