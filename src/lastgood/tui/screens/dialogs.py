"""The dialogs before anything is written, and the one that tells in full what went wrong."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen
from textual.visual import Visual
from textual.widget import Widget
from textual.widgets import Input, Static

from ...core.words import counted
from ..deeds import USUAL_REASONS, Proposal
from ..text import Part, block, content

_SCROLLS: list[BindingType] = [
    Binding("down", "scroll_text(1)", "Down", show=False, id="dialog.down"),
    Binding("up", "scroll_text(-1)", "Up", show=False, id="dialog.up"),
    Binding("pagedown", "scroll_text(8)", "Page down", show=False, id="dialog.page-down"),
    Binding("pageup", "scroll_text(-8)", "Page up", show=False, id="dialog.page-up"),
]


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Agreed:
    """Somebody said yes."""

    reason: str | None


class Choice(Widget, can_focus=True):
    """A button of one row: what it says, brackets around it where it has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "press", "Press", show=False, id="dialog.press")]

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


class Dialog(ModalScreen[T]):
    """What dialogs have in common: arrows move the focus between the choices, up and down scroll the text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *_SCROLLS,
        Binding("escape", "cancel", "Cancel", show=False, id="dialog.cancel"),
        Binding("tab,right", "app.focus_next", "Next", show=False, id="dialog.next"),
        Binding("shift+tab,left", "app.focus_previous", "Previous", show=False, id="dialog.previous"),
    ]

    def action_scroll_text(self, rows: int) -> None:
        self.query_one("#text", VerticalScroll).scroll_relative(y=rows, animate=False)

    def action_cancel(self) -> None:
        self.dismiss(None)


class PlanDialog(Dialog[Agreed]):
    """Shows a proposal; the safe choice has the focus, and the key that opened it does not agree to it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,q", "cancel", "Cancel", show=False, id="dialog.no"),
        Binding("c", "copy", "Copy the plan", show=False, id="dialog.copy"),
    ]

    def __init__(self, proposal: Proposal, opened_by: Sequence[str]) -> None:
        super().__init__()
        self._proposal = proposal
        self._agree_key = next(key for key in ("y", "o", "k", "w") if key not in opened_by)

    def compose(self) -> ComposeResult:
        proposal = self._proposal
        with Vertical(id="dialog", classes="-typing" if proposal.type_to_agree is not None else ""):
            yield Static(content((proposal.title, "bold $text-accent")), id="title")
            with VerticalScroll(id="text", can_focus=False):
                yield Static(block(_proposal_lines(proposal)))
            if proposal.type_to_agree is not None:
                yield Static(_muted(f"type {proposal.type_to_agree} to do it all the same"), classes="ask")
                yield OneLine(id="typed")
            if proposal.asks_reason:
                yield Static(_muted("reason, for the log (may be left empty)"), classes="ask")
                yield OneLine(id="reason")
            with Horizontal(id="choices"):
                yield Choice("Cancel", "esc", id="cancel")
                yield Choice(proposal.title.split(" ", 1)[0], self._agree_key, id="agree")
                yield Static(_muted("c copies the plan"), id="hint")

    def on_mount(self) -> None:
        self.query_one("#cancel").focus()

    def on_choice_pressed(self, message: Choice.Pressed) -> None:
        if message.choice.id == "agree":
            self._agree()
        else:
            self.action_cancel()

    def on_key(self, event: events.Key) -> None:
        if event.key == self._agree_key and not isinstance(self.focused, Input):
            event.stop()
            self._agree()

    def on_input_submitted(self) -> None:
        self.query_one("#cancel").focus()

    def action_copy(self) -> None:
        from ..handover import hand_over

        text = "\n".join(self._proposal.as_text())
        self.query_one("#hint", Static).update(_muted(hand_over(self.app, text) or "too long to be sent"))

    def _agree(self) -> None:
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

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(content((self._title, "bold $text-accent")), id="title")
            with VerticalScroll(id="text", can_focus=False):
                yield Static(content("Why has it ended? It stays with the session and in the log."))
            with Vertical(id="reasons"):
                for number, reason in enumerate(USUAL_REASONS, 1):
                    yield Choice(reason, str(number), id=f"reason-{number}")
            yield Static(_muted("or type it in your own words, then enter"), classes="ask")
            yield OneLine(id="typed")

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "Next", show=False, id="dialog.next-reason"),
        Binding("up", "app.focus_previous", "Previous", show=False, id="dialog.previous-reason"),
    ]

    def on_mount(self) -> None:
        self.query_one("#reason-1").focus()

    def on_choice_pressed(self, message: Choice.Pressed) -> None:
        self._take(int((message.choice.id or "reason-1").rpartition("-")[2]))

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

    def _take(self, number: int) -> None:
        self.dismiss(USUAL_REASONS[number - 1])


class TellDialog(Dialog[None]):
    """Something to be read in full before going on."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,q,n", "cancel", "Close", show=False, id="dialog.close")]

    def __init__(self, title: str, says: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        self._says = [line for text in says for line in text.split("\n")]

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(content((self._title, "bold $text-warning")), id="title")
            with VerticalScroll(id="text", can_focus=False):
                yield Static(block([line] for line in self._says))
            with Horizontal(id="choices"):
                yield Choice("Close", "esc", id="cancel")

    def on_mount(self) -> None:
        self.query_one("#cancel").focus()

    def on_choice_pressed(self) -> None:
        self.dismiss(None)


class OneLine(Input):
    """An input of one row whose cursor does not blink: blinking would never let the link rest."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, compact=True, placeholder="…", select_on_focus=False)
        self.cursor_blink = False


def _muted(words: str) -> Visual:
    return content((words, "$text-muted"))


def _proposal_lines(proposal: Proposal) -> list[list[Part]]:
    lines: list[list[Part]] = [[(f"! {warning}", "$text-warning")] for warning in _each_line(proposal.warnings)]
    if lines:
        lines.append([""])
    lines += [[(f"{label:9}", "$text-muted"), says] for label, says in proposal.facts]
    lines += [[("skipped  ", "$text-muted"), (line, "$text-warning")] for line in _each_line(proposal.skipped)]
    steps = [step for plan in proposal.plans for step in plan.steps]
    lines += [[""], [(f"exactly {counted(len(steps), 'change')} on disk:", "$text-muted")]]
    common = _common_folder([step.path for step in steps])
    if common:
        lines.append([(f"in {common}", "$text-muted")])
    for step in steps:
        lines.append(
            [(f"  {step.op:8}", "$text-accent"), step.path.removeprefix(f"{common}/") if common else step.path]
        )
        lines.append([(f"          {step.detail}", "$text-muted")])
    return lines


def _each_line(texts: Sequence[str]) -> list[str]:
    return [line for text in texts for line in text.split("\n")]


def _common_folder(paths: Sequence[str]) -> str:
    return os.path.commonpath([os.path.dirname(path) for path in paths]) if paths else ""
