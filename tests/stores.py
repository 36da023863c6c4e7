"""A plain writer of the store's layout, from FORMAT.md alone: it shares no code with what it tests.

It saves as the runtime does: copy what latest.json held to latest.json.backup, write a temp file, rename it, swap
latest.json.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NS = 1_000_000_000
START = 1_795_420_000 * NS
"""When the stores of the tests begin: 2026-11-23 in UTC, some hours before the tests were written."""


def rfc3339(ns: int) -> str:
    seconds, fraction = divmod(ns, NS)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{fraction:09d}Z"


def seal(content: Mapping[str, Any]) -> bytes:
    """A checkpoint file's bytes for this content (only numbers that both readings of FORMAT.md read alike)."""
    bare = {k: v for k, v in content.items() if k not in ("_checksum", "_version")}
    canonical = json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    full = {**bare, "_checksum": hashlib.sha256(canonical).hexdigest(), "_version": "1.0"}
    return json.dumps(full, sort_keys=True, indent=2, ensure_ascii=False).encode()


def meta_bytes(
    name: str, *, active: bool = True, reason: str | None = None, iteration: int = 0, at: int = START, **more: Any
) -> bytes:
    meta = {
        "session_id": name,
        "is_active": active,
        "termination_reason": reason,
        "last_updated": rfc3339(at),
        "last_iteration": iteration,
        **more,
    }
    return json.dumps(meta, indent=2, ensure_ascii=False).encode()


def checkpoint(session: str, iteration: int, *, id: str | None = None, at: int = START, **more: Any) -> dict[str, Any]:
    """What one checkpoint holds: a chat that grows with the iterations."""
    return {
        "checkpoint_id": id or f"{iteration:08x}",
        "session_id": session,
        "trigger": "periodic",
        "created_at": rfc3339(at),
        "iteration": iteration,
        "messages": [{"role": "user", "content": f"step {i}"} for i in range(iteration + 1)],
        "tool_calls_pending": [],
        "tool_results": {},
        "tokens_used": 100 * iteration,
        "cost_estimate": 0.25 * iteration,
        "resume_hint": None,
        **more,
    }


def file_name(content: Mapping[str, Any], at: int) -> str:
    stamp = datetime.fromtimestamp(at // NS, UTC).strftime("%Y%m%d_%H%M%S")
    return f"cp_{stamp}_{content['checkpoint_id']}.json"


def put(path: str, data: bytes, *, at: int | None = None, mode: int = 0o644) -> str:
    """Write a file as it is, with this mtime and mode."""
    Path(path).write_bytes(data)
    os.chmod(path, mode)
    if at is not None:
        os.utime(path, ns=(at, at))
    return path


def save(session: str, content: Mapping[str, Any], *, at: int, regular_latest: bool = False) -> str:
    """One save, as the runtime does it; gives the new file's path. `session` is the session's folder."""
    folder = os.path.join(session, "checkpoints")
    os.makedirs(folder, exist_ok=True)
    latest = os.path.join(folder, "latest.json")
    if os.path.exists(latest):
        shutil.copyfile(latest, latest + ".backup")
        os.utime(latest + ".backup", ns=(at, at))
    name = file_name(content, at)
    temp = os.path.join(folder, f".tmp_checkpoint_{name}")
    put(temp, seal(content), at=at)
    os.rename(temp, os.path.join(folder, name))
    temp = os.path.join(folder, f".tmp_latest_{name}")
    if regular_latest:
        put(temp, seal(content), at=at)
    else:
        os.symlink(name, temp)
    os.rename(temp, latest)
    return os.path.join(folder, name)


def write_session(
    store: str,
    name: str,
    *,
    active: bool = True,
    reason: str | None = None,
    checkpoints: int | Sequence[Mapping[str, Any]] = 3,
    meta: bytes | None = None,
    no_meta: bool = False,
    start: int = START,
    every: int = 30 * NS,
    regular_latest: bool = False,
) -> str:
    """One session; gives its folder.

    Args:
        checkpoints: how many, or what each of them holds, oldest first.
        meta: session_meta.json as it is, instead of one made from `active` and `reason`.
        start: the time of the first save, in nanoseconds; `every`: the time between two.
    """
    folder = os.path.join(store, name)
    os.makedirs(os.path.join(folder, "checkpoints"))
    contents: Sequence[Mapping[str, Any]] = (
        [checkpoint(name, i + 1, id=f"{name[:4]}{i + 1:04x}", at=start + i * every) for i in range(checkpoints)]
        if isinstance(checkpoints, int)
        else checkpoints
    )
    at = start
    for i, content in enumerate(contents):
        at = start + i * every
        save(folder, content, at=at, regular_latest=regular_latest)
    if not no_meta:
        iteration = int(contents[-1].get("iteration", 0)) if contents else 0
        data = meta if meta is not None else meta_bytes(name, active=active, reason=reason, iteration=iteration, at=at)
        put(os.path.join(folder, "session_meta.json"), data, at=at, mode=0o640)
    return folder


@dataclass(frozen=True)
class Entry:
    """All that must be the same for a path to be the same."""

    type: str
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    content: bytes | str | None = field(repr=False)


def snapshot(store: str, *, journal: bool = False) -> dict[str, Entry]:
    """Every path below `store` and the store itself: bytes, times, modes, owners, link texts. Without the journal."""
    found: dict[str, Entry] = {}

    def look(path: str) -> None:
        st = os.lstat(path)
        kind: str
        content: bytes | str | None
        if os.path.islink(path):
            kind, content = "symlink", os.readlink(path)
        elif os.path.isdir(path):
            kind, content = "folder", None
        elif os.path.isfile(path):
            kind = "file"
            content = Path(path).read_bytes()
        else:
            kind, content = "other", None
        found[os.path.relpath(path, store)] = Entry(kind, st.st_mode, st.st_uid, st.st_gid, st.st_mtime_ns, content)
        if kind == "folder":
            for name in sorted(os.listdir(path)):
                if journal or path != store or name != ".lastgood":
                    look(os.path.join(path, name))

    look(store)
    return found


def resume_by_latest(session: str) -> dict[str, Any]:
    """What the runtime resumes from by its first way: latest.json."""
    return _verified(Path(session, "checkpoints", "latest.json").read_bytes())


def resume_by_mtime(session: str) -> dict[str, Any]:
    """What the runtime resumes from by its second way: the newest valid cp_*.json."""
    folder = os.path.join(session, "checkpoints")
    names = [e.name for e in os.scandir(folder) if e.name.startswith("cp_") and e.name.endswith(".json")]
    for name in sorted(names, key=lambda n: -os.stat(os.path.join(folder, n)).st_mtime_ns):
        try:
            return _verified(Path(folder, name).read_bytes())
        except ValueError:
            continue
    raise AssertionError("nothing to resume from")


def _verified(raw: bytes) -> dict[str, Any]:
    content = json.loads(raw)
    if not isinstance(content, dict):
        raise ValueError("not an object")
    if json.loads(seal(content))["_checksum"] != content.get("_checksum"):
        raise ValueError("checksum")
    return content
