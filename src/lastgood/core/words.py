"""Numbers as the short English that evidence and prices are told in, and commands as they can be typed."""

from __future__ import annotations


def span(seconds: float) -> str:
    """A length of time in one or two units, rounded down: `27 s`, `3 m`, `2 h 5 m`, `3 d`."""
    whole = max(0, int(seconds))
    if whole < 120:
        return f"{whole} s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes < 120:
        return f"{minutes} m"
    if hours < 48:
        return f"{hours} h {minutes % 60} m" if minutes % 60 else f"{hours} h"
    return f"{days} d"


def command(*words: str) -> str:
    """A call of lastgood as it can be typed into a shell, whatever the words hold; in backquotes."""
    import shlex

    return f"`lastgood {shlex.join(words)}`"


def counted(count: int, noun: str) -> str:
    """`1 message`, `1,204 tokens`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
