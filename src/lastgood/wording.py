"""What the screen and the command line call things: symbols, short times and sizes that fit a column."""

from __future__ import annotations

from .core.model import Checkpoint, FileKind, Integrity, SessionLog, StoredFile, Verdict
from .core.times import rfc3339
from .core.words import counted

_NS = 1_000_000_000
_QUOTED = 400
"""Characters of a message that are quoted at most."""

VERDICT_SYMBOLS: dict[Verdict, str] = {
    Verdict.CRASHED: "✗",
    Verdict.DAMAGED: "!",
    Verdict.UNCERTAIN: "?",
    Verdict.LIVE: "●",
    Verdict.UNTRACKED: "·",
    Verdict.RESTORED: "↺",
    Verdict.ENDED: "-",
}
INTEGRITY_WORDS: dict[Integrity, str] = {
    Integrity.MISMATCH: "mismatch",
    Integrity.NO_CHECKSUM: "no sum",
    Integrity.NO_VERSION: "no version",
    Integrity.VERSION: "version",
    Integrity.NOT_OBJECT: "no object",
    Integrity.UNPARSEABLE: "broken",
    Integrity.UNREADABLE: "unreadable",
    Integrity.TOO_LARGE: "too large",
    Integrity.NOT_RECORDED: "unsigned",
}
"""Integrity in the ten cells of the tree's column, where its own name is longer or says less."""

_UNITS = ((60, "s"), (3600, "m"), (86400, "h"), (86400 * 14, "d"), (86400 * 365 * 2, "w"))
_DIVISORS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 86400 * 7}


def integrity_look(point: Checkpoint | None) -> tuple[str, str, str]:
    """Symbol, word and tone of a file's verdict; of a file not verified yet where there is none."""
    if point is None:
        return "·", "unchecked", "muted"
    if point.integrity is Integrity.VALID:
        return ("✓", "valid", "good") if point.runtime_accepts else ("✓", "refused", "warning")
    if point.integrity is Integrity.NOT_RECORDED:
        return "·", INTEGRITY_WORDS[point.integrity], "muted"
    return "✗", INTEGRITY_WORDS[point.integrity], "bad"


def short_ago(then_ns: int | None, now_ns: int) -> str:
    """`40s`, `3m`, `5h`, `2d`, `7w`, `3y`; `ahead` of this host's clock; `-` where unknown."""
    if then_ns is None:
        return "-"
    seconds = (now_ns - then_ns) // _NS
    if seconds < -1:
        return "ahead"
    for limit, unit in _UNITS:
        if seconds < limit:
            return f"{max(0, seconds) // _DIVISORS[unit]}{unit}"
    years = seconds // (86400 * 365)
    return f"{years}y" if years < 1000 else "ages"


def long_ago(then_ns: int, now_ns: int) -> str:
    """`3 minutes ago`, `in 2 hours`: in the words of humanize."""
    from datetime import timedelta

    import humanize

    try:
        return humanize.naturaltime(timedelta(microseconds=(now_ns - then_ns) // 1000))
    except OverflowError:
        return "long ago" if then_ns < now_ns else "far ahead"


def exact(then_ns: int) -> str:
    """`2026-11-20 09:02:04Z`."""
    return rfc3339(then_ns - then_ns % _NS).replace("T", " ")


def moment(then_ns: int, now_ns: int) -> str:
    """`09:02:04`, with `11-20` before it where that is another day, or the year where it is another one; UTC."""
    date, _, time = exact(then_ns).rstrip("Z").rpartition(" ")
    today = exact(now_ns).partition(" ")[0]
    if date == today:
        return time
    return f"{date[-5:]} {time}" if date[:-6] == today[:-6] else date


def size(count: int) -> str:
    """`946 B`, `12 KB`, `3.4 MB`: at most seven cells."""
    if count < 1000:
        return f"{count} B"
    figure = float(count)
    for unit in ("KB", "MB", "GB", "TB"):
        figure /= 1000
        if figure < 999.5:
            return f"{figure:.1f} {unit}" if figure < 9.95 else f"{figure:.0f} {unit}"
    return "huge"


def log_says(log: SessionLog, now_ns: int) -> list[str]:
    """What a log outside of the store tells of its session, in a line or two; or why it tells nothing."""
    if log.problem is not None:
        return [f"{log.path} · {log.problem}"]
    told = [
        counted(log.messages, "message") if log.messages is not None else "",
        counted(log.tools_used, "tool use") if log.tools_used else "",
        counted(log.tokens_used, "token") if log.tokens_used else "",
        f"${log.cost_estimate:,.2f}" if log.cost_estimate else "",
        f"written {long_ago(log.mtime_ns, now_ns)}",
    ]
    lines = [" · ".join([log.path, *filter(None, told)])]
    if log.last_content is not None:
        lines.append(f"last: {log.last_role or '?'}: {' '.join(log.last_content[:_QUOTED].split())}")
    return lines


def kind_word(file: StoredFile) -> str:
    """What to call the file beside its time."""
    if file.kind is FileKind.ORPHAN:
        return "temp file"
    return "" if file.kind is FileKind.CHECKPOINT else str(file.kind)
