"""`recover` and `diff`: what the runtime would choose, and what differs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..core.assess import assess_one
from ..core.errors import NotFound
from ..core.model import Checkpoint, Integrity
from ..core.store import Store
from .opening import open_from
from .out import Cell, put, put_json, put_prose

if TYPE_CHECKING:
    pass


def recover(args: argparse.Namespace) -> int:
    """The runtime's own choice and why it passed each newer file over; exit 1 where it finds nothing valid."""
    store, config = open_from(args)
    session = store.session(args.session)
    recovery = store.recover(session)
    advice = assess_one(store, session, config.thresholds).advice
    if args.json:
        from ..core.report import recovery_record

        record = recovery_record(recovery, content(store, recovery.chosen) if recovery.chosen else None)
        put_json({**record, "advice": advice})
        return 0 if recovery.chosen else 1
    for passed in recovery.passed_over:
        put(
            ("✗ passed over  ", "red"),
            passed.path.rpartition("/")[2],
            "  ",
            f"{'refused' if passed.integrity is Integrity.VALID else passed.integrity}: {passed.reason}",
        )
    if recovery.chosen is None:
        put(("nothing to recover", "red"), f": no file of {recovery.session} that the runtime accepts")
        return 1
    kind = "backup" if recovery.recovered_from_backup else "checkpoint"
    iteration = recovery.chosen.header.iteration
    put(("✓ chosen       ", "green"), recovery.chosen.file.path, f"  ({kind}, iteration {iteration})")
    if advice:
        put_prose("  ", advice)
    return 0


def content(store: Store, point: Checkpoint) -> object:
    """What the checkpoint holds, numbers read exactly."""
    from ..core.serde import parse_exactly

    return parse_exactly(store.read(point.file))


def diff(args: argparse.Namespace) -> int:
    """What differs between two restore points; exit 1 where anything does."""
    from ..core.diff import diff as compare
    from ..core.lookup import find_point

    store, _ = open_from(args)
    session = store.session(args.session)
    survey = store.survey(session)
    points = [find_point(store, session, survey, name) for name in (args.a, args.b)]
    values = [_object(store, p) for p in points]
    found = compare(values[0], values[1], store.state_path(points[1].file))
    if args.json:
        put_json(
            {
                "session_id": session.name,
                "a": points[0].file.path,
                "b": points[1].file.path,
                "summary": found.summary,
                "messages_added": found.messages_added,
                "messages_lost": found.messages_lost,
                "changes": [
                    {"path": c.path, "kind": c.kind, "old": c.old, "new": c.new, "delta": c.delta}
                    for c in found.changes
                ],
            }
        )
    else:
        put(("- ", "red"), points[0].file.path)
        put(("+ ", "green"), points[1].file.path)
        put(found.summary)
        for change in found.changes:
            put(*_change_line(change.kind, change.path, change.old, change.new))
    return 1 if found.changes else 0


def _object(store: Store, point: Checkpoint) -> dict[str, object]:
    from ..core.serde import ParseFault

    try:
        value = content(store, point)
    except ParseFault as fault:
        raise NotFound(f"{point.file.path} cannot be compared: {point.reason or fault}") from fault
    if not isinstance(value, dict):
        raise NotFound(f"{point.file.path} cannot be compared: it holds no object")
    return value


def _change_line(kind: str, path: str, old: object, new: object) -> list[Cell]:
    if kind == "added":
        return [("+ ", "green"), path, "  ", _short(new)]
    if kind == "removed":
        return [("- ", "red"), path, "  ", _short(old)]
    return [("~ ", "yellow"), path, "  ", _short(old), " → ", _short(new)]


def _short(value: object) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else text[:119] + "…"
