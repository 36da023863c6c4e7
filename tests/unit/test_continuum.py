"""What is read of a store: everything that is there, nothing hidden by what cannot be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import stores
from lastgood import CrashRecovery
from lastgood.core.continuum import ContinuumStore
from lastgood.core.errors import NotFound, UsageProblem
from lastgood.core.lookup import find_point
from lastgood.core.model import FileKind, Integrity, State
from stores import NS, START


def names(store: ContinuumStore, state: State) -> set[str]:
    return {s.name for s in store.sessions() if s.state is state}


def test_every_unclean_session_is_found_whatever_lies_beside_it(tmp_path: Path) -> None:
    root = str(tmp_path)
    stores.write_session(root, "crashed1")
    stores.write_session(root, "crashed2", checkpoints=0)
    stores.write_session(root, "ended", active=False, reason="done")
    stores.write_session(root, "reasoned", active=True, reason="killed")
    stores.write_session(root, "torn", meta=b'{"session_id": "torn", "is_act')
    stores.write_session(root, "bare", no_meta=True)
    (tmp_path / "a file").write_text("not a session")
    (tmp_path / ".git").mkdir()
    fifo = stores.write_session(root, "fifo", no_meta=True)
    os.mkfifo(os.path.join(fifo, "session_meta.json"))
    (Path(stores.write_session(root, "folder", no_meta=True)) / "session_meta.json").mkdir()

    assert {c.session for c in CrashRecovery(root).detect_unclean_shutdown()} == {"crashed1", "crashed2"}
    store = ContinuumStore(root)
    assert names(store, State.TERMINATED) == {"ended", "reasoned"}
    assert names(store, State.UNTRACKED) == {"bare"}
    assert names(store, State.DAMAGED) == {"torn", "fifo", "folder"}
    assert store.session("fifo").meta_problem == "a FIFO, not a regular file"


def test_a_session_is_known_by_its_folder_even_where_its_text_says_otherwise(tmp_path: Path) -> None:
    stores.write_session(str(tmp_path), "real", meta=stores.meta_bytes("../../etc"))
    (crash,) = CrashRecovery(tmp_path).detect_unclean_shutdown()
    assert (crash.session, crash.session_id) == ("real", "../../etc")
    assert CrashRecovery(tmp_path).recover_session("real").chosen is not None
    assert any("names another session" in p for p in ContinuumStore(str(tmp_path)).session("real").problems)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "nothing", "x\0y", ".lastgood", "n" * 300])
def test_a_name_that_is_no_session_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / ".lastgood").mkdir()
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(NotFound):
        ContinuumStore(str(tmp_path)).session(name)


def test_each_file_gets_its_kind_by_the_crates_own_rule(tmp_path: Path) -> None:
    folder = Path(stores.write_session(str(tmp_path), "s", checkpoints=0)) / "checkpoints"
    for name in (
        "cp_a.json",
        "cp_a.json.backup",
        "other.backup",
        ".backup",
        ".tmp_checkpoint_1",
        ".tmp_latest_1",
        "x.json",
    ):
        (folder / name).write_bytes(b"{}")
    (folder / "latest.json").write_bytes(b"{}")
    store = ContinuumStore(str(tmp_path))
    survey = store.survey(store.session("s"))
    assert {f.name: f.kind for f in survey.files} == {
        "cp_a.json": FileKind.CHECKPOINT,
        "cp_a.json.backup": FileKind.BACKUP,
        "other.backup": FileKind.BACKUP,
        ".tmp_checkpoint_1": FileKind.ORPHAN,
        "latest.json": FileKind.LATEST,
    }
    assert survey.leftovers == (".tmp_latest_1",)


def test_what_is_no_regular_file_is_named_and_never_opened(tmp_path: Path) -> None:
    folder = Path(stores.write_session(str(tmp_path / "store"), "s", checkpoints=1)) / "checkpoints"
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    os.mkfifo(folder / "cp_fifo.json")
    (folder / "cp_folder.json").mkdir()
    (folder / "cp_out.json").symlink_to(secret)
    (folder / "cp_loop.json").symlink_to("cp_loop.json")
    (folder / "cp_in.json").symlink_to(os.path.basename(os.path.realpath(folder / "latest.json")))
    store = ContinuumStore(str(tmp_path / "store"))
    survey = store.survey(store.session("s"))
    seen = {f.name: store.verify(f) for f in survey.files}
    assert seen["cp_in.json"].integrity is Integrity.VALID
    for name, word in (("fifo", "FIFO"), ("folder", "folder"), ("out", "leads out"), ("loop", "symlink")):
        point = seen[f"cp_{name}.json"]
        assert point.integrity is Integrity.UNREADABLE
        assert word in (point.reason or "")


def test_a_file_over_the_limit_is_said_and_not_read(tmp_path: Path) -> None:
    stores.write_session(str(tmp_path), "s", checkpoints=1)
    store = ContinuumStore(str(tmp_path), max_bytes=100)
    (point,) = (store.verify(f) for f in store.survey(store.session("s")).files)
    assert point.integrity is Integrity.TOO_LARGE
    assert "limit of 100" in (point.reason or "")


def test_recovery_takes_the_newest_that_verifies_and_says_why_not_the_others(tmp_path: Path) -> None:
    folder = Path(stores.write_session(str(tmp_path), "s", checkpoints=2)) / "checkpoints"
    torn = stores.put(str(folder / "cp_torn.json"), b'{"messages": ["a', at=START + 500 * NS)
    flipped = stores.seal(stores.checkpoint("s", 9)).replace(b'"iteration": 9', b'"iteration": 8')
    stores.put(str(folder / "cp_flipped.json"), flipped, at=START + 600 * NS)
    found = CrashRecovery(tmp_path).recover_session("s")
    assert found.chosen is not None
    assert found.chosen.header.iteration == 2
    assert not found.recovered_from_backup
    assert [(p.path, p.integrity) for p in found.passed_over] == [
        (str(folder / "cp_flipped.json"), Integrity.MISMATCH),
        (torn, Integrity.UNPARSEABLE),
    ]
    assert found.passed_over[0].reason.startswith("Checksum mismatch: expected ")


def test_recovery_falls_back_to_a_backup_and_then_to_nothing(tmp_path: Path) -> None:
    folder = Path(stores.write_session(str(tmp_path), "s", checkpoints=2)) / "checkpoints"
    for file in folder.glob("cp_*.json"):
        file.write_bytes(b"")
    found = CrashRecovery(tmp_path).recover_session("s")
    assert found.recovered_from_backup
    assert found.chosen is not None
    assert found.chosen.file.name == "latest.json.backup"
    (folder / "latest.json.backup").write_bytes(b"[]")
    found = CrashRecovery(tmp_path).recover_session("s")
    assert found.chosen is None
    assert [p.reason for p in found.passed_over][-1] == "Data is not an object"


def test_a_restore_point_is_found_by_each_of_its_names(tmp_path: Path) -> None:
    folder = Path(stores.write_session(str(tmp_path), "abcd", checkpoints=3)) / "checkpoints"
    store = ContinuumStore(str(tmp_path))
    session = store.session("abcd")
    survey = store.survey(session)
    newest = os.path.realpath(folder / "latest.json")
    for name in (os.path.basename(newest), newest, "abcd0003", "latest", "best"):
        assert find_point(store, session, survey, name).file.path == newest, name
    assert find_point(store, session, survey, "backup").header.iteration == 2
    with pytest.raises(NotFound, match="lastgood show abcd"):
        find_point(store, session, survey, "nothing")


def test_one_id_of_two_contents_is_ambiguous_and_of_one_content_is_not(tmp_path: Path) -> None:
    contents = [stores.checkpoint("s", 1, id="same", at=START), stores.checkpoint("s", 1, id="same", at=START)]
    folder = Path(stores.write_session(str(tmp_path), "s", checkpoints=contents))
    store = ContinuumStore(str(tmp_path))
    session = store.session("s")
    assert find_point(store, session, store.survey(session), "same").file.kind is FileKind.CHECKPOINT
    stores.save(str(folder), stores.checkpoint("s", 2, id="same", at=START + 90 * NS), at=START + 90 * NS)
    with pytest.raises(UsageProblem, match="different content"):
        find_point(store, session, store.survey(session), "same")


def test_a_session_folder_that_is_a_symlink_is_shown_as_one(tmp_path: Path) -> None:
    stores.write_session(str(tmp_path / "elsewhere"), "real")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "linked").symlink_to(tmp_path / "elsewhere" / "real")
    (session,) = ContinuumStore(str(tmp_path / "store")).sessions()
    assert session.linked == str(tmp_path / "elsewhere" / "real")
    assert session.unclean
    assert any("symlink" in p for p in session.problems)
