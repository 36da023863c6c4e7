"""`list` and `show`."""

from __future__ import annotations

import argparse

from ..core.assess import Assessed, assess_all, assess_one
from ..core.model import Checkpoint, FileKind, StoredFile, Verdict
from ..core.times import now_ns
from .opening import open_from
from .out import Cell, put, put_bytes, put_json, put_prose, put_table, say
from .words import ago, counted, integrity_look, short_ago, size, verdict_look


def list_sessions(args: argparse.Namespace) -> int:
    """Every session, worst first; exit 1 with `--unclean` where there is one."""
    store, config = open_from(args)
    seen = assess_all(store, config.thresholds, verify=args.verify)
    shown = [s for s in seen if s.session.unclean] if args.unclean else seen
    if args.json:
        from ..core.report import session_record, sessions_summary

        put_json(
            {
                "store": store.path,
                "summary": sessions_summary(seen),
                "sessions": [session_record(s, verified=args.verify) for s in shown],
            }
        )
    else:
        now = now_ns()
        put_table([_row(s, now) for s in shown], flexible=(2, 1), right=(3, 4))
        say(_summary(seen, len(shown)))
    return 1 if args.unclean and shown else 0


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
            return f"{valid}/{len(seen.points)} valid"
        lost = seen.price_of(seen.best).iterations
        return f"{valid}/{len(seen.points)} loses {'?' if lost is None else lost} it"
    return counted(len(survey.of(FileKind.CHECKPOINT, FileKind.BACKUP, FileKind.ORPHAN)), "point")


def _summary(seen: list[Assessed], shown: int) -> str:
    parts = [counted(len(seen), "session")]
    for verdict in Verdict:
        if count := sum(s.verdict is verdict for s in seen):
            parts.append(f"{count:,} {verdict}")
    if shown != len(seen):
        parts.append(f"{shown:,} shown")
    return " · ".join(parts)


def show(args: argparse.Namespace) -> int:
    """One session with its restore points, or one checkpoint."""
    store, config = open_from(args)
    session = store.session(args.session)
    if args.checkpoint is None:
        if args.raw:
            from ..core.errors import UsageProblem

            raise UsageProblem("--raw needs a CHECKPOINT: lastgood show SESSION CHECKPOINT --raw")
        seen = assess_one(store, session, config.thresholds)
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
