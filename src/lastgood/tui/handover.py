"""Text handed over: to the tmux buffer, the desktop's clipboard, or the terminal, which never answers."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ..core.sanitise import Safe, clean_lines

if TYPE_CHECKING:
    from textual.app import App

MAX_BYTES = 64_000
"""Terminals drop longer sequences, some of them without a word."""
_SCREEN_CHUNK = 200
_SECONDS = 2.0


def hand_over(app: App[object], text: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Hand `text` over by the first way that is there; what to say of it, or None where it has to be shown instead.

    What arrives is as shown: it passes the sanitiser, for it will be pasted into a shell.
    """
    shown = text if isinstance(text, Safe) else "\n".join(clean_lines(text))
    if environ.get("TMUX") and _fed(["tmux", "load-buffer", "-w", "-"], shown):
        return "sent to the tmux buffer: prefix ] pastes it"
    if not (environ.get("SSH_CONNECTION") or environ.get("SSH_TTY")):
        for command in _native(environ):
            if _fed(command, shown):
                return f"sent to the desktop's clipboard by {command[0]}"
    wrapped = sequence(shown, environ)
    if wrapped is None or app._driver is None:
        return None
    app._driver.write(wrapped)
    return "sent to the terminal"


def sequence(text: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """The bytes that ask the terminal to take `text` (OSC 52); None where it is too long for that."""
    raw = text.encode("utf-8", "backslashreplace")
    if len(raw) > MAX_BYTES:
        return None
    osc = f"\x1b]52;c;{base64.b64encode(raw).decode('ascii')}\x07"
    if environ.get("TMUX"):
        return f"\x1bPtmux;{osc.replace(chr(27), chr(27) * 2)}\x1b\\"
    if environ.get("TERM", "").startswith("screen") and environ.get("STY"):
        # screen's strings are short: the sequence goes through in pieces.
        pieces = [osc[at : at + _SCREEN_CHUNK] for at in range(0, len(osc), _SCREEN_CHUNK)]
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return osc


def _native(environ: Mapping[str, str]) -> Iterator[list[str]]:
    if environ.get("WAYLAND_DISPLAY"):
        yield ["wl-copy"]
    if environ.get("DISPLAY"):
        yield ["xclip", "-selection", "clipboard"]
        yield ["xsel", "--clipboard", "--input"]
    yield ["pbcopy"]


def _fed(command: list[str], text: str) -> bool:
    """Whether a program took `text` on its standard input."""
    try:
        done = subprocess.run(
            command,
            input=text.encode("utf-8", "backslashreplace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
