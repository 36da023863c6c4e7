"""`show SESSION CHECKPOINT`: one checkpoint, its verdict and its content."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

from ..core.assess import verify_all
from ..core.diagnose import Diagnosis
from ..core.examine import examine
from ..core.model import Checkpoint, Session
from ..core.pending import WARNING, PendingCall, pending_calls, within
from ..core.redact import redact, redact_text
from ..core.sanitise import clean_lines
from ..core.store import Store
from ..core.times import now_ns
from .out import Cell, put, put_json, say
from .words import ago, exact, integrity_look, size


def show_checkpoint(args: argparse.Namespace, store: Store, session: Session, point: Checkpoint) -> int:
    """The checkpoint's verdict, times and fields, then its JSON (or its text where that does not parse)."""
    raw = b"" if point.file.problem else store.read(point.file)
    value = _value(raw)
    if args.redact:
        value = redact(value)
    pending = pending_calls(within(value, store.state_path(point.file)))
    diagnosis = examine(store, point, verify_all(store, store.survey(session))).diagnosis
    if args.redact:
        # Its excerpt may begin inside a secret, where nothing tells that it is one.
        diagnosis = replace(diagnosis, sentence=redact_text(diagnosis.sentence), excerpt="", notes=())
    if args.json:
        from ..core.report import diagnosis_record, file_record

        put_json(
            {
                "checkpoint": file_record(point, session.name),
                "diagnosis": diagnosis_record(diagnosis),
                "pending": [{"name": c.name, "arguments": c.arguments} for c in pending],
                "data": value,
            }
        )
        return 0
    symbol, colour = integrity_look(point.integrity)
    put((f"{symbol} {point.integrity}", colour), "  ", (point.file.name, "bold"))
    fields = [*_fields(point, redacted=args.redact), *_found(diagnosis, pending)]
    for name, cells in fields:
        put(("  " + name.ljust(10), "dim"), *cells)
    put()
    if args.redact and value is None:
        say(("! ", "yellow"), "its text is not shown: it does not parse, so nothing tells what in it is secret")
        return 0
    for line in _text(raw, value):
        put(line)
    return 0


def _fields(point: Checkpoint, *, redacted: bool) -> list[tuple[str, list[Cell]]]:
    header, now = point.header, now_ns()
    hint = header.resume_hint or "-"
    accepts = "accepts it" if point.runtime_accepts else f"refuses it: {point.runtime_reason}"
    fields: list[tuple[str, list[Cell]]] = [
        ("path", [point.file.path]),
        ("runtime", [accepts]),
        ("created", [f"{exact(header.created_at)}  ({ago(header.created_at, now)})"]),
        ("modified", [f"{exact(point.file.mtime_ns)}  ({ago(point.file.mtime_ns, now)})"]),
        ("size", [size(point.file.size)]),
        ("iteration", ["-" if header.iteration is None else str(header.iteration)]),
        ("trigger", [redact_text(header.trigger or "-") if redacted else header.trigger or "-"]),
        ("tokens", ["-" if header.tokens_used is None else f"{header.tokens_used:,}"]),
        ("cost", ["-" if header.cost_estimate is None else _money(header.cost_estimate)]),
        ("messages", ["-" if header.messages is None else str(header.messages)]),
        (
            "pending",
            [f"{header.pending or 0} tool calls: the runtime may run them again" if header.pending else "none"],
        ),
        ("hint", [redact_text(hint) if redacted else hint]),
    ]
    return fields


def _money(dollars: float) -> str:
    return f"${dollars:,.4f}" if abs(dollars) < 1e12 else f"${dollars:.3g}"


def _found(diagnosis: Diagnosis, pending: Sequence[PendingCall]) -> list[tuple[str, list[Cell]]]:
    """What a close look found: the diagnosis in a word and a sentence, its place, each pending call."""
    fields: list[tuple[str, list[Cell]]] = [("diagnosis", [(diagnosis.word, "bold"), f": {diagnosis.sentence}"])]
    if diagnosis.excerpt:
        fields.append(("", [(diagnosis.excerpt, "dim")]))
    fields += [("", [f"{note.word}: {note.sentence}"]) for note in diagnosis.notes]
    for call in pending:
        fields.append(("! pending", [f"{call.says()}  ({WARNING})"]))
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
