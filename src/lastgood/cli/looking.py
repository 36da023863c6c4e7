"""`verify`, `recover` and `diff`: what reads and never writes."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.assess import assess_one
from ..core.errors import NotFound, UsageProblem
from ..core.model import Checkpoint, Integrity
from ..core.store import Store, open_store
from .opening import open_from
from .out import Cell, put, put_json, put_prose, put_table, say
from .words import counted, integrity_look, size

if TYPE_CHECKING:
    from ..core.diagnose import Diagnosis


@dataclass(frozen=True, slots=True)
class _Looked:
    """One file that `verify` looked at."""

    session: str | None
    point: Checkpoint
    diagnosis: Diagnosis | None = None
    """What exactly is wrong; None where nothing is, or where there was no session to compare it with."""


def verify(args: argparse.Namespace) -> int:
    """Every file with its verdict; exit 1 where one is not valid, 3 where a named one does not exist."""
    if args.file and args.sessions:
        raise UsageProblem("--file looks at files in no store: name sessions or files, not both")
    seen = _named_files(args) if args.file else _store_files(args)
    points = [looked.point for looked in seen]
    if args.json:
        from ..core.report import diagnosis_record, file_record, files_summary

        files = [
            {
                **file_record(looked.point, looked.session),
                "diagnosis": diagnosis_record(looked.diagnosis) if looked.diagnosis else None,
            }
            for looked in seen
        ]
        put_json({"files": files, "summary": files_summary(points)})
    else:
        _put_verdicts(seen)
    if any(p.integrity is Integrity.UNREADABLE and p.file.inode == 0 for p in points):
        return 3
    return 0 if all(p.valid for p in points) else 1


def _store_files(args: argparse.Namespace) -> list[_Looked]:
    from ..core.workers import verify_files

    store, config = open_from(args)
    sessions = [store.session(name) for name in args.sessions] or list(store.sessions())
    surveys = [(s.name, store.survey(s)) for s in sessions]
    for name, survey in surveys:
        if survey.problem:
            say(("! ", "yellow"), f"{name}: {survey.problem}")
    cache = None if args.no_cache else config.open_cache()
    checked = verify_files(store, [f for _, s in surveys for f in s.files], cache=cache)
    found = {p.file.path: p for p in checked}
    looked: list[_Looked] = []
    for name, survey in sorted(surveys, key=lambda s: s[0]):
        points = [found[f.path] for f in sorted(survey.files, key=lambda f: f.name)]
        looked += [_Looked(name, p, _diagnosis(store, p, points)) for p in points]
    return looked


def _diagnosis(store: Store, point: Checkpoint, points: list[Checkpoint]) -> Diagnosis | None:
    # Of a valid file that the runtime refuses its words say enough; `show` names the numbers.
    if point.valid:
        return None
    from ..core.examine import examine

    return examine(store, point, points).diagnosis


def _named_files(args: argparse.Namespace) -> list[_Looked]:
    from ..config import load

    store = open_store(os.path.curdir, max_bytes=load(args.config).max_bytes)
    points = [store.verify(store.alone(path)) for path in args.file]
    return [_Looked(p.header.session_id, p, _diagnosis(store, p, [])) for p in points]


def _put_verdicts(seen: list[_Looked]) -> None:
    rows: list[list[Cell]] = []
    notes: list[list[str]] = []
    for looked in seen:
        point = looked.point
        symbol, colour = integrity_look(point.integrity)
        name, length = point.file.name, size(point.file.size)
        rows.append([(f"{symbol} {point.integrity}", colour), looked.session or "-", name, length])
        notes.append(_notes(looked))
    put_table(rows, flexible=(2, 1), right=(3,), notes=notes)
    counts: dict[str, int] = {}
    for looked in seen:
        counts[looked.point.integrity] = counts.get(looked.point.integrity, 0) + 1
    parts = [counted(len(seen), "file")] + [f"{n:,} {verdict}" for verdict, n in sorted(counts.items())]
    say(" · ".join(parts))


def _notes(looked: _Looked) -> list[str]:
    """The reason, then what a close look adds to it."""
    point, diagnosis = looked.point, looked.diagnosis
    notes = [point.reason] if point.reason else []
    if point.valid and not point.runtime_accepts:
        notes.append(f"the runtime refuses it: {point.runtime_reason}")
    if diagnosis is not None and diagnosis.sentence not in notes:
        notes.append(f"{diagnosis.word}: {diagnosis.sentence}")
    return notes


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
