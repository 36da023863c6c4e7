"""`verify`: every file of a store with its verdict, looked at by as many processes as there are cores."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..core.errors import UsageProblem
from ..core.model import Checkpoint, Integrity, Session, StoredFile
from ..core.shares import by_shares
from ..core.store import Store, listed, open_store
from .opening import open_from
from .out import Cell, json_lines, put_json_list, put_table, say
from .words import counted, integrity_look, size

_ALONE_BELOW = 64
"""Entries of a store. Where there are fewer, files are divided among the processes instead of whole sessions."""
_SHARES_EACH = 48
"""For each process: one session can have a thousand times as much to be read as another."""

_GOOD = frozenset((Integrity.VALID, Integrity.NOT_RECORDED))

_Verify = Callable[[Sequence[StoredFile]], Iterable[Checkpoint]]


_Line = tuple[str, bool, bool, Any]
"""One file: its integrity, whether the runtime refuses it though it is valid, whether it is not there, what is shown.

That is its JSON; or session, name, length and notes.
"""
_Looked = tuple[str, str | None, list[_Line]]
"""A session's name, why not all of it could be listed, its files."""


def verify(args: argparse.Namespace) -> int:
    """Every file with its verdict; exit 1 where one is not valid, 3 where a named one does not exist."""
    if args.file and args.sessions:
        raise UsageProblem("--file looks at files in no store: name sessions or files, not both")
    lines = _named_files(args) if args.file else _store_files(args)
    if args.json:
        from ..core.report import files_summary

        summary = files_summary([integrity for integrity, *_ in lines], sum(refused for _, refused, _, _ in lines))
        put_json_list({"summary": summary}, "files", [record for *_, record in lines])
    else:
        _put_verdicts(lines)
    if any(missing for _, _, missing, _ in lines):
        return 3
    return 0 if all(integrity in _GOOD for integrity, *_ in lines) else 1


def _store_files(args: argparse.Namespace) -> list[_Line]:
    store, config = open_from(args)
    cache = None if args.no_cache else config.open_cache()
    found = [] if args.sessions else listed(store.path)
    if len(found) < _ALONE_BELOW:
        from ..core.workers import verify_files

        sessions = [store.session(name) for name in args.sessions] or list(store.sessions(found))
        looked = _look(store, sessions, lambda files: verify_files(store, files, cache=cache), args.json)
    else:
        remembered = cache.open(store.path) if cache is not None else None

        def look(share: Sequence[os.DirEntry[str]]) -> tuple[list[_Looked], dict[str, bytes]]:
            def each(files: Sequence[StoredFile]) -> Iterable[Checkpoint]:
                if remembered is None:
                    return map(store.verify, files)
                return (remembered.verify(file, store.verify) for file in files)

            seen = _look(store, store.sessions(share), each, args.json)
            return seen, remembered.drain() if remembered is not None else {}

        def again(share: Sequence[os.DirEntry[str]]) -> tuple[list[_Looked], dict[str, bytes]]:
            """A process died over one of these: in workers, of which such a file takes no other along."""
            from ..core.workers import verify_files

            return _look(store, store.sessions(share), lambda f: verify_files(store, f, processes=1), args.json), {}

        looked = []
        for some, added in by_shares(found, look, shares_each=_SHARES_EACH, alone_below=_ALONE_BELOW, again=again):
            looked += some
            if remembered is not None:
                remembered.take(added)
        if remembered is not None:
            remembered.save()
    for name, problem, _ in looked:
        if problem:
            say(("! ", "yellow"), f"{name}: {problem}")
    return [line for _, _, lines in sorted(looked, key=lambda one: one[0]) for line in lines]


def _look(store: Store, sessions: Iterable[Session], verify: _Verify, as_json: bool) -> list[_Looked]:
    """These sessions, their files in the order of their names; `verify` is given all files at once."""
    surveys = [(session.name, store.survey(session)) for session in sessions]
    found = {point.file.path: point for point in verify([file for _, survey in surveys for file in survey.files])}
    looked = []
    for name, survey in surveys:
        points = [found[file.path] for file in sorted(survey.files)]
        looked.append((name, survey.problem, [_line(store, name, p, points, as_json) for p in points]))
    return looked


def _named_files(args: argparse.Namespace) -> list[_Line]:
    from ..config import load

    store = open_store(os.path.curdir, max_bytes=load(args.config).max_bytes)
    points = [store.verify(store.alone(path)) for path in args.file]
    return [_line(store, point.header.session_id, point, [], args.json) for point in points]


def _line(store: Store, session: str | None, point: Checkpoint, points: Sequence[Checkpoint], as_json: bool) -> _Line:
    """What is to be said of one file, among the other `points` of its session."""
    diagnosis, integrity = None, point.integrity
    refused = integrity in _GOOD and not point.runtime_accepts
    if integrity not in _GOOD:
        from ..core.examine import examine

        diagnosis = examine(store, point, points).diagnosis
    missing = integrity is Integrity.UNREADABLE and point.file.inode == 0
    if as_json:
        from ..core.report import diagnosis_record, file_record

        diagnosed = diagnosis_record(diagnosis) if diagnosis else None
        (record,) = json_lines([{**file_record(point, session), "diagnosis": diagnosed}])
        return integrity.value, refused, missing, record
    notes = [point.reason] if point.reason else []
    if refused:  # its words say enough; `show` names the numbers
        notes.append(f"the runtime refuses it: {point.runtime_reason}")
    if diagnosis is not None and diagnosis.sentence not in notes:
        notes.append(f"{diagnosis.word}: {diagnosis.sentence}")
    return integrity.value, refused, missing, (session or "-", point.file.name, size(point.file.size), notes)


def _put_verdicts(lines: Sequence[_Line]) -> None:
    looks: dict[str, Cell] = {}
    for integrity in Integrity:
        symbol, colour = integrity_look(integrity)
        looks[integrity.value] = (f"{symbol} {integrity}", colour)
    rows = [(looks[integrity], *shown[:3]) for integrity, _, _, shown in lines]
    put_table(rows, flexible=(2, 1), right=(3,), notes=[shown[3] for *_, shown in lines])
    counts = Counter(integrity for integrity, *_ in lines)
    parts = [counted(len(lines), "file")] + [f"{n:,} {verdict}" for verdict, n in sorted(counts.items())]
    say(" · ".join(parts))
