"""The main screen: the tree, the preview of what is under its cursor, the keys. It holds values and opens no file."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from ...core.assess import Assessed
from ...core.model import StoredFile
from ...core.sanitise import clean
from ...core.times import now_ns
from .. import deeds, triage
from ..actions import BY_NAME, VERBS, Situation, bindings_for, refusal
from ..arrange import SMALLEST, arrange
from ..loader import (
    Acted,
    Batch,
    Compared,
    Detail,
    Detailed,
    Names,
    NotProposed,
    Opened,
    Progress,
    Proposed,
    Trouble,
)
from ..panes import Panes, Subject
from ..rows import Rows
from ..text import Part, block, width
from ..widgets.overview import Overview, point_rows, session_rows
from ..widgets.session_tree import SessionTree
from ..widgets.status import Bar, KeyBar, StatusLine, TabStrip
from .handover import HandOver

if TYPE_CHECKING:
    from ..app import LastgoodApp
    from ..widgets.json_view import JsonView

_REST_S = 0.08
"""Seconds without a move of the cursor after which the preview follows it."""
_BUSY_SHARE = 40
"""Putting the rows in order may take at most one part in so many of the screen's time."""


class MainScreen(HandOver, inherit_bindings=False):
    """Sessions on one side, what is known of the focused one on the other."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("screen")
    AUTO_FOCUS = "#tree"

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, Assessed] = {}
        self._details: dict[StoredFile, Detail] = {}
        self._query = ""
        self._faults_only = False
        self._sort = triage.SORTS[0]
        self._reverse = False
        self._tab = "overview"
        self._zoomed = False
        self._listed = False
        self._moved = False
        self._acting = False
        self._live = False
        self._working = False
        self._loading = True
        self._order_due = False
        self._order_cost_s = 0.0
        self._asked_for: str | None = None
        self._following: Timer | None = None
        self._compare_with: StoredFile | None = None

    @property
    def lastgood(self) -> LastgoodApp:
        from ..app import LastgoodApp

        assert isinstance(self.app, LastgoodApp)
        return self.app

    # Widgets

    def compose(self) -> ComposeResult:
        yield Bar(id="header")
        yield FilterInput(id="filter")
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

    @property
    def sessions(self) -> SessionTree:
        return self.query_one("#tree", SessionTree)

    @property
    def panes(self) -> Panes:
        return self.query_one("#panes", Panes)

    def on_mount(self) -> None:
        self._show_header()
        self._show_keys()
        self._lay_out()
        self.loader.start()
        if self.lastgood.notice:
            self.status.say(self.lastgood.notice, "warning")
        if self.lastgood.config.live:
            self._watch(True)

    def on_resize(self, event: events.Resize) -> None:
        self._lay_out()
        # The heading stands over the tree's columns: it waits until the tree has its new width.
        self.call_after_refresh(self._show_header)
        self._show_tabs()
        self._show_keys()

    def on_descendant_focus(self) -> None:
        if not self._reading:
            self._show_path()
        self._lay_out()
        self._show_keys()

    def _lay_out(self) -> None:
        columns, height = self.app.size
        filtering = self.query_one("#filter").display
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
    def _reading(self) -> bool:
        """The preview has the focus."""
        focused = self.focused
        return focused is not None and self.query_one("#panes") in focused.ancestors

    @property
    def settled(self) -> bool:
        """The store has been gone through, and what was found is shown."""
        return self._listed and not self._loading and not self._order_due

    # What comes from the loader

    def on_batch(self, message: Batch) -> None:
        fresh: list[Assessed] = []
        for seen in message.seen:
            old = self._known.get(seen.session.name)
            # A second look at names and metadata does not take away what is known of unchanged files.
            if old is not None and not triage.listed(seen) and triage.listed(old):
                continue
            if old is not None and seen.points is None and old.points is not None and seen.survey == old.survey:
                continue
            self._known[seen.session.name] = seen
            fresh.append(seen)
        self.sessions.freshen(fresh)
        self._order_soon()

    def on_names(self, message: Names) -> None:
        self._listed = True
        for name in self._known.keys() - message.names:
            del self._known[name]
        self._order_soon()

    def on_progress(self, message: Progress) -> None:
        self._working = message.total > 0
        self._loading = self._working
        self.status.show_progress(message.what, message.done, message.total)

    def on_trouble(self, message: Trouble) -> None:
        if message.defect is not None:
            self.lastgood.log_defect(message.defect)
        self.status.say(message.says.split("\n")[0], "bad")

    def on_detailed(self, message: Detailed) -> None:
        if len(self._details) > 500:
            self._details.clear()
        self._details[message.detail.file] = message.detail
        self._show_preview()

    def _order_soon(self) -> None:
        """Put the rows in order, now if that is cheap, else when it is due."""
        if not self._listed and not self.sessions.shown:
            self._order()
        elif not self._order_due:
            self._order_due = True
            self.set_timer(max(0.01, self._order_cost_s * _BUSY_SHARE), self._order)

    def _order(self) -> None:
        self._order_due = False
        began = time.monotonic()
        order = triage.chosen(
            self._known.values(),
            query=self._query,
            faults_only=self._faults_only,
            sort=self._sort,
            reverse=self._reverse,
        )
        tree = self.sessions
        tree.marks &= self._known.keys()
        tree.show(order, now_ns())
        if not (self._moved or tree.opened or tree.marks) and self.is_current and tree.cursor:
            # Nobody has moved yet: the worst session stays under the cursor while more are found.
            tree.cursor = 0
        self._order_cost_s = time.monotonic() - began
        self._show_header()
        self._show_empty()
        self._focus_changed()

    # What is shown

    def _show_header(self) -> None:
        app = self.lastgood
        counts: list[Part] = [(" · read-only", "warning")] if app.read_only else []
        for words, verdict in triage.headline(self._known.values()):
            counts += [(" · ", "muted"), (words, str(verdict) if verdict else "strong")]
        marks = len(self.sessions.marks)
        right: list[Part] = [(f"{marks} marked  ", "accent")] if marks else []
        narrowed = "faults  " if self._faults_only else ""
        right.append((f"{narrowed}{self.sessions.shown:,}/{len(self._known):,}", "muted"))
        if not self._listed:
            right.append((" reading…", "muted"))
        # The counts are news, the path is not: it makes room first, then the counts of what is least bad.
        room = self.app.size.width - 13 - _cells(right)
        while len(counts) > 4 and _cells(counts) + 12 > room:
            del counts[-2:]
        room -= _cells(counts)
        left: list[Part] = [("lastgood", "accent"), (" · ", "muted"), _tail(_home(app.store_path), max(12, room))]
        self.query_one("#header", Bar).show([*left, *counts], right)
        tree = self.sessions
        heading = tree.heading(self._sort.name, self._reverse)
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
        situation = self.situation()
        ranked = sorted((v for v in VERBS if v.rank < 8), key=lambda v: v.rank)
        applying = [v for v in ranked if refusal(v, situation) is None and (v.place != "tree" or not self._reading)]
        keys = self.lastgood.keys_in_force
        self.query_one("#keys", KeyBar).show_keys(applying, keys, [BY_NAME["help"], BY_NAME["quit"]])

    def _show_tabs(self) -> None:
        line = self.sessions.focused_line
        about = "" if line is None else line.session
        file = self.file_to_show()
        if file is not None and (self._tab != "overview" or (line is not None and line.path is not None)):
            about = file.name
        self.query_one("#tabs", TabStrip).show_tabs(self._tab, about)

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
                overview.show(session_rows(seen, tree.now_ns))
            else:
                overview.show(point_rows(seen, file, tree.point_of(line), self._details.get(file), tree.now_ns))
        self.panes.about(Subject(seen, self.file_to_show(), self._to_compare(seen)))

    def _show_path(self) -> None:
        line = self.sessions.focused_line
        if line is None:
            self.status.show_path([])
        elif line.path is None:
            self.status.show_path([(self.sessions.seen_of(line).session.path, "muted")])
        else:
            self.status.show_path([(line.path, "muted")])

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
        if line is not None:
            seen = self.sessions.seen_of(line)
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

    # Tabs

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

    # Finding

    def action_filter(self) -> None:
        box = self.query_one("#filter", FilterInput)
        box.display = True
        box.focus()
        self._lay_out()

    def on_input_changed(self, message: Input.Changed) -> None:
        if message.input.id == "filter":
            self._query = message.value
            self._order_soon()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        if message.input.id == "filter":
            self._leave_filter(keep=True)

    def on_filter_input_left(self) -> None:
        self._leave_filter(keep=False)

    def _leave_filter(self, *, keep: bool) -> None:
        box = self.query_one("#filter", FilterInput)
        if not keep:
            box.value = ""
        box.display = bool(box.value)
        self.sessions.focus()
        self._lay_out()

    def key_escape(self) -> None:
        """Back out of what was narrowed, one thing at a time."""
        if self._zoomed:
            self.action_zoom()
        elif self._reading:
            self.action_pane()
        elif self._query:
            self._leave_filter(keep=False)

    def action_faults(self) -> None:
        self._faults_only = not self._faults_only
        self._order_soon()

    def action_sort(self) -> None:
        at = triage.SORTS.index(self._sort)
        self._sort = triage.SORTS[(at + 1) % len(triage.SORTS)]
        self._reverse = False
        self.status.say(f"sorted by {self._sort.name}; S reverses", "muted")
        self._order_soon()

    def action_reverse(self) -> None:
        self._reverse = not self._reverse
        self._order_soon()

    def action_mark(self) -> None:
        line = self.sessions.focused_line
        if line is None:
            return
        self.sessions.marks ^= {line.session}
        marked = "marked" if line.session in self.sessions.marks else "no longer marked"
        self.status.say(f"{line.session} {marked}", "muted")
        self.sessions.refresh()
        self.sessions.action_move(1)
        self._show_header()

    def action_compare(self) -> None:
        """Mark a file as what others are compared with, or take that back."""
        file = self.file_to_show()
        if self.may("compare") and file is not None:
            self._compare_with = None if self._compare_with == file else file
            self.status.say(
                f"d compares with {file.name}" if self._compare_with else "d compares with the latest", "muted"
            )

    def action_unmark(self) -> None:
        self.sessions.marks.clear()
        self.sessions.refresh()
        self._show_header()
        self._show_keys()

    def on_session_tree_opened(self, message: SessionTree.Opened) -> None:
        seen = self._known.get(message.session)
        if seen is not None and seen.points is None:
            self.loader.want(seen.session)

    # Actions

    def situation(self) -> Situation:
        """What an action would meet now."""
        tree = self.sessions
        line = tree.focused_line
        if line is None:
            seen, file, point = None, None, None
        else:
            seen, file = tree.seen_of(line), tree.file_of(line)
            point = tree.point_of(line) if file is not None else seen.best
        app = self.lastgood
        marked = len(tree.marks)
        return Situation(seen, file, point, marked, app.read_only, self._working, self._acting, app.picking)

    def may(self, name: str) -> bool:
        """Whether the action applies; where not, it is said why."""
        self._moved = True
        return super().may(name)

    def action_restore(self) -> None:
        seen = self.situation().seen
        if self.may("restore") and seen is not None:
            file = self.situation().file
            self._propose(lambda: deeds.propose_restore(*self.lastgood.ground, seen, file))

    def action_salvage(self) -> None:
        now = self.situation()
        if self.may("salvage") and now.seen is not None and now.file is not None:
            seen, file = now.seen, now.file
            self._propose(lambda: deeds.propose_salvage(*self.lastgood.ground, seen, file))

    def action_repair(self) -> None:
        seen = self.situation().seen
        if self.may("repair") and seen is not None:
            self._propose(lambda: deeds.propose_repair(*self.lastgood.ground, seen))

    def action_terminate(self) -> None:
        if not self.may("terminate"):
            return
        names, hidden = self._chosen_names()
        from .dialogs import ReasonDialog

        def given(reason: str | None) -> None:
            if reason is not None:
                self._propose(lambda: deeds.propose_terminate(*self.lastgood.ground, names, reason, hidden))

        what = names[0] if len(names) == 1 else f"{len(names)} marked sessions"
        self.app.push_screen(ReasonDialog(f"Terminate {what}"), given)

    def action_activate(self) -> None:
        if self.may("activate"):
            names, hidden = self._chosen_names()
            self._propose(lambda: deeds.propose_activate(*self.lastgood.ground, names, hidden))

    def action_undo(self) -> None:
        if self.may("undo"):
            self.undo(None)

    def undo(self, action_id: str | None) -> None:
        """Propose to take an action back; by default the last."""
        self._propose(lambda: deeds.propose_undo(self.lastgood.ground[0], action_id))

    def _chosen_names(self) -> tuple[list[str], set[str]]:
        """The marked sessions, or the one under the cursor; and which of them are not shown now."""
        tree = self.sessions
        line = tree.focused_line
        if not tree.marks:
            return ([line.session] if line is not None else []), set()
        return sorted(tree.marks), tree.marks - tree.shown_names()

    def _propose(self, make: Callable[[], deeds.Proposal]) -> None:
        self.status.say("looking…", "muted")
        self.loader.propose(make)

    def on_proposed(self, message: Proposed) -> None:
        self.status.hush()
        proposal = message.proposal
        from .dialogs import Agreed, PlanDialog, TellDialog

        if proposal.empty:
            self.app.push_screen(TellDialog(proposal.title, ["nothing to do: it is so already", *proposal.warnings]))
            return

        def answered(agreed: Agreed | None) -> None:
            if agreed is not None:
                self._acting = True
                self.status.say(f"{proposal.title}…", "muted")
                self.loader.carry_out(proposal, agreed.reason)

        opened_by = self.lastgood.keys_in_force.get(proposal.verb, BY_NAME[proposal.verb].keys).split(",")
        self.app.push_screen(PlanDialog(proposal, opened_by), answered)

    def on_not_proposed(self, message: NotProposed) -> None:
        self.status.hush()
        from .dialogs import TellDialog

        self.app.push_screen(TellDialog("Not done", [message.says]))

    def on_acted(self, message: Acted) -> None:
        self._acting = False
        done = message.done
        if done.says:
            undo = "" if done.verb == "undo" else " · u undoes it"
            self.status.say(f"✓ {done.says} · action {done.action_id}{undo}", "good")
            self.sessions.marks -= set(done.sessions)
            self._show_header()
        else:
            self.status.hush()
        if done.verb == "restore" and done.says:
            self.offer_resume(done.sessions[0])
        if done.problems:
            from .dialogs import TellDialog

            self.app.push_screen(TellDialog("Not all went well" if done.says else "Not done", done.problems))

    # The rest

    def action_verify(self) -> None:
        seen = self.situation().seen
        if self.may("verify") and seen is not None:
            self.status.say(f"verifying {seen.session.name} afresh", "muted")
            self.loader.look_again([seen.session.name])

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

        self.app.push_screen(HelpScreen(self.situation(), self._help_of_focused()))

    def _help_of_focused(self) -> list[tuple[str, str]]:
        """Keys and meanings of the focused widget's own bindings."""
        focused = self.focused
        if focused is None:
            return []
        keys: dict[str, list[str]] = {}
        for key, binding in focused._bindings:
            if binding.id and binding.id not in BY_NAME and not binding.id.startswith("move."):
                keys.setdefault(binding.tooltip or binding.description, []).append(key)
        return [(",".join(those), meaning) for meaning, those in keys.items()]


class FilterInput(Input):
    """The filter's one row."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, compact=True, placeholder="filter: id, task, reason, path; !word inverts; esc clears")
        self.cursor_blink = False

    class Left(Message):
        """Escape: no filter."""

    def key_escape(self) -> None:
        self.post_message(self.Left())

    def key_down(self) -> None:
        self.screen.query_one("#tree").focus()


def _cells(parts: Sequence[Part]) -> int:
    return sum(width(part[0] if isinstance(part, tuple) else part) for part in parts)


def _tail(path: str, cells: int) -> str:
    """The end of a path in at most so many cells."""
    shown = clean(path)
    return shown if width(shown) <= cells else "…" + shown[-(cells - 1) :]


def _home(path: str) -> str:
    import os

    home = os.path.expanduser("~")
    return "~" + path[len(home) :] if path == home or path.startswith(home + "/") else path
