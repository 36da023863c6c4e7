"""One action at a time on a store: the lock, who holds it, and signals kept waiting meanwhile."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from . import durable, files, origin, times
from .errors import Refused

WAIT_SECONDS = 3.0
"""An action takes some milliseconds: a second one waits this long before it says who is in its way."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def held(folder: int, path: str) -> Iterator[None]:
    """Hold the lock of the journal's folder, given by descriptor and, for messages, by path.

    Raises:
        Refused: another process holds it; says which, and since when.
        OSError: the lock cannot be made.
    """
    import filelock

    # Made here, through the descriptor; the library then finds it and makes nothing of its own.
    fd = os.open("lock", _NEW, 0o600, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "the lock is no regular file")
        durable.adopt(fd, folder)
    finally:
        os.close(fd)
    by_descriptor = f"/proc/self/fd/{folder}/lock"
    lock = filelock.FileLock(by_descriptor if os.path.exists(by_descriptor) else os.path.join(path, "lock"), mode=0o600)
    try:
        lock.acquire(timeout=WAIT_SECONDS, poll_interval=0.02)
    except filelock.Timeout:
        raise Refused(f"another lastgood is at work on this store: {_holder(path)}; nothing changed") from None
    try:
        _say_who(folder)
        yield
    finally:
        with suppress(OSError):
            os.unlink("holder.json", dir_fd=folder)
        lock.release()


def _say_who(folder: int) -> None:
    me = origin.here()
    said = {
        "pid": me.pid,
        "user": me.user,
        "host": me.host,
        "from": me.ssh_from,
        "since": times.rfc3339(times.now_ns()),
    }
    # It only serves the other side's message: no room for it is no reason to stop.
    with suppress(OSError):
        fd = os.open("holder.json", _NEW | os.O_TRUNC, 0o600, dir_fd=folder)
        try:
            os.write(fd, json.dumps(said).encode())
        finally:
            os.close(fd)


def _holder(path: str) -> str:
    try:
        said = json.loads(files.read_regular(os.path.join(path, "holder.json"), limit=4096))
        where = f"{said['user']} on {said['host']}" + (f" from {said['from']}" if said["from"] else "")
        return f"{where}, process {said['pid']}, since {said['since']}"
    except (files.Unreadable, files.TooLarge, ValueError, TypeError, KeyError):
        return "it does not say who"


@contextmanager
def signals_deferred() -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP wait until the end of the block; then they do what they would have done.

    Only the main thread is ever interrupted by a signal; in any other thread this does nothing.
    """
    import signal
    import threading

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # One that is ignored (nohup), or that something other than Python handles (None), stays as it is.
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, lambda number, _: came.append(number))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for missed in came:
            signal.raise_signal(missed)
