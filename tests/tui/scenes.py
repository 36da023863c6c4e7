"""Every screen that there is, and the way to it by keys, on the sample store."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from lastgood.core.store import JOURNAL_FOLDER
from tui.screens import Driven

Play = Callable[[Driven], Awaitable[None]]


class Scene(NamedTuple):
    play: Play
    writes: bool
    settings: dict[str, Any]


SCENES: dict[str, Scene] = {}


def scene(*, writes: bool = False, **settings: Any) -> Callable[[Play], Play]:
    """A screen; `writes` where the way to it changes the store."""

    def register(play: Play) -> Play:
        SCENES[play.__name__.strip("_").replace("_", "-")] = Scene(play, writes, settings)
        return play

    return register


async def to_billing(on: Driven) -> None:
    """The cursor on the session whose newest file does not verify."""
    await on.press("slash", *"61ad6d07", "enter")
    await on.until_shown("1/41")
    await on.press("escape")
    await on.until_shown("41/41")


async def opened(on: Driven) -> None:
    """The cursor on that session's best file."""
    await to_billing(on)
    await on.press("enter")
    await on.until_shown("mismatch")
    await on.press("down", "down")
    await on.until(lambda: ".json" in on.status, "the path of the file")
    await on.until_shown("stands as")


@scene()
async def triage(on: Driven) -> None:
    await on.until_shown("crashed")


@scene()
async def file(on: Driven) -> None:
    await opened(on)


@scene()
async def damaged_file(on: Driven) -> None:
    await opened(on)
    await on.press("up")
    await on.until_shown("expected")


@scene()
async def json_tab(on: Driven) -> None:
    await opened(on)
    await on.press("2")
    await on.until_shown('"checkpoint_id"')
    await on.press("tab", "down", "down")


@scene()
async def json_search(on: Driven) -> None:
    await json_tab(on)
    await on.press("slash", *"content", "enter")
    await on.until_shown("next")


@scene()
async def messages(on: Driven) -> None:
    await opened(on)
    await on.press("3")
    await on.until_shown("[Messages]", "credit notes")
    await on.press("tab")


@scene()
async def diff(on: Driven) -> None:
    await opened(on)
    await on.press("d")
    await on.until_shown("tokens_used")
    await on.press("tab")


@scene()
async def zoomed(on: Driven) -> None:
    await opened(on)
    await on.press("3", "z")
    await on.until_shown("[Messages]", "credit notes")


@scene()
async def filtering(on: Driven) -> None:
    await on.press("slash", *"mig")
    await on.until(lambda: " 41/41" not in on.rows[0], "narrowed")


@scene()
async def nothing_matches(on: Driven) -> None:
    await on.press("slash", *"zzzz")
    await on.until_shown("Nothing matches")


@scene()
async def faults(on: Driven) -> None:
    await on.press("f")
    await on.until(lambda: " 41/41" not in on.rows[0], "narrowed")


@scene()
async def marked(on: Driven) -> None:
    await on.press("space", "space", "down", "space")
    await on.until_shown("3 marked")


@scene()
async def restore(on: Driven) -> None:
    await to_billing(on)
    await on.press("r")
    await on.until_shown("exactly")


@scene()
async def reason(on: Driven) -> None:
    await to_billing(on)
    await on.press("t")
    await on.until_shown("Why has it ended")


@scene()
async def terminate(on: Driven) -> None:
    await reason(on)
    await on.press("1")
    await on.until_shown("exactly")


@scene()
async def bulk(on: Driven) -> None:
    await on.press("space", "space", "space", "G", "space", "slash", *"61ad6d07", "enter")
    await on.until_shown("1/41", "4 marked")
    await on.press("t", "1")
    await on.until_shown("exactly")


@scene()
async def may_be_live(on: Driven) -> None:
    await on.press("slash", *"uncertain", "enter")
    await on.until(lambda: " 41/41" not in on.rows[0], "narrowed")
    await on.press("t", "1")
    await on.until_shown("to do it all the same")


@scene()
async def salvage(on: Driven) -> None:
    await to_billing(on)
    await on.press("enter")
    await on.until_shown("broken")
    for _ in range(12):
        line = on.main.sessions.focused_line
        if line is not None and line.path is not None and ".tmp_checkpoint" in line.path:
            break
        await on.press("down")
    await on.press("p")
    await on.until_shown("Salvage a file")


@scene()
async def repair(on: Driven) -> None:
    await on.press("slash", *"damaged", "enter")
    await on.until_shown("2/41")
    await on.press("R")
    await on.until_shown("Repair the metadata", "Repair (y)")


async def acted(on: Driven) -> None:
    """One session terminated; its record tells of another host, user and moment than those of the tests."""
    await to_billing(on)
    await on.press("t", "1")
    await on.until_shown("exactly")
    await on.press("y")
    await on.until(lambda: "✓ terminated" in on.status, "done")
    await on.settle()
    sign_as(on.app.store_path, user="oncall", host="edge-01")


def sign_as(store: str, **origin: str) -> None:
    """The journal's records get this origin, no process and an action of a known name."""
    journal = Path(store, JOURNAL_FOLDER, "journal.jsonl")
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    (id,) = {record["id"] for record in records}
    renamed = f"{id[:-6]}abc123"
    for record in records:
        for told in (record, record.get("origin", {})):
            told.update({name: value for name, value in origin.items() if name in told})
    text = "".join(json.dumps(record) + "\n" for record in records)
    journal.write_text(text.replace(id, renamed))
    os.rename(f"{journal.parent}/actions/{id}", f"{journal.parent}/actions/{renamed}")


@scene(writes=True)
async def log(on: Driven) -> None:
    await acted(on)
    await on.press("l")
    await on.until_shown("1 action")


@scene(writes=True)
async def log_details(on: Driven) -> None:
    await log(on)
    await on.press("enter")
    await on.until_shown("reason: crashed")


@scene(writes=True)
async def undo(on: Driven) -> None:
    await acted(on)
    await on.press("u")
    await on.until_shown("Undo terminate", "exactly")


@scene(writes=True, resume_command=("agent", "--resume", "{session_id}"))
async def resume(on: Driven) -> None:
    await to_billing(on)
    await on.press("r")
    await on.until_shown("exactly")
    await on.press("y")
    await on.until_shown("Resume it with")


@scene()
async def help_(on: Driven) -> None:
    await on.press("question_mark")
    await on.until_shown("Keys", "Here")


@scene()
async def palette(on: Driven) -> None:
    await on.press("ctrl+p")
    await on.until(lambda: type(on.app.screen).__name__ == "CommandPalette", "the palette")
    await on.press(*"rest")
    await on.until_shown("Restore")


@scene()
async def reader(on: Driven) -> None:
    await json_search(on)
    await on.press("enter")
    await on.until(lambda: type(on.app.screen).__name__ == "Reader", "the reader")


@scene()
async def copy(on: Driven) -> None:
    await json_tab(on)
    await on.press("y")
    await on.until_shown("jq path")


@scene()
async def export(on: Driven) -> None:
    await opened(on)
    await on.press("e")
    await on.until_shown("to, then enter")


@scene()
async def refused(on: Driven) -> None:
    """A key that does not apply says why."""
    await opened(on)
    await on.press("up", "r")
    await on.until_shown("does not verify")


@scene(read_only=True)
async def read_only(on: Driven) -> None:
    await on.press("r")
    await on.until(lambda: "read-only" in on.status, "the reason")


@scene(store="empty")
async def empty_store(on: Driven) -> None:
    await on.until_shown("There is no session")


@scene(store="nowhere")
async def no_store(on: Driven) -> None:
    await on.until_shown("no store")
