"""A process that reads the store on another core while this one imports Textual: the first paint then has it at once.

It is forked while this process has one thread, sends what it found down a pipe, the unclean sessions as they are met
and the others after them, and ends. After the first slice it waits until more is asked for: two cores are often one
that has two threads, and the import is what the first paint waits for. Where the process cannot be had, or dies, the
store is read by whoever asks.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import select
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from ..core.assess import Assessed, actions_on, assess
from ..core.evidence import Host
from ..core.model import Survey, Verdict
from ..core.store import Store
from ..core.verdict import Thresholds
from .triage import UNLISTED

_SLICE = 64
_PIPE_BYTES = 1 << 20
"""Some thousand sessions fit while nobody reads yet."""


class Forerun:
    """What the process sends, to be read once."""

    def __init__(self, descriptor: int, pid: int, go_on: int) -> None:
        self._pipe = os.fdopen(descriptor, "rb")
        self._pid = pid
        self._go_on = go_on
        self._ahead: list[list[Assessed]] = []

    @classmethod
    def start(cls, store: Store, thresholds: Thresholds) -> Forerun | None:
        """Begin reading; None where no process can be had. To be called before there is a second thread."""
        ours, theirs = os.pipe()
        waiting, go_on = os.pipe()
        with suppress(AttributeError, OSError):  # not on every system, or not allowed: it waits sooner for its reader
            fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        try:
            pid = os.fork()
        except OSError:
            for descriptor in (ours, theirs, waiting, go_on):
                os.close(descriptor)
            return None
        if pid == 0:
            os.close(ours)
            os.close(go_on)
            _read_and_leave(store, thresholds, theirs, waiting)
        os.close(theirs)
        os.close(waiting)
        return cls(ours, pid, go_on)

    def first(self) -> Sequence[Assessed]:
        """The first slice, if it is there by now; :meth:`sessions` gives it again."""
        if not self._ahead and select.select([self._pipe], [], [], 0)[0]:
            with suppress(EOFError, OSError, pickle.UnpicklingError):
                self._ahead.append(_OurOwn(self._pipe).load())
        return self._ahead[0] if self._ahead else ()

    def sessions(self) -> Iterator[list[Assessed]]:
        """What it found, in slices; after the last comes an empty one, unless it died before."""
        if self._go_on >= 0:
            os.close(self._go_on)
            self._go_on = -1
        yield from self._ahead
        try:
            with self._pipe as pipe:
                while True:
                    yield _OurOwn(pipe).load()
        except (EOFError, OSError, pickle.UnpicklingError):
            return
        finally:
            with suppress(ChildProcessError):
                os.waitpid(self._pid, 0)


class _OurOwn(pickle.Unpickler):
    """Reads what our own process wrote, to a pipe that no other has, and still makes nothing but our own records."""

    def find_class(self, module: str, name: str) -> Any:
        if not module.startswith("lastgood.core.") and (module, name) != ("builtins", "str"):
            raise pickle.UnpicklingError(f"{module}.{name} is no record of ours")
        return super().find_class(module, name)


def _read_and_leave(store: Store, thresholds: Thresholds, descriptor: int, waiting: int) -> None:
    """The process's whole life. Whatever happens to it, nothing of the program that it was forked from runs here."""
    try:
        with os.fdopen(descriptor, "wb") as pipe:
            for number, some in enumerate(_worst_first(store, thresholds)):
                pickle.dump(some, pipe, pickle.HIGHEST_PROTOCOL)
                pipe.flush()
                if number == 0:
                    os.read(waiting, 1)
    finally:
        os._exit(0)


def _worst_first(store: Store, thresholds: Thresholds) -> Iterator[list[Assessed]]:
    host, actions, unlisted = Host.look(store.path), actions_on(store), Survey(UNLISTED)
    unclean: list[Assessed] = []
    ended: list[Assessed] = []
    for session in store.sessions():
        seen = assess(store, session, host=host, thresholds=thresholds, actions=actions, survey=unlisted)
        if seen.verdict is Verdict.ENDED:
            ended.append(seen)
        else:
            unclean.append(seen)
        if len(unclean) == _SLICE:
            yield unclean
            unclean = []
    if unclean:
        yield unclean
    yield from (ended[at : at + _SLICE] for at in range(0, len(ended), _SLICE))
    yield []
