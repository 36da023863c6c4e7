"""`list`: every session, looked at by as many processes as there are cores."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.model import WORST_FIRST, Action, FileKind, Verdict
from ..core.shares import by_shares
from ..core.store import Store, listed
from ..core.times import now_ns
from ..core.verdict import Thresholds
from .opening import open_from
from .out import Cell, json_lines, put_json_list, put_table, say
from .words import counted, short_ago, verdict_look

if TYPE_CHECKING:
    from ..config import Config
    from ..core.assess import Assessed
    from ..core.cache import Remembered
    from ..core.ended import Ended
    from ..core.evidence import Host

_ENDED_RANK = WORST_FIRST.index(Verdict.ENDED)
_ALONE_BELOW = 256
"""Fewer sessions are looked at before another process has started."""
_SHARES_EACH = 8
"""For each process: looking at one session takes as long as at another."""


_Line = tuple[tuple[int, int, str], str, str, bool, Any]
"""One session: its place in the order of triage, its state, its verdict, whether it is unclean, what is shown of it.

That is its JSON; or name, task, last activity, iteration and points; None where it is not to be shown.
"""


def list_sessions(args: argparse.Namespace) -> int:
    """Every session, worst first; exit 1 with `--unclean` where there is one."""
    store, config = open_from(args)
    seen = _lines(store, config, args)
    verdicts = Counter(verdict for _, _, verdict, _, _ in seen)
    shown = [(verdict, shown) for _, _, verdict, _, shown in seen if shown is not None]
    if args.json:
        from ..core.report import sessions_summary

        unclean = sum(unclean for _, _, _, unclean, _ in seen)
        summary = sessions_summary([state for _, state, _, _, _ in seen], verdicts, unclean)
        put_json_list({"store": store.path, "summary": summary}, "sessions", [record for _, record in shown])
    else:
        now = now_ns()
        put_table([_row(verdict, row, now) for verdict, row in shown], flexible=(2, 1), right=(3, 4))
        parts = [counted(len(seen), "session")] + [f"{n:,} {verdict}" for verdict, n in verdicts.items()]
        say(" · ".join(parts if len(shown) == len(seen) else [*parts, f"{len(shown):,} shown"]))
    return 1 if args.unclean and shown else 0


def _lines(store: Store, config: Config, args: argparse.Namespace) -> list[_Line]:
    """Every session, worst first."""
    found = listed(store.path)
    if not found:
        return []
    # Not before: on an empty store the answer is there sooner than these are.
    from ..core.assess import actions_on
    from ..core.evidence import Host

    cache = None if args.no_cache else config.open_cache()
    looking = _Looking(
        store,
        config.thresholds,
        Host.look(store.path),
        actions_on(store),
        cache.ended(store) if cache is not None and not args.verify else None,
        cache.open(store.path) if cache is not None and args.verify else None,
        args,
    )
    kept = looking.ended or looking.remembered

    def look(share: Sequence[os.DirEntry[str]]) -> tuple[list[_Line], dict[str, bytes]]:
        remembered = [looking.remembers(entry) for entry in share]
        lines = [line for line in remembered if line is not None]
        # One after the other they take half the time that they take in between.
        lines += looking.at([entry for entry, line in zip(share, remembered, strict=True) if line is None])
        lines.sort()
        return lines, kept.drain() if kept is not None else {}

    lines: list[_Line] = []
    for some, added in by_shares(found, look, shares_each=_SHARES_EACH, alone_below=_ALONE_BELOW):
        lines += some
        if kept is not None:
            kept.take(added)
    if looking.ended is not None:
        looking.ended.save({entry.name for entry in found})
    if looking.remembered is not None:
        looking.remembered.save()
    lines.sort()
    return lines


class _Looking(NamedTuple):
    """What a look at each session rests on."""

    store: Store
    thresholds: Thresholds
    host: Host
    actions: Sequence[Action]
    ended: Ended | None
    """What was said of sessions that have ended; None where every session is looked at."""
    remembered: Remembered | None
    """The verdicts on files; None where each is read, or none."""
    args: argparse.Namespace

    def remembers(self, entry: os.DirEntry[str]) -> _Line | None:
        """What was said of the entry's session when it was looked at last, if that still holds."""
        ended, args = self.ended, self.args
        if ended is None or (known := ended.get(entry)) is None or self.host.processes.of(entry.name):
            return None
        activity, row, record = known
        shown = None if args.unclean else record if args.json else json.loads(row)
        return (_ENDED_RANK, -activity, entry.name), "terminated", "ended", False, shown

    def at(self, entries: Sequence[os.DirEntry[str]]) -> Iterator[_Line]:
        """The sessions of these entries, looked at now."""
        from ..core.assess import triage_order
        from ..core.report import session_record

        args, ended = self.args, self.ended
        looked_at = now_ns()
        seen = [one for entry in entries for one in self._assess(entry)]
        folders = Counter([one.session.path for one in seen])
        records = [b""] * len(seen)
        if args.json or ended is not None:
            records = json_lines([session_record(one, verified=args.verify) for one in seen])
        for one, record in zip(seen, records, strict=True):
            session, order, row = one.session, triage_order(one), _told(one)
            if ended is not None and one.verdict is Verdict.ENDED and folders[session.path] == 1:
                ended.put(session, one.survey.files, looked_at, -order[1], json.dumps(row).encode(), record)
            shown: Any = None if args.unclean and not session.unclean else record if args.json else row
            yield order, session.state.value, one.verdict.value, session.unclean, shown

    def _assess(self, entry: os.DirEntry[str]) -> Iterator[Assessed]:
        from ..core.assess import assess, verify_all

        for session in self.store.sessions((entry,)):
            survey = self.store.survey(session)
            yield assess(
                self.store,
                session,
                host=self.host,
                thresholds=self.thresholds,
                actions=self.actions,
                survey=survey,
                points=verify_all(self.store, survey, self.remembered) if self.args.verify else None,
            )


def _told(seen: Assessed) -> tuple[Any, ...]:
    """What the table says of a session: name, task, last activity, iteration, points."""
    task = seen.task or seen.session.meta_problem or ""
    return seen.session.name, task, seen.last_activity, seen.last_iteration, _points(seen)


def _row(verdict: str, row: Sequence[Any], now: int) -> list[Cell]:
    symbol, colour = verdict_look(Verdict(verdict))
    name, task, activity, iteration, points = row
    return [
        (f"{symbol} {verdict}", colour),
        name,
        task,
        (short_ago(activity, now), "dim"),
        "-" if iteration is None else f"it {iteration}",
        points,
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
