"""A host for one viewer, and what a user sees of it."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widget import Widget

from lastgood.tui.flow import COLOURS

HOSTILE = (
    '\x1b]52;c;ZXZpbA==\x07 \x9b31m \u202egnp \u200b [/b] [bold] [@click=app.quit]x[/] \ud800 \\u0041 "q" \x00\x7f'
)


class Host(App[None]):
    def __init__(self, viewer: Widget) -> None:
        super().__init__()
        self.viewer = viewer

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return COLOURS

    def compose(self) -> ComposeResult:
        yield self.viewer

    def on_mount(self) -> None:
        self.viewer.focus()


def seen(app: App[None]) -> list[str]:
    """The rows on the screen, without the column that shows the position."""
    return [row.text[:-1].rstrip() for row in app.screen._compositor.render_strips()]


def raw_characters(app: App[None]) -> set[str]:
    """What a terminal would be sent that is not plainly visible; the wide space is, by its width."""
    shown = "".join(row.text for row in app.screen._compositor.render_strips())
    return {c for c in shown if not c.isprintable()} - {"\u3000"}
