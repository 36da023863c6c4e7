"""What verification and listing cost against the plain loops of PERFORMANCE.md."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator

import orjson

from lastgood.core.continuum import ContinuumStore
from lastgood.core.workers import verify_files

from . import big_stores
from .measure import Figure, Setting, compare, process

_LASTGOOD = [sys.executable, "-m", "lastgood"]
_METAS = (
    "import orjson, os, sys\n"
    "for entry in os.scandir(sys.argv[1]):\n"
    "    with open(entry.path + '/session_meta.json', 'rb') as file: file.read()\n"
)


def plain_loop(folder: str) -> int:
    """The yardstick: read every cp file, parse, pop two fields, print sorted, hash, compare."""
    valid = 0
    for session in os.scandir(folder):
        for entry in os.scandir(f"{session.path}/checkpoints"):
            if entry.name.startswith("cp_"):
                with open(entry.path, "rb") as file:
                    value = orjson.loads(file.read())
                stated = value.pop("_checksum")
                del value["_version"]
                printed = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
                valid += hashlib.sha256(printed).hexdigest() == stated
    return valid


def _verify(folder: str, processes: int | None) -> None:
    store = ContinuumStore(folder)
    files = (file for session in store.sessions() for file in store.survey(session).files)
    if not all(point.valid for point in verify_files(store, files, processes=processes)):
        raise AssertionError("the generated store is valid")


def one_process(setting: Setting) -> Iterator[Figure]:
    folder = setting.store(big_stores.A)
    yield compare(
        "verify A in this process, survey and headers included, against the plain loop",
        lambda: _verify(folder, 0),
        lambda: plain_loop(folder),
        1.6,
        setting.runs,
    )


def two_processes(setting: Setting) -> Iterator[Figure]:
    for shape in (big_stores.A, big_stores.B):
        folder = setting.store(shape)
        yield compare(
            f"verify {shape.name} in two workers, survey and headers included, against the plain loop",
            lambda folder=folder: _verify(folder, 2),  # type: ignore[misc]
            lambda folder=folder: plain_loop(folder),  # type: ignore[misc]
            0.97,
            setting.runs,
        )


def whole_verify(setting: Setting) -> Iterator[Figure]:
    folder = setting.store(big_stores.A)
    yield compare(
        "`lastgood verify` of A, whole process, no cache, against the plain loop",
        process([*_LASTGOOD, "verify", "-s", folder, "--no-cache"]),
        lambda: plain_loop(folder),
        0.97,
        setting.runs,
    )


def second_verify(setting: Setting) -> Iterator[Figure]:
    for shape, target in ((big_stores.A, 0.2), (big_stores.B, 0.4)):
        folder = setting.store(shape)
        cache = os.path.join(setting.root, "lastgood-benchmark-cache")
        command = ["env", f"XDG_CACHE_HOME={cache}", *_LASTGOOD, "verify", "-s", folder]
        again: Callable[[], object] = process(command)

        def first(cache: str = cache, again: Callable[[], object] = again) -> None:
            shutil.rmtree(cache, ignore_errors=True)
            again()

        first()
        yield compare(f"second `lastgood verify` of {shape.name} against the first", again, first, target, setting.runs)


def listing(setting: Setting) -> Iterator[Figure]:
    folder = setting.store(big_stores.B)
    yield compare(
        "`lastgood list --json` of B against importing orjson and reading every session_meta.json",
        process([*_LASTGOOD, "list", "--json", "-s", folder]),
        process([sys.executable, "-c", _METAS, folder]),
        1.6,
        setting.runs,
    )
    empty = os.path.join(setting.root, "lastgood-store-empty")
    os.makedirs(empty, exist_ok=True)
    yield compare(
        "`lastgood list` of an empty store against `python -c pass`",
        process([*_LASTGOOD, "list", "-s", empty]),
        process([sys.executable, "-c", "pass"]),
        5,
        setting.runs,
    )


MEASUREMENTS: dict[str, Callable[[Setting], Iterator[Figure]]] = {
    "one-process": one_process,
    "two-processes": two_processes,
    "whole-verify": whole_verify,
    "second-verify": second_verify,
    "list": listing,
}
