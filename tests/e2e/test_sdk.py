"""The SDK's own client writes, is killed, and loads what was restored (continuum-agent-sdk 1.0.2)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import stores
from lastgood.core import act, demo
from lastgood.core.assess import assess_one
from lastgood.core.errors import Refused
from lastgood.core.journal import Journal
from lastgood.core.lookup import find_point
from lastgood.core.model import FileKind, Integrity, Verdict
from lastgood.core.store import open_store
from lastgood.core.verdict import Thresholds
from tui.screens import driven

checkpoint = pytest.importorskip("continuum_sdk.agent.checkpoint")
SESSION = "nightly/crawl 1"
FOLDER = "nightly_crawl_1"
WRITER = Path(__file__).with_name("sdk_writer.py")
LONG_AGO = stores.START - 10 * 86400 * stores.NS


def saved(store: Path, iterations: int, *, session: str = SESSION) -> list[Path]:
    """So many saves by the SDK itself, a minute apart; the files, oldest first."""
    client = checkpoint.CheckpointClient(store)
    made = []
    for i in range(1, iterations + 1):
        state = {"iteration": i, "messages": [{"role": "user", "content": f"step {n}"} for n in range(i)]}
        (path,) = store.rglob(f"{client.save(session, state)}.json")
        os.utime(path, ns=(LONG_AGO + i * 60 * stores.NS,) * 2)
        made.append(path)
    return made


def load(store: Path) -> Any:
    return checkpoint.CheckpointClient(store).load(SESSION)


def restore(store: Path, name: str) -> None:
    opened = open_store(str(store))
    session = opened.session(FOLDER)
    act.apply(opened, opened.plan_restore(session, find_point(opened, session, opened.survey(session), name)))


def lastgood(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "lastgood", *words], capture_output=True, text=True, check=False)


def test_what_the_sdk_loads_after_a_restore_is_what_was_chosen_and_undo_takes_it_back(tmp_path: Path) -> None:
    files = saved(tmp_path, 3)
    before = stores.snapshot(str(tmp_path))
    chosen = json.loads(files[0].read_text())["state"]
    restore(tmp_path, files[0].name)
    assert load(tmp_path) == chosen
    after = stores.snapshot(str(tmp_path))
    assert {p: e for p, e in after.items() if p in before and e.type == "file"} == {
        p: e for p, e in before.items() if e.type == "file"
    }
    journal = Journal(str(tmp_path))
    journal.apply(journal.plan_undo(None), reason=None, check=open_store(str(tmp_path)).check)
    assert stores.snapshot(str(tmp_path)) == before
    assert load(tmp_path)["iteration"] == 3


def test_a_newest_from_the_future_is_outdone_as_the_sdk_compares_times(tmp_path: Path) -> None:
    files = saved(tmp_path, 2)
    ahead = 4_000_000_000 * stores.NS + 1
    os.utime(files[1], ns=(ahead, ahead))
    restore(tmp_path, files[0].name)
    assert load(tmp_path)["iteration"] == 1


def test_a_symlink_counts_by_the_time_of_what_it_leads_to_and_one_to_nothing_is_named(tmp_path: Path) -> None:
    store = tmp_path / "store"
    files = saved(store, 2)
    outside = tmp_path / "outside.json"
    outside.write_text("{}")
    ahead = 4_000_000_000 * stores.NS
    os.utime(outside, ns=(ahead, ahead))
    link = store / FOLDER / "cp_link.json"
    link.symlink_to(outside)
    restore(store, files[0].name)
    assert load(store)["iteration"] == 1
    outside.unlink()
    before = stores.snapshot(str(store))
    with pytest.raises(Refused, match=r"cp_link\.json leads to .*remove it first"):
        restore(store, files[1].name)
    assert stores.snapshot(str(store)) == before


def test_a_torn_newest_loads_as_nothing_before_and_as_the_best_whole_one_after(tmp_path: Path) -> None:
    files = saved(tmp_path, 3)
    os.truncate(files[2], files[2].stat().st_size // 2)
    os.utime(files[2], ns=(LONG_AGO + 3600 * stores.NS,) * 2)
    assert load(tmp_path) is None
    opened = open_store(str(tmp_path))
    seen = assess_one(opened, opened.session(FOLDER), Thresholds())
    assert seen.verdict is Verdict.CRASHED
    assert any(e.kind == "newest" and files[2].name in e.detail for e in seen.evidence)
    assert {p.integrity for p in seen.points or ()} == {Integrity.NOT_RECORDED, Integrity.UNPARSEABLE}
    assert opened.recover(seen.session).chosen is None
    restore(tmp_path, "best")
    assert load(tmp_path)["iteration"] == 2


def test_the_sample_store_s_session_is_one_of_the_sdk_s_that_loads_after_a_restore(tmp_path: Path) -> None:
    demo.build(str(tmp_path / "demo"), now_ns=time.time_ns())
    client = checkpoint.CheckpointClient(tmp_path / "demo")
    assert client.load("edge/openssl") is None
    done = lastgood("restore", "edge_openssl", "--yes", "-s", str(tmp_path / "demo"))
    assert done.returncode == 0, done.stderr
    state = client.load("edge/openssl")
    assert state["iteration"] == 7 and state["messages"][0]["role"] == "user"


def killed_within_a_write(store: Path) -> Path:
    """The SDK's client is killed while its temporary file is there; that file, which it has left."""
    command = [sys.executable, str(WRITER), str(store), SESSION, "3000"]
    for _ in range(100):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as writer:
            assert writer.stdout is not None and writer.stdout.readline() and writer.stdout.readline()
            while writer.poll() is None and not list((store / FOLDER).glob("*.tmp")):
                pass
            writer.kill()
        for left in (store / FOLDER).glob("*.tmp"):
            return left
    raise AssertionError("a hundred kills and none within a write")


def test_killed_while_writing(tmp_path: Path) -> None:
    left = killed_within_a_write(tmp_path)
    # The clock of the file system ticks slowly: what is left may be as old as the last whole file, and comes after it.
    in_order = sorted((tmp_path / FOLDER).iterdir(), key=lambda p: (p.stat().st_mtime_ns, p == left))
    for number, path in enumerate(in_order):
        os.utime(path, ns=(LONG_AGO + number * 60 * stores.NS,) * 2)
    opened = open_store(str(tmp_path))
    seen = assess_one(opened, opened.session(FOLDER), Thresholds())
    points = {p.file.name: p for p in seen.points or ()}
    orphan = points.pop(left.name)
    assert (orphan.file.kind, orphan.integrity) == (FileKind.ORPHAN, Integrity.UNPARSEABLE)
    assert {p.integrity for p in points.values()} == {Integrity.NOT_RECORDED}
    assert seen.verdict is Verdict.CRASHED, seen.evidence
    assert left.name in " ".join(e.detail for e in seen.evidence)
    chosen = next(p for p in points.values() if p.header.iteration == 1)
    wanted = json.loads(Path(chosen.file.path).read_bytes())["state"]
    assert load(tmp_path) != wanted
    restore(tmp_path, chosen.file.name)
    assert load(tmp_path) == wanted
    checkpoint.CheckpointClient(tmp_path).save(SESSION, {**wanted, "iteration": 2})
    assert load(tmp_path)["iteration"] == 2


def test_a_torn_file_is_salvaged_and_restored_only_when_asked(tmp_path: Path) -> None:
    (file,) = saved(tmp_path, 1)
    client = checkpoint.CheckpointClient(tmp_path)
    messages = [{"role": "user", "content": f"step {n}"} for n in range(20)]
    file = tmp_path / FOLDER / f"{client.save(SESSION, {'messages': messages, 'z': 1})}.json"
    os.truncate(file, file.stat().st_size // 2)
    opened = open_store(str(tmp_path))
    session = opened.session(FOLDER)
    torn = next(f for f in opened.survey(session).files if f.name == file.name)
    plan = opened.plan_salvage(session, torn)
    act.apply(opened, plan)
    assert load(tmp_path) is None
    restore(tmp_path, os.path.basename(plan.facts["salvaged_path"]))
    found = load(tmp_path)["messages"]
    assert 0 < len(found) < 20 and found == messages[: len(found)]


def test_what_the_layout_cannot_do_is_refused_with_the_reason(tmp_path: Path) -> None:
    saved(tmp_path, 1)
    opened = open_store(str(tmp_path))
    session = opened.session(FOLDER)
    for plan in (lambda: opened.plan_terminate(session, "x"), lambda: opened.plan_repair(session)):
        with pytest.raises(Refused, match="the SDK"):
            plan()
    done = lastgood("terminate", FOLDER, "--reason", "x", "--yes", "-s", str(tmp_path))
    assert done.returncode == 4 and "the SDK records no end" in done.stderr


def test_verify_never_calls_it_valid_and_is_content_with_whole_files(tmp_path: Path) -> None:
    files = saved(tmp_path, 2)
    done = lastgood("verify", "--json", "-s", str(tmp_path))
    found = json.loads(done.stdout)["files"]
    assert done.returncode == 0
    assert {(f["verdict"], f["restorable"], f["layout"]) for f in found} == {("no-checksum", True, "continuum-sdk")}
    alone = json.loads(lastgood("verify", "--json", "--file", str(files[0])).stdout)["files"]
    assert [f["layout"] for f in alone] == ["continuum-sdk"]
    os.truncate(files[0], 30)
    assert lastgood("verify", "-s", str(tmp_path)).returncode == 1


def test_both_layouts_in_one_store_and_in_one_folder(tmp_path: Path) -> None:
    saved(tmp_path, 2)
    saved(tmp_path, 1, session="both")
    stores.write_session(str(tmp_path), "plain")
    stores.write_session(str(tmp_path), "other")
    os.rename(tmp_path / "other" / "checkpoints", tmp_path / "both" / "checkpoints")
    opened = open_store(str(tmp_path))
    names = {s.name: s.layout for s in opened.sessions()}
    assert names == {
        FOLDER: "continuum-sdk",
        "plain": "continuum",
        "both": "continuum",
        "both/continuum-sdk": "continuum-sdk",
        "other": "continuum",
    }
    for name, layout in names.items():
        assert opened.session(name).layout == layout
    assert len(opened.survey(opened.session("both/continuum-sdk")).files) == 1
    done = lastgood("restore", "both/continuum-sdk", "--dry-run", "--even-if-live", "-s", str(tmp_path))
    assert done.returncode == 0, done.stderr


def test_an_action_stays_that_sessions_where_another_layout_comes_into_its_folder(tmp_path: Path) -> None:
    files = saved(tmp_path, 3)
    before = stores.snapshot(str(tmp_path / FOLDER))
    restore(tmp_path, files[0].name)
    stores.write_session(str(tmp_path), "crate")
    for name in os.listdir(tmp_path / "crate"):
        os.rename(tmp_path / "crate" / name, tmp_path / FOLDER / name)
    opened = open_store(str(tmp_path))
    verdicts = {s.layout: assess_one(opened, s, Thresholds()).verdict for s in opened.sessions_at(FOLDER)}
    assert verdicts == {"continuum": Verdict.CRASHED, "continuum-sdk": Verdict.RESTORED}
    done = lastgood("undo", "--yes", "-s", str(tmp_path))
    assert done.returncode == 0, done.stderr
    after = stores.snapshot(str(tmp_path / FOLDER))
    assert {path: after[path] for path in before if path != "."} == {p: e for p, e in before.items() if p != "."}
    assert load(tmp_path)["iteration"] == 3
    done = lastgood("restore", f"{FOLDER}/continuum-sdk", files[1].name, "--yes", "--even-if-live", "-s", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert load(tmp_path)["iteration"] == 2


async def test_a_session_that_the_sdk_begins_in_a_shown_folder_appears_by_itself(tmp_path: Path) -> None:
    stores.write_session(str(tmp_path), "both")
    saved(tmp_path, 1, session="alone")
    async with driven(str(tmp_path), size=(120, 40), live=True) as screen:
        await screen.until_shown("both", "alone", "4/4")
        saved(tmp_path, 1, session="both")
        saved(tmp_path, 1, session="new")
        saved(tmp_path, 2, session="alone")
        await screen.until_shown("4 sessions", "both/co", "uncertain new", "3/3")


def test_a_state_that_no_program_would_write_harms_nothing(tmp_path: Path) -> None:
    (path,) = saved(tmp_path, 1)
    whole = json.loads(path.read_text())
    odd = {"cost_estimate": 10**400, "tokens_used": float("inf"), "iteration": True, "messages": {"a": [1]}}
    for state in (odd, {"cost_estimate": float("nan")}, [1, 2], "raw", None):
        path.write_text(json.dumps({**whole, "state": state}))
        for words in (("list", "--verify"), ("show", FOLDER), ("show", FOLDER, "latest"), ("verify",)):
            done = lastgood(*words, "--json", "-s", str(tmp_path))
            assert done.returncode == 0, done.stderr
            json.loads(done.stdout)
