"""The values that every part of lastgood passes on: what is on disk, what it means, what will be done.

All times are integers: nanoseconds since 1970-01-01T00:00:00Z. All sizes are bytes. Strings read from disk are
raw here: whoever shows one passes it through :mod:`lastgood.core.sanitise` first.

Named tuples, not dataclasses: there are tens of thousands of them, each made in a quarter of the time, and a command
that needs neither starts without the 30 ms that importing ``dataclasses`` and defining these frozen took. Where many
are defined annotations are no strings: each string is compiled, which doubles what a definition costs.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, NamedTuple

_NOTHING: Mapping[str, str] = MappingProxyType({})


class State(StrEnum):
    """What a session's files say of it, without any judgement (CLI.md, ``list``)."""

    ACTIVE = "active"
    TERMINATED = "terminated"
    UNTRACKED = "untracked"
    """There is no metadata beside its checkpoints."""
    DAMAGED = "damaged"
    """There is metadata and it cannot be read."""


class Verdict(StrEnum):
    """What probably happened to a session: a judgement, always with its evidence."""

    CRASHED = "crashed"
    DAMAGED = "damaged"
    UNCERTAIN = "uncertain"
    LIVE = "live"
    UNTRACKED = "untracked"
    RESTORED = "restored"
    ENDED = "ended"


WORST_FIRST: tuple[Verdict, ...] = tuple(Verdict)
"""The order of the triage view: the members above are listed worst first."""


class FileKind(StrEnum):
    """What a file in a ``checkpoints`` folder is (CLI.md, ``verify``)."""

    CHECKPOINT = "checkpoint"
    BACKUP = "backup"
    LATEST = "latest"
    """What the runtime opens as the latest, where it is a file; as a symlink it is a pointer, not a file of its own."""
    ORPHAN = "orphan"
    """A temporary file: its writer died between write and rename."""


class Integrity(StrEnum):
    """The answer to "is this file what some build of the crate wrote?" (FORMAT.md, "The checksum")."""

    VALID = "valid"
    MISMATCH = "mismatch"
    NO_CHECKSUM = "no-checksum"
    NO_VERSION = "no-version"
    VERSION = "version"
    NOT_OBJECT = "not-object"
    UNPARSEABLE = "unparseable"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too-large"
    NOT_RECORDED = "not-recorded"
    """The layout keeps no checksum: the file reads well and has the shape, and that is all that can be said."""

    @property
    def word(self) -> str:
        """The contract's word for it (CLI.md, ``verify``), which has none of its own for the last."""
        return Integrity.NO_CHECKSUM if self is Integrity.NOT_RECORDED else self


class Meta(NamedTuple):
    """What a runtime keeps of a session beside its checkpoints, as it reads it itself (FORMAT.md)."""

    session_id: str
    is_active: bool
    termination_reason: str | None
    last_updated: int
    last_iteration: int


class TaskState(NamedTuple):
    """The task's status beside the session's (FORMAT.md)."""

    session_id: str
    status: str
    """One of Running, Paused, Completed, Error."""
    completed: bool
    iteration: int
    last_updated: int
    task_description: str | None

    @property
    def interrupted(self) -> bool:
        """The crate's ``detect_interrupted_sessions``."""
        return self.status == "Running" and not self.completed


class Session(NamedTuple):
    """One session of the store, from a listing and the small files beside its restore points alone."""

    name: str
    """What every command calls it: the folder's name, with more behind a slash where a folder holds several."""
    path: str
    state: State
    meta: Meta | None = None
    meta_problem: str | None = None
    """Why its metadata cannot be read, in the crate's words where it has any."""
    task: TaskState | None = None
    linked: str | None = None
    """Where the session's folder leads if it is a symlink: shown, never written through."""
    problems: tuple[str, ...] = ()
    layout: str = ""
    """The name of the layout that it is stored in."""
    state_says: str = ""
    """Why `state` is untracked or damaged, in a sentence."""
    records_end: bool = True
    """Whether its layout records that a session is active or has ended; where not, only traces tell."""
    folder_for: Callable[[str], str] = str
    """The folder's name for a session's id: the layout may allow fewer characters in it."""
    meta_file: str = ""
    """What its layout calls the file of `meta` in its folder, which need not be there; "": it has none."""
    task_file: str = ""
    """The same of `task`."""

    @property
    def plain_name(self) -> str:
        """Its name without the layout's, which it has only while another layout has a session in the same entry."""
        return self.name.removesuffix(f"/{self.layout}")

    @property
    def folder(self) -> str:
        """The name of the folder, or of the file, that holds it: `name` can say more, where that holds several."""
        return self.path.rpartition("/")[2]

    @property
    def unclean(self) -> bool:
        """The crate's ``detect_unclean_shutdown`` for this one session."""
        return self.meta is not None and self.meta.is_active and self.meta.termination_reason is None

    @property
    def interrupted(self) -> bool | None:
        """The crate's rule on the task's status; None where there is none that can be read."""
        return None if self.task is None else self.task.interrupted


class StoredFile(NamedTuple):
    """One restore point on disk, from its directory entry and stat: nothing of it has been read."""

    path: str
    """No other restore point has the same; of one that is no file of its own, more behind the path of its file."""
    kind: FileKind
    size: int
    mtime_ns: int
    ctime_ns: int
    device: int
    inode: int
    link: str | None = None
    """The target's text where the entry is a symlink (sizes and times are then the target's)."""
    problem: str | None = None
    """Why it must not be opened: not a regular file, leads out of the folder, vanished."""
    layout: str = ""
    """The name of the layout that it belongs to."""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


class SessionLog(NamedTuple):
    """What a program keeps of a session beside its checkpoints, as a list shows it. It is never changed."""

    path: str
    size: int
    mtime_ns: int
    created_at: int | None = None
    messages: int | None = None
    """How many messages there are."""
    tools_used: int | None = None
    """How many uses of a tool."""
    tokens_used: int | None = None
    cost_estimate: float | None = None
    last_at: int | None = None
    """When the last message was said."""
    last_role: str | None = None
    last_content: str | None = None
    problem: str | None = None
    """Why nothing of it is known, in words."""


class LatestLink(NamedTuple):
    """What the runtime opens as the latest, where it is a symlink."""

    path: str
    target: str
    """The link's text as stored."""
    resolves_to: str | None
    """The path of the file in the same folder that it names; None where it dangles or leads elsewhere."""
    problem: str | None = None
    """`dangling`, `leads out of the folder`, … in words; None where all is well."""


class Evidence(NamedTuple):
    """One fact that bears on a verdict."""

    kind: str
    """`flags`, `task`, `idle`, `rhythm`, `boot`, `temp-file`, `process`, `journal`, …"""
    says: str
    """What it points to: `crashed`, `live`, `ended`, `damaged`, … or `unclear`."""
    detail: str
    """One sentence."""


class Survey(NamedTuple):
    """What one session's ``checkpoints`` folder holds, in the folder's own order (the crate's tie-break)."""

    folder: str
    files: tuple[StoredFile, ...] = ()
    latest: LatestLink | None = None
    leftovers: tuple[str, ...] = ()
    """Names of temporary files that hold no restore point: they tell that a writer died."""
    problem: str | None = None
    """Why the folder could not be listed, or None."""
    lacks: str | None = None
    """What the runtime keeps beside the checkpoints and is not there, in a sentence."""
    signs: tuple[Evidence, ...] = ()
    """What the layout's own look at it says of the session's fate."""

    def of(self, *kinds: FileKind) -> tuple[StoredFile, ...]:
        """The files of these kinds, in the folder's order."""
        return tuple([f for f in self.files if f.kind in kinds])

    @property
    def bytes(self) -> int:
        return sum(f.size for f in self.files)


HEADER_TEXT = 2_000
"""Characters of a text that a header keeps: no list shows more, and a file may hold a hundred million."""


def brief(text: str) -> str:
    """`text` as a header keeps it; where it is longer, an ellipsis says so."""
    return text if len(text) <= HEADER_TEXT else text[: HEADER_TEXT - 1] + "…"


class Header(NamedTuple):
    """The fields of a checkpoint that a list shows. A field that is absent or of another type is None.

    Texts are :func:`brief`.
    """

    checkpoint_id: str | None = None
    session_id: str | None = None
    trigger: str | None = None
    created_at: int | None = None
    iteration: int | None = None
    messages: int | None = None
    """How many messages there are."""
    pending: int | None = None
    """How many tool calls had been issued and not answered."""
    tokens_used: int | None = None
    cost_estimate: float | None = None
    resume_hint: str | None = None


class Checkpoint(NamedTuple):
    """One file looked at: both answers on it, and its header where it has one."""

    file: StoredFile
    integrity: Integrity
    reason: str | None
    """None when valid; the crate's exact words for its six refusals; else what is wrong and where."""
    runtime_accepts: bool
    runtime_reason: str | None
    expected: str | None = None
    """The digest that the file carries."""
    actual: str | None = None
    """The digest of what it holds, read exactly and printed as the newer crate prints."""
    header: Header = Header()
    content_sha256: str | None = None
    """SHA-256 of the file's bytes as they are: tells duplicates and pins a plan to what was shown."""

    @property
    def valid(self) -> bool:
        return self.integrity in (Integrity.VALID, Integrity.NOT_RECORDED)


class PassedOver(NamedTuple):
    """A file that recovery looked at before its choice, and why it did not take it."""

    path: str
    integrity: Integrity
    reason: str


class Recovery(NamedTuple):
    """What the crate's ``recover_session`` returns, with what it never says."""

    session: str
    chosen: Checkpoint | None
    recovered_from_backup: bool
    passed_over: tuple[PassedOver, ...]


class Stamp(NamedTuple):
    """What a path was when it was looked at: enough to tell that it has changed since."""

    type: Literal["absent", "file", "symlink", "folder", "other"]
    device: int = 0
    inode: int = 0
    size: int = 0
    mtime_ns: int = 0
    mode: int = 0
    uid: int = 0
    gid: int = 0
    target: str | None = None


ABSENT = Stamp("absent")


class CopyOf(NamedTuple):
    """Content taken, byte for byte, from another file when the plan is applied."""

    path: str
    sha256: str
    size: int


class LinkTo(NamedTuple):
    """A symlink with this text."""

    target: str


class Step(NamedTuple):
    """One change of one path. `before` is what the path was when the plan was made."""

    op: Literal["create", "replace", "link", "remove"]
    path: str
    detail: str
    before: Stamp
    content: bytes | CopyOf | LinkTo | None
    """None for `remove`."""
    mtime_ns: int | None = None
    """The modification time to give; None: whatever the clock says."""
    mode: int | None = None
    """Permission bits to give; None: those of the file it replaces, else 0600."""
    owner: tuple[int, int] | None = None
    """uid and gid to give; None: those of the file it replaces, else of its folder."""
    xattrs: tuple[tuple[str, bytes], ...] | None = None
    """Extended attributes to give (access lists among them); None: those of the file it replaces."""


class Plan(NamedTuple):
    """What an action will do, computed and not done. Applying it is :mod:`lastgood.core.journal`'s."""

    kind: Literal["restore", "terminate", "activate", "undo", "salvage", "repair"]
    sessions: tuple[str, ...]
    steps: tuple[Step, ...]
    reads: tuple[tuple[str, Stamp], ...] = ()
    """Paths that the plan depends on beside those it changes, as they were."""
    warnings: tuple[str, ...] = ()
    reason: str | None = None
    undoes: str | None = None
    """The id of the action that this one takes back."""
    facts: Mapping[str, str] = _NOTHING
    """What the audit should keep: the checkpoint chosen, digests before and after, …"""
    folders: tuple[tuple[str, int], ...] = ()
    """Folders and the modification time that each gets once all steps are done: an undo gives back these too."""


class Action(NamedTuple):
    """One entry of the journal (CLI.md, ``log``)."""

    id: str
    at: int
    user: str
    host: str
    ssh_from: str | None
    op: str
    sessions: tuple[str, ...]
    reason: str | None
    state: Literal["open", "done", "undone", "rolled-back"]
    facts: Mapping[str, str] = _NOTHING
    note: str | None = None
