"""Values of a JSON document that must be of one type: what is of another counts as not said."""

from __future__ import annotations

import math


def text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def whole_number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def finite_number(value: object) -> float | None:
    """As a double; None too where it is beyond one, infinite or no number (Python's parser takes all three)."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def length(value: object) -> int | None:
    """Of a list."""
    return len(value) if isinstance(value, list) else None
