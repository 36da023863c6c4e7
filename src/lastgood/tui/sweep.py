"""Going through the whole store: names and metadata, then listings, then contents, unclean sessions first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from textual.message import Message

from ..core.assess import Assessed
from ..core.evidence import Host
from ..core.model import Checkpoint, Session, Survey, Verdict
from .appraiser import Appraiser
from .forerun import Forerun
from .news import Batch, Names, Progress
from .triage import SORTS, UNLISTED

_POST_EVERY_S = 0.1
_FIRST_POST_S = 0.03
_PAINT_S = 2.0
"""At most so long is waited for the first paint."""


class Sweep:
    """One going-through, in the thread that calls :meth:`run`; :meth:`stop` ends it from any other.

    Args:
        known: is given the names of all sessions and their verdicts, once they are known.
        forerun: what has been read already; None: nothing has.
        painted: set once the screen has been painted for the first time.
    """

    def __init__(
        self,
        appraiser: Appraiser,
        post: Callable[[Message], object],
        known: dict[str, Verdict],
        forerun: Forerun | None,
        painted: threading.Event,
    ) -> None:
        self._appraiser = appraiser
        self._store = appraiser.store
        self._post = post
        self._known = known
        self._forerun = forerun
        self._painted = painted
        self._outbox = _Outbox(post)
        self._host = Host.look(self._store.path)
        self._actions = appraiser.actions()
        self._stopped = False

    def stop(self) -> None:
        """No more messages."""
        self._stopped = True

    def run(self) -> None:
        """Go through the store to its end."""
        glanced = self._glance()
        if not self._stopped:
            self._verify(self._survey(glanced))

    def _glance(self) -> list[Assessed]:
        """Every session by its name and metadata, worst first."""
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
        return sorted(glanced, key=SORTS[0].key)

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

    def _survey(self, glanced: Sequence[Assessed]) -> list[Assessed]:
        """The same with their files listed, in the order in which they are to be verified."""
        surveyed: list[Assessed] = []
        for done, seen in enumerate(glanced):
            if self._stopped:
                return []
            surveyed.append(self._assess(seen.session, self._store.survey(seen.session), None))
            self._outbox.put(surveyed[-1], Progress("listing", done, len(glanced)))
        self._outbox.flush()
        return sorted(surveyed, key=lambda seen: (not seen.session.unclean, *SORTS[0].key(seen)))

    def _verify(self, surveyed: Sequence[Assessed]) -> None:
        total = sum(len(seen.survey.files) for seen in surveyed)
        owner = {file.path: seen for seen in surveyed for file in seen.survey.files}
        missing = {seen.session.name: len(seen.survey.files) for seen in surveyed}
        found: dict[str, list[Checkpoint]] = {seen.session.name: [] for seen in surveyed}
        for seen in surveyed:
            if not seen.survey.files:
                self._outbox.put(self._assess(seen.session, seen.survey, ()))
        work = self._appraiser.verify_all([file for seen in surveyed for file in seen.survey.files])
        for done, point in enumerate(work, 1):
            if self._stopped:
                work.close()
                return
            seen = owner[point.file.path]
            name = seen.session.name
            found[name].append(point)
            missing[name] -= 1
            if missing[name] == 0:
                points = _in_order(seen.survey, found.pop(name))
                self._outbox.put(self._assess(seen.session, seen.survey, points))
            self._outbox.tell(Progress("verifying", done, total))
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
