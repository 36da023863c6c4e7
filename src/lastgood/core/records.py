"""The lines of ``.lastgood/journal.jsonl``: what an action is about to do, and what became of it.

One JSON object a line, ASCII only, appended and synced. `intent` comes before the first change; `done` or `rolled-back`
after the last. Where there are several outcomes of one action, the last counts. The file may hold anything: whatever is
no record of ours is skipped and counted, never believed.
"""

from __future__ import annotations

import base64
import errno
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

from . import files, times
from .model import Action
from .origin import Origin
from .tree import Image, checked

FOLDER = ".lastgood"
"""The journal's folder in a store (DESIGN.md, "What restore means")."""
NAME = "journal.jsonl"
MOST_BYTES = 256 << 20
"""A journal of this size would tell of a hundred thousand actions; a larger one is none of ours and is not read."""
Outcomes = Literal["done", "rolled-back"]


@dataclass(frozen=True, slots=True)
class Change:
    """One path that an action changes. Paths are relative to the store."""

    op: Literal["create", "replace", "link", "remove"]
    path: str
    detail: str
    temp: str
    """Where the new content waits beside `path`, and after the swap what it displaced."""
    before: Image
    after: Image
    kept: str | None
    """What `path` was, kept in the action's folder; None where there was nothing."""


@dataclass(frozen=True, slots=True)
class FolderBefore:
    """A folder that an action works in, as it was."""

    path: str
    mtime_ns: int
    names: str
    """SHA-256 of its sorted names, each with a final NUL: when it holds just these again, it gets its time back."""


@dataclass(frozen=True, slots=True)
class Intent:
    """An action as it was about to begin."""

    id: str
    at: int
    origin: Origin
    kind: str
    sessions: tuple[str, ...]
    reason: str | None
    undoes: str | None
    facts: dict[str, str]
    changes: tuple[Change, ...]
    folders: tuple[FolderBefore, ...]
    set_times: tuple[tuple[str, int], ...]
    """Folders and the times they get at the end (an undo's)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an action."""

    id: str
    at: int
    state: Outcomes
    note: str | None = None
    after: dict[str, Image] = field(default_factory=dict)
    """What each path is at the end, as it was read back."""
    folders: dict[str, int] = field(default_factory=dict)
    """The modification times of the folders at the end."""
    left: tuple[str, ...] = ()
    """What could not be settled because somebody had written there, in sentences; then all that was kept stays."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One action: its intent, and its outcome if it has one."""

    intent: Intent
    outcome: Outcome | None

    @property
    def state(self) -> Literal["open", "done", "rolled-back"]:
        return "open" if self.outcome is None else self.outcome.state


@dataclass(frozen=True, slots=True)
class Ledger:
    """The whole journal, oldest action first."""

    entries: tuple[Entry, ...] = ()
    problem: str | None = None
    """Why some or all of it could not be read."""

    def undone(self) -> frozenset[str]:
        """The ids of the actions that a later one has taken back, and that has not been taken back itself."""
        gone: set[str] = set()
        for entry in reversed(self.entries):
            if entry.state == "done" and entry.intent.undoes is not None and entry.intent.id not in gone:
                gone.add(entry.intent.undoes)
        return frozenset(gone)

    def actions(self) -> list[Action]:
        undone = self.undone()
        return [action_of(entry, undone) for entry in self.entries]


def action_of(entry: Entry, undone: frozenset[str] = frozenset()) -> Action:
    """The entry as the log shows it, `undone` being what :meth:`Ledger.undone` says."""
    intent, outcome = entry.intent, entry.outcome
    return Action(
        id=intent.id,
        at=intent.at,
        user=intent.origin.user,
        host=intent.origin.host,
        ssh_from=intent.origin.ssh_from,
        op=intent.kind,
        sessions=intent.sessions,
        reason=intent.reason,
        state="undone" if entry.state == "done" and intent.id in undone else entry.state,
        facts=intent.facts | {c.path: f"{_told(c.before)} -> {_told(c.after)}" for c in intent.changes},
        note=outcome.note if outcome is not None else None,
    )


def _told(image: Image) -> str:
    match image.type:
        case "file":
            return f"sha256 {image.sha256}"
        case "symlink":
            return f"a link to {image.target}"
    return image.type


@dataclass(frozen=True, slots=True)
class _Lines:
    """What the whole lines of a journal hold, up to a byte."""

    end: int = 0
    count: int = 0
    intents: dict[str, Intent] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    bad: tuple[int, ...] = ()

    def with_more(self, raw: bytes) -> _Lines:
        """These lines and those of `raw`, which begins where these end. Nothing of this value is changed."""
        intents, outcomes, bad = dict(self.intents), dict(self.outcomes), list(self.bad)
        lines = raw.split(b"\n")
        for number, line in enumerate(lines, self.count + 1):
            if not line.strip():
                continue
            try:
                record = decode_line(line)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
                if number < self.count + len(lines) and not _is_torn(line):
                    bad.append(number)
                continue
            if isinstance(record, Outcome):
                outcomes[record.id] = record
            else:
                intents.setdefault(record.id, record)
        return _Lines(self.end + len(raw), self.count + len(lines) - 1, intents, outcomes, tuple(bad))

    def ledger(self, path: str) -> Ledger:
        problem = None
        if self.bad:
            some = ", ".join(map(str, self.bad[:5])) + (", …" if len(self.bad) > 5 else "")
            problem = f"{path}: {len(self.bad)} of its lines cannot be read: {some}"
        return Ledger(tuple(Entry(i, self.outcomes.get(i.id)) for i in self.intents.values()), problem)


_seen: dict[str, tuple[tuple[int, int], bytes, _Lines]] = {}
"""Per journal: the file (device and inode), its last whole line, and what its whole lines hold. It only ever grows."""


def read(folder: str) -> Ledger:
    """The journal in `folder` (``STORE/.lastgood``). Never raises: what cannot be read is its `problem`."""
    path = os.path.join(folder, NAME)
    try:
        fd = _open(path)
    except FileNotFoundError:
        return Ledger()
    except OSError as error:
        return Ledger((), f"{path} cannot be read: {files.words(error)}")
    try:
        st = os.fstat(fd)
        identity, last, lines = _seen.get(path, ((0, 0), b"", _Lines()))
        if identity != (st.st_dev, st.st_ino) or os.pread(fd, len(last), lines.end - len(last)) != last:
            lines = _Lines()
        raw = _rest_of(fd, lines.end)
    except OSError as error:
        return Ledger((), f"{path} cannot be read: {files.words(error)}")
    finally:
        os.close(fd)
    end = raw.rfind(b"\n") + 1
    if end:
        lines = lines.with_more(raw[:end])
        last = raw[raw.rfind(b"\n", 0, end - 1) + 1 : end]
        _seen[path] = ((st.st_dev, st.st_ino), last, lines)
    return lines.with_more(raw[end:]).ledger(path)


def _open(path: str) -> int:
    """Raises OSError, also for anything but a regular file."""
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)


def _rest_of(fd: int, start: int) -> bytes:
    """From `start` to the end, which may move while it is read: what is there so far is what counts."""
    if os.fstat(fd).st_size > MOST_BYTES:
        raise OSError(errno.EFBIG, f"it is larger than {MOST_BYTES} bytes")
    os.lseek(fd, start, os.SEEK_SET)
    parts = []
    left = MOST_BYTES
    while left > 0 and (part := os.read(fd, min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def decode(raw: bytes, path: str = NAME) -> Ledger:
    """The journal that these bytes hold. A torn last line is no problem: its action had not begun, or is still open."""
    return _Lines().with_more(raw).ledger(path)


def _is_torn(line: bytes) -> bool:
    """A line that a crash cut short and that a later record was put behind: it begins as ours do and lacks its end."""
    return line.startswith(b'{"type": "') and not line.endswith(b"}")


def encode_line(record: Intent | Outcome) -> bytes:
    """One record as its line, final line feed included."""
    kind = "intent" if isinstance(record, Intent) else "outcome"
    told = {"type": kind, **asdict(record), "at": times.rfc3339(record.at)}
    return json.dumps(told, ensure_ascii=True, default=_plain).encode("ascii") + b"\n"


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(type(value).__name__)


def decode_line(line: bytes) -> Intent | Outcome:
    """The record that a line holds. Raises ValueError, TypeError, KeyError or AttributeError for anything else."""
    told = json.loads(line)
    match told["type"]:
        case "intent":
            id = _identifier(told["id"])
            return Intent(
                id=id,
                at=times.parse_rfc3339(told["at"]),
                origin=_origin(told["origin"]),
                kind=_text(told["kind"]),
                sessions=tuple(_text(s) for s in told["sessions"]),
                reason=_text_or_none(told["reason"]),
                undoes=_text_or_none(told["undoes"]),
                facts={_text(k): _text(v) for k, v in told["facts"].items()},
                changes=tuple(_change(c, id, n) for n, c in enumerate(told["changes"])),
                folders=tuple(
                    FolderBefore(_folder(f["path"]), _number(f["mtime_ns"]), _text(f["names"])) for f in told["folders"]
                ),
                set_times=tuple((_folder(path), _number(ns)) for path, ns in told["set_times"]),
            )
        case "outcome":
            if told["state"] not in ("done", "rolled-back"):
                raise ValueError("state")
            return Outcome(
                id=_identifier(told["id"]),
                at=times.parse_rfc3339(told["at"]),
                state=cast(Outcomes, told["state"]),
                note=_text_or_none(told["note"]),
                after={checked(_text(path)): _image(image) for path, image in told["after"].items()},
                folders={_folder(path): _number(ns) for path, ns in told["folders"].items()},
                left=tuple(_text(said) for said in told["left"]),
            )
    raise ValueError("type")


def _change(told: Mapping[str, Any], action: str, number: int) -> Change:
    if told["op"] not in ("create", "replace", "link", "remove"):
        raise ValueError("op")
    change = Change(
        op=told["op"],
        path=checked(_text(told["path"])),
        detail=_text(told["detail"]),
        temp=_text(told["temp"]),
        before=_image(told["before"]),
        after=_image(told["after"]),
        kept=_text_or_none(told["kept"]),
    )
    # Whoever settles or undoes removes and renames these: only names that this program gives are taken.
    if change.path.partition("/")[0] == FOLDER or change.temp != temp_path(change.path, action, number):
        raise ValueError("path")
    if change.kept not in (None, kept_path(action, number)):
        raise ValueError("kept")
    return change


def temp_path(path: str, action: str, number: int) -> str:
    """Where the `number`-th change of an action stages what will be at `path`."""
    parent, slash, _ = path.rpartition("/")
    return f"{parent}{slash}.tmp_lastgood_{action}_{number}"


def action_folder(action: str) -> str:
    return f"{FOLDER}/actions/{action}"


def kept_path(action: str, number: int) -> str:
    """Where an action keeps what its `number`-th change replaces."""
    return f"{action_folder(action)}/{number}"


def _image(told: Mapping[str, Any]) -> Image:
    if told["type"] not in ("absent", "file", "symlink", "folder", "other"):
        raise ValueError("image")
    xattrs = told["xattrs"]
    return Image(
        type=told["type"],
        sha256=_text_or_none(told["sha256"]),
        size=_number_or_none(told["size"]),
        mode=_number_or_none(told["mode"]),
        uid=_number_or_none(told["uid"]),
        gid=_number_or_none(told["gid"]),
        mtime_ns=_number_or_none(told["mtime_ns"]),
        target=_text_or_none(told["target"]),
        xattrs=None if xattrs is None else tuple((_text(n), base64.b64decode(v, validate=True)) for n, v in xattrs),
    )


def _origin(told: Mapping[str, Any]) -> Origin:
    return Origin(
        _text(told["user"]),
        _text(told["host"]),
        _text_or_none(told["ssh_from"]),
        _number(told["pid"]),
        _text(told["version"]),
    )


def _identifier(value: object) -> str:
    """An action's id names its folder, so it must be no path."""
    text = _text(value)
    if not text.replace("_", "").isalnum() or not text.isascii():
        raise ValueError("id")
    return text


def _folder(value: object) -> str:
    return value if value == "" and isinstance(value, str) else checked(_text(value))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**63:
        raise TypeError("number")
    return value


def _number_or_none(value: object) -> int | None:
    return None if value is None else _number(value)
