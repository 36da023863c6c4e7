"""Code that goes round the doors fails the checks of this repository."""

from __future__ import annotations

import subprocess
import sys
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
