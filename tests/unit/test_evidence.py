"""Evidence gathered from real folders, and from real processes that are alive and then killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from lastgood.core import act, evidence, processes
from lastgood.core.continuum import ContinuumStore
from lastgood.core.evidence import Host, gather
from lastgood.core.journal import Journal
from lastgood.core.model import Action, Verdict
from lastgood.core.repair import plan_repair
from lastgood.core.verdict import Facts, Sign, Thresholds, judge
from stores import NS, START, checkpoint, meta_bytes, put, save, write_session

NAME = "52e6b438"
LAST_SAVE = START + 2 * 30 * NS
WAITS = "import sys; print('ready', flush=True); sys.stdin.read()"
HOLDS = f"import sys; held = open(sys.stdin.readline().strip(), 'a'); {WAITS}"


def facts_at(store: Path, now: int, *, actions: Sequence[Action] = (), boot: int | None = None) -> Facts:
    """The facts on the one session, as a host without processes sees it at `now`."""
    opened = ContinuumStore(str(store))
    session = opened.session(NAME)
    return gather(session, opened.survey(session), Host(now, boot), actions)


def verdict_at(store: Path, now: int, **more: object) -> Verdict:
    return judge(facts_at(store, now, **more), Thresholds())[0]  # type: ignore[arg-type]


def action(op: str, at: int, **facts: str) -> Action:
    return Action("a1", at, "kim", "host1", None, op, (NAME,), None, "done", facts)


# What the files say


def test_the_newest_write_and_the_rhythm(tmp_path: Path) -> None:
    write_session(str(tmp_path), NAME, checkpoints=4, every=30 * NS)
    facts = facts_at(tmp_path, START + 600 * NS)
    assert facts.last_write == START + 90 * NS
    assert facts.rhythm_seconds == 30
    assert verdict_at(tmp_path, START + 90 * NS + 89 * NS) is Verdict.UNCERTAIN
    assert verdict_at(tmp_path, START + 90 * NS + 90 * NS) is Verdict.CRASHED


def test_one_long_pause_does_not_make_the_rhythm(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME, checkpoints=5, every=10 * NS)
    save(folder, checkpoint(NAME, 6, at=START + 9000 * NS), at=START + 9000 * NS)
    assert facts_at(tmp_path, START + 9001 * NS).rhythm_seconds == 10


def test_a_write_before_the_host_started_is_a_crash_however_recent(tmp_path: Path) -> None:
    write_session(str(tmp_path), NAME)
    now = LAST_SAVE + 20 * NS
    assert verdict_at(tmp_path, now, boot=LAST_SAVE - NS) is Verdict.UNCERTAIN
    assert verdict_at(tmp_path, now, boot=LAST_SAVE + 10 * NS) is Verdict.CRASHED


def test_a_copied_store_is_judged_by_the_times_it_records(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    copied_at = LAST_SAVE + 86_400 * NS
    for path in (*Path(folder, "checkpoints").iterdir(), Path(folder, "session_meta.json")):
        if not path.is_symlink():
            os.utime(path, ns=(copied_at, copied_at))
    facts = facts_at(tmp_path, copied_at + NS)
    assert facts.last_write == LAST_SAVE // NS * NS
    assert facts.rhythm_seconds == 30
    assert verdict_at(tmp_path, copied_at + NS) is Verdict.CRASHED


def test_a_session_that_runs_on_in_a_copied_store_is_seen(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    copied_at = LAST_SAVE + 86_400 * NS
    for path in Path(folder, "checkpoints").iterdir():
        if not path.is_symlink():
            os.utime(path, ns=(copied_at, copied_at))
    save(folder, checkpoint(NAME, 4, at=copied_at + 50 * NS), at=copied_at + 50 * NS)
    assert facts_at(tmp_path, copied_at + 55 * NS).last_write == copied_at + 50 * NS


def test_times_from_the_future_are_told_and_not_counted(tmp_path: Path) -> None:
    ahead = LAST_SAVE + 86_400 * NS
    folder = write_session(str(tmp_path), NAME, meta=meta_bytes(NAME, at=ahead, iteration=3))
    save(folder, checkpoint(NAME, 4, at=ahead), at=ahead)
    facts = facts_at(tmp_path, LAST_SAVE + 600 * NS)
    assert facts.last_write == LAST_SAVE
    assert "last_updated of session_meta.json" in facts.from_the_future
    assert verdict_at(tmp_path, LAST_SAVE + 600 * NS) is Verdict.CRASHED


def test_a_temporary_file_counts_until_a_checkpoint_has_followed_it(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    left = LAST_SAVE + 10 * NS
    put(f"{folder}/checkpoints/.tmp_checkpoint_5bc7", b'{"half":', at=left)
    os.symlink("cp_x.json", f"{folder}/checkpoints/.tmp_latest_5bc7")
    os.utime(f"{folder}/checkpoints/.tmp_latest_5bc7", ns=(left, left), follow_symlinks=False)
    found = facts_at(tmp_path, left + NS)
    assert {name for name, _ in found.temp_files} == {".tmp_checkpoint_5bc7", ".tmp_latest_5bc7"}
    assert verdict_at(tmp_path, left + 29 * NS) is Verdict.UNCERTAIN
    save(folder, checkpoint(NAME, 4, at=left + 5 * NS), at=left + 5 * NS)
    assert facts_at(tmp_path, left + 40 * NS).temp_files == ()


def test_metadata_that_is_missing_or_damaged(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME, no_meta=True)
    assert verdict_at(tmp_path, LAST_SAVE + 900 * NS) is Verdict.UNTRACKED
    put(f"{folder}/session_meta.json", b'{"session_id": "52', at=LAST_SAVE)
    assert verdict_at(tmp_path, LAST_SAVE + 900 * NS) is Verdict.DAMAGED
    told = judge(facts_at(tmp_path, LAST_SAVE + 900 * NS), Thresholds())[1][0].detail
    assert "EOF while parsing" in told


def test_a_session_without_any_checkpoint(tmp_path: Path) -> None:
    write_session(str(tmp_path), NAME, checkpoints=0)
    facts = facts_at(tmp_path, START + 600 * NS)
    assert (facts.last_write, facts.rhythm_seconds) == (START, None)
    assert verdict_at(tmp_path, START + 600 * NS) is Verdict.CRASHED


# What the journal says


def test_restored_until_the_runtime_writes_again(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    at = LAST_SAVE + 600 * NS
    restored = f"{NAME}/checkpoints/cp_{time.strftime('%Y%m%d_%H%M%S', time.gmtime(at // NS))}_52e60001.json"
    put(str(tmp_path / restored), Path(next(iter(Path(folder, "checkpoints").glob("cp_*1.json")))).read_bytes(), at=at)
    os.utime(f"{folder}/session_meta.json", ns=(at + NS, at + NS))
    actions = [action("restore", at, **{restored: "absent -> file"})]
    assert verdict_at(tmp_path, at + 5 * NS, actions=actions) is Verdict.RESTORED
    assert verdict_at(tmp_path, at + 9000 * NS, actions=actions) is Verdict.RESTORED
    resumed = at + 20 * NS
    save(folder, checkpoint(NAME, 2, id="later", at=resumed), at=resumed)
    assert verdict_at(tmp_path, resumed + 5 * NS, actions=actions) is Verdict.UNCERTAIN
    assert verdict_at(tmp_path, resumed + 9000 * NS, actions=actions) is Verdict.CRASHED


def test_an_undone_restore_leaves_the_session_crashed_at_once(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    at = LAST_SAVE + 600 * NS
    os.utime(f"{folder}/session_meta.json", ns=(at + 3 * NS, at + 3 * NS))
    undone = action("restore", at)._replace(state="undone")
    actions = [undone, action("undo", at + 2 * NS)._replace(id="a2")]
    assert verdict_at(tmp_path, at + 5 * NS, actions=actions) is Verdict.CRASHED


def test_what_lastgood_itself_writes_is_never_taken_for_the_runtime(tmp_path: Path) -> None:
    """Restore, terminate, activate, repair and their undoing, by the real journal, each judged the moment after."""
    folder = write_session(str(tmp_path), NAME, start=time.time_ns() - 400 * NS)
    store, journal = ContinuumStore(str(tmp_path)), Journal(str(tmp_path))

    def verdict() -> Verdict:
        session = store.session(NAME)
        facts = gather(session, store.survey(session), Host.look(store.path), journal.actions())
        return judge(facts, Thresholds())[0]

    def undo() -> None:
        journal.apply(journal.plan_undo(None), reason=None, check=store.check)

    assert verdict() is Verdict.CRASHED
    session = store.session(NAME)
    points = [store.verify(f) for f in store.survey(session).files]
    second = next(p for p in points if p.header.iteration == 2)
    act.apply(store, store.plan_restore(session, second))
    assert verdict() is Verdict.RESTORED
    undo()
    assert verdict() is Verdict.CRASHED
    act.apply(store, store.plan_terminate(store.session(NAME), "gave up"))
    assert verdict() is Verdict.ENDED
    act.apply(store, store.plan_activate(store.session(NAME)))
    assert verdict() is Verdict.RESTORED
    undo()
    undo()
    assert verdict() is Verdict.CRASHED
    put(f"{folder}/session_meta.json", b"{", at=time.time_ns() - 300 * NS)
    session = store.session(NAME)
    act.apply(store, plan_repair(store, session, store.survey(session)))
    assert verdict() is Verdict.CRASHED


def test_another_session_s_restore_says_nothing_of_this_one(tmp_path: Path) -> None:
    write_session(str(tmp_path), NAME)
    other = action("restore", LAST_SAVE)._replace(sessions=("ffffffff",))
    assert facts_at(tmp_path, LAST_SAVE + 600 * NS, actions=[other]).restored is None


# What the processes say


@contextmanager
def running(*command: str, tell: str = "", cwd: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """A child process that has come as far as its first line of output; killed at the end."""
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=cwd)
    try:
        assert child.stdin is not None and child.stdout is not None
        if tell:
            child.stdin.write(tell + "\n")
            child.stdin.flush()
        assert child.stdout.readline()
        yield child
    finally:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


def signs(store: Path, name: str = NAME) -> tuple[Sign, ...]:
    return Host.look(str(store)).processes.of(name)


def python(code: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", "-c", code, *arguments)


def test_a_process_that_holds_a_file_open_until_it_is_killed(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    write_session(str(tmp_path), "9c898971")
    log = f"{folder}/checkpoints/.tmp_checkpoint_1"
    with running(*python(HOLDS), tell=log) as child:
        (sign,) = signs(tmp_path)
        assert (sign.pid, sign.how, sign.what) == (child.pid, "holds", "checkpoints/.tmp_checkpoint_1")
        assert not sign.onlooker
        assert signs(tmp_path, "9c898971") == ()
        store = ContinuumStore(str(tmp_path))
        session = store.session(NAME)
        facts = gather(session, store.survey(session), Host.look(str(tmp_path)))
        assert judge(facts, Thresholds())[0] is Verdict.LIVE
    assert signs(tmp_path) == ()


def test_a_file_that_was_deleted_while_open_still_shows_its_holder(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    log = f"{folder}/agent.log"
    with running(*python(HOLDS), tell=log):
        os.remove(log)
        assert [s.how for s in signs(tmp_path)] == ["holds"]


@pytest.mark.parametrize("below", ["", "checkpoints"])
def test_a_process_that_works_in_the_folder_until_it_is_killed(tmp_path: Path, below: str) -> None:
    folder = write_session(str(tmp_path), NAME)
    with running(*python(WAITS), cwd=Path(folder, below)) as child:
        assert [(s.pid, s.how) for s in signs(tmp_path)] == [(child.pid, "works in")]
    assert signs(tmp_path) == ()


@pytest.mark.parametrize(
    "argument",
    ["{folder}", "{folder}/", "--dir={folder}/checkpoints", "{name}", "--session={name}", "resume:{name}", "s/{name}"],
)
def test_a_process_that_names_the_session_until_it_is_killed(tmp_path: Path, argument: str) -> None:
    folder = write_session(str(tmp_path), NAME)
    with running(*python(WAITS, argument.format(folder=folder, name=NAME))) as child:
        assert [(s.pid, s.how) for s in signs(tmp_path)] == [(child.pid, "names")]
    assert signs(tmp_path) == ()


def test_a_relative_path_is_read_from_where_the_process_works(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    write_session(str(store), "s1")
    with running(*python(WAITS, "store/s1"), cwd=tmp_path):
        assert [s.how for s in signs(store, "s1")] == ["names"]


def test_a_store_reached_by_a_symlink_is_the_same_store(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    folder = write_session(str(tmp_path / "real"), NAME)
    with running(*python(WAITS), cwd=Path(folder)):
        assert [s.how for s in signs(tmp_path / "link")] == ["works in"]


@pytest.mark.parametrize("argument", ["{name}0", "x{name}", "s1", "20261123", "sessions", "{name}.txt"])
def test_what_only_looks_like_the_id_is_no_sign(tmp_path: Path, argument: str) -> None:
    for name in (NAME, "s1", "20261123", "sessions"):
        write_session(str(tmp_path), name)
    with running(*python(WAITS, argument.format(name=NAME))):
        assert all(signs(tmp_path, n) == () for n in (NAME, "s1", "20261123", "sessions"))


def test_a_person_who_looks_is_told_of_and_is_no_sign_of_life(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    notes = put(f"{folder}/notes", b"one line\n")
    with running("tail", "-n", "+1", "-f", notes):
        (sign,) = signs(tmp_path)
        assert (sign.how, sign.onlooker) == ("holds", True)
        store = ContinuumStore(str(tmp_path))
        session = store.session(NAME)
        host = Host.look(str(tmp_path))._replace(now=time.time_ns() + 86_400 * NS)
        verdict, told = judge(gather(session, store.survey(session), host), Thresholds())
        assert verdict is Verdict.CRASHED
        assert any("looking on" in e.detail and "tail" in e.detail for e in told)


def test_another_lastgood_is_no_sign(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    script = put(str(tmp_path / "lastgood"), WAITS.encode())
    with running(sys.executable, "-I", "-S", script, "restore", NAME, "--store", folder, cwd=Path(folder)):
        assert signs(tmp_path) == ()
    with running(*python(WAITS, "/srv/lastgood", NAME)):
        assert [s.how for s in signs(tmp_path)] == ["names"]


def test_those_who_started_us_are_no_sign(tmp_path: Path) -> None:
    write_session(str(tmp_path), NAME)
    look = (
        f"import sys; sys.path[:0] = {sys.path!r}; from lastgood.core.processes import look;"
        f" print(look({str(tmp_path)!r}).of({NAME!r}))"
    )
    wrapper = f"import subprocess, sys; subprocess.run([sys.executable, '-I', '-c', {look!r}, {NAME!r}])"
    out = subprocess.run(
        (sys.executable, "-I", "-S", "-c", wrapper, NAME), capture_output=True, text=True, check=True, timeout=30
    )
    assert out.stdout.strip() == "()"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_processes_of_others_that_cannot_be_looked_into_weaken_the_evidence(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    reading, writing = os.pipe()
    with running(*python(WAITS), cwd=Path(folder)):
        child = os.fork()
        if child == 0:
            try:
                os.setresuid(65534, 65534, 65534)
                host = Host(time.time_ns(), processes=processes.look(str(tmp_path)))
                os.write(writing, repr((host.unseen(0), host.unseen(65534), host.processes.of(NAME))).encode())
            finally:
                os._exit(0)
        os.close(writing)
        os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        others, own, found = eval(pipe.read(), {"Sign": Sign})  # noqa: S307
    assert "could not be looked into" in others
    assert own is None
    assert found == ()


@pytest.mark.skipif(
    subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0, reason="no mount namespaces here"
)
def test_a_process_in_a_container_that_sees_the_store_elsewhere(tmp_path: Path) -> None:
    store, elsewhere = tmp_path / "store", tmp_path / "data"
    store.mkdir()
    elsewhere.mkdir()
    write_session(str(store), NAME)
    inside = f'mount --bind {store} {elsewhere} && exec {sys.executable} -I -S -c "$0"'
    with running("unshare", "-m", "sh", "-c", inside, HOLDS, tell=f"{elsewhere}/{NAME}/agent.log"):
        (sign,) = signs(store)
        assert (sign.how, sign.what, sign.onlooker) == ("holds", f"{elsewhere}/{NAME}/agent.log", False)
    assert signs(store) == ()


def test_where_there_is_no_proc_the_facts_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_session(str(tmp_path), NAME)
    monkeypatch.setattr(processes, "_PROC", str(tmp_path / "absent"))
    host = Host.look(str(tmp_path))
    assert host.unseen(0) == "this system does not let processes be looked at"


def test_the_host_s_start_lies_before_now_and_after_1970(tmp_path: Path) -> None:
    host = Host.look(str(tmp_path))
    assert host.boot is not None
    assert 0 < host.boot < host.now


def test_a_path_of_mountinfo_is_read_with_its_escapes() -> None:
    assert evidence._unescaped(rb"/mnt/two\040words\134x") == "/mnt/two words\\x"


def test_what_one_look_and_one_judgement_cost(tmp_path: Path, figure: list[str]) -> None:
    write_session(str(tmp_path), NAME)
    opened = ContinuumStore(str(tmp_path))
    session = opened.session(NAME)
    survey = opened.survey(session)
    begun = time.perf_counter()
    host = Host.look(str(tmp_path))
    looked = time.perf_counter()
    for _ in range(1000):
        judge(gather(session, survey, host), Thresholds())
    judged = time.perf_counter()
    look_ms, session_us = 1e3 * (looked - begun), 1e3 * (judged - looked)
    figure.append(f"evidence: one look {look_ms:.1f} ms, judging one active session {session_us:.0f} us")
