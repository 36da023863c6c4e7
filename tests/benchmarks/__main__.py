"""Measure every target and print a table; exit 1 where one is missed.

Run it from the repository: `python -m tests.benchmarks [NAME…] [--runs N] [--root FOLDER]`. Needs the `test` extra.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator

import lastgood

from . import commands, growth, keys, large_file, link, memory, paint
from .measure import Figure, Setting

MEASUREMENTS: dict[str, Callable[[Setting], Iterator[Figure]]] = {
    "list": commands.listing,
    "verify": commands.verify,
    "second-verify": commands.second_verify,
    "paint": paint.first_paint,
    "large-file": large_file.opening,
    "keys": keys.while_verifying,
    "memory": memory.of_the_screen,
    "workers": memory.of_the_workers,
    "link": link.bytes_sent,
    "growth": growth.doubling,
}
"""Name → function of a Setting to its figures."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description="Measure every target and print a table; exit 1 over a target."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASUREMENTS)}; none: all")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="the median of so many (default 5)")
    parser.add_argument("--root", default="/tmp", metavar="FOLDER", help="where the stores are generated and kept")
    args = parser.parse_args()
    if unknown := set(args.names) - MEASUREMENTS.keys():
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    _as_installed()
    setting = Setting(args.root, args.runs)
    print(f"{time.strftime('%Y-%m-%d')} · {_machine()}\n\n{Figure.HEADING}")
    missed = 0
    for name in args.names or MEASUREMENTS:
        for figure in MEASUREMENTS[name](setting):
            print(figure.row(), flush=True)
            missed += not figure.holds
    print(f"\n{missed} missed" if missed else "\nall reached")
    return 1 if missed else 0


def _as_installed() -> None:
    """What an installer does, for without compiled modules every start measures the compiler; and no settings."""
    for name in [n for n in os.environ if n == "PYTHONDONTWRITEBYTECODE" or n.startswith("LASTGOOD")]:
        del os.environ[name]
    compileall.compile_dir(os.path.dirname(lastgood.__file__), quiet=2)


def _machine() -> str:
    with open("/proc/meminfo", encoding="ascii") as file:
        gigabytes = int(file.readline().split()[1]) / 1e6
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {gigabytes:.0f} GB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, load {load:.1f}"
    )


if __name__ == "__main__":
    sys.exit(main())
