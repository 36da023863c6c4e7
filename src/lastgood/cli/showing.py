"""`show`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..core.errors import UsageProblem
from ..core.model import Checkpoint, FileKind, StoredFile
from ..core.times import now_ns
from ..wording import log_says
from .opening import open_from
from .out import Cell, put, put_bytes, put_json, put_prose, put_table
from .words import ago, integrity_look, size, verdict_look

if TYPE_CHECKING:
    from ..core.assess import Assessed


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
