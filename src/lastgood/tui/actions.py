"""The one table of actions: it feeds bindings, key bar, palette, help, the README's table and read-only mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

from ..core.assess import Assessed
from ..core.model import Checkpoint, StoredFile, Verdict

Place = Literal["tree", "screen", "app"]


@dataclass(frozen=True, slots=True)
class Situation:
    """What an action would meet if its key were pressed now."""

    seen: Assessed | None = None
    """The session under the cursor."""
    file: StoredFile | None = None
    """The file under the cursor; None on a session's own row."""
    point: Checkpoint | None = None
    """What the preview shows: the file under the cursor, on a session's row its best restore point."""
    marked: int = 0
    read_only: str | None = None
    """Why nothing can be written; None where it can."""
    working: bool = False
    """Background work is going on."""
    acting: bool = False
    """An action is being done."""
    picking: bool = False
    """The screen is that of `lastgood pick`."""


WhyNot = Callable[[Situation], str | None]


@dataclass(frozen=True, slots=True)
class Verb:
    """Something that a key does. `name` is also the binding's id, what a configuration remaps."""

    name: str
    keys: str
    label: str
    """In the key bar, one or two words."""
    help: str
    group: Literal["move", "find", "look", "change", "screen"]
    place: Place = "screen"
    writes: bool = False
    why_not: WhyNot = lambda situation: None
    """Why it does not apply now, in a sentence; None where it does."""
    rank: int = 9
    """How early it comes in the key bar: 1 first, 9 never."""
    palette: bool = True

    @property
    def action(self) -> str:
        """What Textual calls it."""
        return self.name.replace("-", "_")


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


def _needs_session(situation: Situation) -> str | None:
    return None if situation.seen is not None else "there is no session under the cursor"


def _needs_file(situation: Situation) -> str | None:
    if situation.file is not None or situation.point is not None:
        return None
    return _needs_session(situation) or "this session has no restore point to take; open it to see its files"


def _restorable(situation: Situation) -> str | None:
    why = _needs_session(situation)
    if why is not None:
        return why
    if situation.seen is not None and situation.seen.session.linked is not None:
        return "the session's folder is a symlink, and nothing is written through one"
    if situation.file is None:
        if situation.seen is not None and situation.seen.points is not None and situation.seen.best is None:
            return "no file of this session verifies; open it to see why"
        return None
    if situation.point is not None and not situation.point.valid:
        return f"this file does not verify ({situation.point.reason}), the runtime would refuse it too"
    return None


def _markable(situation: Situation) -> str | None:
    return None if situation.marked else _needs_session(situation)


def _terminable(situation: Situation) -> str | None:
    if not situation.marked and situation.seen is not None and situation.seen.verdict is Verdict.ENDED:
        return "this session has ended already"
    return _markable(situation)


def _activatable(situation: Situation) -> str | None:
    if not situation.marked and situation.seen is not None and situation.seen.session.unclean:
        return "this session is marked active already"
    return _markable(situation)


def _salvageable(situation: Situation) -> str | None:
    if situation.file is None:
        return "put the cursor on a damaged file"
    if situation.point is not None and situation.point.valid:
        return "this file is valid: restore it as it is"
    return None


def _pickable(situation: Situation) -> str | None:
    if not situation.picking:
        return "only `lastgood pick` chooses"
    return _needs_file(situation)


def _working(situation: Situation) -> str | None:
    return None if situation.working else "nothing is going on in the background"


VERBS: tuple[Verb, ...] = (
    Verb(
        "open",
        "enter",
        "open",
        "Open or close a session; look at a restore point",
        "move",
        "tree",
        palette=False,
        rank=3,
    ),
    Verb("unfold", "right", "open", "Open, then go into", "move", "tree", palette=False),
    Verb("close", "h,left", "close", "Go to the session, then close it", "move", "tree", palette=False),
    Verb("fold-all", "E", "open all", "Open every session shown, or close all", "move", "tree"),
    Verb("pane", "tab", "read", "Go to the preview and back", "move", rank=3, palette=False),
    Verb("pane-back", "shift+tab", "read", "Go back to the tree, or to the preview", "move", palette=False),
    Verb("next-tab", "right_square_bracket", "next tab", "Next tab of the preview", "look", rank=6, palette=False),
    Verb("previous-tab", "left_square_bracket", "tab", "Previous tab of the preview", "look", palette=False),
    Verb("overview", "1", "overview", "Verdict, evidence, times and price (in the JSON tab digits fold)", "look"),
    Verb("json", "2", "json", "The file's JSON", "look"),
    Verb("messages", "3", "messages", "The conversation", "look"),
    Verb(
        "diff",
        "d,4",
        "diff",
        "What changed against the latest, or the marked point",
        "look",
        why_not=_needs_file,
        rank=4,
    ),
    Verb(
        "compare",
        "m",
        "compare with",
        "Mark this file as what others are compared with, or the latest again",
        "look",
        why_not=_needs_file,
    ),
    Verb("zoom", "z", "zoom", "Give the preview the whole screen, and back", "look", rank=7),
    Verb(
        "filter", "slash", "filter", "Filter as you type: letters in order; ! before a word inverts it", "find", rank=4
    ),
    Verb("faults", "f", "faults", "Only what somebody has to look into, or everything", "find", rank=4),
    Verb("sort", "s", "sort", "Sort by the next column", "find", rank=7),
    Verb("reverse", "S", "reverse", "Turn the order round", "find"),
    Verb("mark", "space", "mark", "Mark this session for terminate or activate", "find", rank=6, palette=False),
    Verb("unmark", "M", "unmark", "Take all marks away", "find"),
    Verb(
        "restore",
        "r",
        "restore",
        "Make this point, or the session's best, what the runtime resumes from",
        "change",
        writes=True,
        why_not=_restorable,
        rank=1,
    ),
    Verb(
        "terminate",
        "t",
        "terminate",
        "Mark the session, or all marked ones, ended, with a reason",
        "change",
        writes=True,
        why_not=_terminable,
        rank=1,
    ),
    Verb(
        "activate",
        "a",
        "activate",
        "Mark the session, or all marked ones, active again",
        "change",
        writes=True,
        why_not=_activatable,
        rank=2,
    ),
    Verb(
        "undo", "u", "undo", "Take back the last action; pressed again, the one before", "change", writes=True, rank=6
    ),
    Verb(
        "salvage",
        "p",
        "salvage",
        "Save the readable part of a damaged file as a new, marked checkpoint",
        "change",
        writes=True,
        why_not=_salvageable,
        rank=5,
    ),
    Verb(
        "repair",
        "R",
        "repair",
        "Rebuild damaged or missing metadata of the session from what is known",
        "change",
        writes=True,
        why_not=_needs_session,
        rank=5,
    ),
    Verb(
        "copy",
        "y",
        "copy",
        "Copy: then i the id, p the path, v the JSON value, q its jq path",
        "look",
        why_not=_needs_session,
        rank=7,
    ),
    Verb("export", "e", "export", "Write this restore point to a file of your own", "look", why_not=_needs_file),
    Verb("pager", "o", "pager", "Open this restore point's text in $PAGER", "look", why_not=_needs_file),
    Verb("choose", "c", "choose", "In `lastgood pick`: take this restore point", "look", why_not=_pickable, rank=1),
    Verb("verify", "v", "verify", "Read and verify this session's files afresh", "look", why_not=_needs_session),
    Verb("refresh", "F5,ctrl+r", "refresh", "Read the store again; position, branches and marks stay", "screen"),
    Verb("live", "L", "live", "Watch the store and show what changes, on or off", "screen"),
    Verb("stop", "x", "stop", "Stop the work in the background; refresh goes on with it", "screen", why_not=_working),
    Verb("log", "l", "log", "What was done to this store, by whom, and what can be undone", "screen", rank=7),
    Verb("help", "question_mark", "keys", "The keys that apply here, and all others", "screen", rank=8),
    Verb("command-palette", "ctrl+p", "palette", "Any action by its name", "screen", "app", palette=False),
    Verb("suspend-process", "ctrl+z", "suspend", "Back to the shell; fg returns", "screen", "app"),
    Verb("quit", "q,ctrl+q,ctrl+c", "quit", "Leave; nothing is lost", "screen", "app", rank=8),
)
BY_NAME: Mapping[str, Verb] = {verb.name: verb for verb in VERBS}

GROUPS: Mapping[str, str] = {
    "move": "Move",
    "find": "Find",
    "look": "Look",
    "change": "Change (each shows its plan first)",
    "screen": "Screen",
}


def bindings_for(place: Place) -> list[BindingType]:
    """The table's bindings of one place, as Textual wants them."""
    return [
        Binding(verb.keys.replace("F5", "f5"), verb.action, verb.label, show=False, id=verb.name, tooltip=verb.help)
        for verb in VERBS
        if verb.place == place
    ]


KEY_NAMES = {
    "slash": "/",
    "question_mark": "?",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
    "space": "space",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "home": "Home",
    "end": "End",
}


def shown_keys(keys: str) -> str:
    """Keys as a person writes them: `/`, `] `, `h ←`."""
    return " ".join(KEY_NAMES.get(key.strip(), key.strip()) for key in keys.split(","))
