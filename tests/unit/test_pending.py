"""Pending tool calls, told by name and arguments in whatever shape the agent keeps them."""

from __future__ import annotations

import pytest

from lastgood.core.pending import pending_calls


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ({"type": "function", "function": {"name": "shell", "arguments": '{"command": "rm -rf build"}'}},
         'shell "rm -rf build"'),
        ({"type": "tool_use", "id": "t1", "name": "shell", "input": {"command": "ls"}}, 'shell "ls"'),
        ({"name": "send", "arguments": {"to": "a@b", "n": 2}}, 'send {"to":"a@b","n":2}'),
        ({"tool": "send", "args": [1, 2]}, "send [1,2]"),
        ({"tool": "now"}, "now"),
        ({"name": "now", "arguments": "{}"}, "now"),
        ({"function": "now", "arguments": {"zone": "UTC"}}, 'now "UTC"'),
        ({"name": "f", "arguments": "not JSON {"}, "f not JSON {"),
        ({"x": {"y": None}}, '{"x":{"y":null}}'),
        ("just text", "just text"),
        (None, ""),
        (17, "17"),
        ({"name": 3, "arguments": 4}, '{"name":3,"arguments":4}'),
        ({"function": ["odd"]}, '{"function":["odd"]}'),
    ],
)  # fmt: skip
def test_a_call_is_told_in_one_line(call: object, says: str) -> None:
    (found,) = pending_calls({"tool_calls_pending": [call]})
    assert found.says() == says


@pytest.mark.parametrize("value", [{}, {"tool_calls_pending": None}, {"tool_calls_pending": {"a": 1}}, [], "x", None])
def test_nothing_pending_where_there_is_no_list(value: object) -> None:
    assert pending_calls(value) == ()


def test_huge_and_deep_arguments_stay_short() -> None:
    deep: object = "end"
    for _ in range(5000):
        deep = [deep]
    long, nested = pending_calls({"tool_calls_pending": [{"name": "w", "arguments": {"a": "x" * 9999, "b": 1}}, deep]})
    assert len(long.arguments) == 4096
    assert nested.arguments == "(arguments that cannot be shown)"
