"""What twice as many sessions cost: never more than twice as much."""

from __future__ import annotations

from collections.abc import Iterator

from . import big_stores
from .measure import LASTGOOD, Figure, Sample, Setting, compare, process
from .memory import settled
from .paint import unclean_shown


def doubling(setting: Setting) -> Iterator[Figure]:
    stores = [setting.store(big_stores.B, times=times) for times in (2, 1)]
    pairs: dict[str, list[Sample]] = {
        "`list`": [process(setting, [*LASTGOOD, "list", "-s", store]) for store in stores],
        "`verify --no-cache`": [process(setting, [*LASTGOOD, "verify", "--no-cache", "-s", s]) for s in stores],
        "first paint": [unclean_shown(setting, store) for store in stores],
    }
    for what, (twice, once) in pairs.items():
        yield compare(f"{what} of twice B against B", twice, once, 2.0, setting.runs)
    most, least = (settled(setting, store)[0] for store in stores)
    yield Figure("memory of the screen on twice B against B", most / least, 2.0)
