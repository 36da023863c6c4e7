"""The first tab: what a restore point is worth, why the session has its verdict, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll

from ...core.assess import Assessed
from ...core.model import Checkpoint, FileKind, Integrity, StoredFile, Verdict
from ...core.names import time_in_name
from ...core.sanitise import Safe
from ...core.words import counted
from ...wording import VERDICT_SYMBOLS, exact, integrity_look, kind_word, log_says, long_ago, moment, size
from ..actions import bindings_for
from ..news import Detail
from ..triage import files_in_order, listed, points_by_path
from .labelled import Labelled, Row

_LABEL = 13
"""Cells for the labels and the gap after them."""
_MOST_POINTS = 12


class Overview(VerticalScroll, inherit_bindings=False):
    """Rows of labels and sentences that scroll."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("overview")

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._rows: Sequence[Row] = ()

    def compose(self) -> ComposeResult:
        yield Labelled(label=_LABEL)

    def show(self, rows: Sequence[Row]) -> None:
        """Show these rows, from the top if they are of something else."""
        if list(rows) != list(self._rows):
            if not self._rows or rows[:1] != self._rows[:1]:
                self.scroll_to(y=0, animate=False)
            self._rows = list(rows)
            self.query_one(Labelled).show(self._rows)


def session_rows(seen: Assessed, now_ns: int) -> list[Row]:
    """A session's own overview: first what a decision needs, then what the tree's columns say already."""
    session = seen.session
    rows: list[Row] = [(_verdict_label(seen.verdict), _in_a_word(seen), _verdict_tone(seen.verdict))]
    if seen.lineage is not None and seen.best is None and seen.points:
        rows.append(("", "! no file of this session verifies: nothing to go back to", "bad"))
    if seen.advice:
        rows.append(("advice", seen.advice, "strong"))
    rows.append(("why", _why(seen), ""))
    rows += [("", f"! {problem}", "warning") for problem in seen.problems]
    if session.linked:
        rows.append(("link", f"leads to {session.linked}", "warning"))
    if seen.task:
        rows.append(("task", seen.task, ""))
    if session.meta and session.meta.termination_reason:
        rows.append(("ended", session.meta.termination_reason, ""))
    if seen.last_activity is not None:
        rows.append(("active", _time(seen.last_activity, now_ns), ""))
    rows.append(("files", _files(seen), ""))
    for log in seen.logs:
        tone = "warning" if log.problem else "muted"
        rows += [("session log" if n == 0 else "", line, tone) for n, line in enumerate(log_says(log, now_ns))]
    return [*rows, *_points(seen, now_ns)]


def point_rows(
    seen: Assessed, file: StoredFile, point: Checkpoint | None, detail: Detail | None, now_ns: int
) -> list[Row]:
    """One restore point's overview, then why its session has its verdict."""
    symbol, word, tone = integrity_look(point)
    if point is None:
        rows: list[Row] = [(f"{symbol} {word}", "not verified yet", "muted")]
    else:
        rows = [(f"{symbol} {word}", _integrity(point), tone)]
    if file.problem:
        rows.append(("", f"! {file.problem}", "bad"))
    if detail is not None:
        rows += [("what" if n == 0 else "", sentence, "bad") for n, sentence in enumerate(detail.diagnosis)]
        if detail.excerpt:
            rows.append(("", Safe(detail.excerpt), "muted"))
    rows += _standing(seen, point)
    if detail is not None and detail.pending:
        calls = counted(len(detail.pending), "tool call")
        rows.append(("! pending", f"{calls} issued and not answered; the runtime may run it again:", "warning"))
        rows += [("", call if len(call) < 400 else call[:400] + "…", "warning") for call in detail.pending[:5]]
    elif point is not None and point.header.pending:
        calls = counted(point.header.pending, "tool call")
        rows.append(("! pending", f"{calls} issued and not answered; the runtime may run it again", "warning"))
    rows += _times(file, point, now_ns)
    if point is not None:
        rows += _header(point)
    rows.append((str(seen.verdict), _why(seen), ""))
    if file.link:
        rows.append(("link", f"leads to {file.link}", "muted"))
    if detail is not None and detail.closing:
        rows += [(None, "", ""), (None, "How its conversation ends", "strong")]
        for turn in detail.closing:
            role, _, said = turn.partition(": ")
            rows.append((role if len(role) < _LABEL else "", said if len(role) < _LABEL else turn, ""))
    return rows


def masked(rows: Sequence[Row]) -> list[Row]:
    """The rows with what looks like a credential masked."""
    from ...core.redact import redact_text

    def hidden(says: str) -> str:
        return Safe(redact_text(says)) if isinstance(says, Safe) else redact_text(says)

    return [(label, hidden(says), tone) for label, says, tone in rows]


def _points(seen: Assessed, now_ns: int) -> list[Row]:
    """What going back to each restore point costs, as recovery would try them; what is wrong with the others."""
    by_path = points_by_path(seen)
    files = [file for file in files_in_order(seen.survey.files) if file.path in by_path]
    if not files:
        return []
    rows: list[Row] = [(None, "", ""), (None, "Going back to", "strong")]
    for file in files[:_MOST_POINTS]:
        point = by_path[file.path]
        symbol, word, _ = integrity_look(point)
        at = " ".join(p for p in (moment(file.mtime_ns, now_ns), kind_word(file)) if p)
        if point.valid:
            best = " ◂ best" if seen.best is not None and seen.best.file.path == file.path else ""
            rows.append((f"{symbol} {word}", f"{at} {seen.price_of(point).says()}{best}", "good" if best else ""))
        else:
            reason = (point.reason or str(point.integrity)).partition(": expected ")[0]
            rows.append((f"{symbol} {word}", f"{at} {reason}", "muted"))
    if len(files) > _MOST_POINTS:
        rows.append(("", f"and {len(files) - _MOST_POINTS:,} older: enter shows them", "muted"))
    return rows


def _why(seen: Assessed) -> str:
    return " · ".join(e.detail for e in seen.evidence)


def _integrity(point: Checkpoint) -> str:
    digest = f"sha256 {point.expected[:12]}…" if point.expected and point.valid else ""
    if point.valid:
        if point.runtime_accepts:
            says = "the runtime accepts it"
        else:
            says = f"but the runtime refuses it: {point.runtime_reason}; restore re-seals it"
        return " · ".join(p for p in (digest, says) if p)
    return f"{point.reason or point.integrity} · the runtime {'accepts' if point.runtime_accepts else 'refuses'} it"


def _standing(seen: Assessed, point: Checkpoint | None) -> list[Row]:
    """The best, the runtime's choice, and the price."""
    if point is None:
        return []
    rows: list[Row] = []
    choice = seen.lineage.runtime_choice if seen.lineage else None
    words = []
    if seen.best is not None and seen.best.file.path == point.file.path:
        words.append("the best of this session")
    if choice is not None and choice.file.path == point.file.path:
        words.append("the runtime alone would resume from here")
    if words:
        rows.append(("stands as", " · ".join(words), "good" if point.valid else "bad"))
    if point.valid:
        rows.append(("price", f"going back here {seen.price_of(point).says()}", "strong"))
    return rows


def _times(file: StoredFile, point: Checkpoint | None, now_ns: int) -> list[Row]:
    created = point.header.created_at if point else None
    rows: list[Row] = []
    if created is not None:
        rows.append(("created", _time(created, now_ns), ""))
    saved = time_in_name(file.name)
    told = [f"saved {exact(saved)}"] if saved is not None else []
    rows.append(("modified", " · ".join([_time(file.mtime_ns, now_ns), *told]), ""))
    return rows


def _header(point: Checkpoint) -> list[Row]:
    head = point.header
    figures = [
        f"iteration {head.iteration}" if head.iteration is not None else "",
        f"trigger {head.trigger}" if head.trigger else "",
        counted(head.messages, "message") if head.messages is not None else "",
        counted(head.tokens_used, "token") if head.tokens_used is not None else "",
        f"${head.cost_estimate:,.2f}" if head.cost_estimate is not None else "",
        size(point.file.size),
    ]
    rows: list[Row] = [("holds", " · ".join(f for f in figures if f), "")]
    if head.resume_hint:
        rows.append(("hint", head.resume_hint, ""))
    rows.append(("id", head.checkpoint_id or "none", "muted"))
    return rows


def _time(then_ns: int, now_ns: int) -> str:
    return f"{exact(then_ns)} ({long_ago(then_ns, now_ns)})"


def _files(seen: Assessed) -> str:
    if not listed(seen):
        return "not listed yet"
    survey = seen.survey
    kinds = [
        (counted(len(survey.of(FileKind.CHECKPOINT)), "checkpoint"), True),
        (counted(len(survey.of(FileKind.BACKUP)), "backup"), bool(survey.of(FileKind.BACKUP))),
        (counted(len(survey.of(FileKind.ORPHAN)), "orphaned temp file"), bool(survey.of(FileKind.ORPHAN))),
    ]
    parts = [words for words, there in kinds if there]
    if seen.points is not None:
        word = "whole" if any(p.integrity is Integrity.NOT_RECORDED for p in seen.points) else "valid"
        parts.append(f"{sum(p.valid for p in seen.points)} of {len(seen.points)} {word}")
        refused = sum(p.integrity is Integrity.VALID and not p.runtime_accepts for p in seen.points)
        if refused:
            parts.append(f"{refused} of these refused by the runtime")
    return " · ".join([*parts, size(survey.bytes)])


def _verdict_label(verdict: Verdict) -> str:
    return f"{VERDICT_SYMBOLS[verdict]} {verdict}"


def _in_a_word(seen: Assessed) -> str:
    if seen.verdict is Verdict.RESTORED:
        return "the runtime has not gone on from here yet"
    if seen.best is not None:
        return f"its best restore point {seen.price_of(seen.best).says()}"
    if seen.points is None:
        return "its files have not been verified yet"
    return "it has no restore point" if not seen.points else "it has no valid restore point"


def _verdict_tone(verdict: Verdict) -> str:
    return {
        Verdict.CRASHED: "bad",
        Verdict.DAMAGED: "bad",
        Verdict.UNCERTAIN: "warning",
        Verdict.LIVE: "good",
    }.get(verdict, "")
