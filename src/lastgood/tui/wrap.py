"""Styled pieces of text cut into rows of a width."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

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
    for word in _words(pieces):
        size = sum(cell_len(part.rstrip()) for part, _ in word)
        if room < size and (size <= full // 2 or (size <= full and room < full // 4) or room == 0):
            if len(made) == most:
                return [strip(*row) for row in made], True
            made.append([blank])
            room = full
        for part, style in word:
            while cell_len(part.rstrip()) > room:
                head, part = _split(part, room)
                made[-1].append((head, style))
                if len(made) == most:
                    return [strip(*row) for row in made], True
                made.append([blank])
                room = full
            # Blanks at the end of a row are not carried over to the next.
            part = part if cell_len(part) <= room else Safe(part.rstrip())
            made[-1].append((part, style))
            room -= cell_len(part)
    return [strip(*row) for row in made], False


def _words(pieces: Sequence[Piece]) -> Iterator[list[tuple[Safe, Style]]]:
    """Runs up to a blank, each with the blanks after it; a run goes on from one piece into the next."""
    word: list[tuple[Safe, Style]] = []
    for words, style in pieces:
        for match in _WORD.finditer(clean(words)):
            word.append((Safe(match[0]), style))
            if match[0][-1] == " ":
                yield word
                word = []
    if word:
        yield word


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
    made, cut = rows(pieces, width, most=1)
    if not cut:
        return made[0]
    return Strip.join([rows(pieces, max(1, width - 1), most=1)[0][0], strip("…")])


def _split(word: Safe, cells: int) -> tuple[Safe, Safe]:
    """`word` cut where its first part takes at most `cells`, never inside a character."""
    if word.isascii():
        cut = max(0, cells)
        return Safe(word[:cut]), Safe(word[cut:])
    used = 0
    for start, _, size in split_graphemes(word)[0]:
        if used + size > cells:
            return Safe(word[:start]), Safe(word[start:])
        used += size
    return word, Safe("")
