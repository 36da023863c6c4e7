"""The filter's one row."""

from __future__ import annotations

from textual.message import Message
from textual.widgets import Input


class FilterInput(Input):
    """What is typed here narrows the tree at once."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, compact=True, placeholder="filter: id, task, reason, path; !word inverts; esc clears")
        self.cursor_blink = False

    class Left(Message):
        """Escape: no filter."""

    def key_escape(self) -> None:
        self.post_message(self.Left())

    def key_down(self) -> None:
        self.screen.query_one("#tree").focus()
