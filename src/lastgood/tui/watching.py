"""What changes in the store while the screen is open: told by the kernel, and found by looking where it tells nothing.

The kernel wants one watch for each folder, and a user has a limited number of them for all programs together. Measured
with watchfiles 1.3: 10,000 sessions are 20,001 watches and 5 MB; 100,000 sessions use up all 192,536 of a host, hold
the interpreter for 2.3 s and still leave sessions out. So the sessions that may still be written come first, up to a
limit, and the stamps of all are compared now and then all the same: that also finds what happened on a file system
where the kernel is blind.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from ..core.evidence import remote
from ..core.model import Verdict
from ..core.store import JOURNAL_FOLDER

_MOST_FOLDERS = 2_048
"""To add so many takes 20 ms, and a quarter of the 8,192 watches that an old kernel allows a user."""
_EVERY_S = 2.0
_EVERYTHING_WATCHED_S = 10.0
"""Between two looks at all stamps: where some entries are not watched, and where all are."""
_TURN_MS = 500
_GATHER_MS = 250
_STEP_MS = 25
"""A turn without news; how long news is gathered at most; how soon the end is noticed."""


def watch(
    store_path: str,
    watched: Collection[str],
    known: Mapping[str, Verdict],
    look_again: Callable[[Iterable[str]], object],
    say: Callable[[str], object],
    ended: threading.Event,
) -> None:
    """Tell of each entry of the store that changed, came or went, until `ended`.

    Args:
        watched: what lies in an entry and is modified whenever its sessions change, as paths; "": the entry itself.
        known: the sessions that are shown and their verdicts, as they are at any moment.
        look_again: is given the names of the entries.
        say: is given a sentence for the user, once, where the kernel will not watch.
    """
    store_path = os.path.abspath(store_path)
    stamps = _Stamps(store_path, watched)
    by_kernel = remote(store_path) is None
    came: set[str] = set()
    """Entries that nobody knows yet: they are being read."""
    if ended.wait(_EVERY_S / 2):  # the first paint and the first listing need this process more
        return
    while not ended.is_set():
        folders, all_watched = _to_watch(store_path, watched, known, came) if by_kernel else (set(), False)
        due = 0.0
        try:
            for told in _told(folders, ended):
                changed = {os.path.relpath(path, store_path).partition(os.sep)[0] for path in told}
                changed -= {JOURNAL_FOLDER, os.curdir, os.pardir}
                if time.monotonic() >= due:
                    began = time.monotonic()
                    changed |= stamps.changed(known, ended)
                    # At most a twentieth of one core, however many sessions there are.
                    often = _EVERYTHING_WATCHED_S if all_watched else _EVERY_S
                    due = time.monotonic() + max(often, 20 * (time.monotonic() - began))
                    renew = by_kernel and not _to_watch(store_path, watched, known, came)[0] <= folders
                else:
                    came = changed - stamps.last.keys()
                    renew = bool(came) or not folders.isdisjoint(told)
                if changed:
                    look_again(sorted(changed))
                if renew:
                    break
        except FileNotFoundError:
            ended.wait(_EVERY_S)  # a folder went while it was to be watched, or the store is gone for now
        except Exception as error:  # whatever the watcher has, the screen does without it
            by_kernel = False
            say(f"live: the system gives no watches ({_in_short(error)}); looking every {_EVERY_S:.0f} s instead")


def _to_watch(
    store_path: str, watched: Collection[str], known: Mapping[str, Verdict], came: Collection[str]
) -> tuple[set[str], bool]:
    """The store's folder and those of its entries, what may still be written first; and whether that is all of them."""
    sessions = list(known.items())
    first = [*came, *(name for name, verdict in sessions if verdict is not Verdict.ENDED)]
    folders, complete = {store_path}, True
    for entry in dict.fromkeys(name.partition("/")[0] for name in (*first, *(name for name, _ in sessions))):
        if len(folders) + 1 + len(watched) > _MOST_FOLDERS:
            return folders, False
        if any("\ud800" <= char <= "\udfff" for char in entry):
            complete = False  # watchfiles takes no name that is not UTF-8
            continue
        for path in (f"{store_path}/{entry}", *(f"{store_path}/{entry}/{path}" for path in watched if path)):
            if os.path.isdir(path) and os.access(path, os.R_OK):
                folders.add(path)
    return folders, complete


def _told(folders: Collection[str], ended: threading.Event) -> Iterator[set[str]]:
    """The paths that change in these folders, gathered for a moment; an empty set at every turn without any.

    Raises:
        Exception: one of watchfiles' several: there are no more watches, a folder has gone.
    """
    yield set()
    if not folders:
        while not ended.wait(_EVERY_S):
            yield set()
        return
    from watchfiles import watch as changes

    # Errors of permission must be raised: with them watchfiles 1.3 passes over that there are no more watches.
    for some in changes(
        *folders,
        watch_filter=None,
        debounce=_GATHER_MS,
        step=_STEP_MS,
        stop_event=ended,
        rust_timeout=_TURN_MS,
        yield_on_timeout=True,
        raise_interrupt=False,
        recursive=False,
        ignore_permission_denied=False,
    ):
        yield {path for _, path in some}


class _Stamps:
    """When each entry of the store was last modified, as of the last look."""

    def __init__(self, store_path: str, watched: Collection[str]) -> None:
        self._store_path = store_path
        self._watched = watched
        self._since = time.time_ns()
        self._looks = 0
        self.last: dict[str, int] = {}
        """For each entry a hash of its times: they themselves would be most of what a large store takes in memory."""

    def changed(self, known: Mapping[str, Verdict], ended: threading.Event) -> set[str]:
        """The entries that changed, came or went since the last look; the first time, since there is this object."""
        there: set[str] = set()
        other: set[str] = set()
        new: set[str] = set()
        try:
            with os.scandir(self._store_path) as entries:
                for entry in entries:
                    if ended.is_set():
                        return set()
                    name = entry.name
                    if name == JOURNAL_FOLDER:
                        continue
                    there.add(name)
                    times = [_mtime(f"{self._store_path}/{name}/{path}") for path in self._watched]
                    last, self.last[name] = self.last.get(name), hash(tuple(times))
                    if last is None and max(times) < self._since:
                        new.add(name)
                    elif last != self.last[name]:
                        other.add(name)
        except OSError:
            return other
        gone = self.last.keys() - there
        for name in gone:
            del self.last[name]
        # An entry can hold several sessions.
        gone |= {of for name in tuple(known) if (of := name.partition("/")[0]) not in there}
        if new and (known or self._looks):  # else everything would be new
            new.difference_update(name.partition("/")[0] for name in tuple(known))
        else:
            new.clear()
        self._looks += 1
        return gone | other | new


def _mtime(path: str) -> int:
    try:
        return os.lstat(path.rstrip("/")).st_mtime_ns  # a slash behind a file's name leads nowhere
    except OSError:
        return 0


def _in_short(error: Exception) -> str:
    return str(error).partition(" about [")[0].partition(" (os error")[0].rstrip(". ") or type(error).__name__
