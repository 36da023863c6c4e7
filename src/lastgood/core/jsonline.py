"""What the lines of a JSON text are, and the grammar that finds them in its bytes.

The patterns are possessive throughout: no text, however made, sends them back over what they have read.
"""

from __future__ import annotations

import mmap
import re
from enum import IntEnum
from typing import NamedTuple

Raw = bytes | mmap.mmap

_SPACE = rb"[ \t\n\r]*+"
_BODY = rb'[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+'
_STRING = b'"' + _BODY + b'"'
_NUMBER = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]++)?+"
_SCALAR = b"|".join((_STRING, _NUMBER, b"true", b"false", b"null"))
_VALUE = (
    _SPACE
    + (b"(?:(" + _SCALAR + rb"|\{" + _SPACE + rb"\}|\[" + _SPACE + rb"\])" + _SPACE + rb"(,)?+")
    + (rb"|([{\[])(?=" + _SPACE + rb"[^ \t\n\r]))")
)

SPACE = re.compile(_SPACE)
BODY = re.compile(_BODY)
STRING = re.compile(_STRING)
ELEMENT = re.compile(b"()" + _VALUE)
"""Groups: an empty key, a scalar or empty container, its comma, or else the bracket that opens a container."""
MEMBER = re.compile(_SPACE + b"(" + _STRING + b")" + _SPACE + b":" + _VALUE)
COLON = re.compile(_SPACE + b":")
CLOSE_OBJECT = re.compile(_SPACE + rb"(\})" + _SPACE + b"(,)?+")
CLOSE_ARRAY = re.compile(_SPACE + rb"(\])" + _SPACE + b"(,)?+")


class Kind(IntEnum):
    OPEN = 0
    CLOSE = 1
    LEAF = 2
    RAW = 3


class Frame:
    """A container that lines are in."""

    __slots__ = ("depth", "is_object", "key", "line", "parent", "place")

    def __init__(
        self, parent: Frame | None, line: int, is_object: bool, depth: int, place: int, key: tuple[int, int]
    ) -> None:
        self.parent = parent
        self.line = line
        """The line that opens it."""
        self.is_object = is_object
        self.depth = depth
        """How many containers hold it."""
        self.place = place
        """Among the elements of its parent, from 0."""
        self.key = key
        """Where its key is; an empty range where it has none."""


class Line(NamedTuple):
    kind: Kind
    key: tuple[int, int]
    """Where the key is, quotes included; an empty range where there is none. A closing line has its container's."""
    start: int
    end: int
    comma: bool
    frame: Frame | None
    """The container of which this line's node is an element; None for the root, and for raw lines."""
    place: int
    """Among the elements of that container, from 0."""
    opened: int
    """For a closing line the line that opens it, else its own number."""

    @property
    def depth(self) -> int:
        return 0 if self.frame is None else self.frame.depth + 1
