"""The keys: those that apply here first, then all of the table; a key that does not apply says why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from ..actions import GROUPS, VERBS, Verb, bindings_for, key_name, refusal, shown_keys
from ..situation import Situation
from ..text import content
from ..widgets.labelled import Labelled, Row
from ..widgets.status import KeyBar

_ANYWHERE = 8
"""Verbs of this rank and beyond apply anywhere: they are not what "here" means."""


class HelpScreen(Screen[None], inherit_bindings=False):
    """Read, and left.

    Args:
        situation: what an action would meet.
        here: the actions whose keys apply, with these keys (:func:`lastgood.tui.actions.here`).
    """

    DEFAULT_CSS = """
    HelpScreen {
        #help { padding: 0 1; scrollbar-size: 1 1; background: $background; height: 1fr; }
        #help-title { padding: 0 1; height: auto; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("help")

    def __init__(self, situation: Situation, here: Sequence[tuple[Verb, list[str]]]) -> None:
        super().__init__()
        self._situation = situation
        self._here = here

    def compose(self) -> ComposeResult:
        yield Static(content(("Keys", "bold $text-accent")), id="help-title")
        with VerticalScroll(id="help", can_focus=False):
            yield Labelled(self._rows(), label=21, tone="accent")
        yield KeyBar(id="keys")

    def _rows(self) -> list[Row]:
        refused = {verb.name: refusal(verb, self._situation) for verb in VERBS}
        apply = {verb.name: keys for verb, keys in self._here if refused[verb.name] is None}
        first = [verb for verb, _ in self._here if verb.name in apply and _belongs_here(verb)]
        rows = _section("Here", [(verb, " ".join(map(key_name, apply[verb.name])), None) for verb in first])
        for group, title in GROUPS.items():
            rest = [verb for verb in VERBS if verb.group == group and verb not in first]
            told = [(verb, self._keys(verb), self._why_not(verb, refused[verb.name])) for verb in rest]
            rows += _section(title, told)
        return [*rows, (None, "Their names for [keys] in the configuration are in the README.", "muted")]

    def _keys(self, verb: Verb) -> str:
        return shown_keys(self.app._keymap.get(verb.name, verb.keys))

    def _why_not(self, verb: Verb, refused: str | None) -> str | None:
        if refused is not None:
            return refused.partition(": ")[2]
        hidden = verb.place in ("screen", "tree") and verb.name not in {known.name for known, _ in self._here}
        return "its key does something else here" if hidden else None

    def action_scroll(self, rows: int) -> None:
        self.query_one("#help", VerticalScroll).scroll_relative(y=rows, animate=False)

    def action_close(self) -> None:
        self.dismiss(None)


def _belongs_here(verb: Verb) -> bool:
    """Whether somebody who asks for the keys that apply here means this one."""
    return verb.place not in ("screen", "app") or verb.rank < _ANYWHERE


def _section(title: str, entries: list[tuple[Verb, str, str | None]]) -> list[Row]:
    """A heading and its entries; several keys for the same in one row."""
    rows: dict[str, tuple[list[str], str | None]] = {}
    for verb, keys, why_not in entries:
        rows.setdefault(verb.help, ([], why_not))[0].append(keys)
    if not rows:
        return []
    told: list[Row] = [(None, title, "strong")]
    for says, (pressed, why_not) in rows.items():
        said = f"{says} (not now: {why_not})" if why_not else says
        told.append((f"  {' '.join(pressed)}", said, "muted" if why_not else ""))
    return [*told, (None, "", "")]
