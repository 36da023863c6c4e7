"""Everything that lastgood says no to, each with the exit code of CLI.md."""

from __future__ import annotations


class LastgoodError(Exception):
    """A failure with a message for a person: what, where, and the next step. Never a traceback."""

    exit_code = 1


class UsageProblem(LastgoodError):
    """The words of the call, or the configuration, are wrong."""

    exit_code = 2


class NotFound(LastgoodError):
    """The store, session or checkpoint does not exist or cannot be read."""

    exit_code = 3


class Refused(LastgoodError):
    """It would not be safe; nothing changed."""

    exit_code = 4


class Failed(LastgoodError):
    """It failed part-way; what was there before is back, or the message says exactly what is where."""

    exit_code = 5
