"""Which restore point is the best, and what going back to each would lose.

Both rest on the *line* of a session: the checkpoints that lead up to its last known state. After a session has gone
back to an older checkpoint and run on, the later ones of before that are still there, and still valid, but no longer
lead anywhere: they are not the line.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from .model import Checkpoint, FileKind, Header, Session
from .words import counted, span

_NS = 1_000_000_000
_SKEW_NS = 5 * _NS
_PLAUSIBLE_GROWTH = 4
"""A damaged checkpoint is believed where it says at most this many times what the furthest valid one says."""
_KIND_RANK = {FileKind.CHECKPOINT: 3, FileKind.LATEST: 2, FileKind.BACKUP: 1, FileKind.ORPHAN: 0}
_LONG_AGO = -(1 << 200)
_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True, slots=True)
class Price:
    """What the session had and would no longer have. None: unknown, which is not the same as nothing."""

    iterations: int | None = None
    messages: int | None = None
    tokens: int | None = None
    dollars: float | None = None
    seconds: float | None = None
    """From the creation of the restore point to the last known sign of progress."""
    at_least: bool = False
    """The session went further than any checkpoint that can be read: messages, tokens and dollars are minimums."""

    def says(self) -> str:
        """`loses 1 iteration, 2 messages, 1,204 tokens, $0.03, 27 s`, or `loses nothing known`."""
        if self == Price():
            return "what it loses is not known"
        measured: list[str] = []
        if self.messages:
            measured.append(counted(self.messages, "message"))
        if self.tokens:
            measured.append(counted(self.tokens, "token"))
        if self.dollars and (money := _money(self.dollars)) is not None:
            measured.append(money)
        if measured and self.at_least:
            measured[0] = f"at least {measured[0]}"
        lost = [counted(self.iterations, "iteration")] if self.iterations else []
        lost += measured
        if self.seconds is not None and self.seconds >= 1:
            lost.append(span(self.seconds))
        told = f"loses {', '.join(lost)}" if lost else "loses nothing known"
        untold = self.at_least and self.messages is None and self.tokens is None
        return f"{told}; messages and tokens unknown" if untold else told


def best(
    points: Sequence[Checkpoint], session: Session | None = None, *, now_ns: int | None = None
) -> Checkpoint | None:
    """The valid restore point with the most progress, or None.

    A file that a writer finished under its final name comes before a whole temporary file, and that before one
    that was salvaged; within each, what is on the session's line before what is not; then the higher iteration, the
    later `created_at` (one from the future counts as unknown), the checkpoint before its backup, the later
    modification. It follows ``valid``, not ``runtime_accepts``: a valid file that the runtime refuses can be resealed.

    Args:
        session: with it, checkpoints of another session are left out, and its last iteration tells its line.
        now_ns: what counts as the future; None: this host's clock.
    """
    now = time.time_ns() if now_ns is None else now_ns
    candidates = [p for p in points if p.valid and not (session is not None and is_foreign(session, p))]
    line = set(map(id, _line(candidates, session, now)))

    def rank(point: Checkpoint) -> tuple[int, bool, int, int, int, int, str]:
        iteration = point.header.iteration
        return (
            _genuineness(point),
            id(point) in line,
            _LONG_AGO if iteration is None else iteration,
            _created(point, now),
            _KIND_RANK[point.file.kind],
            point.file.mtime_ns,
            point.file.name,
        )

    return max(candidates, key=rank, default=None)


def price(point: Checkpoint, points: Sequence[Checkpoint], session: Session, *, now_ns: int | None = None) -> Price:
    """What going back to `point` loses against the last known state of `session`.

    That state is the furthest of the metadata, the task's status and the line's checkpoints. A damaged checkpoint that
    still reads counts where what it says follows on from the valid ones (see :func:`_plausible`). For a checkpoint of
    another session nothing is known.
    """
    if is_foreign(session, point):
        return Price()
    now = time.time_ns() if now_ns is None else now_ns
    own = [p for p in points if not is_foreign(session, p)]
    line = _line([p for p in own if p.valid], session, now)
    known = [*line, *_plausible([p for p in own if not p.valid], line, session, now)]
    furthest = max(known, key=lambda p: (p.header.iteration or 0, _created(p, now)), default=None)
    told = [i for i in (_last_iteration(session), session.task.iteration if session.task else None) if i is not None]
    reached = max((*told, *(p.header.iteration for p in known if p.header.iteration is not None)), default=None)
    here = point.header
    if furthest is None:
        return Price(_lost(reached, here.iteration), seconds=_seconds(point, known, session, now))
    last = furthest.header
    beyond = reached is not None and last.iteration is not None and reached > last.iteration
    if beyond and last.iteration == here.iteration:
        # The session went further than this point, and nothing on disk says by how many messages or tokens.
        return Price(_lost(reached, here.iteration), seconds=_seconds(point, known, session, now), at_least=True)
    return Price(
        _lost(reached, here.iteration),
        _lost(last.messages, here.messages),
        _lost(last.tokens_used, here.tokens_used),
        None
        if last.cost_estimate is None or here.cost_estimate is None
        else max(0.0, last.cost_estimate - here.cost_estimate),
        _seconds(point, known, session, now),
        beyond,
    )


def is_foreign(session: Session, point: Checkpoint) -> bool:
    """Whether the checkpoint says that it is another session's. One that does not say is taken for this one's."""
    said = point.header.session_id
    if said is None:
        return False
    return session.folder_for(said) != session.folder and (session.meta is None or said != session.meta.session_id)


def _line(valid: Sequence[Checkpoint], session: Session | None, now: int) -> list[Checkpoint]:
    """The valid checkpoints that lead up to the session's last known state.

    The runtime writes the iteration of its last save into its metadata. One further than that, and created
    before another that is not further, is of a run that the session has gone back from. Where the layout keeps no such
    record, the last save itself is it. Without metadata where there should be some, every checkpoint is on the line:
    iterations that repeat could as well be a clock that was put back.
    """
    last = None if session is None else _last_iteration(session)
    if last is None and session is not None and not session.records_end:
        last = max(valid, key=lambda p: _created(p, now)).header.iteration if valid else None
    if last is None:
        return list(valid)
    rerun = [_created(p, now) for p in valid if p.header.iteration is not None and p.header.iteration <= last]
    newest = max(rerun, default=_LONG_AGO)

    def left_behind(point: Checkpoint) -> bool:
        made = _created(point, now)
        return (point.header.iteration or 0) > last and _LONG_AGO < made < newest

    return [p for p in valid if not left_behind(p)]


def _plausible(
    damaged: Sequence[Checkpoint], line: Sequence[Checkpoint], session: Session, now: int
) -> list[Checkpoint]:
    """Damaged checkpoints, with what of their headers can be believed as to how far the session had come.

    The iteration must lie between the furthest valid one's and the metadata's (without any: one for each file more),
    the time after the valid one's and not ahead of the clock. Of the other figures those count that are no less than
    the valid one's and no more than four times that. One changed digit can still hide within these bounds; without
    them it could claim anything.
    """
    base = max(line, key=lambda p: (p.header.iteration or 0, _created(p, now)), default=None)
    if base is None or base.header.iteration is None:
        return []
    floor = base.header
    told = _last_iteration(session)
    ceiling = told if told is not None else base.header.iteration + len(damaged)
    believed = []
    for point in damaged:
        head = point.header
        if head.iteration is None or not base.header.iteration <= head.iteration <= ceiling:
            continue
        if head.created_at is None or not (floor.created_at or 0) <= head.created_at <= now + _SKEW_NS:
            continue
        figures = Header(
            iteration=head.iteration,
            created_at=head.created_at,
            messages=_believed(floor.messages, head.messages),
            tokens_used=_believed(floor.tokens_used, head.tokens_used),
            cost_estimate=_believed(floor.cost_estimate, head.cost_estimate),
        )
        believed.append(point._replace(header=figures))
    return believed


def _believed(valid: _Number | None, damaged: _Number | None) -> _Number | None:
    if damaged is None or damaged < 0:
        return None
    return damaged if valid is None or valid <= damaged <= _PLAUSIBLE_GROWTH * valid else None


def _seconds(point: Checkpoint, known: Sequence[Checkpoint], session: Session, now: int) -> float | None:
    """From the point's creation to the last sign of progress that is not in the future."""
    start = point.header.created_at
    if start is None:
        return None
    signs = [p.header.created_at for p in known if p.header.created_at is not None]
    signs += [seen.last_updated for seen in (session.meta, session.task) if seen is not None]
    last = max((s for s in signs if s <= now + _SKEW_NS), default=None)
    return None if last is None else max(0.0, (last - start) / _NS)


def _last_iteration(session: Session) -> int | None:
    if session.meta is not None:
        return session.meta.last_iteration
    return None if session.task is None else session.task.iteration


def _created(point: Checkpoint, now: int) -> int:
    created = point.header.created_at
    return _LONG_AGO if created is None or created > now + _SKEW_NS else created


def _genuineness(point: Checkpoint) -> int:
    if point.header.trigger == "salvaged":
        return 0
    return 1 if point.file.kind is FileKind.ORPHAN else 2


def _lost(had: int | None, has: int | None) -> int | None:
    return None if had is None or has is None else max(0, had - has)


def _money(dollars: float) -> str | None:
    """Two places from a cent up, more below it; None for less than can be told from rounding."""
    if dollars >= 1e12:
        return f"${dollars:.3g}"  # no real bill, but a file may say so, in 300 digits
    if dollars >= 0.005:
        return f"${dollars:,.2f}"
    return f"${dollars:.4f}" if dollars >= 0.00005 else None
