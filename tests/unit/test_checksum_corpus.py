"""Every file of the corpus gets the crate's answer: the same words, the same digest, the same verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lastgood.core import checksum, meta, serde, times
from lastgood.core.model import Integrity

DATA = Path(__file__).parents[1] / "data"


def answers(corpus: str) -> list[Any]:
    lines = (DATA / corpus / "expected.jsonl").read_text().splitlines()
    return [pytest.param(answer, id=answer["name"]) for answer in map(json.loads, lines)]


def held(corpus: str, name: str) -> bytes:
    return (DATA / corpus / f"{name}.json").read_bytes()


@pytest.mark.parametrize("answer", answers("corpus"))
def test_both_answers_are_those_of_the_crate(answer: dict[str, Any]) -> None:
    seen = checksum.verify(held("corpus", answer["name"]))
    assert seen.runtime_accepts == answer["valid"]
    assert seen.runtime_reason == answer["reason"]
    assert (seen.integrity is Integrity.VALID) == (answer["user"] == "ok")
    if answer["user"] == "ok":
        assert seen.reason is None
    elif answer["parse_ok"]:
        assert seen.reason == answer["reason"]
    else:
        assert seen.integrity is Integrity.UNPARSEABLE
        assert seen.reason


@pytest.mark.parametrize("answer", [a for a in answers("corpus") if a.values[0]["parse_ok"]])
def test_the_digest_is_that_of_the_crate_and_of_its_older_builds(answer: dict[str, Any]) -> None:
    value = serde.parse(held("corpus", answer["name"]))
    assert checksum.digest(value) == answer["sha256"]
    older = answer.get("serde_json_1_0_87", {})
    assert checksum.digest(value, "e") == older.get("sha256", answer["sha256"])


@pytest.mark.parametrize("answer", answers("corpus-meta"))
def test_metadata_is_read_as_the_crate_reads_it(answer: dict[str, Any]) -> None:
    raw = held("corpus-meta", answer["name"])
    if not answer["ok"]:
        with pytest.raises(meta.MetaFault) as fault:
            meta.read_meta(raw)
        assert str(fault.value) == answer["error"]
        return
    found = meta.read_meta(raw)
    assert (found.is_active and found.termination_reason is None) == answer["unclean"]
    assert times.rfc3339(found.last_updated) == answer["last_updated"]
