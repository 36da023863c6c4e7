"""One restore point looked at closely: what is wrong with it, and which tool calls it would have run again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .diagnose import Diagnosis
from .errors import NotFound
from .model import Checkpoint
from .pending import PendingCall, pending_calls, within
from .store import Store

MAX_BYTES = 16 * 1024 * 1024
"""A larger file is not read whole for a diagnosis: its verdict has to do."""
_NEIGHBOURS = 4


@dataclass(frozen=True, slots=True)
class Examination:
    """What a close look found."""

    diagnosis: Diagnosis
    pending: tuple[PendingCall, ...]
    """Calls that had been issued and not answered: the runtime may run them again."""


def examine(store: Store, point: Checkpoint, points: Sequence[Checkpoint]) -> Examination:
    """Look at `point` among the other `points` of its session; reads the file and a few valid neighbours in time."""
    if point.file.size > MAX_BYTES:
        return Examination(Diagnosis(str(point.integrity), point.reason or "too large for a closer look"), ())
    try:
        raw = store.read(point.file)
    except NotFound as error:
        return Examination(Diagnosis("unreadable", str(error)), ())
    value = _object(raw)
    pending = pending_calls(within(value, store.state_path(point.file))) if value is not None else ()
    return Examination(store.diagnose(raw, point, _neighbours(store, point, points)), tuple(pending))


def _neighbours(
    store: Store, point: Checkpoint, points: Sequence[Checkpoint]
) -> list[tuple[Checkpoint, Mapping[str, object]]]:
    """The valid points next to this one in time, with what they hold: they tell which field cannot be so."""
    near: list[tuple[Checkpoint, Mapping[str, object]]] = []
    for other in sorted(points, key=lambda p: abs(p.file.mtime_ns - point.file.mtime_ns)):
        if len(near) == _NEIGHBOURS:
            break
        if not other.valid or other.file.path == point.file.path or other.file.size > MAX_BYTES:
            continue
        try:
            value = _object(store.read(other.file))
        except NotFound:
            continue
        if value is not None:
            near.append((other, value))
    return near


def _object(raw: bytes) -> dict[str, object] | None:
    from .serde import ParseFault, parse_exactly

    try:
        value = parse_exactly(raw)
    except ParseFault:
        return None
    return value if isinstance(value, dict) else None
