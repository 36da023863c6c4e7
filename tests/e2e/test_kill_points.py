"""Proof that no write can lose anything: every action, ended or failed at every call that changes the file system."""

from __future__ import annotations

import errno
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

import pytest

import breaking
import stores
from lastgood.core import plan as plans
from lastgood.core.journal import Journal
from lastgood.core.model import CopyOf, FileKind, LinkTo, Plan
from lastgood.core.store import open_store
from stores import Entry

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
        f"kill points, {case.name}: {seen.total()} tried at {len(bench.calls)} calls: {seen['before']} left the store "
        f"as before, {seen['after']} as after, 0 otherwise ({time.perf_counter() - began:.1f} s)"
    )


def test_killed_while_settling_what_a_kill_left(room: Path, figure: list[str]) -> None:
    """The restart after a crash is killed too, at each of its calls; the one after that puts all right."""
    began = time.perf_counter()
    tried = 0
    for case in (CASES[0], CASES[5]):
        bench = Bench(room, case)
        first = bench.calls.index("rename")  # the last call before the swaps
        for at in range(first, len(bench.calls), 2):
            second = 0
            while True:
                assert bench.broken(breaking.kill_before(at)) == -signal.SIGKILL
                again = breaking.in_child(lambda: settle(bench.store), breaking.kill_before(second))  # noqa: B023
                assert bench.settled() in ("before", "after"), f"killed at {at}, then at {second}: {bench.state()}"
                tried += 1
                if again == 0:
                    break
                second += 2
    figure.append(f"kill points within the settling of a kill: {tried} tried ({time.perf_counter() - began:.1f} s)")


ERRORS = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS, errno.EXDEV)


@pytest.mark.parametrize("case", CASES[:7:2], ids=lambda case: case.name)
def test_failing_at_every_call(case: Case, room: Path, figure: list[str]) -> None:
    """Rolled back and said (exit 5), or done; at once, and still so when the next process has settled."""
    began = time.perf_counter()
    bench = Bench(room, case)
    seen: Counter[tuple[str, int]] = Counter()
    for code in ERRORS if case is CASES[0] else ERRORS[:2]:
        for at in range(len(bench.calls)):
            exit_code = bench.broken(breaking.fail(at, code))
            where = f"{errno.errorcode[code]} at call {at} ({bench.calls[at]})"
            assert exit_code in (0, 5), where
            state = bench.state()
            assert state == ("after" if exit_code == 0 else "before"), f"{where}, exit {exit_code}: {state}"
            assert bench.settled() == state, where
            seen[state, exit_code] += 1
    figure.append(
        f"failing calls, {case.name}: {seen.total()} tried: {seen['before', 5]} rolled back, {seen['after', 0]} done "
        f"all the same, 0 otherwise ({time.perf_counter() - began:.1f} s)"
    )


@pytest.mark.parametrize(
    ("code", "names"),
    [(errno.ENOSPC, breaking.ALLOCATING), (errno.EIO, frozenset({*breaking.CALLS, "exchange"}))],
    ids=["the disk stays full", "the disk is gone"],
)
def test_failing_from_a_call_on(code: int, names: frozenset[str], room: Path, figure: list[str]) -> None:
    """Putting back needs no room, so a full disk does not hinder it; where nothing works, the next process does it."""
    tried = 0
    for case in (CASES[0], CASES[2], CASES[4]):
        bench = Bench(room, case)
        for at in range(len(bench.calls)):
            exit_code = bench.broken(breaking.fail_from(at, code, names))
            assert exit_code in (0, 5)
            if code == errno.ENOSPC:
                assert bench.state() == ("after" if exit_code == 0 else "before"), f"from call {at} ({bench.calls[at]})"
            assert bench.settled() in ("before", "after"), f"from call {at} ({bench.calls[at]})"
            tried += 1
    figure.append(f"failing from a call on ({errno.errorcode[code]}): {tried} tried, 0 lost anything")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_at_every_call(number: signal.Signals, room: Path, figure: list[str]) -> None:
    """Without any settling: the action is done or nothing has happened, and then the signal has its usual effect."""
    seen: Counter[str] = Counter()
    bench = Bench(room, CASES[0])
    for at in range(len(bench.calls)):
        code = bench.broken(breaking.send(at, number))
        assert code == (99 if number == signal.SIGINT else -number)
        state = bench.state()
        assert state in ("before", "after"), f"call {at} ({bench.calls[at]}): {state}"
        seen[state] += 1
    figure.append(
        f"{number.name} at every call: {seen['before']} times nothing had happened, {seen['after']} times all"
    )


SYSTEM_CALLS = {
    "write": ("write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile", "copy_file_range", "splice"),
    "link": ("link", "linkat"),
    "symlink": ("symlink", "symlinkat"),
    "unlink": ("unlink",),
    "rmdir": ("rmdir",),
    "mkdir": ("mkdir", "mkdirat"),
    "fsync": ("fsync", "fdatasync", "sync", "syncfs", "sync_file_range"),
    "chmod": ("chmod", "fchmod", "fchmodat", "fchmodat2"),
    "chown": ("chown", "fchown", "lchown", "fchownat"),
    "utime": ("utime", "utimes", "futimesat", "utimensat"),
    "xattr": ("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr"),
    "truncate": ("truncate", "ftruncate", "fallocate"),
    "mknod": ("mknod", "mknodat"),
    "rename": ("rename", "renameat"),
}
PYTHON_CALLS = {"replace": "rename", "remove": "unlink", "pwrite": "write", "fdatasync": "fsync"} | {
    name: name.lstrip("fl") for name in ("fchmod", "fchown", "lchown", "ftruncate")
}


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("case", [CASES[0], CASES[5]], ids=lambda case: case.name)
def test_no_call_escapes_the_count(case: Case, room: Path, tmp_path: Path) -> None:
    """strace sees exactly the calls that are counted above, in kind and number."""
    bench = Bench(room, case)
    bench.fresh()
    counted = Counter(PYTHON_CALLS.get(name, name) for name in bench.calls)
    script = (
        "import os, sys; sys.path[:0] = sys.argv[2:4]; sys.dont_write_bytecode = True\n"
        "import test_kill_points as t\n"
        "import filelock, lastgood.core.lock\n"
        f"plan = next(c for c in t.CASES if c.name == {case.name!r}).action(sys.argv[1])\n"
        "os.path.exists('/begin-of-the-action'); t.apply(sys.argv[1], plan); os.path.exists('/end-of-the-action')\n"
    )
    here = Path(__file__).parent
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-o", str(trace), "-e", "trace=%file,%desc,fsync,fdatasync,sync,syncfs", sys.executable]
    try:
        subprocess.run([*command, "-c", script, bench.store, str(here), str(here.parent)], check=True)
    except subprocess.CalledProcessError:
        pytest.skip("strace may not trace here")
    text = trace.read_text()
    lines = text[text.index("/begin-of-the-action") : text.index("/end-of-the-action")].splitlines()[1:-1]
    traced: Counter[str] = Counter()
    for line in lines:
        name, _, rest = line.split(maxsplit=1)[1].partition("(")
        if name in ("open", "openat", "openat2", "creat"):
            traced["open"] += "O_CREAT" in rest or "O_TRUNC" in rest
        elif name == "renameat2":
            traced["exchange" if "RENAME_EXCHANGE" in rest else "rename"] += 1
        elif name == "unlinkat":
            traced["rmdir" if "AT_REMOVEDIR" in rest else "unlink"] += 1
        else:
            traced.update(kind for kind, names in SYSTEM_CALLS.items() if name in names)
    assert +traced == +counted


def test_everything_is_synced_before_what_relies_on_it(room: Path) -> None:
    """What a power cut could reorder is held in order by syncs: intent, new content, swaps, outcome."""
    bench = Bench(room, CASES[0])
    action = bench._action()
    read, write = os.pipe()
    real_write = os.write

    def act(number: int, name: str, call: Callable[[], object], args: tuple[object, ...]) -> object:
        first = args[1] if name == "exchange" else args[0]
        where = os.readlink(f"/proc/self/fd/{first}") if isinstance(first, int) else str(first)
        real_write(write, f"{name} {os.path.basename(where)}\n".encode())
        return call()

    assert breaking.in_child(action, act) == 0
    os.close(write)
    with os.fdopen(read) as pipe:
        said = [tuple(line.split()) for line in pipe]
    swaps = [i for i, (name, what) in enumerate(said) if name in ("link", "exchange") and ".tmp_lastgood" in what]
    journal = [i for i, call in enumerate(said) if call == ("fsync", "journal.jsonl")]
    assert len(swaps) == 3 and len(journal) == 2
    staged = [i for i, (name, what) in enumerate(said) if name == "fsync" and ".tmp_lastgood" in what]
    assert len(staged) == 2  # the third is a symlink: it has no content but its folder's
    kept = [i for i, (name, what) in enumerate(said) if name == "fsync" and what.startswith(".new_")]
    assert kept and max(kept) < journal[0] < min(staged) <= max(staged) < swaps[0]
    for folder in ("checkpoints", SESSION):
        synced = [i for i, call in enumerate(said) if call == ("fsync", folder)]
        assert any(max(staged) < i < swaps[0] for i in synced), f"{folder}: the staged names, before the first swap"
        assert any(swaps[-1] < i < journal[1] for i in synced), f"{folder}: the swaps, before the outcome"
    assert any(said[i] == ("fsync", "actions") for i in range(max(staged), swaps[0]))
    assert ("fsync", os.path.basename(bench.store)) in said[: journal[0]]
    assert ("fsync", ".lastgood") in said[journal[0] : swaps[0]]
