"""The one way from strings to what a widget shows: cleaned, never parsed as markup.

Every part is a string, or a pair of a string and its style (a Rich style or its spelling, like "bold red"). What came
through :func:`lastgood.core.sanitise.clean` already is not cleaned again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter
from textual.strip import Strip
from textual.style import Style as VisualStyle

from lastgood.core.sanitise import Safe, clean, masked

Part = str | tuple[str, str | Style]

NO_STYLE = Style.null()


def text(*parts: Part, style: str | Style = "") -> Text:
    """One line of Rich text; `style` lies under the parts' own."""
    line = Text(style=style, no_wrap=True, overflow="ellipsis", end="")
    for part in parts:
        words, look = part if isinstance(part, tuple) else (part, None)
        line.append(clean(words), look)
    return line


def content(*parts: Part) -> Content:
    """The same for widgets that take Textual's Content (Static, Label, …); a style may be a theme's: "$text-muted"."""
    made: list[Content] = []
    for part in parts:
        words, look = part if isinstance(part, tuple) else (part, "")
        made.append(Content.styled(clean(words), look if isinstance(look, str) else VisualStyle.from_rich_style(look)))
    return Content("").join(made)


def block(lines: Iterable[Sequence[Part]]) -> Content:
    """Several lines, each of its own parts, for a Static; a style may be a theme's variable, like "$text-muted"."""
    return Content("\n").join(content(*parts) for parts in lines)


def paragraphs(lines: Iterable[str], style: str | Style = "") -> Text:
    """Several lines, each cleaned by itself, for a Static that wraps them."""
    return Text("\n".join(clean(line) for line in lines), style=style, end="")


def segments(*parts: Part, style: Style = NO_STYLE) -> list[Segment]:
    """The parts for a line of the line API; `style` (a row's) lies under the parts' own."""
    made: list[Segment] = []
    for part in parts:
        words, look = part if isinstance(part, tuple) else (part, None)
        own = style if look is None else style + (Style.parse(look) if isinstance(look, str) else look)
        made.append(Segment(clean(words), own))
    return made


def strip(*parts: Part, width: int | None = None, style: Style = NO_STYLE) -> Strip:
    """The parts as one row, filled up or cut to `width` cells."""
    made = Strip(segments(*parts, style=style))
    return made if width is None else made.adjust_cell_length(width, style)


def overlaid(row: Strip, style: Style) -> Strip:
    """`row` with `style` over its own colours: a cursor's contrast is the theme's and never an accident."""
    return Strip(Segment.apply_style(row, post_style=style), row.cell_length)


def width(shown: str) -> int:
    """Cells that `shown` takes once it is cleaned."""
    return cell_len(clean(shown))


def clip(shown: str, cells: int) -> Safe:
    """`shown` in at most `cells` cells; what is cut off is said by an ellipsis."""
    # Of a text of megabytes only what could fit is cleaned and measured.
    enough = 8 * max(0, cells) + 8
    safe = Safe(shown[:enough]) if isinstance(shown, Safe) else clean(shown[:enough])
    if len(shown) <= enough and cell_len(safe) <= cells:
        return safe
    # Cutting what is clean leaves it clean: only blanks and the ellipsis are added.
    return Safe(set_cell_size(safe, cells - 1).rstrip() + "…") if cells > 0 else Safe("")


def fit(shown: str, cells: int, *, right: bool = False) -> Safe:
    """`shown` in exactly `cells` cells, on the left or the right of them: a column."""
    safe = clip(shown, cells)
    blank = " " * (cells - cell_len(safe))
    return Safe(blank + safe if right else safe + blank)


class Guard(LineFilter):
    """The backstop behind :func:`text`: no control character and no link leaves the app, whoever forgot to clean.

    An app puts :data:`GUARD` last in ``get_line_filters()``.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [segment if _harmless(segment) else _disarmed(segment) for segment in segments]


GUARD = Guard()


def _harmless(segment: Segment) -> bool:
    shown, style, control = segment
    if control:
        return True
    return (style is None or not style.link) and masked(shown) == shown


def _disarmed(segment: Segment) -> Segment:
    shown, style, _ = segment
    return Segment(masked(shown), style.update_link(None) if style is not None and style.link else style)
