"""`verify`, `recover` and `diff`: what reads and never writes."""

from __future__ import annotations

import argparse
import os
import stat

from ..core.errors import NotFound, UsageProblem
from ..core.model import Checkpoint, FileKind, Integrity, StoredFile
from ..core.store import Store
from .opening import open_from
from .out import Cell, put, put_json, put_table, say
from .words import counted, integrity_look, size


def verify(args: argparse.Namespace) -> int:
    """Every file with its verdict; exit 1 where one is not valid, 3 where a named one does not exist."""
    if args.file and args.sessions:
        raise UsageProblem("--file looks at files in no store: name sessions or files, not both")
    seen = _named_files(args) if args.file else _store_files(args)
    points = [p for _, p in seen]
    if args.json:
        from ..core.report import file_record, files_summary

        put_json({"files": [file_record(p, session) for session, p in seen], "summary": files_summary(points)})
    else:
        _put_verdicts(seen)
    if any(p.integrity is Integrity.UNREADABLE and p.file.inode == 0 for p in points):
        return 3
    return 0 if all(p.valid for p in points) else 1


def _store_files(args: argparse.Namespace) -> list[tuple[str | None, Checkpoint]]:
    from .. import paths
    from ..core.cache import Cache
    from ..core.workers import verify_files

    store, _ = open_from(args)
    sessions = [store.session(name) for name in args.sessions] or list(store.sessions())
    surveys = [(s.name, store.survey(s)) for s in sessions]
    for name, survey in surveys:
        if survey.problem:
            say(("! ", "yellow"), f"{name}: {survey.problem}")
    owner = {file.path: name for name, survey in surveys for file in survey.files}
    cache = None if args.no_cache else Cache(paths.cache_dir())
    checked = verify_files(store, [f for _, s in surveys for f in s.files], cache=cache)
    return [(owner[p.file.path], p) for p in sorted(checked, key=lambda p: p.file.path)]


def _named_files(args: argparse.Namespace) -> list[tuple[str | None, Checkpoint]]:
    from ..core.continuum import ContinuumStore

    store = ContinuumStore(os.path.curdir)
    points = [store.verify(_named_file(path)) for path in args.file]
    return [(p.header.session_id, p) for p in points]


def _named_file(path: str) -> StoredFile:
    """A file that the user named: a symlink to it is followed, since that is what was named."""
    from ..core.continuum import kind_of

    path = os.path.abspath(path)
    kind = kind_of(os.path.basename(path)) or FileKind.CHECKPOINT
    try:
        real = os.path.realpath(path)
        seen = os.stat(real)
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or str(error)
        return StoredFile(path, kind, 0, 0, 0, 0, 0, None, words)
    problem = None if stat.S_ISREG(seen.st_mode) else "not a regular file: not opened"
    return StoredFile(
        real, kind, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_dev, seen.st_ino, None, problem
    )


def _put_verdicts(seen: list[tuple[str | None, Checkpoint]]) -> None:
    rows: list[list[Cell]] = []
    notes: list[list[str]] = []
    for session, point in seen:
        symbol, colour = integrity_look(point.integrity)
        rows.append([(f"{symbol} {point.integrity}", colour), session or "-", point.file.name, size(point.file.size)])
        notes.append([point.reason] if point.reason else [])
        if point.valid and not point.runtime_accepts:
            notes[-1].append(f"the runtime refuses it: {point.runtime_reason}")
    put_table(rows, flexible=(2, 1), right=(3,), notes=notes)
    counts: dict[str, int] = {}
    for _, point in seen:
        counts[point.integrity] = counts.get(point.integrity, 0) + 1
    parts = [counted(len(seen), "file")] + [f"{n:,} {verdict}" for verdict, n in sorted(counts.items())]
    say(" · ".join(parts))


def recover(args: argparse.Namespace) -> int:
    """The runtime's own choice and why it passed each newer file over; exit 1 where it finds nothing valid."""
    store, _ = open_from(args)
    recovery = store.recover(store.session(args.session))
    if args.json:
        from ..core.report import recovery_record

        put_json(recovery_record(recovery, content(store, recovery.chosen) if recovery.chosen else None))
        return 0 if recovery.chosen else 1
    for passed in recovery.passed_over:
        put(("✗ passed over  ", "red"), passed.path.rpartition("/")[2], "  ", f"{passed.integrity}: {passed.reason}")
    if recovery.chosen is None:
        put(("nothing to recover", "red"), f": no file of {recovery.session} that the runtime accepts")
        return 1
    kind = "backup" if recovery.recovered_from_backup else "checkpoint"
    iteration = recovery.chosen.header.iteration
    put(("✓ chosen       ", "green"), recovery.chosen.file.path, f"  ({kind}, iteration {iteration})")
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
    found = compare(*values)
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
