"""Key to paint, with nothing else to do and while a whole store is being verified."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median, quantiles

from . import big_stores
from .measure import Figure, Setting
from .pseudo_terminal import Timed, screen

_KEYS_A_START = 60
_REST_S = 0.02
"""Between two keys: faster than anybody presses them."""


def while_verifying(setting: Setting) -> Iterator[Figure]:
    store = setting.store(big_stores.A)
    idle: list[float] = []
    busy: list[float] = []
    for _ in range(setting.runs):
        with screen(setting, store) as shown:
            busy += _while_it_verifies(shown)
            shown.rest()
            idle += [_move(shown) for _ in range(_KEYS_A_START)]
    late, usual = _p95(busy), _p95(idle)
    what = f"key to paint while A is verified, p95 of {len(busy)} keys"
    spread = (min(busy), max(busy))
    made_of = (
        f"{late * 1000:.1f} ms / {usual * 1000:.1f} ms; medians {median(busy) * 1000:.1f} / {median(idle) * 1000:.1f}"
    )
    yield Figure(f"{what}, against idle", late / usual, 2.0, "", detail=made_of)
    yield Figure(what, late * 1000, 50, "ms", (spread[0] * 1000, spread[1] * 1000))


def _p95(samples: list[float]) -> float:
    return quantiles(samples, n=20)[-1]


def _while_it_verifies(shown: Timed) -> Iterator[float]:
    shown.until(lambda: shown.shows("verifying"))
    while shown.shows("verifying"):
        yield _move(shown)


def _move(shown: Timed) -> float:
    """Move the cursor by a row, to and fro, so that nothing scrolls."""
    shown.read(_REST_S)
    row = shown.cursor_row
    return shown.press_until("down" if row % 2 == 0 else "up", lambda: shown.cursor_row not in (0, row))
