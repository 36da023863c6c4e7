"""``session_meta.json`` and ``state.json``: read as the crate reads them, changed without touching any other byte.

The crate reads both into structs by serde_derive over serde_json: fields in any order or as an array, unknown members
skipped whatever they hold, a known one twice an error (FORMAT.md, "Traps").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from .model import Meta, TaskState
from .serde import ParseFault, Reader
from .times import parse_rfc3339, rfc3339

_T = TypeVar("_T")

_I32 = range(-(2**31), 2**31)
_NUMBER_STARTS = frozenset(b"-0123456789")
_LITERAL_STARTS = frozenset(b"ntf")
_FLAG_STARTS = frozenset(b"tf")
_STATUSES = ("Running", "Paused", "Completed", "Error")

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
                None if reason is None else reason.decode(),
                parse_rfc3339(updated.decode()),
                int(iteration),
            )
        except ValueError:
            pass  # the long way finds the same fault, and its place
    return _meta(_StructReader(raw, "struct Meta", _META_FIELDS))


def read_state(raw: bytes) -> TaskState:
    """``state.json`` as the crate reads it.

    Raises:
        MetaFault: it does not, in its words.
    """
    found = _StructReader(raw, "struct TaskState", _STATE_FIELDS).values
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
    struct = _StructReader(raw, "struct Meta", _META_FIELDS)
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
    for start, end, text in sorted(replaced, reverse=True):
        edited = edited[:start] + text + edited[end:]
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


def _quoted(text: str) -> bytes:
    """A JSON string as serde_json prints it."""
    escaped = _TO_ESCAPE.sub(lambda char: _SHORT_ESCAPES.get(char[0]) or f"\\u{ord(char[0]):04x}", text)
    try:
        return f'"{escaped}"'.encode()
    except UnicodeEncodeError as error:
        raise MetaFault(f"not Unicode text, it cannot be kept in a JSON file: {text!r}") from error


def _as(kind: type[_T], value: object) -> _T:
    """A field's value, of the type that its reader gives."""
    if not isinstance(value, kind):
        raise AssertionError(f"{value!r} is no {kind.__name__}")
    return value


def _meta(struct: _StructReader) -> Meta:
    found = struct.values
    return Meta(
        session_id=_as(str, found["session_id"]),
        is_active=_as(bool, found["is_active"]),
        termination_reason=None if found["termination_reason"] is None else _as(str, found["termination_reason"]),
        last_updated=_as(int, found["last_updated"]),
        last_iteration=_as(int, found["last_iteration"]),
    )


class _Unplaced(Exception):
    """A fault of serde's without a position: it gets the one where the struct's reading stops."""


class _StructReader:
    """One struct read by serde_derive's rules: the values of its fields, and where in the text they stand."""

    def __init__(self, raw: bytes, name: str, fields: dict[str, Callable[[Reader], object]]) -> None:
        self.name = name
        self.fields = fields
        self.values: dict[str, object] = {}
        self.spans: dict[str, tuple[int, int]] = {}
        """Start and end of each value."""
        self.around_key: dict[str, tuple[bytes, bytes]] = {}
        """The white space before a member's name, and what stands between the name and the value."""
        try:
            self.reader = Reader(raw)
            self._read()
            self.reader.end()
        except ParseFault as fault:
            raise MetaFault(str(fault)) from fault

    def _read(self) -> None:
        byte = self.reader.peek()
        if byte == ord("{"):
            read, closing = self._members, ord("}")
        elif byte == ord("["):
            read, closing = self._elements, ord("]")
        else:
            raise _unexpected(self.reader, self.name)
        self.reader.at += 1
        try:
            read()
        except _Unplaced as fault:
            if self.reader.peek() == closing:
                self.reader.at += 1
            raise self.reader.fault(str(fault)) from None

    def _value(self, field: str) -> None:
        self.reader.peek()
        start = self.reader.at
        self.values[field] = self.fields[field](self.reader)
        self.spans[field] = (start, self.reader.at)

    def _members(self) -> None:
        reader = self.reader
        before = reader.at
        more = self._first_member()
        while more:
            key_start = reader.at
            name = reader.string()
            if name in self.fields:
                if name in self.values:
                    raise _Unplaced(f"duplicate field `{name}`")
                key_end = reader.at
                reader.colon()
                self._value(name)
                self.around_key[name] = (reader.raw[before:key_start], reader.raw[key_end : self.spans[name][0]])
            else:
                reader.colon()
                _skip_value(reader)
            more = reader.another_member()
            before = reader.raw.rfind(b",", 0, reader.at) + 1 if more else reader.at
            if more and reader.peek() != ord('"'):
                raise reader.fault("key must be a string", ahead=1)
        for optional in _OPTIONAL & self.fields.keys():
            self.values.setdefault(optional, None)
        for field in self.fields:
            if field not in self.values:
                raise reader.fault(f"missing field `{field}`")

    def _first_member(self) -> bool:
        reader = self.reader
        byte = reader.peek()
        if byte == ord("}"):
            reader.at += 1
            return False
        if byte != ord('"'):
            raise reader.fault("EOF while parsing an object" if byte < 0 else "key must be a string", ahead=1)
        return True

    def _elements(self) -> None:
        reader = self.reader
        for read, field in enumerate(self.fields):
            byte = reader.peek()
            if byte < 0:
                raise reader.fault("EOF while parsing a list", ahead=1)
            if byte == ord("]"):
                raise _Unplaced(f"invalid length {read}, expected {self.name} with {len(self.fields)} elements")
            if read and byte != ord(","):
                raise reader.fault("expected `,` or `]`", ahead=1)
            if read:
                reader.at += 1
                following = reader.peek()
                if following == ord("]"):
                    raise reader.fault("trailing comma", ahead=1)
            self._value(field)
        byte = reader.peek()
        if byte == ord("]"):
            reader.at += 1
            return
        if byte < 0:
            raise reader.fault("EOF while parsing a list", ahead=1)
        if byte == ord(","):
            reader.at += 1
            if reader.peek() == ord("]"):
                raise reader.fault("trailing comma", ahead=1)
        raise reader.fault("trailing characters", ahead=1)


def _text(reader: Reader) -> object:
    if reader.peek() != ord('"'):
        raise _unexpected(reader, "a string")
    return reader.string()


def _optional_text(reader: Reader) -> object:
    if reader.peek() == ord("n"):
        return reader.literal()
    return _text(reader)


def _flag(reader: Reader) -> object:
    if reader.peek() not in _FLAG_STARTS:
        raise _unexpected(reader, "a boolean")
    return reader.literal()


def _i32(reader: Reader) -> object:
    if reader.peek() not in _NUMBER_STARTS:
        raise _unexpected(reader, "i32")
    number = reader.number()
    if isinstance(number, float):
        raise reader.fault(f"invalid type: floating point `{_rust_float(number)}`, expected i32")
    if number not in _I32:
        raise reader.fault(f"invalid value: integer `{number}`, expected i32")
    return number


def _time(reader: Reader) -> object:
    if reader.peek() != ord('"'):
        raise _unexpected(reader, "an RFC 3339 formatted date and time string")
    text = reader.string()
    try:
        return parse_rfc3339(text)
    except ValueError as error:
        raise reader.fault(str(error)) from None


def _status(reader: Reader) -> object:
    """A unit variant: its name, or an object of it and null."""
    byte = reader.peek()
    if byte == ord('"'):
        return _known_status(reader)
    if byte != ord("{"):
        raise reader.fault("EOF while parsing a value" if byte < 0 else "expected value", ahead=1)
    reader.at += 1
    if reader.peek() != ord('"'):
        raise _unexpected(reader, "variant identifier")
    status = _known_status(reader)
    reader.colon()
    if reader.peek() != ord("n"):
        raise _unexpected(reader, "unit")
    reader.literal()
    byte = reader.peek()
    if byte != ord("}"):
        raise reader.fault("EOF while parsing an object" if byte < 0 else "expected value")
    reader.at += 1
    return status


def _known_status(reader: Reader) -> str:
    name = reader.string()
    if name not in _STATUSES:
        raise reader.fault(f"unknown variant `{name}`, expected one of {', '.join(f'`{s}`' for s in _STATUSES)}")
    return name


_META_FIELDS: dict[str, Callable[[Reader], object]] = {
    "session_id": _text,
    "is_active": _flag,
    "termination_reason": _optional_text,
    "last_updated": _time,
    "last_iteration": _i32,
}
_STATE_FIELDS: dict[str, Callable[[Reader], object]] = {
    "session_id": _text,
    "status": _status,
    "completed": _flag,
    "iteration": _i32,
    "last_updated": _time,
    "task_description": _optional_text,
}
_OPTIONAL = {"termination_reason", "task_description"}
"""``Option`` fields: absent means null."""


def _unexpected(reader: Reader, expected: str) -> ParseFault:
    """The fault for a value of another type (``peek_invalid_type``): the value is read first, unless a container."""
    byte = reader.peek()
    if byte == ord("{"):
        found = "map"
    elif byte == ord("["):
        found = "sequence"
    elif byte == ord('"'):
        found = f"string {_rust_debug(reader.string())}"
    elif byte in _NUMBER_STARTS:
        number = reader.number()
        found = f"floating point `{_rust_float(number)}`" if isinstance(number, float) else f"integer `{number}`"
    elif byte in _LITERAL_STARTS:
        literal = reader.literal()
        found = "null" if literal is None else f"boolean `{str(literal).lower()}`"
    else:
        return reader.fault("EOF while parsing a value" if byte < 0 else "expected value", ahead=1)
    return reader.fault(f"invalid type: {found}, expected {expected}")


def _rust_float(number: float) -> str:
    """A float as Rust displays it: shortest digits (of two equally near the larger), no exponent, always a point."""
    from decimal import Context, Decimal

    shortest = Decimal(repr(number))
    unit = Decimal((shortest.is_signed(), (1,), int(shortest.as_tuple().exponent)))
    exact = Context(prec=2000)
    if exact.multiply(exact.subtract(Decimal(number), shortest), Decimal(2)) == unit:
        shortest = exact.add(shortest, unit)
    digits = format(shortest, "f")
    return digits if "." in digits else f"{digits}.0"


def _rust_debug(text: str) -> str:
    """A string as Rust's ``{:?}`` prints it."""
    import unicodedata

    named = {"\0": "\\0", "\t": "\\t", "\r": "\\r", "\n": "\\n", '"': '\\"', "\\": "\\\\"}
    hidden = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs", "Mn", "Me"}
    shown = (
        named.get(c) or (c if c == " " or unicodedata.category(c) not in hidden else f"\\u{{{ord(c):x}}}") for c in text
    )
    return f'"{"".join(shown)}"'


_SKIPPED_STRING = re.compile(rb'[^"\\\x00-\x1f]*')


def _skip_value(reader: Reader) -> None:
    """Pass over a value that nobody wants (``ignore_value``): laxer than reading it, and with words of its own.

    No limit of depth, no range of numbers, no pairing of surrogates.
    """
    open_brackets = bytearray()
    while True:
        byte = reader.peek()
        if byte == ord('"'):
            _skip_string(reader)
        elif byte in _NUMBER_STARTS:
            _skip_number(reader)
        elif byte in _LITERAL_STARTS:
            reader.literal()
        elif byte in _CLOSING:
            reader.at += 1
            open_brackets.append(byte)
            if reader.peek() != _CLOSING[byte]:
                _skip_key(reader, byte, first=True)
                continue
            reader.at += 1
            open_brackets.pop()
        else:
            raise reader.fault("EOF while parsing a value" if byte < 0 else "expected value", ahead=1)
        while open_brackets:
            opened = open_brackets[-1]
            byte = reader.peek()
            if byte == ord(","):
                reader.at += 1
                _skip_key(reader, opened, first=False)
                break
            if byte < 0:
                raise reader.fault(_EOF_IN[opened], ahead=1)
            if byte != _CLOSING[opened]:
                raise reader.fault(f"expected `,` or `{chr(_CLOSING[opened])}`", ahead=1)
            reader.at += 1
            open_brackets.pop()
        else:
            return


_CLOSING = {ord("["): ord("]"), ord("{"): ord("}")}
_EOF_IN = {ord("["): "EOF while parsing a list", ord("{"): "EOF while parsing an object"}


def _skip_key(reader: Reader, opened: int, *, first: bool) -> None:
    """Before a further value of an open container: in an object, its name and colon."""
    byte = reader.peek()
    if first and byte < 0:
        raise reader.fault(_EOF_IN[opened], ahead=1)
    if opened == ord("["):
        return
    if byte != ord('"'):
        raise reader.fault(_EOF_IN[opened] if byte < 0 else "key must be a string", ahead=1)
    _skip_string(reader)
    reader.colon()


def _skip_string(reader: Reader) -> None:
    reader.at += 1
    raw = reader.raw
    while True:
        plain = _SKIPPED_STRING.match(raw, reader.at)
        reader.at = plain.end() if plain else reader.at
        if reader.at == len(raw):
            raise reader.fault("EOF while parsing a string")
        byte = raw[reader.at]
        if byte == ord('"'):
            reader.at += 1
            return
        if byte != ord("\\"):
            raise reader.fault("control character (\\u0000-\\u001F) found while parsing a string")
        reader.at += 1
        reader.skip_escape()


def _skip_number(reader: Reader) -> None:
    try:
        reader.skip_number()
    except ParseFault:
        raise reader.fault("invalid number", ahead=1) from None
