"""`lastgood [PATH]`, `pick` and `demo`: the only commands that load the screen."""

from __future__ import annotations

import argparse
import difflib
import os
import shlex

from ..config import Config, load
from ..core.errors import Failed, UsageProblem
from ..core.store import locate_store
from .out import put, put_json, say


def open_screen(args: argparse.Namespace) -> int:
    """The screen on the store named; its exit code."""
    config, path = _screen_config(args)
    named = args.path
    if named and "/" not in named and not os.path.isdir(named):
        from .parser import COMMANDS

        near = difflib.get_close_matches(named, COMMANDS, n=1)
        hint = f"did you mean `lastgood {near[0]}`?" if near else "`lastgood --help` names them"
        raise UsageProblem(f"there is no folder {named} here, and no such command: {hint}")
    from ..tui.run import run

    return run(path, config, remember=config.use_cache)


def pick(args: argparse.Namespace) -> int:
    """The screen on the terminal; the choice, as `recover`'s JSON, on standard output; 130 where nothing is picked."""
    config, path = _screen_config(args)
    from ..tui.run import pick as run_pick

    choice = run_pick(path, config)
    if choice is None:
        return 130
    put_json(choice)
    return 0


def demo(args: argparse.Namespace) -> int:
    """The screen on a sample store, in a temporary folder that goes with it; with `--build` only the store."""
    from ..core.demo import build
    from ..core.times import now_ns

    if args.build is not None:
        target = os.path.abspath(args.build)
        if os.path.isdir(target) and os.listdir(target):
            raise UsageProblem(f"{target} is not empty: name a new folder for the sample store")
        try:
            build(target, now_ns=now_ns())
        except (OSError, ValueError) as error:
            raise Failed(f"{target} cannot be written: {getattr(error, 'strerror', None) or error}") from error
        put(target)
        say(f"a sample store; look at it with: lastgood {shlex.quote(target)}")
        return 0
    import tempfile

    config = _with_flags(load(args.config), args)
    with tempfile.TemporaryDirectory(prefix="lastgood-demo-") as folder:
        path = os.path.join(folder, "store")
        build(path, now_ns=now_ns())
        from ..tui.run import run

        return run(path, config)


def _screen_config(args: argparse.Namespace) -> tuple[Config, str]:
    config = _with_flags(load(args.config), args)
    path, _ = locate_store(args.store if args.path is None else args.path, config.store)
    return config, path


def _with_flags(config: Config, args: argparse.Namespace) -> Config:
    """The configuration with what the call overrides."""
    return config._replace(
        theme=args.theme or config.theme,
        mouse=args.mouse or config.mouse,
        read_only=args.read_only or config.read_only,
        use_cache=config.use_cache and not args.no_cache,
    )
