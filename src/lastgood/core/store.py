"""What every layout of a store offers, and how a path becomes a store.

A layout is one module with a subclass of :class:`Store`; the rest of the program names none. How layouts are found
stands in :mod:`lastgood.core.layouts`.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from . import files
from .errors import NotFound, Refused, UsageProblem
from .model import Checkpoint, FileKind, Integrity, PassedOver, Plan, Recovery, Session, SessionLog, StoredFile, Survey
from .stored import opened_path, stored_alone

if TYPE_CHECKING:
    from .diagnose import Diagnosis

MAX_BYTES = 512 * 1024 * 1024
"""Larger checkpoint files are `too-large` unless the configuration says otherwise."""
JOURNAL_FOLDER = ".lastgood"

Deed = Literal["restore", "terminate", "activate", "salvage", "repair"]
DEEDS: tuple[Deed, ...] = ("restore", "terminate", "activate", "salvage", "repair")


class Entry(NamedTuple):
    """One entry of a store's folder, listed once and shown to every layout."""

    name: str
    path: str
    is_folder: bool
    """A folder, or a symlink to one."""
    linked: bool = False
    """A symlink."""
    inside: tuple[str, ...] | None = None
    """The names in it, in the folder's own order; None where it is no folder, or one that cannot be listed."""

    @property
    def hidden(self) -> bool:
        return self.name.startswith(".")


class Store(ABC):
    """A folder of sessions in one layout. Reading never changes it; every write is a :class:`Plan` for the journal.

    A layout of your own gives the two texts and the abstract methods; what else it does not offer is refused with
    the reason in :attr:`unable`. Its sessions and files carry its name in `layout`.

    Several threads and processes ask one store at once, and each process makes its own by calling the class afresh: so
    it is a class of its module's, keeps nothing open, and knows no more than it was called with. A program that keeps
    its checkpoints as rows of a database has one entry, sessions called ``ENTRY/…`` whose `path` is the entry's, and
    files whose `path` is ``ENTRY/…`` too, one for each row: :meth:`fetch` is then what reads them.
    """

    layout: ClassVar[str]
    """Its name: in addresses, so without spaces and slashes."""
    about: ClassVar[str]
    """What writes it, in a few words."""
    unable: ClassVar[Mapping[Deed, str]] = {
        "terminate": "this layout keeps no mark of a session's end",
        "activate": "this layout keeps no mark of a session's end",
        "salvage": "a part of a file cannot be made a checkpoint of this layout",
        "repair": "this layout keeps no metadata beside its checkpoints",
    }
    """What can be done in no session of this layout, with the reason as the end of a sentence."""
    watched: tuple[str, ...] = ("",)
    """What in an entry is modified whenever its sessions change, as paths below it; "": the entry itself."""
    takes_the_rest: ClassVar[bool] = False
    """Whether a folder that no layout recognises is shown as a session of this one, with nothing known of it."""

    def __init__(self, path: str, *, max_bytes: int | None = None, session_logs: str | None = None) -> None:
        self.path = os.path.abspath(path)
        self.max_bytes = max_bytes or MAX_BYTES
        self.session_logs = session_logs

    # What is there

    @abstractmethod
    def recognises(self, entry: Entry) -> bool:
        """Whether the entry certainly holds sessions of this layout: a cheap look, by names."""

    @abstractmethod
    def sessions_in(self, entry: Entry) -> Iterable[Session]:
        """The sessions that the entry holds; one that cannot be read is given with its problem.

        A session is named as the entry is, or ``ENTRY/…`` where an entry holds more than one.
        """

    def sessions(self, among: Iterable[os.DirEntry[str]] | None = None) -> Iterator[Session]:
        """Every session, in the folder's own order.

        Args:
            among: only those that these entries of :func:`listed` hold.

        Raises:
            NotFound: the store itself cannot be listed.
        """
        for entry in entries(listed(self.path) if among is None else among):
            if self.takes_the_rest or self.recognises(entry):
                yield from self.sessions_in(entry)

    def session(self, name: str) -> Session:
        """The session of this name; ``ENTRY/LAYOUT`` names the one of that layout, whatever else the entry holds.

        Raises:
            NotFound: there is none.
        """
        within = name.partition("/")[0]
        for session in self.sessions_at(within):
            if name in (session.name, f"{within}/{session.layout}"):
                return session
        raise NotFound(f"no session {name!r} in {self.path}: `lastgood list` names those there are")

    def sessions_at(self, name: str) -> Iterable[Session]:
        """The sessions that the entry of this name holds; none where there is no such entry."""
        entry = _entry_at(self.path, name)
        return self.sessions_in(entry) if entry is not None else ()

    @abstractmethod
    def survey(self, session: Session) -> Survey:
        """What the session's folder holds: directory entries and stats, no contents."""

    def logs(self, ids: Collection[str]) -> Sequence[SessionLog]:
        """What the layout's program keeps of these sessions outside of the store, to be shown and never changed.

        Args:
            ids: what a session, of whatever layout, is called; texts from disk, so none is to be taken for a path.
        """
        return ()

    def kind_of(self, name: str) -> FileKind | None:
        """What a file of this name certainly is in this layout; None where the name does not tell."""
        return None

    def alone(self, path: str) -> StoredFile:
        """A file that somebody named, whatever folder it is in."""
        return stored_alone(path, self.kind_of(os.path.basename(path)) or FileKind.CHECKPOINT, self.layout)

    def state_path(self, file: StoredFile) -> tuple[str, ...]:
        """The keys that lead to the messages and the pending tool calls of a checkpoint's JSON; () where on top."""
        return ()

    def fetch(self, file: StoredFile) -> bytes:
        """A restore point's bytes, wherever they are kept: for a layout that keeps them in no file of their own.

        Raises:
            files.Unreadable, files.TooLarge: why not.
        """
        return files.read_regular(opened_path(file), limit=self.max_bytes)

    def read(self, file: StoredFile) -> bytes:
        """The file's bytes.

        Raises:
            NotFound: it cannot be opened, is no regular file, is larger than the limit, or leads out of the folder.
        """
        if file.problem is not None:
            raise NotFound(f"{file.path}: {file.problem}")
        try:
            return self.fetch(file)
        except files.TooLarge as error:
            raise NotFound(f"{file.path}: {_too_large(error.size, self.max_bytes)}") from error
        except files.Unreadable as error:
            raise NotFound(f"{file.path}: {error.problem}") from error

    def verify(self, file: StoredFile) -> Checkpoint:
        """Both answers on the file and its header. Never raises for what the file holds."""
        if file.problem is not None:
            return _unread(file, Integrity.UNREADABLE, file.problem)
        try:
            raw = self.fetch(file)
        except files.TooLarge as error:
            return _unread(file, Integrity.TOO_LARGE, _too_large(error.size, self.max_bytes))
        except files.Unreadable as error:
            return _unread(file, Integrity.UNREADABLE, error.problem)
        return self.look_at(file, raw)

    @abstractmethod
    def look_at(self, file: StoredFile, raw: bytes) -> Checkpoint:
        """Both answers on these bytes of `file`, and their header."""

    def diagnose(
        self, raw: bytes, point: Checkpoint, neighbours: Sequence[tuple[Checkpoint, Mapping[str, object]]] = ()
    ) -> Diagnosis:
        """What exactly is wrong with these bytes of a file, among valid ones of its session."""
        from .diagnose import diagnose_text

        return diagnose_text(raw, point)

    # What the runtime would do

    def latest(self, session: Session, survey: Survey) -> StoredFile | None:
        """What the runtime's load of "the latest" opens, whether or not it then accepts it; here the newest."""
        return max(survey.of(FileKind.CHECKPOINT), key=lambda file: file.mtime_ns, default=None)

    def recovery_order(self, session: Session, survey: Survey) -> Sequence[StoredFile]:
        """The files that the runtime's own recovery tries, in its order; it takes the first that it accepts."""
        return (*newest_first(survey.of(FileKind.CHECKPOINT)), *survey.of(FileKind.BACKUP))

    def recover(self, session: Session) -> Recovery:
        """What the runtime's own recovery would choose, and why it passes over each file before that."""
        passed: list[PassedOver] = []
        for file in self.recovery_order(session, self.survey(session)):
            point = self.verify(file)
            if point.runtime_accepts:
                return Recovery(session.name, point, file.kind is FileKind.BACKUP, tuple(passed))
            passed.append(PassedOver(file.path, point.integrity, point.reason or point.runtime_reason or ""))
        return Recovery(session.name, None, False, tuple(passed))

    # What can be done

    def cannot(self, session: Session) -> Mapping[Deed, str]:
        """What cannot be done to this session as it is, with the reason as the end of a sentence."""
        return self.unable

    @abstractmethod
    def plan_restore(self, session: Session, point: Checkpoint, *, foreign: bool = False, reseal: bool = False) -> Plan:
        """Make `point` what the runtime resumes from, by each of its ways (DESIGN.md, "What restore means").

        The plan's facts name `checkpoint_path`, the point, and `restored_path`, the file that holds it afterwards.

        Raises:
            Refused: the point does not verify, the runtime would refuse it, or it is another session's.
        """

    def plan_terminate(self, session: Session, reason: str) -> Plan:
        """Mark the session ended. Raises Refused where that cannot be done."""
        raise self._refusal("terminate")

    def plan_activate(self, session: Session) -> Plan:
        """Mark the session active again. Raises Refused where that cannot be done."""
        raise self._refusal("activate")

    def plan_salvage(self, session: Session, file: StoredFile) -> Plan:
        """The readable part of a damaged file as a new, marked checkpoint, which the facts name as `salvaged_path`.

        Raises:
            Refused: there is no such part.
        """
        raise self._refusal("salvage")

    def plan_repair(self, session: Session) -> Plan:
        """The session's metadata rebuilt from what is known. Raises Refused where nothing is to be repaired."""
        raise self._refusal("repair")

    def _refusal(self, deed: Deed) -> Refused:
        return Refused(f"{deed} is not possible here: {self.unable[deed]} ({self.layout}); nothing changed")

    @abstractmethod
    def check(self, plan: Plan) -> str | None:
        """After `plan` was applied: None if what it promised holds on disk, else what does not."""


def newest_first(found: Iterable[StoredFile]) -> list[StoredFile]:
    """By modification time; ties stay in the folder's order, as the runtime's stable sort leaves them."""
    return sorted(found, key=lambda file: file.mtime_ns, reverse=True)


def listed(path: str) -> list[os.DirEntry[str]]:
    """Everything in a store's folder but the journal, in the folder's own order; nothing of it has been looked at.

    Raises:
        NotFound: it cannot be listed.
    """
    try:
        with os.scandir(path) as found:
            return [one for one in found if one.name != JOURNAL_FOLDER]
    except OSError as error:
        raise NotFound(f"cannot list the store {path}: {files.words(error)}") from error


def entries(found: Iterable[os.DirEntry[str]]) -> Iterator[Entry]:
    """What :func:`listed` found, with what is inside."""
    for one in found:
        yield _entry(one.name, one.path, _is_folder(one), one.is_symlink())


def _entry_at(store: str, name: str) -> Entry | None:
    if not name or name in (".", "..", JOURNAL_FOLDER) or "\0" in name:
        return None
    path = os.path.join(store, name)
    if not os.path.exists(path):
        return None
    return _entry(name, path, os.path.isdir(path), os.path.islink(path))


def _entry(name: str, path: str, is_folder: bool, linked: bool) -> Entry:
    inside = None
    if is_folder:
        with suppress(OSError):  # whoever opens it says why
            inside = tuple(os.listdir(path))
    return Entry(name, path, is_folder, linked, inside)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _unread(file: StoredFile, integrity: Integrity, reason: str) -> Checkpoint:
    return Checkpoint(file, integrity, reason, False, reason)


def _too_large(size: int, limit: int) -> str:
    return f"{size} bytes, over the limit of {limit} (max_bytes in the configuration)"


def locate_store(argument: str | None, configured: str | None) -> tuple[str, str]:
    """The store's absolute path, and what named it: the argument, $LASTGOOD_STORE, the configuration or nothing.

    Raises:
        UsageProblem: the argument is empty, as an unset variable of a script is: no other store was meant.
    """
    if argument == "":
        raise UsageProblem("the store's path is empty: name a folder, or leave --store out for the default")
    from .layouts import DEFAULT_STORE

    for path, source in (
        (argument, "--store"),
        (os.environ.get("LASTGOOD_STORE"), "$LASTGOOD_STORE"),
        (configured, "configuration"),
        (DEFAULT_STORE, "default"),
    ):
        if path:
            return os.path.abspath(os.path.expanduser(path)), source
    raise AssertionError("the default is never empty")


def open_store(path: str, *, max_bytes: int | None = None, session_logs: str | None = None) -> Store:
    """The store at `path`: the sessions of every layout that there is.

    Args:
        max_bytes: files larger than this are `too-large` instead of read; None: the default limit.
        session_logs: the folder of what a program keeps of its sessions outside of the store; None: where the layout
            has it.

    Raises:
        NotFound: there is no such folder.
    """
    from .composed import ComposedStore
    from .layouts import layouts

    if not os.path.isdir(path):
        raise NotFound(f"no store at {path}: there is no such folder")
    known = [found.store for found in layouts() if found.store is not None]
    logs = None if session_logs is None else os.path.abspath(os.path.expanduser(session_logs))
    return ComposedStore(path, known, max_bytes=max_bytes, session_logs=logs)
