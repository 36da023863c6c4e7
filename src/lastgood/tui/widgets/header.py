"""The header: where the store is, how many sessions there are of each verdict, how many of them are shown."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ...core.model import Verdict
from ...core.sanitise import clean
from ..text import Part, width
from .status import Bar

_NAME = "lastgood"
_SHORTEST_PATH = 12
"""Cells below which a path tells nothing: the status line has the whole of it."""


class Header(Bar):
    """One row. The counts are news, the path and the name are not: they make room first, then what is least bad."""

    def show_counts(
        self,
        store_path: str,
        headline: Sequence[tuple[str, Verdict | None]],
        *,
        shown: int,
        known: int,
        marks: int,
        faults_only: bool,
        read_only: bool,
        reading: bool,
    ) -> None:
        """Show them.

        Args:
            headline: the total, then what there is of each verdict, worst first (:func:`lastgood.tui.triage.headline`).
            reading: the store has not been read to its end.
        """
        counts: list[Part] = [(" · ", "muted"), ("read-only", "warning")] if read_only else []
        for words, verdict in headline:
            counts += [(" · ", "muted"), (words, str(verdict) if verdict else "strong")]
        right: list[Part] = [(f"{marks} marked  ", "accent")] if marks else []
        narrowed = "faults  " if faults_only else ""
        right.append((f"{narrowed}{shown:,}/{known:,}", "muted"))
        if reading:
            right.append((" reading…", "muted"))
        room = self.app.size.width - 1 - _cells(right)
        spare = room - _cells(counts) - width(_NAME) - 3
        if spare >= _SHORTEST_PATH:
            self.show([(_NAME, "accent"), (" · ", "muted"), _tail(_home(store_path), spare), *counts], right)
        elif spare >= -3:
            self.show([(_NAME, "accent"), *counts], right)
        else:
            counts = counts[1:]
            while len(counts) > 3 and _cells(counts) > room:
                del counts[-2:]
            self.show(counts, right)


def _cells(parts: Sequence[Part]) -> int:
    return sum(width(part[0] if isinstance(part, tuple) else part) for part in parts)


def _tail(path: str, cells: int) -> str:
    """The end of a path in at most so many cells."""
    shown = clean(path)
    return shown if width(shown) <= cells else "…" + shown[-(cells - 1) :]


def _home(path: str) -> str:
    home = os.path.expanduser("~")
    return "~" + path[len(home) :] if path == home or path.startswith(home + "/") else path
