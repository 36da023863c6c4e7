"""The main screen: the tree, the preview of what is under its cursor, the keys. It holds values and opens no file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.timer import Timer
from textual.widgets import Static

from ...core.assess import Assessed
from ...core.times import now_ns
from .. import triage
from ..actions import bindings_for, here
from ..arrange import SMALLEST, arrange
from ..news import (
    Batch,
    Names,
    Progress,
    Trouble,
)
from ..panes import Panes
from ..text import block
from ..widgets.header import Header
from ..widgets.session_tree import SessionTree
from ..widgets.status import Bar, KeyBar, StatusLine, TabStrip
from .previewing import Previewing

if TYPE_CHECKING:
    from textual.widgets import Input

    from ..widgets.filter import Filter

_BUSY_SHARE = 40
"""Putting the rows in order after news may take at most one part in so many of the screen's time."""
_TYPING_S = 0.04
"""What is typed faster than this is looked for together."""


class MainScreen(Previewing, inherit_bindings=False):
    """Sessions on one side, what is known of the focused one on the other."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("screen")
    AUTO_FOCUS = "#tree"

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, Assessed] = {}
        self._in_order: list[Assessed] | None = None
        """All of them, sorted; None when that is to be done again."""
        self._typing: Timer | None = None
        self._filter: Filter | None = None
        """Made when it is first asked for: the first paint does not need it."""
        self._query = ""
        self._faults_only = False
        self._sort = triage.SORTS[0]
        self._reverse = False
        self._painted = False
        self._listed = False
        self._live = False
        self._loading = True
        self._order_due = False
        self._order_cost_s = 0.0

    # Widgets

    def compose(self) -> ComposeResult:
        yield Header(id="header")
        with Container(id="body"):
            with Container(id="left"):
                yield Bar(id="heading")
                yield SessionTree(self.lastgood.config.columns, id="tree")
                yield Static(id="empty", markup=False)
            with Container(id="right"):
                yield TabStrip(id="tabs")
                yield Panes(id="panes")
        yield StatusLine(id="status")
        yield KeyBar(id="keys")
        yield Static(id="too-small", markup=False)

    def on_mount(self) -> None:
        self._show_header()
        self._show_keys()
        self._lay_out()
        if found := self.loader.first_found():
            self.on_batch(Batch(tuple(found)))
        else:
            self.loader.start()
        if self.lastgood.notice:
            self.status.say(self.lastgood.notice, "warning")
        self.call_after_refresh(self._settle, started=not found)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        if not self._painted:
            event.refresh_styles = False  # they have just been made
            self._painted = True

    def _settle(self, *, started: bool) -> None:
        """After the first paint: what that did not need."""
        if not started:
            self.loader.start()
        self.loader.painted()
        if self.lastgood.config.live:
            self._watch(True)
        self.lastgood.settle()
        if self.lastgood.read_only:
            self._show_header()
            self._show_keys()

    def on_resize(self, event: events.Resize) -> None:
        self._lay_out()
        # The heading stands over the tree's columns: it waits until the tree has its new width.
        self.call_after_refresh(self._show_header)
        self._show_tabs()
        self._show_keys()

    def on_key(self) -> None:
        """What was said has been read, and whoever moves on looks elsewhere."""
        self.loader.make_way()
        self.status.hush()
        self.sessions.leaving = set()

    def on_descendant_focus(self) -> None:
        if not self._reading:
            self._show_path()
        self._lay_out()
        self._show_keys()

    def _lay_out(self) -> None:
        columns, height = self.app.size
        filtering = self._filter is not None and self._filter.display
        plan = arrange(columns, height, reading=self._reading, zoomed=self._zoomed, filtering=filtering)
        self.set_class(plan.kind == "too-small", "-too-small")
        self.set_class(plan.kind == "side", "-side")
        if plan.kind == "too-small":
            says = f"{columns}×{height} is too small: lastgood needs {SMALLEST[0]}×{SMALLEST[1]}."
            self.query_one("#too-small", Static).update(block([[says], ["`lastgood list` works anywhere."]]))
            return
        left, right = self.query_one("#left"), self.query_one("#right")
        left.display = plan.tree_height > 0 and plan.tree_width > 0
        left.styles.width, left.styles.height = plan.tree_width, plan.tree_height
        right.styles.width = plan.preview_width
        right.styles.height = plan.preview_height + 1

    @property
    def settled(self) -> bool:
        """The store has been gone through, and what was found is shown."""
        return self._listed and not self._loading and not self._order_due

    # What comes from the loader

    def on_batch(self, message: Batch) -> None:
        fresh: list[Assessed] = []
        for seen in message.seen:
            old = self._known.get(seen.session.name)
            if old is seen:
                continue
            # A second look at names and metadata does not take away what is known of unchanged files.
            if old is not None and not triage.listed(seen) and triage.listed(old):
                continue
            if old is not None and seen.points is None and old.points is not None and seen.survey == old.survey:
                continue
            self._known[seen.session.name] = seen
            fresh.append(seen)
        self._in_order = None
        self.sessions.freshen(fresh)
        self._order_soon()

    def on_names(self, message: Names) -> None:
        self._listed = True
        for name in self._known.keys() - message.names:
            del self._known[name]
        self._in_order = None
        self._order_soon()

    def on_progress(self, message: Progress) -> None:
        self._working = message.total > 0
        self._loading = self._working
        self.status.show_progress(message.what, message.done, message.total)

    def on_trouble(self, message: Trouble) -> None:
        if message.defect is not None:
            self.lastgood.log_defect(message.defect)
        self.status.say(message.says.split("\n")[0], "bad")

    def _order_soon(self) -> None:
        """Put the rows in order after news, now if that is cheap, else when it is due: it may not take all the time."""
        if not self._listed and not self.sessions.shown:
            self._order()
        elif not self._order_due:
            self._order_due = True
            self.set_timer(max(0.01, self._order_cost_s * _BUSY_SHARE), self._order)

    def _order(self) -> None:
        self._order_due = False
        began = time.monotonic()
        if self._in_order is None:
            self._in_order = triage.in_order(self._known.values(), self._sort, reverse=self._reverse)
        order = triage.narrowed(self._in_order, query=self._query, faults_only=self._faults_only)
        tree = self.sessions
        tree.marks &= self._known.keys()
        focused = self._focused_value()
        tree.show(order, now_ns())
        if not (self._moved or tree.opened or tree.marks) and self.is_current and tree.cursor:
            # Nobody has moved yet: the worst session stays under the cursor while more are found.
            tree.cursor = 0
        self._order_cost_s = time.monotonic() - began
        self._show_header()
        self._show_empty()
        if self._focused_value() is not focused or focused is not self._previewed:
            self._focus_changed()

    def _focused_value(self) -> Assessed | None:
        """What is known of the session that the cursor is on or in."""
        line = self.sessions.focused_line
        return None if line is None else self.sessions.seen_of(line)

    # What is shown

    def _show_header(self) -> None:
        app, tree = self.lastgood, self.sessions
        self.query_one("#header", Header).show_counts(
            app.store_path,
            triage.headline(self._known.values()),
            shown=tree.shown,
            known=len(self._known),
            marks=len(tree.marks),
            faults_only=self._faults_only,
            read_only=app.read_only is not None,
            reading=not self._listed,
        )
        heading = tree.heading(self._sort.name, self._reverse) if tree.shown else []
        self.query_one("#heading", Bar).show([(str(p), "muted") for p in heading])

    def _show_empty(self) -> None:
        empty = self.query_one("#empty", Static)
        nothing = self.sessions.shown == 0 and self._listed
        empty.display = nothing
        self.sessions.display = not nothing
        if not nothing:
            return
        if self._known:
            why = f"Nothing matches {self._query!r}" if self._query else "No session needs looking into"
            esc = "esc clears the filter" if self._query else "f shows everything"
            says = [f"{why}: {len(self._known):,} sessions are hidden.", f"{esc}."]
        else:
            says = [
                f"There is no session in {self.lastgood.store_path}.",
                "F5 looks again; `lastgood demo` shows a sample.",
            ]
        empty.update(block([line] for line in says))

    def _show_keys(self) -> None:
        self.query_one("#keys", KeyBar).show_keys(self.situation())

    # Finding

    async def action_filter(self) -> None:
        if self._filter is None:
            from ..widgets.filter import Filter

            self._filter = Filter(id="filter")
            await self.mount(self._filter, before="#body")
        self._filter.display = True
        self._filter.input.focus()
        self._lay_out()

    def on_input_changed(self, message: Input.Changed) -> None:
        if message.input.id == "filter-input":
            self._query = message.value
            if self._typing is not None:
                self._typing.stop()
            self._typing = self.set_timer(_TYPING_S, self._order)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        if message.input.id == "filter-input":
            self._leave_filter(keep=True)

    def on_filter_input_left(self) -> None:
        self._leave_filter(keep=False)

    def _leave_filter(self, *, keep: bool) -> None:
        if self._filter is not None:
            if not keep:
                self._filter.input.value = ""
            self._filter.display = bool(self._filter.input.value)
        self.sessions.focus()
        self._lay_out()

    def action_back(self) -> None:
        """Back out of what was narrowed, one thing at a time."""
        if self._zoomed:
            self.action_zoom()
        elif self._reading:
            self.action_pane()
        elif self._query:
            self._leave_filter(keep=False)

    def action_faults(self) -> None:
        self._faults_only = not self._faults_only
        self._order()

    def action_sort(self) -> None:
        at = triage.SORTS.index(self._sort)
        self._sort = triage.SORTS[(at + 1) % len(triage.SORTS)]
        self._reverse = False
        self._in_order = None
        self.status.say(f"sorted by {self._sort.name}; S reverses", "muted")
        self._order()

    def action_reverse(self) -> None:
        self._reverse = not self._reverse
        self._in_order = None
        self._order()

    def on_session_tree_opened(self, message: SessionTree.Opened) -> None:
        unseen = [name for name in message.sessions if name in self._known and self._known[name].points is None]
        if len(unseen) == 1:
            self.loader.want(self._known[unseen[0]].session)
        else:
            self.loader.want_all(unseen)

    # The rest

    def action_refresh(self) -> None:
        self._asked_for = None
        self.lastgood.redraw()
        self.loader.start()

    def action_live(self) -> None:
        self._watch(not self._live)
        self.status.say("watching the store" if self._live else "no longer watching the store", "muted")

    def _watch(self, on: bool) -> None:
        self._live = on
        self.loader.watch(on)

    def action_stop(self) -> None:
        if self.may("stop"):
            self.loader.stop()
            self._working = False
            self.status.show_progress("", 0, 0)
            self.status.say("stopped; F5 goes on", "muted")

    def action_log(self) -> None:
        from .log import LogScreen

        self.app.push_screen(LogScreen())

    def action_help(self) -> None:
        from .help import HelpScreen

        self.app.push_screen(HelpScreen(self.situation(), here(self)))
