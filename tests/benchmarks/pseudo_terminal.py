"""A terminal that knows when each byte came, and what of a screen can be told from its cells alone."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Sequence

from tests.terminal import Terminal

from .measure import LASTGOOD, Setting

_PATIENCE_S = 120.0


class Timed(Terminal):
    """A program on a pseudo-terminal of 80×24; times are those of ``time.perf_counter``."""

    def __init__(self, setting: Setting, command: Sequence[str]) -> None:
        self.started = time.perf_counter()
        super().__init__(command, size=(80, 24), stdout=None, **setting.folders)

    def until(self, shown: Callable[[], bool]) -> float:
        """When the bytes came that made the screen satisfy `shown`."""
        end = time.perf_counter() + _PATIENCE_S
        while select.select([self.fd], [], [], max(0.0, end - time.perf_counter()))[0]:
            data = os.read(self.fd, 65536)
            at = time.perf_counter()
            self.raw += data
            self._stream.feed(data)
            if shown():
                return at
        raise AssertionError(f"it never came; the screen:\n{self.text}")

    def press_until(self, key: str, shown: Callable[[], bool]) -> float:
        """Seconds from a key to the bytes that made the screen satisfy `shown`."""
        pressed = time.perf_counter()
        self.press(key)
        return self.until(shown) - pressed

    def shows(self, *wanted: str) -> bool:
        text = self.text
        return all(w in text for w in wanted)

    def shows_one_of(self, names: frozenset[str]) -> bool:
        return not names.isdisjoint(self.text.split())

    @property
    def painted(self) -> bool:
        """Some cell has a colour behind it: the first paint of a Textual app gives one to all."""
        return bool(self.screen.buffer[1][0].bg != "default")

    @property
    def cursor_row(self) -> int:
        """The row whose name stands on another ground than the header; 0 if there is none."""
        behind = [(cell.bg, cell.reverse) for cell in (self.screen.buffer[y][15] for y in range(self.screen.lines))]
        return next((y for y, look in enumerate(behind) if look != behind[0]), 0)

    def settle(self) -> None:
        """Wait until all is verified and shown."""
        self.until(lambda: self.cursor_row > 0)
        self.rest()

    def rest(self) -> None:
        """Wait until no work is shown and nothing comes any more."""
        while self.read(1.5) or self.shows("verifying"):
            pass


def screen(setting: Setting, store: str) -> Timed:
    """lastgood's screen on this store, with nothing remembered."""
    setting.forget()
    return Timed(setting, [*LASTGOOD, store])
