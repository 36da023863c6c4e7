"""Markdown as plain lines: its signs turned into looks, nothing of its text left out."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Look = Literal["text", "heading", "code", "fence", "quote"]


class Said(NamedTuple):
    """One line of text."""

    look: Look
    text: str
    """With inline signs still in it: :func:`inline` cuts them."""


_FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*([\w+#.-]*)")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+(.*?)\s*#*\s*")
_BULLET = re.compile(r"(\s*)[-*+]\s+(.*)")
_QUOTE = re.compile(r"\s{0,3}>\s?(.*)")
_RULE = re.compile(r"\s{0,3}([-*_])(?:\s*\1){2,}\s*")
_INLINE = re.compile(
    r"(?P<code>`+)(?P<code_text>[^`]+?)(?P=code)"
    r"|(?P<bold>\*\*|__)(?=\S)(?P<bold_text>.+?)(?<=\S)(?P=bold)"
    r"|(?<![\w*])\*(?=[^\s*])(?P<italic_text>[^*]+?)(?<=\S)\*(?![\w*])"
    r"|!?\[(?P<link_text>[^\]]+)\]\((?P<link>[^)\s]+)\)"
)


def lines(said: str) -> list[Said]:
    """The lines of a text, each with what it is."""
    made: list[Said] = []
    fence: str | None = None
    for line in said.split("\n"):
        line = line.rstrip("\r").replace("\t", "    ")
        match = _FENCE.match(line)
        if fence is not None:
            if match and match[1].startswith(fence) and not match[2]:
                fence = None
                made.append(Said("fence", ""))
            else:
                made.append(Said("code", line))
        elif match:
            fence = match[1]
            made.append(Said("fence", match[2]))
        elif _RULE.fullmatch(line):
            made.append(Said("fence", ""))
        elif heading := _HEADING.fullmatch(line):
            made.append(Said("heading", heading[1]))
        elif bullet := _BULLET.fullmatch(line):
            made.append(Said("text", f"{bullet[1]}• {bullet[2]}"))
        elif quote := _QUOTE.fullmatch(line):
            made.append(Said("quote", quote[1]))
        else:
            made.append(Said("text", line))
    return made


def inline(said: str) -> list[tuple[str, str]]:
    """A line in pieces, each with its look: `""`, `bold`, `italic` or `code`."""
    pieces: list[tuple[str, str]] = []
    end = 0
    for match in _INLINE.finditer(said):
        if match.start() > end:
            pieces.append((said[end : match.start()], ""))
        if match["link"] is not None:
            pieces += [(match["link_text"], "bold"), (f" ({match['link']})", "")]
        elif match["code"] is not None:
            pieces.append((match["code_text"], "code"))
        elif match["bold"] is not None:
            pieces.append((match["bold_text"], "bold"))
        else:
            pieces.append((match["italic_text"], "italic"))
        end = match.end()
    if end < len(said) or not pieces:
        pieces.append((said[end:], ""))
    return pieces
