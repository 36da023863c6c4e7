"""What the SDK keeps of a session beside its checkpoints (``continuum_sdk/agent/session.py``, ``Session.save``).

``~/.continuum/sessions/<id>.json``: `id`, `created_at` (local time without a zone), `messages` (`role`, `content`,
`timestamp`, `metadata`), `metadata`, `tools_used`, `cost`, `tokens`, `version` "1.0". It is written in place: a crash
leaves it cut off. It is shown and never changed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from . import files
from .model import SessionLog
from .typed import finite_number, length, text, whole_number

MAX_BYTES = 16 * 1024 * 1024
"""A larger log is named and not read."""
_LONGEST_NAME = 255


def folder_beside(store_path: str) -> str | None:
    """``sessions`` beside a store called ``checkpoints``: the SDK keeps both in ``~/.continuum``."""
    above, name = os.path.split(store_path)
    return os.path.join(above, "sessions") if name == "checkpoints" else None


def session_logs(folder: str, ids: Iterable[str]) -> Iterator[SessionLog]:
    """The logs of these session ids, in their order; an id that is no plain file name has none that is looked for."""
    for session_id in dict.fromkeys(ids):
        if _is_plain(f"{session_id}.json") and os.path.lexists(path := os.path.join(folder, f"{session_id}.json")):
            yield _read(path, session_id)


def _is_plain(name: str) -> bool:
    try:
        return "/" not in name and "\0" not in name and len(os.fsencode(name)) <= _LONGEST_NAME
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


def _read(path: str, session_id: str) -> SessionLog:
    seen = files.stamp(path)
    bare = SessionLog(path, seen.size, seen.mtime_ns)
    try:
        value = json.loads(files.read_regular(path, limit=MAX_BYTES))
    except files.Unreadable as error:
        return bare._replace(problem=error.problem)
    except files.TooLarge as error:
        return bare._replace(problem=f"{error.size} bytes: too large to be read here")
    except (ValueError, RecursionError):
        return bare._replace(problem="cut off or damaged: it does not parse")
    if not isinstance(value, dict):
        return bare._replace(problem="it holds no object")
    if value.get("id") != session_id:
        return bare._replace(problem="it names another session")
    return _filled(bare, value)


def _filled(log: SessionLog, value: Mapping[str, object]) -> SessionLog:
    messages = value.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    return log._replace(
        created_at=_local_time(value.get("created_at")),
        messages=length(messages),
        tools_used=length(value.get("tools_used")),
        tokens_used=whole_number(value.get("tokens")),
        cost_estimate=finite_number(value.get("cost")),
        last_at=_local_time(last.get("timestamp")) if isinstance(last, dict) else None,
        last_role=text(last.get("role")) if isinstance(last, dict) else None,
        last_content=text(last.get("content")) if isinstance(last, dict) else None,
    )


def _local_time(said: object) -> int | None:
    """A time without a zone, by this host's: the log does not say which one it was written in."""
    try:
        return int(datetime.fromisoformat(said).timestamp() * 1_000_000) * 1_000 if isinstance(said, str) else None
    except (ValueError, OverflowError, OSError):
        return None
