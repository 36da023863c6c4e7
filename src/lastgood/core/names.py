"""What the runtime puts into a checkpoint's name: ``cp_<YYYYmmdd_HHMMSS>_<id>.json`` (FORMAT.md, "Layout")."""

from __future__ import annotations

import re

from .times import parse_rfc3339

_NAME = re.compile(r"cp_(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)_(.*)\.json", re.DOTALL | re.ASCII)


def id_in_name(name: str) -> str | None:
    """The checkpoint_id in a file's name; None where it is no name of the runtime's."""
    match = _NAME.fullmatch(name)
    return match[7] if match else None


def time_in_name(name: str) -> int | None:
    """The time of the save in a file's name, to the second; None where there is none."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    year, month, day, hour, minute, second, _ = match.groups()
    try:
        return parse_rfc3339(f"{year}-{month}-{day}T{hour}:{minute}:{second}Z")
    except ValueError:
        return None
