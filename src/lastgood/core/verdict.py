"""What probably happened to a session: facts in, verdict and evidence out. Pure; :mod:`evidence` gathers the facts.

On disk a running session looks exactly like a crashed one, so no single fact decides. Each rule below turns one
kind of fact into one sentence and says what it points to; :func:`judge` weighs what they say, in a fixed order.
"""

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Literal, NamedTuple

from .model import Evidence, State, Verdict
from .words import span

_NS = 1_000_000_000


class Thresholds(NamedTuple):
    """The figures that a verdict rests on; each can be set in the configuration under ``[thresholds]``."""

    live_min_seconds: float = 60.0
    """A session written to more recently than this may be alive, even where no process is found for it."""
    live_max_seconds: float = 3600.0
    """One idle for longer than this is not taken for alive without a process, whatever its rhythm. A paused one
    writes nothing, so it is given all of this time."""
    rhythm_factor: float = 3.0
    """A session may be alive while it is idle for less than this many of its usual gaps between checkpoints."""
    unseen_factor: float = 2.0
    """How many times longer to wait where its process could not have been seen: other users, other hosts."""
    temp_file_seconds: float = 30.0
    """A temporary file older than this was abandoned: the runtime renames its own within milliseconds."""
    clock_skew_seconds: float = 5.0
    """Times further ahead of this host's clock than this are not counted."""


class Sign(NamedTuple):
    """A process that has to do with a session."""

    pid: int
    command: str
    """Its command line, shortened."""
    how: Literal["holds", "works in", "names"]
    what: str
    """`holds`: the file, relative to the session's folder; `works in`: likewise, the folder; `names`: empty."""
    onlooker: bool = False
    """A pager, an editor, a shell, a copy tool: a person or a program that looks, not the runtime."""

    def says(self) -> str:
        doing = {"holds": f"holds {self.what} open", "works in": "works in its folder", "names": "names it"}
        return f"process {self.pid} ({self.command}) {doing[self.how]}"


class Restored(NamedTuple):
    """The last thing that lastgood itself did to make a session go on, from the journal."""

    op: str
    """`restore` or `activate`."""
    at: int
    by: str
    resumed: bool
    """Something has been written since that was not ours."""


class Facts(NamedTuple):
    """All that a verdict on one session rests on. Times are nanoseconds since 1970."""

    now: int
    state: State
    is_active: bool = False
    reason: str | None = None
    """Why it ended, from its metadata."""
    state_says: str = ""
    """Why it is untracked or damaged, in a sentence."""
    records_end: bool = True
    """Whether the layout records an end at all."""
    told: tuple[Evidence, ...] = ()
    """What the layout's own look at the session found."""
    task_status: str | None = None
    """What the task's file says."""
    task_file: str = ""
    """What that file is called."""
    boot: int | None = None
    """When this host started; None where that is not known."""
    last_write: int | None = None
    """The newest sign of the runtime writing, future ones left out."""
    last_write_of: str = ""
    """What was written then."""
    from_the_future: tuple[str, ...] = ()
    """What claims to have been written later than now."""
    rhythm_seconds: float | None = None
    """The median gap between its checkpoints."""
    temp_files: tuple[tuple[str, int], ...] = ()
    """Name and time of each temporary file that no checkpoint has followed."""
    signs: tuple[Sign, ...] = ()
    unseen: str | None = None
    """Why a process of its could have been missed; None where each could be looked at."""
    remote: str | None = None
    """The type of the network file system that the store is on."""
    restored: Restored | None = None
    contained: bool = False
    """We run in a container: a process outside it could not have been seen."""


@lru_cache(maxsize=1024)
def judge(facts: Facts, thresholds: Thresholds) -> tuple[Verdict, tuple[Evidence, ...]]:
    """The verdict, and every fact that bears on it.

    In this order: a process that is no onlooker makes a session `live` (one that has ended: `uncertain` if it holds
    a file); no or unreadable metadata is `untracked` or `damaged`; what has ended is `ended`; what lastgood restored
    and nothing has resumed is `restored`. What is left claims to be active: a start of the host since its last write,
    long idleness or an abandoned temporary file make it `crashed`, else it is `uncertain`.
    """
    evidence = tuple(found for rule in _RULES if (found := rule(facts, thresholds)) is not None)
    evidence += facts.told
    says = {e.kind: e.says for e in evidence}
    return _weigh(facts, says), evidence


def may_be_live(verdict: Verdict, evidence: Collection[Evidence]) -> bool:
    """Whether writing to the session could get into the way of a running one."""
    if verdict in (Verdict.DAMAGED, Verdict.UNTRACKED):
        return any(e.says == "live" for e in evidence)
    return verdict in (Verdict.LIVE, Verdict.UNCERTAIN)


def patience_seconds(facts: Facts, thresholds: Thresholds) -> float:
    """How long the session may be idle and still be taken for possibly alive."""
    wait = max(thresholds.live_min_seconds, thresholds.rhythm_factor * (facts.rhythm_seconds or 0.0))
    if facts.task_status == "Paused":
        wait = thresholds.live_max_seconds
    elif facts.unseen is not None or facts.remote is not None:
        wait *= thresholds.unseen_factor
    return max(thresholds.live_min_seconds, min(wait, thresholds.live_max_seconds))


def _weigh(facts: Facts, says: dict[str, str]) -> Verdict:
    process = says.get("process")
    if facts.state is State.TERMINATED:
        held = process == "live" and any(s.how == "holds" and not s.onlooker for s in facts.signs)
        return Verdict.UNCERTAIN if held else Verdict.ENDED
    if process == "live":
        return Verdict.LIVE
    if not facts.records_end:
        return _by_traces(says)
    if facts.state is State.UNTRACKED:
        return Verdict.UNTRACKED
    if facts.state is State.DAMAGED:
        return Verdict.DAMAGED
    if says.get("journal") == "restored":
        return Verdict.RESTORED
    # An abandoned temporary file outweighs a recent write only where a process would have been seen.
    abandoned = says.get("temp-file") == "crashed" and process == "crashed"
    if "crashed" in (says.get("boot"), says.get("idle")) or abandoned:
        return Verdict.CRASHED
    return Verdict.UNCERTAIN


def _by_traces(says: dict[str, str]) -> Verdict:
    """Where nothing records an end, silence proves nothing: what a dying writer leaves does."""
    if says.get("journal") == "restored":
        return Verdict.RESTORED
    if says.get("newest") == "crashed" or (says.get("temp-file") == "crashed" and says.get("process") == "crashed"):
        return Verdict.CRASHED
    return Verdict.UNCERTAIN if "live" in (says.get("idle"), says.get("temp-file")) else Verdict.UNTRACKED


def _flags(facts: Facts, _: Thresholds) -> Evidence:
    if facts.state in (State.UNTRACKED, State.DAMAGED):
        return Evidence("flags", facts.state.value, facts.state_says or f"its metadata is {facts.state}")
    if facts.state is State.ACTIVE:
        return Evidence("flags", "unclear", "active, and no reason for an end")
    if facts.is_active:
        return Evidence("flags", "ended", f"has a reason for its end, though still marked active: {facts.reason}")
    if facts.reason is None:
        return Evidence("flags", "ended", "not active, no reason given")
    return Evidence("flags", "ended", f"ended: {facts.reason}")


def _task(facts: Facts, _: Thresholds) -> Evidence | None:
    if facts.task_status is None:
        return None
    says = {"Completed": "ended", "Error": "crashed"}.get(facts.task_status, "unclear")
    # A task that runs on in an ended session, or the other way round, is worth a sentence; agreement is not.
    return Evidence("task", says, f"{facts.task_file} says {facts.task_status}")


def _process(facts: Facts, _: Thresholds) -> Evidence | None:
    at_work = [s for s in facts.signs if not s.onlooker]
    if at_work:
        return Evidence("process", "live", "; ".join(_first(at_work)))
    if facts.state is State.TERMINATED:
        return None
    looks_on = f"; looking on: {'; '.join(_first(facts.signs))}" if facts.signs else ""
    if facts.unseen is not None:
        return Evidence("process", "unclear", f"no process of its found, but {facts.unseen}{looks_on}")
    if facts.remote is not None:
        on = f"the store is on {facts.remote}, and other hosts' processes cannot be seen"
        return Evidence("process", "unclear", f"no process of its on this host, but {on}{looks_on}")
    within = " in this container" if facts.contained else ""
    none = f"no process{within} holds a file of it, works in its folder or names it"
    return Evidence("process", "crashed", f"{none}{looks_on}")


def _first(signs: Collection[Sign], limit: int = 3) -> list[str]:
    told = [s.says() for s in signs][:limit]
    return told if len(signs) <= limit else [*told, f"and {len(signs) - limit} more"]


def _journal(facts: Facts, _: Thresholds) -> Evidence | None:
    ours = facts.restored
    if ours is None or facts.state is State.TERMINATED:
        return None
    done = "restored" if ours.op == "restore" else "activated"
    when = f"{done} here {_ago(facts.now, ours.at)} by {ours.by}"
    if ours.resumed:
        return Evidence("journal", "unclear", f"{when}, and resumed since")
    return Evidence("journal", "restored", f"{when}, not resumed since")


def _boot(facts: Facts, _: Thresholds) -> Evidence | None:
    if facts.state is State.TERMINATED or facts.boot is None or facts.last_write is None:
        return None
    if facts.last_write >= facts.boot:
        return None
    both = f"last written {_ago(facts.now, facts.last_write)}, before this host started {_ago(facts.now, facts.boot)}"
    if facts.remote is not None:
        return Evidence("boot", "unclear", f"{both}; but the store is on {facts.remote}, and another host may write it")
    if not facts.records_end:
        return Evidence("boot", "unclear", f"{both}; it may have ended before")
    return Evidence("boot", "crashed", both)


def _idle(facts: Facts, thresholds: Thresholds) -> Evidence | None:
    if facts.state is State.TERMINATED or facts.last_write is None:
        return None
    idle = max(0.0, (facts.now - facts.last_write) / _NS)
    wait = patience_seconds(facts, thresholds)
    rhythm = "" if facts.rhythm_seconds is None else f", its rhythm is {span(facts.rhythm_seconds)}"
    if idle >= wait or (facts.boot is not None and facts.last_write < facts.boot and facts.remote is None):
        told = f"idle {span(idle)}{rhythm}"
        return Evidence("idle", "crashed", told) if facts.records_end else Evidence("idle", "unclear", told)
    told = f"written {span(idle)} ago ({facts.last_write_of}){rhythm}: may be alive until idle for {span(wait)}"
    return Evidence("idle", "live", told)


def _temp_file(facts: Facts, thresholds: Thresholds) -> Evidence | None:
    if facts.state is State.TERMINATED or not facts.temp_files:
        return None
    name, left = max(facts.temp_files, key=lambda f: f[1])
    told = f"temporary file {name}"
    age = (facts.now - left) / _NS
    if age < -thresholds.clock_skew_seconds:
        return Evidence("temp-file", "unclear", f"{told} claims to be from the future")
    if age < thresholds.temp_file_seconds:
        return Evidence("temp-file", "live", f"{told} written {span(age)} ago: a save may be under way")
    return Evidence("temp-file", "crashed", f"{told} left {span(age)} ago: died between write and rename")


def _clock(facts: Facts, _: Thresholds) -> Evidence | None:
    if not facts.from_the_future:
        return None
    return Evidence("clock", "unclear", f"not counted, as it lies in the future: {', '.join(facts.from_the_future)}")


def _ago(now: int, then: int) -> str:
    return f"{span((now - then) / _NS)} ago"


_RULES: tuple[Callable[[Facts, Thresholds], Evidence | None], ...] = (
    _flags,
    _task,
    _process,
    _journal,
    _boot,
    _idle,
    _temp_file,
    _clock,
)
