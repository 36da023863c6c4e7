"""Code that goes round the doors fails the checks of this repository."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORGETFUL = [
    "print(name)",
    "import sys\nsys.stdout.write(name)",
    "from sys import stderr\nstderr.write(name)",
    "import sys\nsys.__stdout__.write(name)",
    "from rich.text import Text\nText(name)",
    "from rich import print as say\nsay(name)",
    "from rich.console import Console\nConsole().print(name)",
    "from rich.segment import Segment\nSegment(name)",
    "from textual.content import Content\nContent.from_markup(name)",
    "import logging\nlogging.error(name)",
    "import traceback\ntraceback.print_exc()",
    "import os\nos.system(name)",
    "import pickle\npickle.loads(name)",
    "eval(name)",
    "import subprocess\nsubprocess.run(name, shell=True)",
]


@pytest.mark.parametrize("code", FORGETFUL)
def test_going_round_a_door_fails_the_lint(code: str) -> None:
    ruff = [Path(sys.executable).with_name("ruff"), "check", "--stdin-filename", ROOT / "src/lastgood/tui/sample.py"]
    text = f"name = input()\n{code}\n"
    done = subprocess.run([*ruff, "-"], input=text, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert any(rule in done.stdout for rule in ("TID251", "T201", "S605", "S301", "S307", "S602")), done.stdout


CLEANED = {"content", "block", "clean", "_muted"}
"""What makes a text for a widget or a title out of a string, through the sanitiser."""
SHOWN = {"title", "sub_title", "border_title", "border_subtitle", "tooltip"}
UNCLEANED = [
    "Static(name)",
    "Static(f'{name}')",
    "Label(name)",
    "widget.update(f'of {name}')",
    "self.notify(name)",
    "self.title = name",
    "self.sub_title = f'{name}'",
    "self.border_title = str(name)",
    "pane.border_subtitle = name",
    "row.tooltip = name",
    "sys.exit(name)",
    "raise SystemExit(f'{name}')",
]


def uncleaned(source: str) -> Iterator[int]:
    """The lines on which Textual or Python would show a string that has not passed the sanitiser."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(t, ast.Attribute) and t.attr in SHOWN for t in targets) and not _is_cleaned(node.value):
                yield node.lineno
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.args[0] if node.args else None
        if (
            name == "notify"
            or (name in ("Static", "Label") and first is not None and not _is_cleaned(first))
            or (name == "update" and isinstance(first, ast.JoinedStr))
            or (name in ("exit", "SystemExit") and isinstance(first, ast.Name | ast.JoinedStr) and first is not None)
        ):
            yield node.lineno


def _is_cleaned(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in CLEANED


@pytest.mark.parametrize("code", UNCLEANED)
def test_a_string_given_to_textual_as_it_is_fails_the_checks(code: str) -> None:
    assert list(uncleaned(code)) == [1]


def test_no_string_is_given_to_textual_as_it_is() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{line}"
        for path in (ROOT / "src").rglob("*.py")
        for line in uncleaned(path.read_text())
    }
    assert found == set()
