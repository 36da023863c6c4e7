"""Any JSON text as indented lines, without parsing it: an index over the file's own bytes.

A line is a scalar, an empty container, or one bracket of a container that holds something, with its key before it:
what `jq .` prints. Nothing is copied: a line says where in the bytes its key and its value are. The index keeps one
resumable state for each page of lines, so its size is a small part of the file's and any line is found by reading
one page. Order and duplicate keys are the file's. Where the text stops being JSON the lines stop following it: the
rest is shown raw, in the file's own lines.
"""

from __future__ import annotations

import json
import re
from array import array
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from enum import IntEnum
from time import perf_counter
from typing import NamedTuple

from . import jq
from .jsonline import BODY, CLOSE_ARRAY, CLOSE_OBJECT, COLON, ELEMENT, MEMBER, SPACE, STRING, Frame, Kind, Line
from .jsonline import Raw as Raw

PAGE = 512
"""Lines decoded together: half a millisecond's work."""
KEPT_PAGES = 48
PAGE_BYTES = 256 << 10
"""A page ends early once its lines cover more."""
WINDOW = 128 << 10
"""A string that is longer (bytes) is scanned in slices, once, and its end remembered."""
SLICE = 256 << 10
RAW_LINE = 4096
"""Bytes of a raw line at most."""
_CUT_OFF = 16
"""No token other than a string is longer at the point where a file that has not been read to its end breaks off."""


class _Expect(IntEnum):
    VALUE = 0
    CLOSE = 1
    RAW = 2
    NOTHING = 3


class _State(NamedTuple):
    offset: int
    line: int
    frame: Frame | None
    held: int
    """Elements of `frame` so far."""
    expect: _Expect


class _Page(NamedTuple):
    lines: list[Line]
    closed: dict[int, tuple[int, int]]
    """Opening line to closing line and number of elements, of what closes on this page."""
    after: _State


@dataclass(frozen=True, slots=True)
class _Fault(Exception):
    """Not JSON from here on."""

    offset: int


@dataclass(frozen=True, slots=True)
class _Long(Exception):
    """A string that begins here is longer than the window and has not been scanned yet."""

    start: int


class _Starved(Exception):
    """What is there ends in the middle of a line, and more is to come."""


class Index:
    """The lines of `raw`, known as far as :meth:`grow` has got.

    Args:
        whole: False if `raw` is only the beginning of the file; :meth:`feed` gives the rest later.
    """

    def __init__(self, raw: Raw, *, whole: bool = True) -> None:
        self.raw = raw
        self.whole = whole
        self.fault: int | None = None
        """The byte at which the text stops being JSON, once it is known."""
        self._states: list[_State] = []
        self._offsets = array("Q")
        self._firsts = array("Q")
        self._next = _State(0, 0, None, 0, _Expect.VALUE)
        self._crossing: dict[int, tuple[int, int]] = {}
        self._string_ends: dict[int, int] = {}
        self._scanning: tuple[int, int] | None = None
        self._pages: OrderedDict[int, _Page] = OrderedDict()

    def __len__(self) -> int:
        """Lines known so far."""
        return self._next.line

    @property
    def done(self) -> bool:
        return self._next.expect is _Expect.NOTHING

    @property
    def offset(self) -> int:
        """Bytes covered so far."""
        return self._scanning[1] if self._scanning else self._next.offset

    def feed(self, raw: Raw) -> None:
        """The whole file, where only its beginning was there before."""
        self.raw = raw
        self.whole = True

    def grow(self, seconds: float) -> bool:
        """Go on for about this long; True if there is nothing more to do (until :meth:`feed`, if that is to come)."""
        deadline = perf_counter() + seconds
        while not self.done:
            try:
                if self._scanning is not None:
                    self._scan_string(*self._scanning)
                else:
                    self._add_page()
            except _Starved:
                return True
            if perf_counter() >= deadline:
                break
        return self.done

    def line(self, number: int) -> Line:
        page = bisect_right(self._firsts, number) - 1
        return self._page(page).lines[number - self._firsts[page]]

    def line_at(self, offset: int) -> int:
        """The number of the line that holds this byte, or of the last before it."""
        page = max(0, bisect_right(self._offsets, offset) - 1)
        lines = self._page(page).lines
        within = bisect_right(lines, offset, key=_begin) - 1
        return self._firsts[page] + max(0, within)

    def closing(self, number: int) -> tuple[int, int] | None:
        """For an opening line: the line that closes it and how many elements it holds; None where not known (yet)."""
        page = bisect_right(self._firsts, number) - 1
        return self._page(page).closed.get(number) or self._crossing.get(number)

    def steps(self, number: int) -> list[str | int] | None:
        """Keys and indexes from the root to this line's node; None for a raw line."""
        line = self.line(number)
        if line.kind is Kind.RAW:
            return None
        steps: list[str | int] = []
        frame, key, place = line.frame, line.key, line.place
        while frame is not None:
            steps.append(self.string(*key) if frame.is_object else place)
            key, place = frame.key, frame.place
            frame = frame.parent
        return steps[::-1]

    def path(self, number: int) -> str | None:
        """The same as jq spells it."""
        steps = self.steps(number)
        return None if steps is None else jq.path(steps)

    def text(self, start: int, end: int) -> str:
        """Bytes as text; those that are no UTF-8 as ``\\xff``."""
        return self.raw[start:end].decode("utf-8", "backslashreplace")

    def string(self, start: int, end: int) -> str:
        """What the string token between these bytes says."""
        return _said(self.text(start, end))

    def beginning(self, start: int, most: int) -> str:
        """What the first `most` bytes, or a few less, of the string token say that begins here."""
        end = _end_of(BODY.match(self.raw, start + 1, start + most))
        # Not between the bytes of one character.
        return _said(f'"{self.raw[start + 1 : end].decode("utf-8", "ignore")}"')

    def pretty(self, number: int, indent: str = "  ") -> str:
        """The line as `jq .` would print it."""
        line = self.line(number)
        value = self.text(line.start, line.end)
        if line.kind is Kind.RAW:
            return value
        if line.kind is Kind.LEAF and value[0] in "{[":
            value = value[0] + value[-1]
        key = "" if line.kind is Kind.CLOSE or line.key[0] == line.key[1] else f"{self.text(*line.key)}: "
        return f"{indent * line.depth}{key}{value}{',' if line.comma else ''}"

    def _add_page(self) -> None:
        state = self._next
        try:
            page = self._decode(state, PAGE)
        except _Fault as fault:
            self.fault = fault.offset
            start = _after_space(self.raw, state.offset)
            self._next = _State(start, state.line, None, 0, _Expect.RAW)
            return
        except _Long as long:
            self._scanning = (long.start, long.start + 1)
            return
        if page.lines:
            self._states.append(state)
            self._offsets.append(state.offset)
            self._firsts.append(state.line)
            self._remember(len(self._states) - 1, page)
        for opened, closed in page.closed.items():
            if opened < state.line:
                self._crossing[opened] = closed
        self._next = page.after

    def _page(self, number: int) -> _Page:
        page = self._pages.get(number)
        if page is None:
            end = self._firsts[number + 1] if number + 1 < len(self._firsts) else self._next.line
            page = self._decode(self._states[number], end - self._firsts[number])
            self._remember(number, page)
        else:
            self._pages.move_to_end(number)
        return page

    def _remember(self, number: int, page: _Page) -> None:
        self._pages[number] = page
        if len(self._pages) > KEPT_PAGES:
            self._pages.popitem(last=False)

    def _decode(self, state: _State, limit: int) -> _Page:
        """The next lines from `state`, up to `limit`; what stops it after the first line ends the page before it."""
        raw, size = self.raw, len(self.raw)
        offset, number, frame, count, expect = state
        lines: list[Line] = []
        closed: dict[int, tuple[int, int]] = {}
        try:
            while len(lines) < limit and offset - state.offset < PAGE_BYTES:
                if expect is _Expect.VALUE:
                    pattern = MEMBER if frame is not None and frame.is_object else ELEMENT
                    match = pattern.match(raw, offset, offset + WINDOW)
                    if match is None or match.end() > min(size, offset + WINDOW) - _CUT_OFF:
                        key, start, end, opens, comma, after = self._slowly(offset, pattern is MEMBER)
                    else:
                        key = match.span(1)
                        opens = match.end(4) >= 0
                        start, end = match.span(4 if opens else 2)
                        comma, after = match.end(3) >= 0, match.end()
                    if opens:
                        lines.append(Line(Kind.OPEN, key, start, end, False, frame, count, number))
                        depth = 0 if frame is None else frame.depth + 1
                        frame = Frame(frame, number, raw[start] == 0x7B, depth, count, key)
                        count, offset = 0, end
                    else:
                        # A comma after the root is no part of it: it is where the text stops being JSON.
                        comma = comma and frame is not None
                        lines.append(Line(Kind.LEAF, key, start, end, comma, frame, count, number))
                        count, offset = count + 1, after if frame is not None else end
                        expect = _Expect.VALUE if comma else _Expect.CLOSE
                elif expect is _Expect.CLOSE:
                    if frame is None:
                        offset = self._to_the_end(offset)
                        expect = _Expect.NOTHING
                        break
                    match = (CLOSE_OBJECT if frame.is_object else CLOSE_ARRAY).match(raw, offset)
                    if match is None:
                        raise _Fault(_after_space(raw, offset))
                    if match.end() == size and not self.whole:
                        raise _Starved
                    parent = frame.parent
                    comma = match.end(2) >= 0 and parent is not None
                    start, end = match.span(1)
                    lines.append(Line(Kind.CLOSE, frame.key, start, end, comma, parent, frame.place, frame.line))
                    closed[frame.line] = (number, count)
                    count, frame = frame.place + 1, parent
                    offset = match.end() if parent is not None else end
                    expect = _Expect.VALUE if comma else _Expect.CLOSE
                elif expect is _Expect.RAW:
                    end = self._raw_end(offset)
                    lines.append(Line(Kind.RAW, (0, 0), offset, end, False, None, 0, number))
                    offset = end + (raw[end : end + 1] == b"\n")
                    if offset >= size:
                        expect = _Expect.NOTHING
                else:
                    break
                number += 1
        except (_Fault, _Long, _Starved) as stop:
            if isinstance(stop, _Fault) and not self.whole and stop.offset >= size - _CUT_OFF:
                stop = _Starved()
            if not lines:
                raise stop from None
        return _Page(lines, closed, _State(offset, number, frame, count, expect))

    def _slowly(self, offset: int, is_member: bool) -> tuple[tuple[int, int], int, int, bool, bool, int]:
        """One line token by token, for a line of any length and for the place of a fault."""
        raw = self.raw
        key = (offset, offset)
        if is_member:
            start = _after_space(raw, offset)
            key = (start, self._string_end(start))
            colon = COLON.match(raw, key[1])
            if colon is None:
                raise _Fault(_after_space(raw, key[1]))
            offset = colon.end()
        start = _after_space(raw, offset)
        if raw[start : start + 1] == b'"':
            end = self._string_end(start)
            comma = _after_space(raw, end)
            has_comma = raw[comma : comma + 1] == b","
            after = comma + has_comma
        else:
            match = ELEMENT.match(raw, start)
            if match is None:
                if raw[start : start + 1] in (b"{", b"[") and _after_space(raw, start + 1) == len(raw) and self.whole:
                    return key, start, start + 1, True, False, start + 1
                raise _Fault(start if self.whole else len(raw))
            if match.end(4) >= 0:
                return key, match.start(4), match.end(4), True, False, match.end()
            end, has_comma, after = match.end(2), match.end(3) >= 0, match.end()
        if after > len(raw) - _CUT_OFF and not self.whole:
            raise _Starved
        return key, start, end, False, has_comma, after

    def _string_end(self, start: int) -> int:
        raw = self.raw
        if (known := self._string_ends.get(start)) is not None:
            return known
        if (match := STRING.match(raw, start, start + WINDOW)) is not None:
            return match.end()
        if raw[start : start + 1] != b'"':
            raise _Fault(start)
        if start + WINDOW < len(raw):
            raise _Long(start)
        return self._unfinished(_end_of(BODY.match(raw, start + 1)))

    def _unfinished(self, offset: int) -> int:
        """A string goes wrong here: at the end of what has been read, that may be put right by what follows."""
        if not self.whole and offset >= len(self.raw) - _CUT_OFF:
            raise _Starved
        raise _Fault(offset)

    def _scan_string(self, start: int, offset: int) -> None:
        """One slice of a long string."""
        raw, upto = self.raw, min(len(self.raw), offset + SLICE)
        reached = _end_of(BODY.match(raw, offset, upto))
        if raw[reached : reached + 1] == b'"':
            self._string_ends[start] = reached + 1
            self._scanning = None
        elif upto < len(raw) and reached >= upto - _CUT_OFF:
            self._scanning = (start, reached)
        else:
            self._scanning = (start, reached)
            try:
                self._unfinished(reached)
            except _Fault as fault:
                self.fault = fault.offset
                self._scanning = None
                state = self._next
                self._next = _State(_after_space(raw, state.offset), state.line, None, 0, _Expect.RAW)

    def _to_the_end(self, offset: int) -> int:
        end = _after_space(self.raw, offset)
        if not self.whole:
            raise _Starved
        if end < len(self.raw):
            raise _Fault(end)
        return end

    def _raw_end(self, offset: int) -> int:
        upto = min(len(self.raw), offset + RAW_LINE)
        found = self.raw.find(b"\n", offset, upto)
        if found >= 0:
            return found
        if upto < len(self.raw) and not self.raw[offset:upto].isascii():
            # Not between the bytes of one character.
            while upto > offset + RAW_LINE - 4 and self.raw[upto] & 0xC0 == 0x80:
                upto -= 1
        return upto


def _said(token: str) -> str:
    try:
        said = json.loads(token, strict=False)
    except ValueError:
        return token.strip('"')
    return said if isinstance(said, str) else token


def _begin(line: Line) -> int:
    return line.start if line.kind is Kind.CLOSE or line.key[0] == line.key[1] else line.key[0]


def _after_space(raw: Raw, offset: int) -> int:
    return _end_of(SPACE.match(raw, offset))


def _end_of(match: re.Match[bytes] | None) -> int:
    assert match is not None, "a pattern that matches the empty string"
    return match.end()
