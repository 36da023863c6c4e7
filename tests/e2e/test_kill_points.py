"""Proof that no write can lose anything: every action, ended or failed at every call that changes the file system."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import breaking
import pytest
import stores
from stores import Entry

from lastgood.core import plan as plans
from lastgood.core.journal import Journal
from lastgood.core.model import CopyOf, FileKind, LinkTo, Plan
from lastgood.core.store import open_store

SESSION = "abcd1234"


def oldest_restored(store: str) -> Plan:
    """The plan that makes the session's oldest checkpoint what the runtime resumes from."""
    opened = open_store(store)
    session = opened.session(SESSION)
    survey = opened.survey(session)
    points = [opened.verify(file) for file in survey.of(FileKind.CHECKPOINT)]
    return opened.plan_restore(session, min(points, key=lambda point: point.header.iteration or 0))


def terminated(store: str) -> Plan:
    opened = open_store(store)
    return opened.plan_terminate(opened.session(SESSION), "crash")


def undone(store: str) -> Plan:
    return Journal(store).plan_undo(None)


def redone(store: str) -> Plan:
    return Journal(store).plan_undo(Journal(store).actions()[-1].id)


def apply(store: str, plan: Plan) -> None:
    opened = open_store(store)
    Journal(store).apply(plan, reason="proof", check=lambda done: plans.check(opened, done))


def settle(store: str) -> None:
    Journal(store).settle()


@dataclass(frozen=True)
class Case:
    """A store, what was done to it before, and the action that is broken."""

    name: str
    write: Callable[[str], object]
    before: tuple[Callable[[str], Plan], ...]
    action: Callable[[str], Plan]


def ended(store: str) -> None:
    stores.write_session(store, SESSION, active=False, reason="shutdown")


def without_meta(store: str) -> None:
    stores.write_session(store, SESSION, no_meta=True)


def with_regular_latest(store: str) -> None:
    stores.write_session(store, SESSION, active=False, reason="shutdown", regular_latest=True)


CASES = (
    Case("restore", ended, (), oldest_restored),
    Case("restore, no meta, journal there", without_meta, (oldest_restored, undone), oldest_restored),
    Case("restore, latest.json a file", with_regular_latest, (), oldest_restored),
    Case("terminate", lambda store: stores.write_session(store, SESSION), (), terminated),
    Case("undo of a restore", ended, (oldest_restored,), undone),
    Case("undo of a restore, latest.json a file", with_regular_latest, (oldest_restored,), undone),
    Case("redo of a restore", ended, (oldest_restored, undone), redone),
    Case("undo of a terminate", lambda store: stores.write_session(store, SESSION), (terminated,), undone),
)


@pytest.fixture(scope="module")
def room() -> Iterator[Path]:
    """A folder in memory where there is one: thousands of syncs are then cheap, and nothing of the proof is lost."""
    shm = "/dev/shm"
    path = tempfile.mkdtemp(prefix="lastgood-", dir=shm if os.access(shm, os.W_OK) else None)
    yield Path(path)
    shutil.rmtree(path)


class Bench:
    """Copies of one store in which one action is broken in one way after another."""

    def __init__(self, room: Path, case: Case) -> None:
        self.case = case
        self.template = tempfile.mkdtemp(dir=room)
        self.store = os.path.join(room, "store")
        case.write(self.template)
        for make in case.before:
            apply(self.template, make(self.template))
        self.calls = breaking.calls_of(self._action())

    def fresh(self) -> Plan:
        shutil.rmtree(self.store, ignore_errors=True)
        shutil.copytree(self.template, self.store, symlinks=True)
        self.before = snapshot(self.store)
        plan = self.case.action(self.store)
        self.after = expected(self.before, self.store, plan)
        return plan

    def _action(self) -> Callable[[], None]:
        plan = self.fresh()
        return lambda: apply(self.store, plan)

    def broken(self, act: breaking.Break) -> int:
        """The exit code of the action in a child that is broken so."""
        return breaking.in_child(self._action(), act)

    def state(self) -> str:
        """`before`, `after`, or what is amiss."""
        now = snapshot(self.store)
        if now == self.before:
            return "before"
        wrong = [f"{path}: {found} not {want}" for path, want, found in differences(now, self.after)]
        if not wrong:
            return "after"
        return (
            "neither: "
            + "; ".join(f"{p}: {f} not {w}" for p, w, f in differences(now, self.before))
            + " / "
            + str(wrong)
        )

    def settled(self) -> str:
        """The state after a new process has settled; all of the journal's own leftovers must be gone too."""
        assert breaking.in_child(lambda: settle(self.store)) == 0
        actions = {action.id: action.state for action in Journal(self.store).actions()}
        assert "open" not in actions.values()
        kept = Path(self.store, ".lastgood", "actions")
        if kept.exists():
            assert {p.name for p in kept.iterdir()} == {id for id, state in actions.items() if state != "rolled-back"}
        return self.state()


def snapshot(store: str) -> dict[str, Entry]:
    """All but the time of the store's own folder, which the first action of all gives a new entry."""
    found = stores.snapshot(store)
    return {path: entry for path, entry in found.items() if path != "."}


def expected(before: dict[str, Entry], store: str, plan: Plan) -> dict[str, Entry]:
    """The store after `plan`, worked out from the plan alone; a time of -1 is free."""
    after = dict(before)
    for step in plan.steps:
        path = os.path.relpath(step.path, store)
        if step.content is None:
            del after[path]
            continue
        if isinstance(step.content, LinkTo):
            entry = Entry("symlink", 0o120777, 0, 0, -1, step.content.target)
        else:
            data = Path(step.content.path).read_bytes() if isinstance(step.content, CopyOf) else step.content
            entry = Entry("file", 0o100600, 0, 0, -1, data)
            if step.mode is not None:
                entry = replace(entry, mode=0o100000 | step.mode)
            elif path in before:
                entry = replace(entry, mode=before[path].mode)
        after[path] = replace(entry, mtime_ns=-1 if step.mtime_ns is None else step.mtime_ns)
    times = {os.path.relpath(path, store): ns for path, ns in plan.folders}
    for folder in {os.path.dirname(os.path.relpath(step.path, store)) for step in plan.steps}:
        after[folder] = replace(after[folder], mtime_ns=times.get(folder, -1))
    return after


def differences(now: dict[str, Entry], want: dict[str, Entry]) -> list[tuple[str, Entry | None, Entry | None]]:
    out = []
    for path in now.keys() | want.keys():
        wanted, found = want.get(path), now.get(path)
        if wanted is not None and found is not None and wanted.mtime_ns == -1:
            wanted = replace(wanted, mtime_ns=found.mtime_ns)
        if wanted != found:
            out.append((path, wanted, found))
    return out


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_killed_at_every_call(case: Case, room: Path, figure: list[str]) -> None:
    began = time.perf_counter()
    bench = Bench(room, case)
    seen: Counter[str] = Counter()
    for at in range(len(bench.calls)):
        ways = [breaking.kill_before, breaking.kill_after]
        if bench.calls[at] == "write":
            ways.append(breaking.kill_within)
        for way in ways:
            assert bench.broken(way(at)) == -signal.SIGKILL
            state = bench.settled()
            assert state in ("before", "after"), f"{way.__name__} call {at} ({bench.calls[at]}): {state}"
            seen[state] += 1
    assert seen["before"] and seen["after"]
    figure.append(
        f"kill points, {case.name}: {seen.total()} tried at {len(bench.calls)} calls: {seen['before']} left the store as "
        f"before, {seen['after']} as after, 0 otherwise ({time.perf_counter() - began:.1f} s)"
    )
