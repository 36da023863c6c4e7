"""session_meta.json rebuilt: every field from the best source, named; nothing that still reads is lost."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import stores
from lastgood.core.continuum import ContinuumStore
from lastgood.core.errors import Refused
from lastgood.core.fragments import read_fragments
from lastgood.core.meta import read_meta
from lastgood.core.model import ABSENT, Plan, State
from lastgood.core.repair import FIELDS, check_repaired, plan_repair
from lastgood.core.times import parse_rfc3339

SESSION = "b50c99b6"
AT = stores.START + 95 * stores.NS
MORE = {"host": "web-1", "tags": {"is_active": 1}}
META = stores.meta_bytes(SESSION, active=False, reason="user quit", iteration=9, at=AT, **MORE)
WHOLE = json.loads(META)


def plan(tmp_path: Path, meta: bytes | None, *, checkpoints: int = 3, state: dict[str, Any] | None = None) -> Plan:
    folder = stores.write_session(str(tmp_path), SESSION, meta=meta, no_meta=meta is None, checkpoints=checkpoints)
    if state is not None:
        stores.put(os.path.join(folder, "state.json"), json.dumps(state).encode())
    store = ContinuumStore(str(tmp_path))
    session = store.session(SESSION)
    return plan_repair(store, session, store.survey(session))


def task(**more: Any) -> dict[str, Any]:
    made = {"session_id": SESSION, "status": "Running", "completed": False, "iteration": 4, "task_description": None}
    return made | {"last_updated": stores.rfc3339(stores.START + 100 * stores.NS)} | more


def rebuilt(made: Plan) -> dict[str, Any]:
    content = made.steps[0].content
    assert isinstance(content, bytes)
    read_meta(content)
    value: dict[str, Any] = json.loads(content)
    return value


def source(made: Plan, field: str) -> str:
    (said,) = [w for w in made.warnings if w.startswith(f"{field}: ")]
    return said.rsplit(" (", 1)[1].rstrip(")")


@settings(max_examples=120, deadline=None)
@example(2, 1, "nul")
@given(st.integers(0, len(META)), st.integers(1, 40), st.sampled_from(["cut", "nul", "bytes", "gone"]))
def test_what_still_reads_is_taken_and_nothing_is_made_up(at: int, length: int, damage: str) -> None:
    after = META[at + length :]
    damaged = {"cut": b"", "nul": bytes(length) + after, "bytes": b"\xff\x01" * length + after, "gone": after}
    raw = META[:at] + damaged[damage]
    found = read_fragments(raw, FIELDS)
    unread = set(FIELDS) - found.known.keys()
    touched = META[max(0, at - 1) : at + length + 1] if damage != "cut" else META[max(0, at - 1) :]
    lines = touched.count(b"\n") + 2
    assert len(unread) <= lines, "only members that the damage touches are lost"
    if damage == "gone":
        return  # what is left may close up into something that reads
    for name, value in found.known.items():
        assert WHOLE[name] == value
    for name, text in found.unknown:
        assert json.loads(b"{" + text + b"}") == {name: WHOLE[name]}


@pytest.mark.parametrize("cut", range(0, len(META), 7))
def test_a_truncated_file_is_rebuilt_into_one_that_reads(tmp_path: Path, cut: int) -> None:
    made = plan(tmp_path, META[:cut])
    value = rebuilt(made)
    assert value["session_id"] == SESSION
    assert made.steps[0].op == "replace" and made.steps[0].mode is None
    for field in FIELDS:
        if source(made, field) == "the damaged text":
            assert value[field] == WHOLE[field]


def test_a_missing_file_is_built_from_the_checkpoints(tmp_path: Path) -> None:
    made = plan(tmp_path, None)
    value = rebuilt(made)
    assert made.steps[0].op == "create" and made.steps[0].before == ABSENT and made.steps[0].mode == 0o644
    assert value == {
        "session_id": SESSION,
        "is_active": True,
        "termination_reason": None,
        "last_updated": value["last_updated"],
        "last_iteration": 3,
    }
    assert parse_rfc3339(value["last_updated"]) == stores.START + 60 * stores.NS
    assert "no end was recorded" in source(made, "is_active")
    assert source(made, "last_iteration").startswith("the newest valid checkpoint, cp_")


def test_a_damaged_newest_checkpoint_is_no_source(tmp_path: Path) -> None:
    folder = stores.write_session(str(tmp_path), SESSION, no_meta=True)
    newest = os.path.join(folder, "checkpoints", os.readlink(os.path.join(folder, "checkpoints", "latest.json")))
    times = os.stat(newest)
    os.truncate(newest, 200)
    os.utime(newest, ns=(times.st_atime_ns, times.st_mtime_ns))
    store = ContinuumStore(str(tmp_path))
    session = store.session(SESSION)
    assert rebuilt(plan_repair(store, session, store.survey(session)))["last_iteration"] == 2


@pytest.mark.parametrize(
    ("more", "active", "reason"),
    [
        ({}, True, None),
        ({"status": "Paused"}, True, None),
        ({"status": "Completed", "completed": True}, False, "completed"),
        ({"status": "Error"}, False, "error"),
    ],
)
def test_state_json_tells_how_it_ended(tmp_path: Path, more: dict[str, Any], active: bool, reason: str | None) -> None:
    made = plan(tmp_path, b"", state=task(**more))
    value = rebuilt(made)
    assert (value["is_active"], value["termination_reason"]) == (active, reason)
    assert source(made, "is_active") == f"state.json, status {task(**more)['status']}"
    assert (value["last_iteration"], source(made, "last_iteration")) == (4, "state.json")
    assert value["last_updated"] == task()["last_updated"].replace(".000000000", "")


def test_a_reason_without_the_flag_means_ended(tmp_path: Path) -> None:
    made = plan(tmp_path, META.replace(b'"is_active": false', b'"is_active": fal\0e'))
    value = rebuilt(made)
    assert (value["is_active"], value["termination_reason"]) == (False, "user quit")
    assert source(made, "is_active") == "the damaged text, which gives a termination_reason"


@pytest.mark.parametrize(
    ("old", "new", "field", "value"),
    [
        (b'"is_active": false', b'"is_active": 0', "is_active", False),
        (b'"last_iteration": 9', b'"last_iteration": "9"', "last_iteration", 3),
        (b'"last_iteration": 9', b'"last_iteration": 3000000000', "last_iteration", 3),
        (b'"user quit"', b"17", "termination_reason", None),
        (META[META.index(b'"2026') : META.index(b'"2026') + 32], b'"yesterday"', "last_updated", None),
        (b'"session_id": "b50c99b6",', b"", "session_id", SESSION),
    ],
)
def test_a_value_of_the_wrong_kind_is_replaced_and_the_rest_kept(
    tmp_path: Path, old: bytes, new: bytes, field: str, value: object
) -> None:
    assert old in META
    made = plan(tmp_path, META.replace(old, new))
    got = rebuilt(made)
    assert {k: v for k, v in got.items() if k != field} == {k: v for k, v in WHOLE.items() if k != field}
    assert field == "last_updated" or got[field] == value
    assert source(made, field) != "the damaged text"


def test_a_key_given_twice_is_believed_only_if_it_agrees(tmp_path: Path) -> None:
    twice = META.replace(b'"is_active": false', b'"is_active": false,\n  "is_active": true')
    made = plan(tmp_path, twice)
    assert rebuilt(made)["is_active"] is False, "the reason is still there"
    assert any("gives is_active twice" in w for w in made.warnings)
    (tmp_path / "b").mkdir()
    made = plan(tmp_path / "b", META.replace(b'"is_active": false', b'"is_active": false,\n  "is_active": false'))
    assert source(made, "is_active") == "the damaged text"


def test_unknown_fields_keep_their_text(tmp_path: Path) -> None:
    odd = b'  "big": 1e999,\n  "big": [1,  2],\n  "k\\u0065y": "\\/",\n  "bad": nul,\n'
    made = plan(tmp_path, META.replace(b'  "host"', odd + b'  "host"')[:-30])
    content = made.steps[0].content
    assert isinstance(content, bytes)
    for text in (b'"big": 1e999', b'"big": [1,  2]', b'"k\\u0065y": "\\/"', b'"host": "web-1"'):
        assert text in content
    assert b"nul," not in content
    assert any(w.startswith("kept from the damaged text") and "host" in w for w in made.warnings)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_an_editors_encoding_costs_nothing(tmp_path: Path, encoding: str) -> None:
    assert rebuilt(plan(tmp_path, META.decode().encode(encoding))) == WHOLE


def test_one_line_without_white_space(tmp_path: Path) -> None:
    packed = json.dumps(WHOLE, separators=(",", ":")).encode()
    value = rebuilt(plan(tmp_path, packed.replace(b'"is_active":false', b'"is_active":f\xff\xffse', 1)))
    assert {k: value[k] for k in FIELDS} == {k: WHOLE[k] for k in FIELDS}


def test_an_array_of_five_is_read_by_position(tmp_path: Path) -> None:
    five = json.dumps([WHOLE[name] for name in FIELDS]).encode()
    value = rebuilt(plan(tmp_path, five[:-3]))
    assert {k: value[k] for k in FIELDS[:4]} == {k: WHOLE[k] for k in FIELDS[:4]}
    assert value["last_iteration"] == 3


def test_the_folder_names_the_session(tmp_path: Path) -> None:
    made = plan(tmp_path, META.replace(SESSION.encode(), b"../../x")[:-1])
    assert rebuilt(made)["session_id"] == SESSION
    assert "the damaged text names another session, ../../x" in made.warnings


def test_the_plan_writes_nothing_and_rests_on_what_it_read(tmp_path: Path) -> None:
    made = plan(tmp_path, b"{")
    before = stores.snapshot(str(tmp_path))
    assert Path(made.steps[0].path).read_bytes() == b"{"
    assert {os.path.basename(path) for path, _ in made.reads} >= {"state.json"}
    assert any(os.path.basename(path).startswith("cp_") for path, _ in made.reads)
    assert set(made.facts) == set(FIELDS)
    assert stores.snapshot(str(tmp_path)) == before


def test_once_written_the_session_is_whole(tmp_path: Path) -> None:
    made = plan(tmp_path, META[:50])
    (step,) = made.steps
    assert isinstance(step.content, bytes)
    store = ContinuumStore(str(tmp_path))
    assert "does not read" in (check_repaired(store, made) or "")
    Path(step.path).write_bytes(step.content)
    assert check_repaired(store, made) is None
    session = store.session(SESSION)
    assert session.state in (State.ACTIVE, State.TERMINATED)
    with pytest.raises(Refused, match="nothing to repair"):
        plan_repair(store, session, store.survey(session))


def test_what_is_no_damage_is_refused(tmp_path: Path) -> None:
    os.makedirs(tmp_path / "empty" / "checkpoints")
    stores.write_session(str(tmp_path), "linked", no_meta=True)
    os.symlink("/nowhere", tmp_path / "linked" / "session_meta.json")
    stores.write_session(str(tmp_path), "fifo", no_meta=True)
    os.mkfifo(tmp_path / "fifo" / "session_meta.json")
    store = ContinuumStore(str(tmp_path))
    for name, says in (("empty", "nothing shows"), ("linked", "a symlink"), ("fifo", "a FIFO")):
        session = store.session(name)
        with pytest.raises(Refused, match=says):
            plan_repair(store, session, store.survey(session))
