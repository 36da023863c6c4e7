"""`verify` of many sessions: the same words whoever looks at them, remembered or not, and whoever dies over one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import stores
from lastgood.cli.main import run
from lastgood.core import cache as caching
from lastgood.core import shares
from lastgood.core.continuum import ContinuumStore
from lastgood.core.model import Checkpoint, StoredFile

SESSIONS = 80


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(shares, "_cores", lambda: 2)
    for number in range(SESSIONS):
        stores.write_session(str(tmp_path / "store"), f"session{number:02}", checkpoints=3)
    damaged = next((tmp_path / "store" / "session07" / "checkpoints").glob("cp_*_sess0001.json"))
    damaged.write_bytes(damaged.read_bytes().replace(b"step 0", b"step 9"))
    return str(tmp_path / "store")


def verified(store: str, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["verify", "--json", "-s", store, *words]) == 1
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_divided_remembered_or_session_by_session_it_says_the_same(
    store: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    afresh = verified(store, capsys, "--no-cache")
    assert afresh["summary"]["mismatch"] == 1
    assert len(afresh["files"]) == len({file["path"] for file in afresh["files"]}) == SESSIONS * 4
    clock = caching.Cache.__init__.__kwdefaults__["clock"]
    monkeypatch.setitem(caching.Cache.__init__.__kwdefaults__, "clock", lambda: clock() + 3_600 * stores.NS)
    assert verified(store, capsys) == afresh
    assert verified(store, capsys) == afresh
    names = [f"session{number:02}" for number in range(SESSIONS)]
    assert verified(store, capsys, "--no-cache", *names) == afresh
    assert run(["verify", "-s", store]) == 1
    table = capsys.readouterr()
    assert f"{SESSIONS * 4} files · 1 mismatch · {SESSIONS * 4 - 1} valid" in table.err
    assert [line for line in table.out.splitlines() if "session07" in line and "✗" in line]


def test_a_file_that_kills_whoever_reads_it_takes_no_other_along(
    store: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    afresh = verified(store, capsys, "--no-cache")
    here, verify = os.getpid(), ContinuumStore.verify

    def deadly(self: ContinuumStore, file: StoredFile) -> Checkpoint:
        if os.getpid() != here:
            os.kill(os.getpid(), 9)
        return verify(self, file)

    monkeypatch.setattr(ContinuumStore, "verify", deadly)
    assert verified(store, capsys, "--no-cache") == afresh
