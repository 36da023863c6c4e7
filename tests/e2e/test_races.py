"""Others at work on the same store at the same moment: a second lastgood, the runtime, and somebody with bad intent."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import breaking
import stores
from lastgood.core import lock, records
from lastgood.core import plan as plans
from lastgood.core.errors import LastgoodError, NotFound, Refused
from lastgood.core.journal import Journal
from lastgood.core.model import Plan
from lastgood.core.store import open_store
from lastgood.core.tree import NOTHING, Image, Tree, image_at, is_still

NAMES = ("aaaa0001", "bbbb0002", "cccc0003")


def apply(store: str, plan: Plan) -> None:
    opened = open_store(store)
    Journal(store).apply(plan, reason=None, check=lambda done: plans.check(opened, done))


def restored(store: str, name: str, which: int) -> Plan:
    opened = open_store(store)
    survey = opened.survey(opened.session(name))
    points = [p for f in survey.files if (p := opened.verify(f)).runtime_accepts]
    return opened.plan_restore(opened.session(name), points[which % len(points)])


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder in memory where there is one: a race is then between processes, not for the disk."""
    path = tempfile.mkdtemp(prefix="lastgood-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    yield Path(path)
    shutil.rmtree(path)


def in_background(work: Callable[[], object]) -> int:
    """A child that does `work`; its process id."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
    return pid


def test_two_processes_make_one_history(room: Path, figure: list[str]) -> None:
    """200 actions by two processes on three sessions: the journal is serial, and replaying it gives the store."""
    began = time.perf_counter()
    store = str(room)
    for name in NAMES:
        stores.write_session(store, name)
    start = images(store)

    def act(seed: int) -> None:
        chance, done = random.Random(seed), 0
        while done < 100:
            name = chance.choice(NAMES)
            opened = open_store(store)
            try:
                match chance.randrange(4):
                    case 0:
                        plan = restored(store, name, chance.randrange(50))
                    case 1:
                        plan = opened.plan_terminate(opened.session(name), f"reason {seed} {done}")
                    case 2:
                        plan = opened.plan_activate(opened.session(name))
                    case _:
                        plan = Journal(store).plan_undo(None)
                if plan.steps:
                    apply(store, plan)
                    done += 1
            except (Refused, NotFound):
                continue  # the other was quicker

    children = [in_background(lambda seed=seed: act(seed)) for seed in (1, 2)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]

    ledger = records.read(os.path.join(store, ".lastgood"))
    assert ledger.problem is None
    assert len(ledger.entries) == 200
    assert len({entry.intent.origin.pid for entry in ledger.entries}) == 2
    for entry in ledger.entries:
        assert entry.outcome is not None and entry.state == "done"
        for change in entry.intent.changes:  # it began with what the one before it had left
            assert is_still(start.get(change.path, NOTHING), change.before), change.path
            start[change.path] = entry.outcome.after[change.path]
    assert {path: image for path, image in start.items() if image.type != "absent"} == images(store)
    lines = [json.loads(line) for line in Path(store, ".lastgood", "journal.jsonl").read_bytes().splitlines()]
    assert [line["type"] for line in lines] == ["intent", "outcome"] * 200
    assert all(lines[i]["id"] == lines[i + 1]["id"] for i in range(0, 400, 2))
    figure.append(f"race: 200 actions of two processes, a serial history ({time.perf_counter() - began:.1f} s)")


def images(store: str) -> dict[str, Image]:
    found = {}
    with Tree(store) as tree:
        for path, entry in stores.snapshot(store).items():
            if entry.type in ("file", "symlink"):
                found[path] = image_at(*tree.place(path))
    return found


def test_the_second_says_who_holds_the_lock_and_since_when(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0.1)
    store = str(tmp_path)
    stores.write_session(store, NAMES[0])
    opened = open_store(store)
    plan = opened.plan_terminate(opened.session(NAMES[0]), "crash")
    inside, let_go = os.pipe(), os.pipe()

    def slow(done: Plan) -> None:
        os.write(inside[1], b"x")
        os.read(let_go[0], 1)

    child = in_background(lambda: Journal(store).apply(plan, reason=None, check=slow))
    os.read(inside[0], 1)
    before = stores.snapshot(store)
    with pytest.raises(Refused, match=rf"process {child}, since 20\d\d-\d\d-\d\dT"):
        apply(store, plan)
    assert stores.snapshot(store) == before
    os.write(let_go[1], b"x")
    assert os.waitpid(child, 0)[1] == 0
    assert [action.state for action in Journal(store).actions()] == ["done"]


def test_a_dead_holder_holds_nothing(tmp_path: Path) -> None:
    store = str(tmp_path)
    stores.write_session(store, NAMES[0])
    opened = open_store(store)
    plan = opened.plan_terminate(opened.session(NAMES[0]), "crash")
    assert breaking.in_child(lambda: apply(store, plan), breaking.kill_before(15)) == -signal.SIGKILL
    assert Path(store, ".lastgood", "holder.json").exists()
    apply(store, opened.plan_terminate(opened.session(NAMES[0]), "crash"))
    assert Journal(store).actions()[-1].state == "done"


@pytest.mark.parametrize("how", ["in place", "by rename", "through a descriptor opened before"])
def test_what_the_runtime_writes_in_the_very_moment_is_kept(how: str, tmp_path: Path, figure: list[str]) -> None:
    """The runtime rewrites session_meta.json just before each of our calls: theirs stays, whatever becomes of ours."""
    template, store = str(tmp_path / "template"), str(tmp_path / "store")
    stores.write_session(template, NAMES[0], active=False, reason="shutdown")
    path = os.path.join(store, NAMES[0], "session_meta.json")
    theirs = stores.meta_bytes(NAMES[0], active=True, iteration=777)
    open_, write, rename, ftruncate = (
        os.open,
        os.write,
        os.rename,
        os.ftruncate,
    )  # as they are before the child's are counted

    def at_call(at: int) -> breaking.Break:
        opened = open_(path, os.O_WRONLY)

        def act(number: int, name: str, call: Callable[[], object], args: tuple[object, ...]) -> object:
            if number == at and how == "through a descriptor opened before":
                ftruncate(opened, 0)
                write(opened, theirs)
            elif number == at:
                written = path + ".new" if how == "by rename" else path
                write(open_(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), theirs)
                if how == "by rename":
                    rename(written, path)
            return call()

        return act

    def fresh() -> Plan:
        shutil.rmtree(store, ignore_errors=True)
        shutil.copytree(template, store, symlinks=True)
        return restored(store, NAMES[0], 0)

    first = fresh()
    ends: Counter[int] = Counter()
    calls = breaking.calls_of(lambda: apply(store, first))
    outcome = len(calls) - 1 - calls[::-1].index("open")  # all has been read back when this line is appended
    for at in range(len(calls)):
        plan = fresh()
        code = breaking.in_child(lambda: apply(store, plan), at_call(at))  # noqa: B023
        ends[code] += 1
        assert code in (0, 4, 5)
        assert code != 0 or at >= outcome, f"call {at}: what the runtime wrote was not noticed"
        if code != 0:
            assert Path(path).read_bytes() == theirs, f"call {at}: what the runtime wrote is not where it wrote it"
        assert breaking.in_child(lambda: Journal(store).settle()) == 0
        everything = [p.read_bytes() for p in Path(store).rglob("*") if p.is_file()]
        assert theirs in everything, f"call {at}: what the runtime wrote is nowhere"
    assert ends[0] and ends[4]
    figure.append(f"the runtime writes {how} at each of our calls: {dict(ends)} (by exit code), nothing of it lost")


@pytest.mark.parametrize("folder", [NAMES[0], f"{NAMES[0]}/checkpoints"])
def test_a_folder_swapped_for_a_symlink_at_each_call(folder: str, tmp_path: Path, figure: list[str]) -> None:
    """Just before one of our calls a folder is put elsewhere, and a symlink out of the store takes its place."""
    store, outside = str(tmp_path / "store"), str(tmp_path / "outside")
    for place in (store, outside):
        stores.write_session(place, NAMES[0], checkpoints=2, active=False, reason="shutdown")
    before = stores.snapshot(outside)
    shutil.copytree(store, store + ".copy", symlinks=True)
    rename, symlink = os.rename, os.symlink

    def at_call(at: int) -> breaking.Break:
        def act(number: int, name: str, call: Callable[[], object], args: tuple[object, ...]) -> object:
            if number == at:
                rename(f"{store}/{folder}", f"{store}/aside")
                symlink(f"{outside}/{folder}", f"{store}/{folder}")
            return call()

        return act

    ends: Counter[int] = Counter()
    calls = len(breaking.calls_of(lambda: apply(store, restored(store, NAMES[0], 0))))
    for at in range(calls):
        shutil.rmtree(store)
        shutil.copytree(store + ".copy", store, symlinks=True)
        ends[breaking.in_child(lambda: apply(store, restored(store, NAMES[0], 0)), at_call(at))] += 1
        breaking.in_child(lambda: Journal(store).settle())
        assert stores.snapshot(outside) == before, f"call {at}"
    assert ends.keys() <= {0, 4, 5}
    figure.append(
        f"{folder} swapped for a symlink at each of {calls} calls: {dict(ends)} (by exit code), nothing outside"
    )


def test_settling_follows_no_symlink_either(tmp_path: Path) -> None:
    """What a crash left is put elsewhere, and a symlink to it takes its place: it is named, and not touched there."""
    store, outside = str(tmp_path / "store"), str(tmp_path / "outside")
    stores.write_session(store, NAMES[0], active=False, reason="shutdown")
    shutil.copytree(store, store + ".copy", symlinks=True)
    calls = breaking.calls_of(lambda: apply(store + ".copy", restored(store + ".copy", NAMES[0], 0)))
    plan = restored(store, NAMES[0], 0)
    before_the_last_swap = len(calls) - 1 - calls[::-1].index("exchange")
    assert breaking.in_child(lambda: apply(store, plan), breaking.kill_before(before_the_last_swap)) == -signal.SIGKILL
    os.rename(f"{store}/{NAMES[0]}", outside)
    os.symlink(outside, f"{store}/{NAMES[0]}")
    before = stores.snapshot(outside)
    said = Journal(store).settle()
    assert "symlink" in said[0]
    assert stores.snapshot(outside) == before


def test_folders_swapped_for_symlinks_lead_nowhere(room: Path, figure: list[str]) -> None:
    """Another process swaps session folders for links out of the store, to and fro, while 1,000 actions are tried."""
    store, outside = str(room / "store"), room / "outside"
    victim = stores.write_session(str(outside), NAMES[0], checkpoints=2, active=False, reason="shutdown")
    session = stores.write_session(store, NAMES[0], checkpoints=2, active=False, reason="shutdown")
    before = stores.snapshot(str(outside))
    folder, other = os.path.join(session, "checkpoints"), os.path.join(victim, "checkpoints")

    def swap() -> None:
        chance = random.Random(1)
        while True:
            for path, target in ((folder, other), (session, victim)):
                os.rename(path, path + ".aside")
                os.symlink(target, path)
                time.sleep(chance.uniform(0, 0.001))
                os.unlink(path)
                os.rename(path + ".aside", path)
                time.sleep(chance.uniform(0, 0.006))

    child = in_background(swap)
    seen: Counter[str] = Counter()
    try:
        for _ in range(1000):
            try:
                opened = open_store(store)
                marked = opened.session(NAMES[0])
                plan = opened.plan_activate(marked) if seen["done"] % 2 else restored(store, NAMES[0], 0)
                if not plan.steps:
                    plan = opened.plan_terminate(marked, "crash")
                apply(store, plan)
                seen["done"] += 1
            except LastgoodError as error:
                seen[type(error).__name__] += 1
            except (OSError, IndexError, ZeroDivisionError):
                seen["not there to look at"] += 1
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert stores.snapshot(str(outside)) == before
    figure.append(f"folders swapped for symlinks, 1,000 rounds: {dict(seen)}; outside nothing changed")
