"""A sample store to try lastgood on: some forty sessions, and what can happen to sessions.

The same seed and the same time give the same names, bytes and modification times.
"""

from __future__ import annotations

import json
import os
import random
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .demo_stories import SECOND, STORIES, Save, Story, Written, link, pretty, put
from .errors import Refused
from .times import rfc3339

Turn = dict[str, Any]

_CHATS = Path(__file__).with_name("demo_chats.toml")
_DOLLARS_PER_TOKEN = 0.000025


def build(folder: str, *, seed: int = 7, now_ns: int) -> None:
    """Write the sample store into `folder`, which is made if need be.

    Args:
        seed: another number gives other ids, times and damage.
        now_ns: the time that the store's ages are counted from.

    Raises:
        Refused: there is something in the folder already.
    """
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    if any(root.iterdir()):
        raise Refused(f"{folder} is not empty: the sample store is only written into a new or empty folder")
    chats: dict[str, dict[str, Any]] = tomllib.loads(_CHATS.read_text(encoding="utf-8"))
    for number, story in enumerate(STORIES):
        _write_session(root, story, chats[story.chat], random.Random(f"{seed} {number}"), now_ns)
    _settle_folder_times(root)


def _write_session(root: Path, story: Story, chat: dict[str, Any], rng: random.Random, now_ns: int) -> None:
    session_id = f"{rng.getrandbits(32):08x}"
    folder = root / (story.name or session_id)
    checkpoints = folder / "checkpoints"
    checkpoints.mkdir(parents=True)
    *saves, upcoming = _saves(story, chat, session_id, rng, now_ns)
    for save in saves:
        put(checkpoints / save.name, save.raw, save.at)
    newest = saves[-1]
    link(checkpoints / "latest.json", newest.name, newest.at)
    if len(saves) > 1:
        put(checkpoints / "latest.json.backup", saves[-2].raw, newest.at)
    put(folder / "session_meta.json", _meta(story, session_id, newest), newest.at + SECOND // 500)
    put(folder / "state.json", _state(story, chat, session_id, newest), newest.at + SECOND // 400)
    if story.fate:
        story.fate(Written(folder, tuple(saves), upcoming, rng))


def _saves(story: Story, chat: dict[str, Any], session_id: str, rng: random.Random, now_ns: int) -> list[Save]:
    """The session's checkpoints, oldest first, and after them the one that it would have written next."""
    turns = [*chat["turns"], *_more_turns(story.chat, rng)]
    shares = [turns[len(turns) * k // story.saves : len(turns) * (k + 1) // story.saves] for k in range(story.saves)]
    shares.append([{"say": f"Next: {chat['hint']}"}])
    gaps = [story.every * rng.uniform(0.8, 1.2) for _ in shares]
    at = now_ns - int((story.ago + sum(gaps[1:-1])) * SECOND) - rng.randrange(SECOND // 1000)
    saves, said, tokens = [], _Transcript(rng), 2500 * (story.iteration - story.saves)
    for k, share in enumerate(shares):
        results = said.add(share)
        tokens += 1900 + rng.randrange(1200)
        checkpoint_id = f"{rng.getrandbits(32):08x}"
        value = {
            "checkpoint_id": checkpoint_id,
            "session_id": session_id,
            "created_at": rfc3339(at),
            "iteration": story.iteration - story.saves + 1 + k,
            "messages": list(said.messages),
            "tool_calls_pending": list(said.pending),
            "tool_results": results,
            "tokens_used": tokens,
            "cost_estimate": round(tokens * _DOLLARS_PER_TOKEN, 6),
            "resume_hint": chat["hint"] if 2 * k >= story.saves - 1 else None,
            "trigger": "manual" if k == 0 else story.trigger if k == story.saves - 1 else "periodic",
        }
        stamp = datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y%m%d_%H%M%S")
        saves.append(Save(f"cp_{stamp}_{checkpoint_id}.json", value, at + SECOND // 250))
        at += int(gaps[min(k + 1, story.saves)] * SECOND)
    return saves


class _Transcript:
    """Turns as chat messages: with separate tool messages, or with content blocks, as the host program likes it."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.blocks = rng.random() < 0.4
        self.messages: list[dict[str, Any]] = []
        self.pending: list[dict[str, Any]] = []

    def add(self, turns: list[Turn]) -> dict[str, str]:
        """Append `turns`; the results of their tool calls by call id."""
        results: dict[str, str] = {}
        for turn in turns:
            if "user" in turn:
                self.messages.append({"role": "user", "content": turn["user"]})
            elif "say" in turn:
                self.messages.append({"role": "assistant", "content": turn["say"]})
            else:
                call_id = f"call_{self.rng.getrandbits(40):010x}"
                self._call(call_id, turn)
                if "gives" in turn:
                    results[call_id] = turn["gives"]
        return results

    def _call(self, call_id: str, turn: Turn) -> None:
        tool, arguments = turn["call"], turn["with"]
        if self.blocks:
            use = {"type": "tool_use", "id": call_id, "name": tool, "input": arguments}
            answer = {"type": "tool_result", "tool_use_id": call_id, "content": turn.get("gives")}
            asked: dict[str, Any] = {"role": "assistant", "content": [use]}
            answered: dict[str, Any] = {"role": "user", "content": [answer]}
        else:
            function = {"name": tool, "arguments": json.dumps(arguments, ensure_ascii=False)}
            call = {"id": call_id, "type": "function", "function": function}
            asked = {"role": "assistant", "content": None, "tool_calls": [call]}
            answered = {"role": "tool", "tool_call_id": call_id, "name": tool, "content": turn.get("gives")}
        self.messages.append(asked)
        if "gives" in turn:
            self.messages.append(answered)
        else:
            self.pending.append({"id": call_id, "name": tool, "arguments": arguments})


def _more_turns(chat: str, rng: random.Random) -> list[Turn]:
    """What is too long, or too much alike, to be written out in the data file."""
    if chat == "crawl":
        hosts = ("docs", "api", "blog", "help", "status")
        answers = ("304 not modified", "200, 18 211 bytes, changed", "200, 9 120 bytes", "404", "301 moved")
        urls = [f"https://{rng.choice(hosts)}.example.org/p/{rng.randrange(900)}" for _ in range(24)]
        return [{"call": "fetch", "with": {"url": url}, "gives": rng.choice(answers)} for url in urls]
    if chat == "logs":
        turns: list[Turn] = []
        for part in range(1, 33):
            path = f"logs/ingest.{part:02d}.log"
            turns.append({"call": "read_file", "with": {"path": path}, "gives": _log(part, rng)})
            turns.append({"say": f"`{path}`: {300 + 12 * part} MB at the end, {rng.randrange(2, 9)} batches rejected."})
        return turns
    return []


def _log(hour: int, rng: random.Random) -> str:
    line = "{:02d}:{:02d}:{:02d} ingest[{}] decode_batch n={} rss={}M took={:.1f}ms {}"
    words = ("ok", "ok", "ok", "ok", "retry", "rejected: schema v7")
    return "\n".join(
        line.format(hour % 24, m, rng.randrange(60), 4100 + m % 4, rng.randrange(500), 300 + 12 * hour + m // 5,
                    rng.uniform(3, 90), rng.choice(words))
        for m in range(60)
        for _ in range(2)
    )  # fmt: skip


def _meta(story: Story, session_id: str, newest: Save) -> bytes:
    return pretty(
        {
            "session_id": session_id,
            "is_active": story.ended is None,
            "termination_reason": story.ended,
            "last_updated": rfc3339(newest.at + 1_234_567),
            "last_iteration": newest.value["iteration"],
        }
    )


def _state(story: Story, chat: dict[str, Any], session_id: str, newest: Save) -> bytes:
    failed = story.ended is not None and story.ended.startswith("error")
    return pretty(
        {
            "session_id": session_id,
            "status": "Running" if story.ended is None else "Error" if failed else "Completed",
            "completed": story.ended == "completed",
            "iteration": newest.value["iteration"],
            "last_updated": rfc3339(newest.at + 2_345_678),
            "task_description": chat["task"],
        }
    )


def _settle_folder_times(root: Path) -> None:
    """Folders change when an entry comes or goes: give each the time of its newest entry, innermost first."""
    for where, folders, files in os.walk(root, topdown=False):
        times = [os.lstat(os.path.join(where, name)).st_mtime_ns for name in (*folders, *files)]
        if times:
            os.utime(where, ns=(max(times), max(times)))
        else:
            os.utime(where, ns=(os.lstat(os.path.dirname(where) + "/session_meta.json").st_mtime_ns,) * 2)
