"""What serde_json makes of bytes: its grammar, its limits, its words for what is wrong, and its way of printing.

The crate reads a file by ``read_to_string`` and ``serde_json::from_str`` (1.0.149, no features switched on); sources
of the rules are ``serde_json``'s ``de.rs``, ``read.rs`` and FORMAT.md, "Two truths about a checksum". Lines count
from 1, columns count bytes and are 0 for a line feed itself, as there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Literal, NoReturn

from .floats import I32_MAX, exact_float, runtime_float

__all__ = [
    "MAX_DEPTH",
    "ParseFault",
    "Reader",
    "Spelling",
    "canonical",
    "exact_float",
    "parse",
    "parse_exactly",
    "read_document",
    "respell",
    "runtime_float",
]

Spelling = Literal["e+", "e"]

MAX_DEPTH = 127
"""Containers within each other that serde_json reads: its `remaining_depth` starts at 128 and must not reach 0."""

_U64_MAX = 2**64 - 1

_SPACE = re.compile(rb"[ \t\n\r]*")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_HEX4 = re.compile(rb"[0-9a-fA-F]{4}")
_EXPONENT = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")|([0-9])e([+-]?)(?=[0-9])', re.DOTALL)

_END = -1
_ESCAPES = {ord(k): v for k, v in zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True)}
_LITERALS: dict[int, tuple[bytes, object]] = {
    ord("n"): (b"null", None),
    ord("t"): (b"true", True),
    ord("f"): (b"false", False),
}
_NUMBER_STARTS = frozenset(b"-0123456789")
_QUOTE, _COMMA, _COLON, _BACKSLASH = b'",:\\'
_OPEN_LIST, _CLOSE_LIST, _OPEN_OBJECT, _CLOSE_OBJECT = b"[]{}"

_CONTROL = "control character (\\u0000-\\u001F) found while parsing a string"
_EOF_STRING = "EOF while parsing a string"
_EOF_VALUE = "EOF while parsing a value"
_NOT_UTF8 = "stream did not contain valid UTF-8"


class ParseFault(Exception):
    """The text cannot be read. ``str()`` gives serde_json's words, "expected value at line 1 column 1"."""

    def __init__(self, message: str, line: int, column: int, offset: int) -> None:
        super().__init__(message, line, column, offset)
        self.message = message
        self.line = line
        """From 1; 0 where the words carry no position (invalid UTF-8)."""
        self.column = column
        """Bytes from the start of the line, the byte at fault included."""
        self.offset = offset
        """The byte at fault, from 0; the text's length where it ends too early."""

    def __str__(self) -> str:
        return f"{self.message} at line {self.line} column {self.column}" if self.line else self.message


def parse(raw: bytes) -> object:
    """The crate's ``Value`` of a whole document.

    Integers that fit 64 bits are `int`, every other number is the `float` of :func:`runtime_float`; of a repeated
    key the last wins.

    Raises:
        ParseFault: the crate cannot read it.
    """
    from .aswritten import readings

    both = readings(raw)
    return both[1] if both else read_document(raw, runtime_float)


def parse_exactly(raw: bytes) -> object:
    """As :func:`parse`, with every float the nearest to what is written.

    Raises:
        ParseFault: as :func:`parse`; a number is out of range where the nearest double is infinite.
    """
    from .aswritten import readings

    both = readings(raw)
    return both[0] if both else read_document(raw, exact_float)


def read_document(raw: bytes, read_float: Callable[[str], float]) -> object:
    """As :func:`parse`, token by token; `read_float` reads what is no 64-bit integer, and may raise OverflowError."""
    reader = Reader(raw, read_float)
    value = reader.value()
    reader.end()
    return value


class Reader:
    """A position in a JSON text, and steps forward from it that fail as serde_json's do.

    Two kinds of fault, as there: one about the byte just taken (`at` is behind it), one about the byte looked at.
    """

    def __init__(self, raw: bytes, read_float: Callable[[str], float] = runtime_float) -> None:
        """Raises ParseFault where `raw` is not UTF-8."""
        try:
            raw.decode()
        except UnicodeDecodeError as error:
            raise ParseFault(_NOT_UTF8, 0, 0, error.start) from None
        self.raw = raw
        self.at = 0
        self._read_float = read_float

    def fault(self, message: str, *, ahead: int = 0) -> ParseFault:
        """A fault about the byte before `at`, or (`ahead` 1) about the one at it."""
        counted = min(self.at + ahead, len(self.raw))
        line_start = self.raw.rfind(b"\n", 0, counted) + 1
        offset = len(self.raw) if message.startswith("EOF") else max(counted - 1, 0)
        return ParseFault(message, self.raw.count(b"\n", 0, counted) + 1, counted - line_start, offset)

    def peek(self) -> int:
        """The next byte that is no white space, not taken; -1 at the end."""
        space = _SPACE.match(self.raw, self.at)
        if space:
            self.at = space.end()
        return self.raw[self.at] if self.at < len(self.raw) else _END

    def end(self) -> None:
        """Nothing but white space may follow."""
        if self.peek() != _END:
            raise self.fault("trailing characters", ahead=1)

    def value(self) -> object:
        """The value that starts here, read without recursion."""
        open_containers: list[list[object] | dict[str, object]] = []
        keys: list[str] = []
        while True:
            byte = self.peek()
            value: object
            if byte == _QUOTE:
                value = self.string()
            elif byte in _NUMBER_STARTS:
                value = self.number()
            elif byte in _LITERALS:
                value = self.literal()
            elif byte in (_OPEN_LIST, _OPEN_OBJECT):
                if len(open_containers) == MAX_DEPTH:
                    raise self.fault("recursion limit exceeded", ahead=1)
                self.at += 1
                if self._opens_empty(byte):
                    value = [] if byte == _OPEN_LIST else {}
                elif byte == _OPEN_LIST:
                    open_containers.append([])
                    continue
                else:
                    keys.append(self.key())
                    open_containers.append({})
                    continue
            else:
                raise self.fault(_EOF_VALUE if byte == _END else "expected value", ahead=1)
            while open_containers:
                container = open_containers[-1]
                if isinstance(container, list):
                    container.append(value)
                    if self.another_element():
                        break
                else:
                    container[keys.pop()] = value
                    if self.another_member():
                        keys.append(self.key())
                        break
                value = open_containers.pop()
            else:
                return value

    def _opens_empty(self, opened: int) -> bool:
        """After an opening bracket: take the closing one if it follows at once."""
        byte = self.peek()
        if byte == _END:
            what = "a list" if opened == _OPEN_LIST else "an object"
            raise self.fault(f"EOF while parsing {what}", ahead=1)
        if byte != (_CLOSE_LIST if opened == _OPEN_LIST else _CLOSE_OBJECT):
            return False
        self.at += 1
        return True

    def another_element(self) -> bool:
        """After an element: take the comma (True: a value follows) or the closing bracket."""
        return self._another(_CLOSE_LIST, "a list", "expected `,` or `]`")

    def another_member(self) -> bool:
        """After a member: take the comma (True: a key follows) or the closing brace."""
        return self._another(_CLOSE_OBJECT, "an object", "expected `,` or `}`")

    def _another(self, closing: int, what: str, expected: str) -> bool:
        byte = self.peek()
        if byte == closing:
            self.at += 1
            return False
        if byte == _END:
            raise self.fault(f"EOF while parsing {what}", ahead=1)
        if byte != _COMMA:
            raise self.fault(expected, ahead=1)
        self.at += 1
        following = self.peek()
        if following == closing:
            raise self.fault("trailing comma", ahead=1)
        if following == _END:
            raise self.fault(_EOF_VALUE, ahead=1)
        return True

    def key(self) -> str:
        """A member's name and the colon behind it."""
        if self.peek() != _QUOTE:
            raise self.fault("key must be a string", ahead=1)
        name = self.string()
        self.colon()
        return name

    def colon(self) -> None:
        """The colon between a member's name and its value."""
        byte = self.peek()
        if byte != _COLON:
            raise self.fault("EOF while parsing an object" if byte == _END else "expected `:`", ahead=1)
        self.at += 1

    def literal(self) -> object:
        """``null``, ``true`` or ``false``."""
        word, value = _LITERALS[self.raw[self.at]]
        if self.raw.startswith(word, self.at):
            self.at += len(word)
            return value
        for expected in word:
            if self.at == len(self.raw):
                raise self.fault(_EOF_VALUE)
            self.at += 1
            if self.raw[self.at - 1] != expected:
                break
        raise self.fault("expected ident")

    def number(self) -> int | float:
        """A number: `int` where 64 bits hold it, else a float by this reader's reading."""
        start = self.at
        fraction, exponent = self.skip_number()
        token = self.raw[start : self.at]
        if not (fraction or exponent) and len(token) <= 20 and token != b"-0":
            number = int(token)
            if -(2**63) <= number <= _U64_MAX:
                return number
        try:
            return self._read_float(token.decode())
        except OverflowError:
            self.at -= _digits_past_i32(exponent)
            raise self.fault("number out of range") from None

    def skip_number(self) -> tuple[bytes, bytes]:
        """Pass over a number; its fraction with the point and its exponent with the `e`, or b"" each."""
        raw = self.raw
        number = _NUMBER.match(raw, self.at)
        if number is None:
            self._bad_number(self.at + 1)
        fraction, exponent = number.groups(b"")
        self.at = number.end()
        following = raw[self.at] if self.at < len(raw) else _END
        if number[0] in (b"0", b"-0") and 0x30 <= following <= 0x39:
            raise self.fault("invalid number", ahead=1)
        elif following == 0x2E and not (fraction or exponent):
            self._bad_number(self.at + 1)
        elif following in (0x45, 0x65) and not exponent:
            sign = raw[self.at + 1 : self.at + 2] in (b"+", b"-")
            self._bad_number(self.at + 1 + sign)
        return fraction, exponent

    def _bad_number(self, digit_expected_at: int) -> NoReturn:
        self.at = digit_expected_at
        if self.at >= len(self.raw):
            raise self.fault(_EOF_VALUE)
        raise self.fault("invalid number", ahead=1)

    def string(self) -> str:
        """A string, its opening quote being the next byte."""
        self.at += 1
        raw = self.raw
        pieces: list[str] = []
        while True:
            start = self.at
            plain = _PLAIN.match(raw, start)
            if plain:
                self.at = plain.end()
            if self.at == len(raw):
                raise self.fault(_EOF_STRING)
            pieces.append(raw[start : self.at].decode())
            byte = raw[self.at]
            self.at += 1
            if byte == _QUOTE:
                return "".join(pieces)
            if byte != _BACKSLASH:
                raise self.fault(_CONTROL)
            pieces.append(self._escape())

    def _take(self) -> int:
        """The next byte of a string."""
        if self.at == len(self.raw):
            raise self.fault(_EOF_STRING)
        self.at += 1
        return self.raw[self.at - 1]

    def _escape(self) -> str:
        """What stands behind a backslash (``parse_escape``)."""
        byte = self._take()
        if byte in _ESCAPES:
            return _ESCAPES[byte]
        if byte != 0x75:
            raise self.fault("invalid escape")
        first = self._hex()
        if 0xDC00 <= first <= 0xDFFF:
            raise self.fault("lone leading surrogate in hex escape")
        if not 0xD800 <= first <= 0xDBFF:
            return chr(first)
        if self._take() != _BACKSLASH or self._take() != 0x75:
            raise self.fault("unexpected end of hex escape")
        second = self._hex()
        if not 0xDC00 <= second <= 0xDFFF:
            raise self.fault("lone leading surrogate in hex escape")
        return chr(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))

    def skip_escape(self) -> None:
        """Pass over what stands behind a backslash; surrogates need no partner (``ignore_escape``)."""
        byte = self._take()
        if byte == 0x75:
            self._hex()
        elif byte not in _ESCAPES:
            raise self.fault("invalid escape")

    def _hex(self) -> int:
        if self.at + 4 > len(self.raw):
            self.at = len(self.raw)
            raise self.fault(_EOF_STRING)
        self.at += 4
        if not _HEX4.fullmatch(self.raw, self.at - 4, self.at):
            raise self.fault("invalid escape")
        return int(self.raw[self.at - 4 : self.at], 16)


def _digits_past_i32(exponent: bytes) -> int:
    """How many of the exponent's last digits stand behind the one at which serde_json's i32 overflows."""
    digits = exponent.lstrip(b"eE+-").lstrip(b"0")
    if len(digits) < 10 or (len(digits) == 10 and int(digits) <= I32_MAX):
        return 0
    return len(digits) - (10 if int(digits[:10]) > I32_MAX else 11)


def canonical(value: object, *, spelling: Spelling = "e+") -> bytes:
    """`value` as the crate prints it for the digest: compact, keys sorted by code point, floats in shortest form.

    Args:
        spelling: how floats of 1e16 and more are printed: ``1e+16`` by serde_json 1.0.147 and later, ``1e16`` before.
    """
    import orjson

    return respell(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), spelling)


@cache
def _orjson_spelling() -> Spelling:
    """orjson changed as serde_json did, both with the library that prints their floats."""
    import orjson

    return "e+" if orjson.dumps(1e16) == b"1e+16" else "e"


def respell(printed: bytes, spelling: Spelling) -> bytes:
    """JSON that orjson printed, with the exponents of its numbers in this spelling."""
    if spelling == _orjson_spelling() or (spelling == "e" and b"e+" not in printed):
        return printed
    plus = b"+" if spelling == "e+" else b""

    def one(found: re.Match[bytes]) -> bytes:
        if found[1] is not None or found[3] == b"-":
            return found[0]
        return found[2] + b"e" + plus

    return _EXPONENT.sub(one, printed)
