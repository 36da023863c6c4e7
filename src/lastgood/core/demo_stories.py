"""What the sample store tells: its sessions, and what befell each of them."""

from __future__ import annotations

import json
import os
import random
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import demo_damage as damage
from .checksum import seal
from .serde import runtime_float
from .times import rfc3339

SECOND = 1_000_000_000
_MINUTE = 60.0
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


@dataclass(frozen=True, slots=True)
class Save:
    """One checkpoint as the runtime meant to write it."""

    name: str
    value: dict[str, Any]
    at: int
    """When, in nanoseconds since 1970."""

    @property
    def raw(self) -> bytes:
        return seal(self.value)


@dataclass(frozen=True, slots=True)
class Written:
    """A session that is on disk and sound, for a fate to befall."""

    folder: Path
    saves: tuple[Save, ...]
    upcoming: Save
    """The checkpoint that the runtime would have written next."""
    rng: random.Random

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def newest(self) -> Save:
        return self.saves[-1]

    def rewrite(self, save: Save, data: bytes) -> None:
        """Other bytes in the file of `save`, as if they had always been there."""
        put(self.checkpoints / save.name, data, save.at)


Fate = Callable[[Written], None]


@dataclass(frozen=True, slots=True)
class Story:
    """One session: what it does, when it was last heard of, and what befell it."""

    chat: str
    """A table of demo_chats.toml."""
    ago: float
    """Seconds since its last checkpoint."""
    every: float
    """Seconds between its checkpoints, roughly."""
    iteration: int
    """Of its last checkpoint."""
    saves: int
    """How many checkpoints are kept."""
    ended: str | None = None
    """The reason of its end; None: it calls itself active."""
    fate: Fate | None = None
    trigger: str = "periodic"
    """Of its last checkpoint."""
    name: str | None = None
    """The folder's name where it is not the session's id."""


def put(path: Path, data: bytes, mtime_ns: int) -> None:
    """Write a file with this modification time."""
    path.write_bytes(data)
    os.utime(path, ns=(mtime_ns, mtime_ns))


def link(path: Path, target: str, mtime_ns: int) -> None:
    """Make `path` a symlink to `target`, whatever it was before."""
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    os.utime(path, ns=(mtime_ns, mtime_ns), follow_symlinks=False)


def pretty(value: dict[str, Any]) -> bytes:
    """JSON as the runtime writes session_meta.json and state.json."""
    return json.dumps(value, ensure_ascii=False, indent=2).encode()


def _all(*fates: Fate) -> Fate:
    def befall(it: Written) -> None:
        for fate in fates:
            fate(it)

    return befall


def _newest(change: Callable[[bytes], bytes]) -> Fate:
    return lambda it: it.rewrite(it.newest, change(it.newest.raw))


def _newest_spliced(it: Written) -> None:
    it.rewrite(it.newest, damage.splice(it.newest.raw, it.saves[-2].raw))


def _every_file_damaged(it: Written) -> None:
    changes = (damage.drop_version, damage.into_array, damage.truncate, damage.flip_tokens)
    for number, save in enumerate(it.saves):
        it.rewrite(save, changes[number % len(changes)](save.raw))
    put(it.checkpoints / "latest.json.backup", damage.zero_tail(it.saves[-2].raw), it.newest.at)


def _orphan(data: Callable[[bytes], bytes]) -> Fate:
    def befall(it: Written) -> None:
        name = f".tmp_checkpoint_{uuid.UUID(int=it.rng.getrandbits(128), version=4)}"
        put(it.checkpoints / name, data(it.upcoming.raw), it.upcoming.at)

    return befall


def _latest_dangles(it: Written) -> None:
    link(it.checkpoints / "latest.json", it.upcoming.name, it.upcoming.at)


def _latest_is_a_copy(it: Written) -> None:
    (it.checkpoints / "latest.json").unlink()
    put(it.checkpoints / "latest.json", it.newest.raw, it.newest.at)


def _runtime_refuses_newest(it: Written) -> None:
    # A product of doubles, printed in full: the runtime reads some of these one unit off (FORMAT, "Two truths").
    costs = (it.newest.value["tokens_used"] * (price * 1e-9) for price in range(25_000, 99_000, 7))
    cost = next(c for c in costs if runtime_float(repr(c)) != c)
    it.rewrite(it.newest, seal({**it.newest.value, "cost_estimate": cost}))


def _foreign_checkpoint(it: Written) -> None:
    other = f"{it.rng.getrandbits(32):08x}"
    put(it.checkpoints / it.upcoming.name, seal({**it.upcoming.value, "session_id": other}), it.upcoming.at)


def _copied_without_times(it: Written) -> None:
    """`cp -rL`: every file gets the time of the copy, in the order of the folder, and links become files."""
    _latest_is_a_copy(it)
    at = it.newest.at + 3600 * SECOND
    files = sorted(it.checkpoints.iterdir(), key=lambda path: it.rng.random())
    for number, path in enumerate((*files, it.folder / "session_meta.json", it.folder / "state.json")):
        os.utime(path, ns=(at + number * 100_000,) * 2)


def _only_backup_left(it: Written) -> None:
    for save in it.saves:
        (it.checkpoints / save.name).unlink()
    (it.checkpoints / "latest.json").unlink()


def _no_checkpoints(it: Written) -> None:
    for path in list(it.checkpoints.iterdir()):
        path.unlink()


def _kept_by_the_sdk(it: Written) -> None:
    """The session as the runtime's Python SDK keeps it; the power failed before its newest file was on the disk."""
    shutil.rmtree(it.checkpoints)
    _untracked(it)
    for save in it.saves:
        checkpoint_id = f"cp_{it.rng.getrandbits(48):012x}_{save.at // SECOND}"
        envelope = {
            "checkpoint_id": checkpoint_id,
            "session_id": it.folder.name.replace("_", "/"),
            "created_at": rfc3339(save.at // 1000 * 1000).rstrip("Z"),
            "state": {k: v for k, v in save.value.items() if k not in ("checkpoint_id", "session_id", "created_at")},
            "_version": 1,
        }
        raw = pretty(envelope)
        put(it.folder / f"{checkpoint_id}.json", damage.truncate(raw) if save is it.newest else raw, save.at)


def _untracked(it: Written) -> None:
    (it.folder / "session_meta.json").unlink()
    (it.folder / "state.json").unlink()


def _without_state(it: Written) -> None:
    (it.folder / "state.json").unlink()


def _meta(change: Callable[[bytes], bytes]) -> Fate:
    def befall(it: Written) -> None:
        path = it.folder / "session_meta.json"
        put(path, change(path.read_bytes()), it.newest.at + SECOND // 500)

    return befall


STORIES: tuple[Story, ...] = (
    # Died: active, silent, nobody at work on them.
    Story("billing", 3 * _MINUTE, 20, 41, 5, trigger="error",
          fate=_all(_newest(damage.flip_tokens), _orphan(damage.truncate))),
    Story("migrate", 4 * _MINUTE, 25, 12, 2),
    Story("clean", 18 * _MINUTE, 40, 5, 3),
    Story("spanish", 31 * _MINUTE, 30, 9, 3, fate=_orphan(bytes)),
    Story("flaky", 50 * _MINUTE, 60, 17, 4, fate=_newest(damage.truncate), trigger="error"),
    Story("logs", 1.4 * _HOUR, 90, 64, 4),
    Story("cve", 2 * _HOUR, 180, 22, 5, fate=_newest(damage.zero_tail)),
    Story("emoji", 3 * _HOUR, 35, 6, 3, fate=_orphan(damage.truncate)),
    Story("chinese", 4.5 * _HOUR, 50, 14, 3, fate=_runtime_refuses_newest),
    Story("schema", 6 * _HOUR, 120, 31, 4, fate=_newest(damage.break_utf8)),
    Story("german", 9 * _HOUR, 75, 8, 3, fate=_newest_spliced),
    Story("hindi", 11 * _HOUR, 45, 5, 3, fate=_latest_dangles),
    Story("terse", 14 * _HOUR, 30, 4, 3, fate=_only_backup_left),
    Story("weekly", 20 * _HOUR, 60, 7, 3, fate=_foreign_checkpoint),
    Story("japanese", 1.1 * _DAY, 40, 11, 3, fate=_newest(damage.edit_version)),
    Story("arabic", 1.6 * _DAY, 55, 6, 2, fate=_newest(damage.drop_checksum)),
    Story("hostile", 2 * _DAY, 30, 3, 2),
    Story("inbox", 2.5 * _DAY, 45, 10, 4, fate=_every_file_damaged),
    Story("crawl", 3 * _DAY, 300, 52, 6, fate=_copied_without_times),
    Story("weekly", 5 * _DAY, 60, 1, 1, fate=_no_checkpoints),
    # Silent for somewhat longer than usual.
    Story("inbox", 40, 18, 7, 3),
    Story("crawl", 11 * _MINUTE, 300, 23, 5, fate=_without_state),
    # At work, by their rhythm: no process of theirs runs here, so only that speaks for them.
    Story("crawl", 2, 300, 88, 9),
    Story("schema", 12, 240, 19, 4),
    # Nobody can tell: the metadata is damaged, or there is none.
    Story("inbox", 1 * _HOUR, 30, 15, 3, fate=_all(_meta(lambda raw: raw[:46]), _without_state)),
    Story("german", 7 * _HOUR, 60, 12, 2, fate=_meta(lambda raw: b"<<<<<<< ours\n" + raw)),
    Story("emoji", 8 * _HOUR, 60, 3, 2, fate=_untracked),
    Story("terse", 4 * _DAY, 60, 2, 2, fate=_untracked),
    # Ended as they should, or at least in words.
    Story("billing", 1.2 * _DAY, 25, 58, 4, ended="completed"),
    Story("crawl", 1.1 * _DAY, 300, 96, 5, ended="completed"),
    Story("crawl", 2.1 * _DAY, 300, 91, 5, ended="completed"),
    Story("crawl", 4.1 * _DAY, 300, 40, 3, ended="error: 429 from docs.example.org"),
    Story("inbox", 1.3 * _DAY, 20, 18, 3, ended="completed"),
    Story("inbox", 3.3 * _DAY, 20, 21, 3, ended="user exit", fate=_latest_is_a_copy),
    Story("weekly", 6 * _DAY, 90, 9, 3, ended="completed"),
    Story("chinese", 2.2 * _DAY, 50, 20, 3, ended="superseded"),
    Story("japanese", 3.7 * _DAY, 40, 16, 2, ended="completed"),
    Story("spanish", 7 * _DAY, 30, 13, 3, ended="completed"),
    Story("terse", 8 * _DAY, 30, 3, 1, ended="user exit"),
    Story("schema", 9 * _DAY, 120, 44, 4, ended="completed", name="orders-v1"),
    # Kept by the runtime's Python SDK, which says nothing of an end.
    Story("cve", 35 * _MINUTE, 40, 8, 4, fate=_kept_by_the_sdk, name="edge_openssl"),
)  # fmt: skip
