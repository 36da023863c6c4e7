"""Two more layouts come with another package (tests/data/toy), and everything works with them."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import lastgood
import stores
from lastgood.core import layouts
from tui.screens import driven

TOY = Path(__file__).parents[1] / "data" / "toy"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as pip installs it, into a folder of its own."""
    target = tmp_path_factory.mktemp("site")
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, "--target", target, TOY], check=True)
    return target


@pytest.fixture
def package(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(installed))
    layouts.layouts.cache_clear()
    yield installed
    layouts.layouts.cache_clear()
    for module in ("toy_layout", "toy_rows"):
        sys.modules.pop(module, None)


def step(n: int) -> bytes:
    return json.dumps({"step": n, "messages": [{"role": "user", "content": f"went {i}"} for i in range(n)]}).encode()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two sessions of the toys, one of them a thread of a database with another, and one of the runtime's."""
    root = tmp_path / "store"
    (root / "walk.steps").mkdir(parents=True)
    times = [stores.START - (10 - n) * 86400 * stores.NS for n in (1, 2, 3)]
    for n, at in enumerate(times, 1):
        stores.put(str(root / "walk.steps" / f"{n}.step"), step(n), at=at)
    with closing(sqlite3.connect(root / "app.sqlite")) as database:
        database.execute("CREATE TABLE saves (thread TEXT, id INTEGER PRIMARY KEY, at INTEGER, value BLOB)")
        saves = [(n, at, step(n)) for n, at in enumerate(times, 1)]
        rows = [(thread, base + n, at, value) for thread, base in (("run", 0), ("b", 10)) for n, at, value in saves]
        database.executemany("INSERT INTO saves VALUES (?, ?, ?, ?)", rows)
        database.commit()
    stores.write_session(str(root), "aaaa1111")
    return root


def newest_file(store: Path) -> object:
    path = max((store / "walk.steps").iterdir(), key=lambda p: p.stat().st_mtime_ns)
    return json.loads(path.read_bytes())["step"]


def last_row(store: Path, thread: str = "run") -> object:
    with closing(sqlite3.connect(store / "app.sqlite")) as database:
        found = database.execute("SELECT value FROM saves WHERE thread = ? ORDER BY id DESC", (thread,)).fetchone()
    return json.loads(found[0])["step"]


SESSIONS = [("walk.steps", "1.step", newest_file), ("app.sqlite/run", "1", last_row)]


def test_the_rest_of_the_program_names_no_layout() -> None:
    source = Path(lastgood.__file__).parent
    named = {p.name for p in source.rglob("*.py") if "continuum" in p.read_text().casefold()}
    assert named == {"continuum.py", "continuum_sdk.py", "sdk_logs.py", "layouts.py"}


def test_a_layout_takes_few_lines() -> None:
    assert len((TOY / "toy_layout.py").read_text().splitlines()) <= 60


def test_on_the_command_line(package: Path, store: Path) -> None:
    def lastgood(*words: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(package), os.environ.get("PYTHONPATH", "")])
        command = [sys.executable, "-m", "lastgood", *words, "-s", str(store)]
        return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})

    known = {one["name"]: one for one in json.loads(lastgood("info", "--json").stdout)["layouts"]}
    assert known["toy"]["from"] == "toy_store 0.3" and known["toy"]["recognises"] is True
    assert "terminate" in known["toy"]["cannot"] and known["continuum-sdk"]["recognises"] is False
    listed = json.loads(lastgood("list", "--json").stdout)["sessions"]
    assert {(s["session_id"], s["layout"]) for s in listed} == {
        ("walk.steps", "toy"), ("app.sqlite/run", "toy-rows"), ("app.sqlite/b", "toy-rows"), ("aaaa1111", "continuum"),
    }  # fmt: skip
    verified = json.loads(lastgood("verify", "--json").stdout)["files"]
    assert [f["iteration"] for f in verified if f["session_id"] == "app.sqlite/run"] == [1, 2, 3]
    (store / "torn.sqlite").write_bytes(b"SQLite format 3\0" + bytes(100))
    (torn,) = (s for s in json.loads(lastgood("list", "--json").stdout)["sessions"] if s["state"] == "damaged")
    assert torn["session_id"] == "torn.sqlite" and torn["problems"]
    (store / "torn.sqlite").unlink()
    for session, first, newest in SESSIONS:
        third = first.replace("1", "3")
        assert "2 messages added" in lastgood("diff", session, first, third).stdout
        assert lastgood("terminate", session, "--reason", "x", "--yes").returncode == 4
        before = stores.snapshot(str(store))
        done = lastgood("restore", session, first, "--yes")
        assert done.returncode == 0, done.stderr
        assert newest(store) == 1 and last_row(store, "b") == 3
        assert "restored" in lastgood("show", session).stdout
        undone = lastgood("undo", "--yes")
        assert undone.returncode == 0, undone.stderr
        assert newest(store) == 3
        assert {p: e for p, e in stores.snapshot(str(store)).items() if p != "."} == {
            p: e for p, e in before.items() if p != "."
        }


@pytest.mark.parametrize(("session", "first", "newest"), SESSIONS, ids=["files", "rows"])
async def test_on_the_screen(package: Path, store: Path, session: str, first: str, newest: Any) -> None:
    async with driven(str(store), size=(120, 40)) as screen:
        await screen.press("slash", *session.partition("/")[2] or session[:4], "enter", "enter")
        await screen.until_shown("◂ best", "3 of 3 whole")
        await screen.press("G", "2")
        await screen.until_shown("went 0")
        await screen.press("3")
        await screen.until_shown("user", "went 0")
        await screen.press("d")
        await screen.until_shown("2 messages lost", "went 2")
        await screen.press("t")
        assert "keeps no mark" in screen.status
        await screen.press("r")
        await screen.until_shown("Restore", "once more" if newest is last_row else "4.step")
        await screen.press("y")
        await screen.until(lambda: newest(store) == 1, "the restored step")
        await screen.until_shown("restored")
        await screen.press("u")
        await screen.until_shown("Undo restore")
        await screen.press("y")
        await screen.until(lambda: newest(store) == 3, "the step that was there before")
