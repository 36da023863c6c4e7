"""A checkpoint that the runtime refuses for its floats alone, rewritten so that it reads what is written.

FORMAT.md, "Two truths about a checksum": serde_json reads about one full-precision double in nine a unit in the last
place off, so the digest of what it reads is not the digest of what was written. The way out is to write numbers
that it reads as themselves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from . import checksum, serde
from .errors import Refused
from .scan import jq_path

_NEIGHBOURS = 1000
"""How many doubles on either side are tried: of 200,000 random ones 99.9 % needed 8 at most, and none more than 37."""
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Resealed:
    """The new file's bytes, and every number that it holds otherwise: jq path, old text, new text."""

    data: bytes
    changes: tuple[tuple[str, str, str], ...]


def reseal(raw: bytes) -> Resealed:
    """The checkpoint `raw` with numbers that the runtime reads as themselves, and a checksum that it agrees with.

    Raises:
        Refused: the checkpoint is not valid, or the runtime accepts it as it is.
    """
    seen = checksum.verify(raw)
    if seen.integrity != "valid" or seen.value is None:
        raise Refused(f"only a valid checkpoint can be re-sealed: {seen.reason}")
    if seen.runtime_accepts:
        raise Refused("the runtime accepts this checkpoint as it is: there is nothing to re-seal")
    reader = serde.Reader(raw, stable_reading)
    value = reader.value()
    assert isinstance(value, dict)
    data = checksum.seal(value)
    if not checksum.verify(data).runtime_accepts:
        raise Refused("the runtime would refuse the re-sealed checkpoint too: " + str(seen.runtime_reason))
    return Resealed(data, tuple(changes(seen.value, value)))


def misread(raw: bytes) -> tuple[tuple[str, str, str], ...]:
    """Every number of a readable document that the runtime reads otherwise: jq path, as written, as read.

    Raises:
        serde.ParseFault: the document cannot be read.
    """
    exact = serde.parse_exactly(raw)
    read = serde.Reader(raw, _reading_or_infinite).value()
    return tuple(changes(exact, read))


def changes(old: object, new: object) -> Iterator[tuple[str, str, str]]:
    """The floats in which two values of the same shape differ: jq path, old text, new text."""
    open_values: list[tuple[Path, object, object]] = [((), old, new)]
    while open_values:
        path, a, b = open_values.pop()
        if isinstance(a, dict) and isinstance(b, dict):
            open_values += [((*path, key), a[key], b[key]) for key in reversed(a)]
        elif isinstance(a, list) and isinstance(b, list):
            open_values += [((*path, i), a[i], b[i]) for i in reversed(range(len(a)))]
        elif isinstance(a, float) and isinstance(b, float) and a.hex() != b.hex():
            yield jq_path(path), text(a), text(b)


def text(number: float) -> str:
    """A float as the crate prints it."""
    return serde.canonical(number).decode() if math.isfinite(number) else "out of range"


def stable_reading(token: str) -> float:
    """The runtime's reading of a JSON number, or the nearest double to it that the runtime reads as itself."""
    try:
        return stable(serde.runtime_float(token))
    except OverflowError:
        return stable(serde.exact_float(token))


def stable(number: float) -> float:
    """`number` if the runtime reads it as itself, else the nearest double that it does: a few units away at most."""
    if _reading_or_infinite(repr(number)) == number:
        return number
    below = above = number
    for _ in range(_NEIGHBOURS):
        below, above = math.nextafter(below, 0.0), math.nextafter(above, math.copysign(math.inf, number))
        for candidate in (below, above):
            if math.isfinite(candidate) and _reading_or_infinite(repr(candidate)) == candidate:
                return candidate
    raise Refused(f"no number near {text(number)} is one that the runtime reads as itself")


def with_stable_floats(value: dict[str, object]) -> dict[str, object]:
    """A copy of an object in which every float is one that the runtime reads as itself."""
    return {key: _with_stable_floats(held) for key, held in value.items()}


def _with_stable_floats(value: object) -> object:
    if isinstance(value, float):
        return stable_reading(repr(value))
    if isinstance(value, dict):
        return {key: _with_stable_floats(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_with_stable_floats(held) for held in value]
    return value


def _reading_or_infinite(token: str) -> float:
    try:
        return serde.runtime_float(token)
    except OverflowError:
        return math.inf if token[0] != "-" else -math.inf
