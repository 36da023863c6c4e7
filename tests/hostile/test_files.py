"""What stands in a file's place is never waited for; what a failure leaves behind tells nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import stores
from lastgood import crashlog
from stores import NS, START
from terminal import Terminal

LASTGOOD = [sys.executable, "-m", "lastgood"]
PLACES = [
    "s/session_meta.json",
    "s/state.json",
    "s/checkpoints/cp_20261123_000000_fifo.json",
    "s/checkpoints/latest.json",
    "s/checkpoints/latest.json.backup",
    ".lastgood",
    ".lastgood/journal.jsonl",
    ".lastgood/lock",
    ".lastgood/holder.json",
    "config.toml",
]


@pytest.mark.parametrize("place", PLACES)
def test_a_fifo_in_a_file_s_place_is_not_waited_for(place: str, tmp_path: Path) -> None:
    stores.write_session(str(tmp_path), "s", start=START - 9000 * NS)
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    config = ["--config", str(path)] if place == "config.toml" else []
    for words in (
        ["list", "--verify"],
        ["show", "s"],
        ["verify"],
        ["log"],
        ["terminate", "s", "--reason", "x", "--yes"],
    ):
        done = subprocess.run(
            [*LASTGOOD, words[0], "-s", str(tmp_path), *words[1:], *config],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=20,
        )
        assert done.returncode in (0, 1, 2, 3, 4, 5)
        assert b"failed inside" not in done.stderr, done.stderr


def test_a_report_of_a_failure_tells_no_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    secret = "hunter2\x1b]0;OWNED\x07"
    try:
        try:
            {}[secret]
        except KeyError as first:
            raise ValueError(secret) from first
    except ValueError as error:
        path = crashlog.keep(error)
    assert path is not None
    log = Path(path).read_text()
    assert "KeyError" in log and "ValueError" in log and "test_files.py" in log
    assert "hunter2" not in log and "\x1b" not in log
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_a_crash_of_the_screen_shows_no_contents_and_says_where_its_report_is(tmp_path: Path) -> None:
    secret = "ghp_" + "a1B2" * 10
    contents = [{**stores.checkpoint("s", 1), "messages": [{"role": "user", "content": f"the token is {secret}"}]}]
    stores.write_session(str(tmp_path / "store"), "s", checkpoints=contents, start=START - 9000 * NS)
    command = [sys.executable, str(Path(__file__).with_name("crashing.py")), str(tmp_path / "store")]
    home = {name: str(tmp_path / name) for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
    with Terminal(command, **home) as t:
        t.wait_for("crashed", "overview".title())
        t.press("?")
        assert t.exit_code() != 0
        (log,) = (tmp_path / "XDG_STATE_HOME").rglob("*.log")
        assert log.name in t.raw.decode().replace("\r\n", "")
    assert "ValueError" in log.read_text() and log.stat().st_mode & 0o777 == 0o600
    for told in (t.raw.decode(), log.read_text()):
        assert secret not in told and "the token" not in told and "Traceback" not in t.raw.decode()


@pytest.mark.parametrize("kind", ["socket", "folder", "symlink to a device", "symlink to nothing"])
@pytest.mark.parametrize("place", PLACES)
def test_whatever_else_stands_in_a_file_s_place_is_said(
    kind: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    stores.write_session(str(store), "s", start=START - 9000 * NS)
    path = store / place
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        if kind == "socket":
            monkeypatch.chdir(path.parent)  # the whole path is too long for a socket
            listening.bind(path.name)
        elif kind == "folder":
            path.mkdir()
        else:
            path.symlink_to("/dev/zero" if "device" in kind else "/nowhere")
        config = ["--config", str(path)] if place == "config.toml" else []
        for words in (["list", "--verify"], ["verify"], ["log"]):
            done = subprocess.run(
                [*LASTGOOD, words[0], "-s", str(store), *words[1:], *config],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=20,
            )
            assert done.returncode in (0, 1, 2, 3, 4, 5)
            assert b"failed inside" not in done.stderr, done.stderr
