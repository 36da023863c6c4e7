"""Text sent to the terminal's clipboard by OSC 52, wrapped for tmux and screen. It never answers."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import App

MAX_BYTES = 64_000
"""Terminals drop longer sequences, some of them without a word."""
_SCREEN_CHUNK = 200


def sequence(text: str, environ: dict[str, str] | os._Environ[str] = os.environ) -> str | None:
    """The bytes that ask the terminal to take `text`; None where it is too long for that."""
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


def send(app: App[object], text: str) -> bool:
    """Send `text` to the terminal; whether it was short enough to be sent."""
    wrapped = sequence(text)
    if wrapped is None:
        return False
    if app._driver is not None:
        app._driver.write(wrapped)
    return True
