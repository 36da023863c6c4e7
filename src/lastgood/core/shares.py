"""Work divided over forked processes, as many as there are cores; for a program without threads alone.

Measured on 10,000 sessions: looking at them costs system calls more than anything else, and two processes take
little more than half the time of one. Who is free takes the next few things, so that nobody waits for the one to
whom the large ones fell.
"""

from __future__ import annotations

import marshal
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NoReturn, TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")
"""Made of plain values alone: :mod:`marshal` brings it from one process to another."""
_MOST_SHARES = 16_384
"""Their numbers, of four bytes each, have to fit into a pipe that nobody reads yet."""
_NUMBER = 4
_MOST_PROCESSES = 16
_PIPE_BYTES = 1 << 20


def by_shares(
    things: Sequence[_T],
    work: Callable[[Sequence[_T]], _R],
    *,
    shares_each: int,
    alone_below: int,
    again: Callable[[Sequence[_T]], _R] | None = None,
) -> list[_R]:
    """What `work` makes of each share of the things, in their order.

    Args:
        shares_each: how many there are for each process: few leave one waiting for another at the end, many cost time.
        alone_below: fewer things than this are done here before another process would have started.
        again: does what fell to a process that could not be started or died; None: `work`, so that its exception is
            raised here.
    """
    cores = _cores()
    if len(things) < alone_below or cores == 1:
        return [work(things)] if things else []
    size = max(1, len(things) // (cores * shares_each), -(-len(things) // _MOST_SHARES))
    shares = [things[at : at + size] for at in range(0, len(things), size)]
    numbers, giving = os.pipe()
    os.write(giving, b"".join(number.to_bytes(_NUMBER, "little") for number in range(len(shares))))
    os.close(giving)
    started = [_start(shares, work, numbers) for _ in range(cores - 1)]
    try:
        done = _take(shares, work, numbers)
        while started:
            done |= _result(*started.pop())
    finally:
        os.close(numbers)
        for pid, answer in started:
            _abandon(pid, answer)
    return [done[n] if n in done else (again or work)(share) for n, share in enumerate(shares)]


def _cores() -> int:
    if not hasattr(os, "fork"):
        return 1
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        cores = os.cpu_count() or 1
    return min(cores, _MOST_PROCESSES)


def _take(shares: Sequence[Sequence[_T]], work: Callable[[Sequence[_T]], _R], numbers: int) -> dict[int, _R]:
    """Do one share after the other whose number nobody has taken yet."""
    done: dict[int, _R] = {}
    while taken := os.read(numbers, _NUMBER):
        number = int.from_bytes(taken, "little")
        done[number] = work(shares[number])
    return done


def _start(shares: Sequence[Sequence[_T]], work: Callable[[Sequence[_T]], _R], numbers: int) -> tuple[int, int]:
    """A process that takes its part, and the end of the pipe that its result comes from; 0 where there is none."""
    answer, giving = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        pid = 0
        os.close(answer)
        answer = -1
    else:
        if pid == 0:
            os.close(answer)
            _do(shares, work, numbers, giving)
    os.close(giving)
    return pid, answer


def _do(shares: Sequence[Sequence[_T]], work: Callable[[Sequence[_T]], _R], numbers: int, giving: int) -> NoReturn:
    code = 1
    try:
        result = marshal.dumps(_take(shares, work, numbers))
        import fcntl

        with suppress(AttributeError, OSError):  # not on every system, or not allowed: it is read in smaller pieces
            fcntl.fcntl(giving, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        with open(giving, "wb") as pipe:
            pipe.write(result)
        code = 0
    finally:
        # Without the exit of the interpreter: what the parent has buffered or opened is the parent's to end.
        os._exit(code)


def _result(pid: int, answer: int) -> dict[int, Any]:
    if pid == 0:
        return {}
    with open(answer, "rb", buffering=0) as pipe:
        result = pipe.read()
    _, status = os.waitpid(pid, 0)
    return marshal.loads(result) if status == 0 else {}


def _abandon(pid: int, answer: int) -> None:
    if pid == 0:
        return
    import signal

    os.close(answer)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
