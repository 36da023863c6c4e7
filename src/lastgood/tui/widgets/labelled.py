"""Labels on the left, sentences on the right, wrapped under themselves: overviews, dialogs, the help."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.cells import cell_len
from textual.geometry import Size
from textual.visual import Visual
from textual.widget import Widget

from ...core.sanitise import Safe, clean
from ..text import Part, block

Row = tuple[str | None, str, str]
"""A label, what it says, and its tone. Without a label the sentence begins at the left edge."""

TONES = {
    "": "",
    "muted": "$text-muted",
    "good": "$integrity-valid",
    "warning": "$text-warning",
    "bad": "$integrity-bad",
    "accent": "$text-accent",
    "strong": "bold",
}


_LONGEST = 5_000
"""Characters of a sentence that are shown: a path has 4,096 at most, and a reason may have a million."""


class Labelled(Widget):
    """As high as its rows are at its width.

    Args:
        label: cells for the labels and the gap after them.
        tone: that of the labels.
    """

    DEFAULT_CSS = "Labelled { width: 100%; height: auto; }"

    def __init__(self, rows: Sequence[Row] = (), *, label: int, tone: str = "muted", id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows = list(rows)
        self._label = label
        self._tone = tone

    def show(self, rows: Sequence[Row]) -> None:
        """Show these instead."""
        self._rows = list(rows)
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> Visual:
        return block(self._lines(self.content_size.width))

    def _lines(self, width: int) -> list[list[Part]]:
        lines: list[list[Part]] = []
        for label, says, tone in self._rows:
            indent = 0 if label is None else self._label
            if len(says) > _LONGEST:
                says = (Safe if isinstance(says, Safe) else str)(says[:_LONGEST] + "…")
            for number, words in enumerate(wrapped(clean(says), max(8, width - indent))):
                head = (clean(label or "") if number == 0 else "").ljust(indent)
                lines.append([(Safe(head), TONES[self._tone]), (Safe(words), TONES[tone])])
        return lines


_BLANK = re.compile(r" (?!(?:s|m|h|d|B|KB|MB|GB)\b)")
"""Where a line may be broken: not between a number and its unit."""


def wrapped(text: str, cells: int) -> list[str]:
    """`text` in lines of at most `cells` cells, broken at blanks where there are any."""
    lines: list[str] = []
    line = ""
    for word in _BLANK.split(text):
        while cell_len(word) > cells:
            # A path or a digest without blanks: filled up where it starts, broken where it ends.
            room = cells - cell_len(line) - (1 if line else 0)
            if room < 8:
                lines.append(line)
                line, room = "", cells
            cut = _fitting(word, room)
            lines.append(f"{line} {word[:cut]}" if line else word[:cut])
            line, word = "", word[cut:]
        if not line:
            line = word
        elif cell_len(line) + 1 + cell_len(word) <= cells:
            line = f"{line} {word}"
        else:
            lines.append(line)
            line = word
    return [*lines, line]


def _fitting(word: str, cells: int) -> int:
    used = 0
    for at, char in enumerate(word):
        used += cell_len(char)
        if used > cells:
            return max(1, at)
    return len(word)
