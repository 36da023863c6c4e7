"""The keys: those that apply here first, then all of the table; a key that does not apply says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from ..actions import GROUPS, VERBS, Situation, Verb, refusal, shown_keys
from ..text import Part, block, content
from ..widgets.overview import wrapped

if TYPE_CHECKING:
    from ..app import LastgoodApp

_KEYS = 23
_ANYWHERE = 8
"""Verbs of this rank and beyond apply anywhere: they are not what "here" means."""


class HelpScreen(Screen[None], inherit_bindings=False):
    """Read and left with escape, q or ?."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "close", "Close", show=False, id="help.close"),
        Binding("j,down", "scroll(1)", "Down", show=False, id="help.down"),
        Binding("k,up", "scroll(-1)", "Up", show=False, id="help.up"),
        Binding("pagedown,space", "scroll(16)", "Page down", show=False, id="help.page-down"),
        Binding("pageup", "scroll(-16)", "Page up", show=False, id="help.page-up"),
    ]

    def __init__(self, situation: Situation, focused: list[tuple[str, str]]) -> None:
        super().__init__()
        self._situation = situation
        self._focused = focused

    def compose(self) -> ComposeResult:
        yield Static(content(("Keys", "bold $text-accent"), ("   esc closes", "$text-muted")), id="help-title")
        with VerticalScroll(id="help"):
            yield Static(id="help-text")

    def on_mount(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        self.query_one("#help-text", Static).update(block(self._lines(max(40, self.app.size.width - 4))))

    def _lines(self, width: int) -> list[list[Part]]:
        here = [v for v in VERBS if v.rank < _ANYWHERE and refusal(v, self._situation) is None]
        moves = ("j k ↑ ↓ g G PgUp PgDn", "Move, a page, to the first and the last", None)
        own = [(shown_keys(keys), meaning, None) for keys, meaning in self._focused]
        lines = _section("Here", [moves, *own, *(self._of(v, None) for v in sorted(here, key=lambda v: v.rank))], width)
        for group, title in GROUPS.items():
            rest = [v for v in VERBS if v.group == group and v not in here]
            lines += _section(title, [self._of(v, refusal(v, self._situation)) for v in rest], width)
        lines.append([("Names for [keys] in the configuration are in the README.", "$text-muted")])
        return lines

    def _of(self, verb: Verb, why_not: str | None) -> tuple[str, str, str | None]:
        if TYPE_CHECKING:
            assert isinstance(self.app, LastgoodApp)
        keys = self.app.keys_in_force.get(verb.name, verb.keys)
        return shown_keys(keys), verb.help, why_not

    def action_scroll(self, rows: int) -> None:
        self.query_one("#help", VerticalScroll).scroll_relative(y=rows, animate=False)

    def action_close(self) -> None:
        self.dismiss(None)


def _section(title: str, entries: list[tuple[str, str, str | None]], width: int) -> list[list[Part]]:
    if not entries:
        return []
    lines: list[list[Part]] = [[(title, "bold")]]
    for keys, meaning, why_not in entries:
        tone = "$text-muted" if why_not else ""
        says = f"{meaning} (not now: {why_not.partition(': ')[2]})" if why_not else meaning
        for number, part in enumerate(wrapped(says, width - _KEYS - 2)):
            head = (keys if number == 0 else "").ljust(_KEYS)
            lines.append(["  ", (head, "$text-accent" if not why_not else "$text-muted"), (part, tone)])
    return [*lines, [""]]
