"""A checkpoint of 200 MB: from the key that asks for its text to the first screen of it."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from statistics import median

import orjson
from tests.stores import NS, file_name, meta_bytes, put

from . import big_stores
from .measure import Figure, Setting
from .pseudo_terminal import screen

_BYTES = 200_000_000
_NAME = "beef0123"


def opening(setting: Setting) -> Iterator[Figure]:
    for what, one_line in (("as the runtime writes it", False), ("on a single line", True)):
        store = _store(setting, one_line)
        took = sorted(_open(setting, store) for _ in range(setting.runs))
        yield Figure(
            f"first screen of a checkpoint of {_BYTES / 1e6:.0f} MB {what}, after the key",
            median(took),
            1.0,
            "s",
            (took[0], took[-1]),
        )


def _open(setting: Setting, store: str) -> float:
    """The session is opened and the cursor put on its newest file before the clock starts."""
    with screen(setting, store) as shown:
        shown.until(lambda: shown.shows(_NAME))
        shown.press_until("enter", lambda: shown.shows(" 198 MB"))
        row = shown.cursor_row
        shown.press_until("down", lambda: shown.cursor_row == row + 1)
        return shown.press_until("2", lambda: shown.shows('"checkpoint_id"'))


def _store(setting: Setting, one_line: bool) -> str:
    folder = os.path.join(setting.root, f"lastgood-store-{_BYTES}{'-one-line' if one_line else ''}")
    if os.path.isdir(folder):
        return folder
    partial, dice = f"{folder}.partial", random.Random(1)
    os.makedirs(f"{partial}/{_NAME}/checkpoints", exist_ok=True)
    for n, size in enumerate((4_000, 4_000, _BYTES)):
        at = time.time_ns() - (7200 - n * 60) * NS
        content = big_stores.checkpoint(_NAME, f"{n:08x}", n, at, size, dice)
        data = big_stores.sealed(content)
        if one_line:
            data = orjson.dumps(orjson.loads(data))
        put(f"{partial}/{_NAME}/checkpoints/{file_name(content, at)}", data, at=at)
    put(f"{partial}/{_NAME}/session_meta.json", meta_bytes(_NAME, iteration=2, at=at), at=at)
    os.rename(partial, folder)
    return folder
