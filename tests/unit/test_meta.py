"""session_meta.json and state.json: read as the crate reads them, edited without losing a byte of anyone's."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastgood.core.meta import MetaFault, edit_meta, new_meta, read_meta, read_state
from lastgood.core.model import Meta, TaskState

TIME = 1_770_091_506_123_456_789
META = Meta("5e55a001", True, None, TIME, 7)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
space = st.sampled_from(["", " ", "\n  ", "\t", "\r\n"])
unknown = st.sampled_from(["1e999", '"\\ud800"', "[[[{}]]]", "-0", "null", '{"is_active": 5}', "123456789012345678901"])


def spelled(name: str, escaped: bool) -> str:
    return '"' + "".join(f"\\u{ord(c):04x}" for c in name) + '"' if escaped else f'"{name}"'


@given(
    data=st.data(),
    reason=st.none() | text,
    asked=st.tuples(st.booleans(), st.none() | text),
    around=st.tuples(space, space, space, space),
)
def test_an_edit_changes_two_values_and_nothing_else(
    data: st.DataObject, reason: str | None, asked: tuple[bool, str | None], around: tuple[str, str, str, str]
) -> None:
    before, colon, after, comma = around
    members = {
        "session_id": '"caf\\u00e9"',
        "is_active": "true",
        "termination_reason": json.dumps(reason, ensure_ascii=data.draw(st.booleans())),
        "last_updated": '"2026-02-03 04:05:06.5+01:00"',
        "last_iteration": "7",
    }
    for n in range(data.draw(st.integers(0, 3))):
        members[f"host_{n}"] = data.draw(unknown)
    order = data.draw(st.permutations(list(members)))
    names = {name: spelled(name, data.draw(st.booleans())) for name in order}

    def written(values: dict[str, str]) -> bytes:
        lines = (f"{before}{names[k]}{colon}:{after}{values[k]}" for k in order)
        return ("{" + f"{comma},".join(lines) + "\n}\n").encode()

    active, new_reason = asked
    edited = edit_meta(written(members), is_active=active, termination_reason=new_reason)

    now = {"is_active": "true" if active else "false"}
    kept = edited.decode()
    expected = {**members, **now, "termination_reason": "\0"}
    head, tail = written(expected).decode().split("\0")
    assert kept.startswith(head)
    assert kept.endswith(tail)
    assert json.loads(kept[len(head) : len(kept) - len(tail)]) == new_reason
    assert read_meta(edited) == Meta("café", active, new_reason, 1_770_087_906_500_000_000, 7)


def test_an_absent_reason_is_added_behind_is_active_laid_out_like_it() -> None:
    raw = (
        b'{\n    "session_id": "s",\n    "is_active" :true,\n'
        b'    "last_updated": "2026-02-03T04:05:06Z",\n    "last_iteration": 7\n}'
    )
    edited = edit_meta(raw, is_active=False, termination_reason="done")
    assert edited == raw.replace(b'"is_active" :true,', b'"is_active" :false,\n    "termination_reason" :"done",')
    assert edit_meta(raw, is_active=True, termination_reason=None) == raw


def test_an_array_of_five_stays_one() -> None:
    raw = b'[ "s",true , null,"2026-02-03T04:05:06Z",7]'
    edited = edit_meta(raw, is_active=False, termination_reason="out of memory")
    assert edited == b'[ "s",false , "out of memory","2026-02-03T04:05:06Z",7]'


def test_a_damaged_file_is_not_edited() -> None:
    with pytest.raises(MetaFault, match="EOF while parsing a string at line 1 column 12"):
        edit_meta(b'{"session_id', is_active=True, termination_reason=None)


def test_a_reason_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(MetaFault, match="not Unicode"):
        edit_meta(new_meta("s", True, None, TIME, 7), is_active=False, termination_reason="\udcff")


@given(text, st.booleans(), st.none() | text, st.integers(0, 10**19), st.integers(-(2**31), 2**31 - 1))
def test_a_new_file_reads_back(name: str, active: bool, reason: str | None, at: int, iteration: int) -> None:
    raw = new_meta(name, active, reason, at, iteration)
    assert read_meta(raw) == Meta(name, active, reason, at, iteration)
    assert json.loads(raw)["termination_reason"] == reason


def test_a_new_file_looks_as_the_crate_writes_it() -> None:
    assert new_meta("5e55a001", True, None, TIME, 7) == (
        b'{\n  "session_id": "5e55a001",\n  "is_active": true,\n  "termination_reason": null,\n'
        b'  "last_updated": "2026-02-03T04:05:06.123456789Z",\n  "last_iteration": 7\n}'
    )


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(junk: bytes) -> None:
    whole = new_meta("5e55a001", True, None, TIME, 7)
    for raw in (junk, whole[:40] + junk + whole[40:], whole[: len(junk)] + junk):
        try:
            read_meta(raw)
        except MetaFault as fault:
            assert str(fault)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"[1]", "invalid type: integer `1`, expected a string at line 1 column 2"),
        (b'["a"]', "invalid length 1, expected struct Meta with 5 elements at line 1 column 5"),
        (b'["a",true,null,"2026-02-03T04:05:06Z",7,8]', "trailing characters at line 1 column 41"),
        (b'"a\x7f\\n"', 'invalid type: string "a\\u{7f}\\n", expected struct Meta at line 1 column 6'),
        (b'{"x": [1,], "session_id": 1}', "expected value at line 1 column 10"),
        (b'{"x": {"a":1,}}', "key must be a string at line 1 column 14"),
        (b'{"session_id":"a","session_id" :1}', "duplicate field `session_id` at line 1 column 31"),
        (b'{"session_id":"a" "b":1}', "expected `,` or `}` at line 1 column 19"),
    ],
)
def test_faults_are_in_the_words_of_the_crate(text: bytes, fault: str) -> None:
    with pytest.raises(MetaFault) as raised:
        read_meta(text)
    assert str(raised.value) == fault


def test_unknown_members_may_nest_deeper_than_anything_that_is_read() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    assert read_meta(new_meta("5e55a001", True, None, TIME, 7)[:-2] + b',\n"x": ' + deep + b"}") == META


def test_state_is_read() -> None:
    raw = (
        b'{"session_id":"s","status":{"Running":null},"completed":false,'
        b'"iteration":3,"last_updated":"1970-01-01T00:00:01Z"}'
    )
    assert read_state(raw) == TaskState("s", "Running", False, 3, 1_000_000_000, None)
    assert read_state(raw).interrupted
    with pytest.raises(
        MetaFault, match="unknown variant `Ran`, expected one of `Running`, `Paused`, `Completed`, `Error`"
    ):
        read_state(raw.replace(b'{"Running":null}', b'"Ran"'))
