"""Draw the README's pictures from the real app on the sample store: `python -m tests.screenshots`."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.tui.screens import Driven, driven

from lastgood.core import demo

FOLDER = Path(__file__).resolve().parents[1] / "screenshots"
SIZE = (104, 34)
MOST_BYTES = 150_000


async def triage(on: Driven) -> None:
    await on.press("enter")
    await on.until_shown("mismatch")
    await on.press("down", "down")
    await on.until_shown("stands as")


async def json(on: Driven) -> None:
    await triage(on)
    await on.press("2", "tab")
    await on.until_shown('"checkpoint_id"')


async def messages(on: Driven) -> None:
    await triage(on)
    await on.press("3", "tab")
    await on.until_shown("user")


async def diff(on: Driven) -> None:
    await triage(on)
    await on.press("d", "tab")
    await on.until_shown("tokens_used")


async def restore(on: Driven) -> None:
    await on.press("r")
    await on.until_shown("Cancel")


async def log(on: Driven) -> None:
    for words in (["r"], ["g", "t", "1"], ["g", "down", "down", "r"], ["u"]):
        await on.press(*words)
        await on.until_shown("Cancel", "(y)")
        await on.press("y")
        await on.until(lambda: len(on.app.screen_stack) == 1, "the end of the dialog")
        await on.settle()
    await on.press("l")
    await on.until_shown("4 actions")


PICTURES: tuple[tuple[str, str, Callable[[Driven], Awaitable[None]]], ...] = (
    ("triage", "night", triage),
    ("json", "night", json),
    ("messages", "night", messages),
    ("diff", "night", diff),
    ("restore", "night", restore),
    ("log", "night", log),
    ("theme-day", "day", triage),
    ("theme-clear", "clear", triage),
    ("theme-contrast", "contrast", triage),
)


async def draw(name: str, theme: str, scene: Callable[[Driven], Awaitable[None]]) -> None:
    """One picture, on a store of its own at a place that is the same each time."""
    folder = os.path.join(tempfile.gettempdir(), "continuum")
    os.mkdir(folder)
    try:
        demo.build(f"{folder}/checkpoints", now_ns=time.time_ns())
        async with driven(f"{folder}/checkpoints", size=SIZE, theme=theme) as on:
            await scene(on)
            await on.pilot.pause()
            svg = on.app.export_screenshot(title="lastgood")
    finally:
        shutil.rmtree(folder)
    if len(svg) > MOST_BYTES:
        raise SystemExit(f"{name}: {len(svg)} bytes are too many for a README")
    (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")
    print(f"{name}.svg  {len(svg):,} bytes")


async def main(wanted: list[str]) -> None:
    for name, theme, scene in PICTURES:
        if not wanted or name in wanted:
            await draw(name, theme, scene)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
