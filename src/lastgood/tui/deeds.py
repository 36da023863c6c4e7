"""What an action will be shown as before it is done, and the doing of it. No widget: values in, values out.

Everything here reads the disk, and :func:`do` writes it, so it runs in a thread of the loader, never on the screen's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from ..core import act
from ..core.assess import Assessed, assess_one, glance
from ..core.errors import LastgoodError, Refused
from ..core.examine import examine
from ..core.journal import Journal
from ..core.lookup import find_point
from ..core.model import Plan, Session, StoredFile
from ..core.store import Store
from ..core.verdict import Thresholds
from ..core.words import counted

USUAL_REASONS = ("crashed", "superseded", "abandoned", "operator decision")
"""Offered for the end of a session; any other text can be typed."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan, or several of one kind, with what somebody should know before saying yes."""

    verb: str
    """The name of the action in the table."""
    title: str
    plans: tuple[Plan, ...]
    warnings: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    """Label and sentence: what it costs, what the runtime alone would do."""
    skipped: tuple[str, ...] = ()
    """What was asked for and will not be done, and why."""
    type_to_agree: str | None = None
    """Text to be typed first, where the session may be live."""
    asks_reason: bool = False
    reason: str | None = None

    @property
    def empty(self) -> bool:
        """Nothing would change."""
        return not any(plan.steps for plan in self.plans)

    def as_text(self) -> list[str]:
        """The whole of it as lines, as `--dry-run` says it."""
        lines = [self.title]
        lines += [f"! {warning}" for warning in self.warnings]
        lines += [f"{label}: {says}" for label, says in self.facts]
        for plan in self.plans:
            lines += [f"{step.op:8} {step.path}\n         {step.detail}" for step in plan.steps]
        lines += [f"skipped: {line}" for line in self.skipped]
        return "\n".join(lines).split("\n")


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a proposal."""

    verb: str
    sessions: tuple[str, ...]
    says: str
    action_id: str | None
    problems: tuple[str, ...] = ()
    """One for each plan that was refused or failed, in full, and what had to be settled before."""


def propose_restore(store: Store, thresholds: Thresholds, seen: Assessed, file: StoredFile | None) -> Proposal:
    """Going back to `file`, or to the session's best restore point where None.

    Raises:
        Refused, NotFound: the point does not verify, is another session's, or is gone.
    """
    session = store.session(seen.session.name)
    fresh = glance(store, session, thresholds)
    if seen.points is None:  # not looked at yet, or let go
        seen = assess_one(store, session, thresholds)
    point = store.verify(file) if file is not None else find_point(store, session, fresh.survey, "best")
    warnings: list[str] = []
    if point.valid and not point.runtime_accepts:
        warnings.append(f"the runtime refuses this file as it is ({point.runtime_reason}); it is re-sealed on the way")
    plan = store.plan_restore(session, point, reseal=point.valid and not point.runtime_accepts)
    facts = [("to", f"{point.file.name}, iteration {_or_unknown(point.header.iteration)}")]
    facts.append(("price", seen.price_of(point).says()))
    line = seen.lineage
    if line is not None:
        choice = line.runtime_choice
        alone = "nothing it accepts" if choice is None else choice.file.name
        refused = "" if choice is None or choice.runtime_accepts else ", which it then refuses"
        same = choice is not None and choice.file.path == point.file.path
        name = "this one" if same else alone
        facts.append(("runtime", f"alone would resume from {name}{refused}"))
        if line.advice and (line.best is None or line.best.file.path != point.file.path):
            warnings.append(line.advice)
    facts += [("pending", call.says()[:200]) for call in examine(store, point, ()).pending[:5]]
    return Proposal(
        "restore",
        f"Restore {session.name}",
        (plan,),
        (*_live_warning(fresh), *warnings, *plan.warnings),
        tuple(facts),
        type_to_agree=_to_type(fresh),
        asks_reason=True,
    )


def propose_terminate(
    store: Store, thresholds: Thresholds, names: Sequence[str], reason: str, hidden: Collection[str] = ()
) -> Proposal:
    """Marking sessions ended. Of several, those that may be live are left out; a single one asks for its id."""
    return _propose_marks(
        store, thresholds, names, hidden, "terminate", "Terminate", lambda s: store.plan_terminate(s, reason), reason
    )


def propose_activate(
    store: Store, thresholds: Thresholds, names: Sequence[str], hidden: Collection[str] = ()
) -> Proposal:
    """Marking sessions active again; as for terminate."""
    return _propose_marks(store, thresholds, names, hidden, "activate", "Activate", store.plan_activate, None)


def _propose_marks(
    store: Store,
    thresholds: Thresholds,
    names: Sequence[str],
    hidden: Collection[str],
    verb: str,
    word: str,
    planner: Callable[[Session], Plan],
    reason: str | None,
) -> Proposal:
    plans: list[Plan] = []
    warnings: list[str] = []
    skipped: list[str] = []
    to_type: str | None = None
    for name in names:
        try:
            session = store.session(name)
            fresh = glance(store, session, thresholds)
            if verb == "terminate" and (why := act.why_live(fresh)) is not None:
                if len(names) > 1:
                    skipped.append(why)
                    continue
                warnings += _live_warning(fresh)
                to_type = name
            plan = planner(session)
        except LastgoodError as error:
            if len(names) == 1:
                raise
            skipped.append(f"{name}: {error}")
            continue
        if not plan.steps:
            skipped.append(f"{name}: it is so already")
            continue
        plans.append(plan)
        warnings += [f"{name}: {warning}" if len(names) > 1 else warning for warning in plan.warnings]
    if not plans:
        raise Refused("\n".join(["nothing to do", *skipped]))
    unseen = len(hidden & {name for plan in plans for name in plan.sessions}) if isinstance(hidden, set) else 0
    if unseen:
        warnings.insert(0, f"{counted(unseen, 'marked session')} of these not shown now: hidden by the filter")
    what = plans[0].sessions[0] if len(names) == 1 else counted(len(plans), "session")
    facts = [("reason", reason)] if reason else []
    if len(plans) > 1:
        facts.append(("sessions", " ".join(name for plan in plans for name in plan.sessions)))
    return Proposal(
        verb, f"{word} {what}", tuple(plans), tuple(warnings), tuple(facts), tuple(skipped), to_type, reason=reason
    )


def propose_undo(store: Store, action_id: str | None) -> Proposal:
    """Taking back an action, by default the last one that is done."""
    journal = Journal(store.path)
    plan = journal.plan_undo(action_id)
    undone = next((a for a in journal.actions() if a.id == plan.undoes), None)
    facts: list[tuple[str, str]] = []
    if undone is not None:
        from ..core.times import now_ns
        from ..wording import long_ago

        by = f"{undone.user}{f' from {undone.ssh_from}' if undone.ssh_from else ''}"
        facts = [("action", undone.id), ("was", f"{undone.op} {long_ago(undone.at, now_ns())} by {by}")]
        if undone.reason:
            facts.append(("because", undone.reason))
    what = f"{undone.op} of " if undone is not None else ""
    return Proposal("undo", f"Undo {what}{' '.join(plan.sessions)}", (plan,), plan.warnings, tuple(facts))


def propose_salvage(store: Store, thresholds: Thresholds, seen: Assessed, file: StoredFile) -> Proposal:
    """The readable part of a damaged file as a new checkpoint, marked as such."""
    session = store.session(seen.session.name)
    plan = store.plan_salvage(session, file)
    facts = (("from", file.name),)
    fresh = glance(store, session, thresholds)
    return Proposal(
        "salvage",
        f"Salvage a file of {session.name}",
        (plan,),
        (*_live_warning(fresh), *plan.warnings),
        facts,
        type_to_agree=_to_type(fresh),
    )


def propose_repair(store: Store, thresholds: Thresholds, seen: Assessed) -> Proposal:
    """Damaged or missing metadata rebuilt."""
    session = store.session(seen.session.name)
    plan = store.plan_repair(session)
    fresh = glance(store, session, thresholds)
    return Proposal(
        "repair",
        f"Repair the metadata of {session.name}",
        (plan,),
        (*_live_warning(fresh), *plan.warnings),
        type_to_agree=_to_type(fresh),
    )


def do(store: Store, proposal: Proposal, reason: str | None) -> Done:
    """Apply every plan of `proposal`, each as an action of its own; go on after one that is refused or fails."""
    problems: list[str] = list(Journal(store.path).settle())
    ids: list[str] = []
    sessions: list[str] = []
    for plan in proposal.plans:
        try:
            action = act.apply(store, plan, reason=reason or proposal.reason)
        except LastgoodError as error:
            problems.append(f"{' '.join(plan.sessions)}: {error}")
            continue
        sessions += plan.sessions
        if action is not None:
            ids.append(action.id)
    done = f"{_PAST[proposal.verb]} {sessions[0] if len(sessions) == 1 else counted(len(sessions), 'session')}"
    touched = tuple(name for plan in proposal.plans for name in plan.sessions)
    return Done(proposal.verb, touched, done if sessions else "", ids[-1] if ids else None, tuple(problems))


_PAST = {
    "restore": "restored",
    "terminate": "terminated",
    "activate": "activated",
    "undo": "undone:",
    "salvage": "salvaged a file of",
    "repair": "repaired",
}


def _or_unknown(number: int | None) -> str:
    return "unknown" if number is None else str(number)


def _live_warning(seen: Assessed) -> list[str]:
    why = act.why_live(seen)
    return [] if why is None else [why]


def _to_type(seen: Assessed) -> str | None:
    return seen.session.name if act.why_live(seen) is not None else None
