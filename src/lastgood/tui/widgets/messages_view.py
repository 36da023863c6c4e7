"""A checkpoint's messages as a chat.

`python -m lastgood.tui.widgets.messages_view FILE` shows one.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

from rich.style import Style
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.strip import Strip

from lastgood.core import chat
from lastgood.core.words import counted

from .. import markdown
from ..actions import bindings_for
from ..flow import COLOURS, Flow
from ..text import NO_STYLE
from ..wrap import Piece, clipped, rows, source

LONG = 16
"""Rows from which a message is folded at first."""
KEPT = 8
"""Rows of it that are then shown."""
CHUNK = 1000
"""Characters of one row at most: a line that is longer is cut into several."""
BOLD, ITALIC = Style(bold=True), Style(italic=True)
SYMBOLS = {
    "user": "▶",
    "assistant": "●",
    "system": "§",
    "developer": "§",
    "tool": "⚙",
    "function": "⚙",
    "pending": "!",
}


class Row(NamedTuple):
    kind: str
    """`head`, `more`, `call`, `result`, `pending`, `note`, `thinking`, `json`, or a look of markdown's."""
    text: str
    note: str = ""


class MessagesView(Flow):
    """The conversation, role by role; calls with their results; long messages folded."""

    DEFAULT_CSS = """
    MessagesView {
        & > .chat--user { color: $text-primary; text-style: bold; }
        & > .chat--assistant { color: $text-success; text-style: bold; }
        & > .chat--other { color: $text-secondary; text-style: bold; }
        & > .chat--call { color: $text-accent; }
        & > .chat--pending { color: $text-warning; text-style: bold; }
        & > .chat--code { color: $json-key; }
        & > .chat--heading { text-style: bold underline; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "chat--user",
        "chat--assistant",
        "chat--other",
        "chat--call",
        "chat--pending",
        "chat--code",
        "chat--heading",
    }
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("messages")

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._rows: list[Row] = []
        self._starts = array("Q")
        """The first row of each turn."""
        self._more: dict[int, int] = {}
        """For each turn that can be folded, its row that stands for the hidden ones."""
        self._folded: set[int] = set()

    def show(self, value: dict[str, Any]) -> None:
        """Show the conversation of this checkpoint, from its end: what was said last is what is looked for."""
        self._rows, self._starts, self._more = [], array("Q"), {}
        for number, turn in enumerate(chat.conversation(value)):
            self._starts.append(len(self._rows))
            body = list(_body(turn))
            self._rows.append(Row("head", turn.role, turn.place))
            if len(body) > LONG:
                self._rows += body[:KEPT]
                self._more[number] = len(self._rows)
                self._rows.append(Row("more", f"… {counted(len(body) - KEPT, 'more line')} · enter shows them"))
                self._rows += body[KEPT:]
            else:
                self._rows += body
            self._rows.append(Row("text", ""))
        if not self._rows:
            self._starts.append(0)
            self._rows.append(Row("note", "No messages and no pending tool calls."))
        self._folded = set(self._more)
        self.reset()
        self.action_last()
        self.cursor = self._starts[-1]

    # Items

    def count(self) -> int:
        return len(self._rows)

    def _turn(self, item: int) -> int:
        return bisect_right(self._starts, item) - 1

    def _end(self, turn: int) -> int:
        return self._starts[turn + 1] if turn + 1 < len(self._starts) else len(self._rows)

    def _is_shown(self, item: int) -> bool:
        turn = self._turn(item)
        more = self._more.get(turn)
        if more is None:
            return True
        # The empty row after a message stays.
        return item <= more or item == self._end(turn) - 1 if turn in self._folded else item != more

    def following(self, item: int) -> int | None:
        item += 1
        if item < len(self._rows) and not self._is_shown(item):
            turn = self._turn(item)
            item = self._end(turn) - 1 if turn in self._folded else item + 1
        return item if item < len(self._rows) else None

    def preceding(self, item: int) -> int | None:
        return self.nearest(item - 1) if item > 0 else None

    def nearest(self, item: int) -> int:
        if self._is_shown(item):
            return item
        turn = self._turn(item)
        return self._more[turn] if turn in self._folded else item - 1

    def reveal(self, item: int) -> None:
        self._folded.discard(self._turn(item))

    def find(self, query: str) -> Sequence[int]:
        found = _pattern(query)
        return [i for i, row in enumerate(self._rows) if row.kind not in ("head", "more") and found.search(row.text)]

    # Drawing

    def strips(self, item: int, width: int) -> list[Strip]:
        row = self._rows[item]
        if row.kind == "head":
            return [self._head(row, width)]
        lead, pieces = self._pieces(row)
        if self.query_text:
            pieces = [p for piece in pieces for p in self._marked(piece)]
        whole = [("  ", NO_STYLE), *lead, *pieces]
        if not self.wrap:
            return [clipped(whole, width)]
        hang = 2 + sum(len(words) for words, _ in lead)
        if row.kind == "text" and (bullet := re.match(r"\s*(?:•|\d+[.)])\s+", row.text)):
            hang += len(bullet[0])
        return rows(whole, width, indent=hang)[0]

    def _head(self, row: Row, width: int) -> Strip:
        known = row.text if row.text in ("user", "assistant") else "pending" if row.text == "pending" else "other"
        style = self.part_style(f"chat--{known}")
        note = self.part_style("flow--note")
        name = f"{SYMBOLS.get(row.text, '?')} {row.text} "
        left = clipped([(name, style)], max(4, width - len(row.note) - 4))
        rule = "─" * max(1, width - left.cell_length - len(row.note) - 1)
        return Strip.join([left, clipped([(f"{rule} {row.note}", note)], max(2, width - left.cell_length))])

    def _pieces(self, row: Row) -> tuple[list[Piece], list[Piece]]:
        """What stands before a row, and the row."""
        note, code = self.part_style("flow--note"), self.part_style("chat--code")
        if row.kind == "text":
            looks = {"": NO_STYLE, "bold": BOLD, "italic": ITALIC, "code": code}
            return [], [(words, looks[look]) for words, look in markdown.inline(row.text)]
        if row.kind == "call":
            name, _, rest = row.text.partition(" ")
            call = self.part_style("chat--call")
            return [("⚙ ", call)], [(name, call + BOLD), (f" {rest}", code)]
        if row.kind == "pending":
            return [], [(row.text, self.part_style("chat--pending"))]
        if row.kind == "code":
            return [("│ ", note)], [(row.text, code)]
        if row.kind == "result":
            return [(row.note, note)], [(row.text, NO_STYLE)]
        if row.kind == "quote":
            return [("▏ ", note)], [(row.text, ITALIC)]
        if row.kind == "heading":
            return [], [(row.text, self.part_style("chat--heading"))]
        if row.kind == "fence":
            return [], [(f"──── {row.text}".rstrip(), note)]
        if row.kind == "json":
            return [], source(row.text, code)
        return [], [(row.text, note + ITALIC if row.kind == "thinking" else note)]

    def _marked(self, piece: Piece) -> Iterator[Piece]:
        words, style = piece
        end = 0
        for match in _pattern(self.query_text).finditer(words):
            yield words[end : match.start()], style
            yield match[0], self.part_style("flow--match")
            end = match.end()
        yield words[end:], style

    # Keys

    def action_fold(self) -> None:
        self.action_set_fold(self._turn(self.cursor) not in self._folded)

    def action_set_fold(self, folded: bool) -> None:
        turn = self._turn(self.cursor)
        if turn in self._more:
            (self._folded.add if folded else self._folded.discard)(turn)
            self.redraw()

    def action_fold_all(self, folded: bool) -> None:
        self._folded = set(self._more) if folded else set()
        self.redraw()

    def action_turn(self, direction: int) -> None:
        turn = self._turn(self.cursor)
        if direction < 0 and self.cursor > self._starts[turn]:
            self.cursor = self._starts[turn]
        elif 0 <= turn + direction < len(self._starts):
            self.cursor = self._starts[turn + direction]


def _body(turn: chat.Turn) -> Iterator[Row]:
    for part in turn.parts:
        if isinstance(part, chat.Call):
            yield from _cut("call", f"{part.name} {part.arguments}".replace("\n", "⏎"))
            if part.pending:
                yield Row("pending", "! pending – the runtime may run it again")
            elif part.result is None:
                yield Row("note", "no result recorded")
            else:
                yield from _result(part.result)
        elif isinstance(part, chat.Result):
            yield Row("note", f"the result of {part.id}, a call that is not among the messages:")
            yield from _result(part.text)
        elif part.kind == "text":
            for line in markdown.lines(part.text):
                yield from _cut(line.look, line.text)
        else:
            for text in part.text.split("\n"):
                yield from _cut(part.kind, text)


def _result(said: str) -> Iterator[Row]:
    for i, text in enumerate(said.rstrip("\n").split("\n")):
        for row in _cut("result", text.rstrip("\r").replace("\t", "    ")):
            yield row._replace(note="→ " if i == 0 else "  ")


def _cut(kind: str, said: str) -> Iterator[Row]:
    for start in range(0, max(1, len(said)), CHUNK):
        yield Row(kind, said[start : start + CHUNK])


def _pattern(query: str) -> re.Pattern[str]:
    return re.compile(re.escape(query), re.IGNORECASE if query == query.lower() else 0)


class _Look(App[None]):
    def __init__(self, value: dict[str, Any]) -> None:
        super().__init__()
        self.value = value

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return COLOURS

    def compose(self) -> ComposeResult:
        yield MessagesView()

    def on_mount(self) -> None:
        self.query_one(MessagesView).show(self.value)
        self.query_one(MessagesView).focus()


if __name__ == "__main__":
    import json
    import sys
    from pathlib import Path

    _Look(json.loads(Path(sys.argv[1]).read_bytes())).run(mouse=False)
