"""What hands something over: the copy menu, text to be selected with the mouse, where to export, how to resume."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ..actions import bindings_for, key_in_force
from ..text import block, clip, content
from ..widgets.labelled import Row
from .dialogs import Asked, Choice, Dialog


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that can be copied."""

    action: str
    """The name of the action that takes it."""
    name: str
    text: str | None
    """None where there is none here."""
    lines: bool = False
    """It may have several; anything else is one line, whatever it holds: it will be pasted into a shell."""


class CopyMenu(Dialog[Offer]):
    """One key for each thing that can be copied."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("copying")

    def __init__(self, offers: Sequence[Offer]) -> None:
        super().__init__("Copy")
        self._offers = offers

    def says(self) -> list[Row]:
        rows: list[Row] = []
        for offer in self._offers:
            key = key_in_force(self.app, offer.action)
            first = (offer.text or "").split("\n", 1)[0]
            shown = (clip(first, 60), "") if offer.text else ("nothing of that here", "muted")
            rows.append((f"{key} {offer.name}", *shown))
        return rows

    def action_take(self, name: str) -> None:
        offer = next(offer for offer in self._offers if offer.name == name)
        if offer.text:
            self.dismiss(offer)


class SelectScreen(ModalScreen[None], inherit_bindings=False):
    """A text and nothing beside it, so that the terminal's own mouse can select it."""

    DEFAULT_CSS = """
    SelectScreen {
        background: $background;
        align: left top;
        #select { height: 1fr; scrollbar-size: 0 0; }
        #select Static { width: 100%; height: auto; }
        #select-hint { height: 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("select")

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

    AUTO_FOCUS = "#typed"

    def __init__(self, name: str) -> None:
        super().__init__(f"Export {name}")
        self._file_name = name

    def says(self) -> list[Row]:
        return [(None, "Its bytes go to a new file that only you can read. Nothing is overwritten.", "")]

    def asks(self) -> ComposeResult:
        yield Asked("to, then enter", id="typed")

    def on_mount(self) -> None:
        self.query_one("#typed", Input).value = f"./{clip(self._file_name, 200)}"

    def on_input_submitted(self, message: Input.Submitted) -> None:
        if message.value.strip():
            self.dismiss(message.value.strip())


class ResumeDialog(Dialog[bool]):
    """After a restore: the configured command that resumes the session, now or never."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("resume")

    def __init__(self, command: Sequence[str]) -> None:
        super().__init__("Restored. Resume it with")
        self._command = command

    def says(self) -> list[Row]:
        return [(None, shlex.join(self._command), "")]

    def asks(self) -> ComposeResult:
        with Horizontal(id="choices"):
            yield Choice("Close", "esc", id="cancel")
            yield Choice("Run it when I leave", key_in_force(self.app, "resume.run"), id="agree")

    def take(self, choice: str) -> None:
        self.dismiss(choice == "agree")

    def action_run(self) -> None:
        self.dismiss(True)
