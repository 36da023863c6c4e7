"""Files as this program touches them: regular files only, never through a symlink, durable once written.

Reading by path is for looking. Whatever writes goes through a :class:`Tree`: descriptors of folders that were opened
one component at a time, so that a folder swapped for a symlink meanwhile leads nowhere.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from .model import ABSENT, Stamp

_CHUNK = 1 << 20
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_SUCH_FEATURE = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
_NO_HARD_LINKS = _NO_SUCH_FEATURE | {errno.EPERM, errno.EMLINK, errno.EXDEV, errno.EACCES}
_TYPES: dict[int, Literal["file", "symlink", "folder"]] = {
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


class TooLarge(Exception):
    """A file larger than the caller's limit; `size` is in bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes")
        self.size = size


def words(error: OSError) -> str:
    """What the system said, without the path."""
    return (error.strerror or str(error)).lower()


def stamp(path: str) -> Stamp:
    """What `path` is now. Never raises: what cannot be looked at counts as absent."""
    try:
        st = os.lstat(path)
        target = os.readlink(path) if stat.S_ISLNK(st.st_mode) else None
    except (OSError, ValueError):
        return ABSENT
    return _stamp(st, target)


def _stamp(st: os.stat_result, target: str | None) -> Stamp:
    return Stamp(
        type=_TYPES.get(stat.S_IFMT(st.st_mode), "other"),
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
        st = os.lstat(path)  # before the open: opening a device may act on it
        if not stat.S_ISREG(st.st_mode):
            raise Unreadable(f"{_WORDS.get(stat.S_IFMT(st.st_mode), 'no file')}, not a regular file")
        if st.st_size > limit:
            raise TooLarge(st.st_size)
        fd = os.open(path, _READ)
    except (OSError, ValueError) as error:
        raise Unreadable(words(error) if isinstance(error, OSError) else str(error)) from None
    try:
        return _read_whole(fd, limit)
    except OSError as error:
        raise Unreadable(words(error)) from None
    finally:
        os.close(fd)


def _read_whole(fd: int, limit: int) -> bytes:
    for _ in range(3):
        before = os.fstat(fd)
        if not stat.S_ISREG(before.st_mode):
            raise Unreadable(f"{_WORDS.get(stat.S_IFMT(before.st_mode), 'no file')}, not a regular file")
        if before.st_size > limit:
            raise TooLarge(before.st_size)
        data = os.read(fd, before.st_size + 1)
        if 0 < len(data) < before.st_size:
            data += b"".join(_rest(fd, before.st_size + 1 - len(data)))
        after = os.fstat(fd)
        if len(data) == after.st_size == before.st_size and after.st_mtime_ns == before.st_mtime_ns:
            return data
        os.lseek(fd, 0, os.SEEK_SET)
    raise Unreadable("it is being written: it changed while it was read")


def _rest(fd: int, wanted: int) -> Iterator[bytes]:
    """The system gives less than asked at a time for very large files."""
    while wanted > 0 and (data := os.read(fd, wanted)):
        wanted -= len(data)
        yield data


@dataclass(frozen=True, slots=True)
class Image:
    """What a path is in every respect that counts. In one that is wanted, None means that it does not matter."""

    type: Literal["absent", "file", "symlink", "folder", "other"]
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
        return _stamp(st, target)

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
    kind = _TYPES.get(stat.S_IFMT(st.st_mode), "other")
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
        xattrs = _xattrs(fd)
    finally:
        os.close(fd)
    mode = stat.S_IMODE(st.st_mode)
    return Image("file", digest.hexdigest(), size, mode, st.st_uid, st.st_gid, st.st_mtime_ns, None, xattrs)


def _xattrs(fd: int) -> tuple[tuple[str, bytes], ...]:
    if not hasattr(os, "listxattr"):
        return ()
    try:
        return tuple((name, os.getxattr(fd, name)) for name in sorted(os.listxattr(fd)))
    except OSError as error:
        if error.errno in _NO_SUCH_FEATURE:
            return ()
        raise


def chunks_of(folder: int, name: str) -> Iterator[bytes]:
    """The content of a regular file, piece by piece. Raises OSError (ELOOP for a symlink)."""
    fd = os.open(name, _READ, dir_fd=folder)
    try:
        while data := os.read(fd, _CHUNK):
            yield data
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes) -> None:
    """Write every byte: the system may take fewer at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def stage_file(folder: int, name: str, content: Iterable[bytes], like: Image) -> None:
    """A new file, durable, with the owner, mode, attributes and time of `like` where it names them.

    Raises OSError: FileExistsError if there is such a name already, or if what is read back is not `like`.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(name, flags, 0o600, dir_fd=folder)
    try:
        for data in content:
            write_all(fd, data)
        st = os.fstat(fd)
        uid = st.st_uid if like.uid is None else like.uid
        gid = st.st_gid if like.gid is None else like.gid
        if (uid, gid) != (st.st_uid, st.st_gid):
            os.fchown(fd, uid, gid)
        if like.mode is not None:
            os.fchmod(fd, like.mode)
        if like.xattrs is not None:
            _give_xattrs(fd, dict(like.xattrs))
        if like.mtime_ns is not None:
            os.utime(fd, ns=(st.st_atime_ns, like.mtime_ns))
        os.fsync(fd)
    finally:
        os.close(fd)
    if not agrees(image_at(folder, name), like):
        raise OSError(errno.EIO, "what was written reads back as something else")


def _give_xattrs(fd: int, wanted: dict[str, bytes]) -> None:
    present = dict(_xattrs(fd))
    for name in present.keys() - wanted.keys():
        if not name.startswith("security."):
            os.removexattr(fd, name)
    for name, value in wanted.items():
        if present.get(name) == value:
            continue
        try:
            os.setxattr(fd, name, value)
        except OSError:
            if not name.startswith("security."):
                raise


def stage_link(folder: int, name: str, like: Image) -> None:
    """A new symlink with the text of `like`, and its owner and time where it names them."""
    assert like.target is not None
    os.symlink(like.target, name, dir_fd=folder)
    st = os.lstat(name, dir_fd=folder)
    uid = st.st_uid if like.uid is None else like.uid
    gid = st.st_gid if like.gid is None else like.gid
    if (uid, gid) != (st.st_uid, st.st_gid):
        os.chown(name, uid, gid, dir_fd=folder, follow_symlinks=False)
    if like.mtime_ns is not None:
        os.utime(name, ns=(st.st_atime_ns, like.mtime_ns), dir_fd=folder, follow_symlinks=False)


def keep(folder: int, name: str, into: int, as_name: str, like: Image) -> None:
    """The file or symlink itself under a second name; where there can be no hard link, a durable copy of it.

    A hard link costs no room, so what it keeps can be put back on a full disk; it is the very file, whole.
    """
    try:
        os.link(name, as_name, src_dir_fd=folder, dst_dir_fd=into, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if like.type == "symlink":
            stage_link(into, as_name, like)
        else:
            stage_file(into, as_name, chunks_of(folder, name), like)


def publish(folder: int, temp: str, name: str) -> None:
    """Give a staged file its name, where there is nothing yet. Raises FileExistsError if there is by now."""
    try:
        os.link(temp, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if exists(folder, name):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        os.rename(temp, name, src_dir_fd=folder, dst_dir_fd=folder)
    else:
        os.unlink(temp, dir_fd=folder)


def exists(folder: int, name: str) -> bool:
    try:
        os.lstat(name, dir_fd=folder)
    except FileNotFoundError:
        return False
    return True


def discard(folder: int, name: str) -> None:
    """Remove a name; it is well if there is none."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return


def sync_folder(folder: int) -> None:
    """Make the folder's entries durable; some file systems have nothing to do for it and say so by EINVAL."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in _NO_SUCH_FEATURE:
            raise
