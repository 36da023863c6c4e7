"""Every screen as a picture, at three sizes and in two themes: what changes in any of them has to be looked at.

After a change that is meant: `python -m pytest tests/tui/test_pictures.py --snapshot-update`, and look at the pictures.
The sample store is the same each time; the clock stands still in a year in which no host that runs the tests has
started, so that nothing of theirs is in the pictures.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import time_machine
from filelock import FileLock
from pytest_textual_snapshot import SVGImageExtension
from syrupy.assertion import SnapshotAssertion
from textual.theme import Theme

from lastgood import themes
from lastgood.config import Config
from lastgood.core import demo
from lastgood.core.errors import NotFound
from lastgood.core.store import open_store
from lastgood.tui.app import LastgoodApp
from tui.scenes import SCENES, Scene
from tui.screens import Driven

PREVIEW_S = 0.12
"""More than the cursor rests until the preview follows it."""
NOW_S = 2_209_032_000
"""2040-01-01 12:00 UTC."""
THEMES = ("night", "day")
SIZES = ((80, 24), (60, 20), (200, 50))
PLACE = "/tmp/lastgood-pictures"
"""The same each time: a path is shown on most screens, and its length counts."""


class Place:
    """Where the stores of the pictures stand, one at a time; what only looks leaves the sample as it was."""

    def __init__(self) -> None:
        self._untouched = False

    def store(self, it: Scene) -> str:
        """The store for a screen: the sample, an empty folder, or nothing."""
        kind = it.settings.get("store", "sample")
        if kind != "sample":
            path = f"{PLACE}/{kind}"
            if kind == "empty":
                os.makedirs(path, exist_ok=True)
            return path
        path = f"{PLACE}/store"
        if it.writes or not self._untouched:
            shutil.rmtree(path, ignore_errors=True)
            demo.build(path, now_ns=NOW_S * 10**9)
        self._untouched = not it.writes
        return path


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with FileLock(f"{PLACE}.lock"):
        shutil.rmtree(PLACE, ignore_errors=True)
        yield Place()
        shutil.rmtree(PLACE, ignore_errors=True)


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TEXTUAL_THEME", "TMUX", "SSH_CONNECTION", "SSH_CLIENT", "SUDO_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    # No id is drawn by lot.
    monkeypatch.setattr("secrets.token_hex", lambda count: "0a" * count)
    monkeypatch.setattr("os.urandom", lambda count: b"\x0a" * count)


def app_on(path: str, names: Sequence[str], settings: dict[str, Any]) -> LastgoodApp:
    config = Config(live=False)._replace(**{k: v for k, v in settings.items() if k != "store"})
    try:
        store, absent = open_store(path), []
    except NotFound as error:
        store, absent = None, [str(error)]
    app = LastgoodApp(store, path, config, theme=themes.load(names[0]), absent=absent, cache_folder=f"{PLACE}/cache")
    for theme in names[1:]:
        app.register_theme(Theme(**themes.load(theme)))
    return app


def pictures(place: Place, name: str, size: tuple[int, int], names: Sequence[str]) -> dict[str, str]:
    """A screen in each theme."""
    it = SCENES[name]
    app = app_on(place.store(it), names, it.settings)
    taken: dict[str, str] = {}

    async def drive() -> None:
        async with app.run_test(size=size) as pilot:
            on = Driven(app, pilot)
            if app.store is not None:
                await on.settle()
            await it.play(on)
            await pilot.pause(PREVIEW_S)
            for theme in names:
                app.theme = theme
                for widget in (
                    widget for screen in app.screen_stack for widget in screen.walk_children(with_self=True)
                ):
                    widget.notify_style_update()  # those below a dialog too
                await pilot.pause()
                taken[theme] = app.export_screenshot(simplify=True)

    with time_machine.travel(NOW_S, tick=False):
        asyncio.run(drive())
    return taken


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCENES)
def test_it_looks_as_it_did(snapshot: SnapshotAssertion, place: Place, name: str, size: tuple[int, int]) -> None:
    as_svg = snapshot.use_extension(SVGImageExtension)
    # Textual's palette keeps the tint that it was opened with: it is opened in each.
    for names in [THEMES] if name != "palette" else [(theme,) for theme in THEMES]:
        for theme, picture in pictures(place, name, size, names).items():
            assert picture == as_svg(name=theme), f"look at it in {theme}"
