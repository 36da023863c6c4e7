"""Worker processes: the same answers as without, no process left behind, no file that takes the others along."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pytest

import stores
from lastgood.core import workers
from lastgood.core.continuum import ContinuumStore
from lastgood.core.model import Checkpoint, FileKind, Integrity, StoredFile
from lastgood.core.workers import verify_files


@pytest.fixture
def store(tmp_path: Path) -> ContinuumStore:
    for n in range(6):
        stores.write_session(str(tmp_path / "store"), f"session{n}", checkpoints=30)
    return ContinuumStore(str(tmp_path / "store"))


def files_of(store: ContinuumStore) -> list[StoredFile]:
    return [f for s in store.sessions() for f in store.survey(s).files]


def children() -> set[int]:
    own = os.getpid()
    found = set()
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == own:
                found.add(int(entry))
    return found


@pytest.mark.parametrize("processes", [0, 1, 2, None])
def test_any_number_of_processes_gives_the_same_answers(store: ContinuumStore, processes: int | None) -> None:
    files = files_of(store)
    before = children()
    found = list(verify_files(store, iter(files), processes=processes))
    assert sorted(found, key=lambda p: p.file.path) == sorted(map(store.verify, files), key=lambda p: p.file.path)
    assert children() == before


def test_odd_files_get_the_answer_that_the_store_gives(store: ContinuumStore, tmp_path: Path) -> None:
    odd = tmp_path / "store" / "session0" / "checkpoints"
    (odd / "cp_1.json").write_bytes(b'{"_checksum": "\\ud83d\\ude00", "_version": "1.0", "session_id": "\xc3\xa9"}')
    (odd / "cp_2.json").symlink_to("/etc/passwd")
    os.mkfifo(odd / "cp_3.json")
    (odd / os.fsdecode(b"cp_\xff.json")).write_bytes(b"\xff")
    (odd / "cp_5.json").write_bytes(b'{"_checksum":"","_version":"' + b"9" * 300_000 + b'"}')
    (odd / "cp_6.json").write_bytes(b'{"_checksum":"","_version":"1.0","created_at":"+200000-01-01T00:00:00Z"}')
    files = [f for f in files_of(store) if f.name[3:-5] in {"1", "2", "3", "5", "6", "\udcff"}]
    assert len(files) == 6
    found = {p.file.path: p for p in verify_files(store, files, processes=1)}
    assert found == {f.path: store.verify(f) for f in files}


def test_closing_ends_the_workers_at_once(store: ContinuumStore) -> None:
    before = children()
    found = verify_files(store, files_of(store), processes=2)
    assert isinstance(next(found), Checkpoint)
    assert len(children()) > len(before)
    found.close()  # type: ignore[attr-defined]
    assert children() == before


class Deadly(ContinuumStore):
    """A store one file of which kills whoever reads it."""

    def verify(self, file: StoredFile) -> Checkpoint:
        if file.name.endswith("sess000f.json") and file.path.split("/")[-3] == "session3":
            os.kill(os.getpid(), 9)
        return super().verify(file)


def test_a_file_that_kills_its_worker_takes_no_other_along(
    store: ContinuumStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    Deadly.__module__ = "test_workers"
    monkeypatch.setitem(__import__("sys").modules, "test_workers", __import__("sys").modules[__name__])
    before = children()
    found = list(verify_files(Deadly(store.path), files_of(store), processes=2))
    assert Counter(p.integrity for p in found) == {Integrity.VALID: len(files_of(store)) - 1, Integrity.UNREADABLE: 1}
    (dead,) = (p for p in found if not p.valid)
    assert dead.reason == "the process that read it died (signal 9)"
    assert children() == before


@pytest.mark.parametrize("executable", ["/bin/false", "/no/such/python", ""])
def test_where_no_worker_can_be_had_the_own_process_does_it(
    store: ContinuumStore, monkeypatch: pytest.MonkeyPatch, executable: str
) -> None:
    monkeypatch.setattr(workers.sys, "executable", executable)
    found = list(verify_files(store, files_of(store), processes=2))
    assert len(found) == len(files_of(store))
    assert all(p.valid for p in found)


def test_one_large_file_is_not_read_by_the_asker(tmp_path: Path) -> None:
    path = tmp_path / "cp_large.json"
    path.write_bytes(b"[" + b"1.25,\n" * 400_000 + b"1]")
    seen = path.stat()
    file = StoredFile(
        str(path), FileKind.CHECKPOINT, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_dev, seen.st_ino
    )
    started = time.process_time()
    (found,) = verify_files(ContinuumStore(str(tmp_path)), [file], processes=1)
    assert found.integrity is Integrity.NOT_OBJECT
    assert time.process_time() - started < 0.2
