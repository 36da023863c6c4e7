"""The configuration file: TOML, every key checked; one that means nothing is an error that names the nearest."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from . import paths
from .core.errors import UsageProblem
from .core.files import Absent, TooLarge, Unreadable, read_named
from .core.verdict import Thresholds

if TYPE_CHECKING:
    from .core.cache import Cache

COLUMNS = ("verdict", "session", "task", "last", "iteration", "points", "loses")
"""What the triage view can show of a session, in its usual order."""

DEFAULT_MAX_BYTES = 512 * 1024 * 1024
DEFAULT_THEME = "night"
_MOST_BYTES = 1 << 20

EXAMPLE = """\
# Every key with its default; a line that starts with `#` has none.

# store = "/var/lib/agents/checkpoints"  # unset: $LASTGOOD_STORE, then the default that `lastgood info` names
# session_logs = "/var/lib/agents/sessions"  # unset: where the layout has them, beside the store
theme = "night"               # a bundled theme, or the name of a file in the themes folder (`lastgood info`)
read_only = false             # true: nothing that writes can be done
mouse = false                 # true: the screen takes the mouse
live = true                   # false: the screen does not watch the store (`L` turns it on)
max_bytes = 536870912         # larger files are called too-large instead of read
columns = ["verdict", "session", "task", "last", "iteration", "points", "loses"]
# resume_command = ["my-agent", "--resume", "{session_id}"]  # offered after a restore

[thresholds]
live_min_seconds = 60.0       # written to more recently than this: may be alive
live_max_seconds = 3600.0     # idle for longer: not taken for alive without a process
rhythm_factor = 3.0           # may be alive while idle for less than this many usual gaps
unseen_factor = 2.0           # wait this many times longer where its process could not be seen
temp_file_seconds = 30.0      # a temporary file older than this was abandoned
clock_skew_seconds = 5.0      # times further ahead of this host's clock are not counted

[keys]
# restore = "R"               # the ids stand in `?` and in the README; several keys: "r,ctrl+r"
"""


class Config(NamedTuple):
    """The configuration in force."""

    store: str | None = None
    """The store's path as written; None: not set here."""
    session_logs: str | None = None
    """The folder of session logs as written; None: where the layout has it."""
    theme: str = DEFAULT_THEME
    keys: Mapping[str, str] = MappingProxyType({})
    """Binding id → key or keys, comma-separated, in Textual's names; see :func:`check_keys`."""
    read_only: bool = False
    mouse: bool = False
    live: bool = True
    thresholds: Thresholds = Thresholds()
    resume_command: list[str] | None = None
    """Program and arguments; `{session_id}`, `{session_path}` and `{store}` stand for what was restored."""
    max_bytes: int = DEFAULT_MAX_BYTES
    columns: tuple[str, ...] = COLUMNS
    use_cache: bool = True
    """False for `--no-cache`: every file is read afresh. No key of the file's."""
    file: str | None = None
    """The file it was read from; None where there is none."""

    def open_cache(self) -> Cache | None:
        """The results of earlier verifications; None where they are not to be used."""
        from .core.cache import Cache

        return Cache(paths.cache_dir()) if self.use_cache else None


def load(path: str | None = None) -> Config:
    """The configuration of `path`, else of the usual place; a usual place without a file means the defaults.

    Raises:
        UsageProblem: a named file does not exist or cannot be read, or what it says is not understood.
    """
    file = path or paths.config_file()
    try:
        raw = read_named(file, limit=_MOST_BYTES)
    except Absent:
        if path or os.environ.get("LASTGOOD_CONFIG"):
            raise UsageProblem(f"{file}: there is no such configuration file") from None
        return Config()
    except TooLarge as error:
        raise UsageProblem(f"{file}: cannot be read: it has {error}, which no configuration has") from None
    except Unreadable as error:
        raise UsageProblem(f"{file}: cannot be read: {error}") from None
    return _parse(file, raw)


def check_keys(config: Config, bindings: Mapping[str, str], meet: Callable[[str, str], bool]) -> None:
    """Hold the remapped keys against the bindings there are.

    Args:
        bindings: binding id → its key or keys as they are without a remap.
        meet: whether two of them can apply at once, and so must not share a key.

    Raises:
        UsageProblem: an id that does not exist, or a key that another binding has.
    """
    for binding in config.keys:
        if binding not in bindings:
            raise UsageProblem(f"{config.file}: keys.{binding}: no such action{_nearest(binding, bindings)}")
    for binding, remap in config.keys.items():
        # What it had without a remap it has stolen from nobody: panes share the keys that move.
        gained = _spelled_alike(remap) - _spelled_alike(bindings[binding])
        for other, usual in bindings.items():
            taken = gained & _spelled_alike(config.keys.get(other, usual))
            if taken and other != binding and meet(binding, other):
                said = f"{min(taken)!r} is the key of {other!r}; remap that one too"
                raise UsageProblem(f"{config.file}: keys.{binding}: {said}")


def _spelled_alike(keys: str) -> set[str]:
    """The keys of a comma-separated list, punctuation by its name: `?` and `question_mark` are one key."""
    import unicodedata

    found = set()
    for key in keys.split(","):
        modifiers, plus, name = key.strip().rpartition("+")
        if len(name) == 1 and not name.isalnum():
            name = re.sub("[ -]", "_", unicodedata.name(name).lower())
        found.add(modifiers + plus + _CHARACTER_NAMES.get(name, name))
    return found


def _parse(file: str, raw: bytes) -> Config:
    import tomllib

    try:
        text = raw.decode("utf-8")
        table = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise UsageProblem(f"{file}: not UTF-8 from byte {error.start}") from None
    except (ValueError, RecursionError) as error:  # a number of too many digits; brackets within brackets
        raise UsageProblem(f"{file}: not TOML: {error}") from None
    settings = _checked(file, text, "", table, _CHECKS)
    if "thresholds" in settings:
        settings["thresholds"] = _thresholds(file, text, settings["thresholds"])
    if "keys" in settings:
        remaps = _flat(settings["keys"])
        settings["keys"] = _checked(file, text, "keys", remaps, dict.fromkeys(remaps, _key_list))
    return Config(**settings, file=file)


def _thresholds(file: str, text: str, table: dict[str, Any]) -> Thresholds:
    checks = dict.fromkeys(Thresholds._fields, _positive)
    thresholds = Thresholds(**_checked(file, text, "thresholds", table, checks))
    if thresholds.live_min_seconds > thresholds.live_max_seconds:
        place = _place(file, text, "thresholds", "live_min_seconds")
        raise UsageProblem(f"{place}: must not be more than live_max_seconds ({thresholds.live_max_seconds:g})")
    return thresholds


def _flat(table: dict[str, Any], above: str = "") -> dict[str, Any]:
    """`move.down = "n"` is a table in a table to TOML, and one binding to us."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= _flat(value, f"{above}{key}.") if isinstance(value, dict) else {above + key: value}
    return flat


def _checked(file: str, text: str, section: str, table: dict[str, Any], checks: Mapping[str, _Check]) -> dict[str, Any]:
    """The values of `table`, each through its check."""
    values = {}
    for key, value in table.items():
        if key not in checks:
            raise UsageProblem(f"{_place(file, text, section, key)}: unknown key{_nearest(key, checks)}")
        try:
            values[key] = checks[key](value)
        except ValueError as error:
            raise UsageProblem(f"{_place(file, text, section, key)}: {error}") from None
    return values


def _place(file: str, text: str, section: str, key: str) -> str:
    """`FILE:LINE: section.key`, without the line where the key is written in a way that is not looked for."""
    full = f"{section}.{key}" if section else key
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
            table = header[1]
            if table == full:
                return f"{file}:{number}: {full}"
        elif table == section and re.match(rf"""\s*(["']?){re.escape(key)}\1\s*[=.]""", line):
            return f"{file}:{number}: {full}"
    return f"{file}: {full}"


def _nearest(word: str, known: Iterable[str]) -> str:
    import difflib

    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError("must be a text in quotes, and not empty")
    return value


def _table(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("must be a table")
    return value


def _positive(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _MOST:
        raise ValueError(f"must be a number above 0 and at most {_MOST}")
    return float(value)


def _byte_count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1024 <= value <= 2**40:
        raise ValueError("must be a whole number of bytes from 1024 to 1099511627776")
    return value


def _command(value: object) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(word, str) for word in value) or not value[0]:
        raise ValueError('must be a list of texts, the program first: ["program", "argument"]')
    return value


def _columns(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
        raise ValueError(f"must be a list of names out of {', '.join(COLUMNS)}")
    for name in value:
        if name not in COLUMNS:
            raise ValueError(f"{name!r} is no column{_nearest(name, COLUMNS)}")
    if len(set(value)) < len(value):
        raise ValueError("names a column twice")
    return tuple(value)


def _key_list(value: object) -> str:
    return ",".join(_key(part.strip()) for part in _text(value).split(","))


def _key(key: str) -> str:
    """One key as Textual spells it: modifiers in alphabetical order, then a named key or a single character."""
    *modifiers, name = key.split("+") if key != "+" else ["plus"]
    for modifier in modifiers:
        if modifier not in _MODIFIERS:
            raise ValueError(f"{key!r}: {modifier!r} is no modifier{_nearest(modifier, _MODIFIERS)}")
    if len(name) == 1 and name.isprintable() and name != " ":
        if modifiers and name.isupper():
            raise ValueError(f"{key!r}: write {'+'.join(sorted({*modifiers, 'shift'}))}+{name.lower()}")
        if modifiers == ["shift"]:
            raise ValueError(f"{key!r}: write the character that it gives, as {name.upper()!r}")
    elif name not in _NAMED_KEYS and not _is_character_name(name):
        raise ValueError(f"{key!r}: there is no key {name!r}{_nearest(name, _NAMED_KEYS)}")
    return "+".join([*sorted(set(modifiers)), name])


def _is_character_name(name: str) -> bool:
    """Whether `name` is a character's Unicode name as Textual writes it: `question_mark`."""
    import unicodedata

    try:
        unicodedata.lookup(name.replace("_", " "))
    except KeyError:
        return False
    return name.islower()


_Check = Callable[[object], object]

_CHECKS: dict[str, _Check] = {
    "store": _text,
    "session_logs": _text,
    "theme": _text,
    "keys": _table,
    "read_only": _boolean,
    "mouse": _boolean,
    "live": _boolean,
    "thresholds": _table,
    "resume_command": _command,
    "max_bytes": _byte_count,
    "columns": _columns,
}

_MOST = 315_360_000
"""Ten years in seconds: no threshold means more."""

_CHARACTER_NAMES = {
    "solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at", "hyphen_minus": "minus",
    "plus_sign": "plus", "low_line": "underscore",
}  # fmt: skip
"""Textual's names where they are not Unicode's."""

_MODIFIERS = ("alt", "ctrl", "hyper", "meta", "shift", "super")

_NAMED_KEYS = frozenset((
    "enter", "escape", "tab", "space", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown",
    "up", "down", "left", "right", "slash", "backslash", "at", "minus", "plus", "underscore",
    *(f"f{number}" for number in range(1, 25)),
))  # fmt: skip
