"""How far a text is JSON, and inside what it stops: bytes alone, any depth, linear time, bounded memory.

The grammar is RFC 8259's, which is serde_json's; what serde_json refuses beyond it (range of numbers, nesting,
lone surrogates, UTF-8) is :mod:`lastgood.core.serde`'s and :func:`bad_utf8`'s.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_WS = rb"[ \t\n\r]*+"
_PLAIN = rb'[^"\\\x00-\x1f]*+'
_ESCAPE = rb'\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})'
_NUMBER = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
# Groups are repeated a bounded number of times: a greedy group costs memory for every repetition, and possessive
# groups are wrong in Python before 3.11.5 (gh-106052).
_SHORT_STRING = rb'"' + _PLAIN + rb"(?:" + _ESCAPE + _PLAIN + rb'){0,200}"'
_SCALAR = rb"(?:" + _SHORT_STRING + rb"|" + _NUMBER + rb"|true|false|null)"
_MEMBER = _SHORT_STRING + _WS + rb":" + _WS
_COMMA = _WS + rb"," + _WS
_FLAT_OBJECT = rb"\{" + _WS + rb"(?:(?:" + _MEMBER + _SCALAR + _COMMA + rb"){0,30}" + _MEMBER + _SCALAR + _WS + rb")?\}"
_FLAT_ARRAY = rb"\[" + _WS + rb"(?:(?:" + _SCALAR + _COMMA + rb"){0,30}" + _SCALAR + _WS + rb")?\]"
_FLAT = rb"(?:" + _SCALAR + rb"|" + _FLAT_OBJECT + rb"|" + _FLAT_ARRAY + rb")"
_ELEMENT = re.compile(_FLAT + _COMMA)
_ELEMENTS = re.compile(rb"(?:" + _ELEMENT.pattern + rb"){1,512}")
_MEMBERS = re.compile(rb"(?:" + _MEMBER + _FLAT + _COMMA + rb"){1,64}")
_BODY = re.compile(_PLAIN + rb"(?:" + _ESCAPE + _PLAIN + rb"){0,4000}")
_PART_OF_ESCAPE = re.compile(rb"\\(?:u[0-9A-Fa-f]{0,3})?")
_WHITE = re.compile(_WS)
_WHOLE_NUMBER = re.compile(_NUMBER)
_PART_OF_NUMBER = re.compile(rb"-?(?:(?:0|[1-9][0-9]*+)(?:\.[0-9]*+)?)?(?:(?<=[0-9])[eE][+-]?[0-9]*+)?")
_LITERALS = {b"t": b"true", b"f": b"false", b"n": b"null"}
_OBJECT, _ARRAY = ord("{"), ord("[")
KEEP_DEPTH = 2
"""Containers that may be kept in part: the document and a field of it; what is incomplete deeper goes whole."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a text ceases to be JSON.

    Attributes:
        offset: the first byte that cannot follow what precedes it; the end where it merely ends.
        inside: `a string`, `a number`, `an object, after a key`, … in words.
        path: keys and indices that lead to the value in which it stops.
        ended: nothing is wrong but that it ends too early.
        complete: a whole document precedes `offset` (which is the end, or where something follows it).
        cut: up to here the text is whole values, but for open containers.
        closers: what closes those containers: ``raw[:cut] + closers`` is JSON. Empty where nothing is whole.
    """

    offset: int
    inside: str
    path: tuple[str | int, ...]
    ended: bool
    complete: bool
    cut: int
    closers: bytes

    @property
    def well_formed(self) -> bool:
        """The text is one JSON document and nothing else."""
        return self.complete and self.ended


def skip_white(raw: bytes, pos: int, end: int | None = None) -> int:
    """The first offset from `pos` on that holds no JSON white space."""
    match = _WHITE.match(raw, pos, len(raw) if end is None else end)
    assert match is not None
    return match.end()


def string_end(raw: bytes, pos: int, end: int) -> tuple[int, bool]:
    """Where the string whose quote is at `pos` stops, and whether it is whole (then after its closing quote)."""
    pos += 1
    while True:
        match = _BODY.match(raw, pos, end)
        assert match is not None
        if match.end() < end and raw[match.end()] == 0x22:
            return match.end() + 1, True
        if match.end() == pos or match.end() == end or raw[match.end()] != 0x5C:
            return match.end(), False
        pos = match.end()


def bad_utf8(raw: bytes) -> int | None:
    """The first byte of the first sequence that is not UTF-8; a character cut off by the end is none."""
    step = 1 << 20
    pos = 0
    while pos < len(raw):
        try:
            _, used = codecs.utf_8_decode(raw[pos : pos + step], "strict", False)
        except UnicodeDecodeError as fault:
            return pos + fault.start
        if used == 0:
            return None
        pos += used
    return None


def scan(raw: bytes, start: int = 0, end: int | None = None) -> Stop:
    """Read one JSON document from `start` as far as it goes. `end`: take the text as ending there."""
    return _Scanner(raw, len(raw) if end is None else end).run(start)


def jq_path(path: tuple[str | int, ...], *, most: int = 12) -> str:
    """A path as jq writes it: ``.messages[3].content``. Segments beyond `most`, and long keys, are cut with `…`."""
    out = []
    for step in path[:most]:
        if isinstance(step, int):
            out.append(f"[{step}]")
        elif re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,60}", step):
            out.append(f".{step}")
        else:
            shown = step if len(step) <= 60 else step[:60] + "…"
            out.append('["' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"]')
    text = "".join(out) + ("…" if len(path) > most else "")
    return text if text.startswith(".") else f".{text}"


class _Scanner:
    """One pass: the open containers, and for each the index or the offset of the key that it is at."""

    def __init__(self, raw: bytes, end: int) -> None:
        self.raw = raw
        self.end = end
        self.kinds = bytearray()
        self.at: list[int] = []
        self.cut = 0
        self.closers = b""

    def run(self, pos: int) -> Stop:
        pos = skip_white(self.raw, pos, self.end)
        if pos == self.end:
            return self._stop(pos, "nothing but white space")
        value = self._value(pos)
        while isinstance(value, int):
            pos = value
            # Here a value has just been opened (its container is empty so far) or completed.
            if not self.kinds:
                return self._complete(pos)
            value = self._in_array(pos) if self.kinds[-1] == _ARRAY else self._in_object(pos)
        return value

    def _complete(self, pos: int) -> Stop:
        after = skip_white(self.raw, pos, self.end)
        return Stop(after, "the document", (), after == self.end, True, pos, b"")

    def _in_array(self, pos: int) -> int | Stop:
        """Go on inside an array: `pos` is after its bracket or after an element."""
        pos = skip_white(self.raw, pos, self.end)
        char = self.raw[pos : pos + 1] if pos < self.end else b""
        if char == b"]":
            return self._close(pos)
        if self.at[-1] >= 0:
            self._keep_if_whole(pos, char)
            if char != b",":
                return self._stop(pos, "an array, after an element")
            pos = skip_white(self.raw, pos + 1, self.end)
        self.at[-1] += 1
        while bulk := _ELEMENTS.match(self.raw, pos, self.end):
            self.at[-1] += sum(1 for _ in _ELEMENT.finditer(self.raw, pos, bulk.end()))
            pos = bulk.end()
            self._keep(self.raw.rindex(b",", 0, pos))
        if pos == self.end:
            after = "before its first element" if self.at[-1] == 0 else "after a comma"
            return self._stop(pos, f"an array, {after}")
        return self._value(pos)

    def _in_object(self, pos: int) -> int | Stop:
        """Go on inside an object: `pos` is after its brace or after a member."""
        raw, end = self.raw, self.end
        pos = skip_white(raw, pos, end)
        char = raw[pos : pos + 1] if pos < end else b""
        if char == b"}":
            return self._close(pos)
        where = "before its first key"
        if self.at[-1] >= 0:
            self._keep_if_whole(pos, char)
            self.at[-1] = -2
            if char != b",":
                return self._stop(pos, "an object, after a value")
            pos = skip_white(raw, pos + 1, end)
            where = "after a comma"
        while bulk := _MEMBERS.match(raw, pos, end):
            pos = bulk.end()
            where = "after a comma"
            self._keep(raw.rindex(b",", 0, pos))
        if pos == end or raw[pos] != 0x22:
            return self._stop(pos, f"an object, {where}")
        self.at[-1] = -2
        stop, whole = string_end(raw, pos, end)
        if not whole:
            return self._string_stop(stop, "a key")
        self.at[-1] = pos
        pos = skip_white(raw, stop, end)
        if pos == end or raw[pos] != 0x3A:
            return self._stop(pos, "an object, after a key")
        pos = skip_white(raw, pos + 1, end)
        if pos == end:
            return self._stop(pos, "an object, after a colon")
        return self._value(pos)

    def _value(self, pos: int) -> int | Stop:
        """Read a scalar, or open a container; `pos` is before `end`."""
        raw, end = self.raw, self.end
        char = raw[pos : pos + 1]
        if char == b'"':
            stop, whole = string_end(raw, pos, end)
            return stop if whole else self._string_stop(stop, "a string")
        if char in (b"{", b"["):
            self.kinds.append(char[0])
            self.at.append(-1)
            if len(self.kinds) <= KEEP_DEPTH:
                self._keep(pos + 1)
            return pos + 1
        if char in _LITERALS:
            word = _LITERALS[char]
            if raw.startswith(word, pos, end):
                return pos + len(word)
            same = next(n for n in range(len(word)) if raw[pos + n : min(pos + n + 1, end)] != word[n : n + 1])
            return self._stop(pos + same, "a literal")
        if char in b"-0123456789":
            number = _WHOLE_NUMBER.match(raw, pos, end)
            part = _PART_OF_NUMBER.match(raw, pos, end)
            if number is not None and part is not None and number.end() == part.end() < end:
                return number.end()
            assert part is not None
            if part.end() == end and number is not None and number.end() == end and not self.kinds:
                return end
            return self._stop(part.end(), "a number")
        inside = "the document" if not self.kinds else "an array" if self.kinds[-1] == _ARRAY else "an object"
        return self._stop(pos, f"{inside}, where a value should be")

    def _close(self, pos: int) -> int | Stop:
        """`pos` is at the bracket or brace that closes the innermost container."""
        self._keep(pos)
        self.kinds.pop()
        self.at.pop()
        return pos + 1

    def _keep(self, pos: int) -> None:
        """Everything before `pos` is whole values: remember it, if so shallow a container may be kept in part."""
        if len(self.kinds) <= KEEP_DEPTH:
            self.cut = pos
            self.closers = bytes(0x7D if kind == _OBJECT else 0x5D for kind in reversed(self.kinds))

    def _keep_if_whole(self, pos: int, char: bytes) -> None:
        """After a value, with `char` at `pos`: it is whole unless what follows shows that it, too, was damaged."""
        if char in (b"", b",") or (char == b"\0" and self.raw[pos - 1] not in b"0123456789"):
            self._keep(pos)

    def _string_stop(self, pos: int, what: str) -> Stop:
        if pos < self.end and self.raw[pos] == 0x5C:
            part = _PART_OF_ESCAPE.match(self.raw, pos, self.end)
            assert part is not None
            return self._stop(part.end(), f"an escape in {what}")
        return self._stop(pos, what)

    def _stop(self, pos: int, inside: str) -> Stop:
        return Stop(pos, inside, self._path(), pos == self.end, False, self.cut, self.closers)

    def _path(self) -> tuple[str | int, ...]:
        path: list[str | int] = []
        for kind, at in zip(self.kinds[:64], self.at, strict=False):
            if kind == _ARRAY and at >= 0:
                path.append(at)
            elif kind == _OBJECT and at >= 0:
                stop, _ = string_end(self.raw, at, self.end)
                path.append(self.raw[at + 1 : stop - 1].decode("utf-8", "replace"))
        return tuple(path)
