"""Writes that are whole or not there, and durable once they are; every one through the descriptor of a folder.

All raise OSError as the system gave it. Every change of the file system goes through a function of :mod:`os`, save
:func:`exchange`: the tests end the process before and after each of them.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator

from .tree import Image, agrees, image_at, xattrs_of

_CHUNK = 1 << 20
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_SUCH_FEATURE = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
_NO_HARD_LINKS = _NO_SUCH_FEATURE | {errno.EPERM, errno.EMLINK, errno.EXDEV, errno.EACCES}
_RENAME_EXCHANGE = 2  # linux/fs.h


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
    present = dict(xattrs_of(fd))
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


def publish(folder: int, temp: str, to_folder: int, name: str) -> None:
    """Rename a file or symlink to a name that nothing has yet. Raises FileExistsError if something has it by now."""
    try:
        os.link(temp, name, src_dir_fd=folder, dst_dir_fd=to_folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if exists(to_folder, name):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        os.rename(temp, name, src_dir_fd=folder, dst_dir_fd=to_folder)
    else:
        os.unlink(temp, dir_fd=folder)


def exchange(folder: int, one: str, other_folder: int, other: str) -> bool:
    """Swap two names atomically; False where the system has no such call. Nothing is ever overwritten by it."""
    import ctypes

    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(folder, os.fsencode(one), other_folder, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _NO_SUCH_FEATURE:
        return False
    raise OSError(code, os.strerror(code), one)


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


def adopt(fd: int, folder: int) -> None:
    """Give what root has just made the owner of the folder that it is in, who must be able to go on with it."""
    owner = os.fstat(folder)
    if os.geteuid() == 0 and (owner.st_uid, owner.st_gid) != (0, 0):
        os.fchown(fd, owner.st_uid, owner.st_gid)


def append(folder: int, name: str, line: bytes) -> None:
    """Add a line to a file of lines, durably. After a line that a crash cut short it begins a fresh one."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    fd = os.open(name, flags, 0o600, dir_fd=folder)
    try:
        st = os.fstat(fd)
        if not stat.S_ISREG(st.st_mode):
            raise OSError(errno.EINVAL, f"{name} is no regular file")
        size = st.st_size
        if size == 0:
            adopt(fd, folder)
        elif os.pread(fd, 1, size - 1) != b"\n":
            line = b"\n" + line
        write_all(fd, line)
        os.fsync(fd)
    finally:
        os.close(fd)
    if size == 0:
        sync_folder(folder)


def sync_folder(folder: int) -> None:
    """Make the folder's entries durable; some file systems have nothing to do for it and say so by EINVAL."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in _NO_SUCH_FEATURE:
            raise
