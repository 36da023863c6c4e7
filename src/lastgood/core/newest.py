"""What a restore is in any layout of files: the chosen bytes, looked at once more, as a new and newest file."""

from __future__ import annotations

import hashlib
import os
import time
from typing import NamedTuple

from . import files
from .errors import Refused
from .model import Checkpoint, CopyOf, Plan, Session, Stamp, Step, Survey
from .price import is_foreign
from .stored import opened_path
from .words import counted

_GRANULES = (2_000_000_000, 1_000_000_000, 10_000_000, 1_000_000, 1_000, 100, 1)
"""How coarsely file systems keep times (FAT 2 s, ext3 1 s, exFAT 10 ms, NTFS 100 ns, ext4 1 ns), in nanoseconds."""


class Source(NamedTuple):
    """The file that a restore copies, as it was when the plan was made."""

    path: str
    stamp: Stamp


def source_of(point: Checkpoint) -> Source:
    """The regular file behind `point`. Raises Refused where it must not be opened or has changed since."""
    file = point.file
    if file.problem is not None:
        raise Refused(f"{file.path}: {file.problem}")
    path = opened_path(file)
    seen = files.stamp(path)
    now = (seen.type, seen.device, seen.inode, seen.size, seen.mtime_ns)
    if now != ("file", file.device, file.inode, file.size, file.mtime_ns):
        raise Refused(f"{path} has changed since it was verified; look at it again")
    return Source(path, seen)


def copied(point: Checkpoint, source: Source) -> CopyOf:
    """The file's bytes, pinned by their digest."""
    sha256 = point.content_sha256 or sha256_of(source)
    return CopyOf(source.path, sha256, source.stamp.size)


def refuse_links(session: Session, survey: Survey | None = None) -> None:
    """Raises Refused where writing would go through a symlink."""
    if session.linked is not None or os.path.islink(session.path):
        raise Refused(f"{session.path} is a symlink: it is shown, and never written through")
    if survey is not None and files.stamp(survey.folder).type != "folder":
        raise Refused(f"{survey.folder} is no folder of its own: it is never written through")


def refuse_point(session: Session, point: Checkpoint, *, foreign: bool) -> None:
    """Raises Refused where the point is not valid, or another session's and `foreign` was not said."""
    path = point.file.path
    if not point.valid:
        raise Refused(f"{path} is not valid ({point.reason}): the runtime would refuse it too")
    if is_foreign(session, point) and not foreign:
        raise Refused(f"{path} belongs to session {point.header.session_id}; --foreign takes it all the same")


def warnings_of(session: Session, point: Checkpoint) -> list[str]:
    """What somebody should know of a point before it is restored."""
    warnings = []
    if point.header.session_id is None:
        warnings.append("the checkpoint does not say which session it belongs to")
    elif is_foreign(session, point):
        warnings.append(f"the checkpoint is another session's: {point.header.session_id}")
    if point.header.pending:
        warnings.append(f"{counted(point.header.pending, 'tool call')} pending in it: the runtime may run it all again")
    return warnings


def newest_file(path: str, content: bytes | CopyOf, source: Source, mtime_ns: int) -> Step:
    """The step that makes the file, with the mode and owner of the one that it copies."""
    size = len(content) if isinstance(content, bytes) else content.size
    return Step(
        "create",
        path,
        f"copy {size} bytes to a new, newest checkpoint",
        files.stamp(path),
        content,
        mtime_ns=mtime_ns,
        mode=source.stamp.mode & 0o777,
        owner=(source.stamp.uid, source.stamp.gid) if os.geteuid() == 0 else None,
    )


def plan_copy(session: Session, survey: Survey, point: Checkpoint, path: str, *, foreign: bool = False) -> Plan:
    """A restore in a layout whose runtime resumes from the newest file: `point`'s bytes as one, at `path`.

    Without steps where the point is the newest already. Raises Refused as the functions above do.
    """
    refuse_links(session, survey)
    refuse_point(session, point, foreign=foreign)
    source = source_of(point)
    content = copied(point, source)
    rivals = [f.mtime_ns for f in survey.files if f.path != point.file.path]
    stands = point.file.path.endswith(os.path.splitext(path)[1]) and point.file.link is None
    is_newest = stands and all(_apart(point.file.mtime_ns, other) for other in rivals)
    newest = max(survey.files, key=lambda f: f.mtime_ns).mtime_ns
    steps = () if is_newest else (newest_file(path, content, source, _well_after(newest)),)
    facts = {
        "checkpoint_path": point.file.path,
        "restored_path": point.file.path if is_newest else path,
        "content_sha256": content.sha256,
    }
    if point.header.checkpoint_id is not None:
        facts["checkpoint_id"] = point.header.checkpoint_id
    reads = ((source.path, source.stamp), (survey.folder, files.stamp(survey.folder)))
    return Plan("restore", (session.name,), steps, reads, tuple(warnings_of(session, point)), facts=facts)


def later_than(newest: int, now: int) -> int:
    """Now, or where that is no later than `newest` on a file system as coarse as `newest` may show, just after it."""
    granule = next(g for g in _GRANULES if newest % g == 0)
    return now if now // granule * granule > newest else newest + granule


def _well_after(newest: int) -> int:
    """Later also as a double of seconds, which Python's `st_mtime` is: these are a quarter of a microsecond apart."""
    later = later_than(newest, time.time_ns())
    return later if _apart(later, newest) else newest + 1_000


def _apart(later: int, earlier: int) -> bool:
    return later - earlier >= 1_000


def sha256_of(source: Source) -> str:
    """The digest of its bytes. Raises Refused where they cannot be read again."""
    try:
        return hashlib.sha256(files.read_regular(source.path, limit=source.stamp.size)).hexdigest()
    except (files.Unreadable, files.TooLarge) as error:
        raise Refused(f"{source.path} cannot be read again: {error}") from error
