"""What exactly is wrong with a file, in one word and one sentence, with the place and the bytes around it.

Strings from the file stand in the sentences raw; only `excerpt` is safe to show as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from . import checksum, faults, serde
from .model import Checkpoint, FileKind, Integrity
from .names import id_in_name, session_folder, time_in_name
from .plausible import Suspect, suspects
from .sanitise import clean
from .shape import kind_of, misfits

FUTURE_NS = 60 * 10**9
"""Clocks of two hosts differ; only what is more than this ahead is from the future."""
_AROUND = 24
"""Bytes shown on either side of the place."""
_BYTES = re.compile("([\udc80-\udcff]+)")
_BLOCK = 512
"""File systems write whole blocks of this many bytes, or a multiple."""
_FLIP_NIBBLES = 4
"""Two digests that agree in all but so few digits are one digest with damage in it."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something else that holds for the same file."""

    word: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong with one file; `ok` where nothing is.

    Attributes:
        word: `truncated`, `nul-run`, `bad-utf8`, `spliced`, `trailing`, `encoding`, `empty`, `too-deep`,
            `number-range`, `lone-surrogate`, `malformed`, `unreadable`, `too-large`, `not-object`, `no-checksum`,
            `no-version`, `changed`, `version-edited`, `refused-by-runtime`, `ill-typed`, `foreign`, `renamed`,
            `future`, `duplicate`, `ok`.
        byte: offset from 0; with `line` and `column` (from 1, in bytes) None where there is no one place.
        excerpt: the bytes around the place, safe to show, `▸` before the byte in question; "" without a place.
        fields: jq paths of the values in question.
        notes: what else holds.
    """

    word: str
    sentence: str
    byte: int | None = None
    line: int | None = None
    column: int | None = None
    excerpt: str = ""
    fields: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


def parse_problem(raw: bytes, fault: serde.ParseFault) -> str:
    """What is wrong with bytes that cannot be read, and where, in the forms of CLI.md (``verify``, `reason`)."""
    return faults.find(raw, fault).sentence


def diagnose(
    raw: bytes,
    point: Checkpoint,
    neighbours: Sequence[tuple[Checkpoint, Mapping[str, object]]] = (),
    *,
    now_ns: int | None = None,
) -> Diagnosis:
    """What is wrong with a file.

    Args:
        raw: its bytes; b"" where it could not be read.
        neighbours: other checkpoints of the same session with what they hold; the nearest valid ones on either side
            tell which field of a changed file cannot be so, and a copy of the same content makes it a duplicate.
        now_ns: the time against which a time is in the future; None: the clock's.
    """
    if point.integrity in (Integrity.UNREADABLE, Integrity.TOO_LARGE):
        return Diagnosis(point.integrity.value, point.reason or "it cannot be read")
    try:
        value = serde.parse_exactly(raw)
    except serde.ParseFault as fault:
        return _unparseable(raw, fault)
    if not isinstance(value, dict):
        return Diagnosis("not-object", f"the document is {kind_of(value)}, a checkpoint is an object", 0, 1, 1)
    found = [*_integrity(raw, point, value, neighbours), *_about(point, value, neighbours, _now(now_ns))]
    if not found:
        return Diagnosis("ok", "the digest holds and the runtime accepts it")
    first, *others = found
    return replace(first, notes=tuple(Note(d.word, d.sentence) for d in others))


def diagnose_text(raw: bytes, point: Checkpoint) -> Diagnosis:
    """What is wrong with a file of which nothing but its text and its verdict is known."""
    if point.integrity is Integrity.UNPARSEABLE:
        try:
            serde.parse(raw)
        except serde.ParseFault as fault:
            return _unparseable(raw, fault)
    if point.valid:
        return Diagnosis("ok", point.reason or "the digest holds and the runtime accepts it")
    return Diagnosis(point.integrity.value, point.reason or "it cannot be read")


def excerpt(raw: bytes, byte: int) -> str:
    """The bytes around `byte`, safe to show, with `▸` before it."""
    before, after = raw[max(0, byte - _AROUND) : byte], raw[byte : byte + _AROUND]
    left = "…" if byte > _AROUND else ""
    right = "…" if byte + _AROUND < len(raw) else ""
    return f"{left}{_shown(before)}▸{_shown(after)}{right}"


def _shown(piece: bytes) -> str:
    """Text cleaned, bytes that are none as ``\\xff``, a long run of NULs as its first."""
    runs = re.sub(rb"\0{4,}", b"\0", piece)
    parts = _BYTES.split(runs.decode("utf-8", "surrogateescape"))
    return "".join("".join(f"\\x{ord(c) - 0xDC00:02x}" for c in p) if i % 2 else clean(p) for i, p in enumerate(parts))


def _now(now_ns: int | None) -> int:
    if now_ns is not None:
        return now_ns
    from .times import now_ns as clock

    return clock()


def _at(raw: bytes, byte: int, word: str, sentence: str, fields: tuple[str, ...] = ()) -> Diagnosis:
    line, column = faults.place(raw, byte)
    return Diagnosis(word, sentence, byte, line, column, excerpt(raw, byte), fields)


def _unparseable(raw: bytes, fault: serde.ParseFault) -> Diagnosis:
    problem = faults.find(raw, fault)
    inside = f", in {problem.path}" if problem.path else ""
    fields = (problem.path,) if problem.path else ()
    shown = excerpt(raw, problem.byte) if raw else ""
    return Diagnosis(problem.word, problem.sentence + inside, problem.byte, problem.line, problem.column, shown, fields)


def _integrity(
    raw: bytes,
    point: Checkpoint,
    value: dict[str, object],
    neighbours: Sequence[tuple[Checkpoint, Mapping[str, object]]],
) -> list[Diagnosis]:
    """What the checksum, its fields and the runtime's verifier say."""
    match point.integrity:
        case Integrity.UNPARSEABLE:
            return [_beyond_the_runtime(raw)]
        case Integrity.NO_CHECKSUM:
            return [_no_checksum(value)]
        case Integrity.NO_VERSION:
            holds = "; the digest still holds" if _digest_holds(value) else ""
            return [Diagnosis("no-version", f"there is no `_version`{holds}", fields=("._version",))]
        case Integrity.VERSION:
            return [_version(raw, value)]
        case Integrity.MISMATCH:
            return [_changed(raw, point, value, neighbours)]
    return [] if point.runtime_accepts else [_refused(raw, point)]


def _beyond_the_runtime(raw: bytes) -> Diagnosis:
    """Read exactly it is JSON; the runtime's own reading fails."""
    try:
        serde.parse(raw)
    except serde.ParseFault as fault:
        return _unparseable(raw, fault)
    return Diagnosis("malformed", "it could not be read when it was verified; it can now")


def _digest_holds(value: dict[str, object]) -> bool:
    return value.get(checksum.CHECKSUM_KEY) in (checksum.digest(value), checksum.digest(value, "e"))


def _no_checksum(value: dict[str, object]) -> Diagnosis:
    for key, held in value.items():
        if isinstance(held, str) and re.fullmatch("[0-9a-fA-F]{64}", held):
            says = f"there is no `_checksum`, and a digest under the key {key}: the key was changed"
            return Diagnosis("no-checksum", says, fields=("._checksum",))
    return Diagnosis("no-checksum", "there is no `_checksum`", fields=("._checksum",))


def _version(raw: bytes, value: dict[str, object]) -> Diagnosis:
    found = value.get(checksum.VERSION_KEY)
    says = f'`_version` is "{found}"' if isinstance(found, str) else f"`_version` is {kind_of(found)}"
    byte = max(raw.find(b'"_version"'), 0)
    if _digest_holds(value):
        says += ', not "1.0", and the digest still holds: `_version` alone was edited'
        return _at(raw, byte, "version-edited", says, ("._version",))
    return _at(raw, byte, "changed", says + ', not "1.0", and the digest does not hold either', ("._version",))


def _changed(
    raw: bytes,
    point: Checkpoint,
    value: dict[str, object],
    neighbours: Sequence[tuple[Checkpoint, Mapping[str, object]]],
) -> Diagnosis:
    """Which value was changed: proved by the checksum, else told by the keys or the neighbours, else not to be told."""
    expected = point.expected or ""
    if _same_but_damaged(expected, checksum.digest(value)):
        byte = max(raw.find(b'"_checksum"'), 0)
        says = "`_checksum` itself was changed: it is nearly the digest of the content, which is whole"
        return _at(raw, byte, "changed", says, ("._checksum",))
    if not re.fullmatch("[0-9a-fA-F]{64}", expected):
        byte = max(raw.find(b'"_checksum"'), 0)
        says = "`_checksum` is no SHA-256 digest, so nothing tells whether the content is as it was written"
        return _at(raw, byte, "changed", says, ("._checksum",))
    proved = _proved(raw, expected)
    if proved is not None:
        return proved
    seam = faults.seam(raw)
    if seam is not None:
        byte, key = seam
        line, column = faults.place(raw, byte)
        says = f"line {line} column {column}: two files are spliced: the key {key} comes again, or too late"
        return _at(raw, byte, "spliced", says, (f".{key}",))
    border = _cut_together(raw, value, neighbours)
    if border is not None:
        byte, name = border
        line, column = faults.place(raw, byte)
        says = f"two saves cut together at a block's border: from byte {byte} on it is {name}"
        return _at(raw, byte, "spliced", f"line {line} column {column}: {says}")
    before, after = _nearest(point, neighbours)
    doubtful = suspects(value, before, after, point.file.name if point.file.kind is FileKind.CHECKPOINT else "")
    if doubtful:
        return _suspected(raw, doubtful)
    compared = "its neighbours" if before or after else "nothing: it has no valid neighbour"
    return Diagnosis("changed", f"the digest does not hold; compared with {compared}, the changed field cannot be told")


def _cut_together(
    raw: bytes, value: Mapping[str, object], neighbours: Sequence[tuple[Checkpoint, Mapping[str, object]]]
) -> tuple[int, str] | None:
    """The block's border from which on the file is another save of the same size, and that save's name.

    Only where what a save always moves on from agrees with the other (`tokens_used`) though `iteration` does not.
    """
    for point, held in neighbours:
        if not point.valid or point.file.size != len(raw) or value.get("iteration") == held.get("iteration"):
            continue
        other = checksum.seal(dict(held))
        behind = min(raw.rfind(b'\n  "tokens_used":'), other.rfind(b'\n  "tokens_used":'))
        for border in range(_BLOCK, behind, _BLOCK):
            if raw[border:] == other[border:]:
                return border, point.file.name
    return None


def _suspected(raw: bytes, doubtful: Sequence[Suspect]) -> Diagnosis:
    says = "; ".join(f"{s.path}: {s.why}" for s in doubtful[:3])
    more = f"; and {len(doubtful) - 3} more" if len(doubtful) > 3 else ""
    fields = tuple(s.path for s in doubtful)
    sentence = f"the digest does not hold; implausible: {says}{more}"
    key = re.match(r"\.([A-Za-z_]+)", fields[0])
    byte = raw.find(b'"' + key[1].encode() + b'":') if key else -1
    return _at(raw, byte, "changed", sentence, fields) if byte >= 0 else Diagnosis("changed", sentence, fields=fields)


def _same_but_damaged(stored: str, actual: str) -> bool:
    """`stored` is `actual` with upper case, white space, a prefix, or a few wrong digits."""
    text = stored.strip().lower()
    if text.endswith(actual):
        return True
    return len(text) == len(actual) and sum(a != b for a, b in zip(text, actual, strict=True)) <= _FLIP_NIBBLES


def _proved(raw: bytes, expected: str) -> Diagnosis | None:
    from .flipped import flipped_byte

    found = flipped_byte(raw, expected)
    if found is None:
        return None
    byte, was = found
    path = faults.path_at(raw, byte)
    now = raw[byte : byte + 1]
    says = f"byte {byte}, in {path}, was {_one(was)} and is {_one(now)}: put back, it makes the digest hold"
    return _at(raw, byte, "changed", says, (path,))


def _one(byte: bytes) -> str:
    return f"`{byte.decode()}`" if byte.isascii() else f"0x{byte.hex()}"


def _refused(raw: bytes, point: Checkpoint) -> Diagnosis:
    from .reseal import misread

    numbers = misread(raw)
    if not numbers:
        says = "valid, but the runtime refuses it: an older build printed exponents as 1e16 where it prints 1e+16"
        return Diagnosis("refused-by-runtime", says)
    told = "; ".join(f"{path} is {old}, which the runtime reads as {new}" for path, old, new in numbers[:3])
    more = f"; and {len(numbers) - 3} more numbers" if len(numbers) > 3 else ""
    fields = tuple(path for path, _, _ in numbers)
    return Diagnosis("refused-by-runtime", f"valid, but the runtime refuses it: {told}{more}", fields=fields)


def _about(
    point: Checkpoint,
    value: dict[str, object],
    neighbours: Sequence[tuple[Checkpoint, Mapping[str, object]]],
    now_ns: int,
) -> list[Diagnosis]:
    """What the fields say of the file, whether or not the digest holds."""
    wrong = misfits(value)
    found = []
    if wrong:
        told = ", ".join(f"{name} {why}" for name, why in wrong)
        says = f"recovery takes it, and loading it would then fail: {told}"
        found.append(Diagnosis("ill-typed", says, fields=tuple(f".{name}" for name, _ in wrong)))
    return found + _identity(point) + _future(point, now_ns) + _duplicate(point, value, neighbours)


def _identity(point: Checkpoint) -> list[Diagnosis]:
    found = []
    folder = session_folder(point.file.path)
    header = point.header
    if folder is not None and header.session_id is not None and header.session_id != folder:
        says = f"session_id is {header.session_id}: it belongs to another session than {folder}"
        found.append(Diagnosis("foreign", says, fields=(".session_id",)))
    named = id_in_name(point.file.name) if point.file.kind is FileKind.CHECKPOINT else None
    if named is not None and header.checkpoint_id is not None and header.checkpoint_id != named:
        says = f"its name says {named}, its checkpoint_id {header.checkpoint_id}: renamed, or put in another's place"
        found.append(Diagnosis("renamed", says, fields=(".checkpoint_id",)))
    return found


def _future(point: Checkpoint, now_ns: int) -> list[Diagnosis]:
    from .times import rfc3339

    times = {
        "created_at": point.header.created_at,
        "the time in its name": time_in_name(point.file.name),
        "its modification time": point.file.mtime_ns,
    }
    ahead = [f"{what} is {rfc3339(t)}" for what, t in times.items() if t is not None and t > now_ns + FUTURE_NS]
    if not ahead:
        return []
    return [Diagnosis("future", f"{', '.join(ahead)}: ahead of this host's clock, {rfc3339(now_ns)}")]


def _duplicate(
    point: Checkpoint, value: dict[str, object], neighbours: Sequence[tuple[Checkpoint, Mapping[str, object]]]
) -> list[Diagnosis]:
    if point.file.kind is FileKind.LATEST:
        return []
    others = [(n.file, held) for n, held in neighbours if n.file.kind is FileKind.CHECKPOINT]
    same = [file.name for file, held in others if file.path != point.file.path and held == value]
    return [Diagnosis("duplicate", f"it holds the same as {', '.join(same)}")] if same else []


def _nearest(
    point: Checkpoint, neighbours: Sequence[tuple[Checkpoint, Mapping[str, object]]]
) -> tuple[Mapping[str, object] | None, Mapping[str, object] | None]:
    """What the nearest valid checkpoints on either side hold, by the time that each was made.

    A neighbour is valid, so its `created_at` can be trusted, also where it is a copy put back later; this file's own
    may be what was changed, so its name goes first.
    """
    named = time_in_name(point.file.name)
    own = (named or point.header.created_at or point.file.mtime_ns) // 10**9
    made = [
        (n.header.created_at // 10**9, n.header.created_at, held)
        for n, held in neighbours
        if n.valid and n.header.created_at is not None and n.file.path != point.file.path
    ]
    before = max((m for m in made if m[0] < own), key=lambda m: m[1], default=None)
    after = min((m for m in made if m[0] > own), key=lambda m: m[1], default=None)
    return before and before[2], after and after[2]
