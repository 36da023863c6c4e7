"""The layout that ``pip install continuum-agent-sdk`` writes (1.0.2, ``continuum_sdk/agent/checkpoint.py``).

``STORE/<sanitised session id>/cp_<12 hex>_<seconds>.json``: `checkpoint_id`, `session_id`, `created_at` (local time
without a zone), `state` (whatever the program gave), `_version` 1. No checksum, no metadata, no mark of an end. Its
`load` takes the newest by modification time, and gives nothing where that one cannot be read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import ClassVar

from . import files
from .errors import Refused
from .model import (
    Checkpoint,
    Evidence,
    FileKind,
    Header,
    Integrity,
    Plan,
    Session,
    SessionLog,
    State,
    StoredFile,
    Survey,
    brief,
)
from .names import hex_in_sdk_name, is_sdk_name, time_in_name
from .store import Deed, Entry, Store, newest_first
from .stored import opened_path, stored
from .times import parse_rfc3339

_VERSION = 1
_NS = 1_000_000_000
_QUARTER_NS = 900 * _NS
"""Time zones differ by multiples of a quarter of an hour."""
_END = b"\n}"
"""How json.dump with an indent ends an object; a string cannot hold it, and any inner end is indented."""
_SHAPE: Mapping[str, type] = {"checkpoint_id": str, "session_id": str, "created_at": str}


class ContinuumSdkStore(Store):
    """The SDK's layout."""

    layout = "continuum-sdk"
    about = "the Continuum runtime's Python SDK (continuum-agent-sdk 1.0)"
    unable: ClassVar[Mapping[Deed, str]] = {
        "terminate": "the SDK records no end of a session",
        "activate": "the SDK records no end of a session, so none has to be taken back",
        "repair": "the SDK keeps no metadata beside its checkpoints",
    }

    def recognises(self, entry: Entry) -> bool:
        return entry.inside is not None and any(is_sdk_name(name) for name in entry.inside)

    def sessions_in(self, entry: Entry) -> Iterable[Session]:
        linked = os.readlink(entry.path) if entry.linked else None
        problems = () if linked is None else (f"the folder is a symlink to {linked}: shown, never written through",)
        yield Session(
            entry.name,
            entry.path,
            State.UNTRACKED,
            linked=linked,
            problems=problems,
            layout=self.layout,
            state_says="the SDK records neither that a session is active nor that it has ended",
            records_end=False,
            folder_for=folder_for,
        )

    def survey(self, session: Session) -> Survey:
        found: list[StoredFile] = []
        try:
            with os.scandir(session.path) as entries:
                for entry in entries:
                    if (kind := _kind_of(entry.name)) is not None:
                        found.append(stored(session.path, entry, kind, self.layout))
        except OSError as error:
            problem = f"cannot list {session.path}: {files.words(error)}"
            return Survey(session.path, tuple(found), problem=problem)
        survey = Survey(session.path, tuple(found))
        return survey._replace(signs=_signs(survey))

    def kind_of(self, name: str) -> FileKind | None:
        return _kind_of(name) if is_sdk_name(name) else None

    def state_path(self, file: StoredFile) -> tuple[str, ...]:
        return ("state",)

    def look_at(self, file: StoredFile, raw: bytes) -> Checkpoint:
        import json
        from hashlib import sha256

        digest = sha256(raw).hexdigest()
        try:
            # The SDK's own parser decides what its load can read.
            value = json.loads(raw.decode())
        except (ValueError, RecursionError) as error:
            why = _why_unparseable(raw, error)
            return Checkpoint(file, Integrity.UNPARSEABLE, why, False, why, content_sha256=digest)
        integrity, reason = _shape(value)
        accepts = isinstance(value, dict)
        header = _header(value, file) if isinstance(value, dict) else Header()
        return Checkpoint(file, integrity, reason, accepts, None if accepts else reason, None, None, header, digest)

    def logs(self, ids: Collection[str]) -> Sequence[SessionLog]:
        from .sdk_logs import folder_beside, session_logs

        folder = self.session_logs or folder_beside(self.path)
        return () if folder is None else tuple(session_logs(folder, ids))

    def recovery_order(self, session: Session, survey: Survey) -> Sequence[StoredFile]:
        """`load` opens the newest and, where it is torn, nothing else."""
        return newest_first(survey.of(FileKind.CHECKPOINT))[:1]

    def plan_restore(self, session: Session, point: Checkpoint, *, foreign: bool = False, reseal: bool = False) -> Plan:
        from .newest import plan_copy

        path = _new_path(session.path, point.file.name)
        made = plan_copy(session, _as_load_sees(self.survey(session)), point, path, foreign=foreign)
        return made._replace(warnings=(*made.warnings, "no checksum is recorded: it reads well, and more is not known"))

    def plan_salvage(self, session: Session, file: StoredFile) -> Plan:
        from .sdk_salvage import plan_salvage

        return plan_salvage(self, session, self.survey(session), file)

    def check(self, plan: Plan) -> str | None:
        """Load as the SDK does: by name pattern, the newest by `st_mtime`."""
        if plan.kind == "salvage":
            path, wanted = plan.facts["salvaged_path"], plan.facts["content_sha256"]
            return None if _digest(path) == wanted else f"{path} does not hold what was salvaged"
        path = plan.facts["restored_path"]
        with os.scandir(os.path.dirname(path)) as entries:
            names = [e for e in entries if e.name.startswith("cp_") and e.name.endswith(".json")]
        newest = max(names, key=lambda e: e.stat().st_mtime)
        if _digest(newest.path) != plan.facts["content_sha256"]:
            return f"the SDK's load would take {newest.path}, not the chosen checkpoint"
        return None


def folder_for(session_id: str) -> str:
    """The SDK's folder for a session of this id (``_get_session_dir``)."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in session_id)


def _kind_of(name: str) -> FileKind | None:
    """What `load` takes an entry for: any `cp_*.json`; and what `save` leaves where it dies before its rename."""
    if name.startswith("cp_") and name.endswith(".json"):
        return FileKind.CHECKPOINT
    return FileKind.ORPHAN if is_sdk_name(name) else None


def _signs(survey: Survey) -> tuple[Evidence, ...]:
    """Whether the newest checkpoint is cut off, by its last bytes: then `load` gives nothing."""
    newest = max(survey.of(FileKind.CHECKPOINT), key=lambda file: file.mtime_ns, default=None)
    if newest is None or newest.problem is not None:
        return ()
    try:
        fd = os.open(opened_path(newest), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            end = os.pread(fd, len(_END), max(0, newest.size - len(_END)))
        finally:
            os.close(fd)
    except OSError:
        return ()
    if end == _END:
        return ()
    return (Evidence("newest", "crashed", f"{newest.name}, the newest, is cut off: the SDK's load gives nothing"),)


def _as_load_sees(survey: Survey) -> Survey:
    """With the times that `load` compares: behind a symlink those of what it leads to, wherever that is.

    Raises:
        Refused: one leads to nothing, and `load` fails on it whatever else is there.
    """
    seen = []
    for file in survey.files:
        if file.link is not None:
            try:
                file = file._replace(mtime_ns=os.stat(file.path).st_mtime_ns)
            except OSError as error:
                why = f"{file.path} leads to {file.link} ({files.words(error)})"
                raise Refused(f"{why}, and the SDK's load fails on that: remove it first") from error
        seen.append(file)
    return survey._replace(files=tuple(seen))


def _why_unparseable(raw: bytes, error: Exception) -> str:
    from . import checksum

    seen = checksum.verify(raw)
    if seen.integrity is Integrity.UNPARSEABLE and seen.reason is not None:
        return seen.reason
    return f"too deeply nested for Python ({error})" if isinstance(error, RecursionError) else str(error)


def _shape(value: object) -> tuple[Integrity, str | None]:
    """NOT_RECORDED where it is what `save` writes; else in which respect it is not."""
    if not isinstance(value, dict):
        return Integrity.NOT_OBJECT, "Data is not an object"
    if "_version" not in value:
        return Integrity.NO_VERSION, "Missing version field"
    if value["_version"] != _VERSION or isinstance(value["_version"], (bool, float)):
        return Integrity.VERSION, f"Version mismatch: expected {_VERSION}, got {value['_version']!r:.40}"
    if "state" not in value:
        return Integrity.NO_VERSION, "not of version 1: there is no state in it"
    for name, kind in _SHAPE.items():
        if not isinstance(value.get(name), kind):
            return Integrity.NO_VERSION, f"not of version 1: {name} is missing or no string"
    return Integrity.NOT_RECORDED, "this layout records no checksum: it reads well and has the shape"


def _header(value: Mapping[str, object], file: StoredFile) -> Header:
    """The envelope's fields, and of the state those that the SDK's own examples keep in it."""
    from .typed import finite_number, length, text, whole_number

    held = value.get("state")
    state: Mapping[str, object] = held if isinstance(held, dict) else {}
    return Header(
        checkpoint_id=_brief(value.get("checkpoint_id")),
        session_id=_brief(value.get("session_id")),
        trigger=_brief(value.get("trigger")) or _brief(state.get("trigger")),
        created_at=_created(text(value.get("created_at")), time_in_name(file.name)),
        iteration=whole_number(state.get("iteration")),
        messages=length(state.get("messages")),
        pending=length(state.get("tool_calls_pending")),
        tokens_used=whole_number(state.get("tokens_used")),
        cost_estimate=finite_number(state.get("cost_estimate")),
        resume_hint=_brief(state.get("resume_hint")),
    )


def _brief(value: object) -> str | None:
    return brief(value) if isinstance(value, str) else None


def _created(said: str | None, named: int | None) -> int | None:
    """Local time without a zone, made UTC by the second in the file's name; without one by this host's zone."""
    if said is None:
        return named
    try:
        as_utc = parse_rfc3339(f"{said}Z")
        if named is not None:
            return as_utc - round((as_utc - named) / _QUARTER_NS) * _QUARTER_NS
        return as_utc - time.localtime(as_utc // _NS).tm_gmtoff * _NS
    except (ValueError, OverflowError, OSError):
        return named


def _new_path(folder: str, name: str) -> str:
    """``cp_<12 hex>_<now>.json`` with the chosen file's own hex; a second later for each such name that is taken."""
    from hashlib import sha256

    part = hex_in_sdk_name(name) or sha256(os.fsencode(name)).hexdigest()[:12]
    second = int(time.time())
    while os.path.lexists(path := os.path.join(folder, f"cp_{part}_{second}.json")):
        second += 1
    return path


def _digest(path: str) -> str | None:
    from hashlib import sha256

    try:
        return sha256(files.read_regular(path, limit=1 << 40)).hexdigest()
    except (files.Unreadable, files.TooLarge):
        return None
