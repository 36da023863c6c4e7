"""`info` and `completion`."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from .. import __version__, paths
from ..config import load
from ..core.errors import NotFound
from ..core.layouts import Found, layouts
from ..core.store import entries, listed, locate_store
from ..themes import bundled
from .out import put, put_bytes, put_json, put_prose


def info(args: argparse.Namespace) -> int:
    """Version, paths, layouts and the configuration in force."""
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
    known = [_layout_record(found, store) for found in layouts()]
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
                "layouts": known,
            }
        )
        return 0
    put(("lastgood ", "bold"), __version__, f"  (Python {sys.version.split()[0]})")
    put("store          ", store, f"  (from {source})")
    for name, path in places.items():
        put(name.ljust(15), path)
    put("themes         ", ", ".join(names))
    for layout in known:
        put()
        _put_layout(layout)
    put()
    for key, value in in_force.items():
        put(f"{key} = ", str(value))
    return 0


def _layout_record(found: Found, path: str) -> dict[str, Any]:
    """One layout: whose it is, whether the store in force has sessions of it, what it cannot do and why."""
    record = {"name": found.name, "about": None, "from": found.origin, "target": found.target}
    if found.store is None:
        return {**record, "recognises": None, "cannot": {}, "problem": found.problem}
    about, cannot = found.store.about, dict(found.store.unable)
    return {**record, "about": about, "recognises": _recognised(found, path), "cannot": cannot, "problem": None}


def _recognised(found: Found, path: str) -> bool | None:
    """None where there is no store to look at."""
    if found.store is None or not os.path.isdir(path):
        return None
    store = found.store(path)
    try:
        return any(store.recognises(entry) for entry in entries(listed(path)))
    except NotFound:
        return None


def _put_layout(layout: dict[str, Any]) -> None:
    about = layout["about"] or "not in use"
    put("layout         ", (layout["name"], "bold"), f"  ({about}; from {layout['from']})")
    if layout["problem"] is not None:
        put_prose((" " * 15, ""), layout["problem"])
    elif layout["recognises"] is not None:
        put(" " * 15, "has sessions in the store" if layout["recognises"] else "has no sessions in the store")
    for deed, why in layout["cannot"].items():
        put_prose((" " * 15, ""), f"cannot {deed}: {why}")


def completion(args: argparse.Namespace) -> int:
    """A completion script for the shell named."""
    import shtab

    from .parser import every_command

    put_bytes(shtab.complete(every_command(), args.shell).encode())
    return 0
