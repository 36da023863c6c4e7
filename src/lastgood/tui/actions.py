"""The one table of actions: it feeds bindings, key bar, palette, help, the README's table and read-only mode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input

from .situation import (
    Situation,
    WhyNot,
    activatable,
    needs_file,
    needs_session,
    pickable,
    restorable,
    salvageable,
    stoppable,
    terminable,
)


@dataclass(frozen=True, slots=True)
class Verb:
    """Something that a key does. `name` is also the binding's id, what a configuration remaps."""

    name: str
    keys: str
    """Separated by commas, in Textual's names."""
    label: str
    """In the key bar, one or two words."""
    help: str
    group: str
    """Its heading in the help: one of :data:`GROUPS`."""
    at: str = "screen"
    """Its place, where the name does not tell."""
    does: str = ""
    """What Textual calls it, where the name does not tell."""
    writes: bool = False
    why_not: WhyNot = lambda situation: None
    rank: int = 9
    """How early it comes in the key bar: 1 first, 8 on its right end, 9 never."""
    palette: bool = False
    """Whether it can be chosen by name, from anywhere."""

    @property
    def action(self) -> str:
        """What Textual calls it."""
        return self.does or self.name.rpartition(".")[2].replace("-", "_")

    @property
    def place(self) -> str:
        """The widget or screen that has the binding; which of them apply together is in :data:`CHAINS`."""
        return self.name.rpartition(".")[0] or self.at


def refusal(verb: Verb, situation: Situation) -> str | None:
    """Why `verb` cannot be done now; None where it can. Writing asks first whether anything can be written at all."""
    if verb.writes and situation.read_only is not None:
        return f"{verb.label}: {situation.read_only}"
    if verb.writes and situation.acting:
        return f"{verb.label}: an action is under way, wait for it to end"
    why = verb.why_not(situation) or _impossible(verb, situation)
    return None if why is None else f"{verb.label}: {why}"


def _impossible(verb: Verb, situation: Situation) -> str | None:
    """What the session's layout says against it; of several marked ones each is asked when its turn comes."""
    if situation.seen is None or (situation.marked and verb.name in ("terminate", "activate")):
        return None
    return next((why for deed, why in situation.seen.cannot.items() if deed == verb.name), None)


# fmt: off
_MOVING = (
    Verb("move.down", "j,down", "down", "Down", "move", does="move(1)"),
    Verb("move.up", "k,up", "up", "Up", "move", does="move(-1)"),
    Verb("move.page-down", "pagedown,ctrl+f", "page", "Page down", "move", does="page(1)"),
    Verb("move.page-up", "pageup,ctrl+b", "page up", "Page up", "move", does="page(-1)"),
    Verb("move.first", "g,home", "first", "First", "move"),
    Verb("move.last", "G,end", "last", "Last", "move"),
    Verb("open", "enter", "open", "Open or close a session; look at a restore point", "move", at="tree", rank=3),
    Verb("unfold", "right", "open", "Open, then go into", "move", at="tree"),
    Verb("close", "h,left", "close", "Go to the session, then close it", "move", at="tree"),
    Verb("fold-all", "E", "open all", "Open every session shown, or close all", "move", at="tree", palette=True),
    Verb("pane", "tab", "pane", "Go to the preview and back", "move", rank=3),
    Verb("pane-back", "shift+tab", "pane", "Go back to the tree, or to the preview", "move"),
    Verb("back", "escape", "back", "Back: out of the whole screen, the preview, the filter", "move"),
)

_FINDING = (
    Verb("filter", "slash", "filter", "Filter as you type: letters in order; ! before a word inverts it",
         "find", rank=4, palette=True),
    Verb("faults", "f", "faults",
         "Only faults, or everything: what is crashed, damaged or uncertain, or has a file that is not valid",
         "find", rank=4, palette=True),
    Verb("sort", "s", "sort", "Sort by the next column", "find", rank=7, palette=True),
    Verb("reverse", "S", "reverse", "Turn the order round", "find", palette=True),
    Verb("mark", "space", "mark", "Mark this session for terminate or activate", "find", rank=6,
         why_not=needs_session),
    Verb("unmark", "M", "unmark", "Take all marks away", "find", palette=True),
)

_LOOKING = (
    Verb("next-tab", "right_square_bracket", "tab", "Next tab of the preview", "look", rank=7),
    Verb("previous-tab", "left_square_bracket", "tab", "Previous tab of the preview", "look"),
    Verb("overview", "1", "overview", "Verdict, evidence, times and price (in the JSON tab digits fold)",
         "look", palette=True),
    Verb("json", "2", "json", "The file's JSON", "look", palette=True),
    Verb("messages", "3", "messages", "The conversation", "look", palette=True),
    Verb("diff", "d,4", "diff", "What changed against the latest, or the marked point", "look",
         why_not=needs_file, rank=4, palette=True),
    Verb("compare", "m", "compare with", "Mark this file as what others are compared with, or the latest again",
         "look", why_not=needs_file, palette=True),
    Verb("mask-secrets", "X", "mask", "Mask what looks like keys and tokens, or show it again", "look",
         palette=True),
    Verb("zoom", "z", "zoom", "Give the preview the whole screen, and back", "look", rank=7, palette=True),
    Verb("copy", "y", "copy", "Copy: then i the id, p the path, v the JSON value, q its jq path",
         "look", why_not=needs_session, rank=7, palette=True),
    Verb("export", "e", "export", "Write this restore point to a file of your own", "look",
         why_not=needs_file, palette=True),
    Verb("pager", "o", "pager", "Open this restore point's text in $PAGER", "look",
         why_not=needs_file, palette=True),
    Verb("choose", "c", "choose", "In `lastgood pick`: take this restore point", "look",
         why_not=pickable, rank=1, palette=True),
    Verb("verify", "v", "verify", "Read and verify this session's files afresh", "look",
         why_not=needs_session, palette=True),
)

_CHANGING = (
    Verb("restore", "r", "restore", "Make this point, or the session's best, what the runtime resumes from",
         "change", writes=True, why_not=restorable, rank=1, palette=True),
    Verb("terminate", "t", "terminate", "Mark the session, or all marked ones, ended, with a reason",
         "change", writes=True, why_not=terminable, rank=1, palette=True),
    Verb("activate", "a", "activate", "Mark the session, or all marked ones, active again",
         "change", writes=True, why_not=activatable, rank=2, palette=True),
    Verb("undo", "u", "undo", "Take back the last action; pressed again, the one before",
         "change", writes=True, rank=6, palette=True),
    Verb("salvage", "p", "salvage", "Save the readable part of a damaged file as a new, marked checkpoint",
         "change", writes=True, why_not=salvageable, rank=5, palette=True),
    Verb("repair", "R", "repair", "Rebuild damaged or missing metadata of the session from what is known",
         "change", writes=True, why_not=needs_session, rank=5, palette=True),
)

_SCREEN = (
    Verb("refresh", "f5,ctrl+r", "refresh", "Read the store again; position, branches and marks stay",
         "screen", palette=True),
    Verb("live", "L", "live", "Watch the store and show what changes, on or off", "screen", palette=True),
    Verb("stop", "x", "stop", "Stop the work in the background; refresh goes on with it", "screen",
         why_not=stoppable, palette=True),
    Verb("log", "l", "log", "What was done to this store, by whom, and what can be undone", "screen",
         rank=7, palette=True),
    Verb("help", "question_mark", "keys", "The keys that apply here, and all others", "screen", rank=8, palette=True),
    Verb("command-palette", "ctrl+p", "palette", "Any action by its name", "screen", at="app"),
    Verb("suspend-process", "ctrl+z", "suspend", "Back to the shell; fg returns", "screen", at="app", palette=True),
    Verb("quit", "q,ctrl+q,ctrl+c", "quit", "Leave; nothing is lost", "screen", at="app", rank=8, palette=True),
)

_VIEWERS = (
    Verb("overview.down", "j,down", "down", "Down", "overview", does="scroll_down"),
    Verb("overview.up", "k,up", "up", "Up", "overview", does="scroll_up"),
    Verb("overview.page-down", "pagedown,space", "page", "Page down", "overview", does="page_down"),
    Verb("overview.page-up", "pageup", "page up", "Page up", "overview", does="page_up"),
    Verb("overview.first", "g,home", "first", "First", "overview", does="scroll_home"),
    Verb("overview.last", "G,end", "last", "Last", "overview", does="scroll_end"),
    Verb("view.search", "slash", "search", "Search; capitals count only where there are some", "view", rank=2),
    Verb("view.next-hit", "n", "next hit", "Next hit", "view", does="hit(1)", rank=6),
    Verb("view.previous-hit", "N", "previous hit", "Previous hit", "view", does="hit(-1)"),
    Verb("view.wrap", "w", "wrap", "Wrap or clip long lines", "view", rank=6),
    Verb("search.find", "enter", "find", "Search for what was typed", "view", does="submit", rank=1),
    Verb("search.cancel", "escape", "cancel", "No search", "view", does="give_up", rank=1),
    Verb("json.toggle", "space", "fold", "Fold or unfold", "json", does="fold", rank=1),
    Verb("json.into", "right", "unfold", "Unfold, then go in", "json", does="into"),
    Verb("json.out", "h,left", "fold", "Fold, then go to the parent", "json", does="out"),
    Verb("json.read", "enter", "read", "Unfold, or read the string in full", "json", rank=1),
    Verb("json.next-sibling", "J", "sibling", "Next sibling", "json", does="sibling(1)", rank=5),
    Verb("json.previous-sibling", "K", "sibling", "Previous sibling", "json", does="sibling(-1)"),
    *(Verb(f"json.level-{n}", str(n), "level", "Fold to the level of the digit", "json", does=f"level({n})",
           rank=4 if n == 1 else 9) for n in range(1, 10)),
    Verb("json.unfold-all", "0,plus", "unfold all", "Unfold all", "json", rank=5),
    Verb("json.fold-all", "minus", "fold all", "Fold all", "json", does="level(1)"),
    Verb("json.fault", "f", "fault", "Go to the place where it stops being JSON", "json", does="problem"),
    Verb("messages.fold", "enter,space", "fold", "Fold or unfold the message", "messages", rank=1),
    Verb("messages.unfold", "right", "unfold", "Unfold the message", "messages", does="set_fold(False)"),
    Verb("messages.fold-one", "h,left", "fold", "Fold the message", "messages", does="set_fold(True)"),
    Verb("messages.next", "J", "next", "Next message", "messages", does="turn(1)", rank=2),
    Verb("messages.previous", "K", "previous", "Previous message", "messages", does="turn(-1)", rank=2),
    Verb("messages.unfold-all", "plus,0", "unfold all", "Unfold all", "messages", does="fold_all(False)", rank=5),
    Verb("messages.fold-all", "minus", "fold all", "Fold all", "messages", does="fold_all(True)"),
    Verb("diff.read", "enter", "read", "Read both values in full", "diff", rank=1),
    Verb("diff.next", "J", "next", "Next change", "diff", does="move(1)"),
    Verb("diff.previous", "K", "previous", "Previous change", "diff", does="move(-1)"),
    Verb("reader.page", "space", "page", "Page down", "reader", does="page(1)", rank=2),
    Verb("reader.close", "escape,q,h,left,ctrl+c", "back", "Back", "reader", does="screen.dismiss", rank=1),
)

_ASKING = (
    Verb("filter.keep", "enter", "keep", "Keep the filter and go to the tree", "filter", does="submit", rank=1),
    Verb("filter.clear", "escape", "clear", "No filter", "filter", rank=1),
    Verb("filter.tree", "down", "to the tree", "Go to the tree", "filter", does="submit", rank=2),
    Verb("choice.press", "enter,space", "press", "Take the choice that has the focus", "dialog", rank=2),
    Verb("dialog.cancel", "escape,q,n,ctrl+c", "cancel", "Close; nothing is done", "dialog", rank=1),
    Verb("dialog.next", "tab,right", "next", "Next choice", "dialog", does="app.focus_next", rank=3),
    Verb("dialog.previous", "shift+tab,left", "previous", "Previous choice", "dialog", does="app.focus_previous"),
    Verb("dialog.down", "down,j", "scroll", "Scroll the text", "dialog", does="scroll_text(1)", rank=4),
    Verb("dialog.up", "up,k", "scroll", "Scroll the text", "dialog", does="scroll_text(-1)"),
    Verb("dialog.page-down", "pagedown", "page", "Scroll the text by a page", "dialog", does="scroll_text(8)"),
    Verb("dialog.page-up", "pageup", "page", "Scroll the text by a page", "dialog", does="scroll_text(-8)"),
    Verb("typed.done", "enter", "done", "What is typed is done", "dialog", does="submit", rank=2),
    Verb("plan.agree", "y", "do it", "Do what the plan says", "dialog", rank=2),
    Verb("plan.copy", "c", "copy", "Copy the plan, every path in full", "dialog", rank=3),
    Verb("resume.run", "w", "run it", "After a restore: run the resume command when you leave", "dialog", rank=2),
    Verb("copying.id", "i", "id", "Copy the id", "dialog", does="take('id')", rank=2),
    Verb("copying.path", "p", "path", "Copy the path", "dialog", does="take('path')", rank=2),
    Verb("copying.value", "v", "value", "Copy the JSON value", "dialog", does="take('value')", rank=2),
    Verb("copying.query", "q", "jq path", "Copy the value's jq path", "dialog", does="take('jq path')", rank=2),
    Verb("select.close", "escape,q,enter,ctrl+c", "back", "Back", "select", rank=1),
    Verb("select.down", "down,j", "down", "Down", "select", does="scroll_text(1)", rank=2),
    Verb("select.up", "up,k", "up", "Up", "select", does="scroll_text(-1)"),
    Verb("select.page-down", "pagedown,space", "page", "Page down", "select", does="scroll_text(20)", rank=2),
    Verb("select.page-up", "pageup", "page up", "Page up", "select", does="scroll_text(-20)"),
    Verb("log.details", "enter", "all of it", "All that is kept of this action", "log", rank=1),
    Verb("log.undo", "u", "undo this one", "Take this action back", "log", writes=True, rank=1),
    Verb("log.close", "escape,q,l,h,left", "back", "Back", "log", rank=1),
    Verb("help.close", "escape,q,question_mark,enter", "back", "Back", "help", rank=1),
    Verb("help.down", "down,j", "down", "Down", "help", does="scroll(1)", rank=2),
    Verb("help.up", "up,k", "up", "Up", "help", does="scroll(-1)"),
    Verb("help.page-down", "pagedown,space", "page", "Page down", "help", does="scroll(16)", rank=2),
    Verb("help.page-up", "pageup", "page up", "Page up", "help", does="scroll(-16)"),
)
# fmt: on

VERBS: tuple[Verb, ...] = (*_MOVING, *_FINDING, *_LOOKING, *_CHANGING, *_SCREEN, *_VIEWERS, *_ASKING)
BY_NAME: Mapping[str, Verb] = {verb.name: verb for verb in VERBS}

GROUPS: Mapping[str, str] = {
    "move": "Moving",
    "find": "Finding",
    "look": "Looking",
    "change": "Changing (each shows its plan first)",
    "screen": "The screen",
    "overview": "In the overview",
    "view": "In the JSON, the conversation, the differences and the reader",
    "json": "In the JSON",
    "messages": "In the conversation",
    "diff": "In the differences",
    "reader": "In the reader",
    "filter": "While a filter is typed",
    "dialog": "In dialogs",
    "select": "On a text to be selected with the mouse",
    "log": "In the log",
    "help": "In this help",
}

_MAIN = ("screen", "app")
_CHOICES = ("dialog", "choice", "typed")
CHAINS: tuple[frozenset[str], ...] = tuple(
    frozenset(places)
    for places in (
        ("move", "tree", *_MAIN),
        ("overview", *_MAIN),
        ("filter", *_MAIN),
        *(("move", "view", "search", viewer, *_MAIN) for viewer in ("json", "messages", "diff")),
        ("move", "view", "search", "reader"),
        *((*_CHOICES, dialog) for dialog in ("plan", "resume", "copying")),
        ("select",),
        ("move", "log", "app"),
        ("help", "app"),
    )
)
"""The places whose keys apply together, one set for each place that can have the focus."""


def meet(name: str, other: str) -> bool:
    """Whether two actions must not share a key.

    They must not where both can be meant at once, and what agrees to a plan must not be what opened it.
    """
    one, two = BY_NAME[name], BY_NAME[other]
    if "plan.agree" in (name, other) and (one.writes or two.writes):
        return True
    return any({one.place, two.place} <= places for places in CHAINS)


def bindings_for(*places: str) -> list[BindingType]:
    """The table's bindings of these places, as Textual wants them."""
    return [
        Binding(verb.keys, verb.action, verb.label, show=False, id=verb.name, tooltip=verb.help)
        for verb in VERBS
        if verb.place in places
    ]


def here(screen: Screen[Any]) -> list[tuple[Verb, list[str]]]:
    """The actions whose keys reach something on `screen` now, those of the focused widget first, each by its rank."""
    keys: dict[str, list[str]] = {}
    nearness: dict[str, int] = {}
    nodes: list[object] = []
    for key, active in screen.active_bindings.items():
        name = active.binding.id
        if name is not None and name in BY_NAME:
            if active.node not in nodes:
                nodes.append(active.node)
            if isinstance(screen.focused, Input) and len(key_name(key)) == 1 and key_name(key).isascii():
                continue  # It would be typed; Textual does not know so of all punctuation.
            keys.setdefault(name, []).append(key)
            # The tree is the main screen's heart: what is done to sessions comes before moving about in them.
            nearness.setdefault(name, 1 if BY_NAME[name].place == "tree" else nodes.index(active.node))
    order = sorted(keys, key=lambda name: (nearness[name], BY_NAME[name].rank))
    return [(BY_NAME[name], keys[name]) for name in order]


def key_in_force(app: App[object], name: str) -> str:
    """The first key that an action has, the configuration considered, as a person writes it."""
    return shown_keys(app._keymap.get(name, BY_NAME[name].keys).split(",")[0])


KEY_NAMES = {
    "slash": "/",
    "question_mark": "?",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
    "asterisk": "*",
    "plus": "+",
    "minus": "-",
    "escape": "esc",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "home": "Home",
    "end": "End",
    "f5": "F5",
}


def key_name(key: str) -> str:
    """A key as a person writes it: `/`, `esc`, `←`."""
    return KEY_NAMES.get(key, key)


def shown_keys(keys: str) -> str:
    """Keys, separated by commas, as a person writes them: `h ←`."""
    return " ".join(key_name(key.strip()) for key in keys.split(","))
