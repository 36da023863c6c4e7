"""The lines say what the file says: its order, its keys, its values, at any size and wherever it breaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastgood.core import jsontext
from lastgood.core.jsonfold import ALL, Folds, next_sibling, parent, previous_sibling
from lastgood.core.jsonline import Kind
from lastgood.core.jsonsearch import Search
from lastgood.core.jsontext import Index

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=25,
)
SPELLINGS = st.fixed_dictionaries(
    {
        "indent": st.sampled_from([None, 0, 1, 2, "\t"]),
        "separators": st.sampled_from([(",", ":"), (" , ", " : "), (", ", ": ")]),
        "ensure_ascii": st.booleans(),
    }
)


@contextmanager
def tiny_limits() -> Iterator[None]:
    """Pages, windows and slices so small that every value crosses them."""
    with mock.patch.multiple(jsontext, PAGE=3, PAGE_BYTES=40, WINDOW=40, SLICE=48, KEPT_PAGES=2):
        yield


def indexed(raw: bytes) -> Index:
    index = Index(raw)
    while not index.grow(1):
        pass
    return index


def lines(index: Index) -> list[str]:
    return [index.pretty(i) for i in range(len(index))]


def at(value: Any, steps: list[str | int]) -> Any:
    for step in steps:
        value = value[step]
    return value


@settings(max_examples=120, deadline=None)
@given(VALUES, SPELLINGS)
def test_any_spelling_of_a_value_is_shown_as_json_prints_it(value: object, spelling: dict[str, Any]) -> None:
    raw = json.dumps(value, **spelling).encode()
    printed = json.dumps(value, indent=2, ensure_ascii=spelling["ensure_ascii"]).split("\n")
    index = indexed(raw)
    assert lines(index) == printed and index.fault is None
    with tiny_limits():
        assert lines(indexed(raw)) == printed


@settings(max_examples=100, deadline=None)
@given(VALUES, SPELLINGS)
def test_each_line_knows_its_path_and_each_container_its_size(value: object, spelling: dict[str, Any]) -> None:
    with tiny_limits():
        index = indexed(json.dumps(value, **spelling).encode())
        for i in range(len(index)):
            line = index.line(i)
            steps = index.steps(i)
            assert steps is not None
            node = at(value, steps)
            if line.kind is Kind.LEAF:
                assert json.loads(index.text(line.start, line.end)) == node
            elif line.kind is Kind.OPEN:
                closing, size = index.closing(i) or (-1, -1)
                assert size == len(node)
                assert index.line(closing).opened == i and index.steps(closing) == steps
            assert index.line_at(line.start) == i


@settings(max_examples=150, deadline=None)
@given(VALUES, st.data())
def test_broken_text_is_followed_as_far_as_it_is_json_and_then_shown_raw(value: object, data: st.DataObject) -> None:
    raw = bytearray(json.dumps(value, indent=data.draw(st.sampled_from([None, 2]))).encode())
    at_byte = data.draw(st.integers(0, len(raw)))
    if data.draw(st.booleans()):
        del raw[at_byte:]
    else:
        inserted = [b'"', b",", b"}", b"[", b"\x00", b"1", b"\n\n", b"nul", b"\\"]
        raw[at_byte:at_byte] = data.draw(st.sampled_from(inserted))
    broken = bytes(raw)
    try:
        json.loads(broken.decode())
        parses = True
    except ValueError:
        parses = False
    for limits in (tiny_limits, mock.MagicMock):
        with limits():
            index = indexed(broken)
            assert (index.fault is None) == parses
            shown = "".join("".join(lines(index)).split())
            assert shown == "".join(broken.decode().split())
            if index.fault is not None:
                marked = index.line(index.line_at(index.fault))
                assert marked.start <= index.fault <= marked.end + 1


@settings(max_examples=100, deadline=None)
@given(VALUES, st.sampled_from([None, 2]), st.data())
def test_the_beginning_first_and_the_rest_later(value: object, indent: int | None, data: st.DataObject) -> None:
    raw = json.dumps(value, indent=indent).encode()
    with tiny_limits():
        whole = lines(indexed(raw))
        index = Index(raw[: data.draw(st.integers(0, len(raw)))], whole=False)
        while not index.grow(1):
            pass
        assert index.fault is None and not index.done
        early = lines(index)
        assert early == whole[: len(early)]
        index.feed(raw)
        while not index.grow(1):
            pass
        assert lines(index) == whole


def test_a_duplicate_key_and_the_files_order_are_kept() -> None:
    index = indexed(b'{"b":1,"a":2,"b":[]}')
    assert lines(index) == ["{", '  "b": 1,', '  "a": 2,', '  "b": []', "}"]


@pytest.mark.parametrize(
    ("raw", "fault", "last"),
    [
        (b"", 0, ""),
        (b"  \n", 3, ""),
        (b'{"a": 1', 7, ""),
        (b'{"a": "x\ny"}', 8, 'y"}'),
        (b"[1] tail", 4, "tail"),
        (b"[1],", 3, ","),
        (b"\x00\x00", 0, "\x00\x00"),
        (b"[01]", 2, "1]"),
    ],
)
def test_where_it_stops_being_json(raw: bytes, fault: int, last: str) -> None:
    index = indexed(raw)
    assert index.fault == fault
    assert lines(index)[-1] == last


@settings(max_examples=80, deadline=None)
@given(VALUES, st.integers(0, 4), st.lists(st.integers(0, 60), max_size=5))
def test_folding_hides_what_is_inside_and_nothing_else(value: object, level: int, toggled: list[int]) -> None:
    with tiny_limits():
        index = indexed(json.dumps(value).encode())
        folds = Folds(index, level)
        for number in toggled:
            if number < len(index) and index.line(number).kind is Kind.OPEN:
                (folds.unfold if folds.is_folded(number) else folds.fold)(number)
        seen = []
        line: int | None = 0
        while line is not None:
            seen.append(line)
            line = folds.following(line)
        hidden = {
            inner
            for i in range(len(index))
            if folds.is_folded(i)
            for inner in range(i + 1, (index.closing(i) or (i, 0))[0] + 1)
        }
        assert seen == [i for i in range(len(index)) if i not in hidden]
        back = [seen[-1]]
        while (before := folds.preceding(back[-1])) is not None:
            back.append(before)
        assert back == seen[::-1]
        for i in range(len(index)):
            folds.reveal(i)
            assert folds.shown(i) == i
        folds.set_level(ALL)
        assert not any(folds.is_folded(i) for i in range(len(index)))


def test_siblings_and_parents() -> None:
    index = indexed(b'{"a":{"x":1},"b":[1,2],"c":3}')
    a, b, c = 1, 4, 8
    assert next_sibling(index, a) == b and next_sibling(index, b) == c and next_sibling(index, c) is None
    assert previous_sibling(index, c) == b and previous_sibling(index, b) == a and previous_sibling(index, a) is None
    assert parent(index, b + 1) == b and parent(index, b) == 0 and parent(index, 0) is None
    assert index.path(b + 2) == ".b[1]"


def found(raw: bytes, query: str) -> list[str]:
    index = indexed(raw)
    search = Search(index, query)
    while not search.advance(1):
        pass
    return [index.path(hit) or "raw" for hit in search.hits]


def test_search_finds_what_is_said_however_it_is_spelled() -> None:
    raw = json.dumps({"Key": 'a "quoted" é', "other": ["É", "x\ny", {"key": None}], "n": 1204}).encode()
    assert found(raw, "key") == [".Key", ".other[2].key"]
    assert found(raw, "Key") == [".Key"]
    assert found(raw, '"quoted"') == [".Key"]
    assert found(raw, "é") == [".Key", ".other[0]"]
    assert found(raw, "x\ny") == [".other[1]"]
    assert found(raw, "120") == [".n"]
    assert found(raw, "null") == [".other[2].key"]
    assert found(raw, ",") == [] and found(raw, ":") == [] and found(raw, "{") == []
    assert found(b'{"a": [1, brok', "brok") == ["raw"]


def test_hits_are_walked_in_a_circle() -> None:
    index = indexed(b'["x","y","x","x"]')
    search = Search(index, "x")
    search.advance(1)
    assert list(search.hits) == [1, 3, 4]
    assert search.after(1) == 3 and search.after(4) == 1 and search.before(1) == 4
    assert search.place(3) == 2 and search.place(2) is None


def test_a_long_string_is_one_line_found_in_slices(tmp_path: Path) -> None:
    raw = json.dumps({"a": "x" * 3_000_000, "b": "\\\n" * 400_000, "c": 1}).encode()
    index = Index(raw)
    steps = 0
    while not index.grow(0):
        steps += 1
    assert steps > 8
    assert len(index) == 5 and index.path(3) == ".c"
    assert index.line(1).end - index.line(1).start == 3_000_002
