"""From the command line to the screen and back to an exit status."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping
from typing import Any

from .. import paths, themes
from ..config import Config, check_keys
from ..core.errors import LastgoodError, NotFound, Refused
from ..core.layouts import DEFAULT_STORE
from ..core.model import Checkpoint, FileKind, Recovery
from ..core.store import Store, open_store
from ..crashlog import in_threads_too
from .forerun import Forerun

INTERRUPTED = 130


def run(store_path: str, config: Config, *, remember: bool = True) -> int:
    """Show the screen until it is left; the exit status: 0, 1 after a crash, 128 + n after signal n.

    Args:
        remember: keep what was found in files that do not change, from one run to the next.

    Raises:
        Refused: there is no terminal to show it on.
        LastgoodError: the screen itself failed; the message says where the details are.
        UsageProblem: the configuration's keys or theme are wrong.
    """
    _refuse_without_terminal()
    _prepare_environment(config)
    store, absent = _open(store_path, config)
    forerun = Forerun.start(store, config.thresholds) if store is not None else None
    from .app import LastgoodApp

    _check_keys(config)
    theme, notice = choose_theme(config.theme, os.environ)
    cache_folder = paths.cache_dir() if remember else None
    app = LastgoodApp(
        store, store_path, config, theme=theme, absent=absent, notice=notice, cache_folder=cache_folder, forerun=forerun
    )
    app.run(mouse=config.mouse)
    if app.return_code is None:
        return INTERRUPTED
    if app.run_on_exit is not None and app.return_code == 0:
        return _run_on_exit(app.run_on_exit)
    if app.return_code == 1:
        log = f"; the details are in {app.crash_log}" if app.crash_log else ""
        raise LastgoodError(f"the screen failed, and nothing was left half done{log}")
    return app.return_code


def pick(store_path: str, config: Config) -> dict[str, Any] | None:
    """Draw on the terminal, whatever standard output is; the choice as `recover`'s JSON, None where nothing was chosen.

    Raises:
        Refused: there is no terminal.
        NotFound: there is no such store.
    """
    store = open_store(store_path, max_bytes=config.max_bytes, session_logs=config.session_logs)
    kept = [os.dup(number) for number in (0, 1, 2)]
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        raise Refused(f"there is no terminal to choose on ({error.strerror}); `lastgood recover SESSION`") from error
    for number in (0, 1, 2):
        os.dup2(terminal, number)
    try:
        _refuse_without_terminal()
        _prepare_environment(config)
        _check_keys(config)
        forerun = Forerun.start(store, config.thresholds)
        from .app import LastgoodApp

        theme, _ = choose_theme(config.theme, os.environ)
        notice = "c chooses the restore point under the cursor; q leaves without one"
        app = LastgoodApp(store, store_path, config, theme=theme, notice=notice, picking=True, forerun=forerun)
        app.run(mouse=config.mouse)
    finally:
        for number, saved in enumerate(kept):
            os.dup2(saved, number)
    return None if app.picked is None else _picked(store, *app.picked)


def _picked(store: Store, name: str, point: Checkpoint) -> dict[str, Any]:
    from ..core.report import recovery_record
    from ..core.serde import ParseFault, parse_exactly

    found = store.recover(store.session(name))
    others = tuple(p for p in found.passed_over if p.path != point.file.path)
    try:
        data = parse_exactly(store.read(point.file))
    except (NotFound, ParseFault):
        data = None
    return recovery_record(Recovery(name, point, point.file.kind is FileKind.BACKUP, others), data)


def _check_keys(config: Config) -> None:
    """Raises UsageProblem where the configuration's keys are wrong."""
    if config.keys:
        from .actions import BY_NAME, meet

        check_keys(config, {verb.name: verb.keys for verb in BY_NAME.values()}, meet)


def _run_on_exit(command: list[str]) -> int:
    """Run the resume command that was agreed to; its exit status, or 128 + n where signal n ended it."""
    import subprocess

    try:
        code = subprocess.run(command).returncode
    except (OSError, ValueError) as error:
        raise LastgoodError(f"{command[0]} cannot be run: {error}") from error
    return code if code >= 0 else 128 - code


def choose_theme(name: str, environ: Mapping[str, str]) -> tuple[dict[str, Any], str | None]:
    """The theme for this terminal: the one asked for, or its like of sixteen colours where there are no more.

    Returns:
        Its arguments, and what is to be said of it, if anything.
    """
    theme, notice = themes.load_or_default(name)
    if theme.get("ansi") or not ("NO_COLOR" in environ or _few_colours(environ)):
        return theme, notice
    return themes.load(themes.SIXTEEN if theme["dark"] else "sixteen-day"), notice


def _few_colours(environ: Mapping[str, str]) -> bool:
    """As Textual will find it: by COLORTERM, which SSH often drops, else by the end of TERM's name."""
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return False
    return not environ.get("TERM", "").endswith(("256color", "kitty", "direct", "truecolor"))


def _refuse_without_terminal() -> None:
    try_list = "`lastgood list` shows the same without a screen"
    if os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        raise Refused(f"this terminal (TERM={os.environ.get('TERM', '')}) cannot show the screen; {try_list}")
    if not (os.isatty(0) and os.isatty(2)):
        raise Refused(f"the screen needs a terminal, and there is none here; {try_list}")


def _prepare_environment(config: Config) -> None:
    """What Textual reads while it is imported, how threads take turns, and no garbage collection meanwhile."""
    in_threads_too()
    # What is imported and made for the first paint stays; the app turns it on again after that.
    gc.disable()
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    # Where these name another size than the terminal's, Textual is told both in turn and never comes to rest.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    # A key waits for at most this long behind the threads that read the store.
    sys.setswitchinterval(0.001)
    # A key is several bytes, the first of them an escape: over a link they may come apart, on the spot they do not.
    over_link = "SSH_CONNECTION" in os.environ or "SSH_TTY" in os.environ
    os.environ.setdefault("ESCDELAY", "250" if over_link else "50")
    if over_link and os.environ.get("COLORTERM"):
        # A colour of 24 bits is twice the bytes of one of 256, at each change of look.
        os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "256")


def _open(path: str, config: Config) -> tuple[Store | None, list[str]]:
    try:
        return open_store(path, max_bytes=config.max_bytes, session_logs=config.session_logs), []
    except NotFound as error:
        return None, [
            str(error),
            "",
            "A store is looked for in this order:",
            "  --store PATH, or the path after `lastgood`",
            f"  $LASTGOOD_STORE{_now(os.environ.get('LASTGOOD_STORE'))}",
            f"  store in the configuration file{_now(config.store)}",
            f"  {DEFAULT_STORE}",
            "",
            "`lastgood demo` opens a sample store to try it on.",
        ]


def _now(value: str | None) -> str:
    return f", now {value}" if value else ", not set"
