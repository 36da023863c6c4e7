"""Files as this program looks at them: regular files only, never through a symlink.

Reading by path is for looking. Whatever writes goes through :mod:`lastgood.core.tree` and :mod:`lastgood.core.durable`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Literal

from .model import ABSENT, Stamp

_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
TYPES: dict[int, Literal["file", "symlink", "folder"]] = {
    stat.S_IFREG: "file",
    stat.S_IFLNK: "symlink",
    stat.S_IFDIR: "folder",
}
_WORDS = {
    stat.S_IFLNK: "a symlink",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class Unreadable(Exception):
    """A file that is not read, and why, in words."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Absent(Unreadable):
    """There is nothing of that name."""


class TooLarge(Exception):
    """A file larger than the caller's limit; `size` is in bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes")
        self.size = size


def words(error: OSError) -> str:
    """What the system said, without the path."""
    return (error.strerror or str(error)).lower()


def type_name(mode: int) -> str:
    """What a mode's file type is, in words: `a FIFO`."""
    return _WORDS.get(stat.S_IFMT(mode), "no file")


def stamp(path: str) -> Stamp:
    """What `path` is now. Never raises: what cannot be looked at counts as absent."""
    try:
        st = os.lstat(path)
        target = os.readlink(path) if stat.S_ISLNK(st.st_mode) else None
    except (OSError, ValueError):
        return ABSENT
    return stamp_of(st, target)


def stamp_of(st: os.stat_result, target: str | None) -> Stamp:
    """What `lstat` found, and the text of the link where it found one."""
    return Stamp(
        type=TYPES.get(stat.S_IFMT(st.st_mode), "other"),
        device=st.st_dev,
        inode=st.st_ino,
        size=st.st_size,
        mtime_ns=st.st_mtime_ns,
        mode=stat.S_IMODE(st.st_mode),
        uid=st.st_uid,
        gid=st.st_gid,
        target=target,
    )


def read_regular(path: str, *, limit: int) -> bytes:
    """All bytes of a regular file. Its last component is never followed if it is a symlink.

    Args:
        limit: in bytes; a larger file is not read.

    Raises:
        Unreadable: it is absent, no regular file, not permitted, or changes each time that it is read.
        TooLarge: it is larger than `limit`.
    """
    try:
        seen = os.lstat(path)  # before the open: opening a device may act on it
        _refuse_unless_regular(seen, limit)
        fd = os.open(path, _READ)
    except FileNotFoundError as error:
        raise Absent(words(error)) from None
    except (OSError, ValueError) as error:
        raise Unreadable(words(error) if isinstance(error, OSError) else str(error)) from None
    try:
        return _read_whole(fd, seen, limit)
    except OSError as error:
        raise Unreadable(words(error)) from None
    finally:
        os.close(fd)


def read_named(path: str, *, limit: int) -> bytes:
    """As :func:`read_regular`, of a file that the user named or made: a symlink to it is followed.

    Raises:
        Unreadable, TooLarge: as there.
    """
    try:
        path = os.path.realpath(path)
    except (OSError, ValueError) as error:
        raise Unreadable(str(error)) from None
    return read_regular(path, limit=limit)


def _refuse_unless_regular(st: os.stat_result, limit: int) -> None:
    if not stat.S_ISREG(st.st_mode):
        raise Unreadable(f"{type_name(st.st_mode)}, not a regular file")
    if st.st_size > limit:
        raise TooLarge(st.st_size)


def _read_whole(fd: int, before: os.stat_result, limit: int) -> bytes:
    """All bytes, once what `fd` is after the reading is what it was before."""
    for _ in range(3):
        data = os.read(fd, before.st_size + 1)
        if 0 < len(data) < before.st_size:
            data += b"".join(_rest(fd, before.st_size + 1 - len(data)))
        after = os.fstat(fd)
        same = after.st_ino == before.st_ino and after.st_mtime_ns == before.st_mtime_ns
        if same and len(data) == after.st_size == before.st_size:
            return data
        _refuse_unless_regular(after, limit)
        before = after
        os.lseek(fd, 0, os.SEEK_SET)
    raise Unreadable("it is being written: it changed while it was read")


def _rest(fd: int, wanted: int) -> Iterator[bytes]:
    """The system gives less than asked at a time for very large files."""
    while wanted > 0 and (data := os.read(fd, wanted)):
        wanted -= len(data)
        yield data
