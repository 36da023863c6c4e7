"""The commands that write: plan, show, ask, apply. And `log`, which tells what was done."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..config import Config
from ..core import act
from ..core.assess import assess_one, glance
from ..core.errors import Failed, LastgoodError, NotFound, Refused, UsageProblem
from ..core.examine import examine
from ..core.journal import Journal
from ..core.lookup import find_point
from ..core.model import Action, Plan, Session
from ..core.redact import redact_text
from ..core.report import action_record, plan_record
from ..core.store import Store
from ..core.times import now_ns
from .opening import open_from
from .out import Cell, OutputLost, ask, flush, put, put_json, put_table, say
from .words import ago, counted, exact


def restore(args: argparse.Namespace) -> int:
    store, config = _open_to_write(args)
    session = store.session(args.session)
    act.refuse_if_live(glance(store, session, config.thresholds), even_if_live=args.even_if_live)
    point = find_point(store, session, store.survey(session), args.checkpoint)
    plan = store.plan_restore(session, point, foreign=args.foreign, reseal=args.reseal)
    seen = assess_one(store, session, config.thresholds)
    facts = [f"going back to {point.file.name}: {seen.price_of(point).says()}"]
    facts += [f"pending: {call.says()}" for call in examine(store, point, ()).pending]
    if seen.advice:
        facts.append(seen.advice)
    extra = {"checkpoint_path": point.file.path, "restored_path": plan.facts["restored_path"]}
    return _one(args, store, plan, args.reason, facts, extra)


def salvage(args: argparse.Namespace) -> int:
    store, _ = _open_to_write(args)
    session = store.session(args.session)
    point = find_point(store, session, store.survey(session), args.file)
    plan = store.plan_salvage(session, point.file)
    return _one(args, store, plan, None, [], {"salvaged_path": plan.facts["salvaged_path"]})


def repair(args: argparse.Namespace) -> int:
    store, _ = _open_to_write(args)
    return _one(args, store, store.plan_repair(store.session(args.session)), None, [], {})


def undo(args: argparse.Namespace) -> int:
    store, _ = _open_to_write(args)
    plan = Journal(store.path).plan_undo(args.action)
    return _one(args, store, plan, None, [], {"undoes": plan.undoes})


def terminate(args: argparse.Namespace) -> int:
    if not args.reason.strip():
        raise UsageProblem("--reason must say something: it stays with the session and in the log")
    store, config = _open_to_write(args)

    def plan(session: Session) -> Plan:
        made = store.plan_terminate(session, args.reason)  # first: what can never be done says so
        act.refuse_if_live(glance(store, session, config.thresholds), even_if_live=args.even_if_live)
        return made

    return _many(args, store, plan, args.reason)


def activate(args: argparse.Namespace) -> int:
    store, _ = _open_to_write(args)
    return _many(args, store, store.plan_activate, None)


def log(args: argparse.Namespace) -> int:
    """What was done to this store, newest last: when, by whom and from where, why, and each path before and after."""
    store, _ = open_from(args)
    journal = Journal(store.path)
    actions = journal.actions()
    problem = journal.problem()
    if args.json:
        put_json({"store": store.path, "actions": [action_record(a) for a in actions], "problem": problem})
        return 0
    now = now_ns()
    rows: list[list[Cell]] = [
        [
            a.id,
            (ago(a.at, now), "dim"),
            a.op,
            " ".join(a.sessions),
            (a.state, "yellow" if a.state == "open" else "dim"),
            a.reason or "",
        ]
        for a in actions
    ]
    put_table(rows, flexible=(5, 3), notes=[_log_notes(a) for a in actions])
    if problem:
        say(("! ", "yellow"), problem)
    say(counted(len(actions), "action"))
    return 0


def _log_notes(action: Action) -> list[str]:
    who = f"{exact(action.at)} by {action.user} on {action.host}"
    notes = [who + (f", from {action.ssh_from}" if action.ssh_from else "")]
    notes += [f"{path}: {change}" for path, change in action.facts.items() if " -> " in change]
    return notes + ([action.note] if action.note else [])


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "restore": restore,
    "terminate": terminate,
    "activate": activate,
    "salvage": salvage,
    "repair": repair,
    "undo": undo,
    "log": log,
}


def _open_to_write(args: argparse.Namespace) -> tuple[Store, Config]:
    store, config = open_from(args)
    if not args.dry_run:
        if args.read_only or config.read_only:
            raise Refused("read-only was asked for: nothing is written (--dry-run shows the plan)")
        if why := Journal(store.path).writable():
            raise Refused(f"{store.path} cannot be written: {why}\nnothing changed (--dry-run shows the plan)")
        # First what a crash left open: a plan made on top of it would only be refused.
        for sentence in Journal(store.path).settle():
            say(("! ", "yellow"), sentence)
    return store, config


def _one(
    args: argparse.Namespace, store: Store, plan: Plan, reason: str | None, facts: list[str], extra: dict[str, Any]
) -> int:
    """Show one plan, ask, apply it, say what was done."""
    show = say if args.json else put
    action = None
    with _told_if_cut_off(store):
        _show_plan(show, plan, facts)
        if not args.dry_run and plan.steps:
            _agree(args, 1)
            action = act.apply(store, plan, reason=reason)
        if args.json:
            put_json({**_outcome(plan, action.id if action else None, args.dry_run), **extra})
        elif action is not None:
            put(
                ("done", "green"),
                f"  {plan.kind} {' '.join(plan.sessions)}  action {action.id}  ({_way_back(plan, action)})",
            )
        flush()
    return 0


@contextmanager
def _told_if_cut_off(store: Store) -> Iterator[None]:
    """Where Ctrl-C or a full disk keeps the outcome from being told: what this call had done by then."""
    journal = Journal(store.path)
    before = {action.id for action in journal.actions()}

    def since() -> str:
        done = [a for a in journal.actions() if a.id not in before and a.state == "done"]
        if not done:
            return "nothing changed"
        told = ", ".join(f"{a.op} {' '.join(a.sessions)} (action {a.id})" for a in done)
        return f"done: {told}; `lastgood undo ACTION` takes it back"

    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(since()) from None
    except OutputLost as lost:
        raise OutputLost(f"{lost}; {since()}") from lost


def _way_back(plan: Plan, action: Action) -> str:
    # `undo` alone walks on to the action before: what was taken back returns by its name.
    return f"lastgood undo {action.id} does it again" if plan.kind == "undo" else "lastgood undo takes it back"


def _outcome(plan: Plan, action_id: str | None, dry_run: bool) -> dict[str, Any]:
    return {
        "action_id": action_id,
        "plan": plan_record(plan),
        "warnings": list(plan.warnings),
        "applied": not dry_run,
    }


@dataclass
class _Turn:
    """One session of a bulk action: its plan or why there is none, then what became of it."""

    session: str
    plan: Plan | None = None
    error: LastgoodError | None = None
    action_id: str | None = None


def _many(args: argparse.Namespace, store: Store, planner: Callable[[Session], Plan], reason: str | None) -> int:
    """Plan each session, ask once, apply each as an action of its own, go on after a refusal."""
    with _told_if_cut_off(store):
        code = _each(args, store, planner, reason)
        flush()
    return code


def _each(args: argparse.Namespace, store: Store, planner: Callable[[Session], Plan], reason: str | None) -> int:
    turns = [_planned(store, name, planner) for name in dict.fromkeys(args.sessions)]
    show = say if args.json else put
    for turn in turns:
        if turn.plan is not None:
            _show_plan(show, turn.plan, [])
        elif turn.error is not None:
            say(("✗ ", "red"), f"{turn.session}: ", _first_line(turn.error))
    ready = [t for t in turns if t.plan is not None and t.plan.steps]
    if ready and not args.dry_run:
        _agree(args, len(ready))
        for turn in ready:
            try:
                action = act.apply(store, turn.plan, reason=reason) if turn.plan else None
                turn.action_id = action.id if action else None
                if action and action.note:
                    say(("! ", "yellow"), action.note)
            except LastgoodError as error:
                turn.error = error
                say(("✗ ", "red"), f"{turn.session}: ", str(error))
    code = _worst(turns)
    if args.json:
        put_json(_bulk_outcome(turns, args.dry_run))
    elif not args.dry_run:
        done = sum(t.error is None for t in turns)
        ids = [t.action_id for t in turns if t.action_id]
        put(f"{args.command}: {done} of {counted(len(turns), 'session')} done", f"  action {ids[0]}" if ids else "")
        if len(ids) > 1:
            put("each is an action of its own; this takes all back:")
            put("  " + " && ".join(f"lastgood undo {id}" for id in reversed(ids)))
    return code


def _planned(store: Store, name: str, planner: Callable[[Session], Plan]) -> _Turn:
    try:
        return _Turn(name, planner(store.session(name)))
    except LastgoodError as error:
        return _Turn(name, error=error)


def _bulk_outcome(turns: list[_Turn], dry_run: bool) -> dict[str, Any]:
    """The plain outcome, `action_id` being the last of `action_ids`, and `results`, one for each session."""
    plans = [t.plan for t in turns if t.plan is not None]
    ids = [t.action_id for t in turns if t.action_id]
    return {
        "action_id": ids[-1] if ids else None,
        "action_ids": ids,
        "plan": [step for p in plans for step in plan_record(p)],
        "warnings": [w for p in plans for w in p.warnings],
        "applied": not dry_run and any(t.error is None for t in turns),
        "results": [
            {
                "session_id": t.session,
                "action_id": t.action_id,
                "applied": not dry_run and t.error is None,
                "error": str(t.error) if t.error else None,
                "exit_code": t.error.exit_code if t.error else 0,
            }
            for t in turns
        ],
    }


def _worst(turns: list[_Turn]) -> int:
    """The gravest outcome: failed part-way, then refused, then not found."""
    codes = {t.error.exit_code for t in turns if t.error}
    return next(
        (c for c in (Failed.exit_code, Refused.exit_code, NotFound.exit_code) if c in codes), max(codes, default=0)
    )


def _first_line(error: LastgoodError) -> str:
    return str(error).split("\n")[0]


def _show_plan(show: Callable[..., None], plan: Plan, facts: list[str]) -> None:
    """The plan as it may be pasted into a ticket: credentials masked. What is written is not."""
    for warning in plan.warnings:
        show(("! ", "yellow"), redact_text(warning))
    show((f"{plan.kind} {' '.join(plan.sessions)}", "bold"))
    for fact in facts:
        show("  ", redact_text(fact))
    if not plan.steps:
        show("  nothing to do: it is so already")
    for step in plan.steps:
        show("  ", (step.op.ljust(8), "cyan"), step.path)
        show("           ", (redact_text(step.detail), "dim"))


def _agree(args: argparse.Namespace, actions: int) -> None:
    """Ask on the terminal unless `--yes` was said.

    Raises:
        Refused: the answer is no, or there is no terminal to ask on.
    """
    if args.yes:
        return
    answer = ask(f"do {counted(actions, 'action')}? [y/N] ")
    if answer is None:
        raise Refused("nothing changed: no terminal to ask on; say --yes to do it, or --dry-run to see the plan")
    if answer not in ("y", "yes"):
        raise Refused("not done: nothing changed")
