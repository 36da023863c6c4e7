"""Whatever a string holds, what comes out is plain text."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from lastgood.tui.text import GUARD, clip, content, fit, segments, strip, text, width

HOSTILE = [
    "\x1b]52;c;ZXZpbA==\x07",
    "\x9b31m red",
    "abc\u202egnp.exe",
    "[bold]not bold[/bold]",
    "[/b]",
    "[@click=app.quit]x",
    "nul\x00 del\x7f bell\x07 tab\t line\n",
    "zero\u200bwidth\ufeff",
    "lone \ud800 surrogate",
    "tags \U000e0041",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_acts_and_nothing_is_lost(hostile: str) -> None:
    for shown in (
        text(hostile).plain,
        content(hostile).plain,
        "".join(s.text for s in segments(hostile)),
        strip(hostile).text,
    ):
        assert shown.isprintable()
        assert ("[" in shown) == ("[" in hostile)
    assert text("a", (hostile, "red")).plain.startswith("a")


def test_styles_lie_over_the_row() -> None:
    row = Style.parse("on blue")
    plain, loud = segments("a", ("b", "bold"), style=row)
    assert plain.style == row
    assert loud.style == row + Style.parse("bold")


def test_columns_have_their_width() -> None:
    assert fit("abc", 5) == "abc  "
    assert fit("abc", 5, right=True) == "  abc"
    assert fit("abcdef", 4) == "abc…"
    assert clip("日本語", 4) == "日…"
    assert width(fit("日本語", 4)) == 4
    assert clip("abc", 0) == ""
    assert strip("abc", width=6).cell_length == 6


@pytest.mark.parametrize("hostile", HOSTILE)
def test_the_guard_stops_what_was_not_cleaned(hostile: str) -> None:
    (kept,) = GUARD.apply([Segment(hostile, Style(link="https://evil.example", bold=True))], Color(0, 0, 0))
    assert kept.text.isprintable()
    assert kept.style is not None and kept.style.link is None and kept.style.bold


def test_the_guard_lets_the_terminal_s_own_control_through() -> None:
    home = Segment("\x1b[H", None, [(1,)])  # type: ignore[list-item]
    assert GUARD.apply([home], Color(0, 0, 0)) == [home]
