"""The part of the main screen that acts on sessions: marks, proposals, their dialogs, what became of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..news import Acted, NotProposed, Proposed
from ..situation import Situation
from .handover import HandOver

if TYPE_CHECKING:
    from ..deeds import Proposal


class Acting(HandOver, inherit_bindings=False):
    """The work itself is :mod:`lastgood.tui.deeds`' and is done in the loader's threads."""

    def __init__(self) -> None:
        super().__init__()
        self._moved = False
        """Somebody has moved the cursor or asked for something."""
        self._acting = False
        self._working = False
        """The store is being gone through."""

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

    # Marks

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

    def action_unmark(self) -> None:
        self.sessions.marks.clear()
        self.sessions.refresh()
        self._show_header()
        self._show_keys()

    def _chosen_names(self) -> tuple[list[str], set[str]]:
        """The marked sessions, or the one under the cursor; and which of them are not shown now."""
        tree = self.sessions
        line = tree.focused_line
        if not tree.marks:
            return ([line.session] if line is not None else []), set()
        return sorted(tree.marks), tree.marks - tree.shown_names()

    # Actions

    def action_restore(self) -> None:
        from ..deeds import propose_restore

        seen = self.situation().seen
        if self.may("restore") and seen is not None:
            file = self.situation().file
            self._propose(lambda: propose_restore(*self.lastgood.ground, seen, file))

    def action_salvage(self) -> None:
        from ..deeds import propose_salvage

        now = self.situation()
        if self.may("salvage") and now.seen is not None and now.file is not None:
            seen, file = now.seen, now.file
            self._propose(lambda: propose_salvage(*self.lastgood.ground, seen, file))

    def action_repair(self) -> None:
        from ..deeds import propose_repair

        seen = self.situation().seen
        if self.may("repair") and seen is not None:
            self._propose(lambda: propose_repair(*self.lastgood.ground, seen))

    def action_terminate(self) -> None:
        from ..deeds import propose_terminate

        if not self.may("terminate"):
            return
        names, hidden = self._chosen_names()
        from .dialogs import ReasonDialog

        def given(reason: str | None) -> None:
            if reason is not None:
                self._propose(lambda: propose_terminate(*self.lastgood.ground, names, reason, hidden))

        what = names[0] if len(names) == 1 else f"{len(names)} marked sessions"
        self.app.push_screen(ReasonDialog(f"Terminate {what}"), given)

    def action_activate(self) -> None:
        from ..deeds import propose_activate

        if self.may("activate"):
            names, hidden = self._chosen_names()
            self._propose(lambda: propose_activate(*self.lastgood.ground, names, hidden))

    def action_undo(self) -> None:
        if self.may("undo"):
            self.undo(None)

    def undo(self, action_id: str | None) -> None:
        """Propose to take an action back; by default the last."""
        from ..deeds import propose_undo

        self._propose(lambda: propose_undo(self.lastgood.ground[0], action_id))

    def action_verify(self) -> None:
        seen = self.situation().seen
        if self.may("verify") and seen is not None:
            self.status.say(f"verifying {seen.session.name} afresh", "muted")
            self.loader.look_again([seen.session.name])

    def _propose(self, make: Callable[[], Proposal]) -> None:
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
                if proposal.verb != "undo":
                    self.sessions.leaving = {name for plan in proposal.plans for name in plan.sessions}
                self.status.say(f"{proposal.title}…", "muted")
                self.loader.carry_out(proposal, agreed.reason)

        self.app.push_screen(PlanDialog(proposal), answered)

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
