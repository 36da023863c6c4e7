"""Where a failure of lastgood itself is written down: a file of the user's own, never the terminal."""

from __future__ import annotations

import os

from . import paths


def keep(trace: str) -> str | None:
    """Append a traceback, with the time, to the log (0600); its path, or None where it cannot be written.

    A traceback names code and carries no locals: no checkpoint's content gets into it but by an error's own words.
    """
    from .core.times import now_ns, rfc3339

    path = paths.log_file()
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, f"{rfc3339(now_ns())}\n{trace}\n".encode("utf-8", "backslashreplace"))
        finally:
            os.close(fd)
    except OSError:
        return None
    return path
