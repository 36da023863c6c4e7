"""Which lines of a :class:`~lastgood.core.jsontext.Index` are shown while some containers are folded.

A folded container is one line, its opening one. Folding by level is a rule, not a list: it costs the same for ten
containers and ten million.
"""

from __future__ import annotations

from .jsonline import Frame, Kind
from .jsontext import Index

ALL = 1 << 30
"""A level deeper than any container: nothing is folded by it."""


class Folds:
    """Containers at `level` or deeper are folded, except where :meth:`fold` or :meth:`unfold` said otherwise."""

    def __init__(self, index: Index, level: int = ALL) -> None:
        self.index = index
        self.level = level
        self._said: dict[int, bool] = {}

    def set_level(self, level: int) -> None:
        """Fold what lies at this depth or deeper (0 is the root), open all the rest, forget single choices."""
        self.level = level
        self._said.clear()

    def fold(self, line: int) -> None:
        self._said[line] = True

    def unfold(self, line: int) -> None:
        self._said[line] = False

    def is_folded(self, line: int) -> bool:
        """Whether this opening line stands for its whole container."""
        found = self.index.line(line)
        return found.kind is Kind.OPEN and self._is_folded(line, found.depth)

    def following(self, line: int) -> int | None:
        """The shown line after this shown one; None at the end of what is known."""
        if self.is_folded(line):
            closing = self.index.closing(line)
            if closing is None:
                return None
            line = closing[0]
        return line + 1 if line + 1 < len(self.index) else None

    def preceding(self, line: int) -> int | None:
        """The shown line before this shown one; None at the beginning."""
        return self.shown(line - 1) if line > 0 else None

    def shown(self, line: int) -> int:
        """`line` itself, or the folded container's line that stands for it: the outermost one."""
        found = self.index.line(line)
        shown = line
        if found.kind is Kind.CLOSE and self._is_folded(found.opened, found.depth):
            shown = found.opened
        frame = found.frame
        while frame is not None:
            if self._is_folded(frame.line, frame.depth):
                shown = frame.line
            frame = frame.parent
        return shown

    def reveal(self, line: int) -> None:
        """Unfold whatever hides this line."""
        found = self.index.line(line)
        if found.kind is Kind.CLOSE and self._is_folded(found.opened, found.depth):
            self.unfold(found.opened)
        for frame in _frames(found.frame):
            if self._is_folded(frame.line, frame.depth):
                self.unfold(frame.line)

    def _is_folded(self, line: int, depth: int) -> bool:
        said = self._said.get(line)
        return depth >= self.level if said is None else said


def _frames(frame: Frame | None) -> list[Frame]:
    found = []
    while frame is not None:
        found.append(frame)
        frame = frame.parent
    return found


def parent(index: Index, line: int) -> int | None:
    """The opening line of the container that this line's node is in; for a closing line its own opening one."""
    found = index.line(line)
    if found.kind is Kind.CLOSE:
        return found.opened
    return None if found.frame is None else found.frame.line


def next_sibling(index: Index, line: int) -> int | None:
    """The first line of the next element of the same container."""
    found = index.line(line)
    last = line
    if found.kind is Kind.OPEN:
        closing = index.closing(line)
        if closing is None:
            return None
        last = closing[0]
    if last + 1 >= len(index):
        return None
    after = index.line(last + 1)
    return last + 1 if after.kind is not Kind.CLOSE and after.frame is found.frame else None


def previous_sibling(index: Index, line: int) -> int | None:
    """The first line of the element before in the same container."""
    first = index.line(line).opened
    if first == 0:
        return None
    before = index.line(first - 1)
    if before.kind is Kind.CLOSE:
        return before.opened
    return first - 1 if before.kind is Kind.LEAF else None
