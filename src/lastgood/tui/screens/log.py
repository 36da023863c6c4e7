"""What was done to this store: newest first, each with who, when, from where, why; `u` takes one back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.strip import Strip

from ...core.model import Action
from ...core.times import now_ns
from ...core.words import counted
from ...wording import exact, short_ago
from ..actions import bindings_for
from ..ink import look
from ..news import Logged
from ..rows import Rows
from ..text import Part, fit, strip
from ..widgets.status import Bar, KeyBar

if TYPE_CHECKING:
    from ..app import LastgoodApp

_STATES = {"done": "✓ done", "undone": "↺ undone", "rolled-back": "! rolled back", "open": "? cut off"}


class LogRows(Rows):
    """The actions, newest first."""

    DEFAULT_CSS = "LogRows { background: $background; }"

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.actions: list[Action] = []
        self._now = 0

    def show(self, actions: list[Action]) -> None:
        self.actions = actions[::-1]
        self._now = now_ns()
        self.rows_changed()

    @property
    def focused_action(self) -> Action | None:
        return self.actions[self.cursor] if self.cursor < len(self.actions) else None

    def row_count(self) -> int:
        return len(self.actions)

    def row_strip(self, row: int) -> Strip:
        action = self.actions[row]
        muted = look(self.app, "muted")
        tone = look(self.app, {"done": "good", "open": "warning"}.get(action.state, "muted"))
        who = action.user + (f" from {action.ssh_from}" if action.ssh_from else "")
        sessions = " ".join(action.sessions)
        parts: list[Part] = [
            (fit(short_ago(action.at, self._now), 5, right=True), muted),
            "  ",
            (fit(_STATES[action.state], 14), tone),
            fit(action.op, 10),
            fit(sessions, 18),
            "  ",
            (fit(who, 16), muted),
            "  ",
            (action.reason or action.note or "", muted),
        ]
        return strip(*parts)


class LogScreen(Screen[None], inherit_bindings=False):
    """The journal on the screen."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("log")

    def compose(self) -> ComposeResult:
        yield Bar(id="log-header")
        yield LogRows(id="log")
        yield Bar(id="log-focus")
        yield KeyBar(id="keys")

    @property
    def lastgood(self) -> LastgoodApp:
        from ..app import LastgoodApp

        assert isinstance(self.app, LastgoodApp)
        return self.app

    def on_mount(self) -> None:
        self.query_one("#log", LogRows).focus()
        self._show_header("reading…")
        self.lastgood.loader.want_log(self.post_message)

    def on_logged(self, message: Logged) -> None:
        self.query_one("#log", LogRows).show(message.actions)
        nothing = "nothing has been done to this store yet"
        self._show_header(message.problem or (counted(len(message.actions), "action") if message.actions else nothing))
        self._show_focus()

    def _show_header(self, says: str) -> None:
        title: list[Part] = [("log", "accent"), (" · ", "muted"), self.lastgood.store_path]
        self.query_one("#log-header", Bar).show([*title, (" · ", "muted"), (says, "muted")])

    def on_rows_moved(self) -> None:
        self._show_focus()

    def _show_focus(self) -> None:
        action = self.query_one("#log", LogRows).focused_action
        if action is not None:
            changed = [change for change in action.facts.values() if " -> " in change]
            what = action.note or "; ".join(changed)
            says = f"{exact(action.at)} · {action.user}@{action.host} · {what}"
            self.query_one("#log-focus", Bar).show([(says, "muted")])

    def action_details(self) -> None:
        """All that the journal keeps of the action: who, when, from where, each path before and after."""
        from .dialogs import TellDialog

        action = self.query_one("#log", LogRows).focused_action
        if action is None:
            return
        where = f", from {action.ssh_from}" if action.ssh_from else ""
        says = [
            f"{action.op} of {' '.join(action.sessions)}: {action.state}",
            f"{exact(action.at)} by {action.user} on {action.host}{where}",
            f"reason: {action.reason or 'none given'}",
            *([action.note] if action.note else []),
            "",
            *(f"{key}: {value}" for key, value in action.facts.items()),
        ]
        self.app.push_screen(TellDialog(f"Action {action.id}", says))

    def action_undo(self) -> None:
        from .main import MainScreen

        action = self.query_one("#log", LogRows).focused_action
        main = self.app.screen_stack[0]
        if action is not None and isinstance(main, MainScreen):
            self.dismiss(None)
            main.undo(action.id)

    def action_close(self) -> None:
        self.dismiss(None)
