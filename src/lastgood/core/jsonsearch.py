"""Search in the keys and values of an :class:`~lastgood.core.jsontext.Index`, in slices of time."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from time import perf_counter

from .jsonline import Kind
from .jsontext import Index

CHUNK = 256 << 10
"""Bytes searched between two looks at the clock."""
MOST = 100_000
"""Lines found at most; one who has so many refines the question."""


def pattern(query: str) -> re.Pattern[bytes]:
    """Where JSON text says `query`, in whichever way it may be escaped there; upper case as lower unless asked for."""
    any_case = query == query.lower()
    return re.compile(b"".join(_spellings(char, any_case) for char in query), re.DOTALL)


def _spellings(char: str, any_case: bool) -> bytes:
    chars = sorted({char, char.lower(), char.upper()}) if any_case else [char]
    # Some letters have a capital of two letters; only single characters are looked for.
    ways = [way for c in chars if len(c) == 1 for way in _ways(c)]
    return b"(?:" + b"|".join(ways) + b")"


def _ways(char: str) -> list[bytes]:
    short = {'"': rb"\\\"", "\\": rb"\\\\", "/": rb"\\?/", "\n": rb"\\n", "\t": rb"\\t", "\r": rb"\\r"}
    units = char.encode("utf-16-be", "surrogatepass").hex()
    escaped = b"".join(rb"\\u(?i:" + units[i : i + 4].encode() + b")" for i in range(0, len(units), 4))
    plain = re.escape(char.encode("utf-8", "surrogatepass"))
    return [short.get(char, plain), escaped] if char in short or not char.isalnum() or ord(char) > 127 else [plain]


class Search:
    """The lines that say `query` in their key or value, as far as :meth:`advance` has got."""

    def __init__(self, index: Index, query: str) -> None:
        self.index = index
        self.query = query
        self.hits = array("Q")
        """Line numbers, ascending."""
        self.done = False
        self._pattern = pattern(query)
        self._offset = 0
        # A match that begins in a chunk may end this far behind it.
        self._overlap = 12 * len(query)

    @property
    def full(self) -> bool:
        """Whether it stopped at the limit."""
        return len(self.hits) >= MOST

    def advance(self, seconds: float) -> bool:
        """Go on for about this long, as far as the lines are known; True once all is searched."""
        deadline = perf_counter() + seconds
        index = self.index
        while not self.done and not self.full:
            known = index.offset
            if self._offset >= known:
                self.done = index.done
                break
            upto = min(known, self._offset + CHUNK)
            match = self._pattern.search(index.raw, self._offset, min(known, upto + self._overlap))
            if match is None:
                self._offset = upto
            else:
                self._take(match.start(), match.end())
            if perf_counter() >= deadline:
                break
        return self.done or self.full

    def _take(self, start: int, end: int) -> None:
        number = self.index.line_at(start)
        line = self.index.line(number)
        in_key = line.kind is not Kind.CLOSE and line.key[0] < start and end < line.key[1]
        in_value = line.kind in (Kind.LEAF, Kind.RAW) and line.start <= start and end <= line.end
        if in_key or in_value:
            if not self.hits or self.hits[-1] != number:
                self.hits.append(number)
            self._offset = max(end, line.end)
        else:
            self._offset = start + 1

    def after(self, line: int) -> int | None:
        """The next line found after this one, else the first of all."""
        if not self.hits:
            return None
        place = bisect_right(self.hits, line)
        return self.hits[place % len(self.hits)]

    def before(self, line: int) -> int | None:
        """The line found before this one, else the last of all."""
        if not self.hits:
            return None
        return self.hits[bisect_left(self.hits, line) - 1]

    def place(self, line: int) -> int | None:
        """Which of the hits this line is, counted from 1; None where it is none."""
        place = bisect_left(self.hits, line)
        return place + 1 if place < len(self.hits) and self.hits[place] == line else None
