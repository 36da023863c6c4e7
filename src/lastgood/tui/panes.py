"""The viewers behind the tabs, made when a tab is first looked at: the first paint needs none of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from ..core.assess import Assessed
from ..core.model import StoredFile
from .news import Compared, Opened
from .text import block
from .widgets.overview import Overview

if TYPE_CHECKING:
    from ..core.diff import Diff
    from .widgets.diff_view import DiffView
    from .widgets.json_view import JsonView
    from .widgets.messages_view import MessagesView


class Instead(Static, can_focus=True):
    """Why there is nothing to show yet, in a viewer's place: it can have the focus, which would else be nowhere."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What the preview is about."""

    seen: Assessed
    file: StoredFile | None
    """None where the session has no file."""
    against: StoredFile | None
    """What a diff compares it with."""


class Panes(Container):
    """One viewer at a time. Asks for what it needs by :class:`Wants` and is given it."""

    class Wants(Message):
        """The contents of `file`; with `against`, what differs from that."""

        def __init__(self, file: StoredFile, against: StoredFile | None) -> None:
            super().__init__()
            self.file = file
            self.against = against

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.tab = "overview"
        self._subject: Subject | None = None
        self._opened: Opened | None = None
        self._compared: Compared | None = None
        self._shown: dict[str, object] = {}
        """For each viewer, what it shows: it is not shown again, so that its cursor and folds stay."""
        self._masking = False

    def compose(self) -> ComposeResult:
        yield Overview(id="overview")
        yield Instead(id="nothing", markup=False)

    @property
    def current(self) -> Widget:
        """The viewer in front, or the text in its place."""
        for pane in self.children:
            if pane.display and pane.id == self.tab:
                return pane
        return self.query_one("#nothing")

    def turn_to(self, tab: str) -> None:
        """Bring another tab to the front."""
        self.tab = tab
        if tab != "overview" and not self.query(f"#{tab}"):
            self.mount(self._made(tab))
        self._draw()

    def about(self, subject: Subject | None) -> None:
        """What the preview is about from now on."""
        self._subject = subject
        self._draw()

    def mask(self, on: bool) -> None:
        """Mask what looks like a credential, or show it."""
        self._masking = on
        for tab in ("messages", "diff"):
            self._shown.pop(tab, None)
        for view in self.query("JsonView"):
            cast("JsonView", view).mask(on)
        self._draw()

    def take(self, opened: Opened) -> None:
        """The contents that were wanted."""
        self._opened = opened
        self._draw()

    def take_comparison(self, compared: Compared) -> None:
        """The difference that was wanted."""
        self._compared = compared
        self._draw()

    def _made(self, tab: str) -> Widget:
        if tab == "json":
            from .widgets.json_view import JsonView

            return JsonView(id="json")
        if tab == "messages":
            from .widgets.messages_view import MessagesView

            return MessagesView(id="messages")
        from .widgets.diff_view import DiffView

        return DiffView(id="diff")

    def _draw(self) -> None:
        missing = self._missing()
        held = self.screen.focused in self.children
        front = self.query_one(f"#{self.tab if missing is None else 'nothing'}")
        front.display = True
        if held:
            self.screen.set_focus(front)  # before what had it is hidden
        for pane in self.children:
            pane.display = pane is front
        if missing is not None:
            self.query_one("#nothing", Instead).update(block([line] for line in missing.split("\n")))

    def _missing(self) -> str | None:
        """Show what there is in the viewer in front; None, or why there is nothing to show yet."""
        if self.tab == "overview":
            return None
        subject = self._subject
        if subject is None or subject.file is None:
            return "" if subject is None else "This session has no file to show."
        if self.tab == "diff":
            return self._missing_diff(subject, subject.file)
        opened = self._opened
        if opened is None or opened.file != subject.file:
            self.post_message(self.Wants(subject.file, None))
            return "reading…"
        if opened.raw is None:
            return opened.problem or ""
        if self._shown.get(self.tab) == opened.file:
            return None
        if self.tab == "json":
            view = cast("JsonView", self.query_one("#json"))
            view.mask(self._masking)
            view.show(opened.raw, problem=opened.fault)
        elif opened.value is None:
            return f"There are no messages to read: {opened.problem or 'it is no JSON object'}."
        else:
            chat = cast("MessagesView", self.query_one("#messages"))
            chat.show(_masked_value(opened.value) if self._masking else opened.value)
        self._shown[self.tab] = opened.file
        return None

    def _missing_diff(self, subject: Subject, file: StoredFile) -> str | None:
        if subject.against is None or subject.against == file:
            return "This is the latest: there is nothing to compare it with.\nm marks a file to compare others with."
        compared = self._compared
        if compared is None or (compared.file, compared.against) != (file, subject.against):
            self.post_message(self.Wants(file, subject.against))
            return "comparing…"
        if compared.diff is None:
            return compared.problem or ""
        if self._shown.get("diff") != (file, subject.against):
            difference = cast("DiffView", self.query_one("#diff"))
            found = _masked_diff(compared.diff) if self._masking else compared.diff
            difference.show(found, subject.against.name, file.name)
            self._shown["diff"] = (file, subject.against)
        return None


def _masked_value(value: dict[str, object]) -> dict[str, object]:
    from ..core.redact import redacted

    return redacted(value)


def _masked_diff(found: Diff) -> Diff:
    from ..core.redact import redact_diff

    return redact_diff(found)
