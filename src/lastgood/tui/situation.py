"""What an action would meet if its key were pressed now, and the reasons why it may not apply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..core.assess import Assessed
from ..core.model import Checkpoint, StoredFile, Verdict
from .triage import nothing_left


@dataclass(frozen=True, slots=True)
class Situation:
    """What is under the cursor, and what goes on."""

    seen: Assessed | None = None
    """The session under the cursor."""
    file: StoredFile | None = None
    """The file under the cursor; None on a session's own row."""
    point: Checkpoint | None = None
    """What the preview shows: the file under the cursor, on a session's row its best restore point."""
    marked: int = 0
    read_only: str | None = None
    """Why nothing can be written; None where it can."""
    working: bool = False
    """Background work is going on."""
    acting: bool = False
    """An action is being done."""
    picking: bool = False
    """The screen is that of `lastgood pick`."""


WhyNot = Callable[[Situation], str | None]
"""Why an action does not apply, in a sentence; None where it does."""


def needs_session(situation: Situation) -> str | None:
    return None if situation.seen is not None else "there is no session under the cursor"


def needs_file(situation: Situation) -> str | None:
    if situation.file is not None or situation.point is not None:
        return None
    if situation.seen is not None and situation.seen.points is None and situation.seen.figures is None:
        return "the files of this session have not been verified yet"
    return needs_session(situation) or "this session has no restore point to take; open it to see its files"


def restorable(situation: Situation) -> str | None:
    why = needs_session(situation)
    if why is not None:
        return why
    if situation.seen is not None and situation.seen.session.linked is not None:
        return "the session's folder is a symlink, and nothing is written through one"
    if situation.file is None:
        if situation.seen is not None and nothing_left(situation.seen):
            return "no file of this session verifies; open it to see why"
        return None
    if situation.point is not None and not situation.point.valid:
        return f"this file does not verify ({situation.point.reason}), the runtime would refuse it too"
    return None


def _markable(situation: Situation) -> str | None:
    return None if situation.marked else needs_session(situation)


def terminable(situation: Situation) -> str | None:
    if not situation.marked and situation.seen is not None and situation.seen.verdict is Verdict.ENDED:
        return "this session has ended already"
    return _markable(situation)


def activatable(situation: Situation) -> str | None:
    if not situation.marked and situation.seen is not None and situation.seen.session.unclean:
        return "this session is marked active already"
    return _markable(situation)


def salvageable(situation: Situation) -> str | None:
    if situation.file is None:
        return "put the cursor on a damaged file"
    if situation.point is not None and situation.point.valid:
        return "this file is valid: restore it as it is"
    return None


def pickable(situation: Situation) -> str | None:
    if not situation.picking:
        return "only `lastgood pick` chooses"
    return needs_file(situation)


def stoppable(situation: Situation) -> str | None:
    return None if situation.working else "nothing is going on in the background"
