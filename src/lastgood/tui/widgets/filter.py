"""The filter's one row."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from ..actions import bindings_for
from ..text import content


class Filter(Horizontal):
    """A slash, what is typed after it, and how to say what is not wanted."""

    DEFAULT_CSS = """
    Filter {
        display: none;
        height: 1;
        width: 100%;
        background: $surface;
        FilterInput, FilterInput:focus { width: 1fr; height: 1; border: none; padding: 0; background: $surface; }
        #slash { width: 2; text-style: bold; }
        #filter-hint { width: auto; }
    }
    """

    def compose(self) -> ComposeResult:
        yield Static(content(("/", "$text-accent")), id="slash")
        yield FilterInput()
        yield Static(content(("!word leaves out", "$text-muted")), id="filter-hint")

    @property
    def input(self) -> FilterInput:
        return self.query_one(FilterInput)


class FilterInput(Input):
    """What is typed here narrows the tree at once."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("filter")

    class Left(Message):
        """No filter."""

    def __init__(self) -> None:
        super().__init__(id="filter-input", compact=True, placeholder="id, task, reason or path", select_on_focus=False)
        self.cursor_blink = False

    def action_clear(self) -> None:
        self.post_message(self.Left())
