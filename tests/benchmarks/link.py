"""Bytes to the terminal: for a row, for a page, for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from . import big_stores
from .measure import Figure, Setting
from .pseudo_terminal import screen

_ROWS = 60
_PAGES = 10
_QUIET_S = 0.4
"""The preview follows the cursor when it rests: what comes until then belongs to the key."""
_IDLE_S = 5.0


def bytes_sent(setting: Setting) -> Iterator[Figure]:
    with screen(setting, setting.store(big_stores.B)) as shown:
        shown.settle()
        yield Figure(f"bytes in {_IDLE_S:.0f} s of nothing", len(shown.read(_IDLE_S)), 0, "B")
        for what, key, times, target in (("a cursor row", "down", _ROWS, 1024), ("a page", "pgdn", _PAGES, 8192)):
            sent = []
            for _ in range(times):
                shown.press(key)
                sent.append(len(shown.read(_QUIET_S)))
            detail = f"the most of {times}, median {median(sent):,.0f}"
            yield Figure(f"bytes for {what} at 80×24", max(sent), target, "B", (min(sent), max(sent)), detail)
