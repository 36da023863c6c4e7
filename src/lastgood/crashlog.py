"""Where a failure of lastgood itself is written down: a file of the user's own, never the terminal.

What is kept is a report: code and types, and no session's contents. The words of an error go into it only where they
are about code; those of a `KeyError` or a `ValueError` may be text from a checkpoint. What looks like a credential is
masked in what is left.
"""

from __future__ import annotations

import os
import sys
from types import TracebackType

from . import paths

MOST_BYTES = 1 << 20
"""A log that has grown beyond this begins anew: a store that makes every look fail must not fill the disk."""
_LONGEST_WORDS = 300
_ABOUT_CODE = (AttributeError, ImportError, IndexError, MemoryError, NameError, RecursionError, TypeError)
"""Errors whose words name code and types, never values."""


def keep(error: BaseException) -> str | None:
    """Append a report on `error`, with the time, to the log (0600); its path, or None where it cannot be written."""
    from .core.times import now_ns, rfc3339

    path = paths.log_file()
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        fd = os.open(path, flags, 0o600)
        try:
            if os.fstat(fd).st_size > MOST_BYTES:
                os.ftruncate(fd, 0)
            os.write(fd, f"{rfc3339(now_ns())}\n{report(error)}\n".encode("utf-8", "backslashreplace"))
        finally:
            os.close(fd)
    except OSError:
        return None
    return path


def report(error: BaseException) -> str:
    """Where `error` came from and what kind of error it is, and the same of the errors that led to it."""
    import traceback

    from .core.redact import redact_text
    from .core.sanitise import clean_lines

    parts: list[str] = []
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        parts.insert(0, "".join(traceback.format_tb(at.__traceback__)) + _named(at))
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return "\n".join(clean_lines(redact_text("\nwhich led to:\n".join(parts))))


def _named(error: BaseException) -> str:
    name = type(error).__name__
    if isinstance(error, OSError):
        return f"{name}: {error.strerror}"
    return f"{name}: {str(error)[:_LONGEST_WORDS]}" if isinstance(error, _ABOUT_CODE) else name


def instead_of_the_terminal() -> None:
    """From now on what Python itself would print of an error, with its words, goes into the log."""
    sys.excepthook = _last_resort
    sys.unraisablehook = lambda failed: _keep_if_any(failed.exc_value)


def in_threads_too() -> None:
    """For the screen, which alone has any: a command starts without importing ``threading``."""
    import threading

    threading.excepthook = lambda failed: _keep_if_any(failed.exc_value)


def _last_resort(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not isinstance(error, KeyboardInterrupt):
        path = keep(error)
        os.write(2, b"lastgood failed inside" + (f"; the details are in {path!a}\n".encode() if path else b"\n"))


def _keep_if_any(error: BaseException | None) -> None:
    if error is not None:
        keep(error)
