"""The sample store holds what it promises, and the same seed and time give the same store."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lastgood.core import checksum, demo, demo_stories, times
from lastgood.core.errors import Refused
from lastgood.core.model import Integrity

NOW = 1_795_000_000_123_456_789


def snapshot(root: Path) -> dict[str, tuple[object, ...]]:
    """Every entry below `root`: kind, modification time and content."""
    entries: dict[str, tuple[object, ...]] = {}
    for where, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(where) / name
            content = path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None
            entries[str(path.relative_to(root))] = (path.lstat().st_mtime_ns, content)
    return entries


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "store"
    demo.build(str(folder), now_ns=NOW)
    return folder


@pytest.fixture(scope="module")
def answers(store: Path) -> dict[Path, checksum.Verification]:
    files = [p for p in store.glob("*/checkpoints/*") if p.is_file() and not p.is_symlink()]
    return {path: checksum.verify(path.read_bytes()) for path in files}


def test_same_seed_and_time_give_the_same_store(store: Path, tmp_path: Path) -> None:
    demo.build(str(tmp_path / "again"), now_ns=NOW)
    assert snapshot(tmp_path / "again") == snapshot(store)


def test_another_seed_gives_other_sessions(store: Path, tmp_path: Path) -> None:
    demo.build(str(tmp_path / "other"), seed=8, now_ns=NOW)
    named = {story.name for story in demo_stories.STORIES if story.name is not None}
    assert {p.name for p in store.iterdir()} & {p.name for p in (tmp_path / "other").iterdir()} == named


def test_nothing_is_written_into_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep")
    with pytest.raises(Refused, match="not empty"):
        demo.build(str(tmp_path), now_ns=NOW)
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_every_story_has_its_folder(store: Path) -> None:
    assert len(list(store.iterdir())) == len(demo_stories.STORIES) >= 40


def test_nothing_is_from_the_future_and_names_agree_with_times(store: Path) -> None:
    for path in store.rglob("*"):
        assert path.lstat().st_mtime_ns <= NOW
    sound = next(p for p in sorted(store.glob("*/state.json")) if '"Completed"' in p.read_text()).parent
    for path in sound.glob("checkpoints/cp_*.json"):
        created = json.loads(path.read_text())["created_at"]
        assert path.name[3:18] == created[:10].replace("-", "") + "_" + created[11:19].replace(":", "")
        assert 0 <= path.stat().st_mtime_ns - times.parse_rfc3339(created) < 1_000_000_000


def test_files_fail_in_all_the_usual_ways(answers: dict[Path, checksum.Verification]) -> None:
    found = {answer.integrity for answer in answers.values()}
    assert found >= {
        Integrity.VALID, Integrity.MISMATCH, Integrity.NO_CHECKSUM, Integrity.NO_VERSION, Integrity.VERSION,
        Integrity.NOT_OBJECT, Integrity.UNPARSEABLE,
    }  # fmt: skip
    raws = [path.read_bytes() for path, answer in answers.items() if answer.integrity is Integrity.UNPARSEABLE]
    assert any(b"\0\0\0\0" in raw for raw in raws), "a run of NUL bytes"
    assert any(b"\xff\xfe" in raw for raw in raws), "bytes that are no UTF-8"
    assert any(b"\0" not in raw and not raw.endswith(b"}") for raw in raws), "a truncated file"


def test_one_session_is_refused_by_the_runtime_alone(answers: dict[Path, checksum.Verification]) -> None:
    refused = [p for p, answer in answers.items() if answer.integrity is Integrity.VALID and not answer.runtime_accepts]
    assert len(refused) == 1
    assert (refused[0].parent / "latest.json").resolve() == refused[0].resolve()


def test_orphans_cut_short_and_one_whole_that_is_newer_than_any_checkpoint(
    answers: dict[Path, checksum.Verification],
) -> None:
    orphans = {p: a for p, a in answers.items() if p.name.startswith(".tmp_checkpoint_")}
    whole = [p for p, a in orphans.items() if a.integrity is Integrity.VALID]
    assert len(whole) == 1 and len(orphans) > 1
    assert all(whole[0].stat().st_mtime_ns > p.stat().st_mtime_ns for p in whole[0].parent.glob("cp_*"))


def folders_where(store: Path, holds: Any) -> list[Path]:
    return [folder for folder in sorted(store.iterdir()) if holds(folder)]


def test_the_special_sessions_are_there(store: Path) -> None:
    def entries(folder: Path) -> list[str] | None:
        kept = folder / "checkpoints"
        return sorted(p.name for p in kept.iterdir()) if kept.exists() else None

    def text(folder: Path) -> str:
        return "".join(p.read_text(errors="replace") for p in folder.rglob("*.json") if p.is_file())

    assert folders_where(store, lambda f: entries(f) == []), "no checkpoints at all"
    assert folders_where(store, lambda f: entries(f) == ["latest.json.backup"]), "only a backup"
    assert folders_where(store, lambda f: (p := f / "checkpoints/latest.json").is_symlink() and not p.exists())
    assert len(folders_where(store, lambda f: not (f / "session_meta.json").exists())) == 3
    assert folders_where(store, lambda f: '"rm -rf build"' in text(f) and '"tool_calls_pending": [\n' in text(f))
    assert folders_where(store, lambda f: "[/b]" in text(f) and "\u202e" in text(f) and "\\u001b]52" in text(f))
    assert any(p.stat().st_size > 300_000 for p in store.rglob("cp_*")), "one long conversation"


def test_the_sdk_s_own_session_is_there_and_its_newest_file_is_torn(store: Path) -> None:
    *whole, torn = sorted((store / "edge_openssl").iterdir(), key=lambda p: p.stat().st_mtime_ns)
    assert len(whole) == 3 and not torn.read_text().endswith("}")
    assert {json.loads(p.read_bytes())["session_id"] for p in whole} == {"edge/openssl"}


def test_one_checkpoint_is_another_sessions(store: Path, answers: dict[Path, checksum.Verification]) -> None:
    foreign = [
        path
        for path, answer in answers.items()
        if answer.value and answer.integrity is Integrity.VALID
        and (meta := path.parents[1] / "session_meta.json").exists()
        and answer.value["session_id"] not in meta.read_text()
    ]  # fmt: skip
    assert len(foreign) == 1
    assert foreign[0].name == max(p.name for p in foreign[0].parent.glob("cp_*"))
