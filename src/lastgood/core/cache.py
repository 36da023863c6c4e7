"""What was found in files that have not changed since: remembered per store in the user's cache folder.

A result counts only for the same path, device, inode, size and times to the nanosecond, and the same version of the
verifier. Nothing that changed less than two seconds before it was read is kept, for its times could not show a further
change. The folder may be deleted at any time; a damaged file in it is as good as none. A restore never looks here.
"""

from __future__ import annotations

import os
from array import array
from binascii import crc32
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .. import __version__
from .kept import Kept, keep
from .model import Checkpoint, Header, Integrity, StoredFile
from .names import is_unicode
from .times import now_ns

if TYPE_CHECKING:
    from .ended import Ended
    from .store import Store

_RULES = 2
"""Raised when the same bytes get another answer."""

SETTLED_NS = 2_000_000_000
_MOST_BYTES = 100 << 20
"""Of results per store: some 250,000 of them."""
_LONGEST_TEXT = 2_000
_NOT_OF_CONTENT = frozenset((Integrity.UNREADABLE, Integrity.TOO_LARGE))
_INTEGRITIES: Mapping[object, Integrity] = {integrity.value: integrity for integrity in Integrity}
_I64 = range(-(2**63), 2**63)
_HELD = 400
"""Results held in memory before they are written to a file of their own, until :meth:`Remembered.save`."""

_Results = dict[str, list[Any]]
"""Of one folder, by the file's name."""


class Cache:
    """The folder. Makes nothing until there is something to keep."""

    def __init__(self, folder: str, *, clock: Callable[[], int] = now_ns) -> None:
        self.folder = folder
        self._clock = clock

    def open(self, store_path: str) -> Remembered:
        """What is remembered of one store's files."""
        return Remembered(self._file("verified", store_path), store_path, self._clock)

    def ended(self, store: Store) -> Ended:
        """What is remembered of one store's sessions that have ended."""
        from .ended import Ended

        return Ended(self._file("ended", store.path), store.path, store.watched)

    def _file(self, what: str, store_path: str) -> str:
        # Two stores of one name take turns: the store's path is part of the version.
        return os.path.join(self.folder, f"{what}-{crc32(os.fsencode(store_path)):08x}.kept")


def version(store_path: str) -> str:
    """What must be the same for anything remembered to count."""
    return f"{__version__}/{_RULES} {os.fsencode(store_path)!r}"


class Remembered:
    """Results of one store: looked up by file, added to, and kept by :meth:`save`.

    Files are best asked for folder by folder: the results of one folder are in memory at a time.
    """

    def __init__(self, path: str, store_path: str, clock: Callable[[], int]) -> None:
        self._path = path
        self._version = version(store_path)
        self._clock = clock
        self._kept = Kept(path, self._version)
        self._folder: str | None = None
        self._known: _Results = {}
        """Of this folder."""
        self._added: dict[str, _Results] = {}
        self._held = 0
        self._spilled: dict[str, array[int]] = {}
        """By folder, offset and length of each time that results of it were written."""
        self._spill_to = -1

    def verify(self, file: StoredFile, verify: Callable[[StoredFile], Checkpoint]) -> Checkpoint:
        """What is remembered of the file, else what `verify` finds in it, to be remembered."""
        known = self.get(file)
        if known is not None:
            return known
        read_at = self._clock()
        point = verify(file)
        self.put(point, read_at)
        return point

    def get(self, file: StoredFile) -> Checkpoint | None:
        """What was found in this very file, or None."""
        folder, _, name = file.path.rpartition("/")
        if folder != self._folder:
            self._folder, self._known = folder, _results(self._kept.get(folder))
        result = self._known.get(name)
        if result is None or file.problem is not None:
            return None
        return _point(file, result)

    def started(self) -> int:
        """The time to give to :meth:`put`: taken before the file is read."""
        return self._clock()

    def put(self, point: Checkpoint, read_at: int) -> None:
        """Remember what was found in a file that was read at this time or later."""
        file = point.file
        if read_at - max(file.mtime_ns, file.ctime_ns) < SETTLED_NS or point.integrity in _NOT_OF_CONTENT:
            return
        result = _result(point)
        if result is None:
            return
        folder, _, name = file.path.rpartition("/")
        self._added.setdefault(folder, {})[name] = result
        self._held += 1
        if self._held >= _HELD:
            self._spill()

    def drain(self) -> dict[str, bytes]:
        """What was put here and is not saved, for :meth:`take` in another process; here it is forgotten."""
        folders = dict.fromkeys((*self._spilled, *self._added))
        added = {folder: _told(self._added_in(folder)) for folder in folders}
        self._forget()
        return added

    def take(self, added: Mapping[str, bytes]) -> None:
        """Add what another process was told by :meth:`drain`."""
        for folder, told in added.items():
            self._spill_one(folder, told)

    def save(self) -> None:
        """Keep what was added, and as much of the rest as there is room for. Failing is no fault."""
        touched = dict.fromkeys((*self._spilled, *self._added))
        if touched:
            keep(self._path, self._version, self._pieces(touched), most_bytes=_MOST_BYTES)
        self._forget()

    def _forget(self) -> None:
        self._added, self._spilled, self._held = {}, {}, 0
        if self._spill_to >= 0:
            os.ftruncate(self._spill_to, 0)

    def _pieces(self, touched: Mapping[str, None]) -> Iterator[tuple[str, bytes]]:
        for folder in touched:
            known, spilled = self._kept.get(folder), self._spilled.get(folder, array("Q"))
            if known is None and len(spilled) == 2 and folder not in self._added:
                offset, length = spilled
                yield folder, os.pread(self._spill_to, length, offset)
            else:
                yield folder, _told(_results(known) | self._added_in(folder))
        for folder in self._kept.names():
            if folder not in touched and (piece := self._kept.get(folder)) is not None:
                yield folder, piece

    def _added_in(self, folder: str) -> _Results:
        added: _Results = {}
        spilled = self._spilled.get(folder, array("Q"))
        for offset, length in zip(spilled[::2], spilled[1::2], strict=True):
            added |= _results(os.pread(self._spill_to, length, offset))
        return added | self._added.get(folder, {})

    def _spill(self) -> None:
        for folder, results in self._added.items():
            self._spill_one(folder, _told(results))
        self._added, self._held = {}, 0

    def _spill_one(self, folder: str, told: bytes) -> None:
        import tempfile

        try:
            if self._spill_to < 0:
                descriptor, path = tempfile.mkstemp(prefix="lastgood-")
                os.unlink(path)
                self._spill_to = descriptor
            offset = os.lseek(self._spill_to, 0, os.SEEK_END)
            if os.write(self._spill_to, told) == len(told):
                self._spilled.setdefault(folder, array("Q")).extend((offset, len(told)))
        except OSError:
            return  # no room for it: it is verified again

    def __del__(self) -> None:
        if self._spill_to >= 0:
            os.close(self._spill_to)


def _told(results: _Results) -> bytes:
    import orjson

    return orjson.dumps(results)


def _results(told: bytes | None) -> _Results:
    if told is None:
        return {}
    import orjson

    try:
        found = orjson.loads(told)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _result(point: Checkpoint) -> list[Any] | None:
    """A result as it is kept; None for what JSON or a sensible size cannot hold."""
    file, header = point.file, point.header
    fields: list[Any] = [
        file.device,
        file.inode,
        file.size,
        file.mtime_ns,
        file.ctime_ns,
        point.integrity.value,
        point.reason,
        point.runtime_accepts,
        point.runtime_reason,
        point.expected,
        None if point.actual == point.expected else point.actual,
        *header,
        point.content_sha256,
    ]
    for value in (file.path, *fields):
        if isinstance(value, str) and (len(value) > _LONGEST_TEXT or not is_unicode(value)):
            return None
        if isinstance(value, int) and value not in _I64:
            return None
    return fields


def _point(file: StoredFile, result: list[Any]) -> Checkpoint | None:
    """The other way round; None where it is another file by now, or something else than what was kept."""
    try:
        device, inode, size, mtime, ctime, integrity, reason, accepts, runtime_reason, expected, actual, *rest = result
        if (
            mtime != file.mtime_ns
            or ctime != file.ctime_ns
            or inode != file.inode
            or size != file.size
            or device != file.device
        ):
            return None
        return Checkpoint(
            file,
            _INTEGRITIES[integrity],
            reason,
            accepts is True,
            runtime_reason,
            expected,
            expected if actual is None else actual,
            Header(*rest[:-1]),
            rest[-1],
        )
    except (IndexError, KeyError, TypeError, ValueError):
        return None
