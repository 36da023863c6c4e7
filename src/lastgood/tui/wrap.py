"""Styled pieces of text cut into rows of a width."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.cells import cell_len, split_graphemes
from rich.style import Style
from textual.strip import Strip

from lastgood.core.sanitise import Safe, clean

from .text import Part, strip

Piece = tuple[str, Style]

_WORD = re.compile(r"\S+\s*|\s+")


def rows(pieces: Sequence[Piece], width: int, *, indent: int = 0, most: int = 1 << 30) -> tuple[list[Strip], bool]:
    """`pieces`, cleaned, in rows of at most `width` cells, cut between words where that is possible.

    Args:
        indent: blanks before each row but the first.
        most: make no more rows than that.

    Returns:
        The rows, at least one, and whether something did not get into them.
    """
    indent = min(indent, width // 2)
    full = width - indent
    blank = Safe(" " * indent)
    made: list[list[Part]] = [[]]
    room = width
    for words, style in pieces:
        for match in _WORD.finditer(clean(words)):
            word = Safe(match[0])
            size = cell_len(word.rstrip())
            if room < size <= full // 2 or (size > room == 0):
                if len(made) == most:
                    return [strip(*row) for row in made], True
                made.append([blank])
                room = full
            while size > room:
                head, word = _split(word, room)
                made[-1].append((head, style))
                if len(made) == most:
                    return [strip(*row) for row in made], True
                made.append([blank])
                room = full
                size = cell_len(word.rstrip())
            # Blanks at the end of a row are not carried over to the next.
            word = word if cell_len(word) <= room else Safe(word.rstrip())
            made[-1].append((word, style))
            room -= cell_len(word)
    return [strip(*row) for row in made], False


def source(text: str, style: Style) -> list[Piece]:
    """JSON text in pieces that cleaning leaves as they are: its own escapes are no notation of ours."""
    pieces: list[Piece] = []
    for i, part in enumerate(text.split("\\")):
        if i:
            pieces.append(("\\", style))
        if part:
            pieces.append((part, style))
    return pieces or [("", style)]


def clipped(pieces: Sequence[Piece], width: int) -> Strip:
    """`pieces`, cleaned, in one row; what is cut off is said by an ellipsis."""
    made, cut = rows(pieces, width - 1, most=1)
    return Strip.join([made[0], strip("…")]) if cut else made[0]


def _split(word: Safe, cells: int) -> tuple[Safe, Safe]:
    """`word` cut where its first part takes at most `cells`, never inside a character, and at least one of them."""
    if word.isascii():
        cut = max(1, cells)
        return Safe(word[:cut]), Safe(word[cut:])
    used = 0
    for start, _, size in split_graphemes(word)[0]:
        if used + size > cells and start > 0:
            return Safe(word[:start]), Safe(word[start:])
        used += size
    return word, Safe("")
