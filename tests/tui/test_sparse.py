"""What a terminal shows after differences is what it would show after the whole."""

from __future__ import annotations

import random

import pyte
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from lastgood.tui.sparse import Image

CONSOLE = Console(color_system="256", force_terminal=True)
STYLES = [
    Style.parse(spelled)
    for spelled in ("none", "bold red", "red on blue", "reverse", "green", "dim #102030 on #ffeedd")
]


class Terminal:
    def __init__(self, width: int = 40, height: int = 6) -> None:
        self.screen = pyte.Screen(width, height)
        self.stream = pyte.Stream(self.screen)

    def feed(self, sequence: str) -> None:
        self.stream.feed(sequence)

    @property
    def looks(self) -> list[list[tuple[str, str, str, bool, bool]]]:
        rows, columns = self.screen.lines, self.screen.columns
        buffer = self.screen.buffer
        return [
            [(c.data, c.fg, c.bg, c.bold, c.reverse) for c in (buffer[y][x] for x in range(columns))]
            for y in range(rows)
        ]


def row(random_: random.Random, words: list[str], width: int = 40) -> Strip:
    segments = [Segment(random_.choice(words), random_.choice(STYLES)) for _ in range(8)]
    return Strip(segments).adjust_cell_length(width)


def test_differences_lead_to_the_same_screen_as_the_whole() -> None:
    random_ = random.Random(7)
    words = ["a", "crashed ", "  ", "✗ ", "日志", "─────", "x" * 12]
    image, seen = Image(), Terminal()
    rows = [row(random_, words) for _ in range(6)]
    for _ in range(60):
        for y in random_.sample(range(6), 2):
            rows[y] = row(random_, words)
        seen.feed(image.update(((y, 0, strip) for y, strip in enumerate(rows)), CONSOLE))
        whole = Terminal()
        whole.feed(Image().update(((y, 0, strip) for y, strip in enumerate(rows)), CONSOLE))
        assert seen.looks == whole.looks


def test_what_has_not_changed_costs_nothing() -> None:
    image = Image()
    strip = Strip([Segment("the same", STYLES[1])])
    assert image.update([(0, 0, strip)], CONSOLE)
    assert image.update([(0, 0, strip)], CONSOLE) == ""


def test_one_changed_cell_costs_a_move_and_a_character() -> None:
    image = Image()
    image.update([(3, 0, Strip([Segment("verifying 812", STYLES[4])]))], CONSOLE)
    assert image.update([(3, 0, Strip([Segment("verifying 813", STYLES[4])]))], CONSOLE) == "\x1b[4;13H3"


def test_a_row_with_wide_characters_is_written_whole() -> None:
    image = Image()
    image.update([(0, 0, Strip([Segment("日志 1")]))], CONSOLE)
    assert "日志 2" in image.update([(0, 0, Strip([Segment("日志 2")]))], CONSOLE)


def test_after_forgetting_everything_is_written_again() -> None:
    image = Image()
    strip = Strip([Segment("again")])
    image.update([(0, 0, strip)], CONSOLE)
    image.forget()
    assert "again" in image.update([(0, 0, strip)], CONSOLE)
