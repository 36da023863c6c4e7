"""Find the one byte that was changed: the checksum proves it when the right one is put back."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

_MOST = 16 * 1024
"""Larger documents are not searched: the work grows with the square of the size (16 KiB: about a second)."""
_TOKENS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[^" \t\n\r]+', re.DOTALL)
_ENVELOPE = re.compile(rb'"_(?:checksum|version)":"[^"\\]*",?')


def flipped_byte(raw: bytes, expected: str) -> tuple[int, bytes] | None:
    """The offset of the only changed byte and what it was, if one flipped bit or one other digit explains the mismatch.

    Only for files in the crate's own order and spelling; None for all others, and above 16 KiB.
    """
    compact, offsets = _as_sealed(raw)
    if len(compact) > _MOST or len(expected) != 64:
        return None
    try:
        wanted = bytes.fromhex(expected)
    except ValueError:
        return None
    view = memoryview(compact)
    before = hashlib.sha256()
    for at, byte in enumerate(compact):
        rest = view[at + 1 :]
        for other in _others(byte):
            trial = before.copy()
            trial.update(other)
            trial.update(rest)
            if trial.digest() == wanted:
                return offsets[at], other
        before.update(compact[at : at + 1])
    return None


def _others(byte: int) -> Iterator[bytes]:
    flips = {byte ^ 1 << bit for bit in range(8)}
    if 0x30 <= byte <= 0x39:
        flips.update(range(0x30, 0x3A))
    return (bytes((other,)) for other in sorted(flips - {byte}))


def _as_sealed(raw: bytes) -> tuple[bytes, list[int]]:
    """What the digest was taken of, as written: no white space, no envelope; and each byte's offset in `raw`."""
    tokens = [(m.start(), m.group()) for m in _TOKENS.finditer(raw)]
    compact = b"".join(token for _, token in tokens)
    offsets = [start + i for start, token in tokens for i in range(len(token))]
    for match in reversed([*_ENVELOPE.finditer(compact, 0, 200)]):
        compact = compact[: match.start()] + compact[match.end() :]
        del offsets[match.start() : match.end()]
    return compact, offsets
