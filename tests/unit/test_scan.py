"""Where a text stops being JSON, and inside what: against a parser, and against where it was damaged."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastgood.core.scan import bad_utf8, jq_path, scan

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda v: st.lists(v, max_size=5) | st.dictionaries(st.text(), v, max_size=5))


def written(value: Any, indent: int | None, ascii_only: bool) -> bytes:
    return json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


@settings(max_examples=150, deadline=None)
@given(VALUES, st.sampled_from([None, 2]), st.booleans())
def test_a_document_is_one_document(value: Any, indent: int | None, ascii_only: bool) -> None:
    raw = b" \n" + written(value, indent, ascii_only) + b"\r\t"
    assert scan(raw).well_formed
    assert scan(raw).offset == len(raw)


@settings(max_examples=150, deadline=None)
@given(VALUES, st.sampled_from([None, 2]), st.data())
def test_a_text_cut_short_is_one_that_ends_too_early(value: Any, indent: int | None, data: st.DataObject) -> None:
    raw = written({"a": [value], "b": value}, indent, True)
    cut = data.draw(st.integers(0, len(raw) - 1))
    stop = scan(raw[:cut])
    assert stop.ended and not stop.complete
    assert stop.offset == cut
    if stop.closers:
        json.loads(raw[: stop.cut] + stop.closers)


@settings(max_examples=300, deadline=None)
@given(VALUES, st.sampled_from([None, 2]), st.data())
def test_it_never_stops_before_the_damage(value: Any, indent: int | None, data: st.DataObject) -> None:
    raw = bytearray(written({"a": [value], "b": value}, indent, True))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] = data.draw(st.integers(0, 127))
    stop = scan(bytes(raw))
    assert stop.offset >= at or stop.well_formed
    try:
        json.loads(bytes(raw), parse_constant=lambda name: pytest.fail(name) if stop.well_formed else None)
    except json.JSONDecodeError:
        assert not stop.well_formed
    else:
        assert stop.well_formed or b"NaN" in raw or b"Infinity" in raw


@pytest.mark.parametrize(
    ("text", "offset", "inside", "path"),
    [
        ('{"a": "xy', 9, "a string", ".a"),
        ('{"a": "x\\', 9, "an escape in a string", ".a"),
        ('{"a": "x\\u12', 12, "an escape in a string", ".a"),
        ('{"a": "x\\q"', 9, "an escape in a string", ".a"),
        ('{"a', 3, "a key", "."),
        ('{"a" ', 5, "an object, after a key", ".a"),
        ('{"a": ', 6, "an object, after a colon", ".a"),
        ('{"a": 12', 8, "a number", ".a"),
        ('{"a": -', 7, "a number", ".a"),
        ('{"a": 1.x', 8, "a number", ".a"),
        ('{"a": tru', 9, "a literal", ".a"),
        ('{"a": trxe', 8, "a literal", ".a"),
        ('{"a": 1', 7, "a number", ".a"),
        ('{"a": 1 ', 8, "an object, after a value", "."),
        ('{"a": 1,', 8, "an object, after a comma", "."),
        ('{"a": 1,}', 8, "an object, after a comma", "."),
        ("{", 1, "an object, before its first key", "."),
        ("[", 1, "an array, before its first element", ".[0]"),
        ('{"m": [1, {"k z": [true, ', 25, "an array, after a comma", '.m[1]["k z"][1]'),
        ("[1 2]", 3, "an array, after an element", ".[0]"),
        ("[1,]", 3, "an array, where a value should be", ".[1]"),
        ("", 0, "nothing but white space", "."),
    ],
)
def test_it_says_inside_what(text: str, offset: int, inside: str, path: str) -> None:
    stop = scan(text.encode())
    assert (stop.offset, stop.inside, jq_path(stop.path)) == (offset, inside, path)
    assert stop.ended == (offset == len(text))


def test_indices_are_right_after_long_runs() -> None:
    for n in (0, 1, 31, 511, 512, 513, 2000):
        assert scan(b"[" + b"[1, 2], " * n + b"x").path == (n,)
        assert scan(b'{"a":[' + b'{"b": "c"},' * n + b'{"b": {"c": [').path == ("a", n, "b", "c", 0)


def test_depth_does_not_matter() -> None:
    deep = 100_000
    assert scan(b"[" * deep).inside == "an array, before its first element"
    assert scan(b"[" * deep + b"]" * deep).well_formed
    assert scan(b'{"a":' * deep + b"1" + b"}" * deep).well_formed


def test_time_grows_with_the_size_alone(figure: list[str]) -> None:
    """Each shape of text that could make a regular expression go back and forth, ten times as long."""
    message = json.dumps({"content": "x" * 200 + '\n"', "role": "user", "n": 1.5}).encode()
    shapes = [b'"a\\n\\"', b'{"a":"b",', b"[1,2,3", b"{},", b"[[1],", b"12.5e1,", b'"a":', b'{"a":[{"b":']
    for shape in (*shapes, message + b","):
        small, large = (_seconds(b'{"a":["' + shape * n) + _seconds(b'{"a":[' + shape * n) for n in (3_000, 30_000))
        assert large < 40 * small + 0.05, shape
    seconds = _seconds(b'{"messages":[' + (message + b",") * 40_000)
    figure.append(f"scan: 10 MB of messages in {seconds:.2f} s")


def _seconds(raw: bytes) -> float:
    start = time.process_time()
    scan(raw)
    return time.process_time() - start


@given(st.binary(max_size=60))
def test_bad_utf8_is_where_python_says(raw: bytes) -> None:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        cut_off = error.end == len(raw) and error.reason == "unexpected end of data"
        assert bad_utf8(raw) == (None if cut_off else error.start)
    else:
        assert bad_utf8(raw) is None


def test_bad_utf8_across_pieces() -> None:
    piece = 1 << 20
    raw = b"a" * (piece - 1) + "é".encode() + b"b" * piece
    assert bad_utf8(raw) is None
    assert bad_utf8(raw + b"\xff") == len(raw)


def test_the_corpus_is_read_as_the_crate_reads_it() -> None:
    folder = Path(__file__).parents[1] / "data" / "corpus"
    beyond = ("recursion limit", "number out of range", "unexpected end of hex", "lone leading surrogate")
    seen = 0
    for line in (folder / "expected.jsonl").read_text().splitlines():
        expected = json.loads(line)
        if not expected["parse_ok"] and expected["reason"].startswith(beyond):
            continue
        raw = (folder / f"{expected['name']}.json").read_bytes()
        assert (scan(raw).well_formed and bad_utf8(raw) is None) == expected["parse_ok"], expected["name"]
        seen += 1
    assert seen > 150
