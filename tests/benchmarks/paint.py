"""How soon the screen shows which sessions died, and how soon after that it takes a key."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from statistics import median

from . import big_stores
from .measure import Figure, Setting, compare
from .pseudo_terminal import Timed, screen

_EMPTY_APP = [sys.executable, "-c", "from textual.app import App; App().run()"]
_AT_ONCE_S = 0.1


def empty_app(setting: Setting) -> float:
    """Seconds from the start of an empty Textual app to its first paint."""
    with Timed(setting, _EMPTY_APP) as app:
        return app.until(lambda: app.painted) - app.started


def unclean_shown(setting: Setting, store: str) -> Callable[[], float]:
    """Seconds from the start to the first bytes after which an unclean session stands on the screen."""
    names = big_stores.unclean(store)

    def start() -> float:
        with screen(setting, store) as shown:
            return shown.until(lambda: shown.shows_one_of(names)) - shown.started

    return start


def first_paint(setting: Setting) -> Iterator[Figure]:
    for shape, target in ((big_stores.B, 1.25), (big_stores.C, 2.0)):
        yield compare(
            f"first paint with unclean sessions of {shape.name} ({shape.sessions:,}) against an empty Textual app's",
            unclean_shown(setting, setting.store(shape)),
            lambda: empty_app(setting),
            target,
            setting.runs,
        )
    store = setting.store(big_stores.C)
    names = big_stores.unclean(store)
    took = sorted(_first_key(setting, store, names) for _ in range(setting.runs))
    what = "a key pressed at the first paint of C, to its paint"
    yield Figure(what, median(took), _AT_ONCE_S, "s", (took[0], took[-1]))


def _first_key(setting: Setting, store: str, names: frozenset[str]) -> float:
    with screen(setting, store) as shown:
        shown.until(lambda: shown.shows_one_of(names))
        row = shown.cursor_row
        return shown.press_until("down", lambda: shown.cursor_row not in (0, row))
