"""The one-row bars around the tree and the preview: header, column heads, tab strip, status, keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from ...core.sanitise import clean
from ..actions import Verb, here, key_name, refusal
from ..ink import look
from ..situation import Situation
from ..text import Part, clip, strip, width

Tone = Literal["muted", "good", "warning", "bad", "accent", "strong"]


class Bar(Widget):
    """One row of parts; what does not fit on the left is cut, the right end stays whole."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._left: Sequence[Part] = ()
        self._right: Sequence[Part] = ()

    def show(self, left: Sequence[Part], right: Sequence[Part] = ()) -> None:
        """Show these; nothing is written to the terminal where they are the same as before."""
        if (list(left), list(right)) != (list(self._left), list(self._right)):
            self._left, self._right = list(left), list(right)
            self.refresh()

    @property
    def shown(self) -> str:
        """What the row says, for those who read it without its colours."""
        return "".join(p[0] if isinstance(p, tuple) else p for p in (*self._left, "  ", *self._right))

    def look(self, name: str) -> Style:
        return look(self.app, name)

    def render_line(self, y: int) -> Strip:
        cells = self.size.width
        if y:
            return Strip.blank(cells, self.rich_style)
        right = _dressed(self._right, self)
        right_width = sum(width(p[0]) for p in right)
        room = cells - right_width - (1 if right else 0)
        left: list[tuple[str, Style]] = []
        for words, its in _dressed(self._left, self):
            piece = clip(words, room)
            left.append((piece, its))
            room -= width(piece)
            if piece != words and width(piece) < width(words):
                break
        gap = " " * (max(0, room) + (1 if right else 0))
        return strip(*left, gap, *right).adjust_cell_length(cells).apply_style(self.rich_style)


def _dressed(parts: Sequence[Part], bar: Bar) -> list[tuple[str, Style]]:
    """Parts whose look is a name get what it means in the theme."""
    dressed: list[tuple[str, Style]] = []
    for part in parts:
        words, its = part if isinstance(part, tuple) else (part, Style.null())
        dressed.append((words, bar.look(its) if isinstance(its, str) else its))
    return dressed


class TabStrip(Bar):
    """The names of the tabs in a rule: the current one stands out by its brackets as well as by its colour."""

    TABS = ("overview", "json", "messages", "diff")

    def show_tabs(self, current: str, about: str) -> None:
        parts: list[Part] = [("──", "muted")]
        for name in self.TABS:
            title = "JSON" if name == "json" else name.capitalize()
            parts.append((f"[{title}]", "current") if name == current else (f" {title} ", "muted"))
            parts.append(("─", "muted"))
        # The tabs stay whole; of a file's name the end tells it from others.
        room = self.size.width - _cells(parts) - 5
        if self.size.width and width(about) > room:
            about = f"…{clean(about)[-room + 1 :]}" if room > 8 else ""
        self.show(parts, [(f" {about} ", "strong"), ("──", "muted")] if about else [])

    def render_line(self, y: int) -> Strip:
        line = super().render_line(y)
        # The gap between both ends is a rule.
        text = line.text
        gap = text.find("  ")
        if gap < 0:
            return line
        end = gap + len(text[gap:]) - len(text[gap:].lstrip(" "))
        rule = strip(("─" * (end - gap), self.rich_style + self.look("muted")))
        return Strip.join([line.crop(0, gap), rule, line.crop(end)])


class StatusLine(Bar):
    """Where the focus is, or what was last said; on the right the work in the background."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._path: Sequence[Part] = ()
        self._said: Sequence[Part] | None = None
        self._work: Sequence[Part] = ()

    def show_path(self, parts: Sequence[Part]) -> None:
        """Where the focus is; what was said stays before it until it is hushed."""
        if list(parts) != list(self._path):
            self._path = list(parts)
            self._draw()

    def hush(self) -> None:
        """Back from what was said to where the focus is."""
        self._said = None
        self._draw()

    def say(self, words: str, tone: Tone = "strong") -> None:
        """Something that happened: it stays until somebody presses a key."""
        self._said = [(words, tone)]
        self._draw()

    def show_progress(self, what: str, done: int, total: int) -> None:
        if not total:
            self._work = ()
        else:
            share = done / total
            full = int(share * 6)
            self._work = [
                (f"{what} {done:,}/{total:,} ", "muted"),
                ("▓" * full + "░" * (6 - full), "accent"),
                (f" {share:4.0%}", "muted"),
            ]
        self._draw()

    def _draw(self) -> None:
        self.show(self._said if self._said is not None else self._path, self._work)


class KeyBar(Bar):
    """The keys that apply now, those of what has the focus first, as many as there is room for; help and quit always.

    A restore or a terminate that does not apply stays in its place without a key.

    It follows the focus by itself; whoever knows more of what applies tells it by :meth:`show_keys`.
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._situation = Situation()

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self._draw())

    def on_resize(self) -> None:
        self._draw()

    def show_keys(self, situation: Situation) -> None:
        """Leave out what does not apply in this situation."""
        self._situation = situation
        self._draw()

    def _draw(self) -> None:
        applying: list[tuple[Verb, Sequence[str]]] = []
        keys: Sequence[str]
        for verb, keys in here(self.screen):
            if verb.rank < 9 and refusal(verb, self._situation) is None:
                applying.append((verb, keys))
            elif verb.rank == 1 and verb.writes:
                # What matters most keeps its place; also, a bar that shifts with the cursor costs a link 100 bytes.
                applying.append((verb, [_NOT_NOW]))
        right = [part for verb, keys in applying if verb.rank == 8 for part in _named(verb, keys)]
        room = self.size.width - _cells(right) - 2
        left: list[Part] = []
        for verb, keys in applying:
            pair = _named(verb, keys)
            if verb.rank == 8:
                continue
            if _cells(pair) - 2 > room:
                break
            room -= _cells(pair)
            left += pair
        self.show(left, right)


_NOT_NOW = "·"
"""In the place of the key of what does not apply now."""


def _named(verb: Verb, keys: Sequence[str]) -> list[Part]:
    return [(key_name(keys[0]), "muted" if keys[0] == _NOT_NOW else "accent"), (f" {verb.label}  ", "muted")]


def _cells(parts: Sequence[Part]) -> int:
    return sum(width(part[0] if isinstance(part, tuple) else part) for part in parts)
