"""A runtime as FORMAT.md describes it, reduced to its saving: run as a process of its own, to be killed.

usage: killed_writer.py SESSION_FOLDER. Each save that is finished is told as one line on standard output.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time


def timestamp(ns: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ns // 10**9)) + f".{ns % 10**9:09d}Z"


def sealed(content: dict[str, object]) -> bytes:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    full = {**content, "_checksum": hashlib.sha256(canonical).hexdigest(), "_version": "1.0"}
    return json.dumps(full, sort_keys=True, indent=2, ensure_ascii=False).encode()


def write_in_pieces(path: str, data: bytes) -> None:
    """As a buffered writer does: a kill in between leaves a part."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    for start in range(0, len(data), 1024):
        os.write(fd, data[start : start + 1024])
    os.fsync(fd)
    os.close(fd)


def run(session: str) -> None:
    folder = os.path.join(session, "checkpoints")
    os.makedirs(folder)
    latest = os.path.join(folder, "latest.json")
    name = os.path.basename(session)
    iteration = 0
    while True:
        iteration += 1
        now = time.time_ns()
        checkpoint_id = f"{iteration:08x}"
        data = sealed(
            {
                "checkpoint_id": checkpoint_id,
                "session_id": name,
                "trigger": "periodic",
                "created_at": timestamp(now),
                "iteration": iteration,
                "messages": [{"role": "user", "content": f"step {i} {'x' * 200}"} for i in range(10 + iteration)],
                "tool_calls_pending": [],
                "tool_results": {},
                "tokens_used": 100 * iteration,
                "cost_estimate": 0.25 * iteration,
                "resume_hint": None,
            }
        )
        if os.path.exists(latest):
            with open(latest, "rb") as source, open(f"{latest}.backup", "wb") as target:
                target.write(source.read())
        temp = os.path.join(folder, f".tmp_checkpoint_{checkpoint_id}")
        write_in_pieces(temp, data)
        stamp = time.strftime("%Y%m%d_%H%M%S", time.gmtime(now // 10**9))
        file_name = f"cp_{stamp}_{checkpoint_id}.json"
        os.rename(temp, os.path.join(folder, file_name))
        os.write(1, f"{iteration}\n".encode())
        link = os.path.join(folder, f".tmp_latest_{checkpoint_id}")
        os.symlink(file_name, link)
        os.rename(link, latest)
        meta = {
            "session_id": name,
            "is_active": True,
            "termination_reason": None,
            "last_updated": timestamp(now),
            "last_iteration": iteration,
        }
        temp = os.path.join(session, f".meta_{checkpoint_id}")
        write_in_pieces(temp, json.dumps(meta, indent=2).encode())
        os.rename(temp, os.path.join(session, "session_meta.json"))


if __name__ == "__main__":
    run(sys.argv[1])
