"""A real runtime, killed at random moments: `live` before, `crashed` after, and the last finished save is advised."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from lastgood.core.assess import Assessed, assess, verify_all
from lastgood.core.continuum import ContinuumStore
from lastgood.core.evidence import Host
from lastgood.core.model import FileKind, Verdict
from lastgood.core.verdict import Thresholds
from stores import NS

WRITER = Path(__file__).with_name("killed_writer.py")
KILLS = 100


def test_a_writer_killed_a_hundred_times(tmp_path: Path, figure: list[str]) -> None:
    rng = random.Random(4)
    begun = time.monotonic()
    left = 0
    for number in range(KILLS):
        store = ContinuumStore(str(tmp_path))
        session = tmp_path / f"{rng.getrandbits(32):08x}"
        session.mkdir()
        finished = _killed_after(session, store, rng.uniform(0, 0.02))
        seen = _look(store, session.name, later=Thresholds().live_min_seconds)
        assert seen.verdict is Verdict.CRASHED, (number, seen.evidence)
        _advised_is_the_last_finished(seen, finished)
        left += any(p.file.kind is FileKind.ORPHAN for p in seen.points or ())
    figure.append(f"writer killed {KILLS} times in {time.monotonic() - begun:.1f} s; {left} left a temporary file")


def _killed_after(session: Path, store: ContinuumStore, delay: float) -> int:
    """Let the writer finish a save, find it live, kill it `delay` seconds on; the last save that it told of."""
    with subprocess.Popen(
        [sys.executable, "-I", "-S", str(WRITER), str(session)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        # The second save is told of after the metadata of the first is written.
        told = [writer.stdout.readline() for _ in range(2)]
        assert told == ["1\n", "2\n"]
        assert _look(store, session.name).verdict is Verdict.LIVE
        time.sleep(delay)
        writer.kill()
        told += writer.stdout.readlines()
    return int(told[-1])


def _look(store: ContinuumStore, name: str, *, later: float = 0) -> Assessed:
    host = Host.look(store.path)
    session = store.session(name)
    survey = store.survey(session)
    return assess(
        store,
        session,
        host=host._replace(now=host.now + int(later * NS)),
        thresholds=Thresholds(),
        actions=(),
        survey=survey,
        points=verify_all(store, survey) if later else None,
    )


def _advised_is_the_last_finished(seen: Assessed, told: int) -> None:
    """A save is finished when its file has its name; the writer can die between that and telling of it."""
    assert seen.best is not None and seen.points is not None
    renamed = {p.header.iteration for p in seen.points if p.file.kind is FileKind.CHECKPOINT}
    assert renamed == set(range(1, max(i for i in renamed if i is not None) + 1))
    finished = told + 1 if told + 1 in renamed else told
    assert max(i for i in renamed if i is not None) == finished
    assert seen.best.header.iteration == finished
    assert seen.best.file.kind is FileKind.CHECKPOINT
    whole = [p for p in seen.points if p.file.kind is FileKind.ORPHAN and p.valid]
    assert [p.header.iteration for p in whole] in ([], [finished + 1])
    assert seen.price_of(seen.best).iterations == len(whole)
