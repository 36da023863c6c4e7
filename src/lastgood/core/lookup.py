"""From the names of CLI.md (file, path, checkpoint_id, `latest`, `best`, `backup`) to one restore point."""

from __future__ import annotations

import os
from typing import NoReturn

from .errors import NotFound, UsageProblem
from .model import Checkpoint, FileKind, Session, Survey
from .names import id_in_name
from .store import Store, newest_first
from .words import command


def find_point(store: Store, session: Session, survey: Survey, name: str) -> Checkpoint:
    """The restore point of `session` that `name` means, verified now.

    Raises:
        NotFound: there is none.
        UsageProblem: files of different content match.
    """
    if name == "latest" or (survey.latest is not None and _names(name, survey.latest.path)):
        return store.verify(store.latest(session, survey) or _none(session, "has no checkpoint at all"))
    if name == "backup":
        return _newest_valid_backup(store, session, survey)
    if name == "best":
        from .price import best

        points = [store.verify(f) for f in survey.files]
        foreign = (
            "of its own; --foreign takes one of another session by its name" if any(p.valid for p in points) else ""
        )
        return best(points, session) or _none(session, f"has no valid restore point {foreign}".rstrip())
    matches = [store.verify(f) for f in survey.files if _names(name, f.path)]
    if not matches:
        points = [store.verify(f) for f in survey.files]
        matches = [p for p in points if name in (p.header.checkpoint_id, id_in_name(p.file.name))]
    if not matches:
        _none(session, f"has no checkpoint {name!r}: {command('show', session.name)} names those there are")
    if len({_content(store, p) for p in matches}) > 1:
        listed = "\n".join(f"  {p.file.path}  ({p.integrity})" for p in matches)
        raise UsageProblem(f"{name!r} means files of different content; name one by its file name:\n{listed}")
    return max(matches, key=lambda p: (p.valid, p.file.kind is FileKind.CHECKPOINT, p.file.mtime_ns))


def _newest_valid_backup(store: Store, session: Session, survey: Survey) -> Checkpoint:
    points = [store.verify(f) for f in newest_first(survey.of(FileKind.BACKUP))]
    if not points:
        _none(session, "has no backup")
    return next((p for p in points if p.valid), points[0])


def _names(name: str, path: str) -> bool:
    return name == os.path.basename(path) or ("/" in name and os.path.abspath(name) == path)


def _content(store: Store, point: Checkpoint) -> object:
    import hashlib

    try:
        return hashlib.sha256(store.read(point.file)).digest()
    except NotFound:
        return point.file.path


def _none(session: Session, says: str) -> NoReturn:
    raise NotFound(f"session {session.name} {says}")
