"""Values in words for a person: times, sizes, counts, the symbol and colour of each verdict."""

from __future__ import annotations

from datetime import timedelta

from ..core.model import Integrity, Verdict
from ..core.times import rfc3339

VERDICT_LOOKS: dict[Verdict, tuple[str, str]] = {
    Verdict.CRASHED: ("✗", "red"),
    Verdict.DAMAGED: ("!", "magenta"),
    Verdict.UNCERTAIN: ("?", "yellow"),
    Verdict.LIVE: ("●", "green"),
    Verdict.UNTRACKED: ("·", "dim"),
    Verdict.RESTORED: ("↺", "cyan"),
    Verdict.ENDED: ("-", "dim"),
}


def integrity_look(integrity: Integrity) -> tuple[str, str]:
    """Symbol and colour of a file's verdict."""
    if integrity is Integrity.VALID:
        return "✓", "green"
    return ("·", "dim") if integrity is Integrity.NOT_RECORDED else ("✗", "red")


def ago(then_ns: int | None, now_ns: int) -> str:
    """`3 minutes ago`; `-` where unknown."""
    if then_ns is None:
        return "-"
    import humanize

    try:
        return humanize.naturaltime(timedelta(microseconds=(now_ns - then_ns) // 1000))
    except OverflowError:
        return exact(then_ns)


def exact(then_ns: int | None) -> str:
    """RFC 3339 to the second, UTC; `-` where unknown."""
    return "-" if then_ns is None else rfc3339(then_ns - then_ns % 1_000_000_000)


def size(count: int) -> str:
    """Bytes as `12.3 kB`."""
    import humanize

    return humanize.naturalsize(count)


def counted(count: int, noun: str) -> str:
    """`1 file`, `1,204 files`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
