"""Going through the whole store: names and metadata, then listings and contents, unclean sessions first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from textual.message import Message

from ..core.assess import Assessed
from ..core.evidence import Host
from ..core.model import Checkpoint, Session, StoredFile, Survey, Verdict
from .appraiser import Appraiser
from .forerun import Forerun
from .news import Batch, Names, Progress
from .triage import SORTS, UNLISTED

_POST_EVERY_S = 0.1
_FIRST_POST_S = 0.03
_PAINT_S = 2.0
"""At most so long is waited for the first paint."""
KEPT_WHOLE = 500
"""Sessions, the worst first, of which the screen holds every file's record; of the others what a row shows."""


_WAY_S = 0.02
"""Seconds that a key has to itself: as long as it takes from there to its paint, at most."""


class Sweep:
    """One going-through, in the thread that calls :meth:`run`; :meth:`stop` ends it from any other.

    Args:
        known: is given the names of all sessions and their verdicts, once they are known.
        forerun: what has been read already; None: nothing has.
        painted: set once the screen has been painted for the first time.
        looked_at: the sessions that somebody has looked at: they are given whole.
    """

    def __init__(
        self,
        appraiser: Appraiser,
        post: Callable[[Message], object],
        known: dict[str, Verdict],
        forerun: Forerun | None,
        painted: threading.Event,
        looked_at: Collection[str] = (),
    ) -> None:
        self._appraiser = appraiser
        self._store = appraiser.store
        self._post = post
        self._known = known
        self._forerun = forerun
        self._painted = painted
        self._looked_at = looked_at
        self._outbox = _Outbox(post)
        self._host = Host.look(self._store.path)
        self._actions = appraiser.actions()
        self._stopped = False
        self._key_pressed = False

    def make_way(self) -> None:
        """A key was pressed: what it does gets the interpreter to itself for a moment."""
        self._key_pressed = True

    def stop(self) -> None:
        """No more messages."""
        self._stopped = True

    def run(self) -> None:
        """Go through the store to its end."""
        glanced = self._glance()
        if not self._stopped:
            self._verify(glanced)

    def _glance(self) -> list[Session]:
        """Every session by its name and metadata; given in the order in which they are to be verified."""
        glanced: list[Assessed] = []
        for some in self._glances():
            if self._stopped:
                return []
            glanced += some
            for seen in some:
                self._outbox.put(seen)
        self._outbox.flush()
        self._known.clear()
        self._known.update((seen.session.name, seen.verdict) for seen in glanced)
        self._post(Names(frozenset(self._known)))
        glanced.sort(key=lambda seen: (not seen.session.unclean, *SORTS[0].key(seen)))
        return [seen.session for seen in glanced]

    def _glances(self) -> Iterator[list[Assessed]]:
        """What the forerun found; where there is none, or it died, what is found here."""
        for some in self._forerun.sessions() if self._forerun is not None else ():
            if not some:
                return
            if some[0].verdict is Verdict.ENDED and not self._painted.is_set():
                # The unclean ones are what the first paint is for: it gets this process to itself.
                self._outbox.flush()
                self._painted.wait(_PAINT_S)
            yield some
        unlisted = Survey(UNLISTED)
        for session in self._store.sessions():
            yield [self._assess(session, unlisted, None)]

    def _verify(self, sessions: Sequence[Session]) -> None:
        """List and verify one session's files after the other's; of each no more is held than is under way."""
        under_way: dict[str, tuple[Session, Survey, list[Checkpoint]]] = {}
        done = 0

        def files() -> Iterator[StoredFile]:
            for session in sessions:
                if self._stopped:
                    return
                survey = self._store.survey(session)
                under_way[session.name] = (session, survey, [])
                owner.update((file.path, session.name) for file in survey.files)
                if survey.files:
                    yield from survey.files
                else:
                    finish(session.name)

        def finish(name: str) -> None:
            nonlocal done
            session, survey, points = under_way.pop(name)
            seen = self._assess(session, survey, _in_order(survey, points))
            done += 1
            whole = done <= KEPT_WHOLE or name in self._looked_at
            self._outbox.put(seen if whole else seen.slim(), Progress("verifying", done, len(sessions)))

        owner: dict[str, str] = {}
        work = self._appraiser.verify_all(files())
        for point in work:
            if self._stopped:
                work.close()
                return
            if self._key_pressed:
                self._key_pressed = False
                time.sleep(_WAY_S)
            name = owner.pop(point.file.path)
            _, survey, points = under_way[name]
            points.append(point)
            if len(points) == len(survey.files):
                finish(name)
        self._outbox.flush()

    def _assess(self, session: Session, survey: Survey, points: Sequence[Checkpoint] | None) -> Assessed:
        return self._appraiser.assess(session, self._host, self._actions, survey, points)


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


def _in_order(survey: Survey, points: Iterable[Checkpoint]) -> tuple[Checkpoint, ...]:
    """The points in the folder's own order: they come back in any."""
    by_path = {point.file.path: point for point in points}
    return tuple(by_path[file.path] for file in survey.files if file.path in by_path)
