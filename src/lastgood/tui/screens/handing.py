"""What hands something over: the copy menu, text to be selected with the mouse, where to export, how to resume."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ..text import Part, block, clip, content
from .dialogs import Choice, Dialog, OneLine


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that can be copied."""

    key: str
    name: str
    text: str | None
    """None where there is none here."""
    lines: bool = False
    """It may have several; anything else is one line, whatever it holds: it will be pasted into a shell."""


class CopyMenu(Dialog[Offer]):
    """One key for each thing that can be copied."""

    def __init__(self, offers: Sequence[Offer]) -> None:
        super().__init__()
        self._offers = offers

    def compose(self) -> ComposeResult:
        lines: list[list[Part]] = []
        for offer in self._offers:
            first = (offer.text or "").split("\n", 1)[0]
            shown: Part = clip(first, 60) if offer.text else ("nothing of that here", "$text-muted")
            lines.append([(f" {offer.key} ", "bold $text-accent"), f" {offer.name:9}", shown])
        with Vertical(id="dialog"):
            yield Static(content(("Copy", "bold $text-accent")), id="title")
            with VerticalScroll(id="text", can_focus=False):
                yield Static(block(lines))
            with Horizontal(id="choices"):
                yield Choice("Cancel", "esc", id="cancel")

    def on_mount(self) -> None:
        self.query_one("#cancel").focus()

    def on_choice_pressed(self) -> None:
        self.action_cancel()

    def on_key(self, event: events.Key) -> None:
        offer = next((o for o in self._offers if o.key == event.character and o.text), None)
        if offer is not None:
            event.stop()
            self.dismiss(offer)


class SelectScreen(ModalScreen[None]):
    """A text and nothing beside it, so that the terminal's own mouse can select it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "close", "Close", show=False, id="select.close"),
        Binding("down,j", "scroll_text(1)", "Down", show=False, id="select.down"),
        Binding("up,k", "scroll_text(-1)", "Up", show=False, id="select.up"),
        Binding("pagedown,space", "scroll_text(20)", "Page down", show=False, id="select.page-down"),
        Binding("pageup", "scroll_text(-20)", "Page up", show=False, id="select.page-up"),
    ]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="select", can_focus=False):
            yield Static(block([line] for line in self._text.split("\n")))
        yield Static(content(("select it with the mouse; esc goes back", "$text-muted")), id="select-hint")

    def action_scroll_text(self, rows: int) -> None:
        self.query_one("#select").scroll_relative(y=rows, animate=False)

    def action_close(self) -> None:
        self.dismiss(None)


class ExportDialog(Dialog[str]):
    """Asks where a restore point is to be written."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._file_name = name

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(content((f"Export {self._file_name}", "bold $text-accent")), id="title")
            with VerticalScroll(id="text", can_focus=False):
                yield Static(content("Its bytes go to a new file that only you can read. Nothing is overwritten."))
            yield Static(content(("to, then enter", "$text-muted")), classes="ask")
            yield OneLine(id="typed")

    def on_mount(self) -> None:
        typed = self.query_one("#typed", Input)
        typed.value = f"./{clip(self._file_name, 200)}"
        typed.focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        if message.value.strip():
            self.dismiss(message.value.strip())


class ResumeDialog(Dialog[bool]):
    """After a restore: the configured command that resumes the session, now or never."""

    def __init__(self, command: Sequence[str]) -> None:
        super().__init__()
        self._command = command

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(content(("Restored. Resume it with", "bold $text-accent")), id="title")
            with VerticalScroll(id="text", can_focus=False):
                yield Static(content(shlex.join(self._command)))
            with Horizontal(id="choices"):
                yield Choice("Close", "esc", id="cancel")
                yield Choice("Run it when I leave", "w", id="agree")

    def on_mount(self) -> None:
        self.query_one("#cancel").focus()

    def on_choice_pressed(self, message: Choice.Pressed) -> None:
        self.dismiss(message.choice.id == "agree")

    def on_key(self, event: events.Key) -> None:
        if event.key == "w":
            event.stop()
            self.dismiss(True)
