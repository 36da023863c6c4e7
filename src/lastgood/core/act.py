"""The way every write takes, from the screen, the command line or another program: guard, journal, check."""

from __future__ import annotations

from .assess import Assessed
from .errors import Refused
from .journal import Journal
from .model import Action, Plan
from .store import Store
from .verdict import may_be_live


def why_live(seen: Assessed) -> str | None:
    """Why restoring or terminating this session could pull the floor from under a running process; None where not."""
    if not may_be_live(seen.verdict, seen.evidence):
        return None
    said = [e.detail for e in seen.evidence if e.says == "live"] or [e.detail for e in seen.evidence]
    return f"session {seen.session.name} may be live ({seen.verdict}): " + "; ".join(said)


def refuse_if_live(seen: Assessed, *, even_if_live: bool) -> None:
    """Raises Refused, naming the evidence, where the session may be live and `even_if_live` is not said."""
    why = why_live(seen)
    if why is not None and not even_if_live:
        raise Refused(f"{why}\nnothing changed; --even-if-live does it all the same")


def apply(store: Store, plan: Plan, *, reason: str | None = None) -> Action | None:
    """Do `plan`, write-ahead and checked (DESIGN.md, "What restore means"); None where there was nothing to do.

    Raises:
        Refused: something it rests on has changed since it was made, or the store cannot be written.
        Failed: it went wrong part-way; the message says what is back and what is where.
    """
    if not plan.steps:
        return None
    return Journal(store.path).apply(plan, reason=reason, check=store.check)
