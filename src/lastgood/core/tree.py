"""The folders below a store, held by descriptor, and what a path in them is.

Each folder is opened one component at a time and never through a symlink, so that one swapped for a symlink between
looking and writing leads nowhere.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from typing import Literal

from .files import TYPES, stamp_of
from .model import ABSENT, Stamp

_CHUNK = 1 << 20
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_SUCH_FEATURE = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})

Type = Literal["absent", "file", "symlink", "folder", "other"]


@dataclass(frozen=True, slots=True)
class Image:
    """What a path is in every respect that counts. In one that is wanted, None means that it does not matter."""

    type: Type
    sha256: str | None = None
    size: int | None = None
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    mtime_ns: int | None = None
    target: str | None = None
    xattrs: tuple[tuple[str, bytes], ...] | None = None


NOTHING = Image("absent")


def agrees(seen: Image, wanted: Image) -> bool:
    """Whether `seen` is what was wanted. Its time may be up to 2 s earlier: coarse file systems round it down."""
    if wanted.mtime_ns is not None and not 0 <= wanted.mtime_ns - (seen.mtime_ns or 0) < 2_000_000_000:
        return False
    return seen.type == wanted.type and all(
        want is None or got == want
        for got, want in (
            (seen.sha256, wanted.sha256),
            (seen.size, wanted.size),
            (seen.mode, wanted.mode),
            (seen.uid, wanted.uid),
            (seen.gid, wanted.gid),
            (seen.target, wanted.target),
            (_kept_xattrs(seen), _kept_xattrs(wanted)),
        )
    )


def is_still(seen: Image, before: Image) -> bool:
    """Whether `seen` is what `before` was, its time to the nanosecond."""
    return agrees(seen, before) and (before.mtime_ns is None or seen.mtime_ns == before.mtime_ns)


def _kept_xattrs(image: Image) -> dict[str, bytes] | None:
    # security.* is the system's own labelling; it may refuse to have it set.
    return None if image.xattrs is None else {k: v for k, v in image.xattrs if not k.startswith("security.")}


class Tree:
    """The folders below `path`, each opened once and held, none of them through a symlink.

    Relative paths have no empty, `.` or `..` components. Every method raises OSError as the system gave it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._folders = {"": os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)}

    def close(self) -> None:
        while self._folders:
            os.close(self._folders.popitem()[1])

    def __enter__(self) -> Tree:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def relative(self, path: str) -> str:
        """`path`, which must be absolute and below this tree, relative to it. Raises ValueError otherwise."""
        prefix = self.path.rstrip("/") + "/"
        if not path.startswith(prefix):
            raise ValueError(f"{path} is not below {self.path}")
        return checked(path[len(prefix) :])

    def folder(self, relative: str) -> int:
        """The descriptor of a folder. It belongs to the tree: do not close it."""
        if relative not in self._folders:
            parent, _, name = checked(relative).rpartition("/")
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            self._folders[relative] = os.open(name, flags, dir_fd=self.folder(parent))
        return self._folders[relative]

    def has_folder(self, relative: str) -> bool:
        """Whether the folder is there; one that is held stays the same folder, whatever has its name by now."""
        return relative in self._folders or self.stamp(relative).type == "folder"

    def forget(self, relative: str) -> None:
        """Close a folder that is about to be renamed or removed."""
        if relative in self._folders:
            os.close(self._folders.pop(relative))

    def place(self, relative: str) -> tuple[int, str]:
        """The descriptor of a path's folder, and the path's own name in it."""
        parent, _, name = checked(relative).rpartition("/")
        return self.folder(parent), name

    def stamp(self, relative: str) -> Stamp:
        """What a path is now; absent where there is none, or where a folder in its way is a symlink or gone."""
        try:
            folder, name = self.place(relative)
            st = os.lstat(name, dir_fd=folder)
            target = os.readlink(name, dir_fd=folder) if stat.S_ISLNK(st.st_mode) else None
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                return ABSENT
            raise
        return stamp_of(st, target)

    def image(self, relative: str) -> Image:
        """What a path is now, its content read and digested."""
        try:
            folder, name = self.place(relative)
            return image_at(folder, name)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                return NOTHING
            raise


def checked(relative: str) -> str:
    """`relative`, if it stays below the folder that it is relative to. Raises ValueError otherwise."""
    if "\0" in relative or any(part in ("", ".", "..") for part in relative.split("/")):
        raise ValueError(f"no path below the store: {relative!r}")
    return relative


def image_at(folder: int, name: str) -> Image:
    """What `name` in the folder with this descriptor is. Raises OSError, FileNotFoundError included."""
    st = os.lstat(name, dir_fd=folder)
    kind: Type = TYPES.get(stat.S_IFMT(st.st_mode), "other")
    if kind == "symlink":
        target = os.readlink(name, dir_fd=folder)
        return Image("symlink", uid=st.st_uid, gid=st.st_gid, mtime_ns=st.st_mtime_ns, target=target)
    if kind != "file":
        return Image(kind)
    import hashlib

    digest = hashlib.sha256()
    fd = os.open(name, _READ, dir_fd=folder)
    try:
        st = os.fstat(fd)
        if not stat.S_ISREG(st.st_mode):
            return Image("other")
        size = 0
        while data := os.read(fd, _CHUNK):
            size += len(data)
            digest.update(data)
        xattrs = xattrs_of(fd)
    finally:
        os.close(fd)
    mode = stat.S_IMODE(st.st_mode)
    return Image("file", digest.hexdigest(), size, mode, st.st_uid, st.st_gid, st.st_mtime_ns, None, xattrs)


def xattrs_of(fd: int) -> tuple[tuple[str, bytes], ...]:
    if not hasattr(os, "listxattr"):
        return ()
    try:
        return tuple((name, os.getxattr(fd, name)) for name in sorted(os.listxattr(fd)))
    except OSError as error:
        if error.errno in _NO_SUCH_FEATURE:
            return ()
        raise
