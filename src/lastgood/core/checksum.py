"""The checkpoint's digest, and both answers on a file: did some build of the crate write it, will the runtime take it.

FORMAT.md, "The checksum" and "Two truths about a checksum"; the crate's ``checksum.rs``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from . import aswritten, serde
from .model import Header, Integrity, brief

VERSION = "1.0"
CHECKSUM_KEY = "_checksum"
VERSION_KEY = "_version"


@dataclass(frozen=True, slots=True)
class Verification:
    """What :func:`verify` found."""

    integrity: Integrity
    reason: str | None
    """None when valid; the crate's exact words for its six refusals; else what is wrong and where."""
    runtime_accepts: bool
    runtime_reason: str | None
    """The words of the crate's own verifier; None where it accepts the file."""
    expected: str | None
    """The digest that the file carries; "" where it carries something that is no string."""
    actual: str | None
    """The digest of the exact reading, in the newer spelling."""
    value: dict[str, object] | None
    """The exact reading of the whole document; None where it cannot be read or is no object."""


def digest(value: object, spelling: serde.Spelling = "e+") -> str:
    """SHA-256 of the canonical form, `_checksum` and `_version` left out at the top level."""
    return sha256(serde.canonical(_content(value), spelling=spelling)).hexdigest()


def _content(value: object) -> object:
    if not isinstance(value, dict):
        return value
    content = value.copy()
    content.pop(CHECKSUM_KEY, None)
    content.pop(VERSION_KEY, None)
    return content


def seal(value: dict[str, object]) -> bytes:
    """The bytes of a checkpoint file with this content, as the crate writes one: a fresh checksum, sorted, indented."""
    import orjson

    sealed = _content(value) | {CHECKSUM_KEY: digest(value), VERSION_KEY: VERSION}  # type: ignore[operator]
    return serde.respell(orjson.dumps(sealed, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2), "e+")


def verify(raw: bytes) -> Verification:
    """Both answers on a checkpoint's bytes. Never raises for what they hold."""
    exact, runtime = aswritten.readings(raw) or _readings(raw)
    if isinstance(runtime, serde.ParseFault):
        return _verify_unread(raw, exact, runtime)
    value = runtime if isinstance(exact, serde.ParseFault) else exact
    if not isinstance(value, dict):
        words = "Data is not an object"
        return Verification(Integrity.NOT_OBJECT, words, False, words, None, None, None)
    actual = digest(value)
    runtime_digest = actual if runtime is value else digest(runtime)
    expected = _text(value, CHECKSUM_KEY)
    refusal = _refusal(value)
    if refusal is not None:
        integrity, words = refusal
        return Verification(integrity, words, False, words, expected, actual, value)
    if expected == runtime_digest:
        return Verification(Integrity.VALID, None, True, None, expected, actual, value)
    words = _mismatch(expected or "", runtime_digest)
    if expected == actual or expected in (digest(value, "e"), digest(runtime, "e")):
        return Verification(Integrity.VALID, None, False, words, expected, actual, value)
    return Verification(Integrity.MISMATCH, words, False, words, expected, actual, value)


def _readings(raw: bytes) -> tuple[object, object]:
    """The exact and the runtime's reading of any bytes, each a value or a ParseFault; one object where they agree."""
    differing: list[str] = []

    def read_float(token: str) -> float:
        number = serde.runtime_float(token)
        if number != serde.exact_float(token):
            differing.append(token)
        return number

    try:
        both = serde.read_document(raw, read_float)
    except serde.ParseFault:
        return _or_fault(raw, serde.exact_float), _or_fault(raw, serde.runtime_float)
    return (_or_fault(raw, serde.exact_float) if differing else both), both


def _or_fault(raw: bytes, read_float: Callable[[str], float]) -> object:
    try:
        return serde.read_document(raw, read_float)
    except serde.ParseFault as fault:
        return fault


def _verify_unread(raw: bytes, exact: object, fault: serde.ParseFault) -> Verification:
    """The runtime cannot read the file; a number that it finds out of range may still be what it wrote."""
    if isinstance(exact, dict) and _refusal(exact) is None:
        expected, actual = _text(exact, CHECKSUM_KEY), digest(exact)
        if expected in (actual, digest(exact, "e")):
            return Verification(Integrity.VALID, None, False, str(fault), expected, actual, exact)
    return Verification(Integrity.UNPARSEABLE, _parse_problem(raw, fault), False, str(fault), None, None, None)


def _parse_problem(raw: bytes, fault: serde.ParseFault) -> str:
    from .diagnose import parse_problem

    return parse_problem(raw, fault)


def _refusal(value: dict[str, object]) -> tuple[Integrity, str] | None:
    """The crate's refusals of an object before it compares digests."""
    if CHECKSUM_KEY not in value:
        return Integrity.NO_CHECKSUM, "Missing checksum field"
    if VERSION_KEY not in value:
        return Integrity.NO_VERSION, "Missing version field"
    version = _text(value, VERSION_KEY)
    if version != VERSION:
        return Integrity.VERSION, f"Version mismatch: expected {VERSION}, got {version}"
    return None


def _text(value: dict[str, object] | None, key: str) -> str | None:
    """A field as the crate takes it: what is no string counts as empty."""
    if value is None or key not in value:
        return None
    text = value[key]
    return text if isinstance(text, str) else ""


def _mismatch(expected: str, got: str) -> str:
    stored = expected.encode()
    if len(stored) > 16 and stored[16] & 0xC0 == 0x80:  # the crate slices bytes, and slicing a character panics
        return "PANIC: byte index 16 is not a char boundary"
    return f"Checksum mismatch: expected {stored[:16].decode()}..., got {got[:16]}..."


def header(value: dict[str, object]) -> Header:
    """The fields of a checkpoint that a list shows; what is absent or of another type is None."""
    get = value.get
    created, cost = get("created_at"), get("cost_estimate")
    return Header(
        brief(found) if type(found := get("checkpoint_id")) is str else None,
        brief(found) if type(found := get("session_id")) is str else None,
        brief(found) if type(found := get("trigger")) is str else None,
        _moment(created) if type(created) is str else None,
        found if type(found := get("iteration")) is int else None,
        len(found) if type(found := get("messages")) is list else None,
        len(found) if type(found := get("tool_calls_pending")) is list else None,
        found if type(found := get("tokens_used")) is int else None,
        cost if type(cost) is float else float(cost) if type(cost) is int else None,
        brief(found) if type(found := get("resume_hint")) is str else None,
    )


def _moment(text: str) -> int | None:
    from .times import parse_rfc3339

    try:
        return parse_rfc3339(text)
    except ValueError:
        return None
