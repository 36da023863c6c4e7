"""What a person would say differs, and that nothing that differs is missed."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastgood.core import jq
from lastgood.core.diff import LIMIT, diff, same

POINT: dict[str, Any] = {
    "checkpoint_id": "a",
    "cost_estimate": 0.1,
    "iteration": 4,
    "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}],
    "tokens_used": 1000,
    "_checksum": "00",
}


def changed(**fields: object) -> dict[str, Any]:
    return {**copy.deepcopy(POINT), **fields}


def test_a_later_save_says_what_was_added() -> None:
    later = changed(
        checkpoint_id="b",
        iteration=5,
        tokens_used=2204,
        cost_estimate=0.30000000000000004,
        messages=[*POINT["messages"], {"role": "user", "content": "more"}],
        _checksum="11",
    )
    found = diff(POINT, later)
    assert found.summary == "1 message added, cost_estimate +0.2, iteration +1, tokens_used +1,204"
    assert (found.messages_added, found.messages_lost) == (1, 0)
    assert [(c.path, c.kind) for c in found.changes] == [
        (".cost_estimate", "changed"),
        (".iteration", "changed"),
        (".messages[2]", "added"),
        (".tokens_used", "changed"),
        (".checkpoint_id", "changed"),
        ("._checksum", "changed"),
    ]
    assert found.changes[3].delta == 1204
    assert diff(later, POINT).messages_lost == 1


def test_messages_and_figures_are_found_where_the_layout_keeps_them() -> None:
    wrapped = {"state": POINT, "created_at": "1", "_version": 1}
    longer = changed(iteration=6, messages=[*POINT["messages"], {"role": "user", "content": "more"}], mood="calm")
    found = diff(wrapped, {**wrapped, "state": longer, "created_at": "2"}, ("state",))
    assert found.summary == "1 message added, iteration +2, 1 other field changed"
    assert [c.path for c in found.changes if c.message] == [".state.messages[2]"]
    assert diff({"state": longer}, wrapped, ("state",)).messages_lost == 1
    assert diff(wrapped, {**wrapped, "state": "torn"}, ("state",)).summary == "1 field changed"


def test_a_message_edited_in_place_is_a_change_of_its_field() -> None:
    messages = copy.deepcopy(POINT["messages"])
    messages[1]["content"] = "good day"
    (only,) = diff(POINT, changed(messages=messages)).changes
    assert (only.path, only.old, only.new) == (".messages[1].content", "hello", "good day")


def test_a_conversation_that_went_another_way() -> None:
    found = diff(POINT, changed(messages=[POINT["messages"][0], {"role": "x"}, {"role": "y"}]))
    assert found.summary == "2 messages added, 1 message lost"


def test_the_same_content_saved_again_and_nothing_at_all() -> None:
    assert diff(POINT, changed(checkpoint_id="b", _checksum="1")).summary == "the same content, another save"
    assert diff(POINT, POINT).summary == "no difference"
    assert diff(POINT, POINT).changes == ()


@pytest.mark.parametrize(("a", "b"), [(1, 1.0), (1, True), (0.0, -0.0), (None, False), ("1", 1), ([], {})])
def test_values_that_python_confuses_differ(a: object, b: object) -> None:
    assert len(diff({"x": a}, {"x": b}).changes) == 1


def test_a_fraction_has_the_difference_that_a_person_computes() -> None:
    assert diff({"x": 0.1}, {"x": 0.3}).changes[0].delta == 0.2


def test_huge_inputs_give_a_bounded_answer() -> None:
    old = {f"k{i}": i for i in range(LIMIT + 500)}
    found = diff(old, {k: v + 1 for k, v in old.items()})
    assert len(found.changes) == LIMIT and found.unlisted == 500
    assert "500 more changes not listed" in found.summary


def test_paths_are_jq_s() -> None:
    assert jq.path([]) == "."
    assert jq.path(["messages", 3, "content"]) == ".messages[3].content"
    assert jq.path(["odd key", "b"]) == '.["odd key"].b'
    assert jq.path(["a", 'q"\n']) == r'.a["q\"\n"]'
    assert jq.path([0]) == ".[0]"
    assert jq.path(["ключ"]) == '.["ключ"]'
    assert jq.path(["\u202e"]) == r'.["\u202e"]'


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False, width=16) | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(["messages", "a", "b", "_checksum"]), VALUES, max_size=3)


@settings(max_examples=150, deadline=None)
@given(OBJECTS, OBJECTS)
def test_nothing_differs_exactly_where_nothing_is_found(old: dict[str, object], new: dict[str, object]) -> None:
    assert (diff(old, new).changes == ()) == same(old, new)
    assert diff(old, copy.deepcopy(old)).changes == ()
