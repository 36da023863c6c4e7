"""`show SESSION CHECKPOINT`: one checkpoint, its verdict and its content."""

from __future__ import annotations

import argparse

from ..core.assess import verify_all
from ..core.examine import Examination, examine
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
        from ..core.report import diagnosis_record, file_record

        found = _examined(store, session, point)
        put_json(
            {
                "checkpoint": file_record(point, session.name),
                "diagnosis": diagnosis_record(found.diagnosis),
                "pending": [{"name": c.name, "arguments": c.arguments} for c in found.pending],
                "data": value,
            }
        )
        return 0
    symbol, colour = integrity_look(point.integrity)
    put((f"{symbol} {point.integrity}", colour), "  ", (point.file.name, "bold"))
    found = _examined(store, session, point)
    fields = [*_fields(point), *_found(found)]
    for name, cells in fields:
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


def _examined(store: Store, session: Session, point: Checkpoint) -> Examination:
    return examine(store, point, verify_all(store, store.survey(session)))


def _found(found: Examination) -> list[tuple[str, list[Cell]]]:
    """What a close look found: the diagnosis in a word and a sentence, its place, each pending call."""
    diagnosis = found.diagnosis
    fields: list[tuple[str, list[Cell]]] = [("diagnosis", [(diagnosis.word, "bold"), f": {diagnosis.sentence}"])]
    if diagnosis.excerpt:
        fields.append(("", [(diagnosis.excerpt, "dim")]))
    fields += [("", [f"{note.word}: {note.sentence}"]) for note in diagnosis.notes]
    for call in found.pending:
        fields.append(("! pending", [f"{call.says()}  (the runtime may run it again)"]))
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
