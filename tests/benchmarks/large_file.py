"""A checkpoint of 200 MB: from the key that asks for its text to the first screen of it."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from statistics import median

import orjson
from tests.stores import NS, file_name, meta_bytes, put

from . import big_stores
from .measure import Figure, Setting
from .pseudo_terminal import screen

_BYTES = 200_000_000
_NAME = "beef0123"


def opening(setting: Setting) -> Iterator[Figure]:
    for what, make in (
        ("as the runtime writes it", _as_written),
        ("on a single line", _on_one_line),
        ("with a single string", _one_string),
    ):
        store, megabytes = _store(setting, make)
        took = sorted(_open(setting, store, megabytes) for _ in range(setting.runs))
        yield Figure(
            f"first screen of a checkpoint of {megabytes} MB {what}, after the key",
            median(took),
            1.0,
            "s",
            (took[0], took[-1]),
        )


def _open(setting: Setting, store: str, megabytes: int) -> float:
    """The session is opened and the cursor put on its newest file before the clock starts."""
    with screen(setting, store) as shown:
        shown.until(lambda: shown.shows(_NAME))
        shown.press_until("enter", lambda: shown.shows(f" {megabytes} MB"))
        row = shown.cursor_row
        shown.press_until("down", lambda: shown.cursor_row == row + 1)
        return shown.press_until("2", lambda: shown.shows('"checkpoint_id"'))


def _as_written(content: dict[str, object]) -> bytes:
    return big_stores.sealed(content)


def _on_one_line(content: dict[str, object]) -> bytes:
    return orjson.dumps(orjson.loads(big_stores.sealed(content)))


def _one_string(content: dict[str, object]) -> bytes:
    messages = content["messages"]
    assert isinstance(messages, list)
    text = " ".join(str(message["content"]) for message in messages)
    return big_stores.sealed({**content, "messages": [{"content": text, "role": "tool"}]})


def _store(setting: Setting, make: Callable[[dict[str, object]], bytes]) -> tuple[str, int]:
    """The store, and the size of its large file in megabytes."""
    folder = os.path.join(setting.root, f"lastgood-store-{_BYTES}{make.__name__}")
    if not os.path.isdir(folder):
        partial, dice = f"{folder}.partial", random.Random(1)
        os.makedirs(f"{partial}/{_NAME}/checkpoints", exist_ok=True)
        for n, size in enumerate((4_000, 4_000, _BYTES)):
            at = time.time_ns() - (7200 - n * 60) * NS
            content = big_stores.checkpoint(_NAME, f"{n:08x}", n, at, size, dice)
            put(f"{partial}/{_NAME}/checkpoints/{file_name(content, at)}", make(content), at=at)
        put(f"{partial}/{_NAME}/session_meta.json", meta_bytes(_NAME, iteration=2, at=at), at=at)
        os.rename(partial, folder)
    largest = max(entry.stat().st_size for entry in os.scandir(f"{folder}/{_NAME}/checkpoints"))
    return folder, round(largest / 1e6)
