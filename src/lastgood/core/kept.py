"""Pieces of bytes by name in one private file of the user's cache folder: written whole, read piece by piece.

Losing or damaging such a file costs time and nothing else: what is not whole, or not of this version, is not there.
"""

from __future__ import annotations

import json
import os
import stat
from binascii import crc32
from collections.abc import Iterable, Iterator
from contextlib import suppress

from .names import is_unicode

_TRAILER = 8 + 1 + 15
"""Bytes at the end: the checksum of the index before it, and the index's length."""
_MOST_INDEX = 1 << 28
_MOST_FILES = 32


class Kept:
    """A file that :func:`keep` wrote, open until it is forgotten. A piece is read when it is asked for."""

    def __init__(self, path: str, version: str) -> None:
        """Whatever is amiss with the file, it then holds nothing."""
        self._descriptor = _open(path)
        self._index = _index(self._descriptor, version) if self._descriptor >= 0 else {}
        self._all: bytes | None = None

    def read_all(self) -> None:
        """Read every piece now: for who asks for most of them, and has the memory."""
        with suppress(OSError):
            self._all = os.pread(self._descriptor, os.fstat(self._descriptor).st_size, 0)

    def get(self, name: str) -> bytes | None:
        """The piece of this name; None where there is none, or where it is not what was written."""
        try:
            offset, length, checked = self._index[name]
            if self._all is not None:
                piece = self._all[offset : offset + length]
            else:
                piece = os.pread(self._descriptor, length, offset)
        except (KeyError, OSError, OverflowError, TypeError, ValueError):
            return None
        return piece if len(piece) == length and crc32(piece) == checked else None

    def names(self) -> Iterator[str]:
        """The names of all pieces, in the order in which they were written."""
        return iter(self._index)

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
            index: dict[str, list[int]] = {}
            offset = 0
            for name, piece in pieces:
                if offset + len(piece) > most_bytes:
                    break
                if not is_unicode(name):
                    continue
                file.write(piece)
                index[name] = [offset, len(piece), crc32(piece)]
                offset += len(piece)
            told = json.dumps({"version": version, "pieces": index}, separators=(",", ":")).encode()
            file.write(told)
            file.write(b"%08x %015d" % (crc32(told), len(told)))
        os.replace(partial, path)
        _forget_oldest(folder)
    except OSError:
        try:
            os.unlink(partial)
        except OSError:
            return


def _open(path: str) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (OSError, ValueError):
        return -1
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return -1


def _index(descriptor: int, version: str) -> dict[str, list[int]]:
    try:
        size = os.fstat(descriptor).st_size
        checked, _, length = os.pread(descriptor, _TRAILER, max(0, size - _TRAILER)).partition(b" ")
        if not length.isdigit() or int(length) > min(_MOST_INDEX, size):
            return {}
        told = os.pread(descriptor, int(length), size - _TRAILER - int(length))
        if b"%08x" % crc32(told) != checked:
            return {}
        found = json.loads(told)
        return found["pieces"] if found["version"] == version and isinstance(found["pieces"], dict) else {}
    except (OSError, KeyError, RecursionError, TypeError, ValueError):
        return {}


def _forget_oldest(folder: str) -> None:
    """Keep the files written last, of the stores looked at last."""
    with os.scandir(folder) as entries:
        files = [(e.stat().st_mtime_ns, e.path) for e in entries if e.name.endswith(".kept") or e.name[:6] == ".kept-"]
    for _, path in sorted(files, reverse=True)[_MOST_FILES:]:
        os.unlink(path)
