"""Any history can be taken back: whatever was restored, ended, revived and undone, undoing all gives the first tree."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import stores
from lastgood.core import plan as plans
from lastgood.core.errors import NotFound, Refused
from lastgood.core.journal import Journal
from lastgood.core.model import Checkpoint, Plan
from lastgood.core.store import open_store

ROOM = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
NAMES = ("aaaa0001", "bbbb0002")


class Histories(RuleBasedStateMachine):
    """A stack of trees: what each undo must give back. What the runtime writes cannot be undone, and stays."""

    @initialize(
        shapes=st.lists(
            st.tuples(st.integers(1, 4), st.booleans(), st.sampled_from(["active", "ended", "no meta"])),
            min_size=2,
            max_size=2,
        )
    )
    def write_store(self, shapes: list[tuple[int, bool, str]]) -> None:
        self.store = tempfile.mkdtemp(dir=ROOM)
        for name, (checkpoints, regular_latest, meta) in zip(NAMES, shapes, strict=True):
            stores.write_session(
                self.store,
                name,
                checkpoints=checkpoints,
                regular_latest=regular_latest,
                active=meta == "active",
                reason="shutdown" if meta == "ended" else None,
                no_meta=meta == "no meta",
            )
        os.utime(self.store, ns=(stores.START, stores.START))
        self.trees = [stores.snapshot(self.store)]
        self.clock = stores.START + 3600 * stores.NS

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.undo_all()
            shutil.rmtree(self.store)

    def _points(self, name: str) -> list[Checkpoint]:
        store = open_store(self.store)
        return [p for f in store.survey(store.session(name)).files if (p := store.verify(f)).runtime_accepts]

    def _apply(self, plan: Plan) -> None:
        if plan.steps:
            store = open_store(self.store)
            Journal(self.store).apply(plan, reason=None, check=lambda done: plans.check(store, done))

    def _do(self, plan: Plan) -> None:
        if plan.steps:
            self._apply(plan)
            self.trees.append(stores.snapshot(self.store))

    @rule(name=st.sampled_from(NAMES), which=st.integers(0, 20))
    def restore(self, name: str, which: int) -> None:
        store, points = open_store(self.store), self._points(name)
        point = points[which % len(points)]
        wanted = stores._verified(Path(point.file.path).read_bytes())
        self._do(store.plan_restore(store.session(name), point))
        folder = os.path.join(self.store, name)
        assert stores.resume_by_latest(folder) == wanted
        assert stores.resume_by_mtime(folder) == wanted

    @rule(name=st.sampled_from(NAMES), reason=st.sampled_from(["crash", "stopped by hand", 'ü "x"']))
    def terminate(self, name: str, reason: str) -> None:
        store = open_store(self.store)
        try:
            self._do(store.plan_terminate(store.session(name), reason))
        except Refused:
            assert not Path(self.store, name, "session_meta.json").exists()

    @rule(name=st.sampled_from(NAMES))
    def activate(self, name: str) -> None:
        store = open_store(self.store)
        try:
            self._do(store.plan_activate(store.session(name)))
        except Refused:
            assert not Path(self.store, name, "session_meta.json").exists()

    @rule()
    def undo(self) -> None:
        if len(self.trees) == 1:
            return
        self._apply(Journal(self.store).plan_undo(None))
        self.trees.pop()
        assert stores.snapshot(self.store) == self.trees[-1]

    @rule()
    def undo_and_redo(self) -> None:
        if len(self.trees) == 1:
            return
        journal = Journal(self.store)
        self._apply(journal.plan_undo(None))
        assert stores.snapshot(self.store) == self.trees[-2]
        self._apply(journal.plan_undo(journal.actions()[-1].id))
        assert stores.snapshot(self.store) == self.trees[-1]

    @rule(name=st.sampled_from(NAMES))
    def runtime_saves(self, name: str) -> None:
        """The session goes on: what was done to its latest.json before can no longer be taken back, and is not."""
        folder = os.path.join(self.store, name)
        regular = not Path(folder, "checkpoints", "latest.json").is_symlink()
        newest = max(os.stat(p.file.path).st_mtime_ns for p in self._points(name))
        self.clock = max(self.clock, newest) + stores.NS
        content = stores.checkpoint(name, 9, id=f"run{self.clock % 10**9:09d}{len(self.trees)}", at=self.clock)
        before = stores.snapshot(self.store)
        stores.save(folder, content, at=self.clock, regular_latest=regular)
        now = stores.snapshot(self.store)
        written = {p: e for p, e in now.items() if e.type != "folder" and e != before.get(p)}
        journal = Journal(self.store)
        while True:  # take back what still can be: it must not touch anything that the runtime wrote
            try:
                self._apply(journal.plan_undo(None))
            except (Refused, NotFound):
                break
        left = stores.snapshot(self.store)
        assert {p: left.get(p) for p in written} == written
        # A new history begins here: the old one can no longer be undone to its start.
        shutil.rmtree(os.path.join(self.store, ".lastgood"), ignore_errors=True)
        os.utime(self.store, ns=(stores.START, stores.START))
        self.trees = [stores.snapshot(self.store)]

    def undo_all(self) -> None:
        journal = Journal(self.store)
        while len(self.trees) > 1:
            self._apply(journal.plan_undo(None))
            self.trees.pop()
            assert stores.snapshot(self.store) == self.trees[-1]
        try:
            journal.plan_undo(None)
            raise AssertionError("nothing should be left to undo")
        except NotFound:
            pass

    @invariant()
    def journal_is_whole(self) -> None:
        if hasattr(self, "store"):
            journal = Journal(self.store)
            assert journal.problem() is None
            assert {a.state for a in journal.actions()} <= {"done", "undone"}
            assert journal.settle() == []


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=150, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
