"""The journal: undo and its refusals, audit, torn lines, rights, what a crash left where others wrote since."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

import breaking
import stores
from lastgood.core import lock, records
from lastgood.core import plan as plans
from lastgood.core.errors import Failed, LastgoodError, NotFound, Refused
from lastgood.core.journal import Journal
from lastgood.core.model import Action, Plan
from lastgood.core.store import open_store

NAME = "abcd1234"
META = f"{NAME}/session_meta.json"


@pytest.fixture
def store(tmp_path: Path) -> str:
    path = str(tmp_path / "store")
    stores.write_session(path, NAME)
    return path


def terminated(store: str, reason: str = "crash") -> Plan:
    opened = open_store(store)
    return opened.plan_terminate(opened.session(NAME), reason)


def restored(store: str) -> Plan:
    opened = open_store(store)
    survey = opened.survey(opened.session(NAME))
    return opened.plan_restore(opened.session(NAME), opened.verify(min(survey.files, key=lambda f: f.name)))


def apply(store: str, plan: Plan, reason: str | None = None) -> Action:
    opened = open_store(store)
    return Journal(store).apply(plan, reason=reason, check=lambda done: plans.check(opened, done))


def test_undo_gives_back_every_byte_time_and_mode_several_levels_back(store: str) -> None:
    trees = []
    for plan in (restored, terminated, restored, lambda s: terminated(s, "again")):
        trees.append(stores.snapshot(store))
        apply(store, plan(store))
    while trees:
        # Each time another process, which knows nothing but what is on disk.
        assert breaking.in_child(lambda: apply(store, Journal(store).plan_undo(None))) == 0
        assert stores.snapshot(store) == trees.pop()
    with pytest.raises(NotFound, match="nothing to undo"):
        Journal(store).plan_undo(None)
    assert [a.state for a in Journal(store).actions()] == ["undone"] * 4 + ["done"] * 4


def test_an_undo_can_be_undone(store: str) -> None:
    before = stores.snapshot(store)
    done = apply(store, restored(store))
    after = stores.snapshot(store)
    undo = apply(store, Journal(store).plan_undo(done.id))
    redo = apply(store, Journal(store).plan_undo(undo.id))
    assert stores.snapshot(store) == after
    assert [a.state for a in Journal(store).actions()] == ["done", "undone", "done"]
    apply(store, Journal(store).plan_undo(redo.id))
    assert stores.snapshot(store) == before
    assert [a.state for a in Journal(store).actions()] == ["undone", "done", "undone", "done"]


def test_undo_by_name(store: str) -> None:
    first = apply(store, terminated(store))
    with pytest.raises(NotFound, match="no action nonsense"):
        Journal(store).plan_undo("nonsense")
    assert Journal(store).plan_undo(first.id[-6:]).undoes == first.id
    second = apply(store, terminated(store, "other"))
    with pytest.raises(Refused, match="can mean"):
        Journal(store).plan_undo("20")
    with pytest.raises(Refused, match=f"by action {second.id}: undo that first"):
        Journal(store).plan_undo(first.id)
    apply(store, Journal(store).plan_undo(None))
    with pytest.raises(Refused, match="undone already"):
        Journal(store).plan_undo(second.id)
    assert Journal(store).plan_undo(None).undoes == first.id


def test_undo_is_refused_where_something_was_written_since_and_says_what(store: str) -> None:
    apply(store, restored(store))
    session = os.path.join(store, NAME)
    stores.save(session, stores.checkpoint(NAME, 9), at=stores.START + 10**15)
    now = stores.snapshot(store)
    with pytest.raises(Refused, match=r"latest\.json has changed"):
        Journal(store).plan_undo(None)
    assert stores.snapshot(store) == now


def test_undo_does_not_put_back_the_time_of_a_folder_that_others_used_since(store: str) -> None:
    folder = os.path.join(store, NAME)
    os.utime(folder, ns=(stores.START, stores.START))
    apply(store, terminated(store))
    stores.put(os.path.join(folder, "notes.txt"), b"by hand")
    apply(store, Journal(store).plan_undo(None))
    assert os.stat(folder).st_mtime_ns != stores.START
    assert Path(store, NAME, "notes.txt").read_bytes() == b"by hand"


def test_what_an_undo_removes_is_kept(store: str) -> None:
    done = apply(store, restored(store))
    made = Path(done.facts["restored_path"])
    content = made.read_bytes()
    undo = apply(store, Journal(store).plan_undo(None))
    assert not made.exists()
    kept = Path(store, ".lastgood", "actions", undo.id)
    assert content in [p.read_bytes() for p in kept.iterdir() if p.is_file() and not p.is_symlink()]


def test_a_damaged_copy_is_not_put_back(store: str) -> None:
    done = apply(store, terminated(store))
    Path(store, ".lastgood", "actions", done.id, "0").write_bytes(b"rot")
    now = stores.snapshot(store)
    with pytest.raises(Failed, match="nothing changed"):
        Journal(store).plan_undo(None)
    assert stores.snapshot(store) == now


def test_a_plan_that_no_longer_fits_is_refused(store: str) -> None:
    plan = restored(store)
    stores.save(os.path.join(store, NAME), stores.checkpoint(NAME, 9), at=stores.START + 10**12)
    now = stores.snapshot(store)
    with pytest.raises(Refused, match="has changed since it was looked at"):
        apply(store, plan)
    assert stores.snapshot(store) == now
    assert Journal(store).actions() == []


def test_what_the_plan_read_must_be_as_it_was(store: str) -> None:
    """Neither the chosen file nor what else lies beside it may have changed, though no step writes there."""
    folder = Path(store, NAME, "checkpoints")
    plan = restored(store)
    stores.put(str(folder / "cp_20300101_000000_new.json"), b"{}")
    with pytest.raises(Refused, match="checkpoints has changed"):
        apply(store, plan)
    plan = restored(store)
    chosen = min(folder.glob("cp_*"))
    stores.put(str(chosen), chosen.read_bytes().replace(b"step", b"STEP"))
    with pytest.raises(Refused, match=f"{chosen.name} has changed"):
        apply(store, plan)
    assert not Path(store, ".lastgood", "journal.jsonl").exists()


def test_a_restore_planned_twice_is_done_once(store: str) -> None:
    one, two = restored(store), restored(store)
    apply(store, one)
    with pytest.raises(Refused):
        apply(store, two)


def test_an_undo_planned_twice_is_done_once(store: str) -> None:
    apply(store, terminated(store))
    one, two = Journal(store).plan_undo(None), Journal(store).plan_undo(None)
    apply(store, one)
    with pytest.raises(Refused, match="undone already"):
        apply(store, two)


def test_what_the_check_finds_wrong_takes_all_back(store: str) -> None:
    before = stores.snapshot(store)
    with pytest.raises(Failed, match="it is not so; what was there before is back"):
        Journal(store).apply(restored(store), reason=None, check=lambda plan: "it is not so")
    after = stores.snapshot(store)
    assert after == before
    (action,) = Journal(store).actions()
    assert (action.state, action.note) == ("rolled-back", "it is not so")
    assert not list(Path(store, ".lastgood", "actions").iterdir())


def test_looking_makes_no_journal(store: str) -> None:
    journal = Journal(store)
    before = stores.snapshot(store, journal=True)
    assert (journal.actions(), journal.settle(), journal.writable(), journal.problem()) == ([], [], None, None)
    with pytest.raises(NotFound):
        journal.plan_undo(None)
    assert stores.snapshot(store, journal=True) == before


def test_the_journal_is_private(store: str) -> None:
    apply(store, terminated(store))
    for path in (Path(store, ".lastgood"), *Path(store, ".lastgood").rglob("*")):
        allowed = 0o700 if path.is_dir() else 0o600 if path.parent.name == ".lastgood" else 0o640
        assert path.stat().st_mode & 0o777 == allowed, path


def test_the_audit_says_who_from_where_and_why(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "alice")
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 51000 10.0.0.1 22")
    before = Path(store, META).read_bytes()
    apply(store, terminated(store), reason="paged")
    (action,) = Journal(store).actions()
    assert action.user.endswith("(sudo: alice)")
    assert (action.ssh_from, action.host, action.op) == ("192.0.2.7", os.uname().nodename, "terminate")
    assert (action.sessions, action.reason, action.state) == ((NAME,), "paged", "done")
    digests = action.facts[META]
    import hashlib

    assert hashlib.sha256(before).hexdigest() in digests
    assert hashlib.sha256(Path(store, META).read_bytes()).hexdigest() in digests


def test_the_ssh_client_is_found_behind_sudo(store: str) -> None:
    """sudo drops SSH_CONNECTION; a process above still has it."""
    import subprocess
    import sys

    script = "from lastgood.core.origin import here; print(here().ssh_from)"
    inner = f"env -u SSH_CONNECTION SUDO_USER=alice {sys.executable} -c '{script}'; true"
    environment = {**os.environ, "SSH_CONNECTION": "192.0.2.9 1 2 3"}
    said = subprocess.run(["sh", "-c", inner], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "192.0.2.9"


def journal_file(store: str) -> Path:
    return Path(store, ".lastgood", "journal.jsonl")


@pytest.mark.parametrize("end", [b'{"type": "intent", "id": "2026', b"{", b'{"type": "outcome", "id": "x", "at'])
def test_a_torn_last_line_is_tolerated_and_loses_nothing(end: bytes, store: str) -> None:
    apply(store, terminated(store))
    with journal_file(store).open("ab") as file:
        file.write(end)
    assert [a.state for a in Journal(store).actions()] == ["done"]
    assert Journal(store).problem() is None
    apply(store, terminated(store, "second"))
    assert [a.reason for a in Journal(store).actions()] == ["crash", "second"]
    apply(store, Journal(store).plan_undo(None))
    apply(store, Journal(store).plan_undo(None))
    assert open_store(store).session(NAME).unclean


def test_a_done_line_that_was_torn_is_written_again(store: str) -> None:
    apply(store, terminated(store))
    after = stores.snapshot(store)
    raw = journal_file(store).read_bytes()
    journal_file(store).write_bytes(raw[:-20])
    assert [a.state for a in Journal(store).actions()] == ["open"]
    (said,) = Journal(store).settle()
    assert "finished" in said and NAME in said
    assert [a.state for a in Journal(store).actions()] == ["done"]
    assert stores.snapshot(store) == after
    assert Journal(store).settle() == []


def test_lines_that_are_no_records_are_skipped_and_said(store: str) -> None:
    apply(store, terminated(store))
    raw = journal_file(store).read_bytes()
    journal_file(store).write_bytes(b"hello\n" + raw + b'{"type": "intent"}\n\xff\xfe\n[1]\n')
    assert [a.op for a in Journal(store).actions()] == ["terminate"]
    assert "4 of its lines cannot be read: 1, 4, 5, 6" in str(Journal(store).problem())


def test_a_journal_that_names_paths_outside_is_not_believed(store: str, tmp_path: Path) -> None:
    victim = tmp_path / "victim.json"
    victim.write_text("mine")
    apply(store, terminated(store))
    raw = journal_file(store).read_bytes().replace(META.encode(), b"../victim.json")
    journal_file(store).write_bytes(raw)
    assert Journal(store).actions() == []
    assert Journal(store).problem() is not None
    assert Journal(store).settle() == []
    assert victim.read_text() == "mine"


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_bytes_break_the_reader(data: st.DataObject) -> None:
    """Mutations of true records, and junk: read without an exception, and never as another action's paths."""
    good = _true_lines()
    raw = bytearray(b"".join(data.draw(st.lists(st.sampled_from(good), max_size=4))))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(raw)))
        match data.draw(st.sampled_from(["cut", "put", "swap"])):
            case "cut":
                del raw[at : at + data.draw(st.integers(0, 60))]
            case "put":
                raw[at:at] = data.draw(
                    st.binary(max_size=20) | st.sampled_from([b"null", b"[" * 5000, b'"', b"9" * 30])
                )
            case "swap":
                raw[at : at + 1] = data.draw(st.binary(min_size=1, max_size=1))
    ledger = records.decode(bytes(raw))
    ledger.actions()
    for entry in ledger.entries:
        assert all(not c.path.startswith(("/", "..")) for c in entry.intent.changes)


_lines: list[bytes] = []


def _true_lines() -> list[bytes]:
    if not _lines:
        folder = tempfile.mkdtemp()
        stores.write_session(folder, NAME)
        apply(folder, restored(folder))
        _lines.extend(journal_file(folder).read_bytes().splitlines(keepends=True))
        shutil.rmtree(folder)
    return _lines


def test_records_come_back_as_they_were_written(store: str) -> None:
    apply(store, terminated(store, "odd \u2028 reason"))
    for line in journal_file(store).read_bytes().splitlines(keepends=True):
        assert records.encode_line(records.decode_line(line)) == line


def cut_off(store: str, plan: Plan, at: str) -> None:
    """Kill the action before its last call of this name."""
    copy = store + ".count"
    shutil.copytree(store, copy, symlinks=True)
    again = restored(copy) if plan.kind == "restore" else terminated(copy)
    calls = breaking.calls_of(lambda: apply(copy, again))
    shutil.rmtree(copy)
    number = len(calls) - 1 - calls[::-1].index(at)
    assert breaking.in_child(lambda: apply(store, plan), breaking.kill_before(number)) == -signal.SIGKILL


def test_where_somebody_wrote_since_the_crash_theirs_stays_and_is_named(tmp_path: Path) -> None:
    store = str(tmp_path / "store")
    session = stores.write_session(store, NAME, active=False, reason="shutdown")
    before = stores.snapshot(store)
    cut_off(store, restored(store), "exchange")  # the checkpoint and latest.json are in place, the metadata is not
    theirs = stores.seal(stores.checkpoint(NAME, 55))
    latest = Path(session, "checkpoints", "latest.json")
    latest.unlink()
    latest.write_bytes(theirs)
    (said,) = Journal(store).settle()
    assert str(latest) in said and "rolled back" in said
    assert latest.read_bytes() == theirs
    assert Path(session, "session_meta.json").read_bytes() == before[META].content
    assert len(list(Path(session, "checkpoints").glob("cp_*"))) == 3
    kept = next(p for p in said.split() if "/.lastgood/actions/" in p).rstrip(";,")
    assert os.readlink(kept) == before[f"{NAME}/checkpoints/latest.json"].content
    assert Journal(store).settle() == []
    assert Path(kept).is_symlink()


def test_a_session_removed_since_the_crash_is_named(store: str) -> None:
    cut_off(store, terminated(store), "exchange")
    shutil.rmtree(os.path.join(store, NAME))
    (said,) = Journal(store).settle()
    assert NAME in said and "gone" in said
    assert Journal(store).settle() == []


def test_the_next_action_settles_first_and_says_so(store: str) -> None:
    cut_off(store, terminated(store), "exchange")
    action = apply(store, restored(store))
    assert "rolled back" in str(action.note)
    assert [a.state for a in Journal(store).actions()] == ["rolled-back", "done"]


NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")


@pytest.fixture
def others_store() -> Iterator[str]:
    """A store of another user, in a place that everybody may reach."""
    base = tempfile.mkdtemp()
    os.chmod(base, 0o755)
    path = os.path.join(base, "store")
    stores.write_session(path, NAME, active=False, reason="shutdown")
    for folder, folders, names in os.walk(path):
        for name in (*folders, *names, "."):
            os.chown(os.path.join(folder, name), NOBODY, 12345, follow_symlinks=False)
    yield path
    shutil.rmtree(base)


@as_root
def test_root_leaves_everything_its_owner(others_store: str) -> None:
    before = stores.snapshot(others_store)
    apply(others_store, restored(others_store))
    for path, entry in stores.snapshot(others_store, journal=True).items():
        assert (entry.uid, entry.gid) == (NOBODY, 12345), path
    apply(others_store, Journal(others_store).plan_undo(None))
    assert stores.snapshot(others_store) == before

    def as_owner() -> None:
        os.setgid(12345)
        os.setuid(NOBODY)
        assert Journal(others_store).writable() is None
        apply(others_store, restored(others_store))  # the journal that root made is theirs to go on with

    assert breaking.in_child(as_owner) == 0


@as_root
def test_a_store_that_cannot_be_written_is_read_and_says_why(others_store: str) -> None:
    def as_stranger() -> None:
        os.setgid(54321)
        os.setuid(54321)
        journal = Journal(others_store)
        assert "no permission" in str(journal.writable())
        assert journal.actions() == [] and journal.settle() == []
        before = stores.snapshot(others_store)
        try:
            apply(others_store, restored(others_store))
        except Refused as refused:
            assert "no permission" in str(refused)
        else:
            raise AssertionError("not refused")
        assert stores.snapshot(others_store, journal=True) == before

    os.chmod(os.path.join(others_store, NAME, "session_meta.json"), 0o644)
    assert breaking.in_child(as_stranger) == 0


@as_root
def test_a_file_is_not_taken_from_its_owner(others_store: str) -> None:
    """In a folder that all may write, replacing another's file would make it ours: refused."""
    for folder in (others_store, os.path.join(others_store, NAME), os.path.join(others_store, NAME, "checkpoints")):
        os.chmod(folder, 0o777)
    os.chmod(os.path.join(others_store, NAME, "session_meta.json"), 0o666)

    def as_stranger() -> None:
        os.setgid(54321)
        os.setuid(54321)
        try:
            apply(others_store, terminated(others_store, "other reason"))
        except Refused as refused:
            assert f"uid {NOBODY}" in str(refused)
        else:
            raise AssertionError("not refused")

    before = stores.snapshot(others_store)
    assert breaking.in_child(as_stranger) == 0
    assert stores.snapshot(others_store) == before


def test_extended_attributes_stay_and_come_back(store: str) -> None:
    path = os.path.join(store, META)
    try:
        os.setxattr(path, "user.note", b"\x00kept")
    except OSError:
        pytest.skip("no extended attributes here")
    apply(store, terminated(store))
    assert os.getxattr(path, "user.note") == b"\x00kept"
    os.removexattr(path, "user.note")
    with pytest.raises(Refused, match="has changed"):
        Journal(store).plan_undo(None)
    os.setxattr(path, "user.note", b"\x00kept")
    apply(store, Journal(store).plan_undo(None))
    assert os.getxattr(path, "user.note") == b"\x00kept"


def test_a_journal_folder_that_is_a_symlink_is_not_used(store: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    Path(store, ".lastgood").symlink_to(tmp_path / "elsewhere")
    assert "symlink" in str(Journal(store).writable())
    with pytest.raises(Refused):
        apply(store, terminated(store))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_signal_waits_for_the_end_of_the_block() -> None:
    came: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    try:
        with lock.signals_deferred():
            os.kill(os.getpid(), signal.SIGTERM)
            assert came == []
        assert came == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_without_hard_links_and_exchange_it_is_all_the_same(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on FAT, or on a system that is not Linux: copies are kept instead, and plain renames replace."""
    from lastgood.core import durable

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(durable, "exchange", lambda *_: False)
    before = stores.snapshot(store)
    done = apply(store, restored(store))
    apply(store, terminated(store))
    kept = Path(store, ".lastgood", "actions", done.id)
    assert all(p.lstat().st_nlink == 1 for p in kept.iterdir())
    apply(store, Journal(store).plan_undo(None))
    with pytest.raises(LastgoodError):
        Journal(store).apply(terminated(store), reason=None, check=lambda plan: "no")
    apply(store, Journal(store).plan_undo(None))
    assert stores.snapshot(store) == before


def test_a_long_journal_is_read_on_from_where_it_was(store: str) -> None:
    for i in range(30):
        apply(store, terminated(store, f"reason {i}"))
    assert [a.reason for a in Journal(store).actions()] == [f"reason {i}" for i in range(30)]
    lines = journal_file(store).read_bytes().splitlines(keepends=True)
    journal_file(store).write_bytes(b"".join(lines[:10]))  # somebody else's journal by the same name
    assert len(Journal(store).actions()) == 5
    assert json.loads(lines[0])["type"] == "intent"
