"""Which fields of a checkpoint cannot have been so, judged by the session's checkpoints before and after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .names import id_in_name, time_in_name
from .scan import jq_path
from .shape import FIELDS, misfits
from .times import parse_rfc3339, rfc3339

_COUNTERS = ("iteration", "tokens_used", "cost_estimate")
"""These only grow from checkpoint to checkpoint."""
_STEADY = ("session_id", "trigger")
_JUMP = {"iteration": 1_000, "tokens_used": 10_000_000, "cost_estimate": 10_000}
"""With no later checkpoint to compare, growth by more than this since the one before is implausible."""
_NAME_GAP_NS = 3600 * 10**9
"""A checkpoint is saved within moments of being made; an hour between its name and `created_at` is implausible."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A value that does not fit: its jq path and one clause that says why."""

    path: str
    why: str


def suspects(
    value: Mapping[str, object], before: Mapping[str, object] | None, after: Mapping[str, object] | None, name: str
) -> tuple[Suspect, ...]:
    """The values of `value` that cannot have been so.

    Args:
        before, after: the nearest valid checkpoints of the session on either side, where there are such.
        name: the file's name, which tells the time and the id of the save.
    """
    found = [Suspect(jq_path((field,)), why) for field, why in misfits(value)]
    neighbours = [n for n in (before, after) if n is not None]
    found += _unknown_keys(value, neighbours)
    found += _counters(value, before, after)
    found += _time(value, before, after, name)
    found += _ids(value, name)
    found += _steady(value, neighbours)
    found += _messages(value, before, after)
    unique = {s.path: s for s in reversed(found)}
    return tuple(reversed(unique.values()))


def _unknown_keys(value: Mapping[str, object], neighbours: list[Mapping[str, object]]) -> list[Suspect]:
    """A key that no neighbour has, where a known one is missing, is that one misspelt."""
    missing = [f for f in FIELDS if f not in value and all(f in n for n in neighbours)]
    if not missing:
        return []
    known = set(FIELDS).union(*neighbours)
    strange = [key for key in value if key not in known and not key.startswith("_")]
    return [Suspect(jq_path((key,)), "no neighbour has such a key") for key in strange]


def _number(value: Mapping[str, object] | None, field: str) -> int | float | None:
    found = None if value is None else value.get(field)
    return found if isinstance(found, (int, float)) and not isinstance(found, bool) else None


def _counters(
    value: Mapping[str, object], before: Mapping[str, object] | None, after: Mapping[str, object] | None
) -> list[Suspect]:
    found = []
    for field in _COUNTERS:
        now, low, high = _number(value, field), _number(before, field), _number(after, field)
        if now is None or (low is not None and high is not None and low > high):
            continue
        if low is not None and now < low:
            found.append(Suspect(f".{field}", f"{now} is less than {low} before it"))
        elif high is not None and now > high:
            found.append(Suspect(f".{field}", f"{now} is more than {high} after it"))
        elif now < 0:
            found.append(Suspect(f".{field}", f"{now} is negative"))
        elif low is not None and high is None and now - low > _JUMP[field]:
            found.append(Suspect(f".{field}", f"{now} is far more than {low} before it"))
    return found


def _created(value: Mapping[str, object] | None) -> int | None:
    text = None if value is None else value.get("created_at")
    if not isinstance(text, str):
        return None
    try:
        return parse_rfc3339(text)
    except ValueError:
        return None


def _time(
    value: Mapping[str, object], before: Mapping[str, object] | None, after: Mapping[str, object] | None, name: str
) -> list[Suspect]:
    now, low, high = _created(value), _created(before), _created(after)
    if now is None or (low is not None and high is not None and low > high):
        return []
    if low is not None and now < low:
        return [Suspect(".created_at", f"{rfc3339(now)} is earlier than {rfc3339(low)} before it")]
    if high is not None and now > high:
        return [Suspect(".created_at", f"{rfc3339(now)} is later than {rfc3339(high)} after it")]
    saved = time_in_name(name)
    if saved is not None and abs(now - saved) > _NAME_GAP_NS and low is not None:
        return [Suspect(".created_at", f"{rfc3339(now)}, but the file's name says {rfc3339(saved)}")]
    return []


def _ids(value: Mapping[str, object], name: str) -> list[Suspect]:
    named = id_in_name(name)
    own = value.get("checkpoint_id")
    if named is None or not isinstance(own, str) or own == named:
        return []
    return [Suspect(".checkpoint_id", f"the file's name says {named}")]


def _steady(value: Mapping[str, object], neighbours: list[Mapping[str, object]]) -> list[Suspect]:
    found = []
    for field in _STEADY:
        own = value.get(field)
        for neighbour in neighbours:
            other = neighbour.get(field)
            if isinstance(own, str) and isinstance(other, str) and own != other and _one_slip(own, other):
                found.append(Suspect(f".{field}", f"{own} is {other} with a slip"))
                break
    return found


def _one_slip(one: str, other: str) -> bool:
    """The same length, and at most two characters differ, of four or more."""
    if len(one) != len(other) or len(one) < 4:
        return False
    return sum(a != b for a, b in zip(one, other, strict=True)) <= 2


def _messages(
    value: Mapping[str, object], before: Mapping[str, object] | None, after: Mapping[str, object] | None
) -> list[Suspect]:
    """Messages are only ever added: one that a neighbour has otherwise, in the same place, is suspect."""
    own, low, high = (_list(v) for v in (value, before, after))
    if own is None:
        return []
    found = []
    for i, message in enumerate(own):
        known = [n[i] for n in (low, high) if n is not None and i < len(n)]
        if known and all(message != k for k in known) and all(k == known[0] for k in known):
            path = first_difference(message, known[0], ("messages", i))
            found.append(Suspect(jq_path(path), "a neighbour has it otherwise"))
    # Where nearly all differ, the history was rewritten (a summary took its place), not damaged.
    if len(found) > max(3, len(own) // 4):
        return []
    if low is not None and high is not None and len(low) <= len(high) and not len(low) <= len(own) <= len(high):
        found.append(Suspect(".messages", f"{len(own)} messages, between {len(low)} and {len(high)}"))
    return found


def _list(value: Mapping[str, object] | None) -> list[object] | None:
    found = None if value is None else value.get("messages")
    return found if isinstance(found, list) else None


def first_difference(one: object, other: object, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The path of the one value in which they differ, or of the innermost that holds every difference."""
    while True:
        step: tuple[object, object, str | int] | None = None
        if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
            differing = [k for k in one if one[k] != other[k]]
            if len(differing) == 1:
                step = one[differing[0]], other[differing[0]], differing[0]
        elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
            places = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
            if len(places) == 1:
                step = one[places[0]], other[places[0]], places[0]
        if step is None:
            return path
        one, other, path = step[0], step[1], (*path, step[2])
