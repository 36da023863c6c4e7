"""Places in a JSON value, spelled as jq spells them: ``.messages[3].content``, ``.["odd key"]``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def path(steps: Iterable[str | int]) -> str:
    """The jq path of these keys and indexes from the root; `.` for the root. jq takes it as it is."""
    parts: list[str] = []
    for step in steps:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif _NAME.fullmatch(step):
            parts.append(f".{step}")
        else:
            # What cannot be seen stays escaped; letters of any language stay letters.
            parts.append(f"[{json.dumps(step, ensure_ascii=not step.isprintable())}]")
    joined = "".join(parts)
    return joined if joined.startswith(".") else f".{joined}"
