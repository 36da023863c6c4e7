"""Verification beyond the corpus: the fast way and the slow way agree, both spellings count, nothing is dropped."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastgood.core import aswritten, checksum, serde
from lastgood.core.model import Header, Integrity

DATA = Path(__file__).parents[1] / "data" / "corpus"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
doubles = st.binary(min_size=8, max_size=8).map(lambda raw: struct.unpack("<d", raw)[0]).filter(math.isfinite)
costs = st.builds(lambda tokens, price: tokens * price, st.integers(0, 10**6), st.sampled_from([3e-06, 1.5e-05, 1e-20]))
numbers = st.integers(-(2**63), 2**64 - 1) | doubles | costs | st.sampled_from([-0.0, 1e16, 1e23, 5e-324, 1e-5, 1e-7])
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=25,
)
documents = st.dictionaries(texts, values, max_size=6)


def shown(value: object) -> str:
    """A value with the sign of every zero and the type of every number."""
    return repr(value)


def shown_sorted(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def slowly(raw: bytes) -> tuple[object, object]:
    return serde.read_document(raw, serde.exact_float), serde.read_document(raw, serde.runtime_float)


@given(documents)
def test_the_fast_way_reads_what_the_slow_way_reads(content: dict[str, object]) -> None:
    raw = checksum.seal(content)
    fast = aswritten.readings(raw)
    assert fast is not None or any(abs(f) > 1e307 for f in aswritten._floats(content) or [])
    if fast is not None:
        assert tuple(map(shown, fast)) == tuple(map(shown, slowly(raw)))


@given(documents, st.sampled_from([b"", b"\n", b" \r\n\t"]))
def test_other_tidy_layouts_take_the_fast_way_too(content: dict[str, object], end: bytes) -> None:
    import orjson

    for option in (None, orjson.OPT_INDENT_2):
        raw = orjson.dumps(content, option=option) + end
        fast = aswritten.readings(raw)
        if fast is not None:
            assert tuple(map(shown, fast)) == tuple(map(shown, slowly(raw)))
    assert aswritten.readings(b'{"b":1,"a":[0.5,{"c":"-0"}]}') is not None


@settings(max_examples=300)
@given(documents, st.data())
def test_the_fast_way_leaves_alone_what_it_could_misread(content: dict[str, object], data: st.DataObject) -> None:
    raw = bytearray(checksum.seal(content))
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from(
                [b"-0", b"0", b"1e5", b".0", b'"', b"\\", b" ", b"\n", b"[", b"}", b"\xff", b"9" * 30, b"5"]
            )
        )
    fast = aswritten.readings(bytes(raw))
    if fast is not None:
        assert tuple(map(shown, fast)) == tuple(map(shown, slowly(bytes(raw))))


def test_the_fast_way_agrees_on_the_corpus() -> None:
    taken = 0
    for path in DATA.glob("*.json"):
        if path.stat().st_size > 500_000:
            continue
        raw = path.read_bytes()
        fast = aswritten.readings(raw)
        if fast is not None:
            taken += 1
            assert tuple(map(shown, fast)) == tuple(map(shown, slowly(raw))), path.name
    assert taken > 40


@pytest.mark.parametrize("depth", [126, 127, 128, 200, 254, 300])
def test_the_fast_way_knows_the_limit_of_nesting(depth: int) -> None:
    inner: object = 1
    for _ in range(depth - 1):
        inner = [inner]
    raw = json.dumps({"v": inner}, indent=2).encode()
    assert (aswritten.readings(raw) is None) == (depth > 127)


@given(documents)
def test_what_is_sealed_is_valid(content: dict[str, object]) -> None:
    seen = checksum.verify(checksum.seal(content))
    assert seen.integrity is Integrity.VALID
    assert seen.expected == seen.actual
    bare = {k: v for k, v in content.items() if k not in ("_checksum", "_version")}
    assert seen.value is not None
    assert all(shown_sorted(seen.value[k]) == shown_sorted(bare[k]) for k in bare)


@given(documents)
def test_a_file_of_an_older_build_is_valid(content: dict[str, object]) -> None:
    sealed = json.loads(checksum.seal(content))
    sealed["_checksum"] = checksum.digest(content, "e")
    raw = serde.canonical(sealed, spelling="e")
    seen = checksum.verify(raw)
    assert seen.integrity is Integrity.VALID


def test_the_digest_is_of_the_bytes_that_the_format_states() -> None:
    content = {"b": [1, 0.5, "é\x1f\n"], "a": {"_checksum": None}, "_version": "x", "_checksum": 5}
    import hashlib

    stated = '{"a":{"_checksum":null},"b":[1,0.5,"é\\u001f\\n"]}'.encode()
    assert checksum.digest(content) == hashlib.sha256(stated).hexdigest()
    assert checksum.seal({"b": 1.5}).startswith(b'{\n  "_checksum": "')
    assert checksum.seal({"b": 1e16}).endswith(b'",\n  "_version": "1.0",\n  "b": 1e+16\n}')


def test_a_number_that_only_the_crate_finds_out_of_range_is_valid_and_refused() -> None:
    token = "1.7976931348623156225e308"
    sealed = checksum.seal({"cost_estimate": float(token)})
    seen = checksum.verify(sealed.replace(serde.canonical(float(token)), token.encode()))
    assert seen.integrity is Integrity.VALID
    assert not seen.runtime_accepts
    assert seen.runtime_reason == "number out of range at line 4 column 44"


def test_a_checksum_that_is_no_string_counts_as_empty() -> None:
    seen = checksum.verify(b'{"_checksum":5,"_version":"1.0"}')
    assert seen.integrity is Integrity.MISMATCH
    assert (seen.reason or "").startswith("Checksum mismatch: expected ..., got 44136fa355b3678a...")
    assert seen.expected == ""


@given(st.binary(max_size=80))
def test_any_bytes_get_an_answer(junk: bytes) -> None:
    whole = checksum.seal({"messages": ["a", 1.5]})
    for raw in (junk, whole[:60] + junk, whole[:20] + junk + whole[20:]):
        seen = checksum.verify(raw)
        assert (seen.reason is None) == (seen.integrity is Integrity.VALID)
        assert (seen.runtime_reason is None) == seen.runtime_accepts
        assert seen.integrity is Integrity.VALID or not seen.runtime_accepts


def test_the_header_takes_only_what_has_its_type() -> None:
    good = {
        "checkpoint_id": "a", "session_id": "b", "trigger": "manual", "created_at": "1970-01-01T00:00:01Z",
        "iteration": 2, "messages": [1, 2], "tool_calls_pending": [1], "tokens_used": 3, "cost_estimate": 1,
        "resume_hint": "c",
    }  # fmt: skip
    assert checksum.header(good) == Header("a", "b", "manual", 1_000_000_000, 2, 2, 1, 3, 1.0, "c")
    assert checksum.header(dict.fromkeys(good, True)) == Header()
    assert checksum.header({**good, "created_at": "yesterday"}).created_at is None


def test_a_header_keeps_the_beginning_of_a_long_text() -> None:
    kept = checksum.header({"resume_hint": "x" * 5_000, "trigger": "periodic"})
    assert kept.resume_hint == "x" * 1_999 + "…" and kept.trigger == "periodic"
