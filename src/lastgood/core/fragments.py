"""What of a damaged small JSON object still reads: the members that are whole, before and after the damage."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from . import faults, serde
from .scan import bad_utf8, scan, skip_white

_KEY = re.compile(rb'"((?:[^"\\\x00-\x1f]|\\["\\/bfnrtu])*)"[ \t\n\r]*+:[ \t\n\r]*+')
_OPENING = re.compile(rb"[ \t\n\r]*+\{[ \t\n\r]*+")


@dataclass(frozen=True, slots=True)
class Fragments:
    """The whole members found.

    Attributes:
        known: values of the wanted keys.
        unknown: name and text (``"key": value``) of every other member, in the order of the file.
        contradicted: wanted keys that are there more than once with different values; not in `known`.
    """

    known: dict[str, object] = field(default_factory=dict)
    unknown: tuple[tuple[str, bytes], ...] = ()
    contradicted: tuple[str, ...] = ()


def read_fragments(raw: bytes, wanted: Sequence[str]) -> Fragments:
    """The whole top-level members of a damaged object; of an array, its elements stand for `wanted` in order.

    Where the text is broken, reading goes on at the next line that is indented as the members are; in a text without
    lines, at the next wanted key.
    """
    raw = _utf8(raw)
    start = skip_white(raw, 0)
    if raw[start : start + 1] == b"[":
        return Fragments(dict(zip(wanted, _elements(raw, start + 1), strict=False)))
    pairs = _members(raw, wanted)
    known: dict[str, object] = {}
    contradicted: list[str] = []
    unknown: list[tuple[str, bytes]] = []
    for name, text, value in pairs:
        if name not in wanted:
            unknown.append((name, text))
        elif value is ...:
            continue
        elif name in known and known[name] != value:
            contradicted.append(name)
        else:
            known[name] = value
    for name in contradicted:
        known.pop(name, None)
    return Fragments(known, tuple(unknown), tuple(contradicted))


def _utf8(raw: bytes) -> bytes:
    told = faults.encoding(raw)
    if told is None:
        return raw
    return codecs.getincrementaldecoder(told[0])("replace").decode(raw).removeprefix("\ufeff").encode()


def _members(raw: bytes, wanted: Sequence[str]) -> list[tuple[str, bytes, object]]:
    opening = _OPENING.match(raw)
    again = _resume_at(raw, wanted)
    found: list[tuple[str, bytes, object]] = []
    at = opening.end() if opening else _next(again, raw, 0)
    while at is not None and at < len(raw):
        member = _member(raw, at)
        if member is None:
            at = _next(again, raw, at + 1)
            continue
        end, name, text, value = member
        found.append((name, text, value))
        end = skip_white(raw, end)
        if raw[end : end + 1] == b",":
            at = skip_white(raw, end + 1)
        else:
            at = _next(again, raw, end)
    return found


def _resume_at(raw: bytes, wanted: Sequence[str]) -> re.Pattern[bytes]:
    """What stands before a member after the damage: the white space that most wanted keys have before them."""
    keys = b"|".join(name.encode() for name in wanted)
    indents = re.findall(rb'\n[ \t]*(?="(?:' + keys + rb')"[ \t]*:)', raw)
    if indents:
        return re.compile(re.escape(max(indents, key=indents.count)) + rb'(?=")')
    return re.compile(rb'(?<![\\A-Za-z0-9_])(?="(?:' + keys + rb')"[ \t]*:)')


def _next(again: re.Pattern[bytes], raw: bytes, at: int) -> int | None:
    match = again.search(raw, at)
    return match.end() if match else None


def _member(raw: bytes, at: int) -> tuple[int, str, bytes, object] | None:
    """The member at `at`: where it ends, its name, text and value (`...`: not one that serde_json reads); or None."""
    key = _KEY.match(raw, at)
    if key is None:
        return None
    end = _whole_value(raw, key.end())
    if end is None or bad_utf8(raw[at:end]) is not None:
        return None
    try:
        name = serde.parse(b'"' + key[1] + b'"')
    except serde.ParseFault:
        return None
    try:
        value = serde.parse(raw[key.end() : end])
    except serde.ParseFault:
        value = ...
    return end, str(name), raw[at:end], value


def _whole_value(raw: bytes, at: int) -> int | None:
    """Where the value at `at` ends; None where it is broken, or what follows it shows that it may be."""
    stop = scan(raw, at)
    if not stop.complete:
        return None
    following = raw[stop.offset : stop.offset + 1]
    number_may_go_on = following == b"" and raw[stop.cut - 1 : stop.cut].isdigit()
    return stop.cut if following in (b"", b",", b"}", b"]") and not number_may_go_on else None


def _elements(raw: bytes, at: int) -> list[object]:
    found: list[object] = []
    while (end := _whole_value(raw, at)) is not None:
        try:
            found.append(serde.parse(raw[at:end]))
        except serde.ParseFault:
            found.append(...)
        at = skip_white(raw, end)
        if raw[at : at + 1] != b",":
            break
        at += 1
    return found
