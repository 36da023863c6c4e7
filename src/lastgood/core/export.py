"""A restore point's bytes as a file of the user's own, outside any store."""

from __future__ import annotations

import os

from .errors import Failed, Refused
from .files import words


def export(raw: bytes, target: str) -> str:
    """Write `raw` to a new file (0600); its absolute path.

    Raises:
        Refused: there is something of that name already; it stays as it is.
        Failed: it could not be written; nothing of it is left.
    """
    path = os.path.abspath(os.path.expanduser(target))
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise Refused(f"{path} is there already, and stays as it is: name another") from None
    except (OSError, ValueError) as error:
        raise Failed(f"{path} cannot be written: {_said(error)}") from error
    try:
        view = memoryview(raw)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    except OSError as error:
        os.unlink(path)
        raise Failed(f"{path} could not be written to its end, and is gone: {words(error)}") from error
    finally:
        os.close(fd)
    return path


def _said(error: OSError | ValueError) -> str:
    return words(error) if isinstance(error, OSError) else str(error)
