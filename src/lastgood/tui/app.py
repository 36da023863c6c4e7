"""The app: the store, the theme, what leaves the terminal as it was, and the way out."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from rich.console import RenderableType
from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.filter import LineFilter
from textual.screen import Screen
from textual.theme import Theme

from .. import crashlog
from ..config import Config
from ..core.model import Checkpoint
from ..core.store import Store
from ..core.verdict import Thresholds
from ..themes import STATES
from .actions import VERBS, bindings_for, shown_keys
from .forerun import Forerun
from .keys import OneKeyAtATime
from .loader import Loader
from .screens.main import MainScreen
from .sparse import Image, Written, pieces
from .text import GUARD

CRASHED = 1
_ASKED_FOR = "this is read-only: --read-only, or read_only in the configuration, was asked for"


class LastgoodApp(OneKeyAtATime, inherit_bindings=False):
    """One store on the screen.

    Args:
        store: the store; None shows why there is none.
        store_path: where it is, or was looked for.
        config: the configuration in force.
        theme: the arguments of its Theme (:mod:`lastgood.themes`).
        absent: what to say where there is no store.
        notice: something to be said once, at the start.
        cache_folder: where verdicts are remembered; None: nowhere.
        forerun: what is being read already.
        picking: a restore point is to be chosen for `lastgood pick`.
    """

    CSS_PATH = "app.tcss"
    TITLE = "lastgood"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("app")
    NOTIFICATION_TIMEOUT = 4

    def __init__(
        self,
        store: Store | None,
        store_path: str,
        config: Config,
        *,
        theme: Mapping[str, Any],
        absent: Sequence[str] = (),
        notice: str | None = None,
        cache_folder: str | None = None,
        picking: bool = False,
        forerun: Forerun | None = None,
    ) -> None:
        self._usual_states = {name: str(theme["variables"][name]) for name in STATES}
        # Textual settles how NO_COLOR is done here and now, before any theme is set.
        super().__init__(driver_class=_driver_class(), ansi_color=True if theme.get("ansi") else None)
        self._dress(Theme(**theme))
        # The table's own binding opens the palette: Textual's would have priority over every dialog.
        self.use_command_palette = True
        self.animation_level = "none"
        self._image = Image()
        self.store = store
        self.store_path = store_path
        self.config = config
        self.absent = absent
        self.notice = notice
        self.crash_log: str | None = None
        self.picking = picking
        self.picked: tuple[str, Checkpoint] | None = None
        """What was chosen for `lastgood pick`: the session's name and its point."""
        self.run_on_exit: list[str] | None = None
        """A resume command to be run once the screen is gone."""
        self.read_only = _ASKED_FOR if store is not None and config.read_only else None
        """Why nothing can be written; None where it can, as far as is known."""
        if config.keys:
            self.set_keymap(config.keys)
        if store is not None:
            self.loader = Loader(store, config.thresholds, self._to_main, cache_folder=cache_folder, forerun=forerun)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The colours of lastgood's own states, for themes of Textual's that lack them."""
        return self._usual_states

    def _dress(self, theme: Theme) -> None:
        """What setting `theme` does, but for reading every sheet of styles a second time before the first paint."""
        self.register_theme(theme)
        self.set_reactive(LastgoodApp.theme, theme.name)
        self.update_classes(
            {f"-theme-{theme.name}": True, "-dark-mode": theme.dark, "-light-mode": not theme.dark}, update=False
        )
        self._refresh_truecolor_filter(self.ansi_theme)
        self.stylesheet.set_variables(self.get_css_variables())

    @property
    def ground(self) -> tuple[Store, Thresholds]:
        """What proposals are worked out on."""
        assert self.store is not None
        return self.store, self.config.thresholds

    def get_default_screen(self) -> Screen[None]:
        if self.store is None:
            from .screens.absent import AbsentScreen

            return AbsentScreen(self.absent)
        return MainScreen()

    def resume_command(self, session: str) -> list[str] | None:
        """The configured command that resumes a session, its placeholders filled in; None where none is configured."""
        if not self.config.resume_command:
            return None
        values = {"{session_id}": session, "{session_path}": os.path.join(self.store_path, session)}
        values["{store}"] = self.store_path
        filled = []
        for word in self.config.resume_command:
            for name, value in values.items():
                word = word.replace(name, value)
            filled.append(word)
        return filled

    def _to_main(self, message: object) -> None:
        """From any thread to the main screen, also while a dialog lies over it."""
        from textual.message import Message

        assert isinstance(message, Message)
        if self._running and self._screen_stack:
            self._screen_stack[0].post_message(message)

    def settle(self) -> None:
        """After the first paint: what that did not need."""
        gc.freeze()
        gc.enable()
        self._image.erases = _erases_to_the_ground()
        if self.read_only is None:
            self.read_only = _not_writable(self.store_path)

    def on_mount(self) -> None:
        import asyncio

        if self.store is None:
            gc.enable()

        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, found: self._lost(found.get("exception")))
        for number in (signal.SIGTERM, signal.SIGHUP):
            # exit() restores the terminal; an action that is being done runs in a thread that the process waits for.
            loop.add_signal_handler(number, partial(self.exit, return_code=128 + number))
        # After ctrl+z and fg the terminal is blank, and Textual believes it is not.
        self.app_resume_signal.subscribe(self, lambda _: self.redraw())

    def _lost(self, error: object) -> None:
        if isinstance(error, BaseException):
            self.log_defect(error)

    def redraw(self) -> None:
        """Write the whole screen again: the terminal may show anything."""
        self._image.forget()
        self.screen.refresh(layout=True)

    def on_resize(self) -> None:
        self._image.forget()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if not isinstance(renderable, LayoutUpdate | ChopsUpdate):
            super()._display(screen, renderable)
        elif not self._batch_count and (written := self._image.update(pieces(renderable), self.console)):
            super()._display(screen, Written(written))

    def on_unmount(self) -> None:
        if self.store is not None:
            self.loader.close()

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), GUARD]

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette's entries: the table's actions."""
        for verb in VERBS:
            if verb.palette:
                run = partial(self._run_verb, verb.place, verb.action)
                keys = shown_keys(self._keymap.get(verb.name, verb.keys))
                yield SystemCommand(verb.label.capitalize(), f"{verb.help} ({keys})", run)

    async def _run_verb(self, place: str, action: str) -> None:
        target = {"tree": "focused", "screen": "screen", "app": "app"}[place]
        await self.run_action(f"{target}.{action}")

    async def action_quit(self) -> None:
        self.exit()

    def on_event_paste(self, event: events.Paste) -> None:
        """Text pasted where there is no input is no key."""
        event.stop()

    def log_defect(self, error: BaseException) -> None:
        """Keep a report on an error of ours that the screen survives."""
        self.crash_log = crashlog.keep(error)

    def _fatal_error(self) -> None:
        """Keep a report instead of printing a traceback: values of variables may be a session's messages."""
        if (error := sys.exception()) is not None:
            self.crash_log = crashlog.keep(error)
        self._close_messages_no_wait()


def _not_writable(store_path: str) -> str | None:
    from ..core.journal import Journal

    why = Journal(store_path).writable()
    return None if why is None else f"the store cannot be written: {why}"


def _erases_to_the_ground() -> bool:
    """Whether this kind of terminal fills what it erases with the colour behind the text (terminfo's ``bce``)."""
    try:
        import curses

        curses.setupterm(fd=2)
        return curses.tigetflag("bce") > 0
    except (ImportError, curses.error, OSError):
        return False


def _driver_class() -> type | None:
    if os.name != "posix":
        return None
    from .driver import SafeDriver

    return SafeDriver
