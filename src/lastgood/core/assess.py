"""One session with all that is known of it: its files, the verdict with its evidence, the best point, the price."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from .evidence import Host, gather
from .model import WORST_FIRST, Action, Checkpoint, Evidence, Session, SessionLog, Survey, Verdict
from .store import JOURNAL_FOLDER, Deed, Store
from .verdict import Thresholds, judge

if TYPE_CHECKING:
    from .cache import Remembered
    from .lineage import Lineage
    from .price import Price

_LET_GO = Survey("its records were let go")
_RANK = {verdict: rank for rank, verdict in enumerate(WORST_FIRST)}


class Figures(NamedTuple):
    """What a list shows of a session's verified files, kept where the files' own records are let go."""

    files: int
    valid: int
    lost_iterations: int | None
    """What going back to the best restore point loses; None where that is not known, or where there is none."""
    has_best: bool
    resume_hint: str | None
    """The best restore point's."""
    last_activity: int | None


class Assessed(NamedTuple):
    """A session as it is shown: what is on disk and what that means."""

    session: Session
    survey: Survey
    verdict: Verdict
    evidence: tuple[Evidence, ...]
    points: tuple[Checkpoint, ...] | None
    """Every file, verified; None where they have not been looked at."""
    lineage: Lineage | None
    """None until the points have been looked at."""
    problems: tuple[str, ...]
    logs: tuple[SessionLog, ...] = ()
    """What its program keeps of it outside of the store; looked for where the points have been looked at."""
    cannot: Mapping[Deed, str] = {}
    """What cannot be done to the session as it is, with the reason as the end of a sentence."""
    figures: Figures | None = None
    """What was found in files whose records were let go."""

    def slim(self) -> Assessed:
        """The same without the records of its files: of a verified session, what a list shows."""
        if self.points is None:
            return self
        best = self.best
        figures = Figures(
            len(self.points),
            sum(point.valid for point in self.points),
            self.price_of(best).iterations if best is not None else None,
            best is not None,
            best.header.resume_hint if best is not None else None,
            self.last_activity,
        )
        return self._replace(survey=_LET_GO, points=None, lineage=None, logs=(), figures=figures)

    @property
    def best(self) -> Checkpoint | None:
        """The restore point that loses least; None where there is none or nothing was verified."""
        return self.lineage.best if self.lineage else None

    @property
    def advice(self) -> str | None:
        """Where lastgood would not do what the runtime alone would; None too where somebody has just decided it."""
        if self.lineage is None or self.verdict is Verdict.RESTORED:
            return None
        return self.lineage.advice

    @property
    def task(self) -> str | None:
        """What the session was doing, in its own words: the task, else the resume hint of its best point."""
        if self.session.task is not None and self.session.task.task_description:
            return self.session.task.task_description
        if self.figures is not None:
            return self.figures.resume_hint
        return self.best.header.resume_hint if self.best else None

    @property
    def last_iteration(self) -> int | None:
        known = [s.last_iteration for s in (self.session.meta,) if s] + [s.iteration for s in (self.session.task,) if s]
        return max(known, default=None)

    @property
    def last_activity(self) -> int | None:
        """When the session says that it last did something; where it says nothing, its newest file's time."""
        said = [s.last_updated for s in (self.session.meta, self.session.task) if s]
        if self.figures is not None:
            return max(said, default=None) or self.figures.last_activity
        return max(said, default=None) or max((f.mtime_ns for f in self.survey.files), default=None)

    def price_of(self, point: Checkpoint) -> Price:
        """What going back to `point` would lose."""
        from .price import price

        return price(point, self.points or (point,), self.session)


@lru_cache(maxsize=256)
def _one(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """The first of all that are equal: thousands of sessions ended for the same reason."""
    return evidence


@lru_cache(maxsize=256)
def _one_mapping(items: tuple[tuple[Deed, str], ...]) -> Mapping[Deed, str]:
    return dict(items)


def assess(
    store: Store,
    session: Session,
    *,
    host: Host,
    thresholds: Thresholds,
    actions: Sequence[Action],
    survey: Survey | None = None,
    points: Sequence[Checkpoint] | None = None,
) -> Assessed:
    """Judge one session.

    Args:
        host: one look at the clock and the processes, shared by all sessions of a store.
        actions: what lastgood has done to this store.
        survey: the session's files where they have been listed already.
        points: the session's files where they have been verified; None judges without them.
    """
    survey = survey if survey is not None else store.survey(session)
    facts = gather(session, survey, host, actions, thresholds)
    verdict, evidence = judge(facts, thresholds)
    line = _lineage(store, session, survey, points) if points is not None else None
    problems = (
        *session.problems,
        *((survey.problem,) if survey.problem else ()),
        *(line.problems if line else ()),
    )
    verified = None if points is None else tuple(points)
    logs = tuple(store.logs(_ids(session, points))) if points is not None else ()
    cannot = _one_mapping(tuple(store.cannot(session).items()))
    return Assessed(session, survey, verdict, _one(evidence), verified, line, problems, logs, cannot)


def _ids(session: Session, points: Sequence[Checkpoint]) -> list[str]:
    """What the session is called: by its folder, its metadata and its own checkpoints."""
    from .price import is_foreign

    said = [p.header.session_id for p in points if not is_foreign(session, p)]
    named = [session.folder, session.meta.session_id if session.meta is not None else None, *said]
    return [each for each in dict.fromkeys(named) if each is not None]


def _lineage(store: Store, session: Session, survey: Survey, points: Sequence[Checkpoint]) -> Lineage:
    from .lineage import lineage

    return lineage(store, session, survey, points)


def verify_all(store: Store, survey: Survey, remembered: Remembered | None = None) -> tuple[Checkpoint, ...]:
    """Every file of the survey, verified one after the other in this process, or remembered where it is unchanged."""
    if remembered is None:
        return tuple(map(store.verify, survey.files))
    return tuple(remembered.verify(file, store.verify) for file in survey.files)


def actions_on(store: Store) -> list[Action]:
    """What lastgood has done to this store, oldest first. A store without a journal costs no import of it."""
    if not os.path.isdir(os.path.join(store.path, JOURNAL_FOLDER)):
        return []
    from .journal import Journal

    return Journal(store.path).actions()


def glance(store: Store, session: Session, thresholds: Thresholds) -> Assessed:
    """One session judged now, its files listed and not verified."""
    return assess(store, session, host=Host.look(store.path), thresholds=thresholds, actions=actions_on(store))


def assess_one(store: Store, session: Session, thresholds: Thresholds) -> Assessed:
    """One session judged now, every file verified."""
    survey = store.survey(session)
    return assess(
        store,
        session,
        host=Host.look(store.path),
        thresholds=thresholds,
        actions=actions_on(store),
        survey=survey,
        points=verify_all(store, survey),
    )


def triage_order(seen: Assessed) -> tuple[int, int, str]:
    """Worst first, then latest activity first."""
    return _RANK[seen.verdict], -(seen.last_activity or 0), seen.session.name
