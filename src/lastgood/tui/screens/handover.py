"""The part of the main screen that hands something over: copy, export, pager, resume command, the choice of `pick`."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from textual.screen import Screen

from ...core.model import StoredFile
from ...core.sanitise import clean
from ..actions import BY_NAME, refusal
from ..loader import Loader
from ..news import Paged, Told
from ..situation import Situation
from ..widgets.session_tree import SessionTree
from ..widgets.status import StatusLine

if TYPE_CHECKING:
    from ..app import LastgoodApp
    from ..widgets.json_view import JsonView


class HandOver(Screen[None], inherit_bindings=False):
    """What :class:`~lastgood.tui.screens.main.MainScreen` is besides a tree and a preview."""

    # What the main screen gives

    @property
    def lastgood(self) -> LastgoodApp:
        from ..app import LastgoodApp

        assert isinstance(self.app, LastgoodApp)
        return self.app

    @property
    def sessions(self) -> SessionTree:
        return self.query_one("#tree", SessionTree)

    @property
    def loader(self) -> Loader:
        return self.lastgood.loader

    @property
    def status(self) -> StatusLine:
        return self.query_one("#status", StatusLine)

    def situation(self) -> Situation:
        raise NotImplementedError

    def _show_header(self) -> None:
        raise NotImplementedError

    def _show_keys(self) -> None:
        raise NotImplementedError

    def _lay_out(self) -> None:
        raise NotImplementedError

    def file_to_show(self) -> StoredFile | None:
        raise NotImplementedError

    def may(self, name: str) -> bool:
        """Whether the action applies; where not, it is said why."""
        why = refusal(BY_NAME[name], self.situation())
        if why is not None:
            self.status.say(why, "warning")
        return why is None

    # Copy

    def action_copy(self) -> None:
        if not self.may("copy"):
            return
        from .handing import CopyMenu, Offer, SelectScreen

        seen, file = self.situation().seen, self.file_to_show()
        view = self._json_view()
        offers = [
            Offer("copying.id", "id", seen.session.name if seen else None),
            Offer("copying.path", "path", file.path if file else seen.session.path if seen else None),
            Offer("copying.value", "value", view.value if view is not None else None, lines=True),
            Offer("copying.query", "jq path", view.path if view is not None else None),
        ]

        def chosen(offer: Offer | None) -> None:
            if offer is None or offer.text is None:
                return
            from ..handover import hand_over

            text = offer.text if offer.lines else clean(offer.text)
            said = hand_over(self.app, text)
            if said is None:
                self.app.push_screen(SelectScreen(text))
            else:
                self.status.say(f"{offer.name} {said}", "muted")

        self.app.push_screen(CopyMenu(offers), chosen)

    def _json_view(self) -> JsonView | None:
        from ..widgets.json_view import JsonView

        views = self.query(JsonView)
        return views.first() if views and views.first().display and views.first().count() else None

    # Export and pager

    def action_export(self) -> None:
        file = self.file_to_show()
        if not self.may("export") or file is None:
            return
        from .handing import ExportDialog

        def given(target: str | None) -> None:
            if target is not None:
                self.loader.export(file, target)

        self.app.push_screen(ExportDialog(file.name), given)

    def on_told(self, message: Told) -> None:
        self.status.say(message.says, "good")

    def action_pager(self) -> None:
        file = self.file_to_show()
        if self.may("pager") and file is not None:
            self.status.say(f"reading {file.name} for the pager", "muted")
            self.loader.page(file)

    def on_paged(self, message: Paged) -> None:
        """Show the text, cleaned already, in the user's pager; the screen comes back whatever becomes of it."""
        self.status.hush()
        pager = os.environ.get("PAGER") or "less"
        problem = None
        try:
            with self.app.suspend():
                try:
                    subprocess.run([*shlex.split(pager), message.path], env={**os.environ, "LESSSECURE": "1"})
                except (OSError, ValueError) as error:
                    problem = f"the pager {pager} cannot be started: {error}"
        finally:
            os.unlink(message.path)
        self.refresh(layout=True)
        if problem is not None:
            self.status.say(problem, "bad")

    # After a restore

    def offer_resume(self, session: str) -> None:
        """Show the configured resume command, its session filled in."""
        command = self.lastgood.resume_command(session)
        if command is None:
            return
        from .handing import ResumeDialog

        def answered(run: bool | None) -> None:
            if run:
                self.lastgood.run_on_exit = command
                self.status.say("it will be run when you leave", "muted")

        self.app.push_screen(ResumeDialog(command), answered)

    # pick

    def action_choose(self) -> None:
        now = self.situation()
        if self.may("choose") and now.seen is not None and now.point is not None:
            self.lastgood.picked = (now.seen.session.name, now.point)
            self.app.exit(return_code=0)
