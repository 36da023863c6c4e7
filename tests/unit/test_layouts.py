"""How layouts are found, and what a store of several offers."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import stores
from lastgood.core import layouts
from lastgood.core.composed import ComposedStore
from lastgood.core.continuum import ContinuumStore
from lastgood.core.model import Session, State, Survey
from lastgood.core.store import DEEDS, Entry, Store

ROOT = Path(__file__).parents[2]


def installed(folder: Path, points: str, name: str = "other-1.2") -> None:
    """The metadata of a package in a folder of sys.path."""
    (folder / f"{name}.dist-info").mkdir(parents=True)
    (folder / f"{name}.dist-info" / "entry_points.txt").write_text(points)
    package, _, version = name.partition("-")
    (folder / f"{name}.dist-info" / "METADATA").write_text(f"Name: {package}\nVersion: {version}\n")


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    layouts.layouts.cache_clear()
    yield tmp_path  # type: ignore[misc]
    layouts.layouts.cache_clear()


def test_the_built_in_layouts_are_the_entry_points_of_this_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"][layouts.GROUP] == layouts.BUILT_IN
    for found in layouts.layouts():
        assert found.store is not None and found.problem is None
        assert set(found.store.unable) <= set(DEEDS)


def test_what_importlib_finds_is_found(outside: Path) -> None:
    text = "[console_scripts]\nx = y:z\n[lastgood.stores]\n# no\na = m.a:A\nb=m.b:B [extra]\n\n[other]\nc = m:C\n"
    installed(outside, text)
    installed(outside, "[lastgood.stores.more]\nd = m:D\n", "another-3")
    theirs = importlib.metadata.entry_points(group=layouts.GROUP)
    ours = {(name, target) for _, name, target in layouts._outside(sys.path)}
    assert ours == {(e.name, e.value.partition("[")[0].strip()) for e in theirs}
    assert ("other 1.2", "a", "m.a:A") in layouts._outside(sys.path)


def test_a_layout_that_cannot_be_used_says_why_and_harms_no_other(outside: Path) -> None:
    installed(outside, "[lastgood.stores]\nabsent = no_such_module:X\nodd = json:JSONDecoder\ncontinuum = json:Evil\n")
    found = {f.target: f for f in layouts.layouts() if f.origin == "other 1.2"}
    assert "ModuleNotFoundError" in (found["no_such_module:X"].problem or "")
    assert "is no lastgood.core.store.Store" in (found["json:JSONDecoder"].problem or "")
    assert "there is a layout continuum already" in (found["json:Evil"].problem or "")
    assert all(f.store is None for f in found.values())
    assert ComposedStore(str(outside), [f.store for f in layouts.layouts() if f.store]).stores.keys() == set(
        layouts.BUILT_IN
    )


def test_the_store_of_all_layouts_asks_the_layout_for_whatever_it_can_decide() -> None:
    offered = {name for name, value in vars(Store).items() if callable(value) and not name.startswith("_")}
    of_entries = {"session", "sessions", "sessions_at"}  # by sessions_in, whatever the layout
    assert offered - vars(ComposedStore).keys() == of_entries


class Failing(Store):
    layout = "failing"
    about = "nothing that works"

    def recognises(self, entry: Entry) -> bool:
        return entry.name.startswith("f")

    def sessions_in(self, entry: Entry) -> Iterator[Session]:
        yield Session(f"{entry.name}/1", entry.path, State.UNTRACKED, layout=self.layout)
        raise ZeroDivisionError("a defect")

    def survey(self, session: Session) -> Survey:
        raise KeyError("another")

    look_at = plan_restore = check = survey  # type: ignore[assignment]


def test_a_layout_that_fails_hides_no_session_of_another(tmp_path: Path) -> None:
    stores.write_session(str(tmp_path), "aaaa1111")
    (tmp_path / "f").mkdir()
    store = ComposedStore(str(tmp_path), [ContinuumStore, Failing])
    found = {session.name: session for session in store.sessions()}
    assert found.keys() == {"aaaa1111", "f", "f/1"}
    assert "the layout failing failed on it: ZeroDivisionError: a defect" in found["f"].problems
    assert "KeyError" in (store.survey(found["f/1"]).problem or "")
    assert store.survey(found["aaaa1111"]).problem is None


def test_every_layout_says_what_it_is() -> None:
    for found in layouts.layouts():
        assert found.store is not None and issubclass(found.store, Store)
        assert found.store.about and "/" not in found.store.layout and " " not in found.store.layout


OF_A_LAYOUT = {
    "continuum", "continuum_sdk", "sdk_logs", "sdk_salvage",
    "meta", "meta_structs", "names", "plan", "repair", "salvage",  # of continuum
    "demo", "demo_stories",  # the sample store is written in both layouts
    "layouts",  # the table of those that come with this package
}  # fmt: skip
NAMES_OF_FILES = re.compile(
    r"session_meta|latest\.json|state\.json|\bcp_|\.tmp_(?:checkpoint|latest)|\.json\.backup|continuum|sh-layer2", re.I
)


def outside_of_layouts() -> list[Path]:
    source = ROOT / "src" / "lastgood"
    own = {source / "core" / f"{name}.py" for name in OF_A_LAYOUT}
    assert all(path.exists() for path in own)
    found = [p for ext in ("py", "tcss") for p in source.rglob(f"*.{ext}") if p not in own]
    assert len(found) > 80
    return found


def test_the_rest_of_the_program_names_no_layout_and_none_of_its_files() -> None:
    named = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in outside_of_layouts()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if NAMES_OF_FILES.search(line)
    ]
    assert named == []


def test_the_rest_of_the_program_imports_no_layout() -> None:
    own = OF_A_LAYOUT - {"layouts", "names", "demo"}
    imported = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in outside_of_layouts()
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        for module in (*(node.module or "").split("."), *(alias.name for alias in node.names))
        if module in own
    ]
    assert imported == []
