"""``python -m tests.benchmarks [NAME…] [--runs 5] [--root /tmp] [--share 1.0]``: ratios; exits 1 over a target."""

from __future__ import annotations

import argparse
import sys

from . import verifying
from .measure import Figure, Setting

MEASUREMENTS = {**verifying.MEASUREMENTS}
"""Name → function of a Setting to its figures. A module adds its own here."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASUREMENTS)}; none: all")
    parser.add_argument("--runs", type=int, default=5, help="the median of so many")
    parser.add_argument("--root", default="/tmp", help="where the stores are generated and kept")
    parser.add_argument("--share", type=float, default=1.0, help="this part of each store's sessions")
    args = parser.parse_args()
    unknown = set(args.names) - MEASUREMENTS.keys()
    if unknown:
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    setting = Setting(args.root, args.runs, args.share)
    figures: list[Figure] = []
    for name in args.names or MEASUREMENTS:
        for figure in MEASUREMENTS[name](setting):
            figures.append(figure)
            print(figure.line(), flush=True)
    return 0 if all(figure.holds for figure in figures) else 1


sys.exit(main())
