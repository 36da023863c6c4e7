"""The layouts that there are: those of this package, and those of other packages by entry points.

A package adds one with ``[project.entry-points."lastgood.stores"]`` and ``NAME = "module:Class"``, where the class is a
:class:`~lastgood.core.store.Store` whose `layout` is NAME. `importlib.metadata` would find it too, but its import
alone costs twice Python's own start, so the few files concerned are read here; a test holds the two together.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import NamedTuple

from .. import __version__
from .store import Store

GROUP = "lastgood.stores"
BUILT_IN = {
    "continuum": "lastgood.core.continuum:ContinuumStore",
    "continuum-sdk": "lastgood.core.continuum_sdk:ContinuumSdkStore",
}
"""As entry points: they are asked first, and none from outside can take their names."""
DEFAULT_STORE = "~/.continuum/checkpoints"
"""Where both of them are kept unless their programs are told otherwise."""


class Found(NamedTuple):
    """A layout, or why it cannot be used."""

    name: str
    target: str
    """`module:Class`."""
    origin: str
    """The package that brought it, with its version."""
    store: type[Store] | None = None
    problem: str | None = None


@cache
def layouts() -> tuple[Found, ...]:
    """Every layout, those of this package first, then by package and name; looked for once a process."""
    found = [_load(name, target, f"lastgood {__version__}") for name, target in BUILT_IN.items()]
    names = set(BUILT_IN)
    for origin, name, target in sorted(set(_outside(sys.path))):
        if target in BUILT_IN.values():
            continue
        if name in names:
            found.append(Found(name, target, origin, problem=f"there is a layout {name} already: it is not used"))
            continue
        names.add(name)
        found.append(_load(name, target, origin))
    return tuple(found)


def _load(name: str, target: str, origin: str) -> Found:
    module, _, attribute = target.partition(":")
    try:
        store = getattr(import_module(module), attribute)
    except Exception as error:  # whatever a foreign module does while it is imported
        return Found(name, target, origin, problem=f"{target} cannot be loaded: {type(error).__name__}: {error}")
    if not (isinstance(store, type) and issubclass(store, Store)):
        return Found(name, target, origin, problem=f"{target} is no lastgood.core.store.Store")
    if getattr(store, "layout", None) != name:
        return Found(name, target, origin, problem=f"{target} does not call its layout {name}")
    return Found(name, target, origin, store)


def _outside(paths: list[str]) -> Iterator[tuple[str, str, str]]:
    """Package, name and target of each entry point of the group in the metadata of what is installed on `paths`."""
    for path in paths:
        try:
            with os.scandir(path or ".") as found:
                folders = [e.path for e in found if e.name.endswith((".dist-info", ".egg-info"))]
        except OSError:
            continue
        for folder in folders:
            try:
                with open(f"{folder}/entry_points.txt", "rb", buffering=0) as file:
                    raw = file.read()
                text = raw.decode() if GROUP.encode() in raw else ""
            except (OSError, UnicodeDecodeError):
                continue
            if text:
                name, _, version = os.path.basename(folder).rpartition(".")[0].partition("-")
                yield from ((f"{name} {version}".rstrip(), *point) for point in _points(text))


def _points(text: str) -> Iterator[tuple[str, str]]:
    """The `name = module:attribute` lines of the group, as the packaging specification writes them."""
    inside = False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            inside = line == f"[{GROUP}]"
        elif inside and "=" in line and not line.startswith(("#", ";")):
            name, _, target = line.partition("=")
            yield name.strip(), target.partition("[")[0].strip()
