"""Where lastgood keeps what is not in a store.

The folders are platformdirs'. On Linux its rule is written out here, because its import costs as much time as Python's
own start; a test holds the two together.
"""

from __future__ import annotations

import os
import sys

_APP = "lastgood"


def config_file() -> str:
    """The configuration file: $LASTGOOD_CONFIG, else `config.toml` in the user's configuration folder."""
    return os.environ.get("LASTGOOD_CONFIG") or f"{_config_dir()}/config.toml"


def user_themes() -> str:
    """The folder of the user's own themes, one TOML file each."""
    return f"{_config_dir()}/themes"


def cache_dir() -> str:
    """What can be thrown away at any time: remembered verification results."""
    if sys.platform == "linux":
        return _xdg("XDG_CACHE_HOME", "~/.cache")
    import platformdirs

    return platformdirs.user_cache_dir(_APP, appauthor=False)


def log_file() -> str:
    """Where the screen writes what went wrong inside lastgood itself."""
    if sys.platform == "linux":
        return f"{_xdg('XDG_STATE_HOME', '~/.local/state')}/log/lastgood.log"
    import platformdirs

    return f"{platformdirs.user_log_dir(_APP, appauthor=False)}/lastgood.log"


def _config_dir() -> str:
    if sys.platform == "linux":
        return _xdg("XDG_CONFIG_HOME", "~/.config")
    import platformdirs

    return platformdirs.user_config_dir(_APP, appauthor=False)


def _xdg(variable: str, default: str) -> str:
    given = os.environ.get(variable, "")
    # The XDG specification: a relative path is to be ignored.
    base = given if os.path.isabs(given) else os.path.expanduser(default)
    return f"{base}/{_APP}"
