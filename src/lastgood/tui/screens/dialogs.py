"""The dialogs before anything is written, and the one that tells in full what went wrong."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen
from textual.visual import Visual
from textual.widget import Widget
from textual.widgets import Input, Static

from ...core.words import counted
from ..actions import bindings_for, key_in_force
from ..deeds import USUAL_REASONS, Proposal
from ..text import content
from ..widgets.labelled import Labelled, Row
from ..widgets.status import KeyBar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Agreed:
    """Somebody said yes."""

    reason: str | None


class Choice(Widget, can_focus=True):
    """A button of one row: what it says, brackets around it where it has the focus."""

    DEFAULT_CSS = """
    Choice { width: auto; height: 1; margin-right: 2; color: $text-muted; }
    Choice:focus { color: $text-accent; text-style: bold reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("choice")

    class Pressed(Message):
        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

    def __init__(self, says: str, key: str, *, id: str) -> None:
        super().__init__(id=id)
        self._says = says
        self._key = key

    def render(self) -> Visual:
        left, right = ("▸ ", " ◂") if self.has_focus else ("  ", "  ")
        return content(f"{left}{self._says} ({self._key}){right}")

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def action_press(self) -> None:
        self.post_message(self.Pressed(self))

    def on_click(self) -> None:
        self.action_press()


class Dialog(ModalScreen[T], inherit_bindings=False):
    """What dialogs have in common: a title, a text that scrolls, choices, and the keys that apply on the last row."""

    # Both ends of an input are marked, so that it is seen without colours too.
    DEFAULT_CSS = """
    Dialog {
        #dialog {
            width: 90%;
            max-width: 96;
            min-width: 56;
            height: auto;
            max-height: 100%;
            padding: 0 1;
            background: $surface;
            border: round $accent;
        }
        #dialog #text { height: auto; scrollbar-size: 1 1; background: $surface; }
        #dialog #title { height: auto; margin-bottom: 1; }
        #dialog #choices { height: 1; margin-top: 1; }
        #dialog #reasons { height: auto; margin-top: 1; }
        #dialog #hint { width: 1fr; text-align: right; }
        #dialog .ask { height: 2; margin-top: 1; }
        #dialog Input {
            height: 1; border: none; padding: 0; background: $panel;
            border-left: outer $text-muted; border-right: outer $text-muted;
        }
        #dialog Input:focus { border-left: outer $text-accent; border-right: outer $text-accent; }
        #keys { dock: bottom; background: $background; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("dialog")
    AUTO_FOCUS = "#cancel"

    def __init__(self, title: str, tone: str = "$text-accent") -> None:
        super().__init__()
        self._title = title
        self._tone = tone

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(content((self._title, f"bold {self._tone}")), id="title")
            with VerticalScroll(id="text", can_focus=False):
                yield Labelled(self.says(), label=10)
            yield from self.asks()
        yield KeyBar(id="keys")

    def says(self) -> list[Row]:
        """The text."""
        raise NotImplementedError

    def asks(self) -> ComposeResult:
        """What stands below the text: inputs and choices."""
        with Horizontal(id="choices"):
            yield Choice("Close", "esc", id="cancel")

    def on_resize(self) -> None:
        """Whatever the text, what stands below it stays on the screen: what is too long for it scrolls."""
        below = 3 * len(self.query(".ask"))
        below += 2 if self.query("#choices") else 0
        below += 1 + len(USUAL_REASONS) if self.query("#reasons") else 0
        keys, frame, title = 1, 2, 2
        self.query_one("#text").styles.max_height = max(2, self.app.size.height - keys - frame - title - below)

    def on_choice_pressed(self, message: Choice.Pressed) -> None:
        self.take(message.choice.id or "cancel")

    def take(self, choice: str) -> None:
        """The choice with this id was taken."""
        self.action_cancel()

    def action_scroll_text(self, rows: int) -> None:
        self.query_one("#text", VerticalScroll).scroll_relative(y=rows, animate=False)

    def action_cancel(self) -> None:
        self.dismiss(None)


class PlanDialog(Dialog[Agreed]):
    """Shows a proposal; the safe choice has the focus, and the key that opened it does not agree to it."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("plan")

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(proposal.title)
        self._proposal = proposal

    def says(self) -> list[Row]:
        return _proposal_rows(self._proposal)

    def asks(self) -> ComposeResult:
        proposal = self._proposal
        if proposal.type_to_agree is not None:
            yield Asked(f"type {proposal.type_to_agree} to do it all the same", id="typed")
        if proposal.asks_reason:
            yield Asked("reason, for the log (may be left empty)", id="reason")
        with Horizontal(id="choices"):
            yield Choice("Cancel", "esc", id="cancel")
            yield Choice(proposal.title.split(" ", 1)[0], key_in_force(self.app, "plan.agree"), id="agree")
            yield Static(id="hint")

    def take(self, choice: str) -> None:
        if choice == "agree":
            self.action_agree()
        else:
            self.action_cancel()

    def on_input_submitted(self) -> None:
        self.query_one("#cancel").focus()

    def action_copy(self) -> None:
        from ..handover import hand_over

        text = "\n".join(self._proposal.as_text())
        self.query_one("#hint", Static).update(_muted(hand_over(self.app, text) or "too long to be sent"))

    def action_agree(self) -> None:
        wanted = self._proposal.type_to_agree
        if wanted is not None:
            typed = self.query_one("#typed", Input)
            if typed.value.strip() != wanted:
                typed.focus()
                self.query_one("#hint", Static).update(content((f"type {wanted} first", "$text-warning")))
                return
        reason = self.query_one("#reason", Input).value.strip() if self._proposal.asks_reason else ""
        self.dismiss(Agreed(reason or None))


class ReasonDialog(Dialog[str]):
    """Asks why a session is ended: a number takes a usual reason, or any text is typed."""

    AUTO_FOCUS = "#reason-1"

    def says(self) -> list[Row]:
        return [(None, "Why has it ended? It stays with the session and in the log.", "")]

    def asks(self) -> ComposeResult:
        with Vertical(id="reasons"):
            for number, reason in enumerate(USUAL_REASONS, 1):
                yield Choice(reason, str(number), id=f"reason-{number}")
        yield Asked("or in your own words, then enter", id="typed")

    def take(self, choice: str) -> None:
        self._take(int(choice.rpartition("-")[2]))

    def on_key(self, event: events.Key) -> None:
        if isinstance(self.focused, Input):
            return
        if event.key.isdigit() and 1 <= int(event.key) <= len(USUAL_REASONS):
            event.stop()
            self._take(int(event.key))
        elif event.is_printable and event.character and not event.character.isspace():
            # Whoever just types means words of their own.
            event.stop()
            event.prevent_default()
            typed = self.query_one("#typed", Input)
            typed.insert_text_at_cursor(event.character)
            self.set_focus(typed)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        if message.value.strip():
            self.dismiss(message.value.strip())

    def action_scroll_text(self, rows: int) -> None:
        """There is more to choose from than to read: up and down move the focus."""
        (self.focus_next if rows > 0 else self.focus_previous)()

    def _take(self, number: int) -> None:
        self.dismiss(USUAL_REASONS[number - 1])


class TellDialog(Dialog[None]):
    """Something to be read in full before going on."""

    def __init__(self, title: str, says: Sequence[str]) -> None:
        super().__init__(title, "$text-warning")
        self._says = says

    def says(self) -> list[Row]:
        return [(None, line, "") for line in _each_line(self._says)]


class OneLine(Input):
    """An input of one row whose cursor does not blink: blinking would never let the link rest."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("typed")

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, select_on_focus=False)
        self.cursor_blink = False


class Asked(Vertical):
    """What is asked for, and below it the row to type it on."""

    def __init__(self, question: str, *, id: str) -> None:
        super().__init__(Static(_muted(question)), OneLine(id=id), classes="ask")


def _muted(words: str) -> Visual:
    return content((words, "$text-muted"))


def _proposal_rows(proposal: Proposal) -> list[Row]:
    rows: list[Row] = [("!" if n == 0 else "", line, "warning") for w in proposal.warnings for n, line in _numbered(w)]
    if rows:
        rows.append((None, "", ""))
    rows += [(label, says, "") for label, says in proposal.facts]
    rows += [("skipped" if n == 0 else "", line, "warning") for s in proposal.skipped for n, line in _numbered(s)]
    steps = [step for plan in proposal.plans for step in plan.steps]
    common = _common_folder([step.path for step in steps])
    rows.append((None, "", ""))
    where = f", in {common}" if common else ""
    rows.append((None, f"exactly {counted(len(steps), 'change')} on disk{where}:", "muted"))
    for step in steps:
        rows.append((step.op, step.path.removeprefix(f"{common}/") if common else step.path, "accent"))
        rows += [("", line, "") for line in step.detail.split("\n")]
    return rows


def _numbered(text: str) -> list[tuple[int, str]]:
    return list(enumerate(text.split("\n")))


def _each_line(texts: Sequence[str]) -> list[str]:
    return [line for text in texts for line in text.split("\n")]


def _common_folder(paths: Sequence[str]) -> str:
    return os.path.commonpath([os.path.dirname(path) for path in paths]) if paths else ""
