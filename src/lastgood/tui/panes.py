"""The viewers behind the tabs, made when a tab is first looked at: the first paint needs none of them."""

from __future__ import annotations

from textual.screen import Screen

from ..core.assess import Assessed
from ..core.model import Checkpoint, StoredFile


def show_pane(
    screen: Screen[None], tab: str, seen: Assessed, file: StoredFile | None, against: Checkpoint | None
) -> None:
    """Show `file` in the viewer of this tab, making the viewer where there is none yet."""
