"""What a terminal shows after differences is what it would show after the whole."""

from __future__ import annotations

import random
import unicodedata

import pyte
import pytest
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


def test_what_stands_beside_wide_characters_changes_alone() -> None:
    image = Image()
    image.update([(0, 0, Strip([Segment("see 日志 1 of it")]))], CONSOLE)
    assert image.update([(0, 0, Strip([Segment("see 日志 2 of it")]))], CONSOLE) == "\x1b[1;10H2"
    written = image.update([(0, 0, Strip([Segment("see 日文 2 of it")]))], CONSOLE)
    assert "日文" in written and "see" not in written and "of it" not in written


@pytest.mark.parametrize("cells", [1, 2, None])
def test_where_a_terminal_counts_otherwise_what_stands_beside_stays_in_its_place(
    cells: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if cells is not None:
        monkeypatch.setattr("pyte.screens.wcwidth", lambda char: 1 if char < "\u0300" else cells)
    random_ = random.Random(11)
    words = ["日志", "ग्राहक प्रतिक्रिया", "⚠\ufe0f ", "👩\u200d🔧", "e\u0301", "plain", "    "]
    image, seen = Image(), Terminal(40)
    seen.feed("\x1b[?7l")  # as the screen has it: what runs over the edge is not wrapped
    lefts, rights = [""] * 6, [""] * 6
    for _ in range(200):
        y = random_.randrange(6)
        if random_.random() < 0.5:
            lefts[y] = f"{random_.choice(words)} {random_.choice(words)}"
        rights[y] = f"|{random_.choice(['beside', 'it', 'stands this'])}"
        strips = [
            (y, x, Strip([Segment(text)]).adjust_cell_length(cells))
            for y in range(6)
            for x, cells, text in ((0, 26, lefts[y]), (26, 14, rights[y]))
        ]
        seen.feed(image.update(strips, CONSOLE))
        for y in range(6):
            shown = [seen.screen.buffer[y][x].data for x in range(40)]
            assert "".join(shown[26:]) == rights[y].ljust(14)
            assert set("".join(shown[:26])) <= {" ", *lefts[y], *unicodedata.normalize("NFC", lefts[y])}


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
