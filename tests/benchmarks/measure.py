"""Figures beside their targets; a ratio's two sides are run in turn, so that a busy machine slows both."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import ClassVar

from . import big_stores

LASTGOOD = [sys.executable, "-m", "lastgood"]

Sample = Callable[[], float]
"""Does something once and gives what it took, in seconds."""


@dataclass(frozen=True)
class Setting:
    root: str
    runs: int

    def store(self, shape: big_stores.Shape, *, times: int = 1) -> str:
        """The folder of this store, generated on first use; `times` as many sessions."""
        return big_stores.build(self.root, replace(shape, sessions=shape.sessions * times))

    @property
    def home(self) -> str:
        return os.path.join(self.root, "lastgood-benchmark-home")

    @property
    def folders(self) -> dict[str, str]:
        """Variables that keep the programs measured from any configuration or cache of the user's."""
        return {f"XDG_{kind}_HOME": f"{self.home}/{kind}" for kind in ("CACHE", "CONFIG", "STATE")}

    def forget(self) -> None:
        """Nothing is known from an earlier run."""
        shutil.rmtree(self.home, ignore_errors=True)


@dataclass(frozen=True)
class Figure:
    HEADING: ClassVar[str] = "| what | measured | spread | target | |\n|---|---|---|---|---|"

    what: str
    value: float
    target: float
    unit: str = ""
    """Empty for a ratio."""
    spread: tuple[float, float] | None = None
    """The least and the most of the single runs."""
    detail: str = ""
    """What the value was made of."""

    @property
    def holds(self) -> bool:
        return self.value <= self.target

    def row(self) -> str:
        """A line of the table, which is Markdown."""
        unit = f" {self.unit}" if self.unit else ""
        spread = f"{_number(self.spread[0])}–{_number(self.spread[1])}" if self.spread else ""
        what = f"{self.what} ({self.detail})" if self.detail else self.what
        verdict = "ok" if self.holds else "**missed**"
        return f"| {what} | {_number(self.value)}{unit} | {spread} | ≤ {_number(self.target)}{unit} | {verdict} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def compare(what: str, this: Sample, that: Sample, target: float, runs: int) -> Figure:
    """The ratio of the medians of `this` and `that`: each once to warm up, then `runs` times in turn."""
    this()
    that()
    pairs = [(this(), that()) for _ in range(runs)]
    one, other = median(a for a, _ in pairs), median(b for _, b in pairs)
    ratios = sorted(a / b for a, b in pairs)
    return Figure(what, one / other, target, "", (ratios[0], ratios[-1]), f"{one:.3f} s / {other:.3f} s")


def process(setting: Setting, command: Sequence[str]) -> Sample:
    """A whole process; what it writes goes nowhere."""

    environment = {**os.environ, **setting.folders}

    def run() -> float:
        started = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
        took = time.perf_counter() - started
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.decode()}")
        return took

    return run
