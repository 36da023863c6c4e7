"""Files of every impossible size and shape, looked at by a process that may not have more than 1.5 GB."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import stores
from lastgood.core.continuum import ContinuumStore
from lastgood.core.model import Integrity
from stores import NS, START
from terminal import Terminal

MEMORY = 1536 << 20
LIMITED = [
    sys.executable,
    "-c",
    "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2); "
    "sys.argv[:] = ['lastgood', *sys.argv[2:]]; from lastgood.cli.main import main; main()",
    str(MEMORY),
]


def sealed(**more: object) -> bytes:
    return stores.seal({**stores.checkpoint("s", 1, at=START - 9000 * NS), **more})


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 2 << 30)


CASES: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "deep": (lambda p: p.write_bytes(b'{"a":' * 10_000 + b"1" + b"}" * 10_000), {"unparseable"}),
    "brackets": (lambda p: p.write_bytes(b"[" * 10_000_000), {"unparseable"}),
    "keys": (lambda p: p.write_bytes(sealed(tool_results={f"k{n}": n for n in range(200_000)})), {"valid"}),
    "string": (lambda p: p.write_bytes(sealed(resume_hint="x" * 100_000_000)), {"valid"}),
    "digits": (lambda p: p.write_bytes(b'{"_checksum":"","_version":"1.0","n":' + b"9" * 1_000_000 + b"}"),
               {"unparseable"}),
    "sparse": (sparse, {"too-large"}),
}  # fmt: skip


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One session for each case, each with two checkpoints that are whole."""
    root = tmp_path_factory.mktemp("sizes") / "store"
    for name, (make, _) in CASES.items():
        stores.write_session(str(root), name, start=START - 9000 * NS)
        path = root / name / "checkpoints" / "cp_20261120_000000_case.json"
        make(path)
        os.utime(path, ns=(START - 10_000 * NS,) * 2)
    return root


def limited(store: Path, *words: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*LIMITED, words[0], "-s", str(store), *words[1:]],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert "failed inside" not in done.stderr and "Traceback" not in done.stderr, done.stderr
    return done


def test_each_gets_a_verdict(store: Path) -> None:
    done = limited(store, "verify", "--json")
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)["files"]
    of_case = {f["session_id"]: f["verdict"] for f in found if f["path"].endswith("_case.json")}
    assert {name: {of_case[name]} for name in CASES} == {name: verdicts for name, (_, verdicts) in CASES.items()}
    assert limited(store, "list", "--verify").returncode == 0


@pytest.mark.parametrize("case", CASES)
def test_each_is_shown_and_compared(store: Path, case: str) -> None:
    for words in (["show", case], ["show", case, "cp_20261120_000000_case"], ["diff", case, "cp_20261120_000000_case"]):
        done = limited(store, *words)
        assert done.returncode in (0, 1, 3, 4), (words, done.stderr)
        assert done.stdout or done.stderr


def test_the_screen_lives_with_each(store: Path) -> None:
    with Terminal([*LIMITED, str(store)], size=(120, 40)) as t:
        t.wait_for(f"{len(CASES)} sessions", "4/5", gone="verifying")
        for case in CASES:
            t.press("/", *case, "enter")
            t.wait_for(f" 1/{len(CASES)}")
            t.press("\x1b[C")
            t.wait_for("▾ ")
            while "_case.json" not in t.screen.display[-2]:
                t.press("down")
                t.read(0.2)
            for key, tab in (("2", "[JSON]"), ("3", "[Messages]"), ("d", "[Diff]"), ("1", "[Overview]")):
                t.press(key)
                t.wait_for(tab, gone="reading…")
            t.press("h", "h", "/", "esc")
            t.wait_for(f" {len(CASES)}/{len(CASES)}")
        t.press("q")
        assert t.exit_code() == 0


def test_a_hundred_thousand_files_in_one_folder(tmp_path: Path) -> None:
    root = tmp_path / "store"
    stores.write_session(str(root), "s", start=START - 9000 * NS)
    whole = sealed()
    points = root / "s" / "checkpoints"
    source = points / "cp_20261120_000000_000000.json"
    source.write_bytes(whole)
    for n in range(1, 100_000):
        if n % 50_000 == 0:  # a file has no more names than a file system allows
            source = points / f"cp_20261120_000000_{n:06}.json"
            source.write_bytes(whole)
        else:
            os.link(source, points / f"cp_20261120_000000_{n:06}.json")
    done = limited(root, "list", "--json")
    assert json.loads(done.stdout)["sessions"][0]["checkpoints"] >= 100_000
    with Terminal([*LIMITED, str(root)], size=(120, 40)) as t:
        t.wait_for("1 session")
        t.press("\x1b[C", "G")
        t.wait_for("_0")
        t.press("q")
        assert t.exit_code() == 0


def test_a_file_that_grows_and_shrinks_while_it_is_read_gets_a_verdict(tmp_path: Path) -> None:
    stores.write_session(str(tmp_path), "s", start=START - 9000 * NS)
    store = ContinuumStore(str(tmp_path))
    whole = sealed(resume_hint="x" * 3_000_000)
    path = tmp_path / "s" / "checkpoints" / "cp_20261120_000000_case.json"
    path.write_bytes(whole)
    file = next(f for f in store.survey(store.session("s")).files if f.path == str(path))
    ended = threading.Event()

    def write() -> None:
        with open(path, "r+b", buffering=0) as writing:
            while not ended.is_set():
                writing.truncate(1000)
                writing.seek(0)
                for at in range(0, len(whole), 65536):
                    writing.write(whole[at : at + 65536])
                writing.write(b" " * 100_000)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = {store.verify(file).integrity for _ in range(100)}
    finally:
        ended.set()
        writer.join()
    assert found <= {Integrity.VALID, Integrity.UNPARSEABLE, Integrity.UNREADABLE, Integrity.MISMATCH}
    assert found - {Integrity.VALID}
