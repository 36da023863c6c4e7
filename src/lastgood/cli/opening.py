"""From the options that every command takes to the configuration and the open store."""

from __future__ import annotations

import argparse

from ..config import Config, load
from ..core.errors import NotFound
from ..core.store import Store, locate_store, open_store


def open_from(args: argparse.Namespace) -> tuple[Store, Config]:
    """The store that `args`, the environment or the configuration name.

    Raises:
        UsageProblem: the configuration is wrong.
        NotFound: there is no such store; the message says where it was named and how to try the demo.
    """
    config = load(args.config)
    path, source = locate_store(args.store, config.store)
    try:
        return open_store(path, max_bytes=config.max_bytes, session_logs=config.session_logs), config
    except NotFound as error:
        raise NotFound(
            f"{error} (named by {source})\n"
            "name one with --store PATH or $LASTGOOD_STORE; `lastgood demo` shows a sample"
        ) from error
