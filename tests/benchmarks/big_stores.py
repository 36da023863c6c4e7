"""The stores of PERFORMANCE.md, generated: A of 1,000 sessions × 20 files × 19 KB, B of 10,000 × 5 × 4 KB."""

from __future__ import annotations

import os
import random
import shutil
from dataclasses import dataclass

from lastgood.core.checksum import seal
from lastgood.core.meta import new_meta
from lastgood.core.times import now_ns, rfc3339

_TEXT = (
    "the file reads test fails because value index returned None before loop ended so we add guard and run again "
    "expected got assert line module path/to/file.py def handler(request): return response error 0x1f 52e6b438 e2e "
    'print("done")\n const x = {"a": 1.5, "b": [1, 2]};\n café naïve 日本語 – “quoted” C:\\tmp 1e5 3.14159'
)
_WORDS = _TEXT.split(" ")
_SECOND = 1_000_000_000


@dataclass(frozen=True)
class Shape:
    name: str
    sessions: int
    checkpoints: int
    bytes: int


A = Shape("A", 1_000, 20, 19_000)
B = Shape("B", 10_000, 5, 3_900)


def build(root: str, shape: Shape, *, seed: int = 7) -> str:
    """The store's folder below `root`; generated unless it is there already, whole."""
    folder = os.path.join(root, f"lastgood-store-{shape.name}-{shape.sessions}x{shape.checkpoints}x{shape.bytes}")
    if os.path.isdir(folder):
        return folder
    partial = f"{folder}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    dice = random.Random(seed)
    for _ in range(shape.sessions):
        _session(partial, shape, dice)
    os.rename(partial, folder)
    return folder


def _session(store: str, shape: Shape, dice: random.Random) -> None:
    name = f"{dice.getrandbits(32):08x}"
    folder = os.path.join(store, name)
    os.makedirs(os.path.join(folder, "checkpoints"))
    start = now_ns() - dice.randrange(10**6) * _SECOND
    file = ""
    for n in range(shape.checkpoints):
        point = f"{dice.getrandbits(32):08x}"
        at = start + n * 27 * _SECOND + dice.randrange(_SECOND)
        stamp = rfc3339(at)
        day, clock = stamp[:10].replace("-", ""), stamp[11:19].replace(":", "")
        file = f"cp_{day}_{clock}_{point}.json"
        path = os.path.join(folder, "checkpoints", file)
        with open(path, "wb") as out:
            out.write(seal(_checkpoint(name, point, n, stamp, shape.bytes, dice)))
        os.utime(path, ns=(at, at))
    os.symlink(file, os.path.join(folder, "checkpoints", "latest.json"))
    active = dice.random() < 0.04
    with open(os.path.join(folder, "session_meta.json"), "wb") as out:
        out.write(new_meta(name, active, None if active else "completed", start, shape.checkpoints - 1))


def _checkpoint(session: str, point: str, n: int, created: str, size: int, dice: random.Random) -> dict[str, object]:
    messages: list[object] = []
    written = 700
    while written < size:
        length = min(dice.randint(200, 900), max(size - written, 40))
        words: list[str] = []
        while length > 0:
            words.append(dice.choice(_WORDS))
            length -= len(words[-1]) + 1
        content = " ".join(words)
        messages.append({"content": content, "role": ("user", "assistant", "tool")[len(messages) % 3]})
        written += len(content.encode()) + 80
    tokens = dice.randint(500, 90_000)
    return {
        "checkpoint_id": point,
        "cost_estimate": tokens * 3e-06 + dice.randint(10, 4_000) * 1.5e-05,
        "created_at": created,
        "iteration": n,
        "messages": messages,
        "resume_hint": None,
        "session_id": session,
        "tokens_used": tokens,
        "tool_calls_pending": [],
        "tool_results": {f"{dice.getrandbits(32):08x}": {"elapsed": round(dice.random() * 9, 3), "exit": 0}},
        "trigger": "periodic",
    }
