"""What changes in the store while the screen is open."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterable

from ..core.store import JOURNAL_FOLDER

_EVERY_S = 2.0


def poll(
    store_path: str,
    watched: Collection[str],
    known: Collection[str],
    look_again: Callable[[Iterable[str]], object],
    ended: threading.Event,
) -> None:
    """Compare each entry's stamps with those of the last look, until `ended`.

    Args:
        watched: what lies in an entry and is modified whenever its sessions change, as paths; "": the entry itself.
        known: the names of the sessions that are shown, as they are at any moment; empty: not yet listed.
        look_again: is given the names of the entries that changed, came or went.
    """
    since = time.time_ns()
    last: dict[str, tuple[int, ...]] = {}
    pause = _EVERY_S
    while not ended.wait(pause):
        began = time.monotonic()
        shown = {name.partition("/")[0] for name in tuple(known)}  # an entry can hold several sessions
        try:
            there = [entry.name for entry in os.scandir(store_path) if entry.name != JOURNAL_FOLDER]
        except OSError:
            continue
        if shown:
            now = {name: tuple(_mtime(f"{store_path}/{name}/{path}") for path in watched) for name in there}
            gone = (shown | last.keys()) - now.keys()
            changed = {name for name in now.keys() & last.keys() if now[name] != last[name]}
            new = {name for name in now.keys() - last.keys() if name not in shown or max(now[name]) >= since}
            look_again(sorted(gone | changed | new))
            last = now
        # At most a twentieth of one core, however many sessions there are.
        pause = max(_EVERY_S, 20 * (time.monotonic() - began))


def _mtime(path: str) -> int:
    try:
        return os.lstat(path.rstrip("/")).st_mtime_ns  # a slash behind a file's name leads nowhere
    except OSError:
        return 0
