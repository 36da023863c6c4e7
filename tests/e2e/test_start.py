"""What a command imports, and how `list` divides its work: real processes, whose modules and words are looked at."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import stores
from lastgood.core import demo
from lastgood.core.times import now_ns

TOLD = """
import json, sys
from lastgood.cli.main import run
run(sys.argv[1:])
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""

# fmt: off
LIST = [
    "cli", "cli.listing", "cli.main", "cli.opening", "cli.out", "cli.parser", "cli.words", "config", "core",
    "core.assess", "core.cache", "core.composed", "core.continuum", "core.continuum_sdk", "core.ended", "core.errors",
    "core.evidence", "core.files", "core.floats", "core.kept", "core.layouts", "core.meta", "core.meta_structs",
    "core.model", "core.names", "core.processes", "core.report", "core.sanitise", "core.serde", "core.shares",
    "core.store", "core.stored", "core.structs", "core.times", "core.verdict", "core.words", "crashlog", "paths",
    "wording",
]
# fmt: on
"""All of lastgood that `list` imports; what is added here is paid for at each start."""

SLOW = {"asyncio", "dataclasses", "humanize", "inspect", "multiprocessing", "rich", "textual"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = str(tmp_path_factory.mktemp("start") / "store")
    demo.build(root, now_ns=now_ns())
    return root


def imported(*words: str) -> set[str]:
    """The modules in memory once the command is done."""
    done = subprocess.run(
        [sys.executable, "-c", TOLD, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert "Traceback" not in done.stderr, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def foreign(modules: set[str]) -> set[str]:
    """The packages that are neither Python's nor ours; names with an underscore are an installer's."""
    found = {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names)
    return {name for name in found if not name.startswith("_") and name != "lastgood"}


def test_list_imports_nothing_but_this(store: str) -> None:
    modules = imported("list", "--store", store)
    ours = {name.removeprefix("lastgood.") for name in modules if name.startswith("lastgood.")}
    assert {"more": sorted(ours - set(LIST)), "fewer": sorted(set(LIST) - ours)} == {"more": [], "fewer": []}
    assert foreign(modules) == set()
    assert modules & SLOW == set()


@pytest.mark.parametrize(
    ("words", "packages"),
    [
        ("list --json", {"orjson"}),
        ("log", {"orjson"}),
        ("show SESSION", {"orjson", "humanize"}),
        ("recover SESSION", {"orjson"}),
        ("diff SESSION best latest", {"orjson"}),
        ("verify SESSION", {"orjson"}),
        ("restore SESSION --dry-run", {"orjson"}),
        ("terminate SESSION --reason x --dry-run", {"orjson"}),
    ],
)
def test_a_command_imports_no_package_that_it_does_not_use(words: str, packages: set[str], store: str) -> None:
    session = next(name for name in sorted(os.listdir(store)) if re.fullmatch("[0-9a-f]{8}", name))
    modules = imported(*words.replace("SESSION", session).split(), "--store", store)
    assert foreign(modules) <= packages
    assert modules & {"asyncio", "lastgood.tui", "rich", "textual"} == set()


@pytest.fixture
def many(tmp_path: Path) -> str:
    """More sessions than one process takes alone."""
    root = tmp_path / "many"
    for number in range(600):
        folder = root / f"{number:08x}"
        folder.mkdir(parents=True)
        active = number % 7 == 0
        meta = stores.meta_bytes(folder.name, active=active, reason=None if active else "done")
        stores.put(str(folder / "session_meta.json"), meta, at=stores.START)
    return str(root)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not let a process be bound")
def test_one_core_and_all_of_them_list_the_same(many: str) -> None:
    def listing(cores: set[int]) -> dict[str, object]:
        done = subprocess.run(
            [sys.executable, "-m", "lastgood", "list", "--json", "--store", many],
            capture_output=True,
            check=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        # Two looks are two moments: how long a session has been idle may differ.
        document: dict[str, object] = json.loads(re.sub(rb"idle \d+ \w+( \d+ \w+)?", b"idle", done.stdout))
        return document

    available = os.sched_getaffinity(0)
    together = listing(available)
    assert together == listing({min(available)})
    assert len(together["sessions"]) == 600  # type: ignore[arg-type]
