"""Where there is no store: which paths were looked at, and how to try the demo."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from ..text import block


class AbsentScreen(Screen[None], inherit_bindings=False):
    """Says it in full; `q` leaves."""

    DEFAULT_CSS = "AbsentScreen { #absent { padding: 1 2; height: auto; } }"

    def __init__(self, says: Sequence[str]) -> None:
        super().__init__()
        self._says = says

    def compose(self) -> ComposeResult:
        title = [("lastgood · no store here", "bold $text-accent")]
        yield Static(block([title, [""], *([line] for line in (*self._says, "", "q quits"))]), id="absent")
