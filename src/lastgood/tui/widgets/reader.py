"""One long text on the whole screen, wrapped and searchable.

`python -m lastgood.tui.widgets.reader FILE` shows one.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen
from textual.strip import Strip

from ..actions import bindings_for
from ..flow import COLOURS, Flow
from ..text import NO_STYLE, clip, strip
from ..wrap import Piece, clipped, rows

CHUNK = 1024
"""Characters of one item at most: a line that is longer is several items, so that none is much higher than a screen."""
MOST_LINES = 1_000_000
"""A text of more lines is shown so far, and says so."""
_LINE = re.compile(rf"[^\n]{{1,{CHUNK}}}+|(?<![^\n])\n")


class TextView(Flow):
    """A text by its own lines."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("reader")

    def __init__(self, said: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._said = said
        self._starts = array("Q")
        """Where each item begins."""
        for match in _LINE.finditer(said):
            self._starts.append(match.start())
            if len(self._starts) >= MOST_LINES:
                break
        if not self._starts:
            self._starts.append(0)

    def count(self) -> int:
        return len(self._starts)

    def text_of(self, item: int) -> str:
        start = self._starts[item]
        end = self._starts[item + 1] if item + 1 < len(self._starts) else start + CHUNK
        return self._said[start:end].split("\n", 1)[0]

    def strips(self, item: int, width: int) -> list[Strip]:
        said = self.text_of(item).replace("\t", "    ").rstrip("\r")
        pieces: list[Piece] = []
        end = 0
        if self.query_text:
            flags = re.IGNORECASE if self.query_text == self.query_text.lower() else 0
            for match in re.finditer(re.escape(self.query_text), said, flags):
                pieces += [(said[end : match.start()], NO_STYLE), (match[0], self.part_style("flow--match"))]
                end = match.end()
        pieces.append((said[end:], NO_STYLE))
        return rows(pieces, width)[0] if self.wrap else [clipped(pieces, width)]

    def find(self, query: str) -> Sequence[int]:
        flags = re.IGNORECASE if query == query.lower() else 0
        found = re.compile(re.escape(query), flags)
        return [i for i in range(self.count()) if found.search(self.text_of(i))]


class Reader(ModalScreen[None], inherit_bindings=False):
    """Shows `said` under its title until it is left."""

    DEFAULT_CSS = """
    Reader { align: center middle; background: $background; }
    Reader > ReaderTitle { dock: top; height: 1; color: $text-accent; text-style: bold; }
    Reader > TextView { width: 100%; height: 1fr; padding: 0; }
    """
    AUTO_FOCUS = "TextView"

    def __init__(self, title: str, said: str) -> None:
        super().__init__()
        self._title = title
        self._said = said

    def compose(self) -> ComposeResult:
        lines = self._said.count("\n") + 1
        yield ReaderTitle(self._title, f"{len(self._said):,} characters, {lines:,} lines · / search · esc back")
        yield TextView(self._said)


class ReaderTitle(Flow, can_focus=False):
    """One row: what is read on the left, how much there is on the right."""

    def __init__(self, title: str, says: str) -> None:
        super().__init__()
        self._title = title
        self._says = says

    def count(self) -> int:
        return 0

    def render_line(self, y: int) -> Strip:
        width, ground = self.size.width, self.rich_style
        right = f" {self._says}" if width > 2 * len(self._says) else ""
        left = clip(self._title, width - len(right) - 1)
        blank = " " * max(0, width - len(right) - strip(left).cell_length)
        return strip(left, blank, (right, self.part_style("flow--note")), width=width, style=ground)


class _Look(App[None]):
    def __init__(self, said: str) -> None:
        super().__init__()
        self.said = said

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return COLOURS

    def on_mount(self) -> None:
        self.push_screen(Reader("a file", self.said), lambda _: self.exit())


if __name__ == "__main__":
    import sys
    from pathlib import Path

    _Look(Path(sys.argv[1]).read_text(errors="replace")).run(mouse=False)
