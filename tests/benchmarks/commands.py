"""`list` and `verify`, whole processes, against the plainest programs that read the same."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator

from . import big_stores, plain_loop
from .measure import LASTGOOD, Figure, Setting, compare, process

_METAS = (
    "import orjson, os, sys\n"
    "for entry in os.scandir(sys.argv[1]):\n"
    "    with open(entry.path + '/session_meta.json', 'rb') as file: file.read()\n"
)


def listing(setting: Setting) -> Iterator[Figure]:
    store = setting.store(big_stores.B)
    yield compare(
        "`list --json` of B against importing orjson and reading every session_meta.json",
        process(setting, [*LASTGOOD, "list", "--json", "-s", store]),
        process(setting, [sys.executable, "-c", _METAS, store]),
        1.6,
        setting.runs,
    )
    empty = os.path.join(setting.root, "lastgood-store-empty")
    os.makedirs(empty, exist_ok=True)
    yield compare(
        "`list` of an empty store against `python -c pass`",
        process(setting, [*LASTGOOD, "list", "-s", empty]),
        process(setting, [sys.executable, "-c", "pass"]),
        5,
        setting.runs * 3,
    )


def verify(setting: Setting) -> Iterator[Figure]:
    for shape in (big_stores.A, big_stores.B):
        store = setting.store(shape)
        yield compare(
            f"`verify` of {shape.name}, no cache, against the plain loop",
            process(setting, [*LASTGOOD, "verify", "--no-cache", "-s", store]),
            process(setting, [sys.executable, plain_loop.__file__, store]),
            0.97,
            setting.runs,
        )


def second_verify(setting: Setting) -> Iterator[Figure]:
    for shape, target in ((big_stores.A, 0.2), (big_stores.B, 0.4)):
        again = process(setting, [*LASTGOOD, "verify", "-s", setting.store(shape)])

        def first(again: Callable[[], float] = again) -> float:
            setting.forget()
            return again()

        first()
        yield compare(f"second `verify` of {shape.name} against the first", again, first, target, setting.runs)
