"""What is read ahead of the screen is what is there; a reader that dies costs time and nothing else."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import stores
from lastgood.core.model import Verdict
from lastgood.core.store import open_store
from lastgood.core.verdict import Thresholds
from lastgood.tui.forerun import Forerun
from stores import NS, START


def test_the_unclean_come_first_and_none_is_missing(tmp_path: Path) -> None:
    root = str(tmp_path / "store")
    for number in range(150):
        stores.write_session(root, f"ended{number:03}", active=False, reason="done", checkpoints=0, start=START)
    stores.write_session(root, "dead", checkpoints=1, start=START - 90_000 * NS)
    store = open_store(root)
    forerun = Forerun.start(store, Thresholds())
    assert forerun is not None
    slices = list(forerun.sessions())
    assert slices[-1] == []
    found = [seen for some in slices for seen in some]
    assert found[0].session.name == "dead" and found[0].verdict is Verdict.CRASHED
    assert {seen.session for seen in found} == set(store.sessions())


def test_one_that_dies_gives_no_end(tmp_path: Path) -> None:
    root = str(tmp_path / "store")
    for number in range(20_000):
        os.makedirs(f"{root}/s{number}")
    forerun = Forerun.start(open_store(root), Thresholds())
    assert forerun is not None
    os.kill(forerun._pid, signal.SIGKILL)
    assert [] not in list(forerun.sessions())
