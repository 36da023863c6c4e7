"""Themes: one TOML file each, bundled ones and the user's own, checked here so that a bad one never reaches the screen.

A theme is a dict of the arguments of Textual's Theme. Textual accepts a bad colour and dies of it later, so every
value is checked beforehand; nothing of Textual is imported.
"""

from __future__ import annotations

import os
import re
from typing import Any

from . import paths
from .core.errors import UsageProblem
from .core.files import TooLarge, Unreadable, read_named

_MOST_BYTES = 1 << 20
DEFAULT = "night"
SIXTEEN = "sixteen"
"""For terminals without more colours, and for NO_COLOR."""

STATES = (
    "verdict-crashed", "verdict-damaged", "verdict-uncertain", "verdict-live", "verdict-untracked", "verdict-restored",
    "verdict-ended", "integrity-valid", "integrity-bad", "json-key", "json-string", "json-number", "json-literal",
    "diff-added", "diff-removed", "diff-changed",
)  # fmt: skip
"""The variables of lastgood's own; every theme that is handed out has them all."""


def bundled() -> dict[str, dict[str, Any]]:
    """The themes that come with lastgood, by name."""
    folder = _bundled_folder()
    return {name: _read(f"{folder}/{name}.toml", name) for name in _names_in(folder)}


def names() -> list[str]:
    """The names of all themes, bundled and the user's own, whether these are sound or not."""
    return sorted({*_names_in(_bundled_folder()), *_names_in(paths.user_themes())})


def load(name: str) -> dict[str, Any]:
    """The theme of this name; the user's own goes before a bundled one.

    Raises:
        UsageProblem: there is none, or what its file says is not understood.
    """
    if name not in names():
        import difflib

        near = difflib.get_close_matches(name, names(), n=1, cutoff=0.5)
        raise UsageProblem(f"theme {name!r}: there is none{f'; did you mean {near[0]!r}?' if near else ''}")
    for folder in (paths.user_themes(), _bundled_folder()):
        if name in _names_in(folder):
            theme = _read(f"{folder}/{name}.toml", name)
            break
    if missing := set(STATES) - theme["variables"].keys():
        usual = _read(f"{_bundled_folder()}/{_stand_in(theme)}.toml", _stand_in(theme))["variables"]
        theme["variables"] |= {state: usual[state] for state in missing}
    return theme


def load_or_default(name: str) -> tuple[dict[str, Any], str | None]:
    """The theme of this name and None, or the default theme and a sentence that says why."""
    try:
        return load(name), None
    except UsageProblem as problem:
        return _read(f"{_bundled_folder()}/{DEFAULT}.toml", DEFAULT), f"{problem}; the theme is {DEFAULT} instead"


def _stand_in(theme: dict[str, Any]) -> str:
    """The bundled theme that lends the states which `theme` doesn't set."""
    if theme.get("ansi"):
        return SIXTEEN if theme["dark"] else "sixteen-day"
    return DEFAULT if theme["dark"] else "day"


def _bundled_folder() -> str:
    here = os.path.dirname(os.path.abspath(__file__))
    packaged = f"{here}/themes_data"
    # A wheel carries them inside the package; a checkout, and an editable install of one, has them at its top.
    return packaged if os.path.isdir(packaged) else f"{os.path.dirname(os.path.dirname(here))}/themes"


def _names_in(folder: str) -> list[str]:
    try:
        entries = os.listdir(folder)
    except OSError:
        return []
    return sorted(entry[:-5] for entry in entries if entry.endswith(".toml") and not entry.startswith("."))


def _read(file: str, name: str) -> dict[str, Any]:
    """The theme in `file`, each of its values checked."""
    import tomllib

    try:
        table = tomllib.loads(read_named(file, limit=_MOST_BYTES).decode())
    except (Unreadable, TooLarge) as error:
        raise UsageProblem(f"{file}: cannot be read: {error}") from None
    except (ValueError, RecursionError) as error:
        raise UsageProblem(f"{file}: not TOML: {error}") from None
    theme: dict[str, Any] = {"name": name, "dark": True, "variables": {}}
    for key, value in table.items():
        if key in _FIELDS:
            theme[key] = _colour(file, key, value)
        elif key in ("dark", "ansi"):
            if not isinstance(value, bool):
                raise UsageProblem(f"{file}: {key}: must be true or false")
            theme[key] = value
        elif key == "variables" and isinstance(value, dict):
            theme[key] = {variable: _variable(file, variable, setting) for variable, setting in value.items()}
        elif key != "name":
            raise UsageProblem(
                f"{file}: {key}: unknown key; a theme has name, dark, ansi, {', '.join(_FIELDS)}, variables"
            )
        elif value != name:
            raise UsageProblem(f"{file}: name: must be that of the file, {name!r}")
    for needed in ("primary", "foreground", "background"):
        if needed not in theme:
            raise UsageProblem(f"{file}: {needed}: missing")
    return theme


def _variable(file: str, variable: str, value: object) -> str:
    place = f"variables.{variable}"
    if variable in _STYLES:
        if not isinstance(value, str) or not set(value.split()) <= _STYLE_WORDS or not value.split():
            raise UsageProblem(f"{file}: {place}: {value!r} is no text style; write one or more of {_STYLE_LIST}")
        return value
    if variable not in STATES and variable not in _COLOURS:
        import difflib

        near = difflib.get_close_matches(variable, [*STATES, *_COLOURS, *_STYLES], n=1)
        raise UsageProblem(f"{file}: {place}: unknown variable{f'; did you mean {near[0]!r}?' if near else ''}")
    return _colour(file, place, value)


def _colour(file: str, place: str, value: object) -> str:
    if isinstance(value, str) and (re.fullmatch(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})", value) or value in _ANSI):
        return value
    raise UsageProblem(f"{file}: {place}: {value!r} is no colour; write #rgb, #rrggbb or an ANSI name like ansi_red")


_FIELDS = (
    "primary", "secondary", "accent", "foreground", "background", "surface", "panel", "boost", "warning", "error",
    "success",
)  # fmt: skip

_COLOURS = frozenset((
    "text", "text-muted", "text-disabled", "text-primary", "text-secondary", "text-accent", "text-warning",
    "text-error", "text-success", "border", "border-blurred", "ansi-background", "ansi-foreground",
    "block-cursor-foreground", "block-cursor-background", "block-cursor-blurred-foreground",
    "block-cursor-blurred-background", "block-hover-background", "footer-foreground", "footer-background",
    "footer-key-foreground", "footer-key-background", "footer-description-foreground",
    "footer-description-background", "footer-item-background", "input-cursor-foreground", "input-cursor-background",
    "input-selection-foreground", "input-selection-background", "screen-selection-foreground",
    "screen-selection-background", "scrollbar", "scrollbar-hover", "scrollbar-active", "scrollbar-background",
    "scrollbar-background-hover", "scrollbar-background-active", "scrollbar-corner-color", "link-color",
    "link-color-hover", "link-background", "link-background-hover", "button-foreground", "button-color-foreground",
    *(f"markdown-h{level}-{part}" for level in range(1, 7) for part in ("color", "background")),
))  # fmt: skip
"""Textual's own variables that a theme may set, and that are colours."""

_STYLES = frozenset((
    "block-cursor-text-style", "block-cursor-blurred-text-style", "input-cursor-text-style", "link-style",
    "link-style-hover", "button-focus-text-style", *(f"markdown-h{level}-text-style" for level in range(1, 7)),
))  # fmt: skip
"""Those that are text styles."""

_STYLE_LIST = "none bold dim italic underline reverse strike"
_STYLE_WORDS = frozenset(_STYLE_LIST.split())

_ANSI = frozenset(
    f"ansi_{bright}{colour}"
    for bright in ("", "bright_")
    for colour in ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
) | {"ansi_default"}
