"""`list` and `show`."""

from __future__ import annotations

import argparse
import marshal
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.errors import UsageProblem
from ..core.model import Checkpoint, FileKind, StoredFile
from ..core.shares import by_shares
from ..core.store import Store, listed
from ..core.times import now_ns
from ..core.verdict import Thresholds
from ..wording import log_says
from .opening import open_from
from .out import Cell, json_text, put, put_bytes, put_json, put_json_list, put_prose, put_table, say
from .words import ago, counted, integrity_look, short_ago, size, verdict_look

if TYPE_CHECKING:
    from ..core.assess import Assessed


def list_sessions(args: argparse.Namespace) -> int:
    """Every session, worst first; exit 1 with `--unclean` where there is one."""
    store, config = open_from(args)
    seen = _lines(store, config.thresholds, args)
    shown = [line.shown for line in seen if line.shown is not None]
    verdicts: dict[str, int] = {}
    for line in seen:
        verdicts[line.verdict] = verdicts.get(line.verdict, 0) + 1
    if args.json:
        from ..core.report import sessions_summary

        summary = sessions_summary([s.state for s in seen], verdicts, sum(s.unclean for s in seen))
        put_json_list({"store": store.path, "summary": summary}, "sessions", shown)
    else:
        put_table(shown, flexible=(2, 1), right=(3, 4))
        parts = [counted(len(seen), "session")] + [f"{n:,} {verdict}" for verdict, n in verdicts.items()]
        say(" · ".join(parts if len(shown) == len(seen) else [*parts, f"{len(shown):,} shown"]))
    return 1 if args.unclean and shown else 0


class _Line(NamedTuple):
    """One session as a process that looked at it gives it back: plain values alone."""

    order: tuple[int, int, str]
    state: str
    verdict: str
    unclean: bool
    shown: Any
    """Its JSON or its row of the table; None where it is not to be shown."""


def _lines(store: Store, thresholds: Thresholds, args: argparse.Namespace) -> list[_Line]:
    """Every session, worst first, each looked at and put into words in one of as many processes as there are cores."""
    found = listed(store.path)
    if not found:
        return []
    # Not before: on an empty store the answer is there sooner than these are.
    from ..core.assess import actions_on, assess, triage_order, verify_all
    from ..core.evidence import Host

    host, actions, now = Host.look(store.path), actions_on(store), now_ns()

    def look(share: Sequence[os.DirEntry[str]]) -> bytes:
        lines = []
        for session in store.sessions(share):
            survey = store.survey(session)
            points = verify_all(store, survey) if args.verify else None
            seen = assess(
                store, session, host=host, thresholds=thresholds, actions=actions, survey=survey, points=points
            )
            shown = None if args.unclean and not session.unclean else _shown(seen, args, now)
            line = _Line(triage_order(seen), session.state.value, seen.verdict.value, session.unclean, shown)
            lines.append(tuple(line))
        return marshal.dumps(lines)

    lines = [_Line(*line) for part in by_shares(found, look) for line in marshal.loads(part)]
    return sorted(lines, key=lambda line: line.order)


def _shown(seen: Assessed, args: argparse.Namespace, now: int) -> bytes | list[Cell]:
    if not args.json:
        return _row(seen, now)
    from ..core.report import session_record

    return json_text(session_record(seen, verified=args.verify), within=2)


def _row(seen: Assessed, now: int) -> list[Cell]:
    symbol, colour = verdict_look(seen.verdict)
    iteration = seen.last_iteration
    return [
        (f"{symbol} {seen.verdict}", colour),
        seen.session.name,
        seen.task or seen.session.meta_problem or "",
        (short_ago(seen.last_activity, now), "dim"),
        "-" if iteration is None else f"it {iteration}",
        _points(seen),
    ]


def _points(seen: Assessed) -> str:
    survey = seen.survey
    if seen.points is not None:
        valid = sum(p.valid for p in seen.points)
        if seen.best is None:
            return f"{valid}/{len(seen.points)} good"
        lost = seen.price_of(seen.best).iterations
        return f"{valid}/{len(seen.points)} loses {'?' if lost is None else lost} it"
    return counted(len(survey.of(FileKind.CHECKPOINT, FileKind.BACKUP, FileKind.ORPHAN)), "point")


def show(args: argparse.Namespace) -> int:
    """One session with its restore points, or one checkpoint."""
    if args.raw and args.redact:
        raise UsageProblem("--raw writes the bytes as they are, so nothing in them can be masked: leave --redact out")
    if args.raw and args.checkpoint is None:
        raise UsageProblem("--raw needs a CHECKPOINT: lastgood show SESSION CHECKPOINT --raw")
    store, config = open_from(args)
    session = store.session(args.session)
    if args.checkpoint is None:
        from ..core.assess import assess_one

        seen = assess_one(store, session, config.thresholds)
        if args.redact:
            from ..core.redact import redact_text

            masked = (
                log._replace(last_content=log.last_content and redact_text(log.last_content)) for log in seen.logs
            )
            seen = seen._replace(logs=tuple(masked))
        if args.json:
            from ..core.report import file_record, price_record, session_record

            files = [
                {**file_record(p, session.name), "lost": price_record(seen.price_of(p)) if p.valid else None}
                for p in seen.points or ()
            ]
            put_json({"store": store.path, "session": session_record(seen, verified=True), "files": files})
        else:
            _put_session(seen)
        return 0
    from ..core.lookup import find_point

    point = find_point(store, session, store.survey(session), args.checkpoint)
    if args.raw:
        put_bytes(store.read(point.file))
        return 0
    from .checkpoint import show_checkpoint

    return show_checkpoint(args, store, session, point)


def _put_session(seen: Assessed) -> None:
    now = now_ns()
    session = seen.session
    symbol, colour = verdict_look(seen.verdict)
    put((f"{symbol} {seen.verdict}", colour), "  ", (session.name, "bold"), "  ", seen.task or "")
    put("  ", session.path)
    for evidence in seen.evidence:
        put_prose((f"{evidence.says:>11}  ", "dim"), evidence.detail)
    for problem in seen.problems:
        put_prose(("          !  ", "yellow"), problem)
    for log in seen.logs:
        for n, line in enumerate(log_says(log, now)):
            put_prose(("        log  " if n == 0 else " " * 13, "dim"), line)
    put()
    if not seen.points:
        put("  no restore points")
        return
    best = seen.best.file if seen.best else None
    order = sorted(seen.points, key=lambda p: (_KIND_ORDER[p.file.kind], -p.file.mtime_ns))
    put_table(
        [_file_row(p, now) for p in order],
        flexible=(1,),
        right=(3,),
        notes=[_file_notes(seen, p, best) for p in order],
    )
    if seen.advice:
        put()
        put_prose("  ", seen.advice)


_KIND_ORDER = {FileKind.CHECKPOINT: 0, FileKind.LATEST: 1, FileKind.BACKUP: 2, FileKind.ORPHAN: 3}


def _file_row(point: Checkpoint, now: int) -> list[Cell]:
    symbol, colour = integrity_look(point.integrity)
    iteration = point.header.iteration
    return [
        (f"  {symbol} {point.integrity}", colour),
        point.file.name,
        "-" if iteration is None else f"it {iteration}",
        size(point.file.size),
        (ago(point.header.created_at or point.file.mtime_ns, now), "dim"),
    ]


def _file_notes(seen: Assessed, point: Checkpoint, best: StoredFile | None) -> list[str]:
    """What a row cannot hold: what going back there loses, or why nobody can."""
    if not point.valid:
        return [point.reason or ""]
    notes = [("best: " if point.file == best else "") + seen.price_of(point).says()]
    if not point.runtime_accepts:
        notes.append(f"the runtime refuses it: {point.runtime_reason} (--reseal restores it)")
    return notes
