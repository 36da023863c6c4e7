"""Times as ratios of medians, the two sides of a ratio in turn so that a busy machine slows both."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from . import big_stores


@dataclass(frozen=True)
class Setting:
    root: str
    runs: int
    share: float

    def store(self, shape: big_stores.Shape) -> str:
        """The folder of this store, generated on first use."""
        return big_stores.build(self.root, replace(shape, sessions=max(1, int(shape.sessions * self.share))))


@dataclass(frozen=True)
class Figure:
    what: str
    seconds: float
    against: float
    target: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.against

    @property
    def holds(self) -> bool:
        return self.ratio <= self.target

    def line(self) -> str:
        mark = "ok  " if self.holds else "OVER"
        seconds = f"{self.seconds:.3f} s / {self.against:.3f} s"
        return f"{mark} {self.ratio:5.2f}  (target {self.target:.2f})  {self.what}: {seconds}"


def compare(what: str, this: Callable[[], object], that: Callable[[], object], target: float, runs: int) -> Figure:
    """The ratio of `this` to `that`, each run once to warm up, then `runs` times in turn."""
    this()
    that()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        for work, taken in zip((this, that), times, strict=True):
            started = time.perf_counter()
            work()
            taken.append(time.perf_counter() - started)
    return Figure(what, median(times[0]), median(times[1]), target)


def process(command: Sequence[str]) -> Callable[[], object]:
    """A whole process as a thing to time; what it writes goes to a pipe, as to a pager."""
    return lambda: subprocess.run(command, capture_output=True, check=False)
