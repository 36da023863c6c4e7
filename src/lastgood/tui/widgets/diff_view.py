"""What leads from one restore point to another: the summary on top, then each change, old and new.

`python -m lastgood.tui.widgets.diff_view OLD NEW` shows one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.strip import Strip

from lastgood.core import chat
from lastgood.core.diff import Change, Diff, diff

from ..actions import bindings_for
from ..flow import COLOURS, Flow
from ..text import NO_STYLE
from ..wrap import Piece, clipped, rows, source
from .reader import Reader

SHOWN = 2000
"""Characters of a value that are looked at to draw it."""
MOST_ROWS = 4
"""Rows of one value at most; the reader shows the rest."""
SIGNS = {"added": "+", "removed": "-", "changed": "~"}


class DiffView(Flow):
    """One item for the summary, then one for each change; enter reads both values in full."""

    DEFAULT_CSS = """
    DiffView {
        & > .diff--summary { text-style: bold; }
        & > .diff--path { color: $json-key; }
        & > .diff--added { color: $diff-added; }
        & > .diff--removed { color: $diff-removed; }
        & > .diff--changed { color: $diff-changed; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "diff--summary",
        "diff--path",
        "diff--added",
        "diff--removed",
        "diff--changed",
    }
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("diff")

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._diff = Diff((), 0, 0, "nothing to compare")
        self._names = ("", "")

    def show(self, found: Diff, old: str, new: str) -> None:
        """Show these changes from the point named `old` to the one named `new`."""
        self._diff = found
        self._names = (old, new)
        self.reset()

    @property
    def path(self) -> str:
        """The jq path of the focused change; empty on the summary."""
        change = self._change(self.cursor)
        return "" if change is None else change.path

    def count(self) -> int:
        return 1 + len(self._diff.changes)

    def _change(self, item: int) -> Change | None:
        return self._diff.changes[item - 1] if item else None

    def find(self, query: str) -> Sequence[int]:
        wanted = query.casefold()
        return [
            i
            for i, change in enumerate(self._diff.changes, 1)
            if any(wanted in said.casefold() for said in (change.path, _said(change.old), _said(change.new)))
        ]

    def strips(self, item: int, width: int) -> list[Strip]:
        change = self._change(item)
        if change is None:
            return self._heading(width)
        kind = self.part_style(f"diff--{change.kind}")
        removed, added = self.part_style("diff--removed"), self.part_style("diff--added")
        head: list[Piece] = [(f"{SIGNS[change.kind]} ", kind), *source(change.path, self.part_style("diff--path"))]
        if change.kind == "changed" and _is_short(change.old) and _is_short(change.new):
            head += [("  ", NO_STYLE), *source(_said(change.old), removed)]
            head += [(" → ", NO_STYLE), *source(_said(change.new), added)]
            if change.delta is not None:
                head.append((f"  ({_signed(change.delta)})", kind))
            return self._rows(head, width)
        message = change.new if change.old is None else change.old
        if change.message and isinstance(message, dict):
            gist: list[Piece] = [(f"  {change.kind}  ", self.part_style("flow--note")), (_gist(message), NO_STYLE)]
            return self._rows([*head, *gist], width)
        made = self._rows([*head, (f"  {change.kind}", self.part_style("flow--note"))], width)
        if change.kind != "added":
            made += self._rows([("    - ", NO_STYLE), *source(_said(change.old), removed)], width)
        if change.kind != "removed":
            made += self._rows([("    + ", NO_STYLE), *source(_said(change.new), added)], width)
        return made

    def _heading(self, width: int) -> list[Strip]:
        note = self.part_style("flow--note")
        made = rows([(self._diff.summary, self.part_style("diff--summary"))], width)[0]
        made += rows([("- from ", self.part_style("diff--removed")), (self._names[0], note)], width, indent=7)[0]
        made += rows([("+ to   ", self.part_style("diff--added")), (self._names[1], note)], width, indent=7)[0]
        return [*made, Strip([])]

    def _rows(self, pieces: list[Piece], width: int) -> list[Strip]:
        if not self.wrap:
            return [clipped(pieces, width)]
        made, cut = rows(pieces, width, indent=6, most=MOST_ROWS)
        if cut:
            made.append(rows([("      … enter reads the rest", self.part_style("flow--note"))], width)[0][0])
        return made

    def action_read(self) -> None:
        change = self._change(self.cursor)
        if change is None:
            return
        parts = []
        if change.kind != "added":
            parts.append(f"- {self._names[0]}\n\n{_whole(change.old)}")
        if change.kind != "removed":
            parts.append(f"+ {self._names[1]}\n\n{_whole(change.new)}")
        self.app.push_screen(Reader(change.path, "\n\n".join(parts)))


def _gist(message: object) -> str:
    """A message in a line: who says what, or calls which tool."""
    said = []
    for turn in chat.conversation({"messages": [message]}):
        said.append(f"{turn.role}:")
        for part in turn.parts:
            if isinstance(part, chat.Call):
                said.append(f"calls {part.name} {part.arguments}")
            elif isinstance(part, chat.Result):
                said.append(f"→ {part.text}")
            else:
                said.append(part.text)
    return " ".join(" ".join(said)[:SHOWN].split())


def _said(value: object) -> str:
    """A value in one line, as far as it is drawn: JSON, with letters of any language as themselves."""
    if isinstance(value, str):
        return json.dumps(value[:SHOWN], ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)[:SHOWN]


def _is_short(value: object) -> bool:
    return not isinstance(value, dict | list) and len(_said(value)) <= 40


def _whole(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _signed(delta: int | float) -> str:
    return f"{delta:+,}" if isinstance(delta, int) else f"{delta:+,.10g}"


class _Look(App[None]):
    def __init__(self, old: str, new: str) -> None:
        super().__init__()
        self.names = (old, new)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return COLOURS

    def compose(self) -> ComposeResult:
        yield DiffView()

    def on_mount(self) -> None:
        from pathlib import Path

        old, new = (json.loads(Path(name).read_bytes()) for name in self.names)
        self.query_one(DiffView).show(diff(old, new), *self.names)
        self.query_one(DiffView).focus()


if __name__ == "__main__":
    import sys

    _Look(sys.argv[1], sys.argv[2]).run(mouse=False)
