"""From a directory entry to a restore point, and from that to what is opened for it: nothing outside of its folder."""

from __future__ import annotations

import os
import stat

from . import files
from .model import FileKind, StoredFile


def stored(folder: str, entry: os.DirEntry[str], kind: FileKind, layout: str) -> StoredFile:
    """The entry of `folder` as a restore point, with the reason why it must not be opened where there is one."""
    try:
        seen = entry.stat(follow_symlinks=False)
    except OSError as error:
        return StoredFile(entry.path, kind, 0, 0, 0, 0, 0, None, files.words(error), layout)
    link = problem = None
    if stat.S_ISLNK(seen.st_mode):
        link = files.stamp(entry.path).target or "somewhere else by now"
        if not _inside(folder, entry.path):
            problem = f"a symlink that leads out of the folder, to {link}: not followed"
        else:
            try:
                seen = entry.stat()
            except OSError as error:
                problem = f"a symlink to {link}: {files.words(error)}"
    if problem is None and not stat.S_ISREG(seen.st_mode):
        problem = f"{files.type_name(seen.st_mode)}, not a regular file"
    return StoredFile(
        entry.path,
        kind,
        seen.st_size,
        seen.st_mtime_ns,
        seen.st_ctime_ns,
        seen.st_dev,
        seen.st_ino,
        link,
        problem,
        layout,
    )


def stored_alone(path: str, kind: FileKind, layout: str) -> StoredFile:
    """A file that somebody named: a symlink to it is followed, since that is what was named."""
    path = os.path.abspath(path)
    try:
        real = os.path.realpath(path) if os.path.islink(path) else path
        seen = os.stat(real)
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or str(error)
        return StoredFile(path, kind, 0, 0, 0, 0, 0, None, words, layout)
    problem = None if stat.S_ISREG(seen.st_mode) else f"{files.type_name(seen.st_mode)}, not a regular file"
    return StoredFile(
        real, kind, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_dev, seen.st_ino, None, problem, layout
    )


def opened_path(file: StoredFile) -> str:
    """What to open for `file`: behind a symlink, the file of the same folder that it names."""
    if file.link is None:
        return file.path
    return os.path.join(os.path.dirname(file.path), os.path.basename(os.path.realpath(file.path)))


def _inside(folder: str, link: str) -> bool:
    return os.path.dirname(os.path.realpath(link)) == os.path.realpath(folder)
