"""Actions done by their keys, each seen to change what is to be seen; a store that has something for all of them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from textual.css.query import NoMatches
from textual.widget import Widget

import stores
from lastgood.tui.actions import BY_NAME
from stores import NS, START
from tui.screens import Driven

LONG_TEXT = "\n".join(f"line {n} of the report" for n in range(20))
DEEP: dict[str, Any] = {"level": {"level": {"level": {"level": {"level": {"level": {"level": {"level": "bottom"}}}}}}}}


def _contents(session: str) -> list[dict[str, Any]]:
    """Three checkpoints with something for every key of every viewer."""
    said = [
        {"role": "user", "content": "begin"},
        {"role": "assistant", "content": LONG_TEXT},
        {"role": "user", "content": "go on " + "and on " * 60},
        {"role": "assistant", "content": LONG_TEXT + "\nneedle"},
        {"role": "user", "content": "end"},
    ]
    return [
        stores.checkpoint(
            session,
            n,
            id=f"{session[:4]}{n:04x}",
            at=START + n * 30 * NS,
            messages=said[: n + 2],
            tool_results={"deep": DEEP, "list": [1, 2, 3], "text": LONG_TEXT},
            resume_hint=f"step {n}",
        )
        for n in (1, 2, 3)
    ]


def build(root: str) -> None:
    """Two crashed sessions, the first with something for every key and a torn file; one damaged; forty ended."""
    first = stores.write_session(root, "aaaa1111", checkpoints=_contents("aaaa1111"))
    newest = Path(first, "checkpoints", "latest.json").read_bytes()
    cut = newest.index(b'"tokens_used"')
    stores.put(f"{first}/checkpoints/cp_20261123_999999_torn.json", newest[:cut], at=START + 200 * NS)
    stores.write_session(root, "bbbb2222", checkpoints=2, start=START - 600 * NS)
    stores.write_session(root, "cccc3333", meta=b'{"session_id": "cccc3333", "is_act', start=START - 700 * NS)
    for n in range(40):
        stores.write_session(
            root, f"ended{n:03}", active=False, reason="completed", checkpoints=1, start=START - (1000 + n) * NS
        )


class Hand:
    """Presses the keys of actions, each seen to change what is to be seen."""

    def __init__(self, on: Driven, store: str) -> None:
        self.on = on
        self.store = store
        self.done: set[str] = set()
        self.sent: list[str] = []
        """What the terminal was asked to take into its clipboard."""
        driver = on.app._driver
        assert driver is not None
        write = driver.write
        driver.write = lambda data: self._written(data, write)  # type: ignore[method-assign]

    def _written(self, data: str, write: Callable[[str], object]) -> None:
        if (asked := re.fullmatch(r"\x1b\]52;c;(.*)\x07", data)) is not None:
            self.sent.append(base64.b64decode(asked[1]).decode())
        write(data)

    async def do(self, name: str, sees: Callable[[], object]) -> None:
        assert not sees(), f"{name}: what is to be seen was so before its key"
        await self.on.press(BY_NAME[name].keys.split(",")[0])
        await self.on.until(lambda: bool(sees()), f"{name} seen")
        self.done.add(name)

    def has(self, *words: str) -> Callable[[], bool]:
        return lambda: all(word in self.on.text for word in words)

    def lacks(self, *words: str) -> Callable[[], bool]:
        return lambda: not any(word in self.on.text for word in words)

    def said(self, words: str) -> Callable[[], bool]:
        return lambda: words in self.on.status

    def tops(self, name: str) -> Callable[[], bool]:
        """A screen of this name lies on top."""
        return lambda: type(self.on.app.screen).__name__ == name

    def at(self, row: int) -> Callable[[], bool]:
        return lambda: self.on.main.sessions.cursor == row

    def one(self, kind: str) -> Any:
        """The widget of this class, or with this #id."""
        return self.on.app.screen.query_one(kind)

    def scrolled(self, kind: str, *, down: bool) -> Callable[[], bool]:
        """It has been scrolled since now."""
        widget: Widget = self.one(kind)
        before = widget.scroll_offset.y
        return lambda: (widget.scroll_offset.y - before) * (1 if down else -1) > 0

    def moved(self, kind: str, *, down: bool) -> Callable[[], bool]:
        """Its cursor has moved since now."""
        widget = self.one(kind)
        before = widget.cursor
        return lambda: (widget.cursor - before) * (1 if down else -1) > 0

    def meta(self, session: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(Path(self.store, session, "session_meta.json").read_bytes())
        return found

    async def open_first(self) -> None:
        """The first session open, the cursor on its torn file."""
        await self.on.press("enter", "down")
        await self.on.until_shown("broken")

    async def at_an_older_point(self) -> None:
        """The cursor on the second of three valid checkpoints."""
        await self.open_first()
        await self.on.press("down", "down")
        await self.on.until(lambda: "0002.json" in self.on.status, "the path of the second checkpoint")

    async def into(self, tab: str, kind: str) -> None:
        """The focus in a tab, about the first session's best file."""
        await self.on.press(BY_NAME[tab].keys.split(",")[0])

        def there() -> bool:
            try:
                return bool(self.one(kind).display and self.one(kind).count())
            except NoMatches:
                return False

        await self.on.until(there, f"something in {kind}")
        await self.on.press("tab")
        await self.on.until(lambda: self.one(kind).has_focus, f"the focus in {kind}")


Play = Callable[[Hand], Awaitable[None]]


class Scenario(NamedTuple):
    play: Play
    names: frozenset[str]
    settings: dict[str, Any]


SCENARIOS: list[Scenario] = []


def does(*names: str, **settings: Any) -> Callable[[Play], Play]:
    """This function does these actions, on a screen with these settings."""

    def register(play: Play) -> Play:
        SCENARIOS.append(Scenario(play, frozenset(names), settings))
        return play

    return register
