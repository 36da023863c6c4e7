"""``session_meta.json`` and ``state.json``: read as the crate reads them, changed without touching any other byte.

The crate reads both into structs by serde_derive over serde_json: fields in any order or as an array, unknown members
skipped whatever they hold, a known one twice an error (FORMAT.md, "Traps").
"""

from __future__ import annotations

import re
from sys import intern
from typing import TYPE_CHECKING, Literal, TypeVar

from .model import Meta, TaskState
from .times import parse_rfc3339, rfc3339

if TYPE_CHECKING:
    from .structs import StructReader

_T = TypeVar("_T")

_AS_WRITTEN = re.compile(
    rb'\{\n  "session_id": "([^"\\\x00-\x1f]*)",\n  "is_active": (true|false),\n'
    rb'  "termination_reason": (?:null|"([^"\\\x00-\x1f]*)"),\n'
    rb'  "last_updated": "([0-9TZ:.-]*)",\n  "last_iteration": (0|[1-9][0-9]{0,8})\n\}'
)
"""A file as the crate writes it, without escapes: by far the most. Any other goes the long way."""


class MetaFault(ValueError):
    """The crate cannot read the file. ``str()`` gives its words, with line and column."""


def read_meta(raw: bytes) -> Meta:
    """``session_meta.json`` as the crate reads it.

    Raises:
        MetaFault: it does not, in its words.
    """
    written = _AS_WRITTEN.fullmatch(raw)
    if written:
        session_id, is_active, reason, updated, iteration = written.groups()
        try:
            return Meta(
                session_id.decode(),
                is_active == b"true",
                None if reason is None else intern(reason.decode()),  # few words end many sessions
                parse_rfc3339(updated.decode()),
                int(iteration),
            )
        except ValueError:
            pass  # the long way finds the same fault, and its place
    return _meta(_read(raw, "Meta"))


def read_state(raw: bytes) -> TaskState:
    """``state.json`` as the crate reads it.

    Raises:
        MetaFault: it does not, in its words.
    """
    found = _read(raw, "TaskState").values
    return TaskState(
        session_id=_as(str, found["session_id"]),
        status=_as(str, found["status"]),
        completed=_as(bool, found["completed"]),
        iteration=_as(int, found["iteration"]),
        last_updated=_as(int, found["last_updated"]),
        task_description=None if found["task_description"] is None else _as(str, found["task_description"]),
    )


def edit_meta(raw: bytes, *, is_active: bool, termination_reason: str | None) -> bytes:
    """`raw` with these two values and every other byte as it is, unknown members, order and white space included.

    Where there is no ``termination_reason`` and one is given, it is added behind ``is_active``, laid out like it.

    Raises:
        MetaFault: `raw` cannot be read, or the reason is no Unicode text.
    """
    struct = _read(raw, "Meta")
    meta = _meta(struct)
    reason = b"null" if termination_reason is None else _quoted(termination_reason)
    active_start, active_end = struct.spans["is_active"]
    replaced = [(active_start, active_end, b"true" if is_active else b"false")]
    if "termination_reason" in struct.spans:
        replaced.append((*struct.spans["termination_reason"], reason))
    elif termination_reason is not None:
        before, after = struct.around_key["is_active"]
        replaced.append((active_end, active_end, b"," + before + b'"termination_reason"' + after + reason))
    edited = raw
    for start, end, instead in sorted(replaced, reverse=True):
        edited = edited[:start] + instead + edited[end:]
    expected = Meta(meta.session_id, is_active, termination_reason, meta.last_updated, meta.last_iteration)
    if read_meta(edited) != expected:
        raise AssertionError("an edited session_meta.json must read back as what was asked for")
    return edited


def new_meta(
    session_id: str, is_active: bool, termination_reason: str | None, last_updated_ns: int, last_iteration: int
) -> bytes:
    """A new ``session_meta.json`` as the crate writes one: indented by two, no final line feed."""
    reason = b"null" if termination_reason is None else _quoted(termination_reason)
    return b"".join(
        (
            b'{\n  "session_id": ',
            _quoted(session_id),
            b',\n  "is_active": ',
            b"true" if is_active else b"false",
            b',\n  "termination_reason": ',
            reason,
            b',\n  "last_updated": ',
            _quoted(rfc3339(last_updated_ns)),
            b',\n  "last_iteration": ',
            b"%d" % last_iteration,
            b"\n}",
        )
    )


_TO_ESCAPE = re.compile(r'["\\\x00-\x1f]')
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _quoted(content: str) -> bytes:
    """A JSON string as serde_json prints it."""
    escaped = _TO_ESCAPE.sub(lambda char: _SHORT_ESCAPES.get(char[0]) or f"\\u{ord(char[0]):04x}", content)
    try:
        return f'"{escaped}"'.encode()
    except UnicodeEncodeError as error:
        raise MetaFault(f"not Unicode text, it cannot be kept in a JSON file: {content!r}") from error


def _read(raw: bytes, name: Literal["Meta", "TaskState"]) -> StructReader:
    # Most files are read without it, and a start would wait for its import.
    from .meta_structs import ParseFault, read_struct

    try:
        return read_struct(raw, name)
    except ParseFault as fault:
        raise MetaFault(str(fault)) from fault


def _as(kind: type[_T], value: object) -> _T:
    """A field's value, of the type that its reader gives."""
    if not isinstance(value, kind):
        raise AssertionError(f"{value!r} is no {kind.__name__}")
    return value


def _meta(struct: StructReader) -> Meta:
    found = struct.values
    return Meta(
        session_id=_as(str, found["session_id"]),
        is_active=_as(bool, found["is_active"]),
        termination_reason=None if found["termination_reason"] is None else _as(str, found["termination_reason"]),
        last_updated=_as(int, found["last_updated"]),
        last_iteration=_as(int, found["last_iteration"]),
    )
