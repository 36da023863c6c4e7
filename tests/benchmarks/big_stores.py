"""Large stores, generated from FORMAT's description alone: no code is shared with what is measured."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from tests.stores import NS, meta_bytes, put, rfc3339

_TEXT = (
    "the file reads test fails because value index returned None before loop ended so we add guard and run again "
    "expected got assert line module path/to/file.py def handler(request): return response error 0x1f 52e6b438 e2e "
    'print("done")\n const x = {"a": 1.5, "b": [1, 2]};\n café naïve 日本語 – “quoted” C:\\tmp 1e5 3.14159'
)
_WORDS = _TEXT.split(" ")
_TOO_YOUNG_TO_REMEMBER_S = 2.1


@dataclass(frozen=True)
class Shape:
    name: str
    sessions: int
    checkpoints: int
    bytes: int
    """Of each checkpoint, about."""


A = Shape("A", 1_000, 20, 19_000)
B = Shape("B", 10_000, 5, 3_900)
C = Shape("C", 100_000, 1, 900)


def build(root: str, shape: Shape, *, seed: int = 7) -> str:
    """The store's folder below `root`; generated unless it is there already, whole."""
    folder = os.path.join(root, f"lastgood-store-{shape.name}-{shape.sessions}x{shape.checkpoints}x{shape.bytes}")
    if os.path.isdir(folder):
        return folder
    partial = f"{folder}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    dice = random.Random(seed)
    for n in range(shape.sessions):
        _session(partial, f"{dice.getrandbits(12):03x}{n:05x}", shape, dice)
    os.rename(partial, folder)
    time.sleep(_TOO_YOUNG_TO_REMEMBER_S)
    return folder


def unclean(store: str) -> frozenset[str]:
    """The names of the sessions whose metadata says that they are active."""
    found = set()
    for entry in os.scandir(store):
        with open(f"{entry.path}/session_meta.json", "rb") as file:
            if orjson.loads(file.read())["is_active"]:
                found.add(entry.name)
    return frozenset(found)


def sealed(content: Mapping[str, object]) -> bytes:
    """A checkpoint file's bytes."""
    digest = hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
    full = {**content, "_checksum": digest, "_version": "1.0"}
    return orjson.dumps(full, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)


def words(length: int, dice: random.Random) -> str:
    """About so many characters of something like a conversation about code."""
    chosen: list[str] = []
    while length > 0:
        chosen.append(dice.choice(_WORDS))
        length -= len(chosen[-1]) + 1
    return " ".join(chosen)


def checkpoint(session: str, point: str, n: int, at: int, size: int, dice: random.Random) -> dict[str, object]:
    """What one checkpoint of about `size` bytes holds; its cost has all the digits that a product has."""
    messages: list[object] = []
    written = 700
    while written < size:
        content = words(min(dice.randint(200, 900), max(size - written, 40)), dice)
        messages.append({"content": content, "role": ("user", "assistant", "tool")[len(messages) % 3]})
        written += len(content.encode()) + 80
    tokens = dice.randint(500, 90_000)
    return {
        "checkpoint_id": point,
        "cost_estimate": tokens * 3e-06 + dice.randint(10, 4_000) * 1.5e-05,
        "created_at": rfc3339(at),
        "iteration": n,
        "messages": messages,
        "resume_hint": None,
        "session_id": session,
        "tokens_used": tokens,
        "tool_calls_pending": [],
        "tool_results": {f"{dice.getrandbits(32):08x}": {"elapsed": round(dice.random() * 9, 3), "exit": 0}},
        "trigger": "periodic",
    }


def _session(store: str, name: str, shape: Shape, dice: random.Random) -> None:
    folder = os.path.join(store, name)
    os.makedirs(os.path.join(folder, "checkpoints"))
    start = at = time.time_ns() - dice.randrange(3_700, 10**6) * NS
    file = ""
    for n in range(shape.checkpoints):
        point = f"{dice.getrandbits(32):08x}"
        at = start + n * 27 * NS + dice.randrange(NS)
        stamp = time.strftime("%Y%m%d_%H%M%S", time.gmtime(at // NS))
        file = f"cp_{stamp}_{point}.json"
        content = sealed(checkpoint(name, point, n, at, shape.bytes, dice))
        put(os.path.join(folder, "checkpoints", file), content, at=at)
    os.symlink(file, os.path.join(folder, "checkpoints", "latest.json"))
    active = dice.random() < 0.04
    reason = None if active else "completed"
    meta = meta_bytes(name, active=active, reason=reason, iteration=shape.checkpoints - 1, at=at)
    put(os.path.join(folder, "session_meta.json"), meta, at=at)
