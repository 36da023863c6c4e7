"""Breaks a child at a chosen call that changes the file system: kills it, fails the call, or sends it a signal.

Every such call of lastgood goes through a function of `os`, save `durable.exchange`; `test_kill_points` checks by
strace that none escapes. A child is a fork of the test's process: a new process, without the time that a start takes.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from lastgood.core import durable
from lastgood.core.errors import LastgoodError

CALLS = (
    *("open", "write", "pwrite", "truncate", "ftruncate", "fsync", "fdatasync"),
    *("link", "symlink", "rename", "replace", "unlink", "remove", "mkdir", "rmdir"),
    *("chmod", "fchmod", "chown", "fchown", "lchown", "utime", "setxattr", "removexattr"),
)
ALLOCATING = frozenset({"open", "write", "pwrite", "link", "symlink", "mkdir"})
"""What a full disk refuses."""
NOT_REACHED = 77
"""The exit code of a child that would have been broken at a later call than it ever made."""

Break = Callable[[int, str, Callable[[], Any], tuple[Any, ...]], Any]
"""Called for each call with its number, its name, the call itself, and its arguments."""


def install(act: Break) -> None:
    """Have every call that changes the file system go through `act`, in this process and for good."""
    number = -1

    def through(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal number
            if name == "open" and not args[1] & (os.O_CREAT | os.O_TRUNC):
                return real(*args, **kwargs)
            number += 1
            return act(number, name, lambda: real(*args, **kwargs), args)

        return call

    for name in CALLS:
        setattr(os, name, through(name, getattr(os, name)))
    durable.exchange = through("exchange", durable.exchange)


def in_child(work: Callable[[], object], act: Break | None = None) -> int:
    """Run `work` in a child; its exit code: 0, a LastgoodError's own, 99 for any other exception, or minus a signal."""
    pid = os.fork()
    if pid == 0:
        code = 99
        leave = os._exit
        for number in (signal.SIGTERM, signal.SIGHUP):  # `nohup` leaves one ignored in all its children
            signal.signal(number, signal.SIG_DFL)
        try:
            if act is not None:
                install(act)
            work()
            code = 0
        except LastgoodError as error:
            code = error.exit_code
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            leave(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def kill_before(at: int) -> Break:
    def act(number: int, name: str, call: Callable[[], Any], args: tuple[Any, ...]) -> Any:
        if number == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return call()

    return act


def kill_after(at: int) -> Break:
    def act(number: int, name: str, call: Callable[[], Any], args: tuple[Any, ...]) -> Any:
        try:
            return call()
        finally:  # also where the call fails, as making a folder that is there
            if number == at:
                os.kill(os.getpid(), signal.SIGKILL)

    return act


def kill_within(at: int) -> Break:
    """Dies in the middle of a write: half of its bytes are there. Other calls are whole or not at all."""
    write = os.write

    def act(number: int, name: str, call: Callable[[], Any], args: tuple[Any, ...]) -> Any:
        if number == at:
            if name == "write":
                write(args[0], bytes(args[1])[: len(args[1]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return call()

    return act


def fail(at: int, code: int) -> Break:
    """The call with this number fails; a write fails after half of its bytes."""
    write = os.write

    def act(number: int, name: str, call: Callable[[], Any], args: tuple[Any, ...]) -> Any:
        if number != at:
            return call()
        if name == "write":
            write(args[0], bytes(args[1])[: len(args[1]) // 2])
        raise OSError(code, os.strerror(code))

    return act


def fail_from(at: int, code: int, names: frozenset[str]) -> Break:
    """From this call on every one of these names fails, and goes on failing."""

    def act(number: int, name: str, call: Callable[[], Any], args: tuple[Any, ...]) -> Any:
        if number >= at and name in names:
            raise OSError(code, os.strerror(code))
        return call()

    return act


def send(at: int, number_of_signal: int) -> Break:
    """A real signal arrives just before this call."""

    def act(number: int, name: str, call: Callable[[], Any], args: tuple[Any, ...]) -> Any:
        if number == at:
            os.kill(os.getpid(), number_of_signal)
        return call()

    return act


def calls_of(work: Callable[[], object]) -> list[str]:
    """The names of all the calls that `work` makes, in their order."""
    read, write = os.pipe()
    real_write = os.write

    def act(number: int, name: str, call: Callable[[], Any], args: tuple[Any, ...]) -> Any:
        real_write(write, f"{name}\n".encode())
        return call()

    code = in_child(work, act)
    os.close(write)
    with os.fdopen(read) as pipe:
        names = pipe.read().split()
    assert code == 0, f"the unbroken run ended with {code}"
    return names
