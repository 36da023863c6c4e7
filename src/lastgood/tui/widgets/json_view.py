"""Any file's JSON as a text that folds, made from what is on the screen: 200 MB open as fast as 200 bytes.

`python -m lastgood.tui.widgets.json_view FILE` shows one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.strip import Strip
from textual.worker import Worker

from lastgood.core.jsonfold import ALL, Folds, next_sibling, parent, previous_sibling
from lastgood.core.jsonline import Kind, Line, Raw
from lastgood.core.jsonsearch import Search
from lastgood.core.jsontext import Index
from lastgood.core.redact import SECRET, names_secret, redact_text

from ..actions import bindings_for
from ..flow import COLOURS, Flow
from ..text import NO_STYLE
from ..wrap import Piece, clipped, rows, source
from .reader import Reader

AT_ONCE = 0.03
"""Seconds spent on a file before its first lines are shown."""
SLICE = 0.008
"""Seconds of indexing or searching between two looks at the keyboard."""
SHOWN = 4096
"""Bytes of one value that are looked at to draw it."""
READ = 8 << 20
"""Bytes of one value that are copied or read at most."""
MOST_ROWS = 6
"""Rows of one value at most; the reader shows the rest."""


class JsonView(Flow):
    """Shows bytes: JSON as far as they are, the raw rest with the place of the fault marked."""

    DEFAULT_CSS = """
    JsonView {
        & > .json--key { color: $json-key; }
        & > .json--string { color: $json-string; }
        & > .json--number { color: $json-number; }
        & > .json--literal { color: $json-literal; }
        & > .json--fault { color: $integrity-bad; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "json--key",
        "json--string",
        "json--number",
        "json--literal",
        "json--fault",
    }
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("json")

    class PathChanged(Message):
        """The focus is on another node, or the work in the background got on."""

        def __init__(self, view: JsonView, path: str, work: str) -> None:
            super().__init__()
            self.view = view
            self.path = path
            """As jq spells it; empty in text that is no JSON. Raw: to be cleaned before it is shown."""
            self.work = work
            """What goes on in the background ("indexed 37 %"), or nothing."""

        @property
        def control(self) -> JsonView:
            return self.view

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._index = Index(b"null")
        self._folds = Folds(self._index)
        self._problem: tuple[int | None, str] | None = None
        self._search: Search | None = None
        self._wanted_last = False
        self._worker: Worker[None] | None = None
        self._masking = False

    # What it shows

    def show(self, raw: Raw, *, problem: tuple[int | None, str] | None = None, whole: bool = True) -> None:
        """Show these bytes from their beginning; at once, whatever their number.

        Args:
            problem: what a parser said against them: the byte, if it named one, and its words. Where it is None and
                the bytes are no JSON, the place is marked all the same.
            whole: False if `raw` is the beginning of a file of which :meth:`extend` will bring the whole.
        """
        self._index = Index(raw, whole=whole)
        self._folds = Folds(self._index)
        self._problem = problem
        self._search = None
        self._wanted_last = False
        self._index.grow(AT_ONCE)
        self.reset()
        self._work_on()
        self.cursor_moved()

    def extend(self, raw: Raw) -> None:
        """The whole file of which :meth:`show` had the beginning: the cursor and the folds stay."""
        self._index.feed(raw)
        self._work_on()

    def mask(self, on: bool) -> None:
        """Mask what looks like a credential, or show it; what is copied stays what it is."""
        if on != self._masking:
            self._masking = on
            self.redraw()

    @property
    def path(self) -> str:
        """The jq path of the focus; empty in text that is no JSON."""
        return (self._index.path(self.cursor) or "") if self.count() else ""

    @property
    def value(self) -> str:
        """The focused node as the file spells it, a string as what it says; at most its first :data:`READ` bytes."""
        if not self.count():
            return ""
        index, line = self._index, self._index.line(self.cursor)
        if line.kind is Kind.LEAF and index.text(line.start, line.start + 1) == '"':
            if line.end - line.start > READ:
                return index.beginning(line.start, READ)
            return index.string(line.start, line.end)
        if line.kind in (Kind.LEAF, Kind.RAW):
            return index.text(line.start, min(line.end, line.start + READ))
        start = index.line(line.opened).start
        closing = index.closing(line.opened)
        return index.text(start, min(index.line(closing[0]).end if closing else line.end, start + READ))

    def action_problem(self) -> None:
        """The cursor on the place where the text stops being JSON, if it is known."""
        at = self._problem[0] if self._problem and self._problem[0] is not None else self._index.fault
        if at is not None and self.count():
            self.go_to(self._index.line_at(at))

    # Background work

    def _work_on(self) -> None:
        if not (self._index.done or self._starved) or self.finding():
            self._worker = self.run_worker(self._advance(), group="json-view", exclusive=True)

    @property
    def _starved(self) -> bool:
        return not self._index.whole and self._index.grow(0)

    async def _advance(self) -> None:
        index, told = self._index, 0.0
        loop = asyncio.get_running_loop()
        while index is self._index:
            finished = index.grow(SLICE)
            search = self._search
            found = search is None or search.done or search.full or self._advance_search(search)
            now = loop.time()
            if finished and (found or not index.whole):
                break
            if now - told > 0.5:
                told = now
                self._tell()
            await asyncio.sleep(0.002)
        if index is self._index:
            self._tell()

    def _advance_search(self, search: Search) -> bool:
        had = len(search.hits)
        done = search.advance(SLICE)
        self.hits = search.hits
        if not had and len(search.hits):
            self.action_hit(1)
        return done

    def _tell(self) -> None:
        """Show what has become known: at most twice a second."""
        self._drawn.clear()
        if self._wanted_last:
            self.action_last()
        self._layout = None
        self.refresh()
        self.cursor_moved()

    def finding(self) -> str:
        search = self._search
        if search is None or search.done:
            return ""
        if search.full:
            return "and more: refine the search"
        return f"searched {self._percent()}"

    def _percent(self) -> str:
        return f"{100 * self._index.offset // max(1, len(self._index.raw))} %"

    # Items

    def count(self) -> int:
        return len(self._index)

    def following(self, item: int) -> int | None:
        return self._folds.following(item)

    def preceding(self, item: int) -> int | None:
        return self._folds.preceding(item)

    def nearest(self, item: int) -> int:
        return self._folds.shown(item)

    def reveal(self, item: int) -> None:
        self._folds.reveal(item)

    def find(self, query: str) -> Sequence[int]:
        self._search = Search(self._index, query)
        self._search.advance(AT_ONCE)
        if not self._search.done:
            self._work_on()
        return self._search.hits

    def cursor_moved(self) -> None:
        work = "" if self._index.done or not self.count() else f"indexed {self._percent()}"
        self.post_message(self.PathChanged(self, self.path, work))

    # Drawing

    def strips(self, item: int, width: int) -> list[Strip]:
        line = self._index.line(item)
        indent = min(2 * line.depth, width // 2)
        pieces: list[Piece] = [(" " * indent, NO_STYLE), *self._pieces(item, line)]
        if self.wrap:
            made, cut = rows(pieces, width, indent=indent + 2, most=MOST_ROWS)
            more = line.end - line.start > SHOWN
            if cut or more:
                note = f"… {line.end - line.start:,} bytes; enter reads them"
                made.append(rows([(" " * (indent + 2), NO_STYLE), (note, self.part_style("flow--note"))], width)[0][0])
        else:
            made = [clipped(pieces, width)]
        return made + self._fault_rows(item, line, width)

    def _pieces(self, item: int, line: Line) -> list[Piece]:
        pieces: list[Piece] = []
        if line.kind is not Kind.CLOSE and line.key[0] < line.key[1]:
            pieces += self._spelled(self._text(*line.key), self.part_style("json--key"))
            pieces.append((": ", NO_STYLE))
        comma = "," if line.comma else ""
        if line.kind is Kind.OPEN:
            return pieces + self._container(item, line)
        if line.kind is Kind.RAW:
            return pieces + self._spelled(self._text(line.start, line.end), NO_STYLE)
        first = self._index.text(line.start, line.start + 1)
        if line.kind is Kind.CLOSE or first in "{[":
            return [*pieces, ({"{": "{}", "[": "[]"}.get(first, first) + comma, NO_STYLE)]
        name = {'"': "string", "t": "literal", "f": "literal", "n": "literal"}.get(first, "number")
        text = f'"{SECRET}"' if name == "string" and self._names_secret(line) else self._text(line.start, line.end)
        value = self._spelled(text, self.part_style(f"json--{name}"))
        # The comma stays with the last word, in whatever colour: alone on a row it would look like a value.
        return [*pieces, *value[:-1], (value[-1][0] + comma, value[-1][1])]

    def _container(self, item: int, line: Line) -> list[Piece]:
        note = self.part_style("flow--note")
        closing = self._index.closing(item)
        is_object = self._index.text(line.start, line.end) == "{"
        if closing is not None:
            said = f"{{{closing[1]:,}}}" if is_object else f"[{closing[1]:,}]"
        else:
            said = "never closed" if self._index.done else "…"
        if not self._folds.is_folded(item):
            return [("{" if is_object else "[", NO_STYLE), (f"  {said}", note)]
        comma = "," if closing is not None and self._index.line(closing[0]).comma else ""
        return [("{…}" if is_object else "[…]", NO_STYLE), (comma, NO_STYLE), (f"  ▸ {said}", note)]

    def _text(self, start: int, end: int) -> str:
        """A token as the file spells it, as far as it is drawn; masked where that is wanted."""
        if not self._masking:
            return self._index.text(start, min(end, start + SHOWN))
        # A little more than is shown: a credential that the end cuts is one all the same.
        return redact_text(self._index.text(start, min(end, start + SHOWN + 256)))[:SHOWN]

    def _names_secret(self, line: Line) -> bool:
        """Whether a text is to be masked for its own key, or for that of something that holds it."""
        if not self._masking:
            return False
        keys, frame = [line.key], line.frame
        while frame is not None:
            keys.append(frame.key)
            frame = frame.parent
        return any(names_secret(self._index.string(*key)) for key in keys if 0 < key[1] - key[0] <= SHOWN)

    def _spelled(self, spelled: str, style: Style) -> list[Piece]:
        """Text in one look, but for what was searched for, which stands out."""
        pieces: list[Piece] = []
        match_style = self.part_style("flow--match")
        end = 0
        if self.query_text:
            flags = re.IGNORECASE if self.query_text == self.query_text.lower() else 0
            for match in re.finditer(re.escape(self.query_text), spelled, flags):
                pieces += source(spelled[end : match.start()], style)
                pieces += source(match[0], style + match_style)
                end = match.end()
        return pieces + source(spelled[end:], style)

    def _fault_rows(self, item: int, line: Line, width: int) -> list[Strip]:
        said = self._problem[1] if self._problem else "not JSON from here on"
        at = self._problem[0] if self._problem and self._problem[0] is not None else self._index.fault
        if at is None or at > self._index.offset or self._index.line_at(at) != item:
            return []
        before = self._index.text(max(line.start, at - 12), at)
        after = self._index.text(at, at + 12) or "the end of the file"
        style = self.part_style("json--fault")
        pieces: list[Piece] = [(f"✗ {said}", style)]
        if "byte" not in said:
            pieces.append((f" · byte {at:,}", style))
        if line.end - line.start > 24:
            pieces.append((f", between “{before}” and “{after}”", style))
        return rows(pieces, width, indent=2, most=3)[0]

    # Keys

    def action_fold(self) -> None:
        if self.count():
            line = self._index.line(self.cursor).opened
            self._set_folded(line, not self._folds.is_folded(line))

    def action_into(self) -> None:
        if self._folds.is_folded(self.cursor):
            self._set_folded(self.cursor, False)
        elif self.count() and self._index.line(self.cursor).kind is Kind.OPEN:
            self.action_move(1)

    def action_out(self) -> None:
        if not self.count():
            return
        line = self._index.line(self.cursor)
        if line.kind is Kind.OPEN and not self._folds.is_folded(self.cursor):
            self._set_folded(self.cursor, True)
        elif (above := parent(self._index, self.cursor)) is not None:
            self.cursor = above

    def action_sibling(self, direction: int) -> None:
        if self.count():
            step = next_sibling if direction > 0 else previous_sibling
            found = step(self._index, self.cursor)
            if found is not None:
                self.cursor = found

    def action_level(self, level: int) -> None:
        self._folds.set_level(level)
        self.redraw()

    def action_unfold_all(self) -> None:
        self.action_level(ALL)

    def action_last(self) -> None:
        self._wanted_last = not (self._index.done or self._starved)
        super().action_last()

    def action_move(self, items: int) -> None:
        self._wanted_last = False
        super().action_move(items)

    def action_read(self) -> None:
        if not self.count():
            return
        if self._index.line(self.cursor).kind in (Kind.OPEN, Kind.CLOSE):
            self.action_fold()
        else:
            line = self._index.line(self.cursor)
            cut = f", its first {READ >> 20} MiB" if line.end - line.start > READ else ""
            value = self.value
            if self._masking:
                value = SECRET if self._names_secret(line) else redact_text(value)
            self.app.push_screen(Reader(f"{self.path or 'raw text'}{cut}", value))

    def _set_folded(self, line: int, folded: bool) -> None:
        (self._folds.fold if folded else self._folds.unfold)(line)
        if folded and self.cursor != line:
            self.set_reactive(Flow.cursor, line)
        self.redraw()
        self.cursor_moved()


class _Look(App[None]):
    def __init__(self, raw: bytes) -> None:
        super().__init__()
        self.raw = raw

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return COLOURS

    def compose(self) -> ComposeResult:
        yield JsonView()

    def on_mount(self) -> None:
        self.query_one(JsonView).show(self.raw)
        self.query_one(JsonView).focus()


if __name__ == "__main__":
    import sys
    from pathlib import Path

    _Look(Path(sys.argv[1]).read_bytes()).run(mouse=False)
