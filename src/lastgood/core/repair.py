"""A damaged or missing session_meta.json, rebuilt from what is known, each field with where it comes from.

Sources, best first: what of the damaged text still reads; state.json; the newest valid checkpoint; what can be
assumed. `session_id` is always the folder's name: by any other the runtime's recovery would look elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from . import files, serde
from .errors import Refused
from .fragments import Fragments, read_fragments
from .meta import MetaFault, read_meta
from .model import Checkpoint, FileKind, Plan, Session, Stamp, State, Step, Survey, TaskState
from .store import Store, newest_first
from .times import now_ns, parse_rfc3339, rfc3339

FIELDS = ("session_id", "is_active", "termination_reason", "last_updated", "last_iteration")
"""The crate's struct, in its order (FORMAT.md, session_meta.json)."""
_MAX_BYTES = 16 * 1024 * 1024
_TEXT = "the damaged text"


@dataclass(frozen=True, slots=True)
class Field:
    """One value of the rebuilt file and what it was taken from, in words."""

    value: str | bool | int | None
    source: str
    assumed: bool = False
    """It follows from nothing on disk."""


@dataclass(frozen=True, slots=True)
class _Known:
    """Everything that a field can come from."""

    session: Session
    text: Fragments
    newest: Checkpoint | None
    damaged: Stamp


def plan_repair(store: Store, session: Session, survey: Survey) -> Plan:
    """Rebuild the session's session_meta.json. Unknown fields that still read in the damaged text are kept.

    Raises:
        Refused: the file reads well, cannot be opened, or nothing shows that the folder is a session's.
    """
    if session.linked is not None:
        raise Refused(f"the folder of {session.name} is a symlink to {session.linked}: nothing is written through it")
    if session.state not in (State.DAMAGED, State.UNTRACKED):
        raise Refused(f"session_meta.json of {session.name} reads well: there is nothing to repair")
    path = os.path.join(session.path, "session_meta.json")
    before = files.stamp(path)
    raw = _damaged_text(path)
    if raw is None and session.task is None and not survey.files:
        raise Refused(f"nothing shows that {session.name} is a session: no checkpoint, no state.json")
    text = read_fragments(raw or b"", FIELDS)
    newest = _newest_valid(store, survey)
    fields = rebuilt(_Known(session, text, newest, before))
    content, dropped = _content(fields, text)
    return Plan(
        kind="repair",
        sessions=(session.name,),
        steps=(
            Step(
                op="create" if raw is None else "replace",
                path=path,
                detail="rebuilt from " + ", ".join(dict.fromkeys(f.source for f in fields.values() if not f.assumed)),
                before=before,
                content=content,
                mode=None if raw is not None or newest is None else files.stamp(newest.file.path).mode & 0o666,
            ),
        ),
        reads=tuple(_reads(session, newest)),
        warnings=tuple(_warnings(session, text, fields, dropped)),
        facts={name: f"{_text(field)} ({field.source})" for name, field in fields.items()},
    )


def _damaged_text(path: str) -> bytes | None:
    """The file's bytes; None where there is no such file."""
    try:
        return files.read_regular(path, limit=_MAX_BYTES)
    except files.Absent:
        return None
    except files.TooLarge as error:
        raise Refused(f"{path} has {error.size} bytes: whatever it is, it is not rebuilt over") from None
    except files.Unreadable as error:
        raise Refused(f"{path} cannot be read ({error.problem}), so nothing tells whether it is damaged") from None


def _newest_valid(store: Store, survey: Survey) -> Checkpoint | None:
    """The newest valid checkpoint by modification time, as recovery goes; else a valid backup."""
    checkpoints = newest_first(survey.of(FileKind.CHECKPOINT))
    backups = newest_first(survey.of(FileKind.LATEST, FileKind.BACKUP))
    for file in (*checkpoints, *backups):
        point = store.verify(file)
        if point.valid:
            return point
    return None


def rebuilt(known: _Known) -> dict[str, Field]:
    """The five fields, each with its source."""
    task = known.session.task
    active = _is_active(known.text, task)
    return {
        "session_id": Field(known.session.name, "the folder's name"),
        "is_active": active,
        "termination_reason": _reason(known.text, task, active.value is True),
        "last_updated": _last_updated(known),
        "last_iteration": _last_iteration(known),
    }


def _is_active(text: Fragments, task: TaskState | None) -> Field:
    read = text.known.get("is_active")
    if isinstance(read, bool):
        return Field(read, _TEXT)
    if isinstance(text.known.get("termination_reason"), str):
        return Field(False, f"{_TEXT}, which gives a termination_reason")
    if task is not None:
        ended = task.completed or task.status in ("Completed", "Error")
        return Field(not ended, f"state.json, status {task.status}")
    return Field(True, "assumed: no end was recorded", assumed=True)


def _reason(text: Fragments, task: TaskState | None, active: bool) -> Field:
    read = text.known.get("termination_reason", ...)
    if read is None or isinstance(read, str):
        return Field(read, _TEXT)
    if active:
        return Field(None, "an active session has none", assumed=True)
    if task is not None and (task.completed or task.status in ("Completed", "Error")):
        return Field("completed" if task.completed else task.status.lower(), f"state.json, status {task.status}")
    return Field(None, "not known", assumed=True)


def _last_updated(known: _Known) -> Field:
    read = known.text.known.get("last_updated")
    if isinstance(read, str) and _is_time(read):
        return Field(read, _TEXT)
    times: list[tuple[int, str]] = []
    if known.session.task is not None:
        times.append((known.session.task.last_updated, "state.json"))
    if known.newest is not None and known.newest.header.created_at is not None:
        times.append((known.newest.header.created_at, f"the newest valid checkpoint, {known.newest.file.name}"))
    if not times and known.damaged.type == "file":
        times.append((known.damaged.mtime_ns, "the damaged file's modification time"))
    when, source = max(times, default=(now_ns(), "this host's clock"))
    return Field(rfc3339(when), source)


def _last_iteration(known: _Known) -> Field:
    read = _i32(known.text.known.get("last_iteration"))
    if read is not None:
        return Field(read, _TEXT)
    counts: list[tuple[int, str]] = []
    if known.session.task is not None:
        counts.append((known.session.task.iteration, "state.json"))
    saved = _i32(known.newest.header.iteration) if known.newest is not None else None
    if known.newest is not None and saved is not None:
        counts.append((saved, f"the newest valid checkpoint, {known.newest.file.name}"))
    count, source = max(counts, default=(0, "not known"))
    return Field(count, source, assumed=not counts)


def _i32(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31:
        return value
    return None


def _is_time(text: str) -> bool:
    try:
        parse_rfc3339(text)
    except ValueError:
        return False
    return True


def _content(fields: dict[str, Field], text: Fragments) -> tuple[bytes, list[str]]:
    """The file's bytes, and the names of unknown members with which the crate could not read it."""
    known = [f'  "{name}": {_text(field)}'.encode() for name, field in fields.items()]
    kept: list[bytes] = []
    dropped: list[str] = []
    for name, member in text.unknown:
        try:
            read_meta(_object([*known, b"  " + member]))
        except MetaFault:
            dropped.append(name)
        else:
            kept.append(b"  " + member)
    content = _object([*known, *kept])
    read_meta(content)
    return content, dropped


def _object(members: list[bytes]) -> bytes:
    return b"{\n" + b",\n".join(members) + b"\n}"


def _text(field: Field) -> str:
    return serde.canonical(field.value).decode()


def _reads(session: Session, newest: Checkpoint | None) -> Iterator[tuple[str, Stamp]]:
    state = os.path.join(session.path, "state.json")
    yield state, files.stamp(state)
    if newest is not None:
        yield newest.file.path, files.stamp(newest.file.path)


def _warnings(session: Session, text: Fragments, fields: dict[str, Field], dropped: list[str]) -> Iterator[str]:
    for name, field in fields.items():
        yield f"{name}: {_text(field)} ({field.source})"
    other = text.known.get("session_id")
    if isinstance(other, str) and other != session.name:
        yield f"the damaged text names another session, {other}"
    for name in text.contradicted:
        yield f"the damaged text gives {name} twice, with different values: neither is taken"
    kept = [name for name, _ in text.unknown if name not in dropped]
    if kept:
        yield f"kept from the damaged text, unknown to the runtime: {', '.join(kept)}"
    if dropped:
        yield f"left out, the runtime could not read the file with them: {', '.join(dropped)}"


def check_repaired(store: Store, plan: Plan) -> str | None:
    """After the plan was applied: None if the session's metadata reads, else why not."""
    session = store.session(plan.sessions[0])
    if session.meta is None:
        return f"session_meta.json does not read: {session.meta_problem or 'it is not there'}"
    return None
