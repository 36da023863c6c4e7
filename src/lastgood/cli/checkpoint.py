"""`show SESSION CHECKPOINT`: one checkpoint, its verdict and its content."""

from __future__ import annotations

import argparse

from ..core.model import Checkpoint, Session
from ..core.sanitise import clean_lines
from ..core.store import Store
from ..core.times import now_ns
from .out import Cell, put, put_json
from .words import ago, exact, integrity_look, size


def show_checkpoint(args: argparse.Namespace, store: Store, session: Session, point: Checkpoint) -> int:
    """The checkpoint's verdict, times and fields, then its JSON (or its text where that does not parse)."""
    raw = b"" if point.file.problem else store.read(point.file)
    value = _value(raw)
    if args.redact:
        from ..core.redact import redact

        value = redact(value)
    if args.json:
        from ..core.report import file_record

        put_json({"checkpoint": file_record(point, session.name), "data": value})
        return 0
    symbol, colour = integrity_look(point.integrity)
    put((f"{symbol} {point.integrity}", colour), "  ", (point.file.name, "bold"))
    for name, cells in _fields(point):
        put(("  " + name.ljust(10), "dim"), *cells)
    put()
    for line in _text(raw, value):
        put(line)
    return 0


def _fields(point: Checkpoint) -> list[tuple[str, list[Cell]]]:
    header, now = point.header, now_ns()
    accepts = "accepts it" if point.runtime_accepts else f"refuses it: {point.runtime_reason}"
    fields: list[tuple[str, list[Cell]]] = [
        ("path", [point.file.path]),
        ("reason", [point.reason or "-"]),
        ("runtime", [accepts]),
        ("created", [f"{exact(header.created_at)}  ({ago(header.created_at, now)})"]),
        ("modified", [f"{exact(point.file.mtime_ns)}  ({ago(point.file.mtime_ns, now)})"]),
        ("size", [size(point.file.size)]),
        ("iteration", [str(header.iteration)]),
        ("trigger", [header.trigger or "-"]),
        ("tokens", ["-" if header.tokens_used is None else f"{header.tokens_used:,}"]),
        ("cost", ["-" if header.cost_estimate is None else f"${header.cost_estimate:,.4f}"]),
        ("messages", ["-" if header.messages is None else str(header.messages)]),
        (
            "pending",
            [f"{header.pending or 0} tool calls: the runtime may run them again" if header.pending else "none"],
        ),
        ("hint", [header.resume_hint or "-"]),
    ]
    return fields


def _value(raw: bytes) -> object:
    from ..core.serde import ParseFault, parse_exactly

    try:
        return parse_exactly(raw)
    except ParseFault:
        return None


def _text(raw: bytes, value: object) -> list[str]:
    if value is None:
        return list(clean_lines(raw.decode("utf-8", "surrogateescape")))
    import json

    return list(clean_lines(json.dumps(value, indent=2, ensure_ascii=False)))
