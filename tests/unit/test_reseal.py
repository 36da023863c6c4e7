"""Re-sealing: any valid checkpoint that the runtime refuses becomes one that it accepts, and only floats move."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stores
from lastgood.core import checksum, serde
from lastgood.core.errors import Refused
from lastgood.core.reseal import misread, reseal, stable, with_stable_floats

CORPUS = Path(__file__).parents[1] / "data" / "corpus"
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
PRICES = st.sampled_from([1.5e-05, 7.5e-05, 3e-06])
COSTS = st.builds(lambda tokens, price: tokens * price, st.integers(1, 10**7), PRICES)
VALUES = st.recursive(
    FLOATS | COSTS | st.integers(-(2**63), 2**64 - 1) | st.booleans() | st.none() | st.text(max_size=5),
    lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(max_size=4), v, max_size=4),
)


def as_written(value: dict[str, Any], spelling: serde.Spelling) -> bytes:
    """A file as a build of the crate writes it: the digest of the numbers in memory, printed in its spelling."""
    digest = hashlib.sha256(serde.canonical(value, spelling=spelling)).hexdigest()
    return serde.canonical(value | {"_checksum": digest, "_version": "1.0"}, spelling=spelling)


def without_floats(value: object) -> object:
    if isinstance(value, dict):
        return {k: without_floats(v) for k, v in value.items() if not k.startswith("_")}
    if isinstance(value, list):
        return [without_floats(v) for v in value]
    return "float" if isinstance(value, float) else (type(value).__name__, value)


def floats(value: object) -> list[float]:
    if isinstance(value, dict):
        return [f for k in sorted(value) for f in floats(value[k])]
    if isinstance(value, list):
        return [f for v in value for f in floats(v)]
    return [value] if isinstance(value, float) else []


@settings(max_examples=250, deadline=None)
@given(VALUES, COSTS, st.sampled_from(["e+", "e"]))
def test_every_refused_valid_file_becomes_an_accepted_one(value: Any, cost: float, spelling: serde.Spelling) -> None:
    original = stores.checkpoint("5e55a001", 3) | {"tool_results": value, "cost_estimate": cost}
    raw = as_written(original, spelling)
    before = checksum.verify(raw)
    assert before.integrity == "valid"
    if before.runtime_accepts:
        with pytest.raises(Refused, match="nothing to re-seal"):
            reseal(raw)
        return
    made = reseal(raw)
    after = checksum.verify(made.data)
    assert after.integrity == "valid" and after.runtime_accepts
    exact, again = serde.parse_exactly(made.data), serde.parse(made.data)
    assert serde.canonical(exact) == serde.canonical(again), "reading it again changes nothing"
    assert without_floats(exact) == without_floats(original)
    moved = [(a, b) for a, b in zip(floats(original), floats(exact), strict=True) if a.hex() != b.hex()]
    assert len(made.changes) == len(moved)
    assert all(abs(a - b) <= 64 * math.ulp(a) for a, b in moved)


@given(FLOATS | COSTS)
def test_a_stable_number_is_read_as_itself(number: float) -> None:
    found = stable(number)
    assert serde.runtime_float(serde.canonical(found).decode()) == found
    assert stable(found) == found


def test_a_number_that_the_runtime_reads_right_stays() -> None:
    for number in (0.0, -0.0, 0.1, 12.5, 1e300, -3.25e-9, 123456789.125):
        assert stable(number) == number


def test_the_largest_numbers_have_a_stable_neighbour_within_range() -> None:
    for number in (1.7976931348623157e308, -1.7976931348623157e308, 5e-324, 2.2250738585072014e-308):
        assert math.isfinite(stable(number))


def test_every_change_is_listed_old_and_new() -> None:
    results = {"took": [1.5, 903.9842595755351], 'a "b"': {"c": 0.5}}
    raw = as_written(stores.checkpoint("s", 1) | {"cost_estimate": 0.19317299999999998, "tool_results": results}, "e+")
    assert reseal(raw).changes == (
        (".cost_estimate", "0.19317299999999998", "0.193173"),
        (".tool_results.took[1]", "903.9842595755351", "903.9842595755352"),
    )
    assert misread(raw) == reseal(raw).changes


def test_the_corpus_reseals() -> None:
    resealed = 0
    for line in (CORPUS / "expected.jsonl").read_text().splitlines():
        expected = json.loads(line)
        raw = (CORPUS / f"{expected['name']}.json").read_bytes()
        if expected["user"] != "ok" or expected["valid"]:
            continue
        made = reseal(raw)
        assert checksum.verify(made.data).runtime_accepts, expected["name"]
        assert without_floats(serde.parse(made.data)) == without_floats(serde.parse(raw))
        resealed += 1
    assert resealed >= 10


def test_damage_is_not_sealed_over() -> None:
    raw = as_written(stores.checkpoint("s", 1) | {"cost_estimate": 0.19317299999999998}, "e+")
    with pytest.raises(Refused, match="only a valid checkpoint"):
        reseal(raw.replace(b"step 0", b"step 9"))


def test_floats_deep_inside_are_found() -> None:
    value: dict[str, Any] = {"a": [{"b": [0.19317299999999998, 1, True]}], "c": "0.19317299999999998"}
    assert with_stable_floats(value) == {"a": [{"b": [0.193173, 1, True]}], "c": "0.19317299999999998"}
