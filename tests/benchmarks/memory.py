"""Resident memory: of the screen's process and by session, and of a worker by file."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterator

from tests.stores import file_name, meta_bytes, put

from . import big_stores
from .measure import LASTGOOD, Figure, Setting
from .pseudo_terminal import screen

_FILE_BYTES = 20_000_000
_FILES = 8


def of_the_screen(setting: Setting) -> Iterator[Figure]:
    ten, peak = settled(setting, setting.store(big_stores.B))
    yield Figure("memory of the screen on B when all is verified", ten / 1e6, 90, "MB", detail=f"peak {peak / 1e6:.0f}")
    twenty, _ = settled(setting, setting.store(big_stores.B, times=2))
    yield Figure("memory a session, B to twice B", (twenty - ten) / big_stores.B.sessions, 1024, "B")
    hundred, _ = settled(setting, setting.store(big_stores.C))
    more = big_stores.C.sessions - big_stores.B.sessions
    yield Figure("memory a session, B to C", (hundred - ten) / more, 1024, "B", detail=f"C: {hundred / 1e6:.0f} MB")


def settled(setting: Setting, store: str) -> tuple[int, int]:
    """Bytes resident in the screen's own process when all is verified, and the most until then."""
    with screen(setting, store) as shown:
        shown.settle()
        return _status(shown.pid, "VmRSS"), _status(shown.pid, "VmHWM")


def of_the_workers(setting: Setting) -> Iterator[Figure]:
    """One session with one large file against one with several: whatever is kept of a file shows as a difference."""
    one, several = (_peak(setting, _large(setting, files)) for files in (1, _FILES))
    yield Figure(
        f"peak of any process verifying {_FILES} files of {_FILE_BYTES / 1e6:.0f} MB against one such file",
        several / one,
        1.25,
        detail=f"{several / 1e6:.0f} MB / {one / 1e6:.0f} MB",
    )


def _large(setting: Setting, files: int) -> str:
    folder = os.path.join(setting.root, f"lastgood-store-large-{files}x{_FILE_BYTES}")
    if os.path.isdir(folder):
        return folder
    partial, name, dice = f"{folder}.partial", "abcd0123", random.Random(files)
    os.makedirs(f"{partial}/{name}/checkpoints", exist_ok=True)
    now = time.time_ns()
    for n in range(files):
        content = big_stores.checkpoint(name, f"{n:08x}", n, now, _FILE_BYTES, dice)
        put(f"{partial}/{name}/checkpoints/{file_name(content, now)}", big_stores.sealed(content))
    put(f"{partial}/{name}/session_meta.json", meta_bytes(name))
    os.rename(partial, folder)
    return folder


def _peak(setting: Setting, store: str) -> int:
    """The most bytes resident in any one process of a verification."""
    command = [*LASTGOOD, "verify", "--no-cache", "-s", store]
    most = 0
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **setting.folders}
    ) as running:
        while running.poll() is None:
            for pid in (running.pid, *_descendants(running.pid)):
                most = max(most, _status(pid, "VmHWM"))
            time.sleep(0.005)
    return most


def _descendants(pid: int) -> Iterator[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = [int(child) for child in file.read().split()]
    except OSError:
        return
    for child in children:
        yield child
        yield from _descendants(child)


def _status(pid: int, field: str) -> int:
    """A field of the process's status in bytes; 0 once it has gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith(f"{field}:")), 0)
    except OSError:
        return 0
