"""The screen driven as a person does: keys in, rows of text out."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from lastgood import themes
from lastgood.config import Config
from lastgood.core.errors import NotFound
from lastgood.core.store import open_store
from lastgood.tui.app import LastgoodApp
from lastgood.tui.screens.main import MainScreen
from lastgood.tui.widgets.status import Bar

PATIENCE = 400
"""Turns of the event loop, of 10 ms or more, before something is taken for never coming."""


class Driven:
    """An app under a pilot."""

    def __init__(self, app: LastgoodApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def main(self) -> MainScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, MainScreen)
        return screen

    @property
    def rows(self) -> list[str]:
        """What is on the screen."""
        return [
            "".join(segment.text for segment in strip).rstrip() for strip in self.app.screen._compositor.render_strips()
        ]

    @property
    def text(self) -> str:
        return "\n".join(self.rows)

    @property
    def status(self) -> str:
        return self.main.query_one("#status", Bar).shown

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def until(self, holds: Callable[[], bool], what: str = "") -> None:
        """Wait until something holds."""
        for _ in range(PATIENCE):
            await self.pilot.pause()
            if holds():
                return
            await self.pilot.pause(0.01)
        raise AssertionError(f"never came: {what}\nstatus: {self.status}\n{self.text}")

    async def until_shown(self, *words: str) -> None:
        await self.until(lambda: all(word in self.text for word in words), f"{words} on the screen")

    async def settle(self) -> None:
        """Wait until the store has been gone through."""
        await self.until(lambda: self.main.settled, "the end of loading")
        await self.pilot.pause()


@asynccontextmanager
async def driven(
    store_path: str, *, size: tuple[int, int] = (80, 24), wait: bool = True, theme: str = "night", **settings: object
) -> AsyncIterator[Driven]:
    """The app on a store, loaded."""
    config = Config(live=False)._replace(**settings)  # type: ignore[arg-type]
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    try:
        store = open_store(store_path)
        absent: list[str] = []
    except NotFound as error:
        store, absent = None, [str(error)]
    app = LastgoodApp(store, store_path, config, theme=themes.load(theme), absent=absent)
    async with app.run_test(size=size) as pilot:
        on_screen = Driven(app, pilot)
        if wait and store is not None:
            await on_screen.settle()
        yield on_screen
