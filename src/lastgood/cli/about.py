"""`info` and `completion`."""

from __future__ import annotations

import argparse
import sys

from .. import __version__, paths
from ..config import load
from ..core.store import locate_store
from ..themes import bundled
from .out import put, put_bytes, put_json


def info(args: argparse.Namespace) -> int:
    """Version, paths and the configuration in force."""
    config = load(args.config)
    store, source = locate_store(args.store, config.store)
    places = {
        "configuration": args.config or paths.config_file(),
        "themes": paths.user_themes(),
        "cache": paths.cache_dir(),
        "log": paths.log_file(),
    }
    in_force = {**config._asdict(), "keys": dict(config.keys), "thresholds": config.thresholds._asdict()}
    names = sorted(bundled())
    if args.json:
        put_json(
            {
                "version": __version__,
                "python": sys.version.split()[0],
                "store": store,
                "store_from": source,
                "paths": places,
                "configuration": in_force,
                "themes": names,
            }
        )
        return 0
    put(("lastgood ", "bold"), __version__, f"  (Python {sys.version.split()[0]})")
    put("store          ", store, f"  (from {source})")
    for name, path in places.items():
        put(name.ljust(15), path)
    put("themes         ", ", ".join(names))
    put()
    for key, value in in_force.items():
        put(f"{key} = ", str(value))
    return 0


def completion(args: argparse.Namespace) -> int:
    """A completion script for the shell named."""
    import shtab

    from .parser import command_parser

    put_bytes(shtab.complete(command_parser(), args.shell).encode())
    return 0
