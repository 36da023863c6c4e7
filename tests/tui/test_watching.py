"""Watching a store of real files: what the kernel tells, what is found by looking, and when which of them is used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import stores
from lastgood.core.model import Verdict
from lastgood.tui import watching

WATCHED = ("session_meta.json", "checkpoints")
PATIENCE_S = 20.0
SOON_S = 4.0
"""Much more than the kernel takes, much less than the looks that follow each other where everything is watched."""


class Watched:
    """A store that is being watched, and what was told of it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.known: dict[str, Verdict] = {}
        self.told: list[str] = []
        self.said: list[str] = []
        self.ended = threading.Event()

    def run(self) -> None:
        watching.watch(self.path, WATCHED, self.known, self.told.extend, self.said.append, self.ended)

    def until(self, holds: Callable[[], bool], seconds: float = PATIENCE_S) -> float:
        """Seconds until it holds."""
        began = time.monotonic()
        while not holds():
            assert time.monotonic() < began + seconds, f"not within {seconds} s; told of {self.told}; said {self.said}"
            time.sleep(0.01)
        return time.monotonic() - began

    def tells_of(self, entry: str, seconds: float = PATIENCE_S) -> float:
        return self.until(lambda: entry in self.told, seconds)


@contextmanager
def watched(path: str, **known: Verdict) -> Iterator[Watched]:
    store = Watched(path)
    store.known.update(known)
    thread = threading.Thread(target=store.run)
    thread.start()
    try:
        yield store
    finally:
        store.ended.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def kernel_watches() -> int:
    """How many folders this process is being told of."""
    found = 0
    for name in os.listdir("/proc/self/fdinfo"):
        try:
            found += Path("/proc/self/fdinfo", name).read_text().count("inotify wd:")
        except OSError:
            continue
    return found


@pytest.fixture(autouse=True)
def sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_EVERY_S", 0.4)


@pytest.fixture
def store(tmp_path: Path) -> str:
    root = str(tmp_path / "store")
    for name in ("aaaa", "bbbb", "cccc"):
        stores.write_session(root, name)
    return root


def test_the_kernel_tells_at_once_of_what_changes_inside(store: str) -> None:
    with watched(store, aaaa=Verdict.CRASHED, bbbb=Verdict.ENDED, cccc=Verdict.CRASHED) as seen:
        seen.until(lambda: kernel_watches() == 7)
        time.sleep(watching._EVERY_S)  # the look that follows the start is over
        # In place: no folder's time changes, so no look at stamps would find it.
        with open(Path(store, "bbbb", "checkpoints", "latest.json"), "r+b") as file:
            file.write(b" ")
        seen.tells_of("bbbb", SOON_S)
        stores.put(f"{store}/aaaa/session_meta.json", stores.meta_bytes("aaaa", active=False, reason="done"))
        seen.tells_of("aaaa", SOON_S)
        assert "cccc" not in seen.told
    assert kernel_watches() == 0


def test_a_session_that_comes_is_watched_too_and_one_that_goes_is_told(store: str) -> None:
    with watched(store, aaaa=Verdict.CRASHED, bbbb=Verdict.ENDED, cccc=Verdict.CRASHED) as seen:
        seen.until(lambda: kernel_watches() == 7)
        stores.write_session(store, "dddd")
        seen.tells_of("dddd", SOON_S)
        seen.until(lambda: kernel_watches() == 9)
        seen.known["dddd"] = Verdict.CRASHED
        seen.told.clear()
        stores.put(f"{store}/dddd/checkpoints/latest.json", b"{}")
        seen.tells_of("dddd", SOON_S)
        shutil.rmtree(f"{store}/cccc")
        seen.tells_of("cccc", SOON_S)
        seen.until(lambda: kernel_watches() == 7)


def test_nothing_is_told_where_nothing_changes(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_EVERYTHING_WATCHED_S", 0.1)
    with watched(store, aaaa=Verdict.CRASHED, bbbb=Verdict.ENDED, cccc=Verdict.CRASHED) as seen:
        seen.until(lambda: kernel_watches() == 7)
        time.sleep(1.0)
        for path in Path(store).rglob("*"):
            if path.is_file():
                path.read_bytes()
        time.sleep(1.0)
        os.mkdir(f"{store}/.lastgood")
        Path(store, ".lastgood", "journal.jsonl").touch()
        time.sleep(1.0)
        assert seen.told == []


def test_it_ends_at_once(store: str) -> None:
    seen = Watched(store)
    seen.known["aaaa"] = Verdict.CRASHED
    thread = threading.Thread(target=seen.run)
    thread.start()
    seen.until(lambda: kernel_watches() > 0)
    began = time.monotonic()
    seen.ended.set()
    thread.join(PATIENCE_S)
    assert time.monotonic() - began < 0.5


def test_of_many_sessions_those_that_may_be_written_are_watched_and_the_others_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_MOST_FOLDERS", 9)
    known = {f"ended{n:02}": Verdict.ENDED for n in range(20)} | {"crashed1": Verdict.CRASHED, "live2": Verdict.LIVE}
    for name in known:
        stores.write_session(str(tmp_path), name, checkpoints=1)
    with watched(str(tmp_path), **known) as seen:
        seen.until(lambda: kernel_watches() > 0)
        assert kernel_watches() <= 9
        for name in ("crashed1", "live2"):
            with open(tmp_path / name / "checkpoints" / "latest.json", "r+b") as file:
                file.write(b" ")
            seen.tells_of(name, SOON_S)
        stores.put(str(tmp_path / "ended19" / "session_meta.json"), b"{}")
        seen.tells_of("ended19")
    assert seen.said == []


def test_a_share_of_the_network_is_looked_at(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "remote", lambda path: "nfs4")
    with watched(store, aaaa=Verdict.CRASHED) as seen:
        stores.put(f"{store}/aaaa/session_meta.json", stores.meta_bytes("aaaa"))
        seen.tells_of("aaaa")
        stores.write_session(store, "dddd")
        seen.tells_of("dddd")
        assert kernel_watches() == 0
    assert seen.said == []


def test_the_first_session_of_an_empty_store_is_told(tmp_path: Path) -> None:
    with watched(str(tmp_path)) as seen:
        seen.until(lambda: kernel_watches() == 1)
        stores.write_session(str(tmp_path), "aaaa")
        seen.tells_of("aaaa", SOON_S)


def test_a_store_that_goes_and_comes_back_is_watched_again(store: str) -> None:
    with watched(store, aaaa=Verdict.CRASHED) as seen:
        seen.until(lambda: kernel_watches() > 0)
        os.rename(store, f"{store}.away")
        seen.until(lambda: kernel_watches() == 0)
        os.rename(f"{store}.away", store)
        seen.until(lambda: kernel_watches() > 0)
        seen.told.clear()
        stores.put(f"{store}/aaaa/session_meta.json", stores.meta_bytes("aaaa"))
        seen.tells_of("aaaa", SOON_S)
    assert seen.said == []


@pytest.mark.parametrize("limit", ["max_inotify_watches", "max_inotify_instances"])
def test_where_the_system_gives_no_watches_it_is_said_once_and_the_store_is_looked_at(store: str, limit: str) -> None:
    """In a user namespace of its own: its limits are nobody else's."""
    fewer = f"echo 2 > /proc/sys/user/{limit}" if "watches" in limit else f"echo 0 > /proc/sys/user/{limit}"
    try:
        tried = subprocess.run(["unshare", "-Ur", "sh", "-c", fewer], capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no unshare here")
    if tried.returncode:
        pytest.skip(f"no user namespace of one's own here: {tried.stderr.decode(errors='replace').strip()}")
    script = f"""
import sys
sys.path.insert(0, {os.path.dirname(os.path.dirname(os.path.abspath(__file__)))!r})
import stores
from lastgood.core.model import Verdict
from lastgood.tui import watching
from tui.test_watching import watched
watching._EVERY_S = 0.6
with watched({store!r}, aaaa=Verdict.CRASHED) as seen:
    seen.until(lambda: seen.said)
    stores.put({store!r} + "/aaaa/session_meta.json", b"{{}}")
    seen.tells_of("aaaa")
    stores.write_session({store!r}, "dddd")
    seen.tells_of("dddd")
print(seen.said)
"""
    command = ["unshare", "-Ur", "sh", "-c", f'{fewer}; exec "$@"', "sh", sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.count("the system gives no watches") == 1, done.stdout + done.stderr
    assert "looking every 1 s instead" in done.stdout
