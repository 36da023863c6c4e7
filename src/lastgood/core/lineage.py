"""How a session's checkpoints follow on from each other, what the runtime would resume from, and what it should."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .model import Checkpoint, FileKind, Session, Survey
from .names import id_in_name, time_in_name
from .price import best as best_point
from .price import is_foreign
from .store import Store
from .words import counted, span

_NS = 1_000_000_000
_SKEW_NS = 5 * _NS
_SAME_SAVE_NS = 120 * _NS
"""A save's creation, name and modification lie within milliseconds; this far apart, one of them has been changed."""


@dataclass(frozen=True, slots=True)
class Lineage:
    problems: tuple[str, ...]
    """What does not follow on, in sentences."""
    runtime_choice: Checkpoint | None
    """What the runtime's load of the latest opens, whether or not it then accepts it; None: nothing, or unknown."""
    recover_choice: Checkpoint | None
    """What its ``recover_session`` returns."""
    best: Checkpoint | None
    advice: str | None
    """Where the two differ: `lastgood advises Y because …. The runtime alone would resume from X`."""
    same: tuple[tuple[str, str], ...] = ()
    """Path of a file, and the path of the checkpoint that it duplicates: a backup, or a restored copy."""


def lineage(
    store: Store, session: Session, survey: Survey, points: Sequence[Checkpoint], *, now_ns: int | None = None
) -> Lineage:
    """The whole picture of one session. `points` are the verified files of `survey`, in any order."""
    now = time.time_ns() if now_ns is None else now_ns
    by_path = {p.file.path: p for p in points}
    opened = None if _leads_away(survey) else store.latest(session, survey)
    choice = None if opened is None else by_path.get(opened.path)
    tried = (by_path.get(f.path) for f in store.recovery_order(session, survey))
    recovered = next((p for p in tried if p is not None and p.runtime_accepts), None)
    best = best_point(points, session, now_ns=now)
    copies = _copies(points)
    in_order = [p for p in points if p.file.kind is FileKind.CHECKPOINT and p.file.path not in copies]
    problems = (
        *_iteration_problems(in_order, session, now),
        *_time_problems(in_order, now),
        *_latest_problems(survey, choice, best),
        *_name_problems([p for p in points if p.file.path not in copies]),
        *_foreign_problems(points, session),
        *_orphan_problems(points, session, best),
    )
    advice = _advice(session, survey, choice, recovered, best, bool(points))
    return Lineage(problems, choice, recovered, best, advice, tuple(copies.items()))


def same_content(one: Checkpoint, other: Checkpoint) -> bool:
    """Whether two files say the same. By the bytes' digest where both are known, else by the content's own."""
    if one.file.path == other.file.path:
        return True
    if one.content_sha256 is not None and other.content_sha256 is not None:
        return one.content_sha256 == other.content_sha256
    return one.actual is not None and (one.actual, one.expected) == (other.actual, other.expected)


def _copies(points: Sequence[Checkpoint]) -> dict[str, str]:
    """From each file that duplicates a checkpoint to that checkpoint; of two checkpoints the later one is the copy."""
    originals: dict[tuple[str | None, str | None], Checkpoint] = {}
    copies: dict[str, str] = {}
    for point in sorted(points, key=lambda p: (p.file.kind is not FileKind.CHECKPOINT, p.file.mtime_ns)):
        content = point.actual or point.content_sha256
        if content is None:
            continue
        original = originals.setdefault((content, point.expected), point)
        if original is not point:
            copies[point.file.path] = original.file.path
    return copies


def _iteration_problems(points: Sequence[Checkpoint], session: Session, now: int) -> Iterator[str]:
    """Going by `created_at`, each valid checkpoint of the session should be further than the one before."""
    own = [p for p in points if p.valid and not is_foreign(session, p) and p.header.trigger != "salvaged"]
    told = [(p.header.created_at, p.header.iteration, p.file.name) for p in own]
    steps = sorted((c, i, n) for c, i, n in told if c is not None and i is not None and c <= now + _SKEW_NS)
    for (_, before, earlier), (_, after, later) in pairwise(steps):
        if after < before:
            yield f"the iteration goes back from {before} to {after} between {earlier} and {later}"
        elif after == before:
            yield f"iteration {after} was saved twice, in {earlier} and {later}"
    last = session.meta.last_iteration if session.meta is not None else None
    furthest = max((i for _, i, _ in steps), default=None)
    if last is not None and furthest is not None and furthest > last:
        yield f"checkpoints reach iteration {furthest}, {session.meta_file} says {last}"


def _time_problems(points: Sequence[Checkpoint], now: int) -> Iterator[str]:
    ahead = [(p.header.created_at, p.file.name) for p in points if (p.header.created_at or 0) > now + _SKEW_NS]
    for created, name in ahead:
        yield f"{name} says it was created {span(((created or 0) - now) / _NS)} from now"
    for point in points:
        if point.file.mtime_ns > now + _SKEW_NS:
            yield f"{point.file.name} was modified {span((point.file.mtime_ns - now) / _NS)} from now"
    renamed = [p for p in points if _far_apart(time_in_name(p.file.name), p.header.created_at)]
    for point in renamed:
        yield f"the time in the name of {point.file.name} is not that of its creation"
    timed = [p for p in points if p.header.created_at is not None]
    moved = [p for p in timed if _far_apart(p.file.mtime_ns, p.header.created_at)]
    if moved:
        yield _moved(moved, timed)


def _moved(moved: Sequence[Checkpoint], timed: Sequence[Checkpoint]) -> str:
    """One sentence for a store that was copied: `recover_session` goes by the modification time alone."""
    by_mtime = sorted(timed, key=lambda p: p.file.mtime_ns)
    in_order = all((a.header.created_at or 0) <= (b.header.created_at or 0) for a, b in pairwise(by_mtime))
    which = f"{len(moved)} of {counted(len(timed), 'checkpoint')}" if len(timed) > 1 else moved[0].file.name
    was = "were" if len(timed) > 1 else "was"
    order = "their order is kept" if in_order else "and not in the order of creation, by which recovery goes"
    tail = f"; {order}" if len(timed) > 1 else ""
    return f"{which} {was} modified long before or after creation: copied or touched{tail}"


def _latest_problems(survey: Survey, choice: Checkpoint | None, best: Checkpoint | None) -> Iterator[str]:
    link = survey.latest
    if link is not None and link.problem is not None:
        told = {"dangling": "names a file that is not there", "absolute": "is an absolute link"}
        yield f"{_base(link.path)} {told.get(link.problem, link.problem)}: {link.target}"
    pointers = [link.path] if link is not None else [f.path for f in survey.of(FileKind.LATEST)]
    if survey.lacks is not None:
        yield survey.lacks
    if pointers and choice is not None and best is not None and not same_content(choice, best):
        if not choice.valid:
            yield f"{_base(pointers[0])} is {_name(choice)}, which does not verify"
        elif _further(best, choice):
            yield f"{_base(pointers[0])} is {_name(choice)}, older than the newest valid one, {_name(best)}"


def _name_problems(points: Sequence[Checkpoint]) -> Iterator[str]:
    for point in points:
        named, said = id_in_name(point.file.name), point.header.checkpoint_id
        if point.file.kind is FileKind.CHECKPOINT and named is not None and said is not None and named != said:
            yield f"{point.file.name} holds checkpoint_id {said}"


def _foreign_problems(points: Sequence[Checkpoint], session: Session) -> Iterator[str]:
    others = Counter(p.header.session_id or "" for p in points if is_foreign(session, p))
    for other, count in others.items():
        yield f"{counted(count, 'file')} of another session: {other}"


def _orphan_problems(points: Sequence[Checkpoint], session: Session, best: Checkpoint | None) -> Iterator[str]:
    """A temporary file that is whole holds a save that only lacked its rename."""
    for point in points:
        if point.file.kind is not FileKind.ORPHAN or not point.valid or is_foreign(session, point):
            continue
        if best is not None and best is not point and _further(point, best):
            yield f"{point.file.name} is a whole save at iteration {point.header.iteration}, further than {_name(best)}"


def _advice(
    session: Session,
    survey: Survey,
    choice: Checkpoint | None,
    recovered: Checkpoint | None,
    best: Checkpoint | None,
    any_file: bool,
) -> str | None:
    """One sentence where the runtime, left alone, would not resume from the best point by both of its ways."""
    alone = _what_the_runtime_does(survey, choice)
    if best is None:
        if not any_file:
            return None
        return f"lastgood advises none, because no file of the session verifies. The runtime alone {alone}"
    because = _because(session, choice, best)
    if because is None and (recovered is None or not same_content(recovered, best)):
        alone = "would recover nothing" if recovered is None else f"would recover from {_name(recovered)}"
        because = _because(session, recovered, best)
    return None if because is None else f"lastgood advises {_name(best)} because {because}. The runtime alone {alone}"


def _what_the_runtime_does(survey: Survey, choice: Checkpoint | None) -> str:
    if choice is None:
        if survey.latest is not None and _leads_away(survey):
            return f"would follow {_base(survey.latest.path)} out of the folder, to {survey.latest.target}"
        return "would find nothing to resume from"
    if not choice.runtime_accepts:
        # The digests of a mismatch stand with the file: here they would bury what is to be done.
        reason = (choice.runtime_reason or choice.reason or "").partition(": expected ")[0]
        return f"would fail on {_name(choice)} ({reason})"
    return f"would resume from {_name(choice)}"


def _leads_away(survey: Survey) -> bool:
    """The pointer to the latest leads to a file that lastgood does not open, and the runtime does."""
    return survey.latest is not None and survey.latest.problem not in (None, "absolute", "dangling")


def _because(session: Session, choice: Checkpoint | None, best: Checkpoint) -> str | None:
    """Why `best` and not `choice`; None where they are the same and the runtime takes it."""
    if choice is not None and same_content(choice, best):
        if best.runtime_accepts:
            return None
        return "it is what the runtime wrote, though it misreads a number in it (restore with --reseal)"
    if choice is None or not choice.valid:
        at = "" if best.header.iteration is None else f", at iteration {best.header.iteration}"
        return f"it is the furthest that verifies{at}"
    if is_foreign(session, choice):
        return f"the runtime's choice is of another session: {choice.header.session_id}"
    if choice.header.trigger == "salvaged":
        return "the runtime's choice is salvaged"
    if choice.file.kind is FileKind.ORPHAN:
        return "the runtime's choice was never finished"
    ahead = (best.header.iteration or 0) - (choice.header.iteration or 0)
    if best.header.iteration is not None and choice.header.iteration is not None and ahead > 0:
        return f"it is {counted(ahead, 'iteration')} further"
    if _later(best, choice):
        gap = ((best.header.created_at or 0) - (choice.header.created_at or 0)) / _NS
        return f"it was created {span(gap)} later" if ahead == 0 else "the session went back to it and ran on"
    return "the session had come further there"


def _further(one: Checkpoint, other: Checkpoint) -> bool:
    a, b = one.header, other.header
    return (a.iteration or 0, a.created_at or 0) > (b.iteration or 0, b.created_at or 0)


def _later(one: Checkpoint, other: Checkpoint) -> bool:
    return (one.header.created_at or 0) > (other.header.created_at or 0)


def _far_apart(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and abs(one - other) > _SAME_SAVE_NS


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _name(point: Checkpoint) -> str:
    return point.file.name
