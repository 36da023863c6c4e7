"""`lastgood`: from the words typed to one command, and from its outcome to the exit code (CLI.md)."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence

from ..core.errors import LastgoodError, NotFound
from ..crashlog import instead_of_the_terminal, keep
from .out import flush, leave, prepare_streams, reader_gone, say

_ONLY_LOOK = ("list", "show", "verify", "recover", "diff", "log", "info")
"""Commands after which nothing is left to be put in order: no threads, no other processes, no files half written."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run `argv` (default: the process's own words) and leave with the exit code of CLI.md."""
    prepare_streams()
    instead_of_the_terminal()
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] not in _ONLY_LOOK:
        sys.exit(run(words))
    gc.disable()  # what is made here is all in use until the process ends
    leave(run(words))


def run(words: list[str]) -> int:
    """The exit code of the command that `words` call."""
    try:
        code = _dispatch(words)
        flush()  # here, where a reader that has gone away is still known for what it is
        return code
    except LastgoodError as error:
        for number, line in enumerate(str(error).split("\n")):
            say(("lastgood: ", "bold") if number == 0 else "", line)
        return error.exit_code
    except KeyboardInterrupt as cut:
        say(": ".join(("interrupted", *map(str, cut.args))))
        return 130
    except BrokenPipeError:
        reader_gone()
        return 0
    except Exception as error:
        return _internal(error)


def _internal(error: Exception) -> int:
    """A failure of lastgood itself: one line for the person, the rest for the log, never a traceback."""
    if isinstance(error, MemoryError):
        say(("lastgood: ", "bold"), "there is too little memory for it; a lower max_bytes in the configuration helps")
        return NotFound.exit_code
    log = keep(error)
    where = f"; the details are in {log}" if log else ""
    say(("lastgood: ", "bold"), f"it failed inside ({type(error).__name__}), which is a defect of lastgood{where}")
    return 5


def _dispatch(words: list[str]) -> int:
    from .parser import COMMANDS, command_first, command_parser, screen_parser

    words = command_first(words)
    if not words or words[0] not in COMMANDS:
        args = screen_parser().parse_args(words)
        from .screen import open_screen

        return open_screen(args)
    return _command(command_parser(words[0]).parse_args(words[1:]))


def _command(args: argparse.Namespace) -> int:
    # Each command imports what it needs and no more: start-up time is the first thing a person on call sees.
    name: str = args.command
    if name == "list":
        from . import listing

        return listing.list_sessions(args)
    if name == "show":
        from . import showing

        return showing.show(args)
    if name == "verify":
        from . import verifying

        return verifying.verify(args)
    if name in ("recover", "diff"):
        from . import looking

        return looking.recover(args) if name == "recover" else looking.diff(args)
    if name in ("restore", "terminate", "activate", "salvage", "repair", "undo", "log"):
        from . import acting

        return acting.COMMANDS[name](args)
    if name in ("demo", "pick"):
        from . import screen

        return screen.demo(args) if name == "demo" else screen.pick(args)
    from . import about

    return about.info(args) if name == "info" else about.completion(args)
