"""A real terminal for tests: a program on a pseudo-terminal, and what its screen shows."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import pyte

LASTGOOD = [sys.executable, "-m", "lastgood"]
KEYS = {
    "enter": "\r",
    "esc": "\x1b",
    "tab": "\t",
    "down": "\x1b[B",
    "up": "\x1b[A",
    "space": " ",
    "pgdn": "\x1b[6~",
    "pgup": "\x1b[5~",
    "home": "\x1b[H",
    "end": "\x1b[F",
}
_PATIENCE_SECONDS = 30.0


class Terminal:
    """A program in a terminal of its own. A context manager: at its end the program is gone."""

    def __init__(
        self, command: Sequence[str], *, size: tuple[int, int] = (80, 24), stdout: int | None = None, **env: str
    ) -> None:
        columns, rows = size
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        """Every byte that the program wrote."""
        usual = {k: v for k, v in os.environ.items() if k not in ("TMUX", "NO_COLOR", "COLORTERM", "TEXTUAL_THEME")}
        pid, self.fd = pty.fork()
        if pid == 0:
            if stdout is not None:
                os.dup2(stdout, 1)
            os.execvpe(command[0], list(command), {**usual, "TERM": "xterm-256color", **env})
        self.pid = pid
        self.status: int | None = None
        self.resize(columns, rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def press(self, *keys: str) -> None:
        """Keys by name, or text as it is typed."""
        for key in keys:
            os.write(self.fd, KEYS.get(key, key).encode())

    def read(self, seconds: float) -> bytes:
        """What comes within so many seconds of silence."""
        came = b""
        while select.select([self.fd], [], [], seconds)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                break
            if not data:
                break
            came += data
            self._stream.feed(data)
        self.raw += came
        return came

    def wait_for(self, *wanted: str, gone: str = "") -> str:
        """Wait until the screen shows all of `wanted` and nothing of `gone`."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < end:
            self.read(0.05)
            if all(w in self.text for w in wanted) and not (gone and gone in self.text):
                return self.text
        raise AssertionError(f"never saw {wanted}{f' without {gone!r}' if gone else ''}; the screen:\n{self.text}")

    def exit_code(self) -> int:
        """Wait for the end of the program."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < end:
            self.read(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.read(0.05)
                self.status = status
                return os.waitstatus_to_exitcode(status)
        raise AssertionError(f"it never ended; the screen:\n{self.text}")
