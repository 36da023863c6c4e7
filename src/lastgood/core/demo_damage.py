"""What happens to files: each function takes a checkpoint's bytes and gives them damaged as real ones are found."""

from __future__ import annotations

import re


def flip_tokens(raw: bytes) -> bytes:
    """One bit of one digit of `tokens_used` flipped, by bad memory or a bad disk."""
    number = re.search(rb'"tokens_used": (\d+)', raw)
    assert number is not None
    for at in range(number.start(1), number.end(1)):
        if raw[at] in b"01":
            return raw[:at] + bytes([raw[at] ^ 8]) + raw[at + 1 :]
    at = number.end(1) - 1
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


def truncate(raw: bytes) -> bytes:
    """The writer died, or the disk was full."""
    return raw[: len(raw) * 5 // 8]


def zero_tail(raw: bytes) -> bytes:
    """The size was recorded before a power cut and the last block was not."""
    start = (len(raw) * 2 // 3) & ~0x1FF or len(raw) // 2
    return raw[:start] + bytes(len(raw) - start)


def break_utf8(raw: bytes) -> bytes:
    """Two bytes in the middle of a message that belong to no character."""
    at = raw.index(b'"content": "') + 24
    return raw[:at] + b"\xff\xfe" + raw[at + 2 :]


def splice(raw: bytes, older: bytes) -> bytes:
    """Two versions of one file, cut together at a block's border."""
    cut = (min(len(raw), len(older)) // 2) & ~0x1FF or len(older) // 2
    return raw[:cut] + older[cut:]


def edit_version(raw: bytes) -> bytes:
    """Somebody wrote another version into it."""
    return raw.replace(b'"_version": "1.0"', b'"_version": "1.1"', 1)


def drop_checksum(raw: bytes) -> bytes:
    """Somebody edited it and removed the line that no longer fitted."""
    return re.sub(rb'\n  "_checksum": "[^"]*",', b"", raw, count=1)


def drop_version(raw: bytes) -> bytes:
    """The same, for the other line."""
    return re.sub(rb'\n  "_version": "[^"]*",', b"", raw, count=1)


def into_array(raw: bytes) -> bytes:
    """An export of another tool under a checkpoint's name."""
    return b"[" + raw + b"]"
