"""The terminal driver: Textual's own, made to survive a bad link, a lost terminal and bytes that are not UTF-8.

It builds on internals of Textual's ``LinuxDriver``; the version of Textual is pinned for that reason.
"""

from __future__ import annotations

import os
import select
from codecs import getincrementaldecoder
from time import monotonic

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

HANGUP = 129
"""The exit status of a program whose terminal is gone: 128 + SIGHUP."""

_POLL_S = 0.03
_PASTE_START, _PASTE_END = "\x1b[200~", "\x1b[201~"
_PASTE_PATIENCE_S = 2.0


class SafeDriver(LinuxDriver):
    """Reads keys from, and sizes itself by, the terminal that is really there."""

    def _get_terminal_size(self) -> tuple[int, int]:
        # Standard output may be a pipe (`lastgood pick | jq`): its size says nothing of the screen.
        for fd in (self.fileno, 2, 1):
            try:
                width, height = os.get_terminal_size(fd)
            except OSError:
                continue
            if width and height:
                return width, height
        return super()._get_terminal_size()

    def write(self, data: str) -> None:
        # A writer that died with the terminal no longer empties its queue: waiting for it would be for ever.
        if self._writer_thread is not None and self._writer_thread.is_alive():
            super().write(data)

    def close(self) -> None:
        if self._writer_thread is not None and self._writer_thread.is_alive():
            super().close()

    def run_input_thread(self) -> None:
        """Dispatch what is typed until told to stop; a terminal at its end makes the app exit with 129."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        paste = _OpenPaste()
        while not self.exit_event.is_set():
            readable, _, _ = select.select([self.fileno], [], [], _POLL_S)
            if readable:
                try:
                    data = os.read(self.fileno, 4096)
                except OSError:
                    data = b""
                if not data:
                    self._app.call_later(self._app.exit, None, HANGUP)
                    return
                text = decode(data)
                paste.note(text)
                for event in parser.feed(text):
                    self.process_message(event)
            elif paste.overdue():
                for event in parser.feed(_PASTE_END):
                    self.process_message(event)
                paste.note(_PASTE_END)
            for event in parser.tick():
                self.process_message(event)


class _OpenPaste:
    """Whether a bracketed paste has begun whose end was lost on the way: it would swallow every key after it."""

    def __init__(self) -> None:
        self._tail = ""
        self._open = False
        self._since = 0.0

    def note(self, text: str) -> None:
        seen = self._tail + text
        start, end = seen.rfind(_PASTE_START), seen.rfind(_PASTE_END)
        if start != end:
            self._open = start > end
        self._tail = seen[-(len(_PASTE_START) - 1) :]
        self._since = monotonic()

    def overdue(self) -> bool:
        return self._open and monotonic() - self._since > _PASTE_PATIENCE_S
