"""Only what has changed goes over the link: an image of the terminal, and updates as the difference to it.

Textual writes whole regions, whether their cells changed or not, and a style anew for each piece of text: a cursor move
that changes a preview costs up to 9 KB, turning to another pane 18 KB. The same as differences: some hundred bytes and
2 KB. It builds on Textual's compositor updates; the version of Textual is pinned for that reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.cells import get_character_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

Cell = tuple[str, str]
"""A character and the SGR parameters that it is drawn with; the second half of a wide character is empty."""

_JOIN_CELLS = 5
"""A gap of unchanged cells costs as much to skip as to write."""


class Image:
    """What the terminal shows, as far as it is known."""

    def __init__(self) -> None:
        self._rows: dict[int, list[Cell | None]] = {}
        self._codes: dict[Style, str] = {}
        self._narrow: dict[str, bool] = {}
        self._pen: str | None = None
        """The SGR parameters in force; None where that is not known."""
        self._changes: dict[tuple[str, str], str] = {}

    def forget(self) -> None:
        """The terminal may show anything: the next update writes all that it has."""
        self._rows.clear()
        self._pen = None

    def update(self, pieces: Iterable[tuple[int, int, Strip]], console: Console) -> str:
        """The bytes that make the terminal show these strips at these places (row, column)."""
        touched: dict[int, list[Cell | None]] = {}
        for y, x, strip in pieces:
            row = touched.get(y)
            if row is None:
                row = touched[y] = list(self._rows.get(y, ()))
            cells = self._cells(strip, console)
            if len(row) < x + len(cells):
                row.extend([None] * (x + len(cells) - len(row)))
            row[x : x + len(cells)] = cells
        out: list[str] = []
        for y in sorted(touched):
            new, old = touched[y], self._rows.get(y, [])
            if new == old:
                continue
            for start, end in self._runs(old, new):
                out.append(f"\x1b[{y + 1};{start + 1}H")
                for cell in new[start:end]:
                    if cell is None:
                        continue
                    if cell[1] != self._pen:
                        out.append(self._to(cell[1]))
                    out.append(cell[0])
            self._rows[y] = new
        return "".join(out)

    def _to(self, code: str) -> str:
        """The sequence that changes the pen to this one, as short as it can be."""
        pen, self._pen = self._pen, code
        if pen is None:
            return f"\x1b[0;{code}m" if code else "\x1b[0m"
        change = self._changes.get((pen, code))
        if change is None:
            change = self._changes[pen, code] = _change(pen, code)
        return change

    def _cells(self, strip: Strip, console: Console) -> list[Cell]:
        cells: list[Cell] = []
        for text, style, control in strip:
            if control:
                continue
            code = self._code(style, console)
            if text.isascii():
                cells += [(char, code) for char in text]
                continue
            for char in text:
                width = get_character_cell_size(char)
                if width == 0 and cells:
                    # Drawn onto the character before it.
                    base, its = cells[-1] if cells[-1][0] or len(cells) == 1 else cells[-2]
                    at = -1 if cells[-1][0] or len(cells) == 1 else -2
                    cells[at] = (base + char, its)
                    continue
                cells.append((char, code))
                if width == 2:
                    cells.append(("", code))
        return cells

    def _code(self, style: Style | None, console: Console) -> str:
        if style is None:
            return ""
        code = self._codes.get(style)
        if code is None:
            system = console._color_system
            code = self._codes[style] = "" if system is None else style._make_ansi_codes(system)
        return code

    def _runs(self, old: list[Cell | None], new: list[Cell | None]) -> Iterator[tuple[int, int]]:
        """The stretches of `new` to write, from and to; the whole row where terminals may count cells otherwise."""
        if not (self._counted(old) and self._counted(new)):
            first = next((i for i, cell in enumerate(new) if cell is not None), 0)
            yield first, len(new)
            return
        start: int | None = None
        same = 0
        for i, cell in enumerate(new):
            if i < len(old) and cell == old[i]:
                same += 1
                if start is not None and same > _JOIN_CELLS:
                    yield start, i - same + 1
                    start = None
            else:
                if start is None:
                    start = i
                same = 0
        if start is not None:
            yield start, len(new) - same

    def _counted(self, row: list[Cell | None]) -> bool:
        """Whether every terminal gives each character of the row one cell."""
        return all(cell is None or (cell[0] < "\x7f" and cell[0]) or self._is_narrow(cell[0]) for cell in row)

    def _is_narrow(self, char: str) -> bool:
        known = self._narrow.get(char)
        if known is None:
            known = self._narrow[char] = len(char) == 1 and (
                "\xa1" <= char <= "\u024f" or "\u2010" <= char <= "\u2027" or "\u2190" <= char <= "\u27bf"
            )
        return known


def _change(old: str, new: str) -> str:
    """From one pen to another; attributes can only be added, so losing one starts afresh."""
    had, old_ink, old_ground = _parts(old)
    has, ink, ground = _parts(new)
    if not had <= has:
        return f"\x1b[0;{new}m" if new else "\x1b[0m"
    params = sorted(has - had)
    if ink != old_ink:
        params.append(ink or "39")
    if ground != old_ground:
        params.append(ground or "49")
    return f"\x1b[{';'.join(params)}m" if params else ""


def _parts(code: str) -> tuple[frozenset[str], str, str]:
    """Attributes, ink and ground of SGR parameters."""
    attributes: set[str] = set()
    ink = ground = ""
    params = code.split(";") if code else []
    while params:
        param = params.pop(0)
        if param in ("38", "48"):
            count = 2 if params[0] == "5" else 4
            colour = ";".join([param, *params[:count]])
            del params[:count]
        else:
            colour = param
        number = int(param)
        if number in (38, 39) or 30 <= number <= 37 or 90 <= number <= 97:
            ink = "" if number == 39 else colour
        elif number in (48, 49) or 40 <= number <= 47 or 100 <= number <= 107:
            ground = "" if number == 49 else colour
        else:
            attributes.add(param)
    return frozenset(attributes), ink, ground


class SparseUpdate(CompositorUpdate):
    """Another update, written as its difference to what the terminal shows."""

    def __init__(self, update: LayoutUpdate | ChopsUpdate, image: Image) -> None:
        self._update = update
        self._image = image

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._update

    def render_segments(self, console: Console) -> str:
        pieces = _of_layout(self._update) if isinstance(self._update, LayoutUpdate) else _of_chops(self._update)
        return self._image.update(pieces, console)


def _of_layout(update: LayoutUpdate) -> Iterator[tuple[int, int, Strip]]:
    for y, line in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in line:
            yield y, x, strip
            x += strip.cell_length


def _of_chops(update: ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    for y, first, beyond in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x > beyond or end <= first:
                continue
            whole = beyond > x >= first and end <= beyond
            yield y, x, strip if whole else strip.crop(0, min(end, beyond) - x)
