r"""The one door through which text from disk reaches a terminal.

Whatever could act on a terminal, or could not be seen, becomes visible notation: ``\x1b``, ``\u202e``,
``\U000e0001``. A backslash that would read as such notation is doubled, so the notation is unambiguous and
:func:`restore` gives the original back; every other backslash stays as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})
# Drawn as nothing, or as a blank that is no space, though Unicode calls them letters, marks, symbols or spaces.
_INVISIBLE = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U00016fe4\U0001d159") | frozenset(
    chr(c) for c in (*range(0x180B, 0x1810), *range(0xE0100, 0xE01F0), *range(0xFE00, 0xFE10))
)
# Compiled where they are first met: most texts need neither, and a start would wait for both.
_BACKSLASH = r"(?s)\\(?=(.?))"
_NOTATION = r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(\\))"


class Safe(str):
    """Text that has passed the door. Only :func:`clean` makes one; adding anything to it gives plain `str` again."""

    __slots__ = ()


def _hidden(char: str) -> bool:
    if char in _INVISIBLE:
        return True
    category = unicodedata.category(char)
    # Spaces other than U+0020 look like it and are not it: a file name or a key may differ in nothing else.
    return category in _HIDDEN_CATEGORIES or (category == "Zs" and char not in " \u3000")


def _notation(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class _Table(dict[int, str]):
    """What `str.translate` makes of each character, found out when it first comes up; forgotten when there are many."""

    def __init__(self, instead: Callable[[str], str]) -> None:
        super().__init__()
        self._instead = instead

    def __missing__(self, code: int) -> str:
        if len(self) > _KEPT:
            self.clear()
        char = chr(code)
        self[code] = shown = self._instead(char) if _hidden(char) else char
        return shown


_KEPT = 20_000
_AS_NOTATION = _Table(_notation)
_AS_MASK = _Table(lambda char: "?")


def clean(text: str) -> Safe:
    """`text` as it may be shown: one line, no control, nothing invisible. A :class:`Safe` comes back as it is."""
    if isinstance(text, Safe):
        return text
    if "\\" in text:
        text = re.sub(_BACKSLASH, _unambiguous, text)
    if text.isascii() and text.isprintable():
        return Safe(text)
    return Safe(text.translate(_AS_NOTATION))


def _unambiguous(backslash: re.Match[str]) -> str:
    following = backslash[1]
    return "\\\\" if following and (following in "xuU\\" or _hidden(following)) else "\\"


def masked(text: str) -> str:
    """`text` with a `?` for each character that :func:`clean` would not leave: for where no notation has room."""
    return text if text.isascii() and text.isprintable() else text.translate(_AS_MASK)


def clean_lines(text: str) -> list[Safe]:
    """`text` split at its line feeds, each line cleaned."""
    return [clean(line) for line in text.split("\n")]


def restore(shown: str) -> str:
    """The text that :func:`clean` showed as `shown`."""

    def original(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        return chr(int(code, 16)) if code else "\\"

    return re.sub(_NOTATION, original, shown)
