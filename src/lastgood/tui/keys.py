"""One key at a time: over a slow link several arrive in one piece, and each has to find the screen that the last left.

Textual forwards every key at once to the widget that has the focus, and looks for a binding when the key has bubbled
back to the app. Of `r` and `y` in one piece, typed at a dialog, `y` closes the dialog before `r` is back, and `r` then
acts on the screen below. Here a key waits until the one before it has been seen to.
"""

from __future__ import annotations

from collections import deque

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.message import Message
from textual.timer import Timer

_PATIENCE_SECONDS = 0.3
"""A widget that is removed takes its messages with it: after this long the next key goes on without an answer."""


_ROUNDS = 3
"""A key's binding is looked for after one way to the app; what that sends, and the focus it moves, take two more."""


class KeySeenTo(Message):
    """Follows a key on its way from the focused widget to the app, and so arrives when the key has been seen to."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.rounds = rounds
        """How many more times it goes that way, for what the key has set off."""


class OneKeyAtATime(App[None], inherit_bindings=False):
    """An app whose keys act one after the other."""

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]
        self._keys_waiting: deque[events.Key] = deque()
        self._key_under_way: KeySeenTo | None = None
        self._key_patience: Timer | None = None

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
        elif self._key_under_way is None:
            await self._give_key(event)
        else:
            self._keys_waiting.append(event)

    async def _give_key(self, event: events.Key) -> None:
        target = self.focused or self.screen
        await super().on_event(event)
        await self._follow(target, _ROUNDS)

    async def _follow(self, target: DOMNode, rounds: int) -> None:
        follower = KeySeenTo(rounds)
        follower.set_sender(target)
        self._key_under_way = follower
        if target.post_message(follower):
            self._key_patience = self.set_timer(_PATIENCE_SECONDS, lambda: self._next_key(follower))
        else:
            await self._next_key(follower)

    async def on_key_seen_to(self, message: KeySeenTo) -> None:
        message.stop()
        if message is not self._key_under_way:
            return
        if self._key_patience is not None:
            self._key_patience.stop()
        if message.rounds:
            await self._follow(self.focused or self.screen, message.rounds - 1)
        else:
            await self._next_key(message)

    async def _next_key(self, after: KeySeenTo) -> None:
        if after is not self._key_under_way:
            return
        self._key_under_way = None
        if self._keys_waiting:
            await self._give_key(self._keys_waiting.popleft())
