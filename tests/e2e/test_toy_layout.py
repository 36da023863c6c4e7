"""A third layout comes with another package (tests/data/toy_layout.py), and everything works with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import stores
from lastgood.core import layouts
from tui.screens import driven

TOY = Path(__file__).parents[1] / "data" / "toy_layout.py"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The toy as it is once installed: a module, and the metadata of its package."""
    folder = tmp_path / "site"
    (folder / "toy_store-0.3.dist-info").mkdir(parents=True)
    (folder / "toy_layout.py").write_bytes(TOY.read_bytes())
    (folder / "toy_store-0.3.dist-info" / "entry_points.txt").write_text(
        "[lastgood.stores]\ntoy = toy_layout:ToyStore\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    layouts.layouts.cache_clear()
    yield folder
    layouts.layouts.cache_clear()
    sys.modules.pop("toy_layout", None)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    root = tmp_path / "store"
    (root / "walk.steps").mkdir(parents=True)
    for n in (1, 2, 3):
        held = {"step": n, "messages": [{"role": "user", "content": f"went {i}"} for i in range(n)]}
        at = stores.START - (10 - n) * 86400 * stores.NS
        stores.put(str(root / "walk.steps" / f"{n}.step"), json.dumps(held).encode(), at=at)
    stores.write_session(str(root), "aaaa1111")
    return root


def newest(store: Path) -> object:
    path = max((store / "walk.steps").iterdir(), key=lambda p: p.stat().st_mtime_ns)
    return json.loads(path.read_bytes())["step"]


def test_on_the_command_line(package: Path, store: Path) -> None:
    def lastgood(*words: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(package), os.environ.get("PYTHONPATH", "")])
        command = [sys.executable, "-m", "lastgood", *words, "-s", str(store)]
        return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})

    known = {one["name"]: one for one in json.loads(lastgood("info", "--json").stdout)["layouts"]}
    assert known["toy"]["from"] == "toy_store 0.3" and known["toy"]["recognises"] is True
    assert "terminate" in known["toy"]["cannot"] and known["continuum-sdk"]["recognises"] is False
    listed = json.loads(lastgood("list", "--json").stdout)["sessions"]
    assert {(s["session_id"], s["layout"]) for s in listed} == {("walk.steps", "toy"), ("aaaa1111", "continuum")}
    assert lastgood("diff", "walk.steps", "1.step", "3.step").returncode == 1
    assert lastgood("terminate", "walk.steps", "--reason", "x", "--yes").returncode == 4
    done = lastgood("restore", "walk.steps", "1.step", "--yes")
    assert done.returncode == 0, done.stderr
    assert newest(store) == 1
    assert lastgood("undo", "--yes").returncode == 0
    assert newest(store) == 3


async def test_on_the_screen(package: Path, store: Path) -> None:
    async with driven(str(store), size=(120, 40)) as screen:
        await screen.press("slash", *"walk", "enter", "enter")
        await screen.until_shown("◂ best", "3 of 3 whole")
        await screen.press("G", "2")
        await screen.until_shown("went 0")
        await screen.press("d")
        await screen.until_shown("went 2")
        await screen.press("t")
        assert "keeps no mark" in screen.status
        await screen.press("r")
        await screen.until_shown("4.step")
        await screen.press("y")
        await screen.until(lambda: newest(store) == 1, "the restored step")
