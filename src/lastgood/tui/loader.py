"""The work behind the screen: reads the store in threads of its own and posts values, ten times a second at most.

Two threads, both daemons so that leaving never waits for them. One goes through the whole store: names and metadata
first, then each session's listing, then the contents, unclean sessions first. The other serves what somebody looks
at now, so that it never waits behind the first.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from ..core.assess import Assessed, assess
from ..core.errors import LastgoodError, NotFound
from ..core.evidence import Host
from ..core.journal import Journal
from ..core.model import Action, Checkpoint, Session, StoredFile, Survey
from ..core.sanitise import clean_lines
from ..core.store import Store
from ..core.verdict import Thresholds
from .deeds import Done, Proposal, do
from .triage import SORTS, UNLISTED

if TYPE_CHECKING:
    from ..core.diff import Diff
    from ..core.jsontext import Raw

_POST_EVERY_S = 0.1
_FIRST_POST_S = 0.03
_IN_PROCESS_MAX = 1_000_000
"""Bytes up to which a file is verified in this process when somebody waits for it: some milliseconds."""
_DETAIL_MAX = 8_000_000
"""Bytes up to which a file is read whole for its overview."""
_WATCH_EVERY_S = 2.0


class Batch(Message):
    """Newer values of some sessions."""

    def __init__(self, seen: tuple[Assessed, ...]) -> None:
        super().__init__()
        self.seen = seen


class Names(Message):
    """Every session that there is, after a listing: the others are gone."""

    def __init__(self, names: frozenset[str], took_s: float) -> None:
        super().__init__()
        self.names = names
        self.took_s = took_s


class Progress(Message):
    """How far the work in the background has come; `total` is 0 when it is over."""

    def __init__(self, what: str, done: int, total: int) -> None:
        super().__init__()
        self.what = what
        self.done = done
        self.total = total


class Told(Message):
    """Something was done that needs a sentence and no more."""

    def __init__(self, says: str) -> None:
        super().__init__()
        self.says = says


class Paged(Message):
    """A restore point's text, cleaned, in a private temporary file that the receiver removes."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path


class Trouble(Message):
    """The work in the background met what it cannot go on from."""

    def __init__(self, says: str, defect: Exception | None = None) -> None:
        super().__init__()
        self.says = says
        self.defect = defect
        """The error of lastgood itself behind it, for the log."""


@dataclass(frozen=True, slots=True)
class Detail:
    """What an overview shows of one file beyond its verdict."""

    file: StoredFile
    pending: tuple[str, ...] = ()
    """Tool calls issued and not answered, in words."""
    diagnosis: tuple[str, ...] = ()
    """What exactly is wrong, in sentences."""
    excerpt: str = ""


class Detailed(Message):
    def __init__(self, detail: Detail) -> None:
        super().__init__()
        self.detail = detail


class Opened(Message):
    """The contents of a file, as far as they could be read."""

    def __init__(
        self,
        file: StoredFile,
        raw: Raw | None,
        value: dict[str, object] | None = None,
        fault: tuple[int | None, str] | None = None,
        problem: str | None = None,
    ) -> None:
        super().__init__()
        self.file = file
        self.raw = raw
        self.value = value
        """What it holds; None where it is no JSON object, or too large to be held at once."""
        self.fault = fault
        """Where the text stops being JSON, and why."""
        self.problem = problem


class Compared(Message):
    """What leads from one file to another."""

    def __init__(self, file: StoredFile, against: StoredFile, diff: Diff | None, problem: str | None = None) -> None:
        super().__init__()
        self.file = file
        self.against = against
        self.diff = diff
        self.problem = problem


class Proposed(Message):
    """What an action would do."""

    def __init__(self, proposal: Proposal) -> None:
        super().__init__()
        self.proposal = proposal


class NotProposed(Message):
    """Why an action would do nothing."""

    def __init__(self, says: str) -> None:
        super().__init__()
        self.says = says


class Acted(Message):
    """An action has ended, well or not."""

    def __init__(self, done: Done) -> None:
        super().__init__()
        self.done = done


class Loader:
    """Reads one store for one screen.

    Args:
        post: takes a message from any thread; a screen's ``post_message``.
        cache_folder: where verdicts are remembered from one run to the next; None: they are not.
    """

    def __init__(
        self,
        store: Store,
        thresholds: Thresholds,
        post: Callable[[Message], object],
        *,
        cache_folder: str | None = None,
    ) -> None:
        self._store = store
        self._thresholds = thresholds
        self._cache_folder = cache_folder
        self._post = post
        self._turn = 0
        self._verified: dict[StoredFile, Checkpoint] = {}
        self._listed: dict[str, Session] = {}
        self._wanted: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._front: object = None
        self._front_contents: object = None
        self._paused = threading.Event()
        self._watcher: threading.Event | None = None
        self._server = threading.Thread(target=self._serve, name="lastgood-front", daemon=True)

    # From the screen

    def start(self) -> None:
        """Go through the store, from the beginning; what is known of unchanged files is kept."""
        self._turn += 1
        if not self._server.is_alive():
            self._server.start()
        threading.Thread(target=self._guarded, args=(self._turn,), name="lastgood-store", daemon=True).start()

    def stop(self) -> None:
        """Stop going through the store; what somebody asks for is still served."""
        self._turn += 1

    def close(self) -> None:
        """No more work and no more messages."""
        self.stop()
        self.watch(False)
        self._wanted.put(None)

    def want(self, session: Session) -> None:
        """Verify this session's files now; forgotten if another is wanted before its turn comes."""
        ticket = object()
        self._front = ticket
        self._wanted.put(lambda: self._look(session.name) if self._front is ticket else None)

    def look_again(self, names: Iterable[str]) -> None:
        """Read these sessions afresh."""
        for name in names:
            self._wanted.put(lambda name=name: self._look(name))  # type: ignore[misc]

    def want_detail(self, seen: Assessed, point: Checkpoint) -> None:
        """Find out what an overview of `point` shows."""
        self._wanted.put(lambda: self._post(Detailed(self._detail(seen, point))))

    def want_contents(self, file: StoredFile, against: StoredFile | None) -> None:
        """Read a file, or compare it with another; forgotten if something else is wanted before its turn comes."""
        ticket = object()
        self._front_contents = ticket

        def serve() -> None:
            if self._front_contents is ticket:
                self._post(self._open(file) if against is None else self._compare(file, against))

        self._wanted.put(serve)

    def watch(self, on: bool) -> None:
        """Look every other second whether something has changed, or stop that."""
        if self._watcher is not None:
            self._watcher.set()
            self._watcher = None
        if on:
            self._watcher = threading.Event()
            threading.Thread(target=self._watch, args=(self._watcher,), name="lastgood-watch", daemon=True).start()

    def export(self, file: StoredFile, target: str) -> None:
        """Write the file's bytes to a new file of the user's; :class:`Told` says where."""
        self._wanted.put(lambda: self._export(file, target))

    def page(self, file: StoredFile) -> None:
        """Make the file's text fit for a pager and post it as :class:`Paged`."""
        self._wanted.put(lambda: self._page(file))

    def propose(self, make: Callable[[], Proposal]) -> None:
        """Work out a proposal and post it as :class:`Proposed`, or why there is none as :class:`NotProposed`."""
        self._wanted.put(lambda: self._propose(make))

    def carry_out(self, proposal: Proposal, reason: str | None) -> None:
        """Do it, then read what it touched afresh. No daemon: the process waits for it whatever else ends."""
        threading.Thread(target=self._carry_out, args=(proposal, reason), name="lastgood-action").start()

    # What somebody looks at now

    def _serve(self) -> None:
        while (job := self._wanted.get()) is not None:
            try:
                job()
            except LastgoodError as error:
                self._post(Trouble(str(error)))
            except Exception as error:
                self._post(Trouble(f"this could not be looked at ({type(error).__name__})", error))

    def _export(self, file: StoredFile, target: str) -> None:
        from ..core.export import export

        self._post(Told(f"written to {export(self._store.read(file), target)}"))

    def _page(self, file: StoredFile) -> None:
        import tempfile

        raw = self._store.read(file)
        with tempfile.NamedTemporaryFile("w", prefix="lastgood-", suffix=".json", delete=False) as page:
            page.writelines(f"{line}\n" for line in clean_lines(raw.decode("utf-8", "surrogateescape")))
        self._post(Paged(page.name))

    def _propose(self, make: Callable[[], Proposal]) -> None:
        try:
            self._post(Proposed(make()))
        except LastgoodError as error:
            self._post(NotProposed(str(error)))

    def _carry_out(self, proposal: Proposal, reason: str | None) -> None:
        try:
            done = do(self._store, proposal, reason)
        except LastgoodError as error:
            done = Done(proposal.verb, (), "", None, (str(error),))
        self.look_again(done.sessions)
        self._post(Acted(done))

    def _look(self, name: str) -> None:
        try:
            session = self._store.session(name)
        except NotFound:
            self._listed.pop(name, None)
            self._post(Names(frozenset(self._listed), 0.0))
            return
        self._listed[name] = session
        survey = self._store.survey(session)
        points = tuple(self._verify(survey.files))
        host, actions = Host.look(self._store.path), self._actions()
        self._post(Batch((self._assess(session, host, actions, survey, points),)))

    def _detail(self, seen: Assessed, point: Checkpoint) -> Detail:
        file = point.file
        if file.size > _DETAIL_MAX or file.problem is not None:
            return Detail(file)
        try:
            raw = self._store.read(file)
        except LastgoodError as error:
            return Detail(file, diagnosis=(str(error),))
        if point.valid:
            return Detail(file, pending=_pending(raw))
        from ..core.diagnose import diagnose

        found = diagnose(raw, point, self._neighbours(seen, point))
        sentences = (found.sentence, *(note.sentence for note in found.notes))
        return Detail(file, _pending(raw), sentences, found.excerpt)

    def _neighbours(self, seen: Assessed, point: Checkpoint) -> list[tuple[Checkpoint, dict[str, object]]]:
        """The valid points next to this one in time, with what they hold: they tell which field cannot be so."""
        import orjson

        near: list[tuple[Checkpoint, dict[str, object]]] = []
        others = sorted(seen.points or (), key=lambda p: abs(p.file.mtime_ns - point.file.mtime_ns))
        for other in others:
            if len(near) == 4:
                break
            if other.valid and other.file.path != point.file.path and other.file.size <= _DETAIL_MAX:
                try:
                    value = orjson.loads(self._store.read(other.file))
                except (LastgoodError, ValueError):
                    continue
                if isinstance(value, dict):
                    near.append((other, value))
        return near

    def _open(self, file: StoredFile) -> Opened:
        if file.size > _DETAIL_MAX and file.link is None:
            try:
                return Opened(
                    file, _mapped(file), problem="it is too large to be read as messages; the JSON tab shows it"
                )
            except OSError as error:
                return Opened(file, None, problem=f"it cannot be read: {error.strerror}")
        try:
            raw = self._store.read(file)
        except LastgoodError as error:
            return Opened(file, None, problem=str(error))
        try:
            value = _object(raw)
        except ValueError:
            return Opened(file, raw, fault=_fault(raw), problem="it does not parse")
        return Opened(file, raw, value)

    def _compare(self, file: StoredFile, against: StoredFile) -> Compared:
        from ..core.diff import diff

        values: list[dict[str, object]] = []
        for one in (against, file):
            if one.size > _DETAIL_MAX:
                return Compared(file, against, None, f"{one.name} is too large to be compared here")
            try:
                value = _object(self._store.read(one))
            except LastgoodError as error:
                return Compared(file, against, None, str(error))
            except ValueError:
                value = None
            if value is None:
                return Compared(file, against, None, f"{one.name} holds no JSON object to compare")
            values.append(value)
        return Compared(file, against, diff(*values))

    # The whole store

    def _guarded(self, turn: int) -> None:
        try:
            self._go_through(turn)
        except LastgoodError as error:
            self._post(Trouble(str(error)))
        except Exception as error:
            # A defect of ours must not leave the screen waiting without a word.
            self._post(Trouble(f"the work in the background failed ({type(error).__name__}); F5 tries again", error))
        if turn == self._turn:
            self._post(Progress("", 0, 0))

    def _go_through(self, turn: int) -> None:
        began = time.monotonic()
        host, actions = Host.look(self._store.path), self._actions()
        outbox = _Outbox(self._post)
        glanced: list[Assessed] = []
        unlisted = Survey(UNLISTED)
        for session in self._store.sessions():
            if turn != self._turn:
                return
            known = self._assess(session, host, actions, unlisted, None)
            glanced.append(known)
            outbox.put(known)
        outbox.flush()
        self._listed = {seen.session.name: seen.session for seen in glanced}
        self._post(Names(frozenset(self._listed), time.monotonic() - began))
        glanced.sort(key=SORTS[0].key)

        surveyed: list[Assessed] = []
        for done, seen in enumerate(glanced):
            if turn != self._turn:
                return
            known = self._assess(seen.session, host, actions, self._store.survey(seen.session), None)
            surveyed.append(known)
            outbox.put(known, Progress("listing", done, len(glanced)))
        outbox.flush()
        surveyed.sort(key=lambda seen: (not seen.session.unclean, *SORTS[0].key(seen)))
        self._verify_store(turn, surveyed, host, actions, outbox)

    def _verify_store(
        self, turn: int, surveyed: Sequence[Assessed], host: Host, actions: Sequence[Action], outbox: _Outbox
    ) -> None:
        total = sum(len(seen.survey.files) for seen in surveyed)
        owner = {file.path: seen for seen in surveyed for file in seen.survey.files}
        missing = {seen.session.name: len(seen.survey.files) for seen in surveyed}
        found: dict[str, list[Checkpoint]] = {seen.session.name: [] for seen in surveyed}
        for seen in surveyed:
            if not seen.survey.files:
                outbox.put(self._assess(seen.session, host, actions, seen.survey, ()))
        work = self._verify([file for seen in surveyed for file in seen.survey.files], everything=True)
        for done, point in enumerate(work, 1):
            if turn != self._turn:
                work.close()
                return
            seen = owner[point.file.path]
            name = seen.session.name
            found[name].append(point)
            missing[name] -= 1
            if missing[name] == 0:
                points = _in_order(seen.survey, found.pop(name))
                outbox.put(self._assess(seen.session, host, actions, seen.survey, points))
            outbox.tell(Progress("verifying", done, total))
        outbox.flush()

    def _verify(self, files: Sequence[StoredFile], *, everything: bool = False) -> Generator[Checkpoint, None, None]:
        """Each file verified: remembered ones at once, then small ones here or, for the whole store, in processes."""
        fresh: list[StoredFile] = []
        for file in files:
            if (known := self._verified.get(file)) is not None:
                yield known
            else:
                fresh.append(file)
        elsewhere = fresh if everything else [f for f in fresh if f.size > _IN_PROCESS_MAX]
        if not everything:
            for file in fresh:
                if file.size <= _IN_PROCESS_MAX:
                    yield self._remember(self._store.verify(file))
        if elsewhere:
            yield from map(self._remember, self._verify_elsewhere(elsewhere))

    def _verify_elsewhere(self, files: Sequence[StoredFile]) -> Iterator[Checkpoint]:
        from ..core.cache import Cache
        from ..core.workers import verify_files

        cache = Cache(self._cache_folder) if self._cache_folder is not None else None
        return verify_files(self._store, files, cache=cache)

    def _remember(self, point: Checkpoint) -> Checkpoint:
        self._verified[point.file] = point
        return point

    def _assess(
        self,
        session: Session,
        host: Host,
        actions: Sequence[Action],
        survey: Survey,
        points: Sequence[Checkpoint] | None,
    ) -> Assessed:
        return assess(
            self._store,
            session,
            host=host,
            thresholds=self._thresholds,
            actions=actions,
            survey=survey,
            points=points,
        )

    def _actions(self) -> Sequence[Action]:
        try:
            return Journal(self._store.path).actions()
        except LastgoodError as error:
            self._post(Trouble(str(error)))
            return ()

    # What changes meanwhile

    def _watch(self, ended: threading.Event) -> None:
        """Compare each session's stamps with those of the last look; polling works over network file systems too."""
        import os

        def stamp(name: str) -> tuple[int, int]:
            folder = f"{self._store.path}/{name}"
            marks = []
            for path in (f"{folder}/session_meta.json", f"{folder}/checkpoints"):
                try:
                    marks.append(os.lstat(path).st_mtime_ns)
                except OSError:
                    marks.append(0)
            return marks[0], marks[1]

        last: dict[str, tuple[int, int]] = {}
        pause = _WATCH_EVERY_S
        while not ended.wait(pause):
            began = time.monotonic()
            try:
                there = {entry.name for entry in os.scandir(self._store.path) if not entry.name.startswith(".")}
            except OSError:
                continue
            now = {name: stamp(name) for name in there & self._listed.keys()}
            changed = [name for name, mark in now.items() if last.get(name, mark) != mark]
            new = [name for name in there - self._listed.keys() if os.path.isdir(f"{self._store.path}/{name}")]
            last = now
            if self._listed:
                self.look_again([*changed, *new, *(self._listed.keys() - there)])
            # At most a twentieth of one core, however many sessions there are.
            pause = max(_WATCH_EVERY_S, 20 * (time.monotonic() - began))


class _Outbox:
    """Gathers values and posts them together, at most every tenth of a second."""

    def __init__(self, post: Callable[[Message], object]) -> None:
        self._post = post
        self._held: list[Assessed] = []
        self._progress: Progress | None = None
        # The first batch goes out early: it is what the first paint waits for.
        self._due = time.monotonic() + _FIRST_POST_S

    def put(self, seen: Assessed, progress: Progress | None = None) -> None:
        self._held.append(seen)
        self.tell(progress)

    def tell(self, progress: Progress | None) -> None:
        self._progress = progress or self._progress
        if time.monotonic() >= self._due:
            self.flush()

    def flush(self) -> None:
        if self._held:
            self._post(Batch(tuple(self._held)))
            self._held = []
        if self._progress is not None:
            self._post(self._progress)
            self._progress = None
        self._due = time.monotonic() + _POST_EVERY_S


def _mapped(file: StoredFile) -> Raw:
    """A large file, of which only what is shown will be read."""
    import mmap
    import os
    import stat

    fd = os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(0, "it is no regular file")
        return mmap.mmap(fd, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(fd)


def _object(raw: bytes) -> dict[str, object] | None:
    """The JSON object in `raw`; None where it is JSON of another kind. Raises ValueError where it is none."""
    import orjson

    value = orjson.loads(raw)
    return value if isinstance(value, dict) else None


def _fault(raw: bytes) -> tuple[int | None, str]:
    from ..core.serde import ParseFault, parse

    try:
        parse(raw)
    except ParseFault as fault:
        return fault.offset, str(fault)
    return None, "it does not parse"


def _in_order(survey: Survey, points: Iterable[Checkpoint]) -> tuple[Checkpoint, ...]:
    """The points in the folder's own order: they come back in any."""
    by_path = {point.file.path: point for point in points}
    return tuple(by_path[file.path] for file in survey.files if file.path in by_path)


def _pending(raw: bytes) -> tuple[str, ...]:
    import orjson

    from ..core.pending import pending_calls

    try:
        return tuple(call.says() for call in pending_calls(orjson.loads(raw)))
    except ValueError:
        return ()
