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
            [
                # Neither ink nor weight of a blank is seen.
                (c.data, "" if c.data == " " and not c.reverse else c.fg, c.bg, c.bold and c.data != " ", c.reverse)
                for c in (buffer[y][x] for x in range(columns))
            ]
            for y in range(rows)
        ]


def row(random_: random.Random, words: list[str], width: int = 40) -> Strip:
    segments = [Segment(random_.choice(words), random_.choice(STYLES)) for _ in range(8)]
    return Strip(segments).adjust_cell_length(width)


def test_differences_lead_to_the_same_screen_as_the_whole() -> None:
    random_ = random.Random(7)
    words = ["a", "crashed ", "  ", "✗ ", "日志", "─────", "x" * 12]
    image, seen = Image(), Terminal()
    image.erases = True  # pyte does
    rows = [row(random_, words) for _ in range(6)]
    for turn in range(120):
        for y in random_.sample(range(6), 2):
            rows[y] = row(random_, words)
        if turn % 3 == 0:
            by, top = random_.choice([-2, -1, 1, 2]), random_.choice([0, 1])
            rows[top:] = [rows[top + (n + by) % (6 - top)] for n in range(6 - top)]
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


def test_from_the_first_wide_character_on_a_row_is_written_whole() -> None:
    image = Image()
    image.update([(0, 0, Strip([Segment("see 日志 1 of it")]))], CONSOLE)
    written = image.update([(0, 0, Strip([Segment("see 日志 2 of it")]))], CONSOLE)
    assert "日志 2 of it" in written and "see" not in written


def test_the_mark_at_the_end_of_a_row_with_wide_characters_goes_alone() -> None:
    image = Image()
    image.update([(0, 0, Strip([Segment("日志 1│")]))], CONSOLE)
    assert image.update([(0, 0, Strip([Segment("日志 1┃")]))], CONSOLE) == "\x1b[1;7H┃"


def named(top: int, *, style: Style = STYLES[0]) -> list[tuple[int, int, Strip]]:
    return [(y, 0, Strip([Segment(f"session {top + y:<11}", style)])) for y in range(6)]


def test_rows_that_scroll_are_moved_by_the_terminal_and_only_the_new_one_is_written() -> None:
    image, seen = Image(), Terminal(20)
    seen.feed(image.update(named(0), CONSOLE))
    down = image.update(named(1), CONSOLE)
    seen.feed(down)
    assert [line.split()[1] for line in seen.screen.display] == ["1", "2", "3", "4", "5", "6"]
    assert down.count("session") == 1 and len(down) < 60
    up = image.update(named(0), CONSOLE)
    seen.feed(up)
    assert [line.split()[1] for line in seen.screen.display] == ["0", "1", "2", "3", "4", "5"]
    assert up.count("session") == 1 and len(up) < 60


def test_what_stands_beside_rows_that_scroll_stays() -> None:
    image, seen = Image(), Terminal(26)
    beside = [(y, 20, Strip([Segment(f"fixed{y}")])) for y in range(6)]
    seen.feed(image.update([*named(0), *beside], CONSOLE))
    seen.feed(image.update(named(1), CONSOLE))
    assert [line.split() for line in seen.screen.display] == [["session", str(y + 1), f"fixed{y}"] for y in range(6)]


def test_a_terminal_that_erases_to_its_own_ground_is_sent_blanks() -> None:
    on_blue = STYLES[2]
    for erases in (False, True):
        image = Image()
        image.erases = erases
        image.update([(0, 0, Strip([Segment("x" * 40, on_blue)]))], CONSOLE)
        assert ("\x1b[K" in image.update([(0, 0, Strip([Segment(" " * 40, on_blue)]))], CONSOLE)) is erases


def test_losing_an_attribute_costs_no_new_colours() -> None:
    image = Image()
    image.update(
        [(0, 0, Strip([Segment("a", Style.parse("green")), Segment("b", Style.parse("bold green"))]))], CONSOLE
    )
    written = image.update(
        [(1, 0, Strip([Segment("a", Style.parse("bold green")), Segment("b", Style.parse("green"))]))], CONSOLE
    )
    assert written == "\x1b[2Ha\x1b[22mb"


def test_after_forgetting_everything_is_written_again() -> None:
    image = Image()
    strip = Strip([Segment("again")])
    image.update([(0, 0, strip)], CONSOLE)
    image.forget()
    assert "again" in image.update([(0, 0, strip)], CONSOLE)
