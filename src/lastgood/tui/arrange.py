"""Where everything goes on a screen of a given size: a pure function, so that it can be tested and argued about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SMALLEST = (60, 15)
"""Columns and rows below which the screen says that it is too small instead of being of no use."""

WIDE = 120
"""Columns from which tree and preview stand side by side."""

FRAME_ROWS = 4
"""Header, tab strip, status and keys: one row each."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Sizes in cells. In a stack the tree is as wide as the screen; side by side both are as tall as the body."""

    kind: Literal["too-small", "stack", "side"]
    tree_width: int = 0
    tree_height: int = 0
    preview_width: int = 0
    preview_height: int = 0


def arrange(
    width: int, height: int, *, reading: bool = False, zoomed: bool = False, filtering: bool = False
) -> Arrangement:
    """Share the screen out.

    Args:
        reading: the preview has the focus: in a stack it then gets the room and the tree keeps its surroundings.
        zoomed: the preview has all of it.
        filtering: one more row is taken by the filter.
    """
    if width < SMALLEST[0] or height < SMALLEST[1]:
        return Arrangement("too-small")
    body = height - FRAME_ROWS - filtering
    if width >= WIDE:
        body += 1  # The tab strip stands on top of the preview alone.
        tree = 0 if zoomed else max(64, width * 11 // 20)
        return Arrangement("side", tree, body, width - tree - (tree > 0), body - 1)
    if zoomed:
        return Arrangement("stack", width, 0, width, body)
    tree = max(4, body // 3) if reading else max(5, body * 2 // 3)
    return Arrangement("stack", width, tree, width, body - tree)
