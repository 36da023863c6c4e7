"""Numbered items of one or more rows each, drawn by the line API: what the viewers stand on.

The screen hangs on an anchor, the item at its top, so nothing needs to be known of what lies above or below: neither
how many rows there are, nor how high an item is that is not shown.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from .actions import bindings_for
from .ink import ink
from .text import Part, overlaid, segments, strip

COLOURS = {
    "json-key": "#6cb2f7",
    "json-string": "#5fd3a2",
    "json-number": "#e58be8",
    "json-literal": "#f2c14e",
    "diff-added": "#5fd3a2",
    "diff-removed": "#ff6b6b",
    "diff-changed": "#f2c14e",
    "integrity-valid": "#5fd3a2",
    "integrity-bad": "#ff6b6b",
}
"""What the viewers need of an app's theme, for themes that don't say it (``get_theme_variable_defaults``)."""

Place = tuple[int, int]
"""An item and one of its rows."""


class SearchBar(Input):
    """One line at the foot of a viewer; escape gives up."""

    DEFAULT_CSS = """
    SearchBar, SearchBar:focus {
        dock: bottom; display: none; height: 1; width: 100%; border: none; padding: 0 1; background: $surface;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("search")

    def __init__(self) -> None:
        super().__init__(placeholder="search, then enter", select_on_focus=True)
        self.cursor_blink = False

    def action_give_up(self) -> None:
        self.display = False
        if isinstance(self.parent, Widget):
            self.parent.focus()


class Flow(Widget, can_focus=True):
    """A cursor over items that wrap. A subclass says what the items are and how they look."""

    DEFAULT_CSS = """
    Flow {
        height: 1fr;
        & > .flow--note { color: $text-muted; }
        & > .flow--match { color: $text-warning; text-style: bold reverse; }
        & > .flow--cursor {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
            text-style: $block-cursor-blurred-text-style;
        }
        &:focus > .flow--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
        &:ansi > .flow--cursor { text-style: underline; }
        &:ansi:focus > .flow--cursor { text-style: reverse; color: ansi_default; background: ansi_default; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"flow--cursor", "flow--note", "flow--match"}
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("move", "view")

    cursor = reactive(0, repaint=False, init=False)
    wrap = reactive(True, repaint=False, init=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.query_text = ""
        self.hits: Sequence[int] = ()
        """Items that say the text searched for, ascending."""
        self._top: Place = (0, 0)
        self._drawn: dict[int, list[Strip]] = {}
        self._layout: list[Place] | None = None

    # What a subclass gives

    def count(self) -> int:
        """How many items there are, hidden ones included."""
        raise NotImplementedError

    def strips(self, item: int, width: int) -> list[Strip]:
        """The item's rows, at least one, of `width` cells at most."""
        raise NotImplementedError

    def following(self, item: int) -> int | None:
        return item + 1 if item + 1 < self.count() else None

    def preceding(self, item: int) -> int | None:
        return item - 1 if item > 0 else None

    def nearest(self, item: int) -> int:
        """The shown item that stands for `item`."""
        return item

    def reveal(self, item: int) -> None:
        """Make `item` one that is shown."""

    def find(self, query: str) -> Sequence[int]:
        """The items that say `query`, ascending."""
        return ()

    def finding(self) -> str:
        """What to say of a search that goes on: empty once it is over."""
        return ""

    # For a subclass to call

    def reset(self) -> None:
        """Other items altogether: the cursor goes to the first, a search is over."""
        self.query_text, self.hits = "", ()
        self._top = (0, 0)
        self.set_reactive(Flow.cursor, 0)
        self.redraw()

    def redraw(self) -> None:
        """The items, or what is hidden of them, changed."""
        self._drawn.clear()
        self._layout = None
        if self.count():
            self._top = (self.nearest(min(self._top[0], self.count() - 1)), self._top[1])
            self._top = (self._top[0], min(self._top[1], len(self._strips(self._top[0])) - 1))
            self.cursor = self.nearest(min(self.cursor, self.count() - 1))
            self._show_cursor()
        self.refresh()

    def part_style(self, name: str) -> Style:
        """The style of a component class; the row brings the background."""
        return ink(self, name)

    @property
    def rows_high(self) -> int:
        """Rows for items: the last one belongs to a search that is on."""
        return max(1, self.size.height - (1 if self.query_text else 0))

    @property
    def columns(self) -> int:
        """Cells for items: the last column shows where the screen is."""
        return max(8, self.size.width - 1)

    # Drawing

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._drawn.clear()
        self._layout = None

    def compose(self) -> ComposeResult:
        yield SearchBar()

    def render_line(self, y: int) -> Strip:
        width, ground = self.size.width, self.rich_style
        if self.query_text and y == self.size.height - 1:
            return strip(*self._search_line(), width=width, style=ground)
        layout = self._laid_out()
        if y >= len(layout):
            return Strip.blank(width, ground)
        item, row = layout[y]
        made = self._strips(item)[row].adjust_cell_length(width - 1).apply_style(ground)
        if item == self.cursor:
            made = overlaid(made, self.get_component_rich_style("flow--cursor"))
        mark = segments((self._scroll_mark(y), self.part_style("flow--note")), style=ground)
        # Pieces of one look are joined: every change of look is sent to the terminal.
        return Strip([*made, *mark], width).simplify()

    def _search_line(self) -> list[Part]:
        note = self.part_style("flow--note")
        going = self.finding()
        if not self.hits:
            return [("/", note), self.query_text, (f"  {going or 'not found'}", note)]
        place = bisect_left(self.hits, self.cursor)
        on_it = place < len(self.hits) and self.hits[place] == self.cursor
        counted = f"{place + 1 if on_it else '–'}/{len(self.hits)}"
        return [("/", note), self.query_text, f"  {counted}", (f"  {going or 'n next · N previous'}", note)]

    def _scroll_mark(self, y: int) -> str:
        layout, total = self._laid_out(), self.count()
        if (len(layout) < self.rows_high and self._top == (0, 0)) or not layout:
            return " "
        first, last = layout[0][0], layout[-1][0]
        begin = first * self.rows_high // max(1, total)
        end = max(begin + 1, (last + 1) * self.rows_high // max(1, total))
        if last == total - 1 and first > 0:
            end = self.rows_high
            begin = min(begin, end - 1)
        return "┃" if begin <= y < end else "│"

    def _strips(self, item: int) -> list[Strip]:
        found = self._drawn.get(item)
        if found is None:
            if len(self._drawn) > 600:
                self._drawn.clear()
            found = self._drawn[item] = self.strips(item, self.columns)
        return found

    def _laid_out(self) -> list[Place]:
        if self._layout is None:
            layout: list[Place] = []
            item: int | None = self._top[0] if self.count() else None
            skip = self._top[1]
            while item is not None and len(layout) < self.rows_high:
                layout.extend((item, row) for row in range(skip, len(self._strips(item))))
                item, skip = self.following(item), 0
            self._layout = layout[: self.rows_high]
        return self._layout

    # Moving

    def _down(self, place: Place, rows: int) -> Place:
        item, row = place
        row += rows
        while row >= (height := len(self._strips(item))):
            after = self.following(item)
            if after is None:
                return item, height - 1
            item, row = after, row - height
        return item, row

    def _up(self, place: Place, rows: int) -> Place:
        item, row = place
        row -= rows
        while row < 0:
            before = self.preceding(item)
            if before is None:
                return item, 0
            item = before
            row += len(self._strips(item))
        return item, row

    def _hang_on(self, top: Place) -> None:
        """Draw from `top`, without leaving the foot of the screen empty."""
        bottom = self._down(top, self.rows_high - 1)
        self._top = self._up(bottom, self.rows_high - 1)
        self._layout = None
        self.refresh()

    def _show_cursor(self) -> None:
        """Put the cursor in sight, by half a screen where it is not: over a link a jump costs as much as one row."""
        if not self.size.height:
            return
        shown = [row for item, row in self._laid_out() if item == self.cursor]
        height = len(self._strips(self.cursor))
        if shown and (len(shown) == height or height >= self.rows_high):
            return
        self._hang_on(self._up((self.cursor, 0), max(0, min(self.rows_high // 2, self.rows_high - height))))

    def validate_cursor(self, item: int) -> int:
        return max(0, min(item, self.count() - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        if self.count():
            self._show_cursor()
        for y, (item, _) in enumerate(self._laid_out()):
            if item in (old, new):
                self.refresh(Region(0, y, self.size.width, 1))
        if self.query_text:
            self.refresh(Region(0, self.size.height - 1, self.size.width, 1))
        self.cursor_moved()

    def cursor_moved(self) -> None:
        """The cursor is on another item."""

    def watch_wrap(self) -> None:
        self.redraw()

    def on_resize(self, event: events.Resize) -> None:
        self.redraw()
        if self.count() and self.size.height:
            self._hang_on(self._top)  # what is higher now shows more, not emptiness
            self._show_cursor()

    def on_click(self, event: events.Click) -> None:
        layout = self._laid_out()
        if event.y < len(layout):
            self.cursor = layout[event.y][0]

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.action_move(3)
        event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.action_move(-3)
        event.stop()

    def action_move(self, items: int) -> None:
        for _ in range(abs(items)):
            if not self._scroll_inside(items):
                step = self.following(self.cursor) if items > 0 else self.preceding(self.cursor)
                if step is None:
                    return
                self.cursor = step

    def _scroll_inside(self, direction: int) -> bool:
        """Where the cursor's item goes on beyond the screen, show more of it instead of leaving it."""
        shown = [row for item, row in self._laid_out() if item == self.cursor]
        if not shown:
            return False
        half = max(1, self.rows_high // 2)
        if direction > 0 and shown[-1] < len(self._strips(self.cursor)) - 1:
            self._hang_on(self._down(self._top, half))
            return True
        if direction < 0 and shown[0] > 0:
            self._hang_on(self._up(self._top, half))
            return True
        return False

    def action_page(self, pages: int) -> None:
        if not self.count():
            return
        before = self._top
        step = max(1, self.rows_high - 1)
        self._hang_on(self._down(before, step) if pages > 0 else self._up(before, step))
        layout = self._laid_out()
        if self._top == before:
            self.cursor = layout[-1][0] if pages > 0 else layout[0][0]
            return
        whole = [item for item, row in layout if row == 0]
        self.cursor = whole[0] if whole else layout[0][0]

    def action_first(self) -> None:
        self.cursor = 0

    def action_last(self) -> None:
        if self.count():
            self.cursor = self.nearest(self.count() - 1)

    def action_wrap(self) -> None:
        self.wrap = not self.wrap

    # Searching

    def action_search(self) -> None:
        bar = self.query_one(SearchBar)
        bar.display = True
        # At once: what is typed ahead belongs to the search and must not reach the viewer's own keys.
        self.screen.set_focus(bar)

    @on(Input.Submitted)
    def _search_for(self, event: Input.Submitted) -> None:
        event.stop()
        bar = self.query_one(SearchBar)
        bar.display = False
        self.screen.set_focus(self)
        self.query_text = event.value
        self.hits = self.find(event.value) if event.value else ()
        self.redraw()
        if self.hits:
            place = bisect_left(self.hits, self.cursor)
            self.go_to(self.hits[place % len(self.hits)])

    @on(Input.Changed)
    def _typing(self, event: Input.Changed) -> None:
        event.stop()

    def action_hit(self, direction: int) -> None:
        if not self.hits:
            return
        if direction > 0:
            self.go_to(self.hits[bisect_right(self.hits, self.cursor) % len(self.hits)])
        else:
            self.go_to(self.hits[bisect_left(self.hits, self.cursor) - 1])

    def go_to(self, item: int) -> None:
        """The cursor on `item`, made visible."""
        if self.nearest(item) != item:
            self.reveal(item)
            self.redraw()
        self.cursor = item
