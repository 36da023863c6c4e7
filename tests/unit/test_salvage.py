"""What is salvaged is a prefix of the original by meaning; the runtime accepts it and does not pick it by itself."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stores
from lastgood.core import checksum
from lastgood.core.continuum import ContinuumStore
from lastgood.core.errors import Refused
from lastgood.core.model import FileKind, Plan
from lastgood.core.salvage import check_salvaged, plan_salvage, salvage
from lastgood.core.shape import FIELDS, misfits

SESSION = "5e55a001"
MESSAGES = [
    {"role": "user", "content": 'Prüfe "src" \\ 日本語 🚀\n\t{"_version": [1, 2]}', "n": 0.0625},
    {"role": "assistant", "content": None, "tool_calls": [{"name": "sh", "arguments": {"cmd": ["ls"], "n": -12}}]},
    {"role": "tool", "content": [{"type": "text", "text": "exit 0"}, True, False]},
    "a bare string",
    1234567,
]
CONTENT = stores.checkpoint(SESSION, 3, id="cafe0003") | {
    "messages": MESSAGES,
    "tool_calls_pending": [{"id": 1, "name": "write_file"}, {"id": 2, "name": "sh"}],
    "tool_results": {"call_1": {"ok": True, "lines": [1, 2, 3]}, "call_2": "text", "call_3": 17},
    "resume_hint": "go on",
    "cost_estimate": 0.375,
}
RAW = stores.seal(CONTENT)
LATER = stores.seal(CONTENT | {"created_at": stores.rfc3339(stores.START + 10**12), "iteration": 4})


def assert_prefix(kept: dict[str, Any], original: dict[str, Any]) -> None:
    """Every field kept is the original's, in its order; the last of them may have lost elements at its end."""
    expected = [k for k in sorted(original) if not k.startswith("_")]
    assert sorted(kept) == expected[: len(kept)]
    for i, key in enumerate(sorted(kept)):
        whole = original[key]
        if kept[key] == whole:
            continue
        assert i == len(kept) - 1, f"{key} is cut, and not the last"
        if isinstance(whole, list):
            assert kept[key] == whole[: len(kept[key])]
        else:
            assert list(kept[key].items()) == sorted(whole.items())[: len(kept[key])]


def salvaged(raw: bytes) -> dict[str, Any] | None:
    try:
        return salvage(raw).value
    except Refused:
        return None


FIRST_MESSAGE_ENDS = RAW.index(b"},", RAW.index(b'"messages"')) + 1
CUTS = st.integers(1, len(RAW) - 1)


@settings(max_examples=250, deadline=None)
@given(CUTS)
def test_of_a_truncated_file_a_prefix_is_kept(cut: int) -> None:
    kept = salvaged(RAW[:cut])
    assert (kept is not None) == (cut >= FIRST_MESSAGE_ENDS)
    if kept is not None:
        assert_prefix(kept, CONTENT)


def test_nothing_whole_is_given_up() -> None:
    """Each field and each message is kept as soon as its last byte is there."""
    messages = fields = 0
    for cut in range(FIRST_MESSAGE_ENDS, len(RAW)):
        kept = salvaged(RAW[:cut])
        assert kept is not None
        assert (len(kept["messages"]), len(kept)) >= (messages, fields), cut
        messages, fields = len(kept["messages"]), len(kept)
    assert salvaged(RAW[:-1]) == CONTENT
    ends_second = RAW.index(b"\n    },\n", FIRST_MESSAGE_ENDS) + len(b"\n    }")
    assert len((salvaged(RAW[:ends_second]) or {})["messages"]) == 2
    assert len((salvaged(RAW[: ends_second - 1]) or {})["messages"]) == 1


@settings(max_examples=150, deadline=None)
@given(CUTS, st.binary(min_size=1, max_size=6))
def test_nothing_is_taken_from_behind_damage(at: int, rubbish: bytes) -> None:
    """NULs, bytes that are no UTF-8, another file: what is kept is from before it, or a document that verifies."""
    for damage in (bytes(7) + RAW[at + 7 :], b"\xff" + RAW[at + 1 :], b"\x01" + rubbish, LATER[:-9]):
        kept = salvaged(RAW[:at] + damage)
        if kept is not None:
            assert_prefix(kept, CONTENT)


@settings(max_examples=60, deadline=None)
@given(CUTS)
def test_of_a_spliced_file_the_document_that_verifies_is_kept(at: int) -> None:
    kept = salvage(RAW[:at] + LATER)
    assert kept.whole
    assert kept.value == json.loads(LATER, object_hook=lambda o: {k: v for k, v in o.items() if k[0] != "_"})
    assert (kept.first, kept.last) == (at, at + len(LATER))


def test_a_seam_that_shows_ends_the_prefix() -> None:
    """The tail of another file, glued on between two lines: its keys begin again."""
    first = RAW[: RAW.index(b'  "tokens_used"')]
    second = LATER[LATER.index(b'  "messages"') : -20]
    kept = salvage(first + second)
    assert_prefix(kept.value, CONTENT)
    assert list(kept.value)[-1] == "session_id"


@pytest.mark.parametrize("tail", [b"\0" * 9, b"x", LATER[len(LATER) // 2 :], b"\xef\xbb\xbf"])
def test_what_stands_behind_a_whole_document_is_left(tail: bytes) -> None:
    kept = salvage(RAW + tail)
    assert kept.whole and kept.value == CONTENT


def test_of_two_whole_documents_the_later_is_kept() -> None:
    assert salvage(RAW + LATER).value["iteration"] == 4
    assert salvage(LATER + b"\n" + RAW).value["iteration"] == 4


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32-le"])
def test_another_encoding_is_read_as_what_it_is(encoding: str) -> None:
    kept = salvage(RAW.decode().encode(encoding))
    assert kept.whole and kept.value == CONTENT
    assert_prefix(salvage(RAW[:-200].decode().encode(encoding)).value, CONTENT)


@pytest.mark.parametrize("poison", [b"1e999", b'"\\ud800"', b"[" * 130 + b"]" * 130])
def test_what_the_runtime_cannot_read_ends_the_prefix(poison: bytes) -> None:
    at = RAW.index(b'"call_3": 17') + len(b'"call_3": ')
    for rest in (RAW[at + 2 :], b"", bytes(50)):
        raw = RAW[:at] + poison + rest
        assert_prefix(salvage(raw).value, CONTENT)
        assert salvage(raw).value["tool_results"].keys() == {"call_1", "call_2"}


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (RAW, "nothing to salvage"),
        (RAW.replace(b"go on", b"go up"), "nothing to salvage"),
        (RAW.replace(b"go on", b"go up") + b"x", "whole document whose digest fails"),
        (b"", "nothing"),
        (bytes(4096), "nothing"),
        (RAW[:300], "before its first message ends"),
        (b'[1, 2, {"a"', "nothing of it can be kept"),
        (b"\xff\xfe\x00", "nothing"),
    ],
)
def test_refusals(raw: bytes, says: str) -> None:
    with pytest.raises(Refused, match=says):
        salvage(raw)


def test_the_loss_is_said_in_numbers() -> None:
    cut = RAW.index(b'"a bare')
    kept = salvage(RAW[:cut])
    assert kept.messages == 3
    assert kept.problem == f"ends at byte {cut} inside an array, after a comma"
    assert kept.lost.startswith(f"kept: 3 messages, 5 fields (bytes 0 to {kept.last - 1} of {cut}); lost: ")
    assert "6 fields: resume_hint, session_id, tokens_used, tool_calls_pending, tool_results, trigger" in kept.lost


def damaged_session(tmp_path: Path, raw: bytes, **more: Any) -> tuple[ContinuumStore, str]:
    """A session whose newest checkpoint is `raw`; gives the store and that file's path."""
    folder = stores.write_session(str(tmp_path), SESSION, **more)
    at = stores.START + 3600 * stores.NS
    path = stores.put(os.path.join(folder, "checkpoints", "cp_20261123_120000_cafe0003.json"), raw, at=at)
    return ContinuumStore(str(tmp_path)), path


def plan(store: ContinuumStore, path: str) -> Plan:
    session = store.session(SESSION)
    survey = store.survey(session)
    return plan_salvage(store, session, survey, next(f for f in survey.files if f.path == path))


def write(made: Plan) -> str:
    """Do what the plan says, as plainly as can be."""
    (step,) = made.steps
    assert step.op == "create" and isinstance(step.content, bytes)
    return stores.put(step.path, step.content, at=step.mtime_ns, mode=step.mode or 0o600)


@settings(max_examples=60, deadline=None)
@given(st.integers(FIRST_MESSAGE_ENDS, len(RAW) - 1))
def test_the_runtime_accepts_and_can_load_every_salvaged_file(tmp_path_factory: Any, cut: int) -> None:
    store, path = damaged_session(tmp_path_factory.mktemp("s"), RAW[:cut], checkpoints=1)
    made = plan(store, path)
    content = made.steps[0].content
    assert isinstance(content, bytes)
    seen = checksum.verify(content)
    assert seen.integrity == "valid" and seen.runtime_accepts and seen.value is not None
    assert misfits(seen.value) == ()
    value = seen.value
    assert value["trigger"] == "salvaged"
    assert value["salvaged_from"] == os.path.basename(path)
    note = value["salvaged"]
    assert isinstance(note, dict)
    not_read = set(note["assumed"])
    kept = salvage(RAW[:cut]).value
    assert not_read == set(FIELDS) - set(kept) - {"checkpoint_id", "trigger"}
    for field in set(FIELDS) - not_read - {"checkpoint_id", "trigger"}:
        assert value[field] == kept[field]
    for field in not_read:
        assert any(w.startswith(f"{field} was not reached: ") for w in made.warnings)
    assert note["original"]["checkpoint_id"] == "cafe0003"


def test_the_plan_names_and_writes_one_new_file(tmp_path: Path) -> None:
    store, path = damaged_session(tmp_path, RAW[:-60])
    before = stores.snapshot(str(tmp_path))
    made = plan(store, path)
    assert stores.snapshot(str(tmp_path)) == before, "planning writes nothing"
    new = write(made)
    value = json.loads(Path(new).read_bytes())
    assert os.path.basename(new).startswith("cp_") and new.endswith(f"_{value['checkpoint_id']}.json")
    assert value["session_id"] == SESSION
    assert made.facts["checkpoint_id"] == value["checkpoint_id"] != "cafe0003"
    assert made.reads[0][0] == path
    assert check_salvaged(store, made) is None
    os.truncate(new, 100)
    assert "does not verify" in (check_salvaged(store, made) or "")
    os.unlink(new)
    assert "is not there" in (check_salvaged(store, made) or "")
    assert "4 messages" in made.steps[0].detail or "5 messages" in made.steps[0].detail


def test_recovery_does_not_pick_it_by_itself(tmp_path: Path) -> None:
    store, path = damaged_session(tmp_path, RAW[:-60], checkpoints=3)
    session = store.session(SESSION)
    chosen = store.recover(session).chosen
    new = write(plan(store, path))
    after = store.recover(session).chosen
    assert chosen is not None and after is not None and after.file.path == chosen.file.path != new
    folder = os.path.join(session.path, "checkpoints")
    for file in store.survey(session).of(FileKind.CHECKPOINT):
        if file.path != new:
            os.truncate(os.path.join(folder, file.name), 5)
    last = store.recover(session).chosen
    assert last is not None and last.file.path == new, "only when nothing else is left"


def test_it_says_so_where_the_runtime_has_nothing_else(tmp_path: Path) -> None:
    store, path = damaged_session(tmp_path, RAW[:-60], checkpoints=0)
    assert any("recovery will find this one" in w for w in plan(store, path).warnings)


def test_it_does_not_push_a_backup_aside(tmp_path: Path) -> None:
    store, path = damaged_session(tmp_path, RAW[:-60], checkpoints=2)
    folder = os.path.dirname(path)
    for name in os.listdir(folder):
        if name.startswith("cp_"):
            os.truncate(os.path.join(folder, name), FIRST_MESSAGE_ENDS)
    with pytest.raises(Refused, match=r"restore 5e55a001 latest\.json\.backup"):
        plan(store, path)


def test_an_orphan_is_salvaged_too(tmp_path: Path) -> None:
    folder = stores.write_session(str(tmp_path), SESSION)
    orphan = stores.put(os.path.join(folder, "checkpoints", ".tmp_checkpoint_8f"), RAW[:-100], at=stores.START)
    value = json.loads(Path(write(plan(ContinuumStore(str(tmp_path)), orphan))).read_bytes())
    assert value["salvaged_from"] == ".tmp_checkpoint_8f"
    assert value["messages"] == MESSAGES


def test_a_number_that_the_runtime_misreads_is_said(tmp_path: Path) -> None:
    raw = RAW.replace(b"0.375", b"0.19317299999999998")[:-60]
    store, path = damaged_session(tmp_path, raw)
    made = plan(store, path)
    assert ".cost_estimate becomes 0.193173, as the runtime reads 0.19317299999999998" in made.warnings


def test_another_sessions_part_stays_anothers(tmp_path: Path) -> None:
    store, path = damaged_session(tmp_path, RAW.replace(SESSION.encode(), b"0ther5e5")[:-60])
    made = plan(store, path)
    assert any("restoring it needs --foreign" in w for w in made.warnings)


def test_what_could_not_be_loaded_is_refused(tmp_path: Path) -> None:
    store, path = damaged_session(tmp_path, RAW.replace(b'"iteration": 3', b'"iteration": "three"')[:-60])
    with pytest.raises(Refused, match="iteration is a string, not an integer"):
        plan(store, path)


def test_nothing_is_written_through_a_symlink(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    _, path = damaged_session(tmp_path / "real", RAW[:-60])
    os.symlink(tmp_path / "real" / SESSION, tmp_path / SESSION)
    linked = ContinuumStore(str(tmp_path))
    with pytest.raises(Refused, match="symlink"):
        plan(linked, path.replace("/real/", "/"))


def test_of_recoded_text_the_file_s_own_bytes_are_told() -> None:
    content = stores.checkpoint(SESSION, 3, id="0000abcd")
    raw = stores.seal(content).decode().encode("utf-16-le")
    torn = raw[: raw.index("tokens_used".encode("utf-16-le")) + 4]
    kept = salvage(torn)
    assert kept.messages == 4
    assert 0 == kept.first < kept.last <= len(torn)
    assert f"of {len(torn)})" in kept.lost
