"""Both readings of a document in a fraction of the time, where it is laid out as the crate does it, or compact."""

from __future__ import annotations

import orjson

from .floats import runtime_float
from .serde import MAX_DEPTH

_READ_EXACTLY = 16
"""Characters of a float that has at most 15 digits: the runtime makes one exact step to the nearest double."""


def readings(raw: bytes) -> tuple[object, object] | None:
    """The exact and the runtime's reading of `raw`, one object where they agree; None: to be read token by token.

    If orjson prints what it has read just as it stood, every number stood in canonical spelling: there is no ``-0``
    and no integer beyond 64 bits, and what the runtime makes of a float follows from the float. orjson's grammar is
    serde_json's but for the depth.
    """
    try:
        value = orjson.loads(raw)
        printed = orjson.dumps(value, option=orjson.OPT_INDENT_2 if raw[1:2] == b"\n" else None)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    if type(value) is not dict or (printed != raw and printed != raw.rstrip(b" \t\r\n")):
        return None
    floats = _floats(value)
    if floats is None:
        return None
    if not floats:
        return value, value
    misread: dict[float, float] = {}
    for number in floats:
        token = repr(number)
        if len(token) <= _READ_EXACTLY and "e" not in token:
            continue
        try:
            read = runtime_float(orjson.dumps(number).decode())
        except OverflowError:
            return None
        if read != number:
            misread[number] = read
    return value, (_replaced(value, misread) if misread else value)


def _floats(value: dict[str, object]) -> list[float] | None:
    """Every float below `value`; None if it is nested deeper than serde_json reads. Plain loops are fastest here."""
    found: list[float] = []
    level: list[dict[str, object] | list[object]] = [value]
    for _ in range(MAX_DEPTH):
        deeper: list[dict[str, object] | list[object]] = []
        for container in level:
            for held in container.values() if type(container) is dict else container:
                kind = type(held)
                if kind is str:
                    continue
                if kind is dict or kind is list:
                    deeper.append(held)  # type: ignore[arg-type]
                elif kind is float:
                    found.append(held)  # type: ignore[arg-type]
        if not deeper:
            return found
        level = deeper
    return None


def _replaced(value: object, misread: dict[float, float]) -> object:
    """`value` with these floats in place of those."""
    kind = type(value)
    if kind is float:
        return misread.get(value, value)  # type: ignore[call-overload]
    if kind is list:
        return [v if type(v) is str else _replaced(v, misread) for v in value]  # type: ignore[attr-defined]
    if kind is dict:
        return {k: v if type(v) is str else _replaced(v, misread) for k, v in value.items()}  # type: ignore[attr-defined]
    return value
