"""Pieces of bytes by name in one private file of the user's cache folder: written whole, read piece by piece.

Losing or damaging such a file costs time and nothing else: what is not whole, or not of this version, is not there.
"""

from __future__ import annotations

import os
import stat
from array import array
from binascii import crc32
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import accumulate

_TRAILER = 8 + 1 + 15
"""Bytes at the end: the checksum of the index before it, and the index's length."""
_MOST_INDEX = 1 << 28
_NAME = 2
"""Bytes that say how long a name is."""
_MOST_FILES = 32


class Kept:
    """A file that :func:`keep` wrote, open until it is forgotten. A piece is read when it is asked for.

    In memory is no name: of each piece a hash of its name, where it is, and what its checksum is, 24 bytes in all.
    """

    def __init__(self, path: str, version: str) -> None:
        """Whatever is amiss with the file, it then holds nothing."""
        self._descriptor = _open(path)
        self._all: bytes | None = None
        index = _index(self._descriptor, version) if self._descriptor >= 0 else b""
        count = len(index) // 16
        self._hashes, self._numbers, self._lengths, self._checks = (array("I") for _ in range(4))
        for number, column in enumerate((self._hashes, self._numbers, self._lengths, self._checks)):
            column.frombytes(index[4 * count * number : 4 * count * (number + 1)])
        self._offsets = array("Q", accumulate(self._lengths, initial=0))

    def __len__(self) -> int:
        return len(self._hashes)

    def read_all(self) -> None:
        """Read every piece now: for who asks for most of them, and has the memory."""
        with suppress(OSError):
            self._all = os.pread(self._descriptor, os.fstat(self._descriptor).st_size, 0)

    def get(self, name: str) -> bytes | None:
        """The piece of this name; None where there is none, or where it is not what was written."""
        named = _named(name)
        if named is None:
            return None
        hashed = crc32(named)
        for at in range(bisect_left(self._hashes, hashed), len(self._hashes)):
            if self._hashes[at] != hashed:
                return None
            record = self._record(self._numbers[at])
            if record.startswith(named):
                return record[len(named) :]
        return None

    def names(self) -> Iterator[str]:
        """The names of all pieces, in the order in which they were written."""
        for number in range(len(self)):
            record = self._record(number)
            length = int.from_bytes(record[:_NAME], "little")
            if record:
                yield record[_NAME : _NAME + length].decode(errors="replace")

    def _record(self, number: int) -> bytes:
        """A piece with its name before it; nothing where it is not what was written."""
        try:
            offset, length = self._offsets[number], self._lengths[number]
            if self._all is not None:
                record = self._all[offset : offset + length]
            else:
                record = os.pread(self._descriptor, length, offset)
            return record if len(record) == length and crc32(record) == self._checks[number] else b""
        except (IndexError, OSError, OverflowError):
            return b""

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)


def keep(path: str, version: str, pieces: Iterable[tuple[str, bytes]], *, most_bytes: int) -> None:
    """Replace the file by one of these pieces, the first ones up to so many bytes; readable by its owner alone.

    A name that is no Unicode text is left out.

    The folder is made where need be, and holds the files written last. No fsync: losing a file costs time, not truth.
    Failing is no fault.
    """
    import tempfile

    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        descriptor, partial = tempfile.mkstemp(dir=folder, prefix=".kept-")
    except OSError:
        return
    try:
        with os.fdopen(descriptor, "wb", 1 << 20) as file:
            hashes, lengths, checks = array("I"), array("I"), array("I")
            offset = 0
            for name, piece in pieces:
                named = _named(name)
                if named is None:
                    continue
                record = named + piece
                offset += len(record)
                if offset > most_bytes:
                    break
                file.write(record)
                hashes.append(crc32(named))
                lengths.append(len(record))
                checks.append(crc32(record))
            numbers = array("I", sorted(range(len(hashes)), key=hashes.__getitem__))
            in_order = array("I", map(hashes.__getitem__, numbers))
            columns = b"".join(column.tobytes() for column in (in_order, numbers, lengths, checks))
            told = version.encode() + b"\n" + columns
            file.write(told)
            file.write(b"%08x %015d" % (crc32(told), len(told)))
        os.replace(partial, path)
        _forget_oldest(folder)
    except OSError:
        try:
            os.unlink(partial)
        except OSError:
            return


def _named(name: str) -> bytes | None:
    """What a piece begins with; None for what is no Unicode text, or too long."""
    try:
        told = name.encode()
    except UnicodeEncodeError:
        return None
    return len(told).to_bytes(_NAME, "little") + told if len(told) < 1 << 8 * _NAME else None


def _open(path: str) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (OSError, ValueError):
        return -1
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return -1


def _index(descriptor: int, version: str) -> bytes:
    """The columns of the index; nothing where the file is not whole, or of another version."""
    try:
        size = os.fstat(descriptor).st_size
        checked, _, length = os.pread(descriptor, _TRAILER, max(0, size - _TRAILER)).partition(b" ")
        if not length.isdigit() or int(length) > min(_MOST_INDEX, size):
            return b""
        told = os.pread(descriptor, int(length), size - _TRAILER - int(length))
    except (OSError, ValueError):
        return b""
    begin = version.encode() + b"\n"
    whole = b"%08x" % crc32(told) == checked and told.startswith(begin) and (len(told) - len(begin)) % 16 == 0
    return told[len(begin) :] if whole else b""


def _forget_oldest(folder: str) -> None:
    """Keep the files written last, of the stores looked at last."""
    with os.scandir(folder) as entries:
        files = [(e.stat().st_mtime_ns, e.path) for e in entries if e.name.endswith(".kept") or e.name[:6] == ".kept-"]
    for _, path in sorted(files, reverse=True)[_MOST_FILES:]:
        os.unlink(path)
