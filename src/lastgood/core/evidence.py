"""Gathers what bears on a verdict: this host's clock, start and processes once, then each session's own traces.

Judging is :mod:`verdict`'s. Nothing here raises for what it cannot see: it says so in the facts.
"""

import os
import re
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from .model import Action, FileKind, Session, State, StoredFile, Survey
from .names import time_in_name
from .processes import Processes, look, read_kernel_file
from .verdict import Facts, Restored, Thresholds

_NS = 1_000_000_000
_COPIED_NS = 120 * _NS
"""The runtime names a checkpoint for the second in which it saves it; a modification time this far off is a copy's."""
_OWN_WRITES_NS = 60 * _NS
"""Metadata modified this soon after one of our own actions was modified by it."""
_SAME_MOMENT_NS = 2 * _NS
_RECENT_GAPS = 50


# fmt: off
_REMOTE = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "davfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs",
    "nfs4", "ocfs2", "orangefs", "pvfs2", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs",
})
# fmt: on
_FUSE = "ceph davfs gcsfuse glusterfs goofys juicefs moosefs rclone s3fs smbnetfs sshfs vmhgfs"
_REMOTE_FUSE = tuple(f"fuse.{name}" for name in _FUSE.split())


class Host(NamedTuple):
    """This host, looked at once for a whole store."""

    now: int
    boot: int | None = None
    remote: str | None = None
    """The type of the network file system that the store is on, or None."""
    processes: Processes = Processes()

    @classmethod
    def look(cls, store_path: str) -> "Host":
        """Clock, start and file system, and one pass over the processes, whatever the number of sessions."""
        return cls(time.time_ns(), _boot(), remote(store_path), look(store_path))

    def unseen(self, owner: int | None) -> str | None:
        """Why a process that may write a folder of this user could have been missed; None where none could."""
        if self.processes.problem is not None:
            return self.processes.problem
        closed = self.processes.closed_to_us.get(owner, 0) if owner is not None else 0
        if closed:
            which = "1 process" if closed == 1 else f"{closed} processes"
            return f"{which} of the folder's owner could not be looked into"
        return None


def gather(
    session: Session,
    survey: Survey | None,
    host: Host,
    actions: Sequence[Action] = (),
    thresholds: Thresholds | None = None,
) -> Facts:
    """The facts on one session.

    Args:
        survey: what its checkpoints folder holds; None where nobody has looked: then its metadata speaks alone.
        actions: the journal's, oldest first.
        thresholds: for the tolerance to clocks that differ; None: the default ones.
    """
    meta, task = session.meta, session.task
    signs = host.processes.of(session.folder)
    if session.state is State.TERMINATED:
        return Facts(
            host.now,
            session.state,
            meta is not None and meta.is_active,
            meta.termination_reason if meta else None,
            task_status=task.status if task else None,
            task_file=session.task_file,
            signs=signs,
        )
    ours = [a for a in actions if _concerns(a, session)]
    points = _points(session, survey, ours)
    skew = int((thresholds or Thresholds()).clock_skew_seconds * _NS)
    writes = list(_writes(session, survey, points, ours))
    past = [w for w in writes if w[0] <= host.now + skew]
    last_write, last_write_of = max(past, default=(None, ""))
    return Facts(
        host.now,
        session.state,
        meta is not None and meta.is_active,
        meta.termination_reason if meta else None,
        session.state_says,
        session.records_end,
        survey.signs if survey is not None else (),
        task.status if task else None,
        session.task_file,
        host.boot,
        last_write,
        last_write_of,
        tuple(sorted({what for at, what in writes if at > host.now + skew})),
        _rhythm_seconds([at for at, _ in points if at <= host.now + skew]),
        _abandoned(survey, points),
        signs,
        host.unseen(_owner(session.path)),
        host.remote,
        _restored(session, ours, past),
        host.processes.contained,
    )


def _concerns(action: Action, session: Session) -> bool:
    """By name and layout: the name alone can have come to mean another layout's session in the same entry."""
    if action.facts.get("layout", session.layout) != session.layout:
        return False
    return session.plain_name in (name.removesuffix(f"/{session.layout}") for name in action.sessions)


def saved_at(file: StoredFile) -> int:
    """When the runtime saved a checkpoint: its modification time, or its name where the two disagree (a copy)."""
    named = time_in_name(file.name)
    return file.mtime_ns if named is None or abs(file.mtime_ns - named) <= _COPIED_NS else named


def copied(files: Sequence[StoredFile]) -> bool:
    """Whether the modification times of these checkpoints tell when they were copied, not when they were saved."""
    named = False
    for file in files:
        if time_in_name(file.name) is not None:
            if saved_at(file) == file.mtime_ns:
                return False
            named = True
    return named


def _points(session: Session, survey: Survey | None, ours: list[Action]) -> list[tuple[int, str]]:
    """When each checkpoint was saved, and its name; those that lastgood put there are no work of the runtime."""
    if survey is None:
        return []
    by_us = {path for action in ours for path in action.facts}
    root = len(session.path) - len(session.folder)
    return [(saved_at(f), f.name) for f in survey.of(FileKind.CHECKPOINT) if f.path[root:] not in by_us]


def _writes(
    session: Session, survey: Survey | None, points: list[tuple[int, str]], ours: list[Action]
) -> Iterator[tuple[int, str]]:
    """Every trace of the runtime writing: when, and what."""
    yield from points
    if session.meta is not None:
        yield session.meta.last_updated, f"last_updated of {session.meta_file}"
    if session.task is not None:
        yield session.task.last_updated, f"last_updated of {session.task_file}"
    if survey is not None and copied(survey.of(FileKind.CHECKPOINT)):
        return
    for name in filter(None, (session.meta_file, session.task_file)):
        modified = _mtime(os.path.join(session.path, name))
        if modified is not None and not any(0 <= modified - a.at < _OWN_WRITES_NS for a in ours):
            yield modified, name
    if survey is not None:
        yield from _temp_files(survey)


def _temp_files(survey: Survey) -> Iterator[tuple[int, str]]:
    for file in survey.of(FileKind.ORPHAN):
        yield file.mtime_ns, file.name
    for name in survey.leftovers:
        if (modified := _mtime(os.path.join(survey.folder, name))) is not None:
            yield modified, name


def _abandoned(survey: Survey | None, points: list[tuple[int, str]]) -> tuple[tuple[str, int], ...]:
    """Temporary files that no later checkpoint has followed: a later one shows that the writer came back."""
    if survey is None:
        return ()
    newest = max((f.mtime_ns for f in survey.of(FileKind.CHECKPOINT)), default=0)
    return tuple((name, at) for at, name in _temp_files(survey) if at >= newest)


def _rhythm_seconds(times: list[int]) -> float | None:
    """The median gap between checkpoints, of the latest fifty."""
    times = sorted(set(times))[-_RECENT_GAPS - 1 :]
    gaps = sorted(later - sooner for sooner, later in pairwise(times))
    if not gaps:
        return None
    middle = len(gaps) // 2
    median = gaps[middle] if len(gaps) % 2 else (gaps[middle - 1] + gaps[middle]) / 2
    return median / _NS


def _restored(session: Session, ours: list[Action], writes: list[tuple[int, str]]) -> Restored | None:
    """Our last restore or activation that stands; a later write that is not ours shows that it was resumed."""
    rewritten = (session.meta_file, session.task_file)
    last = next((a for a in reversed(ours) if a.state == "done" and a.op in ("restore", "activate")), None)
    if last is None:
        return None
    resumed = any(at > last.at + _SAME_MOMENT_NS and what not in rewritten for at, what in writes)
    return Restored(last.op, last.at, f"{last.user}@{last.host}", resumed)


def _mtime(path: str) -> int | None:
    try:
        return os.lstat(path).st_mtime_ns
    except OSError:
        return None


def _owner(path: str) -> int | None:
    try:
        return os.stat(path).st_uid
    except OSError:
        return None


def _boot() -> int | None:
    """When this host started, by the kernel's own reckoning."""
    for line in read_kernel_file("/proc/stat").splitlines():
        if line.startswith(b"btime "):
            return int(line.split()[1]) * _NS
    return None


def remote(path: str) -> str | None:
    """The type of the file system that holds `path`, if other hosts can write it too."""
    real = os.path.realpath(path)
    deepest, found = "", ""
    for line in read_kernel_file("/proc/self/mountinfo").splitlines():
        before, _, after = line.partition(b" - ")
        point = _unescaped(before.split()[4])
        if len(point) >= len(deepest) and (real == point or real.startswith(point.rstrip("/") + "/")):
            deepest, found = point, os.fsdecode(after.split()[0])
    return found if found in _REMOTE or found.startswith(_REMOTE_FUSE) else None


def _unescaped(text: bytes) -> str:
    """A path of mountinfo, where the kernel writes space, tab, line feed and backslash in octal."""
    return os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda m: bytes((int(m[1], 8),)), text))
