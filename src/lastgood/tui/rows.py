"""Rows of one line each, drawn by the line API: costs what is visible, whatever their number."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from .actions import bindings_for
from .ink import ink
from .text import overlaid, segments


class Rows(ScrollView, can_focus=True, inherit_bindings=False):
    """A cursor over numbered rows. A subclass gives :meth:`row_count` and :meth:`row_strip`.

    When the cursor leaves the screen by a row, the rows follow by one where the terminal can move them itself, which is
    where they take its whole width. Else they jump by half a screen: over a slow link a jump costs as much as one row.
    """

    DEFAULT_CSS = """
    Rows {
        overflow-x: hidden;
        scrollbar-size: 0 0;
        & > .rows--mark { color: $text-muted; }
        & > .rows--cursor {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
            text-style: $block-cursor-blurred-text-style;
        }
        &:focus > .rows--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--cursor", "rows--mark"}
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("move")

    cursor = reactive(0, repaint=False, init=False)

    class Moved(Message):
        """The cursor is on another row."""

        def __init__(self, rows: Rows, row: int) -> None:
            super().__init__()
            self.rows = rows
            self.row = row

        @property
        def control(self) -> Rows:
            return self.rows

    def row_count(self) -> int:
        raise NotImplementedError

    def row_strip(self, row: int) -> Strip:
        """Row `row`, made by :mod:`lastgood.tui.text`; it is cut or filled up to the width here."""
        raise NotImplementedError

    @property
    def columns(self) -> int:
        """Cells for rows: the last column shows where the screen is."""
        return max(0, self.size.width - 1)

    def bar(self) -> tuple[int, int]:
        """The columns that the cursor covers, from and to."""
        return 0, self.columns

    def rows_changed(self) -> None:
        """To be called after rows came, went or changed: the cursor stays on its number as far as there is one."""
        self.virtual_size = Size(self.size.width, self.row_count())
        self.cursor = self.validate_cursor(self.cursor)
        self.refresh()

    def show_row(self, row: int) -> None:
        """Scroll if `row` is off the screen."""
        height, top = self.size.height, self.scroll_offset.y
        if not height or top <= row < top + height:
            return
        next_to_it = row in (top - 1, top + height) and self.region.width == self.app.size.width
        to = top + (1 if row > top else -1) if next_to_it else max(0, row - height // 2)
        self.scroll_to(y=to, animate=False, force=True, immediate=True)

    def validate_cursor(self, row: int) -> int:
        return max(0, min(row, self.row_count() - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        self.show_row(new)
        for row in (old, new):
            self.refresh(Region(0, row - self.scroll_offset.y, self.size.width, 1))
        self.post_message(self.Moved(self, new))

    def render_line(self, y: int) -> Strip:
        row, width = y + self.scroll_offset.y, self.size.width
        if row >= self.row_count():
            return Strip.blank(width, self.rich_style)
        made = self.row_strip(row).adjust_cell_length(self.columns).apply_style(self.rich_style)
        if row == self.cursor:
            begin, end = self.bar()
            under = overlaid(made.crop(begin, end), self.get_component_rich_style("rows--cursor"))
            made = Strip.join([made.crop(0, begin), under, made.crop(end)])
        mark = segments((self._scroll_mark(y), ink(self, "rows--mark")), style=self.rich_style)
        # Pieces of one look are joined: every change of look is sent to the terminal.
        return Strip([*made, *mark], width).simplify()

    def _scroll_mark(self, y: int) -> str:
        """Where in all the rows the shown ones are; a scroll bar would change four rows with every row scrolled."""
        height, top, count = self.size.height, self.scroll_offset.y, self.row_count()
        if count <= height:
            return " "
        begin = top * height // count
        end = height if top + height >= count else max(begin + 1, (top + height) * height // count)
        return "┃" if min(begin, end - 1) <= y < end else "│"

    def on_resize(self, event: events.Resize) -> None:
        self.virtual_size = Size(event.size.width, self.row_count())
        self.show_row(self.cursor)

    def on_click(self, event: events.Click) -> None:
        row = event.y + self.scroll_offset.y
        if row < self.row_count():
            self.cursor = row

    def action_move(self, rows: int) -> None:
        self.cursor += rows

    def action_page(self, pages: int) -> None:
        self.cursor += pages * max(1, self.size.height - 1)

    def action_first(self) -> None:
        self.cursor = 0

    def action_last(self) -> None:
        self.cursor = self.row_count() - 1
