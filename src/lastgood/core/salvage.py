"""The longest part of an unreadable checkpoint that can be read, as a new checkpoint that says what it is.

What is kept is a prefix of the original by meaning, and nothing else: whole fields, and of the field in which the
file stops whole elements (messages, calls) or members. A message, number or string that is cut off is dropped whole.
A seam between two files ends it, if it shows: where the text reads on across it in order, nothing can tell. Where a
spliced file, or one with rubbish behind its end, holds a document whose own digest still holds, that is it.

Fields that the runtime's load needs and that were not reached get a value that claims nothing (:data:`ASSUMED`);
each is named in the plan's warnings and in the new file, under ``salvaged``.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from . import checksum, faults, files, serde
from .errors import Refused
from .model import ABSENT, FileKind, Integrity, Plan, Session, Step, StoredFile, Survey
from .names import time_in_name
from .reseal import changes, with_stable_floats
from .scan import Stop, scan
from .shape import FIELDS, misfits
from .store import Store, newest_first
from .times import now_ns, rfc3339
from .words import command

TRIGGER: Final = "salvaged"
ASSUMED: Final[Mapping[str, object]] = {
    "cost_estimate": 0.0,
    "iteration": 0,
    "resume_hint": None,
    "tokens_used": 0,
    "tool_calls_pending": [],
    "tool_results": {},
}
"""What stands for a field that was not reached; ``session_id`` and ``created_at`` come from the names on disk."""
_NS = 10**9
_ENVELOPE = (checksum.CHECKSUM_KEY, checksum.VERSION_KEY)
_OURS = ("salvaged_from", "salvaged")
_STOPS_BY_GRAMMAR = frozenset({"truncated", "nul-run", "malformed"})


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What can be read of an unreadable checkpoint.

    Attributes:
        value: the fields kept, as they were; `_checksum` and `_version` left out.
        lost: one sentence, in numbers.
        problem: what is wrong with the original, as :func:`lastgood.core.diagnose.parse_problem` says it.
        first, last: the bytes that `value` was read from, `last` not included.
        whole: a whole document whose own digest holds.
        missing: fields of the runtime's struct that are not in `value`.
    """

    value: dict[str, object]
    lost: str
    problem: str
    first: int
    last: int
    whole: bool
    missing: tuple[str, ...]

    @property
    def messages(self) -> int:
        kept = self.value.get("messages")
        return len(kept) if isinstance(kept, list) else 0


def salvage(raw: bytes) -> Salvaged:
    """The longest readable part of a checkpoint's bytes.

    Raises:
        Refused: the file can be read as it is, or nothing worth keeping can.
    """
    if checksum.verify(raw).integrity is not Integrity.UNPARSEABLE:
        raise Refused("the file reads to its end: nothing of it is cut off, so there is nothing to salvage")
    fault = _fault(raw)
    problem = faults.find(raw, fault)
    if problem.word == "encoding":
        return _recoded(raw, problem)
    whole = _whole_document(raw, problem)
    if whole is not None:
        return whole
    stop = scan(raw) if problem.word in _STOPS_BY_GRAMMAR else scan(raw, end=problem.byte)
    if stop.complete:
        raise Refused("it holds a whole document whose digest fails: sealed anew, it would pass for what it is not")
    seam = faults.seam(raw)
    if seam is not None and seam[0] < stop.cut:
        stop = scan(raw, end=seam[0])
    return _prefix(raw, stop, problem)


def _fault(raw: bytes) -> serde.ParseFault:
    try:
        serde.parse(raw)
    except serde.ParseFault as fault:
        return fault
    raise AssertionError("unparseable, and it parses")


def _recoded(raw: bytes, problem: faults.Problem) -> Salvaged:
    """The same text in UTF-8: all of it where that is what keeps it from being read, else what can be read of it."""
    told = faults.encoding(raw)
    assert told is not None
    try:
        text = codecs.getincrementaldecoder(told[0])().decode(raw).removeprefix("\ufeff").encode()
    except UnicodeError as error:
        raise Refused(f"{problem.sentence}, and it cannot be read as that either: {error}") from None
    seen = checksum.verify(text)
    if seen.integrity is Integrity.VALID and seen.value is not None:
        return _salvaged(seen.value, problem, 0, len(raw), len(raw), whole=True)
    kept = salvage(text)
    first, last = (
        len(text[:byte].decode("utf-8", "ignore").encode(told[0])) if byte else 0 for byte in (kept.first, kept.last)
    )
    return _salvaged(kept.value, problem, first, min(last, len(raw)), len(raw), whole=kept.whole)


def _whole_document(raw: bytes, problem: faults.Problem) -> Salvaged | None:
    """The document in the file whose own digest holds; of two the one made later."""
    if problem.word not in ("spliced", "trailing", "nul-run"):
        return None
    found = []
    for first, last in ((0, problem.byte), (problem.byte, len(raw))):
        seen = checksum.verify(raw[first:last])
        if seen.integrity is Integrity.VALID and seen.value is not None:
            made = checksum.header(seen.value).created_at or 0
            found.append((made, _salvaged(seen.value, problem, first, last, len(raw), whole=True)))
    return max(found, key=lambda f: f[0])[1] if found else None


def _prefix(raw: bytes, stop: Stop, problem: faults.Problem) -> Salvaged:
    value: object = None
    while stop.closers:
        try:
            value = serde.parse_exactly(raw[: stop.cut] + stop.closers)
            break
        except serde.ParseFault as fault:  # a number or a surrogate that the runtime refuses, before the damage
            stop = scan(raw, end=min(fault.offset, stop.cut - 1))
    if not isinstance(value, dict):
        raise Refused(f"nothing of it can be kept: {problem.sentence}")
    kept = _salvaged(value, problem, 0, stop.cut, len(raw), whole=False)
    if kept.messages == 0:
        raise Refused(f"nothing worth keeping can be read: {problem.sentence}, before its first message ends")
    return kept


def _salvaged(
    value: dict[str, object], problem: faults.Problem, first: int, last: int, size: int, *, whole: bool
) -> Salvaged:
    fields = {k: v for k, v in value.items() if k not in _ENVELOPE}
    missing = tuple(f for f in FIELDS if f not in fields)
    kept = fields.get("messages")
    messages = len(kept) if isinstance(kept, list) else 0
    what = "a whole document, its digest holds" if whole else f"{_count(messages, 'message')}, {len(fields)} fields"
    rest = size - (last - first)
    lost = f"kept: {what} (bytes {first} to {last - 1} of {size}); lost: {_count(rest, 'byte')}"
    if missing:
        lost += f", {_count(len(missing), 'field')}: {', '.join(missing)}"
    return Salvaged(fields, lost, problem.sentence, first, last, whole, missing)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def plan_salvage(store: Store, session: Session, survey: Survey, file: StoredFile) -> Plan:
    """Write the readable part of `file` as a new checkpoint of its session, marked and sealed.

    It gets a modification time older than every other checkpoint's, so that the runtime goes on resuming from what it
    would have resumed from; only a restore makes it the one. Where the runtime accepts nothing at all, the plan warns
    that this file is now what it finds.

    Raises:
        Refused: the file reads well, nothing of it can be kept, the runtime could not load what is kept, the
            runtime would take it instead of a backup, or the folder is a symlink.
        NotFound: the file cannot be read.
    """
    _refuse_links(session, survey)
    raw = store.read(file)
    kept = salvage(raw)
    source = files.stamp(file.path)
    warnings = [kept.lost, *_standing(store, session, survey)]
    now = now_ns()
    new_id = os.urandom(4).hex()
    value, assumed = _complete(kept, session, file)
    owner = value["session_id"]
    if owner != session.name:
        warnings.append(f"session_id is {owner}: another session's, so restoring it needs --foreign")
    for field, says in assumed.items():
        warnings.append(f"{field} was not reached: {says}")
    if "tool_calls_pending" in assumed:
        warnings.append("which tool calls were pending is not known")
    exact = value
    value = with_stable_floats(exact)
    warnings += [f"{path} becomes {new}, as the runtime reads {old}" for path, old, new in changes(exact, value)]
    original = {k: value[k] for k in ("checkpoint_id", "trigger", *_OURS) if k in kept.value}
    value |= {
        "checkpoint_id": new_id,
        "trigger": TRIGGER,
        "salvaged_from": file.name,
        "salvaged": {
            "problem": kept.problem,
            "lost": kept.lost,
            "bytes": [kept.first, kept.last],
            "size": len(raw),
            "sha256": sha256(raw).hexdigest(),
            "at": rfc3339(now),
            "assumed": assumed,
            "original": original,
        },
    }
    data = _sealed(value)
    path = os.path.join(survey.folder, f"cp_{datetime.fromtimestamp(now // _NS, UTC):%Y%m%d_%H%M%S}_{new_id}.json")
    detail = f"the readable part of {file.name}: {_count(kept.messages, 'message')}, iteration {value['iteration']}"
    return Plan(
        kind="salvage",
        sessions=(session.name,),
        steps=(
            Step(
                op="create",
                path=path,
                detail=detail,
                before=ABSENT,
                content=data,
                mtime_ns=_last_in_line(survey, file),
                mode=source.mode & 0o777 if source.type == "file" else None,
            ),
        ),
        reads=((file.path, source),),
        warnings=tuple(warnings),
        facts={
            "salvaged_from": file.name,
            "salvaged_path": path,
            "source_sha256": sha256(raw).hexdigest(),
            "checkpoint_id": new_id,
            "problem": kept.problem,
            "lost": kept.lost,
        },
    )


def _refuse_links(session: Session, survey: Survey) -> None:
    if session.linked is not None:
        raise Refused(f"the folder of {session.name} is a symlink to {session.linked}: nothing is written through it")
    if os.path.islink(survey.folder):
        raise Refused(f"{survey.folder} is a symlink: nothing is written through it")


def _standing(store: Store, session: Session, survey: Survey) -> list[str]:
    """What the new file means for what the runtime would resume from: nothing, where it accepts a checkpoint."""
    if any(store.verify(f).runtime_accepts for f in newest_first(survey.of(FileKind.CHECKPOINT))):
        return []
    backup = next((f for f in survey.of(FileKind.BACKUP) if store.verify(f).runtime_accepts), None)
    if backup is not None:
        raise Refused(
            f"the runtime would take the salvaged checkpoint instead of {backup.name}, the only thing that it accepts"
            f" now: make that a checkpoint first ({command('restore', session.name, backup.name)}), then salvage"
        )
    return ["the runtime accepts no other restore point of this session: its recovery will find this one"]


def _complete(kept: Salvaged, session: Session, file: StoredFile) -> tuple[dict[str, object], dict[str, str]]:
    """The fields kept, with those that the runtime's load needs beside them; and of each such what stands for it."""
    value = dict(kept.value)
    assumed: dict[str, str] = {}
    for field in kept.missing:
        if field in ASSUMED:
            value[field] = ASSUMED[field]
            assumed[field] = f"written as {serde.canonical(ASSUMED[field]).decode()}, unknown"
        elif field == "session_id":
            value[field] = session.name
            assumed[field] = "taken from the folder's name"
        elif field == "created_at":
            named = time_in_name(file.name)
            value[field] = rfc3339(named if named is not None else file.mtime_ns)
            assumed[field] = f"taken from the file's {'name' if named is not None else 'modification time'}"
        elif field == "messages":
            value[field] = []
            assumed[field] = "written as [], unknown"
    return value, assumed


def _sealed(value: dict[str, object]) -> bytes:
    wrong = [f"{name} {why}" for name, why in misfits(value)]
    if wrong:
        raise Refused(f"the runtime could not load what can be kept: {', '.join(wrong)}")
    data = checksum.seal(value)
    seen = checksum.verify(data)
    if not seen.runtime_accepts:
        raise Refused(f"the runtime would refuse what can be kept: {seen.runtime_reason}")
    return data


def _last_in_line(survey: Survey, file: StoredFile) -> int:
    """A second before the oldest checkpoint: recovery goes by modification time, newest first."""
    return min((f.mtime_ns for f in survey.of(FileKind.CHECKPOINT)), default=file.mtime_ns) - _NS


def check_salvaged(store: Store, plan: Plan) -> str | None:
    """After the plan was applied: None if the new file is one that the runtime accepts, else what it is."""
    (step,) = plan.steps
    survey = store.survey(store.session(plan.sessions[0]))
    for file in survey.files:
        if file.path == step.path:
            point = store.verify(file)
            return None if point.runtime_accepts else f"{step.path} does not verify: {point.runtime_reason}"
    return f"{step.path} is not there"
