"""Only what has changed goes over the link: an image of the terminal, and updates as the difference to it.

Textual writes whole regions, whether their cells changed or not, and a style anew for each piece of text: a cursor move
that changes a preview costs up to 9 KB, turning to another pane 18 KB. The same as differences: some hundred bytes and
2 KB. It builds on Textual's compositor updates; the version of Textual is pinned for that reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from rich.cells import get_character_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

Cell = tuple[str, str]
"""A character and the SGR parameters that it is drawn with; the second half of a wide character is empty."""

Row = Sequence[Cell | None]
"""Cells from the left; None is one that may show anything, like all beyond the end."""

Stretch = tuple[int, int, int]
"""Cells of a row in which terminals may count otherwise: from, to, and how far what they count more may run over."""

_ERASE = "\x1b[K"
_NEAR = 6
"""Cells between two stretches that are written as one: it costs as many bytes to say where the second begins."""
_FEWEST_TO_SCROLL = 3
"""Rows that have to stand elsewhere than before for the terminal to move them itself."""


class Image:
    """What the terminal shows, as far as it is known."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}
        self._codes: dict[Style, str] = {}
        self._narrow: dict[str, bool] = {}
        self._pen: str | None = None
        """The SGR parameters in force; None where that is not known."""
        self.erases = False
        """Whether what the terminal erases gets the ground in force, and not its own."""

    def forget(self) -> None:
        """The terminal may show anything: the next update writes all that it has."""
        self._rows.clear()
        self._pen = None

    def update(self, pieces: Iterable[tuple[int, int, Strip]], console: Console) -> str:
        """The bytes that make the terminal show these strips at these places (row, column)."""
        wanted: dict[int, list[Cell | None]] = {}
        for y, x, strip in pieces:
            row = wanted.get(y)
            if row is None:
                row = wanted[y] = list(self._rows.get(y, ()))
            cells = self._cells(strip, console)
            if len(row) < x + len(cells):
                row.extend([None] * (x + len(cells) - len(row)))
            row[x : x + len(cells)] = cells
        changed: dict[int, Row] = {y: row for y, row in wanted.items() if row != self._rows.get(y)}
        pen = self._pen
        written = self._differences(self._rows, changed)
        moved = self._moved_rows(changed)
        if moved is not None:
            pen_after, self._pen = self._pen, pen
            sequence, there = moved
            touched = {y: changed.get(y, self._rows[y]) for y in {**changed, **there}}
            scrolled = sequence + self._differences({**self._rows, **there}, touched)
            if len(scrolled) < len(written):
                written = scrolled
            else:
                self._pen = pen_after
        self._rows.update(changed)
        return written

    def _moved_rows(self, changed: Mapping[int, Row]) -> tuple[str, dict[int, Row]] | None:
        """How the terminal moves rows up or down by itself, and what they show then; None where hardly any moved."""
        if len(changed) < _FEWEST_TO_SCROLL:
            return None
        was_at = {_text(row): y for y, row in self._rows.items()}
        ways: dict[int, list[int]] = {}
        for y, row in changed.items():
            old = was_at.get(_text(row), y)
            if old != y and _text(row).strip():
                ways.setdefault(old - y, []).append(y)
        by, rows = max(ways.items(), key=lambda way: len(way[1]), default=(0, []))
        if len(rows) < _FEWEST_TO_SCROLL:
            return None
        top, bottom = min(*rows, min(rows) + by), max(*rows, max(rows) + by)
        width = max(map(len, self._rows.values()))
        region = [self._rows.get(y, ()) for y in range(top, bottom + 1)]
        if any(len(row) != width or None in row for row in region):
            return None  # something would move along that nobody knows
        start, step = (bottom, "\n") if by > 0 else (top, "\x1bM")
        sequence = f"\x1b[{top + 1};{bottom + 1}r\x1b[{start + 1}H{step * abs(by)}\x1b[r"
        places = range(len(region))
        return sequence, {top + at: region[at + by] if at + by in places else () for at in places}

    def _differences(self, old_rows: Mapping[int, Row], new_rows: Mapping[int, Row]) -> str:
        out: list[str] = []
        width = max(map(len, (*old_rows.values(), *new_rows.values())), default=0)
        for y in sorted(new_rows):
            new, old = new_rows[y], old_rows.get(y, ())
            unsure = self._unsure(new)
            runs = _runs(old, new, [*self._unsure(old), *unsure])
            blank = self._blank_from(new) if len(new) == width else width
            erased = min((max(start, blank) for start, end in runs if end > blank), default=width)
            if runs and runs[-1][1] - erased > len(_ERASE):
                runs = [(start, min(end, erased)) for start, end in runs if start < erased]
            else:
                erased = width
            at: int | None = None
            for start, end in runs:
                out.append(self._way(y, at, start, new))
                out += self._run(y, start, end, new, unsure)
                at = end
            if erased < width:
                out.append(self._way(y, at, erased, new))
                out.append(self._drawn(new[erased] or ("", "")).removesuffix(" ") + _ERASE)
        return "".join(out)

    def _way(self, y: int, at: int | None, to: int, row: Row) -> str:
        """What leads to a cell of a row from another, or from anywhere."""
        if at is None:
            return f"\x1b[{y + 1};{to + 1}H" if to else f"\x1b[{y + 1}H"
        if at == to:
            return ""
        skip = f"\x1b[{to - at}C" if to > at + 1 else "\x1b[C"
        gap = row[at:to]
        if len(gap) < len(skip) and all(cell and self._pen_draws(cell) for cell in gap):
            return "".join(cell[0] for cell in gap if cell)
        return skip

    def _drawn(self, cell: Cell) -> str:
        if self._pen_draws(cell):
            return cell[0]
        change = _change(self._pen, cell[1])
        self._pen = cell[1]
        return change + cell[0]

    def _blank_from(self, row: Row) -> int:
        """Where the blanks begin that the row ends with, if the terminal can erase to them."""
        last = row[-1] if row else None
        if last is None or last[0] != " " or not (last[1] == "" or (self.erases and _parts(last[1])[2] == last[1])):
            return len(row)
        at = len(row) - 1
        while at and row[at - 1] == last:
            at -= 1
        return at

    def _pen_draws(self, cell: Cell) -> bool:
        """Whether the pen in force gives the cell its look: of a blank only its ground is seen."""
        pen = self._pen
        return pen == cell[1] or (pen is not None and cell[0] == " " and _of_a_blank(pen) == cell[1])

    def _cells(self, strip: Strip, console: Console) -> list[Cell]:
        cells: list[Cell] = []
        for text, style, control in strip:
            if control:
                continue
            code = self._code(style, console)
            blank = (" ", _of_a_blank(code))
            if text.isascii():
                cells += [blank if char == " " else (char, code) for char in text]
                continue
            for char in text:
                width = get_character_cell_size(char)
                if width == 0 and cells:
                    # Drawn onto the character before it.
                    base, its = cells[-1] if cells[-1][0] or len(cells) == 1 else cells[-2]
                    at = -1 if cells[-1][0] or len(cells) == 1 else -2
                    cells[at] = (base + char, its)
                    continue
                cells.append(blank if char == " " else (char, code))
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

    def _run(self, y: int, start: int, end: int, row: Row, unsure: Sequence[Stretch]) -> Iterator[str]:
        """Cells of a row. Where a terminal may count otherwise, it is told where to go on; what it leaves is blank."""
        for at, sure, _ in unsure:
            if start <= at < end:
                yield from self._plainly(row[start:at])
                ground = _of_a_blank((row[at] or ("", ""))[1])
                yield from self._plainly([(" ", ground)] * (sure - at))
                yield self._way(y, None, at, row)
                blanks = next((n for n, cell in enumerate(reversed(row[at:sure])) if cell != (" ", ground)), 0)
                yield from self._plainly(row[at : sure - blanks])
                yield self._way(y, None, sure, row)
                start = sure
        yield from self._plainly(row[start:end])

    def _plainly(self, cells: Row) -> Iterator[str]:
        return (self._drawn(cell) for cell in cells if cell and cell[0])

    def _unsure(self, row: Row) -> list[Stretch]:
        """Where terminals may count otherwise, from the left: characters that are not surely one cell wide."""
        found: list[Stretch] = []
        for at, cell in enumerate(row):
            if cell is None or not cell[0] or self._is_narrow(cell[0]):
                continue
            end = at + 2 if at + 1 < len(row) and row[at + 1] == ("", cell[1]) else at + 1
            more = 2 * len(cell[0]) - (end - at)
            if found and at - found[-1][1] < _NEAR:
                start, before, over = found.pop()
                found.append((start, end, end + (over - before) + more))
            else:
                found.append((at, end, end + more))
        return [(start, _with_blanks(row, end, over), min(over, len(row))) for start, end, over in found]

    def _is_narrow(self, char: str) -> bool:
        known = self._narrow.get(char)
        if known is None:
            known = self._narrow[char] = len(char) == 1 and (
                " " <= char <= "~"
                or "\xa1" <= char <= "\u024f"
                or "\u2010" <= char <= "\u2027"
                or "\u2190" <= char <= "\u27bf"
            )
        return known


def _runs(old: Row, new: Row, unsure: Iterable[Stretch]) -> list[tuple[int, int]]:
    """The stretches of `new` to write, from and to; each of the unsure ones wholly or not at all."""
    differs = [i >= len(old) or cell != old[i] for i, cell in enumerate(new)]
    joined: list[tuple[int, int]] = []
    for start, _, end in sorted(unsure):
        if joined and start <= joined[-1][1]:
            start, end = joined[-1][0], max(end, joined.pop()[1])
        joined.append((start, end))
    for start, end in joined:
        if any(differs[start:end]):
            differs[start:end] = [True] * len(differs[start:end])
    edges = [i for i, (was, now) in enumerate(pairwise((False, *differs, False))) if was != now]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _with_blanks(row: Row, end: int, over: int) -> int:
    """The end of the blanks that follow a stretch: what is counted more may stand in them."""
    ground = _of_a_blank((row[end - 1] or ("", ""))[1])
    while end < min(over, len(row)) and row[end] == (" ", ground):
        end += 1
    return end


def _text(row: Row) -> str:
    """What a row says; without its last cell, which shows how far one has scrolled."""
    return "".join(cell[0] if cell else "\0" for cell in row[:-1])


_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "8": "28", "9": "29"}
"""What ends each attribute."""
_SEEN_ON_A_BLANK = frozenset({"4", "5", "6", "7", "8", "9", "21", "53"})


@lru_cache(maxsize=1024)
def _of_a_blank(code: str) -> str:
    """What of a look is seen where there is no character."""
    attributes, _, ground = _parts(code)
    return code if attributes & _SEEN_ON_A_BLANK else ground


@lru_cache(maxsize=4096)
def _change(old: str | None, new: str) -> str:
    """The sequence that leads from one pen to another, as short as it can be."""
    afresh = f"\x1b[0;{new}m" if new else "\x1b[0m"
    if old is None:
        return afresh
    had, old_ink, old_ground = _parts(old)
    has, ink, ground = _parts(new)
    if not had - has <= _OFF.keys():
        return afresh
    off = {_OFF[attribute] for attribute in had - has}
    params = sorted(off) + sorted(one for one in has if one not in had or _OFF.get(one) in off)
    if ink != old_ink:
        params.append(ink or "39")
    if ground != old_ground:
        params.append(ground or "49")
    return min(f"\x1b[{';'.join(params)}m" if params else "", afresh, key=len)


@lru_cache(maxsize=1024)
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


class Written(CompositorUpdate):
    """An update that is bytes for the terminal already."""

    def __init__(self, written: str) -> None:
        self._written = written

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        return iter(())

    def render_segments(self, console: Console) -> str:
        return self._written


def pieces(update: LayoutUpdate | ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    """The strips of an update of Textual's, each with its place (row, column)."""
    return _of_layout(update) if isinstance(update, LayoutUpdate) else _of_chops(update)


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
