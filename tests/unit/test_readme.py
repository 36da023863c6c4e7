"""The README says what is so: its tables follow the code, its commands and files exist, its example runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import readme
from lastgood.cli.parser import COMMANDS, every_command
from lastgood.core import demo

TEXT = readme.README.read_text(encoding="utf-8")


def test_the_parts_that_follow_from_the_code_are_up_to_date() -> None:
    assert readme.with_parts(TEXT) == TEXT, "run: python -m tests.readme"


def test_every_command_has_its_row() -> None:
    rows = re.findall(r"^\| `lastgood (\w+)", TEXT, re.MULTILINE)
    assert sorted(rows) == sorted(COMMANDS)


def test_every_option_that_is_named_exists() -> None:
    parser = every_command()
    known = {"--build", "--version", "--help"}
    for action in parser._actions:
        for sub in (action.choices or {}).values() if isinstance(action.choices, dict) else ():
            known |= set(sub._option_string_actions)
    assert set(re.findall(r"--[a-z][a-z-]+", re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL))) <= known


def test_links_lead_to_files_and_places() -> None:
    headings = {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", TEXT, re.M)}
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        if target.startswith("#"):
            assert target[1:] in headings, target
        else:
            assert (readme.README.parent / target).exists(), target


def test_the_python_example_runs(tmp_path: Path) -> None:
    demo.build(str(tmp_path / "store"), now_ns=1_795_000_000_000_000_000)
    (example,) = re.findall(r"```python\n(from lastgood.*?)```", TEXT, re.DOTALL)
    code = example.replace("/var/lib/continuum/checkpoints", str(tmp_path / "store"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 24


def test_the_commands_of_the_tour_run(tmp_path: Path) -> None:
    """The block of commands without a screen, as it stands, with a session's name put in."""
    (block,) = re.findall(r"```sh\n(lastgood demo --build.*?)```", TEXT, re.DOTALL)
    store = str(tmp_path / "store")
    name = ""
    for line in block.splitlines():
        words = line.split("#")[0].replace("/tmp/store", store).split()
        words = [name if word == "SESSION" else word for word in words]
        done = subprocess.run([sys.executable, "-m", "lastgood", *words[1:]], capture_output=True, text=True)
        assert done.returncode in (0, 1), f"{line}\n{done.stderr}"
        if "--unclean" in words:
            name = done.stdout.split()[2]
