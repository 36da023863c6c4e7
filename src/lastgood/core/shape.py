"""The fields that the crate's checkpoint struct needs, and what of a file would not load into it.

Recovery verifies the checksum and never looks at types; the load that follows it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .times import parse_rfc3339

STRINGS: Final = ("checkpoint_id", "session_id", "trigger")
ARRAYS: Final = ("messages", "tool_calls_pending")
INTEGERS: Final = {"iteration": 32, "tokens_used": 64}
"""Signed integers and their width in bits."""
FIELDS: Final = (
    "checkpoint_id",
    "cost_estimate",
    "created_at",
    "iteration",
    "messages",
    "resume_hint",
    "session_id",
    "tokens_used",
    "tool_calls_pending",
    "tool_results",
    "trigger",
)
"""Every field of the struct, as the crate sorts them (FORMAT.md, "A checkpoint")."""


def misfits(value: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """The fields that the runtime's typed load would refuse, each with why. `resume_hint` may be absent."""
    found: list[tuple[str, str]] = []
    for name in FIELDS:
        why = _misfit(name, value[name]) if name in value else "is missing"
        if why is not None and (name in value or name != "resume_hint"):
            found.append((name, why))
    return tuple(found)


def kind_of(value: object) -> str:
    """The JSON type of a value, with its article."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, (int, float)):
        return "a number"
    return "an array" if isinstance(value, list) else "an object"


def _misfit(name: str, value: object) -> str | None:
    if name in STRINGS:
        return None if isinstance(value, str) else f"is {kind_of(value)}, not a string"
    if name in ARRAYS:
        return None if isinstance(value, list) else f"is {kind_of(value)}, not an array"
    if name in INTEGERS:
        if isinstance(value, bool) or not isinstance(value, int):
            return f"is {kind_of(value)}, not an integer"
        bits = INTEGERS[name]
        return None if -(1 << bits - 1) <= value < 1 << bits - 1 else f"does not fit {bits} bits"
    if name == "cost_estimate":
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return None if number else f"is {kind_of(value)}, not a number"
    if name == "resume_hint":
        return None if value is None or isinstance(value, str) else f"is {kind_of(value)}, not a string"
    if name == "created_at":
        return _misfit_time(value)
    return None


def _misfit_time(value: object) -> str | None:
    if not isinstance(value, str):
        return f"is {kind_of(value)}, not a string"
    try:
        parse_rfc3339(value)
    except ValueError as error:
        return f"is no RFC 3339 time ({error})"
    return None
