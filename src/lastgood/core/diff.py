"""Two restore points compared by meaning: what was said since, what was lost, which fields say something else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from . import jq
from .words import counted

LIMIT = 2000
"""Changes listed at most; beyond them two files have little in common, and only their number is told."""

_TOLD_LAST = ("checkpoint_id", "created_at", "_version", "_checksum")
"""Fields that differ between any two checkpoints."""

Step = str | int
Raw = tuple[tuple[Step, ...], Literal["added", "removed", "changed"], object, object]


@dataclass(frozen=True, slots=True)
class Change:
    """One place where the two differ."""

    path: str
    """As jq spells it; an element's index is the old one's where it was removed, else the new one's."""
    kind: Literal["added", "removed", "changed"]
    old: object
    """None where it was added."""
    new: object
    """None where it was removed."""
    delta: int | float | None
    """new - old where both are numbers."""
    message: bool = False
    """Whether it is a message that came or went, as a whole."""


@dataclass(frozen=True, slots=True)
class Diff:
    """What it takes to get from the old value to the new one."""

    changes: tuple[Change, ...]
    messages_added: int
    """Messages of the new value that the old one lacks."""
    messages_lost: int
    """Messages of the old value that the new one lacks."""
    summary: str
    """One line, without values that are text from disk."""
    unlisted: int = 0
    """Changes beyond :data:`LIMIT`."""


def diff(old: dict[str, object], new: dict[str, object], state_path: tuple[str, ...] = ()) -> Diff:
    """The changes from `old` to `new`, values as a JSON parser gives them (1, 1.0 and true are three different ones).

    Lists are compared from both ends: what lies between the common beginning and the common end was changed in
    place if it is as long in both, else removed from one and added in the other.

    Args:
        state_path: the keys that lead to the messages and the figures, as the files' layout has them.
    """
    found = _changes((), old, new)
    listed = list(islice(found, LIMIT))
    rest = list(_kinds(found, state_path))
    kinds = [*_kinds(iter(listed), state_path), *rest]
    added, lost = kinds.count("message added"), kinds.count("message removed")
    changes = tuple(
        Change(jq.path(p), kind, a, b, _delta(a, b), kind != "changed" and _is_message(p, state_path))
        for p, kind, a, b in listed
    )
    return Diff(changes, added, lost, _summary(listed, state_path, len(rest), added, lost), len(rest))


def _changes(path: tuple[Step, ...], old: object, new: object) -> Iterator[Raw]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _fields(path, old, new)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _elements(path, old, new)
    elif not same(old, new):
        yield path, "changed", old, new


def _fields(path: tuple[Step, ...], old: dict[str, object], new: dict[str, object]) -> Iterator[Raw]:
    names = sorted(old.keys() | new.keys())
    if not path:
        names = [n for n in names if n not in _TOLD_LAST] + [n for n in _TOLD_LAST if n in names]
    for key in names:
        if key not in new:
            yield (*path, key), "removed", old[key], None
        elif key not in old:
            yield (*path, key), "added", None, new[key]
        else:
            yield from _changes((*path, key), old[key], new[key])


def _elements(path: tuple[Step, ...], old: list[object], new: list[object]) -> Iterator[Raw]:
    shorter = min(len(old), len(new))
    start = 0
    while start < shorter and same(old[start], new[start]):
        start += 1
    end = 0
    while end < shorter - start and same(old[-1 - end], new[-1 - end]):
        end += 1
    if len(old) == len(new):
        for i in range(start, len(old) - end):
            yield from _changes((*path, i), old[i], new[i])
        return
    for i in range(start, len(old) - end):
        yield (*path, i), "removed", old[i], None
    for i in range(start, len(new) - end):
        yield (*path, i), "added", None, new[i]


def same(a: object, b: object) -> bool:
    """Whether two JSON values are the same one, numbers by their spelling: 1 is not 1.0, 0.0 is not -0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return repr(a) == repr(b) if isinstance(a, float) else a == b


def _kinds(found: Iterator[Raw], state_path: tuple[str, ...]) -> Iterator[str]:
    for path, kind, _, _ in found:
        yield f"message {kind}" if _is_message(path, state_path) else kind


def _is_message(path: tuple[Step, ...], state_path: tuple[str, ...]) -> bool:
    return len(path) == len(state_path) + 2 and path[:-1] == (*state_path, "messages")


def _delta(old: object, new: object) -> int | float | None:
    if isinstance(old, bool) or isinstance(new, bool):
        return None
    if isinstance(old, int) and isinstance(new, int):
        return new - old
    if isinstance(old, int | float) and isinstance(new, int | float):
        from decimal import Decimal, InvalidOperation

        try:
            return float(Decimal(repr(new)) - Decimal(repr(old)))
        except InvalidOperation:
            return None
    return None


def _summary(listed: list[Raw], state_path: tuple[str, ...], unlisted: int, added: int, lost: int) -> str:
    said: list[str] = []
    if added:
        said.append(f"{counted(added, 'message')} added")
    if lost:
        said.append(f"{counted(lost, 'message')} lost")
    fields: set[tuple[Step, ...]] = set()
    for path, kind, old, new in listed:
        within = len(state_path) if path[: len(state_path)] == state_path else 0
        field, delta = path[: within + 1], _delta(old, new)
        if path == field and delta is not None and path[-1] in ("iteration", "tokens_used", "cost_estimate"):
            said.append(f"{path[-1]} {delta:+,}" if isinstance(delta, int) else f"{path[-1]} {delta:+,.6g}")
        elif path[0] not in _TOLD_LAST and (kind == "changed" or not _is_message(path, state_path)):
            fields.add(field)
    if fields:
        said.append(f"{counted(len(fields), 'other field' if said else 'field')} changed")
    if unlisted:
        said.append(f"{unlisted:,} more changes not listed")
    if said:
        return ", ".join(said)
    return "the same content, another save" if listed else "no difference"
