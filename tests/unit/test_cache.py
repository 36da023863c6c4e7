"""Remembered results: used only for the very same file, harmless when damaged, private, bounded."""

from __future__ import annotations

import os
import stat
from binascii import crc32
from collections.abc import Callable
from pathlib import Path

import pytest

import stores
from lastgood.core import cache as caching
from lastgood.core import kept as keeping
from lastgood.core.cache import Cache
from lastgood.core.continuum import ContinuumStore
from lastgood.core.model import Checkpoint, Integrity
from lastgood.core.workers import verify_files

HOUR = 3_600 * stores.NS


@pytest.fixture
def store(tmp_path: Path) -> ContinuumStore:
    folder = tmp_path / "store"
    stores.write_session(str(folder), "52e6b438", checkpoints=4)
    damaged = next((folder / "52e6b438" / "checkpoints").glob("cp_*_52e60002.json"))
    damaged.write_bytes(damaged.read_bytes().replace(b"step 1", b"step 2"))
    return ContinuumStore(str(folder))


@pytest.fixture
def later() -> Callable[[], int]:
    """A clock an hour ahead: everything on disk has settled."""
    return lambda: caching.now_ns() + HOUR


def verified(store: ContinuumStore, cache: Cache | None) -> dict[str, Checkpoint]:
    files = [f for s in store.sessions() for f in store.survey(s).files]
    return {p.file.name: p for p in verify_files(store, files, cache=cache)}


def forge_results(store: ContinuumStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on any file that is read comes out unreadable: what is not, was remembered."""

    def unreadable(self: ContinuumStore, file: object) -> Checkpoint:
        return Checkpoint(file, Integrity.UNREADABLE, "read afresh", False, "read afresh")  # type: ignore[arg-type]

    monkeypatch.setattr(ContinuumStore, "verify", unreadable)


def test_what_has_not_changed_is_not_read_again(
    store: ContinuumStore, tmp_path: Path, later: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(str(tmp_path / "cache"), clock=later)
    plain = verified(store, None)
    assert verified(store, cache) == plain
    assert {p.integrity for p in plain.values()} == {Integrity.VALID, Integrity.MISMATCH}
    forge_results(store, monkeypatch)
    assert verified(store, cache) == plain
    assert {p.reason for p in verified(store, None).values()} == {"read afresh"}


def test_a_changed_file_is_read_again(store: ContinuumStore, tmp_path: Path, later: Callable[[], int]) -> None:
    cache = Cache(str(tmp_path / "cache"), clock=later)
    before = verified(store, cache)
    name = next(n for n, p in before.items() if p.valid and n.startswith("cp_"))
    path = before[name].file.path
    times = os.stat(path)
    raw = Path(path).read_bytes()
    Path(path).write_bytes(raw.replace(b"step 0", b"stop 0"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # size and mtime as before: ctime tells
    after = verified(store, cache)
    assert after[name].integrity is Integrity.MISMATCH
    assert {n for n in after if after[n].integrity != before[n].integrity} == {name}


def test_what_changed_less_than_two_seconds_ago_is_not_remembered(
    store: ContinuumStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(str(tmp_path / "cache"))
    verified(store, cache)
    forge_results(store, monkeypatch)
    assert {p.reason for p in verified(store, cache).values()} == {"read afresh"}


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw.replace(b'"valid"', b'"v\xff"'),
        lambda raw: raw.replace(b"mismatch", b"valid\0\0\0"),
        lambda raw: b"\0" * len(raw),
        lambda raw: b"[]",
        lambda raw: b"%08x %015d" % (crc32(b""), 0),
        lambda raw: b"[]" + b"%08x %015d" % (crc32(b"[]"), 2),
        lambda raw: raw[:-15] + b"9" * 15,
    ],
)
def test_a_damaged_cache_is_as_good_as_none(
    store: ContinuumStore, tmp_path: Path, later: Callable[[], int], damage: Callable[[bytes], bytes]
) -> None:
    cache = Cache(str(tmp_path / "cache"), clock=later)
    plain = verified(store, cache)
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_bytes(damage(kept.read_bytes()))
    assert verified(store, cache) == plain


def test_another_version_of_the_verifier_starts_afresh(
    store: ContinuumStore, tmp_path: Path, later: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(str(tmp_path / "cache"), clock=later)
    verified(store, cache)
    monkeypatch.setattr(caching, "_RULES", 0)
    forge_results(store, monkeypatch)
    assert {p.reason for p in verified(store, cache).values()} == {"read afresh"}


def test_the_cache_is_private_and_a_folder_that_cannot_be_written_is_no_fault(
    store: ContinuumStore, tmp_path: Path, later: Callable[[], int]
) -> None:
    verified(store, Cache(str(tmp_path / "a" / "cache"), clock=later))
    (kept,) = (tmp_path / "a" / "cache").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    (tmp_path / "file").write_text("in the way")
    assert verified(store, Cache(str(tmp_path / "file"), clock=later)) == verified(store, None)


def test_two_stores_that_share_a_file_take_turns(
    store: ContinuumStore, tmp_path: Path, later: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = ContinuumStore(str(tmp_path / "other"))
    stores.write_session(other.path, "52e6b438", checkpoints=2)
    monkeypatch.setattr(caching, "crc32", lambda _: 0)
    cache = Cache(str(tmp_path / "cache"), clock=later)
    verified(store, cache)
    assert verified(other, cache) == verified(other, None)
    assert len(list((tmp_path / "cache").iterdir())) == 1
    forge_results(store, monkeypatch)
    assert {p.reason for p in verified(store, cache).values()} == {"read afresh"}


def test_the_files_written_longest_ago_are_forgotten(
    tmp_path: Path, later: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "_MOST_FILES", 3)
    cache = Cache(str(tmp_path / "cache"), clock=later)
    for n in range(5):
        folder = tmp_path / f"store{n}"
        stores.write_session(str(folder), "52e6b438", checkpoints=1)
        verified(ContinuumStore(str(folder)), cache)
    assert len(list((tmp_path / "cache").iterdir())) == 3


def test_results_are_bounded_and_those_of_this_run_are_kept(
    store: ContinuumStore, tmp_path: Path, later: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(str(tmp_path / "cache"), clock=later)
    verified(store, cache)
    (kept,) = (tmp_path / "cache").iterdir()
    monkeypatch.setattr(caching, "_MOST_BYTES", kept.stat().st_size)
    stores.write_session(store.path, "8d116ece", checkpoints=4)
    verified(store, cache)
    assert kept.stat().st_size < 2 * caching._MOST_BYTES
    forge_results(store, monkeypatch)
    known = {p.file.path.split("/")[-3] for p in verified(store, cache).values() if p.reason != "read afresh"}
    assert known == {"8d116ece"}


def test_results_added_bit_by_bit_and_by_other_processes_are_all_kept(
    store: ContinuumStore, tmp_path: Path, later: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching, "_HELD", 1)
    cache = Cache(str(tmp_path / "cache"), clock=later)
    points = list(verified(store, None).values())
    half = len(points) // 2
    here, elsewhere = cache.open(store.path), cache.open(store.path)
    for remembered, some in ((here, points[:half]), (elsewhere, points[half:])):
        for point in some:
            remembered.put(point, remembered.started())
    here.take(elsewhere.drain())
    here.save()
    elsewhere.save()  # it has nothing any more
    forge_results(store, monkeypatch)
    assert list(verified(store, cache).values()) == points


def test_two_names_of_one_hash_are_two_pieces(tmp_path: Path) -> None:
    path = str(tmp_path / "some.kept")
    keeping.keep(path, "1", [("plumless", b"one"), ("buckeroo", b"two"), ("", b"three")], most_bytes=1000)
    kept = keeping.Kept(path, "1")
    assert [kept.get(name) for name in ("plumless", "buckeroo", "", "plum")] == [b"one", b"two", b"three", None]
    assert list(kept.names()) == ["plumless", "buckeroo", ""] and len(kept) == 3
