"""The layout that the crate ``sh-layer2`` writes (FORMAT.md, "Layout"), read in full."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from . import files
from .errors import NotFound
from .meta import MetaFault, read_meta, read_state
from .model import (
    Checkpoint,
    FileKind,
    Integrity,
    LatestLink,
    Meta,
    PassedOver,
    Plan,
    Recovery,
    Session,
    State,
    StoredFile,
    Survey,
    TaskState,
)

MAX_BYTES = 512 * 1024 * 1024
"""Larger checkpoint files are `too-large` unless the configuration says otherwise."""
META_MAX_BYTES = 16 * 1024 * 1024
"""session_meta.json and state.json are some hundred bytes; what is larger than this is not read."""
JOURNAL_FOLDER = ".lastgood"


class ContinuumStore:
    """A :class:`~lastgood.core.store.Store` of the crate's layout."""

    layout = "continuum"

    def __init__(self, path: str, *, max_bytes: int = MAX_BYTES) -> None:
        self.path = os.path.abspath(path)
        self.max_bytes = max_bytes

    def sessions(self) -> Iterator[Session]:
        """Every folder of the store, in its own order; one that cannot be read is given with its problem.

        Raises:
            NotFound: the store itself cannot be listed.
        """
        try:
            with os.scandir(self.path) as entries:
                for entry in entries:
                    if _is_folder(entry) and not _is_ours_or_hidden(entry):
                        yield _read_session(entry.name, entry.path)
        except OSError as error:
            raise NotFound(f"cannot list the store {self.path}: {files.words(error)}") from error

    def session(self, name: str) -> Session:
        path = os.path.join(self.path, name)
        if not name or name in (".", "..", JOURNAL_FOLDER) or "/" in name or "\0" in name or not os.path.isdir(path):
            raise NotFound(f"no session {name!r} in {self.path}: `lastgood list` names those there are")
        return _read_session(name, path)

    def survey(self, session: Session) -> Survey:
        folder = os.path.join(session.path, "checkpoints")
        stored: list[StoredFile] = []
        strays: list[str] = []
        latest: LatestLink | None = None
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name == "latest.json" and entry.is_symlink():
                        latest = _latest_link(folder, entry.path)
                    elif (kind := kind_of(entry.name)) is not None:
                        stored.append(_stored(folder, entry, kind))
                    else:
                        strays.append(entry.name)
        except FileNotFoundError:
            return Survey(folder)
        except OSError as error:
            return Survey(folder, tuple(stored), latest, tuple(strays), f"cannot list {folder}: {files.words(error)}")
        problem = None
        if os.path.islink(folder):
            problem = f"checkpoints is a symlink to {os.readlink(folder)}: read, never written through"
        return Survey(folder, tuple(stored), latest, tuple(strays), problem)

    def read(self, file: StoredFile) -> bytes:
        if file.problem is not None:
            raise NotFound(f"{file.path}: {file.problem}")
        try:
            return files.read_regular(_opened_path(file), limit=self.max_bytes)
        except files.TooLarge as error:
            raise NotFound(f"{file.path}: {_too_large(error.size, self.max_bytes)}") from error
        except files.Unreadable as error:
            raise NotFound(f"{file.path}: {error.problem}") from error

    def verify(self, file: StoredFile) -> Checkpoint:
        if file.problem is not None:
            return _unread(file, Integrity.UNREADABLE, file.problem)
        try:
            raw = files.read_regular(_opened_path(file), limit=self.max_bytes)
        except files.TooLarge as error:
            return _unread(file, Integrity.TOO_LARGE, _too_large(error.size, self.max_bytes))
        except files.Unreadable as error:
            return _unread(file, Integrity.UNREADABLE, error.problem)
        return look_at(file, raw)

    def recover(self, session: Session) -> Recovery:
        """`recover_session`: newest mtime first, ties in the folder's order; then the first backup that verifies."""
        survey = self.survey(session)
        checkpoints = sorted(survey.of(FileKind.CHECKPOINT), key=lambda f: f.mtime_ns, reverse=True)
        passed: list[PassedOver] = []
        for file in (*checkpoints, *survey.of(FileKind.BACKUP)):
            point = self.verify(file)
            if point.runtime_accepts:
                return Recovery(session.name, point, file.kind is FileKind.BACKUP, tuple(passed))
            passed.append(PassedOver(file.path, point.integrity, point.reason or point.runtime_reason or ""))
        return Recovery(session.name, None, False, tuple(passed))

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


def _unread(file: StoredFile, integrity: Integrity, reason: str) -> Checkpoint:
    return Checkpoint(file, integrity, reason, False, reason)


def _too_large(size: int, limit: int) -> str:
    return f"{size} bytes, over the limit of {limit} (max_bytes in the configuration)"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_ours_or_hidden(entry: os.DirEntry[str]) -> bool:
    """Folders like `.git` are no sessions; one that the runtime would look into is, whatever its name."""
    if not entry.name.startswith("."):
        return False
    if entry.name == JOURNAL_FOLDER:
        return True
    return not any(os.path.lexists(os.path.join(entry.path, name)) for name in ("session_meta.json", "checkpoints"))


def _read_session(name: str, path: str) -> Session:
    problems: list[str] = []
    meta, meta_problem, state = _read_meta_file(path)
    task = _read_state_file(path, problems)
    linked = os.readlink(path) if os.path.islink(path) else None
    if linked is not None:
        problems.append(f"the folder is a symlink to {linked}: shown, never written through")
    if meta is not None and meta.session_id != name:
        problems.append(f"session_meta.json names another session: {meta.session_id}")
    if meta_problem is not None:
        problems.append(f"session_meta.json: {meta_problem}")
    return Session(name, path, state, meta, meta_problem, task, linked, tuple(problems))


def _read_meta_file(folder: str) -> tuple[Meta | None, str | None, State]:
    try:
        raw = files.read_regular(f"{folder}/session_meta.json", limit=META_MAX_BYTES)
        meta = read_meta(raw)
    except files.Absent:
        return None, None, State.UNTRACKED
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
    stem, dot, extension = name.rpartition(".")
    if dot and stem and extension == "backup":
        return FileKind.BACKUP
    if name.startswith("cp_") and dot and extension == "json":
        return FileKind.CHECKPOINT
    if name == "latest.json":
        return FileKind.LATEST
    return FileKind.ORPHAN if name.startswith(".tmp_checkpoint_") else None


def _stored(folder: str, entry: os.DirEntry[str], kind: FileKind) -> StoredFile:
    try:
        seen = entry.stat(follow_symlinks=False)
    except OSError as error:
        return StoredFile(entry.path, kind, 0, 0, 0, 0, 0, None, files.words(error))
    link = problem = None
    if stat.S_ISLNK(seen.st_mode):
        link = os.readlink(entry.path)
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
        entry.path, kind, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_dev, seen.st_ino, link, problem
    )


def _inside(folder: str, link: str) -> bool:
    return os.path.dirname(os.path.realpath(link)) == os.path.realpath(folder)


def _opened_path(file: StoredFile) -> str:
    """What to open for `file`: behind a symlink, the file of the same folder that it names."""
    if file.link is None:
        return file.path
    return os.path.join(os.path.dirname(file.path), os.path.basename(os.path.realpath(file.path)))


def _latest_link(folder: str, path: str) -> LatestLink:
    target = os.readlink(path)
    real = os.path.realpath(path)
    if os.path.dirname(real) != os.path.realpath(folder):
        return LatestLink(path, target, None, "leads out of the folder")
    if not os.path.exists(path):
        return LatestLink(path, target, None, "dangling")
    resolved = os.path.join(folder, os.path.basename(real))
    return LatestLink(path, target, resolved, "absolute" if os.path.isabs(target) else None)
