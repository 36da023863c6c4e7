"""The SDK's session logs beside the sessions that they are of, written by the SDK itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import stores
from lastgood.core.assess import assess_one
from lastgood.core.sdk_logs import MAX_BYTES
from lastgood.core.store import Store, open_store
from lastgood.core.verdict import Thresholds
from tui.screens import driven

checkpoint = pytest.importorskip("continuum_sdk.agent.checkpoint")
session = pytest.importorskip("continuum_sdk.agent.session")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the SDK keeps both, as it does by itself."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / ".continuum"


def logged(session_id: str, *said: str) -> Path:
    """A log that the SDK itself writes to its own place."""
    log = session.Session(id=session_id)
    for number, text in enumerate(said):
        (log.add_assistant_message if number % 2 else log.add_user_message)(text)
    log.record_tool_use("shell")
    log.update_cost(0.25, 1204)
    return Path(log.save_to_default())


def logs_of(store: Store, name: str) -> list[Any]:
    return list(assess_one(store, store.session(name), Thresholds()).logs)


def show(store: Path, name: str, *words: str) -> str:
    command = [sys.executable, "-m", "lastgood", "show", name, "-s", str(store), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_log_of_an_id_that_the_sdk_writes_otherwise_as_a_folder(home: Path) -> None:
    checkpoint.CheckpointClient().save("nightly crawl", {"messages": []})
    path = logged("nightly crawl", "go", "gone")
    (log,) = logs_of(open_store(str(home / "checkpoints")), "nightly_crawl")
    assert (log.path, log.problem) == (str(path), None)
    assert (log.messages, log.tools_used, log.tokens_used, log.cost_estimate) == (2, 1, 1204, 0.25)
    assert (log.last_role, log.last_content) == ("assistant", "gone")
    assert abs(log.last_at - log.mtime_ns) < 3600 * stores.NS


def test_both_layouts_have_the_log_of_the_id_that_they_share(home: Path) -> None:
    checkpoint.CheckpointClient().save("aaaa1111", {"messages": []})
    store = home / "checkpoints"
    stores.write_session(str(store), "aaaa1111")
    logged("aaaa1111", "hello")
    logged("another", "not me")
    opened = open_store(str(store))
    for name in ("aaaa1111", "aaaa1111/continuum-sdk"):
        assert [log.messages for log in logs_of(opened, name)] == [1]


def test_in_words_in_json_and_on_the_screen_it_cannot_harm_the_terminal(home: Path) -> None:
    checkpoint.CheckpointClient().save("crawl", {"messages": []})
    path = logged("crawl", "\x1b]52;c;ZXZpbA==\x07 [bold]done[/]")
    (log,) = json.loads(show(home / "checkpoints", "crawl", "--json"))["session"]["session_logs"]
    assert (log["path"], log["messages"], log["last_message"]["role"]) == (str(path), 1, "user")
    words = show(home / "checkpoints", "crawl")
    assert "1 message" in words and "[bold]done[/]" in words and "\x1b" not in words


def test_what_is_masked_in_a_checkpoint_is_masked_in_its_log(home: Path) -> None:
    checkpoint.CheckpointClient().save("crawl", {"messages": []})
    logged("crawl", "use ghp_" + "a1B2" * 10)
    for words in ((), ("--json",)):
        assert "ghp_" not in show(home / "checkpoints", "crawl", "--redact", *words)


async def test_in_the_overview_of_its_session(home: Path) -> None:
    checkpoint.CheckpointClient().save("crawl", {"messages": []})
    logged("crawl", "\x1b]52;c;ZXZpbA==\x07 [bold]done[/]")
    async with driven(str(home / "checkpoints"), size=(120, 40)) as screen:
        await screen.until_shown("session log", "1 message", "[bold]done[/]")


def test_no_id_becomes_a_path_and_no_file_harms(home: Path, tmp_path: Path) -> None:
    outside = logged("../outside", "x")
    assert outside.exists()
    logs = home / "sessions"
    for name, said in (("slash", "../outside"), ("nul", "a\0b"), ("half", "\ud800"), ("long", "x" * 300)):
        checkpoint.CheckpointClient().save(name, {})
        (path,) = (home / "checkpoints" / name).iterdir()
        path.write_text(json.dumps({**json.loads(path.read_text()), "session_id": said}))
    for name in ("link", "fifo", "huge", "torn", "array", "other", "deep", "odd"):
        checkpoint.CheckpointClient().save(name, {})
    os.symlink(outside, logs / "link.json")
    os.mkfifo(logs / "fifo.json")
    (logs / "huge.json").touch()
    os.truncate(logs / "huge.json", MAX_BYTES + 1)
    os.truncate(logged("torn", "words " * 99), 120)
    (logs / "array.json").write_text("[1]")
    (logs / "other.json").write_text('{"id": "torn"}')
    (logs / "deep.json").write_text("[" * 100_000)
    odd = {"id": "odd", "messages": [7], "cost": 10**400, "tokens": True, "created_at": "now", "tools_used": {}}
    (logs / "odd.json").write_text(json.dumps(odd))
    opened = open_store(str(home / "checkpoints"))
    problems = {s.name: [log.problem for log in logs_of(opened, s.name)] for s in opened.sessions()}
    assert problems == {
        "slash": [], "nul": [], "half": [], "long": [],
        "link": ["a symlink, not a regular file"],
        "fifo": ["a FIFO, not a regular file"],
        "huge": [f"{MAX_BYTES + 1} bytes: too large to be read here"],
        "torn": ["cut off or damaged: it does not parse"],
        "deep": ["cut off or damaged: it does not parse"],
        "array": ["it holds no object"],
        "other": ["it names another session"],
        "odd": [None],
    }  # fmt: skip


def test_only_beside_a_store_called_checkpoints_or_where_the_configuration_says(home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    checkpoint.CheckpointClient(elsewhere).save("crawl", {})
    logged("crawl", "hello")
    assert logs_of(open_store(str(elsewhere)), "crawl") == []
    configured = tmp_path / "config.toml"
    configured.write_text('session_logs = "~/.continuum/sessions"\n')
    found = json.loads(show(elsewhere, "crawl", "--json", "--config", str(configured)))
    assert [log["messages"] for log in found["session"]["session_logs"]] == [1]
