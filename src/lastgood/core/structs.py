"""A text read into a struct as serde_derive and serde_json do it: fields of one type, in any order or as an array.

Unknown members are skipped whatever they hold; a known one twice, or absent, is a fault. The words and the place of
each fault are serde's (``serde_derive``'s visitors, ``serde_json``'s ``de.rs``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from .serde import ParseFault, Reader
from .times import parse_rfc3339

Field = Callable[[Reader], object]
"""Reads one value, or raises ParseFault."""

_I32 = range(-(2**31), 2**31)
_NUMBER_STARTS = frozenset(b"-0123456789")
_LITERAL_STARTS = frozenset(b"ntf")
_FLAG_STARTS = frozenset(b"tf")


class _Unplaced(Exception):
    """A fault of serde's without a position: it gets the one where the struct's reading stops."""


class StructReader:
    """One struct read by serde_derive's rules: the values of its fields, and where in the text they stand."""

    def __init__(self, raw: bytes, name: str, fields: Mapping[str, Field]) -> None:
        """Raises ParseFault, its words and place as serde_json gives them."""
        self.name = name
        self.fields = fields
        self.values: dict[str, object] = {}
        self.spans: dict[str, tuple[int, int]] = {}
        """Start and end of each value."""
        self.around_key: dict[str, tuple[bytes, bytes]] = {}
        """The white space before a member's name, and what stands between the name and the value."""
        self.reader = Reader(raw)
        self._read()
        self.reader.end()

    def _read(self) -> None:
        byte = self.reader.peek()
        if byte == ord("{"):
            read, closing = self._members, ord("}")
        elif byte == ord("["):
            read, closing = self._elements, ord("]")
        else:
            raise unexpected(self.reader, self.name)
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
                skip_value(reader)
            more = reader.another_member()
            before = reader.raw.rfind(b",", 0, reader.at) + 1 if more else reader.at
            if more and reader.peek() != ord('"'):
                raise reader.fault("key must be a string", ahead=1)
        for field, read in self.fields.items():
            if field not in self.values:
                if read is not optional_text:
                    raise reader.fault(f"missing field `{field}`")
                self.values[field] = None

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


def text(reader: Reader) -> object:
    """A ``String``."""
    if reader.peek() != ord('"'):
        raise unexpected(reader, "a string")
    return reader.string()


def optional_text(reader: Reader) -> object:
    """An ``Option<String>``: absent or null is None."""
    if reader.peek() == ord("n"):
        return reader.literal()
    return text(reader)


def flag(reader: Reader) -> object:
    """A ``bool``."""
    if reader.peek() not in _FLAG_STARTS:
        raise unexpected(reader, "a boolean")
    return reader.literal()


def i32(reader: Reader) -> object:
    """An ``i32``."""
    if reader.peek() not in _NUMBER_STARTS:
        raise unexpected(reader, "i32")
    number = reader.number()
    if isinstance(number, float):
        raise reader.fault(f"invalid type: floating point `{_rust_float(number)}`, expected i32")
    if number not in _I32:
        raise reader.fault(f"invalid value: integer `{number}`, expected i32")
    return number


def time(reader: Reader) -> object:
    """A ``DateTime<Utc>``, as nanoseconds since 1970."""
    if reader.peek() != ord('"'):
        raise unexpected(reader, "an RFC 3339 formatted date and time string")
    try:
        return parse_rfc3339(reader.string())
    except ValueError as error:
        raise reader.fault(str(error)) from None


def unexpected(reader: Reader, expected: str) -> ParseFault:
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


def skip_value(reader: Reader) -> None:
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
