"""Colours and attributes for text drawn by the line API, without the ground it stands on."""

from __future__ import annotations

from functools import lru_cache

from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.widget import Widget

LOOKS = {
    "muted": ("text-muted", False),
    "accent": ("text-accent", False),
    "strong": ("", True),
    "good": ("integrity-valid", False),
    "warning": ("text-warning", False),
    "bad": ("integrity-bad", False),
    "current": ("text-accent", True),
    "crashed": ("verdict-crashed", True),
    "damaged": ("verdict-damaged", True),
    "uncertain": ("verdict-uncertain", False),
    "live": ("verdict-live", False),
    "untracked": ("verdict-untracked", False),
    "restored": ("verdict-restored", False),
    "ended": ("verdict-ended", False),
}
"""What is said in one look everywhere: the theme's variable that has its colour, and whether it is bold.

Component classes would do the same, at three times the cost of all other styles before the first paint.
"""


def look(app: App[object], name: str) -> Style:
    """One of :data:`LOOKS` in the theme in force."""
    variable, bold = LOOKS[name]
    return _styled(app.theme_variables[variable] if variable else "", bold)


@lru_cache(maxsize=256)
def _styled(colour: str, bold: bool) -> Style:
    return Style(color=Color.parse(colour).rich_color if colour else None, bold=bold or None)


def ink(widget: Widget, component: str) -> Style:
    """The style of one of the widget's component classes; the row that it is drawn on brings the background."""
    whole = widget.get_component_rich_style(component)
    return Style(
        color=whole.color,
        bold=whole.bold or None,
        dim=whole.dim or None,
        italic=whole.italic or None,
        underline=whole.underline or None,
        reverse=whole.reverse or None,
    )
