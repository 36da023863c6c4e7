"""What the runtimes put into a checkpoint's name, and names that are no text.

The crate: ``cp_<YYYYmmdd_HHMMSS>_<id>.json`` (FORMAT.md, "Layout"). Its Python SDK: ``cp_<12 hex>_<seconds>.json``,
which is the checkpoint_id too, and ``.tmp`` while it is written.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .times import parse_rfc3339

_NAME = re.compile(r"cp_(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)_(.*)\.json", re.DOTALL | re.ASCII)
_SDK_NAME = re.compile(r"(cp_([0-9a-f]{12})_(\d{10}))\.(json|tmp)", re.ASCII)
_NS = 1_000_000_000


def is_crate_name(name: str) -> bool:
    """Whether the crate names its checkpoints so."""
    return _NAME.fullmatch(name) is not None


def session_folder(path: str) -> str | None:
    """The name of the session's folder that holds a checkpoint of the crate's; None for a file outside of any."""
    parts = path.rsplit("/", 3)
    return parts[1] if len(parts) == 4 and parts[2] == "checkpoints" else None


def is_sdk_name(name: str) -> bool:
    """Whether the SDK names its checkpoints, or the temporary files that become them, so."""
    return name.startswith("cp_") and _SDK_NAME.fullmatch(name) is not None


def hex_in_sdk_name(name: str) -> str | None:
    """The random part of a name of the SDK's; None where it is none."""
    match = _SDK_NAME.fullmatch(name)
    return match[2] if match else None


def id_in_name(name: str) -> str | None:
    """The checkpoint_id in a file's name; None where it is no name of the runtime's."""
    match = _NAME.fullmatch(name)
    if match is not None:
        return match[7]
    match = _SDK_NAME.fullmatch(name)
    return match[1] if match else None


@lru_cache(maxsize=4096)
def time_in_name(name: str) -> int | None:
    """The time of the save in a file's name, to the second; None where there is none."""
    match = _NAME.fullmatch(name)
    if match is None:
        match = _SDK_NAME.fullmatch(name)
        return int(match[3]) * _NS if match else None
    year, month, day, hour, minute, second, _ = match.groups()
    try:
        return parse_rfc3339(f"{year}-{month}-{day}T{hour}:{minute}:{second}Z")
    except ValueError:
        return None


def is_unicode(text: str) -> bool:
    """Whether UTF-8 can hold `text`: a file name that is no UTF-8 comes with lone surrogates for its bytes."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)
