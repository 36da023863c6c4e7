"""What stands in a file's place is never waited for; what a failure leaves behind tells nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import stores
from lastgood import crashlog
from stores import NS, START

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
