"""The layout that the crate ``sh-layer2`` writes (FORMAT.md, "Layout"), read in full."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from . import files
from .meta import MetaFault, read_meta, read_state
from .model import (
    Checkpoint,
    FileKind,
    LatestLink,
    Meta,
    Plan,
    Session,
    State,
    StoredFile,
    Survey,
    TaskState,
)
from .names import is_crate_name
from .store import Deed, Entry, Store
from .stored import stored

if TYPE_CHECKING:
    from .diagnose import Diagnosis

META_MAX_BYTES = 1 << 20
"""session_meta.json and state.json are some hundred bytes; what is larger than this is not read."""
_MARKS = frozenset(("session_meta.json", "checkpoints", "state.json"))
"""Whatever folder holds one of these is a session: the runtime looks into it."""

_RESUMED_FROM = {FileKind.CHECKPOINT, FileKind.LATEST}

_NO_META = "there is no session_meta.json to change"
_BAD_META = "its session_meta.json cannot be read: repair it first"
_CANNOT: Mapping[State, Mapping[Deed, str]] = {
    State.UNTRACKED: {"terminate": _NO_META, "activate": _NO_META},
    State.DAMAGED: {"terminate": _BAD_META, "activate": _BAD_META},
}
_CANNOT_REPAIR: Mapping[Deed, str] = {"repair": "its session_meta.json is there and reads well"}


class ContinuumStore(Store):
    """The crate's layout. Any folder that is nobody else's is a session of it too, an untracked one."""

    layout = "continuum"
    about = "the Continuum runtime (crate sh-layer2)"
    unable: ClassVar[Mapping[Deed, str]] = {}
    takes_the_rest = True
    watched = ("session_meta.json", "state.json", "checkpoints")

    def recognises(self, entry: Entry) -> bool:
        if entry.inside is None:
            return entry.is_folder and any(os.path.lexists(f"{entry.path}/{mark}") for mark in _MARKS)
        return not _MARKS.isdisjoint(entry.inside)

    def sessions_in(self, entry: Entry) -> Iterable[Session]:
        # Folders like `.git` are no sessions; one that the runtime would look into is, whatever its name.
        if entry.is_folder and (not entry.hidden or self.recognises(entry)):
            yield _read_session(entry)

    def survey(self, session: Session) -> Survey:
        folder = f"{session.path}/checkpoints"
        found: list[StoredFile] = []
        leftovers: list[str] = []
        latest: LatestLink | None = None
        link: str | None = None
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name == "latest.json" and entry.is_symlink():
                        link = entry.path
                    elif (kind := kind_of(entry.name)) is not None:
                        found.append(stored(folder, entry, kind, self.layout))
                    elif entry.name.startswith(".tmp_latest_"):
                        leftovers.append(entry.name)
            if link is not None:
                latest = _latest_link(folder, link, found)
        except FileNotFoundError:
            return Survey(folder)
        except OSError as error:
            return Survey(folder, tuple(found), latest, tuple(leftovers), f"cannot list {folder}: {files.words(error)}")
        problem = lacks = None
        if os.path.islink(folder):
            problem = f"checkpoints is a symlink to {files.stamp(folder).target}: read, never written through"
        if latest is None and {f.kind for f in found} & _RESUMED_FROM == {FileKind.CHECKPOINT}:
            lacks = "there is no latest.json"
        return Survey(folder, tuple(found), latest, tuple(leftovers), problem, lacks)

    def look_at(self, file: StoredFile, raw: bytes) -> Checkpoint:
        return look_at(file, raw)

    def latest(self, session: Session, survey: Survey) -> StoredFile | None:
        """latest.json if it leads anywhere, else the newest."""
        for file in survey.of(FileKind.LATEST):
            return file
        if survey.latest is not None and survey.latest.resolves_to is not None:
            target = survey.latest.resolves_to
            return next((file for file in survey.files if file.path == target), None)
        return super().latest(session, survey)

    def kind_of(self, name: str) -> FileKind | None:
        kind = kind_of(name)
        return None if kind is FileKind.CHECKPOINT and not is_crate_name(name) else kind

    def diagnose(
        self, raw: bytes, point: Checkpoint, neighbours: Sequence[tuple[Checkpoint, Mapping[str, object]]] = ()
    ) -> Diagnosis:
        from .diagnose import diagnose

        return diagnose(raw, point, neighbours)

    def cannot(self, session: Session) -> Mapping[Deed, str]:
        return _CANNOT.get(session.state, _CANNOT_REPAIR)

    def plan_restore(self, session: Session, point: Checkpoint, *, foreign: bool = False, reseal: bool = False) -> Plan:
        from . import plan

        survey = self.survey(session)
        if not reseal or point.runtime_accepts:
            return plan.plan_restore(self, session, survey, point, foreign=foreign)
        from .reseal import reseal as resealed

        new = resealed(self.read(point.file))
        made = plan.plan_restore(self, session, survey, point, foreign=foreign, reseal_with=new.data)
        changed = tuple(f"{path} is written as {after}, was {before}" for path, before, after in new.changes)
        return made._replace(warnings=(*made.warnings, *changed))

    def plan_terminate(self, session: Session, reason: str) -> Plan:
        from . import plan

        return plan.plan_terminate(self, session, reason)

    def plan_activate(self, session: Session) -> Plan:
        from . import plan

        return plan.plan_activate(self, session)

    def plan_salvage(self, session: Session, file: StoredFile) -> Plan:
        from .salvage import plan_salvage

        return plan_salvage(self, session, self.survey(session), file)

    def plan_repair(self, session: Session) -> Plan:
        from .repair import plan_repair

        return plan_repair(self, session, self.survey(session))

    def check(self, plan: Plan) -> str | None:
        if plan.kind == "salvage":
            from .salvage import check_salvaged

            return check_salvaged(self, plan)
        if plan.kind == "repair":
            from .repair import check_repaired

            return check_repaired(self, plan)
        from . import plan as planning

        return planning.check(self, plan)


def look_at(file: StoredFile, raw: bytes) -> Checkpoint:
    """Both answers on these bytes of `file`, and their header."""
    from . import checksum

    seen = checksum.verify(raw)
    return Checkpoint(
        file,
        seen.integrity,
        seen.reason,
        seen.runtime_accepts,
        seen.runtime_reason,
        seen.expected,
        seen.actual,
        checksum.header(seen.value) if seen.value is not None else checksum.header({}),
    )


def _read_session(entry: Entry) -> Session:
    problems: list[str] = []
    there = _MARKS if entry.inside is None else entry.inside
    meta, meta_problem, state = _read_meta_file(entry.path) if "session_meta.json" in there else _ABSENT
    task = _read_state_file(entry.path, problems) if "state.json" in there else None
    linked = files.stamp(entry.path).target if entry.linked else None
    if linked is not None:
        problems.append(f"the folder is a symlink to {linked}: shown, never written through")
    if meta is not None and meta.session_id != entry.name:
        problems.append(f"session_meta.json names another session: {meta.session_id}")
    if meta_problem is not None:
        problems.append(f"session_meta.json: {meta_problem}")
    says = "there is no session_meta.json" if state is State.UNTRACKED else ""
    if meta_problem is not None:
        says = f"session_meta.json cannot be read: {meta_problem}"
    return Session(
        entry.name,
        entry.path,
        state,
        meta,
        meta_problem,
        task,
        linked,
        tuple(problems),
        ContinuumStore.layout,
        says,
        meta_file="session_meta.json",
        task_file="state.json",
    )


_ABSENT: tuple[Meta | None, str | None, State] = (None, None, State.UNTRACKED)


def _read_meta_file(folder: str) -> tuple[Meta | None, str | None, State]:
    try:
        raw = files.read_regular(f"{folder}/session_meta.json", limit=META_MAX_BYTES)
        meta = read_meta(raw)
    except files.Absent:
        return _ABSENT
    except files.TooLarge as error:
        return None, f"{error.size} bytes: too large to be one", State.DAMAGED
    except files.Unreadable as error:
        return None, error.problem, State.DAMAGED
    except MetaFault as fault:
        return None, str(fault), State.DAMAGED
    ended = not meta.is_active or meta.termination_reason is not None
    return meta, None, State.TERMINATED if ended else State.ACTIVE


def _read_state_file(folder: str, problems: list[str]) -> TaskState | None:
    try:
        return read_state(files.read_regular(f"{folder}/state.json", limit=META_MAX_BYTES))
    except files.Absent:
        return None
    except files.TooLarge as error:
        problems.append(f"state.json: {error.size} bytes: too large to be one")
    except files.Unreadable as error:
        problems.append(f"state.json: {error.problem}")
    except MetaFault as fault:
        problems.append(f"state.json: {fault}")
    return None


def kind_of(name: str) -> FileKind | None:
    """What the crate takes an entry for; its extension rule is Rust's `Path::extension`."""
    if name.startswith("cp_") and name.endswith(".json"):
        return FileKind.CHECKPOINT
    if name.endswith(".backup") and name != ".backup":
        return FileKind.BACKUP
    if name == "latest.json":
        return FileKind.LATEST
    return FileKind.ORPHAN if name.startswith(".tmp_checkpoint_") else None


def _latest_link(folder: str, path: str, found: Sequence[StoredFile]) -> LatestLink:
    try:
        target = os.readlink(path)
    except OSError:
        target = "somewhere else by now"
    named = f"{folder}/{target}"
    # As the runtime makes it: a file beside it, which is no link itself. Resolving asks for every part of a path.
    if any(file.path == named and file.link is None and file.problem is None for file in found):
        return LatestLink(path, target, named)
    real = os.path.realpath(path)
    if os.path.dirname(real) != os.path.realpath(folder):
        return LatestLink(path, target, None, "leads out of the folder")
    if not os.path.exists(path):
        return LatestLink(path, target, None, "dangling")
    resolved = os.path.join(folder, os.path.basename(real))
    return LatestLink(path, target, resolved, "absolute" if os.path.isabs(target) else None)
