"""The screen in a real terminal: the README's tour, signals, a dropped line, pick in a pipe, bytes over the link."""

from __future__ import annotations

import json
import os
import re
import signal
import statistics
import subprocess
import time
from pathlib import Path

import pytest

import stores
from lastgood.core import demo
from stores import NS, START
from terminal import LASTGOOD, Terminal


@pytest.fixture
def store(tmp_path: Path) -> str:
    root = str(tmp_path / "store")
    stores.write_session(root, "billing1", checkpoints=3, start=START - 9000 * NS)
    stores.write_session(root, "crawler2", checkpoints=2, start=START - 90000 * NS)
    for number in range(30):
        stores.write_session(
            root, f"ended{number:03}", active=False, reason="done", checkpoints=1, start=START - 200000 * NS
        )
    return root


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("LASTGOOD_STORE", raising=False)


def meta(store: str, session: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(Path(store, session, "session_meta.json").read_bytes())
    return found


def test_the_tour_at_80_by_24(store: str) -> None:
    before = stores.snapshot(store)
    with Terminal([*LASTGOOD, store], TERM="screen") as t:
        t.wait_for("32 sessions", "2 crashed", "billing1", gone="verifying")
        t.press("enter")
        t.wait_for("best")
        t.press("down", "down")
        t.wait_for("loses 1 iteration")
        t.press("2")
        t.wait_for('"checkpoint_id"')
        t.press("d")
        t.wait_for("iteration")
        t.press("1", "r")
        t.wait_for("Restore billing1", "exactly 2 changes", "Cancel (esc)")
        t.press("r")  # the key that opened the dialog does not agree to it
        t.press("y")
        t.wait_for("restored billing1", "u undoes it")
        session = os.path.join(store, "billing1")
        assert stores.resume_by_latest(session)["iteration"] == stores.resume_by_mtime(session)["iteration"] == 2
        t.press("u")
        t.wait_for("Undo", "latest.json")
        t.press("y")
        t.wait_for("action", gone="Cancel")
        assert stores.snapshot(store) == before
        t.press("/", "crawl")
        t.wait_for("crawler2", "1/32", gone="billing1 ")
        t.press("enter")
        t.press("t")
        t.wait_for("Why has it ended")
        t.press("1")
        t.wait_for("Terminate crawler2", "reason    crashed", "(y)")
        t.press("y")
        t.wait_for("u undoes it")
        assert meta(store, "crawler2")["is_active"] is False
        t.press("q")
        assert t.exit_code() == 0
        assert b"\x1b[?1049l" in t.raw


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_as_it_was(store: str, number: signal.Signals) -> None:
    with Terminal([*LASTGOOD, store]) as t:
        t.wait_for("32 sessions")
        os.kill(t.pid, number)
        assert t.exit_code() == 128 + number
        assert b"\x1b[?1049l" in t.raw
        assert t.raw.rindex(b"\x1b[?25h") > t.raw.rindex(b"\x1b[?25l")


def test_a_dropped_line_ends_it(store: str) -> None:
    t = Terminal([*LASTGOOD, store])
    t.wait_for("32 sessions")
    os.close(t.fd)
    _, status = os.waitpid(t.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 129


def test_the_choices_of_a_long_dialog_stay_on_the_screen(store: str) -> None:
    torn = os.path.join(store, "billing1", "checkpoints", "cp_20261123_999999_torn.json")
    whole = Path(store, "billing1", "checkpoints", "latest.json").read_bytes()
    stores.put(torn, whole[: whole.index(b'"resume_hint"')], at=START - 8900 * NS)
    with Terminal([*LASTGOOD, store]) as t:
        t.wait_for("billing1", gone="verifying")
        t.press("enter")
        t.wait_for("broken")
        t.press("down", "p")
        t.wait_for("Salvage a file", "Cancel (esc)", "(y)")


def test_pick_draws_on_the_terminal_and_answers_on_the_pipe(store: str) -> None:
    theirs, ours = os.pipe()[::-1]
    with Terminal([*LASTGOOD, "pick", store], stdout=theirs, size=(100, 30)) as t:
        os.close(theirs)
        t.wait_for("c choose", "billing1", "◂ best")
        t.press("c")
        assert t.exit_code() == 0
    with os.fdopen(ours, "rb") as pipe:
        choice = json.loads(pipe.read())
    assert choice["session_id"] == "billing1"
    assert choice["data"] == json.loads(Path(choice["checkpoint_path"]).read_bytes())


@pytest.mark.parametrize("link", [True, False])
def test_over_a_link_a_colour_is_one_of_256(link: bool, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSH_CONNECTION", "SSH_TTY", "TEXTUAL_COLOR_SYSTEM"):
        monkeypatch.delenv(name, raising=False)
    over = {"SSH_CONNECTION": "203.0.113.9 50000 203.0.113.1 22"} if link else {}
    with Terminal([*LASTGOOD, store], COLORTERM="truecolor", **over) as t:
        t.wait_for("billing1")
        assert (b"38;2;" in t.raw) is not link
        t.press("q")
        assert t.exit_code() == 0


def test_pick_without_a_choice_says_130(store: str) -> None:
    with Terminal([*LASTGOOD, "pick", store]) as t:
        t.wait_for("billing1")
        t.press("q")
        assert t.exit_code() == 130


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two sample stores in one: eighty sessions of forty stories, no two with the same figures."""
    folder = tmp_path_factory.mktemp("stories")
    now = time.time_ns()
    for seed in (7, 8):
        demo.build(str(folder / str(seed)), seed=seed, now_ns=now)
    for session in (folder / "8").iterdir():
        if not (folder / "7" / session.name).exists():
            session.rename(folder / "7" / session.name)
    return str(folder / "7")


def test_bytes_over_the_link(stories: str, figure: list[str]) -> None:
    """A cursor row at most 1 KiB, whatever it leads to; a page at most 8 KiB; nothing when idle."""
    with Terminal([*LASTGOOD, stories]) as t:
        t.wait_for("80 sessions", gone="verifying")
        t.read(2.0)  # by now the store is being watched
        idle = len(t.read(3.0))
        rows = []
        for _ in range(64):
            t.press("down")
            rows.append(len(t.read(0.25)))  # with the preview, which follows when the cursor rests
        pages = []
        for key in ("pgup", "pgup", "pgdn", "home", "end"):
            t.press(key)
            pages.append(len(t.read(0.4)))
    least, middle, most = min(rows), statistics.median(rows), max(rows)
    figure.append(f"bytes at 80x24: cursor row {least} to {most}, median {middle:.0f}; page {max(pages)}; idle {idle}")
    assert idle == 0
    assert least > 0 and most < 1024
    assert min(pages) > 0 and max(pages) <= 8192


def test_no_color_sends_no_colour(store: str) -> None:
    with Terminal([*LASTGOOD, store], NO_COLOR="1") as t:
        t.wait_for("32 sessions", "crashed")
        colours = re.findall(rb"\x1b\[[0-9;]*m", t.raw)
        assert not [c for c in colours if re.search(rb"[\[;](3[0-8]|4[0-8]|9[0-7]|10[0-7])(;|m)", c)]


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_is_told_what_can(store: str, term: str) -> None:
    with Terminal([*LASTGOOD, store], TERM=term) as t:
        assert t.exit_code() == 4
        assert b"lastgood list" in t.raw


def test_without_a_terminal_it_says_so(store: str) -> None:
    done = subprocess.run([*LASTGOOD, store], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 4
    assert "lastgood list" in done.stderr


def test_nothing_from_a_store_acts_on_the_terminal(tmp_path: Path) -> None:
    hostile = "\x1b]52;c;aGFja2Vk\x07\x1b]0;owned\x1b\\\x9b2J\u202e[/b][@click=app.quit]x"
    root = str(tmp_path / "store")
    content = stores.checkpoint(
        "evil", 1, trigger=hostile, resume_hint=hostile, messages=[{"role": hostile, "content": hostile}]
    )
    stores.write_session(root, "evil", checkpoints=[content], start=START - 9000 * NS)
    stores.write_session(root, "e\x1b[2Jvil\x07", no_meta=True, start=START - 9000 * NS)
    with Terminal([*LASTGOOD, root]) as t:
        t.wait_for("2 sessions", gone="verifying")
        t.press("enter", "down")
        for tab in ("2", "3", "d", "1"):
            t.press(tab)
            t.read(0.5)
        t.press("l")
        t.read(0.3)
        t.press("esc")
        t.read(0.7)
        t.press("q")
        assert t.exit_code() == 0
        for sign in (b"\x1b]52", b"\x1b]0;owned", b"\xc2\x9b", "\u202e".encode(), b"\x1b[2Jvil"):
            assert sign not in t.raw


def test_a_point_is_exported_paged_and_its_resume_command_run(store: str, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('resume_command = ["echo", "resumed", "{session_id}"]\n')
    target = tmp_path / "exported.json"
    with Terminal([*LASTGOOD, store, "--config", str(config)], PAGER="cat") as t:
        t.wait_for("32 sessions", gone="verifying")
        t.press("e")
        t.wait_for("to, then enter")
        t.press("\x15", str(target), "enter")  # ctrl+u empties the input
        t.wait_for("written to", gone="to, then enter")
        assert target.read_bytes() == Path(store, "billing1", "checkpoints", "latest.json").read_bytes()
        assert target.stat().st_mode & 0o777 == 0o600
        t.press("o")
        t.wait_for("32 sessions")
        assert b'"checkpoint_id": "bill0003"' in t.raw
        t.press("enter")
        t.wait_for("best")
        t.press("down", "down")
        t.wait_for("loses 1 iteration")
        t.press("r")
        t.wait_for("Restore billing1")
        t.press("y")
        t.wait_for("Resume it with", "echo resumed billing1")
        t.press("w")
        t.wait_for("it will be run", gone="Resume it with")
        t.press("q")
        assert t.exit_code() == 0
        assert b"resumed billing1" in t.raw


def test_a_size_left_over_in_the_environment_does_not_count(store: str) -> None:
    with Terminal([*LASTGOOD, store], COLUMNS="40", LINES="9") as t:
        t.wait_for("billing1", "q quit", gone="verifying")
        assert len(t.text.split("\n")[0]) > 60
        t.press("q")
        assert t.exit_code() == 0
