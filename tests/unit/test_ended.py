"""Sessions that have ended: `list` says of them what it said, until anything about them changes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stores
from lastgood.cli import listing
from lastgood.cli.main import run
from lastgood.core.continuum_sdk import ContinuumSdkStore
from lastgood.core.times import now_ns

HOUR = 3_600 * stores.NS
ENDED = "ended001"

Listing = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    root = tmp_path / "store"
    stores.write_session(str(root), ENDED, active=False, reason="done", checkpoints=3)
    stores.write_session(str(root), "ended002", active=False, reason="done", checkpoints=2)
    stores.write_session(str(root), "crashed1", checkpoints=2)
    return root


@pytest.fixture
def sessions(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Listing:
    """What `list --json` says by a clock an hour ahead: everything on disk has settled."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(listing, "now_ns", lambda: now_ns() + HOUR)

    def listed(*words: str) -> list[dict[str, Any]]:
        capsys.readouterr()
        assert run(["list", "--json", "-s", str(store), *words]) in (0, 1)
        document = json.loads(re.sub(r"(idle|written) \d+ \w+( \d+ \w+)?", "some time", capsys.readouterr().out))
        found: list[dict[str, Any]] = document["sessions"]
        return found

    return listed


def of(found: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(session for session in found if session["session_id"] == name)


def grow_in_place(store: Path) -> None:
    """What no runtime does, and nothing in the folders tells: only a look at the file itself finds it."""
    path = next((store / ENDED / "checkpoints").glob("cp_*.json"))
    path.write_bytes(path.read_bytes() + b" " * 1000)


def test_a_session_that_has_ended_is_not_looked_at_again(store: Path, sessions: Listing) -> None:
    first = sessions()
    grow_in_place(store)
    assert sessions() == first
    assert of(sessions("--no-cache"), ENDED)["bytes"] == of(first, ENDED)["bytes"] + 1000
    assert of(sessions("--verify"), ENDED)["bytes"] == of(first, ENDED)["bytes"] + 1000


def test_a_table_and_json_of_what_is_remembered_say_what_a_look_says(
    store: Path, sessions: Listing, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sessions() == sessions() == sessions("--no-cache")
    tables = []
    for words in ((), ("--no-cache",)):
        assert run(["list", "-s", str(store), *words]) == 0
        tables.append(capsys.readouterr())
    assert tables[0] == tables[1]
    assert "3 sessions" in tables[0].err
    assert [s["session_id"] for s in sessions("--unclean")] == ["crashed1"]


def another_checkpoint(store: Path) -> None:
    stores.put(str(store / ENDED / "checkpoints" / "cp_20261123_120000_ffffffff.json"), b"{}")


def one_checkpoint_less(store: Path) -> None:
    next((store / ENDED / "checkpoints").glob("cp_*.json")).unlink()


def active_again_in_place(store: Path) -> None:
    """As the runtime does it, with the times put back."""
    path = store / ENDED / "session_meta.json"
    times = os.stat(path)
    with open(path, "r+b") as file:
        file.write(path.read_bytes().replace(b'"done"', b"null  ").replace(b"false", b"true "))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def meta_renamed_over(store: Path) -> None:
    path = store / ENDED / "session_meta.json"
    new = path.with_name("new")
    new.write_bytes(path.read_bytes().replace(b'"done"', b'"gone"'))
    os.replace(new, path)


def meta_gone(store: Path) -> None:
    (store / ENDED / "session_meta.json").unlink()


def a_task(store: Path) -> None:
    state = {"session_id": ENDED, "status": "Error", "completed": False, "iteration": 9, "task_description": "x"}
    (store / ENDED / "state.json").write_text(json.dumps({**state, "last_updated": stores.rfc3339(stores.START)}))


def another_folder_of_that_name(store: Path) -> None:
    os.rename(store / ENDED, store.parent / "aside")
    stores.write_session(str(store), ENDED, active=False, reason="done", checkpoints=1)


def a_session_of_the_sdk_beside_it(store: Path) -> None:
    name = "cp_0123456789ab_1795420000.json"
    state = {"checkpoint_id": name[:-5], "session_id": ENDED, "created_at": "2026-11-23T00:00:00", "state": {}}
    (store / ENDED / name).write_text(json.dumps({**state, "_version": 1}))
    assert ContinuumSdkStore(str(store)).layout == "continuum-sdk"


@pytest.mark.parametrize(
    "change",
    [
        another_checkpoint,
        one_checkpoint_less,
        active_again_in_place,
        meta_renamed_over,
        meta_gone,
        a_task,
        another_folder_of_that_name,
        a_session_of_the_sdk_beside_it,
    ],
)
def test_whatever_changes_is_seen(store: Path, sessions: Listing, change: Callable[[Path], None]) -> None:
    before = sessions()
    change(store)
    after = sessions()
    assert after == sessions("--no-cache") != before


def test_a_task_that_is_rewritten_in_place_is_seen(store: Path, sessions: Listing) -> None:
    a_task(store)
    before = sessions()
    path = store / ENDED / "state.json"
    path.write_bytes(path.read_bytes().replace(b'"x"', b'"y"'))
    assert of(sessions(), ENDED)["task"] == "y" != of(before, ENDED)["task"]


def test_a_session_that_is_gone_or_new_is_told_at_once(store: Path, sessions: Listing) -> None:
    sessions()
    os.rename(store / ENDED, store / "ended003")
    names = sorted(s["session_id"] for s in sessions())
    assert names == ["crashed1", "ended002", "ended003"]


def test_what_changed_a_moment_ago_is_not_remembered(
    store: Path, sessions: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "now_ns", now_ns)
    before = of(sessions(), ENDED)["bytes"]
    grow_in_place(store)
    assert of(sessions(), ENDED)["bytes"] == before + 1000


def test_a_damaged_memory_is_as_good_as_none(store: Path, sessions: Listing, tmp_path: Path) -> None:
    plain = sessions()
    (kept,) = (tmp_path / "cache" / "lastgood").glob("ended-*.kept")
    whole = kept.read_bytes()
    for at in range(0, len(whole), 37):
        kept.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        assert sessions() == plain
        kept.write_bytes(whole[:at])
        assert sessions() == plain


def test_a_name_that_is_no_text_is_listed_each_time(store: Path, sessions: Listing) -> None:
    os.rename(store / "ended002", store / os.fsdecode(b"ended\xff"))
    assert sessions() == sessions() == sessions("--no-cache")
    assert len(sessions()) == 3
