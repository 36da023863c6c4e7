"""A component's colour and attributes for text drawn by the line API, without the ground it stands on."""

from __future__ import annotations

from rich.style import Style
from textual.widget import Widget


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
