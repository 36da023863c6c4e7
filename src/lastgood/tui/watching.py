"""What changes in the store while the screen is open."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterable

_EVERY_S = 2.0


def poll(
    store_path: str,
    watched: Collection[str],
    known: Collection[str],
    look_again: Callable[[Iterable[str]], object],
    ended: threading.Event,
) -> None:
    """Compare each session's stamps with those of the last look, until `ended`.

    Args:
        watched: what lies in an entry and is modified whenever its sessions change, as paths; "": the entry itself.
        known: the names of the sessions that are shown, as they are at any moment; empty: not yet listed.
        look_again: is given the names of those that changed, came or went.
    """
    last: dict[str, tuple[int, ...]] = {}
    pause = _EVERY_S
    while not ended.wait(pause):
        began = time.monotonic()
        try:
            there = {entry.name for entry in os.scandir(store_path) if not entry.name.startswith(".")}
        except OSError:
            continue
        shown = {name.partition("/")[0] for name in known}  # a folder can hold several sessions
        now = {name: _stamps(f"{store_path}/{name}", watched) for name in there & shown}
        changed = [name for name, stamps in now.items() if last.get(name, stamps) != stamps]
        new = [name for name in there - shown if os.path.isdir(f"{store_path}/{name}")]
        last = now
        if shown:
            gone = shown - there
            again = {*changed, *gone}
            look_again([*new, *(name for name in known if name.partition("/")[0] in again)])
        # At most a twentieth of one core, however many sessions there are.
        pause = max(_EVERY_S, 20 * (time.monotonic() - began))


def _stamps(entry: str, watched: Collection[str]) -> tuple[int, ...]:
    return tuple(_mtime(f"{entry}/{path}") for path in watched)


def _mtime(path: str) -> int:
    try:
        return os.lstat(path).st_mtime_ns
    except OSError:
        return 0
