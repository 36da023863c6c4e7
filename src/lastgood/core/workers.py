"""Verifying many files in worker processes: orjson holds the interpreter's lock, so threads would gain nothing.

A worker is this interpreter started afresh (never forked: a screen has threads) that reads a batch of files from its
standard input, verifies it, and writes what it found to its standard output. It has one batch at a time, so neither
side can wait for the other while it is being written to. A worker that dies takes no one along: its files are given
out again one by one, and a file that kills its worker is `unreadable`.
"""

from __future__ import annotations

import marshal
import os
import select
import signal
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any, BinaryIO

from .cache import Cache, Remembered
from .composed import ComposedStore
from .model import Checkpoint, FileKind, Header, Integrity, StoredFile
from .store import Store

_BATCH_FILES = 64
_BATCH_BYTES = 2 << 20
_WORTH_IT = 24 << 20
"""Bytes to verify from which on starting processes pays: one costs some 50 ms, a megabyte takes 6."""
_MOST_PROCESSES = 8
_LENGTH = 8
"""Bytes of the number before each message."""

_Batch = list[StoredFile]


def verify_files(
    store: Store, files: Iterable[StoredFile], *, processes: int | None = None, cache: Cache | None = None
) -> Iterator[Checkpoint]:
    """Verify `files`; what is found first comes first. Closing the iterator ends the workers at once.

    Args:
        files: taken as they are needed: what is not yet begun need not be held.
        processes: 0: this one alone. None: this one for little work, else one worker per core.
        cache: where results are remembered; None: every file is read.
    """
    remembered = cache.open(store.path) if cache is not None else None
    read_at = remembered.started() if remembered is not None else 0
    pool = _Pool(store, 0 if not sys.executable else _cores() if processes is None else processes)
    waiting: list[_Batch] = []
    """Until it is known that there is enough to do for processes."""
    enough = _WORTH_IT if processes is None else 0

    def known_or_fresh() -> Iterator[Checkpoint | _Batch]:
        batch: _Batch = []
        size = 0
        for file in files:
            point = remembered.get(file) if remembered is not None else None
            if point is not None:
                yield point
                continue
            batch.append(file)
            size += file.size
            if len(batch) == _BATCH_FILES or size >= _BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def found() -> Iterator[Checkpoint]:
        nonlocal enough
        for some in known_or_fresh():
            if isinstance(some, Checkpoint):
                yield some
                continue
            waiting.append(some)
            enough -= sum(file.size for file in some)
            while enough <= 0 and waiting:
                yield from _noted(pool.give(waiting.pop(0)), remembered, read_at)
        for batch in waiting:
            yield from _noted(map(store.verify, batch), remembered, read_at)
        yield from _noted(pool.finish(), remembered, read_at)

    try:
        yield from found()
    finally:
        pool.close()
        if remembered is not None:
            remembered.save()


def _noted(points: Iterable[Checkpoint], remembered: Remembered | None, read_at: int) -> Iterator[Checkpoint]:
    """The points, each remembered."""
    for point in points:
        if remembered is not None:
            remembered.put(point, read_at)
        yield point


def _cores() -> int:
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        cores = os.cpu_count() or 1
    return min(cores, _MOST_PROCESSES)


class _Pool:
    """The workers, and what each is at. Without any, a batch is verified here."""

    def __init__(self, store: Store, wanted: int) -> None:
        self._store = store
        self._wanted = wanted
        self._busy: dict[int, tuple[_Worker, _Batch]] = {}
        """By the descriptor that the answer will come from."""
        self._idle: list[_Worker] = []
        self._again: deque[_Batch] = deque()

    def give(self, batch: _Batch) -> Iterator[Checkpoint]:
        """Have the batch verified; gives what was found meanwhile in others."""
        found: list[Checkpoint] = []
        while len(self._busy) >= self._wanted > 0:
            found += self._answers()
        yield from self._start(batch)  # before anyone looks at what was found
        yield from found
        while self._again:
            yield from self.give(self._again.popleft())

    def finish(self) -> Iterator[Checkpoint]:
        """What is still to be found."""
        while self._busy or self._again:
            if self._again:
                yield from self.give(self._again.popleft())
            else:
                yield from self._answers()

    def close(self) -> None:
        """End the workers at once."""
        for worker in (*self._idle, *(worker for worker, _ in self._busy.values())):
            worker.kill()
        self._busy, self._idle = {}, []

    def _start(self, batch: _Batch) -> Iterator[Checkpoint]:
        """Give the batch to a worker that is free or new; where none can be had, verify it here."""
        try:
            if self._wanted == 0:
                raise BlockingIOError
            worker = self._idle.pop() if self._idle else _Worker.start(self._store)
        except OSError:
            yield from map(self._store.verify, batch)
        else:
            self._busy[worker.answers.fileno()] = (worker, batch)
            worker.ask(batch)

    def _answers(self) -> Iterator[Checkpoint]:
        """Wait for some worker, and take what there is."""
        for descriptor in _readable(self._busy):
            worker, batch = self._busy[descriptor]
            found = worker.answer()
            del self._busy[descriptor]
            if found is None:
                yield from self._bury(worker, batch)
                continue
            self._idle.append(worker)
            for file, result in zip(batch, found, strict=True):
                yield _point(file, result)

    def _bury(self, worker: _Worker, batch: _Batch) -> Iterator[Checkpoint]:
        """A worker died over this batch."""
        how = worker.kill()
        if not worker.ready:  # workers cannot be had here
            yield from map(self._store.verify, batch)
        elif len(batch) > 1:
            self._again.extend([file] for file in batch)
        else:
            words = f"the process that read it died ({how})"
            yield Checkpoint(batch[0], Integrity.UNREADABLE, words, False, words)


def _readable(descriptors: Iterable[int]) -> list[int]:
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return [descriptor for descriptor, _ in poll.poll()]


class _Worker:
    """One process and the pipes to it."""

    def __init__(self, pid: int, questions: BinaryIO, answers: BinaryIO) -> None:
        self.pid = pid
        self.questions = questions
        self.answers = answers
        self.ready = False
        """It has come so far as to read the store."""

    @classmethod
    def start(cls, store: Store) -> _Worker:
        code = "import sys; sys.path[:] = sys.argv[1:]; from lastgood.core import workers; workers.serve()"
        paths = [path or os.getcwd() for path in sys.path]
        command = [sys.executable, "-I", "-X", f"utf8={sys.flags.utf8_mode}", "-c", code, *paths]
        their_input, questions = os.pipe()
        answers, their_output = os.pipe()
        try:
            pid = os.posix_spawn(
                sys.executable,
                command,
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, their_input, 0),
                    (os.POSIX_SPAWN_DUP2, their_output, 1),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
                setsigmask=[signal.SIGINT],  # Ctrl-C is for whoever asked; the pipe's end tells the worker
            )
        except OSError:
            os.close(questions)
            os.close(answers)
            raise
        finally:
            os.close(their_input)
            os.close(their_output)
        worker = cls(pid, open(questions, "wb"), open(answers, "rb"))  # noqa: SIM115
        worker._ask(_recipe(store))
        return worker

    def ask(self, batch: _Batch) -> None:
        self._ask(marshal.dumps([_file_fields(file) for file in batch]))

    def _ask(self, message: bytes) -> None:
        with suppress(BrokenPipeError):  # it is dead: the answer will show it
            _send(self.questions, message)

    def answer(self) -> list[tuple[Any, ...]] | None:
        """What it found in its batch; None if it died."""
        self.ready = self.ready or _receive(self.answers) is not None
        message = _receive(self.answers)
        return None if message is None else marshal.loads(message)

    def kill(self) -> str:
        """End the process. Says how it had ended, if it had."""
        os.kill(self.pid, signal.SIGKILL)  # of no effect where it has ended: it is not yet waited for
        _, status = os.waitpid(self.pid, 0)
        for pipe in (self.questions, self.answers):
            with suppress(BrokenPipeError):
                pipe.close()
        code = os.waitstatus_to_exitcode(status)
        return f"signal {-code}" if code < 0 else f"exit {code}"


def serve() -> None:
    """A worker's life: the store first, then batches until the pipe ends."""
    import gc

    os.nice(10)  # a key comes first
    gc.disable()  # what a file holds has no cycles
    questions, answers = open(0, "rb"), open(1, "wb")  # noqa: SIM115
    store = _store(_receive(questions) or b"")
    _send(answers, b"")
    while (message := _receive(questions)) is not None:
        found = [_result(store.verify(_file(fields))) for fields in marshal.loads(message)]
        _send(answers, marshal.dumps(found))


def _recipe(store: Store) -> bytes:
    """What the same store is made of in another process."""
    stores = store.stores.values() if isinstance(store, ComposedStore) else (store,)
    kinds = [(type(one).__module__, type(one).__qualname__) for one in stores]
    return marshal.dumps((store.path, store.max_bytes, store.session_logs, isinstance(store, ComposedStore), kinds))


def _store(recipe: bytes) -> Store:
    path, max_bytes, session_logs, composed, kinds = marshal.loads(recipe)
    found: list[type[Store]] = [getattr(import_module(module), name) for module, name in kinds]
    if composed:
        return ComposedStore(path, found, max_bytes=max_bytes, session_logs=session_logs)
    return found[0](path, max_bytes=max_bytes, session_logs=session_logs)


def _send(pipe: BinaryIO, message: bytes) -> None:
    pipe.write(len(message).to_bytes(_LENGTH, "little") + message)
    pipe.flush()


def _receive(pipe: BinaryIO) -> bytes | None:
    head = pipe.read(_LENGTH)
    size = int.from_bytes(head, "little")
    message = pipe.read(size)
    return message if len(head) == _LENGTH and len(message) == size else None


def _file_fields(file: StoredFile) -> tuple[Any, ...]:
    return (
        file.path,
        file.kind.value,
        file.size,
        file.mtime_ns,
        file.ctime_ns,
        file.device,
        file.inode,
        file.link,
        file.problem,
        file.layout,
    )


def _file(fields: tuple[Any, ...]) -> StoredFile:
    path, kind, *rest = fields
    return StoredFile(path, FileKind(kind), *rest)


def _result(point: Checkpoint) -> tuple[Any, ...]:
    """A checkpoint without its file, which the asker has."""
    header = point.header
    return (
        point.integrity.value,
        point.reason,
        point.runtime_accepts,
        point.runtime_reason,
        point.expected,
        point.actual,
        point.content_sha256,
        header.checkpoint_id,
        header.session_id,
        header.trigger,
        header.created_at,
        header.iteration,
        header.messages,
        header.pending,
        header.tokens_used,
        header.cost_estimate,
        header.resume_hint,
    )


def _point(file: StoredFile, result: tuple[Any, ...]) -> Checkpoint:
    integrity, reason, accepts, runtime_reason, expected, actual, content, *header = result
    return Checkpoint(
        file, Integrity(integrity), reason, accepts, runtime_reason, expected, actual, Header(*header), content
    )
