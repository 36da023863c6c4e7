"""Facts in, verdict out: every rule is reached, and each threshold holds on both of its sides."""

from __future__ import annotations

import pytest

from lastgood.core.model import State, Verdict
from lastgood.core.verdict import Facts, Restored, Sign, Thresholds, judge, may_be_live, patience_seconds

S = 1_000_000_000
NOW = 2_000_000 * S
USUAL = Thresholds()
ACTIVE = Facts(now=NOW, state=State.ACTIVE, is_active=True, boot=NOW - 90_000 * S, last_write=NOW - 300 * S)
ENDED = Facts(now=NOW, state=State.TERMINATED, reason="completed")
AGENT = Sign(7, "python agent.py", "holds", "checkpoints/latest.json")
SHELL = Sign(8, "bash", "works in", "", onlooker=True)


def seen(facts: Facts, thresholds: Thresholds = USUAL) -> tuple[Verdict, dict[str, str]]:
    verdict, evidence = judge(facts, thresholds)
    assert all(e.detail for e in evidence)
    assert len({e.kind for e in evidence}) == len(evidence)
    return verdict, {e.kind: e.says for e in evidence}


@pytest.mark.parametrize(
    ("facts", "verdict", "kind", "says"),
    [
        (ACTIVE, Verdict.CRASHED, "idle", "crashed"),
        (ACTIVE._replace(last_write=NOW - 10 * S), Verdict.UNCERTAIN, "idle", "live"),
        (ACTIVE._replace(last_write=None), Verdict.UNCERTAIN, "flags", "unclear"),
        (ACTIVE._replace(signs=(AGENT,)), Verdict.LIVE, "process", "live"),
        (ACTIVE._replace(signs=(AGENT._replace(how="names"),)), Verdict.LIVE, "process", "live"),
        (ACTIVE._replace(signs=(SHELL,)), Verdict.CRASHED, "process", "crashed"),
        (ACTIVE._replace(signs=(SHELL, AGENT)), Verdict.LIVE, "process", "live"),
        (ACTIVE._replace(unseen="3 processes could not be looked into"), Verdict.CRASHED, "process", "unclear"),
        (ACTIVE._replace(remote="nfs4"), Verdict.CRASHED, "process", "unclear"),
        (ACTIVE._replace(last_write=NOW - 10 * S, boot=NOW - 5 * S), Verdict.CRASHED, "boot", "crashed"),
        (
            ACTIVE._replace(last_write=NOW - 10 * S, boot=NOW - 5 * S, remote="nfs4"),
            Verdict.UNCERTAIN,
            "boot",
            "unclear",
        ),
        (
            ACTIVE._replace(last_write=NOW - 40 * S, temp_files=((".tmp_checkpoint_1", NOW - 40 * S),)),
            Verdict.CRASHED,
            "temp-file",
            "crashed",
        ),
        (
            ACTIVE._replace(last_write=NOW - 2 * S, temp_files=((".tmp_checkpoint_1", NOW - 2 * S),)),
            Verdict.UNCERTAIN,
            "temp-file",
            "live",
        ),
        (
            ACTIVE._replace(last_write=NOW - 40 * S, temp_files=((".tmp_1", NOW - 40 * S),), unseen="hidden"),
            Verdict.UNCERTAIN,
            "temp-file",
            "crashed",
        ),
        (
            ACTIVE._replace(last_write=NOW - 9 * S, temp_files=((".tmp_1", NOW + 90 * S),)),
            Verdict.UNCERTAIN,
            "temp-file",
            "unclear",
        ),
        (ACTIVE._replace(last_write=None, from_the_future=("state.json",)), Verdict.UNCERTAIN, "clock", "unclear"),
        (ACTIVE._replace(task_status="Running"), Verdict.CRASHED, "task", "unclear"),
        (ACTIVE._replace(task_status="Error"), Verdict.CRASHED, "task", "crashed"),
        (ACTIVE._replace(task_status="Completed"), Verdict.CRASHED, "task", "ended"),
        (ACTIVE._replace(task_status="Paused"), Verdict.UNCERTAIN, "idle", "live"),
        (
            ACTIVE._replace(restored=Restored("restore", NOW - 9 * S, "kim@h", resumed=False)),
            Verdict.RESTORED,
            "journal",
            "restored",
        ),
        (
            ACTIVE._replace(restored=Restored("activate", NOW - 9 * S, "kim@h", resumed=True)),
            Verdict.CRASHED,
            "journal",
            "unclear",
        ),
        (
            ACTIVE._replace(restored=Restored("restore", NOW, "kim@h", resumed=False), signs=(AGENT,)),
            Verdict.LIVE,
            "process",
            "live",
        ),
        (ENDED, Verdict.ENDED, "flags", "ended"),
        (ENDED._replace(is_active=True), Verdict.ENDED, "flags", "ended"),
        (ENDED._replace(reason=None), Verdict.ENDED, "flags", "ended"),
        (ENDED._replace(signs=(AGENT,)), Verdict.UNCERTAIN, "process", "live"),
        (ENDED._replace(signs=(AGENT._replace(how="names"),)), Verdict.ENDED, "process", "live"),
        (ENDED._replace(task_status="Running"), Verdict.ENDED, "task", "unclear"),
        (ACTIVE._replace(state=State.UNTRACKED), Verdict.UNTRACKED, "flags", "untracked"),
        (ACTIVE._replace(state=State.DAMAGED, state_says="EOF"), Verdict.DAMAGED, "flags", "damaged"),
        (ACTIVE._replace(state=State.DAMAGED, signs=(AGENT,)), Verdict.LIVE, "process", "live"),
        (ACTIVE._replace(state=State.UNTRACKED, signs=(AGENT,)), Verdict.LIVE, "process", "live"),
    ],
)
def test_the_verdict_and_the_evidence_that_it_rests_on(facts: Facts, verdict: Verdict, kind: str, says: str) -> None:
    got, by_kind = seen(facts)
    assert got is verdict
    assert by_kind[kind] == says


@pytest.mark.parametrize(
    ("facts", "thresholds", "seconds"),
    [
        (ACTIVE, USUAL, 60),
        (ACTIVE._replace(rhythm_seconds=10), USUAL, 60),
        (ACTIVE._replace(rhythm_seconds=100), USUAL, 300),
        (ACTIVE._replace(rhythm_seconds=100), Thresholds(rhythm_factor=5), 500),
        (ACTIVE._replace(rhythm_seconds=86_400), USUAL, 3600),
        (ACTIVE._replace(unseen="x"), USUAL, 120),
        (ACTIVE._replace(remote="nfs"), Thresholds(unseen_factor=4), 240),
        (ACTIVE._replace(rhythm_seconds=1000, unseen="x"), USUAL, 3600),
        (ACTIVE._replace(task_status="Paused"), USUAL, 3600),
        (ACTIVE, Thresholds(live_min_seconds=7000), 7000),
    ],
)
def test_how_long_a_session_may_be_idle(facts: Facts, thresholds: Thresholds, seconds: float) -> None:
    assert patience_seconds(facts, thresholds) == seconds
    at_the_border = facts._replace(last_write=NOW - int(seconds * S))
    assert judge(at_the_border, thresholds)[0] is Verdict.CRASHED
    just_within = facts._replace(last_write=NOW - int(seconds * S) + 1)
    assert judge(just_within, thresholds)[0] is Verdict.UNCERTAIN


def test_a_temporary_file_is_abandoned_from_the_threshold_on() -> None:
    facts = ACTIVE._replace(last_write=NOW - 30 * S, temp_files=((".tmp_checkpoint_1", NOW - 30 * S),))
    assert judge(facts, USUAL)[0] is Verdict.CRASHED
    assert judge(facts, Thresholds(temp_file_seconds=30.5))[0] is Verdict.UNCERTAIN


def test_what_is_not_known_is_never_called_crashed() -> None:
    bare = Facts(now=NOW, state=State.ACTIVE, is_active=True)
    assert judge(bare, USUAL)[0] is Verdict.UNCERTAIN


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (ACTIVE._replace(signs=(AGENT,)), True),
        (ACTIVE._replace(last_write=NOW), True),
        (ACTIVE, False),
        (ENDED, False),
        (ENDED._replace(signs=(AGENT,)), True),
        (ACTIVE._replace(state=State.DAMAGED), False),
        (ACTIVE._replace(state=State.DAMAGED, last_write=NOW - S), True),
        (ACTIVE._replace(state=State.UNTRACKED, last_write=NOW - S), True),
        (ACTIVE._replace(last_write=NOW - 40 * S, temp_files=((".tmp_1", NOW - 40 * S),)), False),
    ],
)
def test_whether_writing_could_get_into_a_running_session_s_way(facts: Facts, expected: bool) -> None:
    assert may_be_live(*judge(facts, USUAL)) is expected


def test_the_sentences_name_process_file_and_times() -> None:
    facts = ACTIVE._replace(
        rhythm_seconds=20,
        temp_files=((".tmp_checkpoint_8f", NOW - 180 * S),),
        last_write=NOW - 180 * S,
        signs=(SHELL,),
    )
    told = {e.kind: e.detail for e in judge(facts, USUAL)[1]}
    assert told["idle"] == "idle 3 m, its rhythm is 20 s"
    assert told["temp-file"] == "temporary file .tmp_checkpoint_8f left 3 m ago: died between write and rename"
    assert "no process holds a file of it" in told["process"]
    assert "looking on: process 8 (bash) works in its folder" in told["process"]
    many = ACTIVE._replace(signs=tuple(AGENT._replace(pid=i) for i in range(5)))
    process = {e.kind: e.detail for e in judge(many, USUAL)[1]}["process"]
    assert "process 0 (python agent.py) holds checkpoints/latest.json open" in process
    assert process.endswith("and 2 more")
