"""A restore, a termination, an activation: what is planned, what is refused, and what is on disk afterwards."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import stores
from lastgood.core import plan as plans
from lastgood.core.errors import Refused, UsageProblem
from lastgood.core.journal import Journal
from lastgood.core.model import Checkpoint, Plan
from lastgood.core.newest import later_than
from lastgood.core.store import open_store
from stores import NS, START

NAME = "abcd1234"


def point(store: str, file: str) -> Checkpoint:
    opened = open_store(store)
    survey = opened.survey(opened.session(NAME))
    return opened.verify(next(f for f in survey.files if f.name == file))


def planned(store: str, file: str, **how: bool) -> Plan:
    opened = open_store(store)
    return opened.plan_restore(opened.session(NAME), point(store, file), **how)


def restore(store: str, file: str, **how: bool) -> Plan:
    plan = planned(store, file, **how)
    opened = open_store(store)
    Journal(store).apply(plan, reason=None, check=lambda done: plans.check(opened, done))
    return plan


def names(session: str) -> list[str]:
    return sorted(p.name for p in Path(session, "checkpoints").glob("cp_*.json"))


@pytest.mark.parametrize("source", ["checkpoint", "backup", "orphan"])
@pytest.mark.parametrize("regular_latest", [False, True])
def test_the_runtime_resumes_from_it_both_ways_and_nothing_else_changes(
    source: str, regular_latest: bool, tmp_path: Path
) -> None:
    store = str(tmp_path)
    session = stores.write_session(store, NAME, active=False, reason="shutdown", regular_latest=regular_latest)
    folder = Path(session, "checkpoints")
    chosen = {"checkpoint": names(session)[0], "backup": "latest.json.backup", "orphan": ".tmp_checkpoint_0f1e"}[source]
    if source == "orphan":
        stores.put(str(folder / chosen), stores.seal(stores.checkpoint(NAME, 50)), at=START)
    before = stores.snapshot(store)
    content = json.loads((folder / chosen).read_bytes())
    restore(store, chosen)
    assert stores.resume_by_latest(session) == stores.resume_by_mtime(session) == content
    meta = json.loads(Path(session, "session_meta.json").read_bytes())
    assert (meta["is_active"], meta["termination_reason"]) == (True, None)
    after = stores.snapshot(store)
    touched = {f"{NAME}/session_meta.json", f"{NAME}/checkpoints/latest.json", NAME, f"{NAME}/checkpoints", "."}
    assert {p: e for p, e in after.items() if p in before and p not in touched} == {
        p: e for p, e in before.items() if p not in touched
    }
    assert len(after) == len(before) + 1
    assert (folder / "latest.json").is_symlink() is not regular_latest


def test_nothing_to_do_where_it_is_what_the_runtime_picks(tmp_path: Path) -> None:
    store = str(tmp_path)
    session = stores.write_session(store, NAME)
    assert planned(store, names(session)[-1]).steps == ()


def test_an_equal_time_is_not_newest(tmp_path: Path) -> None:
    """The folder's order, which nobody chose, would decide: so it is copied."""
    store = str(tmp_path)
    session = stores.write_session(store, NAME, every=0)
    restore(store, names(session)[-1])
    assert len(names(session)) == 4


def test_a_newer_file_that_does_not_verify_does_not_count(tmp_path: Path) -> None:
    store = str(tmp_path)
    session = stores.write_session(store, NAME)
    newest = names(session)[-1]
    stores.put(os.path.join(session, "checkpoints", "cp_20300101_000000_ff.json"), b'{"torn', at=START + 900 * NS)
    assert planned(store, newest).steps == ()


@pytest.mark.parametrize("ahead", [400 * 86400 * NS, 400 * 86400 * NS + 123_456_789])
def test_later_than_a_file_from_the_future(ahead: int, tmp_path: Path) -> None:
    store = str(tmp_path)
    session = stores.write_session(store, NAME)
    first, _, last = names(session)
    os.utime(os.path.join(session, "checkpoints", last), ns=(START + ahead, START + ahead))
    restore(store, first)
    assert stores.resume_by_mtime(session)["iteration"] == 1


@pytest.mark.parametrize("granule", [1, 100, 1_000, 1_000_000, 10_000_000, NS, 2 * NS])
@pytest.mark.parametrize("behind", [-3 * NS, -1, 0, 1, 999, 5 * NS])
def test_later_on_file_systems_that_keep_coarse_times(granule: int, behind: int) -> None:
    now = START + 1_234_567_891
    newest = (now - behind) // granule * granule
    assert later_than(newest, now) // granule * granule > newest
    assert later_than(newest, now) <= max(now, newest + 2 * NS)


@pytest.mark.parametrize("id", ["../../evil", "a/b", "", "..", "a\nb", "x" * 201, "\u202eabc", "a\x00b", "\x1b]52"])
def test_an_id_never_becomes_a_path_unchecked(id: str, tmp_path: Path) -> None:
    store = str(tmp_path / "store")
    session = stores.write_session(store, NAME)
    stores.put(
        os.path.join(session, "checkpoints", "cp_20200101_000000_odd.json"),
        stores.seal({**stores.checkpoint(NAME, 7), "checkpoint_id": id}),
        at=START,
    )
    before = sorted(p for p in tmp_path.rglob("*") if ".lastgood" not in p.parts)
    restore(store, "cp_20200101_000000_odd.json")
    (made,) = {p for p in tmp_path.rglob("*") if ".lastgood" not in p.parts} - set(before)
    assert made.parent == Path(session, "checkpoints")
    assert made.name.startswith("cp_") and "_sha256-" in made.name
    assert stores.resume_by_latest(session)["iteration"] == 7


def test_an_id_of_other_letters_is_kept(tmp_path: Path) -> None:
    store = str(tmp_path)
    session = stores.write_session(
        store, NAME, checkpoints=[stores.checkpoint(NAME, 1, id="größe-é"), {**stores.checkpoint(NAME, 2)}]
    )
    restore(store, names(session)[0])
    assert names(session)[-1].endswith("_größe-é.json")


def test_two_restores_in_one_second_take_two_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans.time, "time", lambda: 1_800_000_000.5)
    store = str(tmp_path)
    session = stores.write_session(store, NAME)
    first, second, _ = names(session)
    for chosen in (first, second, first):
        restore(store, chosen)
    assert len(names(session)) == 6


def test_what_does_not_verify_is_refused(tmp_path: Path) -> None:
    store = str(tmp_path)
    session = stores.write_session(store, NAME)
    path = Path(session, "checkpoints", names(session)[0])
    path.write_bytes(path.read_bytes().replace(b"step 0", b"step X"))
    with pytest.raises(Refused, match="Checksum mismatch"):
        planned(store, path.name)


def test_what_the_runtime_would_refuse_is_refused_unless_resealed(tmp_path: Path) -> None:
    store = str(tmp_path)
    odd = stores.checkpoint(NAME, 1, cost_estimate=0.11325900000000001)
    session = stores.write_session(store, NAME, checkpoints=[odd, stores.checkpoint(NAME, 2)])
    first = names(session)[0]
    with pytest.raises(Refused, match="--reseal"):
        planned(store, first)
    plan = restore(store, first, reseal=True)
    assert any("re-sealed" in said for said in plan.warnings)
    assert stores.resume_by_mtime(session)["messages"] == odd["messages"]


def test_another_sessions_checkpoint_only_by_name(tmp_path: Path) -> None:
    store = str(tmp_path)
    session = stores.write_session(store, NAME, checkpoints=[stores.checkpoint("other", 1), stores.checkpoint(NAME, 2)])
    with pytest.raises(Refused, match="session other"):
        planned(store, names(session)[0])
    plan = restore(store, names(session)[0], foreign=True)
    assert any("other" in said for said in plan.warnings)
    assert stores.resume_by_latest(session)["session_id"] == "other"


def test_a_missing_meta_is_made_and_said(tmp_path: Path) -> None:
    store = str(tmp_path)
    session = stores.write_session(store, NAME, no_meta=True)
    plan = restore(store, names(session)[0])
    assert any("no session_meta.json" in said for said in plan.warnings)
    path = Path(session, "session_meta.json")
    meta = json.loads(path.read_bytes())
    assert (meta["session_id"], meta["is_active"], meta["last_iteration"]) == (NAME, True, 1)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_damaged_meta_is_refused_with_the_way_out(tmp_path: Path) -> None:
    store = str(tmp_path)
    session = stores.write_session(store, NAME, meta=b'{"session_id": "abcd')
    opened = open_store(store)
    for plan in (
        lambda: planned(store, names(session)[0]),
        lambda: opened.plan_terminate(opened.session(NAME), "crash"),
        lambda: opened.plan_activate(opened.session(NAME)),
    ):
        with pytest.raises(Refused, match=f"lastgood repair {NAME}"):
            plan()


def test_every_other_byte_of_the_meta_stays(tmp_path: Path) -> None:
    store = str(tmp_path)
    raw = (
        b'{ "zeta" : [1,  2.50e1],\n\t"is_active":false,"session_id": "abcd1234",\r\n"termination_reason" : "x",'
        b'"last_iteration":3, "last_updated":"2026-11-20T09:02:04Z" , "more":{"b":1,"a":null}}\n'
    )
    session = stores.write_session(store, NAME, meta=raw)
    path = Path(session, "session_meta.json")
    path.chmod(0o604)
    restore(store, names(session)[0])
    wanted = raw.replace(b'"is_active":false', b'"is_active":true').replace(b' : "x"', b" : null")
    assert path.read_bytes() == wanted
    assert path.stat().st_mode & 0o777 == 0o604


def test_a_session_that_is_a_symlink_is_never_written_through(tmp_path: Path) -> None:
    store = str(tmp_path / "store")
    elsewhere = stores.write_session(str(tmp_path / "elsewhere"), NAME)
    Path(store).mkdir()
    Path(store, NAME).symlink_to(elsewhere)
    opened = open_store(store)
    with pytest.raises(Refused, match="symlink"):
        planned(store, names(elsewhere)[0])
    with pytest.raises(Refused, match="symlink"):
        opened.plan_terminate(opened.session(NAME), "crash")


def test_a_checkpoints_folder_that_is_a_symlink_is_never_written_through(tmp_path: Path) -> None:
    store = str(tmp_path / "store")
    session = Path(stores.write_session(store, NAME))
    (session / "checkpoints").rename(tmp_path / "away")
    (session / "checkpoints").symlink_to(tmp_path / "away")
    with pytest.raises(Refused):
        planned(store, names(str(session))[0])


def test_terminate_needs_a_reason_and_a_meta(tmp_path: Path) -> None:
    store = str(tmp_path)
    stores.write_session(store, NAME)
    stores.write_session(store, "bare", no_meta=True)
    opened = open_store(store)
    with pytest.raises(UsageProblem):
        opened.plan_terminate(opened.session(NAME), "  ")
    with pytest.raises(UsageProblem, match="Unicode"):
        opened.plan_terminate(opened.session(NAME), "a \udcff")
    with pytest.raises(Refused, match="repair bare"):
        opened.plan_terminate(opened.session("bare"), "crash")


def test_a_file_changed_since_it_was_verified_is_not_restored(tmp_path: Path) -> None:
    store = str(tmp_path)
    session = stores.write_session(store, NAME)
    seen = point(store, names(session)[0])
    Path(seen.file.path).write_bytes(stores.seal(stores.checkpoint(NAME, 99)))
    opened = open_store(store)
    with pytest.raises(Refused, match="changed"):
        opened.plan_restore(opened.session(NAME), seen)


def test_the_newest_is_found_as_the_runtime_finds_it(tmp_path: Path) -> None:
    """check_restored fails where another valid checkpoint is newer, or latest.json gives something else."""
    store = str(tmp_path)
    session = stores.write_session(store, NAME)
    plan = restore(store, names(session)[0])
    opened = open_store(store)
    assert plans.check(opened, plan) is None
    late = Path(session, "checkpoints", names(session)[1])
    os.utime(late, ns=(START, START + 500 * 86400 * NS))
    assert "newest" in str(plans.check(opened, plan))
    latest = Path(session, "checkpoints", "latest.json")
    latest.unlink()
    assert "latest.json" in str(plans.check(opened, plan))


def test_a_folder_name_that_no_meta_can_hold_is_refused(tmp_path: Path) -> None:
    store = str(tmp_path)
    odd = os.fsdecode(b"odd\xff")
    session = stores.write_session(store, odd, no_meta=True, checkpoints=[stores.checkpoint("x", 1)])
    opened = open_store(store)
    found = opened.session(odd)
    seen = opened.verify(opened.survey(found).files[0])
    with pytest.raises(Refused, match="UTF-8"):
        opened.plan_restore(found, seen, foreign=True)
    assert not Path(session, "session_meta.json").exists()
