"""The part of the main screen that shows what is under the tree's cursor: the preview, its tabs, the path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.timer import Timer

from ...core.assess import Assessed
from ...core.model import StoredFile
from .. import triage
from ..actions import key_in_force
from ..news import Compared, Detail, Detailed, Opened
from ..panes import Panes, Subject
from ..rows import Rows
from ..text import Part
from ..widgets.overview import Overview, masked, point_rows, session_rows
from ..widgets.status import TabStrip
from .acting import Acting

if TYPE_CHECKING:
    from ..widgets.json_view import JsonView

_REST_S = 0.08
"""Seconds without a move of the cursor after which the preview follows it."""


class Previewing(Acting, inherit_bindings=False):
    """The preview holds values; what it lacks is asked for at the loader."""

    def __init__(self) -> None:
        super().__init__()
        self._details: dict[StoredFile, Detail] = {}
        self._tab = "overview"
        self._zoomed = False
        self._asked_for: str | None = None
        self._following: Timer | None = None
        self._compare_with: StoredFile | None = None
        self._masking = False
        """What looks like a credential is masked."""
        self._previewed: Assessed | None = None
        """What the preview was last drawn from."""

    @property
    def panes(self) -> Panes:
        return self.query_one("#panes", Panes)

    @property
    def _reading(self) -> bool:
        """The preview has the focus."""
        focused = self.focused
        return focused is not None and self.query_one("#panes") in focused.ancestors

    def file_to_show(self) -> StoredFile | None:
        """The file under the cursor; on a session's row its best restore point, else its newest file."""
        line = self.sessions.focused_line
        if line is None:
            return None
        file = self.sessions.file_of(line)
        if file is not None:
            return file
        seen = self.sessions.seen_of(line)
        if seen.best is not None:
            return seen.best.file
        files = triage.files_in_order(seen.survey.files)
        return files[0] if files else None

    def _to_compare(self, seen: Assessed) -> StoredFile | None:
        """The file that was marked for it; else what the runtime would resume from."""
        marked = self._compare_with
        if marked is not None:
            return marked
        choice = seen.lineage.runtime_choice if seen.lineage else None
        return choice.file if choice is not None else None

    def action_compare(self) -> None:
        """Mark a file as what others are compared with, or take that back."""
        file = self.file_to_show()
        if self.may("compare") and file is not None:
            self._compare_with = None if self._compare_with == file else file
            self.status.say(
                f"d compares with {file.name}" if self._compare_with else "d compares with the latest", "muted"
            )

    # Following the cursor

    def on_rows_moved(self, message: Rows.Moved) -> None:
        if message.rows is self.sessions:
            self._moved = self._moved or self.sessions.cursor > 0
            self._show_path()
            # Held down, a key moves many rows a second: the preview follows when it rests.
            if self._following is not None:
                self._following.stop()
            self._following = self.set_timer(_REST_S, self._focus_changed)

    def _focus_changed(self) -> None:
        """The cursor is on something else, or more is known of what it is on."""
        line = self.sessions.focused_line
        self._previewed = None
        if line is not None:
            self._previewed = seen = self.sessions.seen_of(line)
            if seen.points is None and self._asked_for != line.session:
                self._asked_for = line.session
                self.loader.want(seen.session)
            point = self.sessions.point_of(line)
            if point is not None and point.file not in self._details:
                self._details[point.file] = Detail(point.file)
                self.loader.want_detail(seen, point)
        self._show_path()
        self._show_preview()
        self._show_keys()

    def on_detailed(self, message: Detailed) -> None:
        if len(self._details) > 500:
            self._details.clear()
        self._details[message.detail.file] = message.detail
        self._show_preview()

    def _show_path(self) -> None:
        line = self.sessions.focused_line
        if line is None:
            self.status.show_path([])
        elif line.path is None:
            self.status.show_path([(self.sessions.seen_of(line).session.path, "muted")])
        else:
            self.status.show_path([(line.path, "muted")])

    def _show_preview(self) -> None:
        self._show_tabs()
        tree = self.sessions
        line = tree.focused_line
        overview = self.query_one("#overview", Overview)
        if line is None:
            overview.show([])
            self.panes.about(None)
            return
        seen = tree.seen_of(line)
        file = tree.file_of(line)
        if self._tab == "overview":
            if file is None:
                rows = session_rows(seen, tree.now_ns)
            else:
                rows = point_rows(seen, file, tree.point_of(line), self._details.get(file), tree.now_ns)
            overview.show(masked(rows) if self._masking else rows)
        self.panes.about(Subject(seen, self.file_to_show(), self._to_compare(seen)))

    def _show_tabs(self) -> None:
        line = self.sessions.focused_line
        about = "" if line is None else line.session
        file = self.file_to_show()
        if file is not None and (self._tab != "overview" or (line is not None and line.path is not None)):
            about = file.name
        self.query_one("#tabs", TabStrip).show_tabs(self._tab, about)

    def action_mask_secrets(self) -> None:
        self._masking = not self._masking
        key = key_in_force(self.app, "mask-secrets")
        says = f"what looks like a key or a token is masked; {key} shows it"
        self.status.say(says if self._masking else "everything is shown as it is", "muted")
        self.sessions.mask(self._masking)
        self.panes.mask(self._masking)
        self._show_preview()

    # Tabs

    def _go_to_tab(self, name: str) -> None:
        reading = self._reading
        self._tab = name
        self.panes.turn_to(name)
        self._show_preview()
        if reading:
            self._focus_pane()

    def _focus_pane(self) -> None:
        self.panes.current.focus()

    def action_overview(self) -> None:
        self._go_to_tab("overview")

    def action_json(self) -> None:
        self._go_to_tab("json")

    def action_messages(self) -> None:
        self._go_to_tab("messages")

    def action_diff(self) -> None:
        if self.may("diff"):
            self._go_to_tab("diff")

    def action_next_tab(self) -> None:
        self._step_tab(1)

    def action_previous_tab(self) -> None:
        self._step_tab(-1)

    def _step_tab(self, step: int) -> None:
        tabs = TabStrip.TABS
        self._go_to_tab(tabs[(tabs.index(self._tab) + step) % len(tabs)])

    def action_pane(self) -> None:
        if self._reading:
            self._zoomed = False
            self.sessions.focus()
            self._lay_out()
        else:
            self._focus_pane()

    def action_pane_back(self) -> None:
        self.action_pane()

    def on_session_tree_entered(self) -> None:
        self._focus_pane()

    def action_zoom(self) -> None:
        self._zoomed = not self._zoomed
        self._lay_out()
        if self._zoomed:
            self._focus_pane()
        elif not self._reading:
            self.sessions.focus()

    def on_json_view_path_changed(self, message: JsonView.PathChanged) -> None:
        if self._reading and self._tab == "json":
            work: list[Part] = [(f"  {message.work}", "muted")] if message.work else []
            self.status.show_path([message.path, *work])

    def on_panes_wants(self, message: Panes.Wants) -> None:
        self.loader.want_contents(message.file, message.against)

    def on_opened(self, message: Opened) -> None:
        self.panes.take(message)

    def on_compared(self, message: Compared) -> None:
        self.panes.take_comparison(message)
