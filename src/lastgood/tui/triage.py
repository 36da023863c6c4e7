"""Which sessions the tree shows, and in which order: values in, values out, no widget."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..core.assess import Assessed
from ..core.model import WORST_FIRST, Checkpoint, FileKind, StoredFile, Verdict
from ..core.words import counted

_RANK = {verdict: rank for rank, verdict in enumerate(WORST_FIRST)}
FAULTS = frozenset({Verdict.CRASHED, Verdict.DAMAGED, Verdict.UNCERTAIN})
"""The verdicts that somebody has to look into; a session with an invalid file or a problem is one too."""

UNLISTED = ""
"""The folder of a survey that stands for "not listed yet": the first paint rests on names and metadata alone."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the tree: a session, or one of its files."""

    session: str
    path: str | None = None
    """The file's path; None for the session's own row."""


@dataclass(frozen=True, slots=True)
class Sort:
    """One order of the tree."""

    name: str
    """Also the heading of the column that it sorts by."""
    key: Callable[[Assessed], tuple[object, ...]]


def listed(seen: Assessed) -> bool:
    """Whether the session's files have been listed."""
    return seen.survey.folder != UNLISTED


def good_of(seen: Assessed) -> tuple[int, int] | None:
    """Valid files and all files; None where they have not been verified."""
    if seen.figures is not None:
        return seen.figures.valid, seen.figures.files
    if seen.points is None:
        return None
    return sum(p.valid for p in seen.points), len(seen.points)


def lost_iterations(seen: Assessed) -> int | None:
    """What going back to the best restore point loses; None where that is not known or there is none."""
    if seen.figures is not None:
        return seen.figures.lost_iterations
    return seen.price_of(seen.best).iterations if seen.best is not None else None


def nothing_left(seen: Assessed) -> bool:
    """Whether its files were verified, and there is none to go back to."""
    if seen.figures is not None:
        return not seen.figures.has_best
    return seen.points is not None and seen.best is None


def _newest(seen: Assessed) -> int:
    return -(seen.last_activity or 0)


def _worst(seen: Assessed) -> tuple[object, ...]:
    return (_RANK[seen.verdict], _newest(seen), seen.session.name)


def _fewest_good(seen: Assessed) -> tuple[object, ...]:
    good = good_of(seen)
    return ((1, 0, 0) if good is None else (0, good[0], -good[1]), *_worst(seen))


def _dearest(seen: Assessed) -> tuple[object, ...]:
    lost = lost_iterations(seen)
    return (0 if nothing_left(seen) else 2 if lost is None else 1, -(lost or 0), *_worst(seen))


SORTS: tuple[Sort, ...] = (
    Sort("worst", _worst),
    Sort("last", lambda s: (_newest(s), s.session.name)),
    Sort("session", lambda s: (s.session.name,)),
    Sort("task", lambda s: (s.task is None, (s.task or "").casefold(), s.session.name)),
    Sort("it", lambda s: (-(s.last_iteration if s.last_iteration is not None else -1), s.session.name)),
    Sort("good", _fewest_good),
    Sort("loses", _dearest),
)
"""Every order that `sort` goes through, the first at the start."""


def is_fault(seen: Assessed) -> bool:
    """Whether somebody should look into it."""
    good = good_of(seen)
    return seen.verdict in FAULTS or bool(seen.problems) or (good is not None and good[0] < good[1])


def matches(seen: Assessed, query: str) -> bool:
    """Whether a session is what `query` asks for: each word found in its id, verdict, task, reason or path.

    A word is found where it stands as it is, or where its letters come in order, each next to the one before it or at
    the start of a word (`fbt`: fix billing tests); in the path, which all have much of in common, one with a slash
    (:func:`along`). A word after `!` must not be found.
    """
    words = query.split()
    if not words:
        return True
    meta = seen.session.meta
    near = " ".join(
        part.casefold()
        for part in (
            seen.session.name,
            str(seen.verdict),
            seen.task or "",
            (meta.termination_reason or "") if meta else "",
        )
        if part
    )
    far = seen.session.path.casefold()
    for word in words:
        wanted = word.removeprefix("!").casefold()
        if not wanted:
            continue
        found = wanted in near or wanted in far or fuzzy(wanted, near) or along(wanted, far)
        if found == word.startswith("!"):
            return False
    return True


_WORD_START = re.compile(r"\b\w")


@lru_cache(maxsize=8192)
def _word_starts(text: str) -> tuple[int, ...]:
    return tuple(match.start() for match in _WORD_START.finditer(text))


def fuzzy(wanted: str, text: str) -> bool:
    """Whether the letters of `wanted` come in order in `text`, each next to the last or at the start of a word."""
    at = -1
    for letter in wanted:
        at = text.find(letter, at + 1)
        if at < 0:
            return False
    starts = _word_starts(text)
    ends = {i for i in starts if text[i] == wanted[0]}
    for letter in wanted[1:]:
        earliest = min(ends, default=len(text))
        ends = {i + 1 for i in ends if i + 1 < len(text) and text[i + 1] == letter} | {
            i for i in starts if i > earliest and text[i] == letter
        }
        if not ends:
            return False
    return bool(ends)


def along(wanted: str, path: str) -> bool:
    """Whether the pieces of `wanted` between its slashes are found in the path's folders, in order (`cont/ch/61`)."""
    if "/" not in wanted:
        return False
    folders = iter(path.split("/"))
    return all(any(piece in name or fuzzy(piece, name) for name in folders) for piece in wanted.split("/") if piece)


def in_order(sessions: Iterable[Assessed], sort: Sort = SORTS[0], *, reverse: bool = False) -> list[Assessed]:
    """All sessions, sorted."""
    return sorted(sessions, key=sort.key, reverse=reverse)


def narrowed(order: Sequence[Assessed], *, query: str = "", faults_only: bool = False) -> list[Assessed]:
    """Those of the sessions that are to be shown."""
    kept = [seen for seen in order if is_fault(seen)] if faults_only else list(order)
    return [seen for seen in kept if matches(seen, query)] if query.split() else kept


_KIND_ORDER = {FileKind.CHECKPOINT: 0, FileKind.LATEST: 0, FileKind.BACKUP: 1, FileKind.ORPHAN: 2}


def files_in_order(files: Iterable[StoredFile]) -> list[StoredFile]:
    """Checkpoints newest first, then backups, then orphans: as recovery would try them."""
    return sorted(files, key=lambda f: (_KIND_ORDER[f.kind], -f.mtime_ns))


def lines(order: Iterable[Assessed], opened: Collection[str]) -> list[Line]:
    """The rows of the tree: each session, and below an open one its files."""
    rows: list[Line] = []
    for seen in order:
        name = seen.session.name
        rows.append(Line(name))
        if name in opened:
            rows += [Line(name, file.path) for file in files_in_order(seen.survey.files)]
    return rows


def keep_place(rows: list[Line], held: Line | None, was_at: int) -> int:
    """The row to stand on after the rows changed: the same one, else its session's, else the same number."""
    if held is None:
        return 0
    session_at: int | None = None
    for at, row in enumerate(rows):
        if row == held:
            return at
        if row.session == held.session and row.path is None:
            session_at = at
    return session_at if session_at is not None else max(0, min(was_at, len(rows) - 1))


def points_by_path(seen: Assessed) -> Mapping[str, Checkpoint]:
    """The verified files of a session by their path."""
    return {point.file.path: point for point in seen.points or ()}


def headline(sessions: Iterable[Assessed]) -> list[tuple[str, Verdict | None]]:
    """What the store holds, worst first: `1,204 sessions`, `40 crashed`, `3 damaged`; each with its verdict."""
    by_verdict = Counter(seen.verdict for seen in sessions)
    total: list[tuple[str, Verdict | None]] = [(counted(sum(by_verdict.values()), "session"), None)]
    return total + [(f"{by_verdict[v]:,} {v}", v) for v in WORST_FIRST if by_verdict[v]]
