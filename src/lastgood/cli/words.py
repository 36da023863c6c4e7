"""Values in words for the command line: the colour of each verdict, and times where there may be none."""

from __future__ import annotations

from .. import wording
from ..core.model import Integrity, Verdict
from ..core.words import counted
from ..wording import size

__all__ = ["ago", "counted", "exact", "integrity_look", "short_ago", "size", "verdict_look"]

_COLOURS: dict[Verdict, str] = {
    Verdict.CRASHED: "red",
    Verdict.DAMAGED: "magenta",
    Verdict.UNCERTAIN: "yellow",
    Verdict.LIVE: "green",
    Verdict.UNTRACKED: "dim",
    Verdict.RESTORED: "cyan",
    Verdict.ENDED: "dim",
}


def verdict_look(verdict: Verdict) -> tuple[str, str]:
    """Symbol and colour of a session's verdict."""
    return wording.VERDICT_SYMBOLS[verdict], _COLOURS[verdict]


def integrity_look(integrity: Integrity) -> tuple[str, str]:
    """Symbol and colour of a file's verdict."""
    if integrity is Integrity.VALID:
        return "✓", "green"
    return ("·", "dim") if integrity is Integrity.NOT_RECORDED else ("✗", "red")


def ago(then_ns: int | None, now_ns: int) -> str:
    """`3 minutes ago`; `-` where unknown."""
    return "-" if then_ns is None else wording.long_ago(then_ns, now_ns)


def short_ago(then_ns: int | None, now_ns: int) -> str:
    """`3m`; `-` where unknown."""
    return wording.short_ago(then_ns, now_ns)


def exact(then_ns: int | None) -> str:
    """`2026-11-20 09:02:04Z`; `-` where unknown."""
    return "-" if then_ns is None else wording.exact(then_ns)
