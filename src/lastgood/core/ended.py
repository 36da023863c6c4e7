"""What was said of sessions that have ended: remembered, for nothing is said of them anew while nothing changes.

A session is the one that was looked at while its entry of the store, and whatever in it its layout's program changes
(:attr:`Store.watched`), have the same inode, size and time of change to the nanosecond. Of a file below that which
somebody rewrites in place, as no runtime does, the old size is told until something else changes. No verdict on a
file comes from here.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from os import lstat

from .cache import SETTLED_NS, version
from .kept import Kept, keep
from .model import Session, StoredFile

_MOST_BYTES = 200 << 20
_WORTH_SAVING = 20
"""Saved once what is new is this part of what is known: a look at some sessions costs less than writing the file."""


_MOST_WATCHED = 8


class Ended:
    """The sessions of one store that had ended when they were looked at, by the name of their entry."""

    def __init__(self, path: str, store_path: str, watched: Iterable[str]) -> None:
        self._path = path
        self._version = version(store_path)
        self._watched = tuple(dict.fromkeys(("", *watched)))[:_MOST_WATCHED]
        self._layouts: list[tuple[list[str], struct.Struct]] = []
        """By what of that is there, a bit for each: what is looked at, and what a piece begins with."""
        for present in range(1 << len(self._watched)):
            there = [name for number, name in enumerate(self._watched) if present >> number & 1]
            # Last activity, bytes of the row, then size, inode and time of change of each, from the last to the first.
            head = struct.Struct(f"<{2 + 3 * len(there)}q")
            self._layouts.append(([f"/{name}" if name else "" for name in there], head))
        self._kept = Kept(path, self._version)
        self._kept.read_all()
        self._added: dict[str, bytes] = {}

    def get(self, entry: os.DirEntry[str]) -> tuple[int, bytes, bytes] | None:
        """What :meth:`put` was given of the entry's session; None where it may be another by now."""
        piece = self._kept.get(entry.name)
        if piece is None:
            return None
        path = entry.path
        try:
            suffixes, head = self._layouts[piece[0]]
            last_activity, length, *marks = head.unpack_from(piece, 1)
            for suffix in suffixes:
                seen = lstat(path + suffix)
                if marks.pop() != seen.st_ctime_ns or marks.pop() != seen.st_ino or marks.pop() != seen.st_size:
                    return None
        except (IndexError, OSError, struct.error):
            return None
        end = 1 + head.size + length
        return last_activity, piece[1 + head.size : end], piece[end:]

    def put(
        self,
        session: Session,
        files: Sequence[StoredFile],
        looked_at: int,
        last_activity: int,
        row: bytes,
        record: bytes,
    ) -> None:
        """Remember what is to be said of a session that is the only one of its entry.

        Args:
            files: its restore points; none may have changed in the two seconds before it was looked at.
            looked_at: when that was, or somewhat sooner.
            last_activity: what sessions that have ended are sorted by.
            row, record: what is said of it in a table and in JSON.
        """
        if session.linked is not None:
            return
        present, marks, changed = 0, list[int](), [time for file in files for time in (file.mtime_ns, file.ctime_ns)]
        for number, name in enumerate(self._watched):
            try:
                seen = lstat(f"{session.path}/{name}" if name else session.path)
            except OSError:  # if it comes, the times of the folder that it comes to change
                continue
            present |= 1 << number
            marks += (seen.st_ctime_ns, seen.st_ino, seen.st_size)
            changed += (seen.st_mtime_ns, seen.st_ctime_ns)
        if looked_at - max(changed, default=looked_at) < SETTLED_NS:
            return
        head = self._layouts[present][1].pack(last_activity, len(row), *reversed(marks))
        self._added[session.folder] = b"".join((bytes((present,)), head, row, record))

    def drain(self) -> dict[str, bytes]:
        """What was put here, for :meth:`take` in another process; here it is forgotten."""
        added, self._added = self._added, {}
        return added

    def take(self, added: Mapping[str, bytes]) -> None:
        """Add what another process was told by :meth:`drain`."""
        self._added |= added

    def save(self, present: Container[str]) -> None:
        """Keep what was added and what is known of the entries that are `present`. Failing is no fault."""
        if self._added and len(self._added) * _WORTH_SAVING >= len(self._kept):
            known = [name for name in self._kept.names() if name not in self._added and name in present]
            keep(self._path, self._version, self._pieces(known), most_bytes=_MOST_BYTES)

    def _pieces(self, known: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        yield from self._added.items()
        for name in known:
            if (piece := self._kept.get(name)) is not None:
                yield name, piece
