"""A hundred thousand rows behave like ten."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.strip import Strip

from lastgood.tui.rows import Rows
from lastgood.tui.text import strip


class Numbers(Rows):
    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def row_count(self) -> int:
        return self.count

    def row_strip(self, row: int) -> Strip:
        return strip(f"row {row} \x1b[31m[/b]")


class Host(App[None]):
    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count
        self.moves: list[int] = []

    def compose(self) -> ComposeResult:
        yield Numbers(self.count)

    def on_mount(self) -> None:
        self.query_one(Numbers).rows_changed()

    def on_rows_moved(self, event: Rows.Moved) -> None:
        self.moves.append(event.row)


def shown(rows: Rows) -> list[str]:
    """Without the column that shows the position."""
    return [rows.render_line(y).text[:-1].rstrip() for y in range(rows.size.height)]


async def test_cursor_goes_everywhere_and_stays_in_sight() -> None:
    app = Host(100_000)
    async with app.run_test(size=(40, 10)) as pilot:
        rows = app.query_one(Numbers)
        assert shown(rows)[0] == r"row 0 \x1b[31m[/b]"
        await pilot.press("j", "down", "k")
        assert rows.cursor == 1
        await pilot.press("G")
        assert shown(rows)[-1].startswith("row 99999")
        await pilot.press("pageup")
        assert rows.cursor == 99_990
        await pilot.press("home")
        assert rows.cursor == 0 and shown(rows)[0].startswith("row 0 ")
        await pilot.press("up")
        assert rows.cursor == 0
        assert app.moves == [1, 2, 1, 99_999, 99_990, 0]


async def test_leaving_the_screen_by_a_row_the_rows_follow_by_one() -> None:
    app = Host(100)
    async with app.run_test(size=(40, 10)) as pilot:
        rows = app.query_one(Numbers)
        await pilot.press(*["j"] * 10)
        assert shown(rows)[0].startswith("row 1 ")
        await pilot.press(*["k"] * 10)
        assert shown(rows)[0].startswith("row 0 ")


async def test_rows_beside_something_jump_by_half_of_the_screen() -> None:
    app = Host(100)
    async with app.run_test(size=(40, 10)) as pilot:
        rows = app.query_one(Numbers)
        rows.styles.width = 30
        await pilot.pause()
        await pilot.press(*["j"] * 10)
        assert shown(rows)[0].startswith("row 5 ")
        await pilot.press("j")
        assert shown(rows)[0].startswith("row 5 ")


async def test_the_last_column_shows_where_the_screen_is() -> None:
    app = Host(100)
    async with app.run_test(size=(40, 10)) as pilot:
        rows = app.query_one(Numbers)
        marks = [rows.render_line(y).text[-1] for y in range(10)]
        assert marks == ["┃", *"│││││││││"]
        await pilot.press("G")
        assert [rows.render_line(y).text[-1] for y in range(10)] == [*"│││││││││", "┃"]


async def test_fewer_rows_keep_the_cursor_inside() -> None:
    app = Host(100)
    async with app.run_test(size=(40, 10)) as pilot:
        rows = app.query_one(Numbers)
        await pilot.press("G")
        rows.count = 3
        rows.rows_changed()
        await pilot.pause()
        assert rows.cursor == 2
        assert next(s for s in shown(rows) if s).startswith("row 0 ")
        rows.count = 0
        rows.rows_changed()
        await pilot.pause()
        await pilot.press("j", "G", "pageup")
        assert rows.cursor == 0 and not any(shown(rows))
