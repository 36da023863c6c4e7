"""The words of the command line (CLI.md): what can be typed, with help and examples."""

from __future__ import annotations

import argparse

from .. import __version__

COMMANDS = (
    "list", "show", "verify", "recover", "diff", "restore", "terminate", "activate", "salvage", "repair", "undo",
    "log", "pick", "demo", "info", "completion",
)  # fmt: skip

_EXAMPLES = """examples:
  lastgood                                   the screen, on the store found by default
  lastgood list --unclean                    which sessions died
  lastgood recover 52e6b438 --json           what the runtime would resume from, and why
  lastgood restore 52e6b438 --dry-run        what restoring the best point would change
  lastgood terminate 8d116ece --reason "superseded"
  lastgood undo                              take the last action back
exit codes: 0 done · 1 done, something is wrong · 2 wrong words or configuration · 3 not found
  4 refused, nothing changed · 5 failed part-way · 130 interrupted"""


def screen_parser() -> argparse.ArgumentParser:
    """`lastgood [PATH]`: no command, the screen."""
    parser = argparse.ArgumentParser(
        prog="lastgood",
        usage="lastgood [PATH] [options]\n       lastgood COMMAND [options]",
        description="Find the last good checkpoint of a crashed session, and restore it.\n\n"
        "commands: " + ", ".join(COMMANDS) + "\n`lastgood COMMAND --help` tells more of each.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("path", nargs="?", metavar="PATH", help="the store to open")
    _version(parser)
    _common(parser)
    _screen(parser)
    return parser


def command_parser() -> argparse.ArgumentParser:
    """`lastgood COMMAND …`."""
    parser = argparse.ArgumentParser(prog="lastgood", allow_abbrev=False)
    _version(parser)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, does: str, example: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=does, description=does, epilog="example: " + example, allow_abbrev=False)
        _common(made)
        return made

    listing = command("list", "every session of the store", "lastgood list --unclean --json")
    listing.add_argument("--unclean", action="store_true", help="only sessions that were not shut down cleanly")
    listing.add_argument("--verify", action="store_true", help="verify every file, to name the best restore point")
    _json(listing)

    show = command("show", "one session, or one checkpoint", "lastgood show 52e6b438 latest")
    _session(show)
    show.add_argument("checkpoint", nargs="?", metavar="CHECKPOINT", help=_CHECKPOINT)
    show.add_argument("--raw", action="store_true", help="write the file's bytes, as they are, to standard output")
    show.add_argument("--redact", action="store_true", help="mask what looks like a key or a token")
    _json(show)

    verify = command("verify", "every checkpoint, backup and orphan, with verdict and reason", "lastgood verify --json")
    verify.add_argument("sessions", nargs="*", metavar="SESSION", help="only these sessions")
    verify.add_argument(
        "--file", action="append", default=[], metavar="FILE", help="look at this file alone, in no store"
    )
    verify.add_argument("--no-cache", action="store_true", help="read every file afresh")
    _json(verify)

    recover = command("recover", "what the runtime's own recovery would choose, and why", "lastgood recover 52e6b438")
    _session(recover)
    _json(recover)

    diff = command("diff", "two restore points compared by meaning", "lastgood diff 52e6b438 best latest")
    _session(diff)
    diff.add_argument("a", metavar="A", help=_CHECKPOINT)
    diff.add_argument("b", nargs="?", default="latest", metavar="B", help="default: latest")
    _json(diff)

    restore = command(
        "restore", "make a checkpoint what the runtime resumes from", "lastgood restore 52e6b438 --dry-run"
    )
    _session(restore)
    restore.add_argument(
        "checkpoint", nargs="?", default="best", metavar="CHECKPOINT", help=_CHECKPOINT + "; default: best"
    )
    restore.add_argument("--reason", metavar="TEXT", help="why, for the log")
    restore.add_argument("--foreign", action="store_true", help="allow a checkpoint of another session")
    restore.add_argument("--reseal", action="store_true", help="rewrite the numbers that the runtime misreads")
    _writes(restore)
    _live(restore)

    terminate = command("terminate", "mark sessions ended", 'lastgood terminate 8d116ece --reason "superseded" --yes')
    terminate.add_argument("sessions", nargs="+", metavar="SESSION")
    terminate.add_argument("--reason", required=True, metavar="TEXT", help="why: kept with the session and in the log")
    _writes(terminate)
    _live(terminate)

    activate = command("activate", "mark sessions active again", "lastgood activate 8d116ece")
    activate.add_argument("sessions", nargs="+", metavar="SESSION")
    _writes(activate)

    salvage = command(
        "salvage",
        "the readable part of a damaged checkpoint as a new, marked one",
        "lastgood salvage 52e6b438 cp_20261120_090231_ab.json",
    )
    _session(salvage)
    salvage.add_argument("file", metavar="FILE", help="the damaged file, by name or path")
    _writes(salvage)

    repair = command("repair", "rebuild damaged or missing metadata of a session", "lastgood repair b50c99b6 --dry-run")
    _session(repair)
    _writes(repair)

    undo = command("undo", "take back the last action, or the named one", "lastgood undo --dry-run")
    undo.add_argument("action", nargs="?", metavar="ACTION", help="an id from `lastgood log`")
    _writes(undo)

    log = command("log", "what was done to this store, by whom, when, from where", "lastgood log --json")
    _json(log)

    pick = command(
        "pick",
        "choose on the screen; the choice goes to standard output as JSON",
        "lastgood pick | jq .checkpoint_path",
    )
    pick.add_argument("path", nargs="?", metavar="PATH", help="the store to open")
    _screen(pick)

    demo = command("demo", "the screen on a generated sample store", "lastgood demo --build /tmp/store")
    demo.add_argument("--build", metavar="DIR", help="only write the sample store, to a folder that is new or empty")
    _screen(demo)

    info = command("info", "version, paths, layouts, configuration in force", "lastgood info")
    _json(info)

    completion = command(
        "completion", "a script that completes these words in your shell", 'eval "$(lastgood completion bash)"'
    )
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    return parser


_CHECKPOINT = "a file's name, path or checkpoint_id, or latest, best, backup"


def _version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version", action="version", version=f"lastgood {__version__}")


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--store", "-s", metavar="PATH", help="the store; default: $LASTGOOD_STORE, then the configuration"
    )
    parser.add_argument("--config", metavar="FILE", help="the configuration file")


def _screen(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--theme", metavar="NAME", help="how the screen looks; `lastgood info` lists them")
    parser.add_argument("--mouse", action="store_true", help="let the screen use the mouse")
    parser.add_argument("--read-only", action="store_true", help="refuse everything that writes")
    parser.add_argument("--no-cache", action="store_true", help="read every file afresh")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def _session(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", help="the session's folder name")


def _writes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
    parser.add_argument("--yes", "-y", action="store_true", help="do it without asking")
    parser.add_argument("--read-only", action="store_true", help="refuse everything that writes")
    _json(parser)


def _live(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--even-if-live", action="store_true", help="do it although the session may be running")
