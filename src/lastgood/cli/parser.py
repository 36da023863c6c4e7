"""The words of the command line (CLI.md): what can be typed, with help and examples."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable
from typing import NoReturn

from .. import __version__
from .out import put_help, say, terminal_columns

_EXAMPLES = """examples:
  lastgood                                   the screen, on the store found by default
  lastgood list --unclean                    which sessions died
  lastgood recover 52e6b438 --json           what the runtime would resume from, and why
  lastgood restore 52e6b438 --dry-run        what restoring the best point would change
  lastgood terminate 8d116ece --reason "superseded"
  lastgood undo                              take the last action back
exit codes: 0 done · 1 done, something is wrong · 2 wrong words or configuration · 3 not found
  4 refused, nothing changed · 5 failed part-way · 130 interrupted"""


def command_first(words: list[str]) -> list[str]:
    """`-s STORE list` means `list -s STORE`: the options that every command takes may stand before its name."""
    at = 0
    while at < len(words) and words[at].split("=")[0] in ("-s", "--store", "--config"):
        at += 1 if "=" in words[at] else 2
    return [words[at], *words[:at], *words[at + 1 :]] if at < len(words) and words[at] in COMMANDS else words


class _Parser(ArgumentParser):
    """What it says of the words of a call, which may be file names from anywhere, passes the door."""

    def error(self, message: str) -> NoReturn:
        for line in self.format_usage().splitlines():
            say(line)
        say(f"{self.prog}: error: {message}")
        self.exit(2)

    def _get_formatter(self) -> RawDescriptionHelpFormatter:
        # Asked for with each word that is added; without a width it would import `shutil` to find one.
        return RawDescriptionHelpFormatter(self.prog, width=(terminal_columns() or 80) - 2)

    def _print_message(self, message: str, file: object = None) -> None:
        put_help(message)


Fill = Callable[[ArgumentParser], None]
"""Adds the words that one command takes to those that every command takes."""


def _list(parser: ArgumentParser) -> None:
    parser.add_argument("--unclean", action="store_true", help="only sessions that were not shut down cleanly")
    parser.add_argument("--verify", action="store_true", help="verify every file, to name the best restore point")
    parser.add_argument("--no-cache", action="store_true", help="look at every session and file afresh")
    _json(parser)


def _show(parser: ArgumentParser) -> None:
    _session(parser)
    parser.add_argument("checkpoint", nargs="?", metavar="CHECKPOINT", help=_CHECKPOINT)
    parser.add_argument("--raw", action="store_true", help="write the file's bytes, as they are, to standard output")
    parser.add_argument("--redact", action="store_true", help="mask what looks like a key or a token")
    _json(parser)


def _verify(parser: ArgumentParser) -> None:
    parser.add_argument("sessions", nargs="*", metavar="SESSION", help="only these sessions")
    parser.add_argument(
        "--file", action="append", default=[], metavar="FILE", help="look at this file alone, in no store"
    )
    parser.add_argument("--no-cache", action="store_true", help="read every file afresh")
    _json(parser)


def _recover(parser: ArgumentParser) -> None:
    _session(parser)
    _json(parser)


def _diff(parser: ArgumentParser) -> None:
    _session(parser)
    parser.add_argument("a", metavar="A", help=_CHECKPOINT)
    parser.add_argument("b", nargs="?", default="latest", metavar="B", help="default: latest")
    _json(parser)


def _restore(parser: ArgumentParser) -> None:
    _session(parser)
    parser.add_argument(
        "checkpoint", nargs="?", default="best", metavar="CHECKPOINT", help=_CHECKPOINT + "; default: best"
    )
    parser.add_argument("--reason", metavar="TEXT", help="why, for the log")
    parser.add_argument("--foreign", action="store_true", help="allow a checkpoint of another session")
    parser.add_argument("--reseal", action="store_true", help="rewrite the numbers that the runtime misreads")
    _writes(parser)
    _live(parser)


def _terminate(parser: ArgumentParser) -> None:
    parser.add_argument("sessions", nargs="+", metavar="SESSION")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why: kept with the session and in the log")
    _writes(parser)
    _live(parser)


def _activate(parser: ArgumentParser) -> None:
    parser.add_argument("sessions", nargs="+", metavar="SESSION")
    _writes(parser)


def _salvage(parser: ArgumentParser) -> None:
    _session(parser)
    parser.add_argument("file", metavar="FILE", help="the damaged file, by name or path")
    _writes(parser)


def _repair(parser: ArgumentParser) -> None:
    _session(parser)
    _writes(parser)


def _undo(parser: ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", metavar="ACTION", help="an id from `lastgood log`")
    _writes(parser)


def _log(parser: ArgumentParser) -> None:
    _json(parser)


def _pick(parser: ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", metavar="PATH", help="the store to open")
    _screen(parser)


def _demo(parser: ArgumentParser) -> None:
    parser.add_argument("--build", metavar="DIR", help="only write the sample store, to a folder that is new or empty")
    _screen(parser)


def _info(parser: ArgumentParser) -> None:
    _json(parser)


def _completion(parser: ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"))


_CHECKPOINT = "a file's name, path or checkpoint_id, or latest, best, backup"


def _version(parser: ArgumentParser) -> None:
    parser.add_argument("--version", action="version", version=f"lastgood {__version__}")


def _common(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--store", "-s", metavar="PATH", help="the store; default: $LASTGOOD_STORE, then the configuration"
    )
    parser.add_argument("--config", metavar="FILE", help="the configuration file")


def _screen(parser: ArgumentParser) -> None:
    parser.add_argument("--theme", metavar="NAME", help="how the screen looks; `lastgood info` lists them")
    parser.add_argument("--mouse", action="store_true", help="let the screen use the mouse")
    parser.add_argument("--read-only", action="store_true", help="refuse everything that writes")
    parser.add_argument("--no-cache", action="store_true", help="read every file afresh")


def _json(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def _session(parser: ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", help="the session's folder name")


def _writes(parser: ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
    parser.add_argument("--yes", "-y", action="store_true", help="do it without asking")
    parser.add_argument("--read-only", action="store_true", help="refuse everything that writes")
    _json(parser)


def _live(parser: ArgumentParser) -> None:
    parser.add_argument("--even-if-live", action="store_true", help="do it although the session may be running")


_TABLE: dict[str, tuple[str, str, Fill]] = {
    "list": ("every session of the store", "lastgood list --unclean --json", _list),
    "show": ("one session, or one checkpoint", "lastgood show 52e6b438 latest", _show),
    "verify": ("every checkpoint, backup and orphan, with verdict and reason", "lastgood verify --json", _verify),
    "recover": ("what the runtime's own recovery would choose, and why", "lastgood recover 52e6b438", _recover),
    "diff": ("two restore points compared by meaning", "lastgood diff 52e6b438 best latest", _diff),
    "restore": ("make a checkpoint what the runtime resumes from", "lastgood restore 52e6b438 --dry-run", _restore),
    "terminate": ("mark sessions ended", 'lastgood terminate 8d116ece --reason "superseded" --yes', _terminate),
    "activate": ("mark sessions active again", "lastgood activate 8d116ece", _activate),
    "salvage": (
        "the readable part of a damaged checkpoint as a new, marked one",
        "lastgood salvage 52e6b438 latest --dry-run",
        _salvage,
    ),
    "repair": ("rebuild damaged or missing metadata of a session", "lastgood repair b50c99b6 --dry-run", _repair),
    "undo": ("take back the last action, or the named one", "lastgood undo --dry-run", _undo),
    "log": ("what was done to this store, by whom, when, from where", "lastgood log --json", _log),
    "pick": (
        "choose on the screen; the choice goes to standard output as JSON",
        "lastgood pick | jq .checkpoint_path",
        _pick,
    ),
    "demo": ("the screen on a generated sample store", "lastgood demo --build /tmp/store", _demo),
    "info": ("version, paths, layouts, configuration in force", "lastgood info", _info),
    "completion": (
        "a script that completes these words in your shell",
        'eval "$(lastgood completion bash)"',
        _completion,
    ),
}
"""Each command: what it does, an example, the words that it takes."""

COMMANDS = tuple(_TABLE)


def screen_parser() -> ArgumentParser:
    """`lastgood [PATH]`: no command, the screen."""
    parser = _Parser(
        prog="lastgood",
        usage="lastgood [PATH] [options]\n       lastgood COMMAND [options]",
        description="Find the last good checkpoint of a crashed session, and restore it.\n\n"
        "commands: " + ", ".join(COMMANDS) + "\n`lastgood COMMAND --help` tells more of each.",
        epilog=_EXAMPLES,
        allow_abbrev=False,
    )
    parser.add_argument("path", nargs="?", metavar="PATH", help="the store to open")
    _version(parser)
    _common(parser)
    _screen(parser)
    return parser


def command_parser(name: str) -> ArgumentParser:
    """`lastgood NAME …`, built alone: a command does not wait for the words of the others."""
    does, example, fill = _TABLE[name]
    parser = _Parser(prog=f"lastgood {name}", description=does, epilog="example: " + example, allow_abbrev=False)
    _fill(parser, name, fill)
    return parser


def every_command() -> ArgumentParser:
    """`lastgood COMMAND …`, for what has to know all of them."""
    parser = _Parser(prog="lastgood", allow_abbrev=False)
    _version(parser)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (does, example, fill) in _TABLE.items():
        made = commands.add_parser(name, help=does, description=does, epilog="example: " + example, allow_abbrev=False)
        _fill(made, name, fill)
    return parser


def _fill(parser: ArgumentParser, name: str, fill: Fill) -> None:
    parser.set_defaults(command=name)
    _common(parser)
    fill(parser)
