"""Times are chrono's: what it takes, what it refuses, in which words, and how it prints."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastgood.core.times import now_ns, parse_rfc3339, rfc3339

SECOND = 1_000_000_000
BASE = 1_770_091_506 * SECOND
"""2026-02-03T04:05:06Z"""


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-02-03T04:05:06.123456789Z", BASE + 123_456_789),
        ("2026-02-03T04:05:06.1234567899999Z", BASE + 123_456_789),
        ("2026-02-03t04:05:06z", BASE),
        ("2026-2-3T4:5:6Z", BASE),
        ("  2026 - 02 - 03   04 : 05 : 06.5   utc  ", BASE + SECOND // 2),
        ("2026-02-03T05:35:06+01:30", BASE),
        ("2026-02-03T05:35:06+0130", BASE),
        ("2026-02-03T02:35:06\u221201:30", BASE),
        ("2026-02-03T04:05:60Z", BASE + 54 * SECOND),
        ("+262142-12-31T23:59:59Z", 8_210_266_876_799 * SECOND),
        ("-262143-01-01T00:00:00Z", -8_334_601_228_800 * SECOND),
    ],
)
def test_reads(text: str, ns: int) -> None:
    assert parse_rfc3339(text) == ns


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "premature end of input"),
        ("2026-02-03", "premature end of input"),
        ("2026-02-03T04:05:06", "premature end of input"),
        ("2026-02-03T04:05:06+01", "premature end of input"),
        ("20260203T040506Z", "input contains invalid characters"),
        ("2026-02-03T04:05:06.Z", "input contains invalid characters"),
        ("2026-02-03T04:05:06+é1:00", "input contains invalid characters"),
        ("2026-02-03T04:05:06 \x1cZ", "input contains invalid characters"),
        ("٢026-02-03T04:05:06Z", "input contains invalid characters"),
        ("2026-02-03T04:05:06Z.", "trailing input"),
        ("2026-02-29T04:05:06Z", "input is out of range"),
        ("2026-13-01T04:05:06Z", "input is out of range"),
        ("2026-02-03T24:00:00Z", "input is out of range"),
        ("2026-02-03T04:05:06+24:00", "input is out of range"),
        ("+99999999999999999999999-01-01T00:00:00Z", "input is out of range"),
        ("+262143-01-01T00:00:00Z", "input is out of range"),
        ("+262142-12-31T23:59:59-00:01", "no possible date and time matching input"),
    ],
)
def test_refuses_in_chronos_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match="^" + words + "$"):
        parse_rfc3339(text)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (BASE + 120_000_000, "2026-02-03T04:05:06.120Z"),
        (BASE + 120_000, "2026-02-03T04:05:06.000120Z"),
        (-62_198_755_200 * SECOND, "-0001-01-01T00:00:00Z"),
        (253_402_300_800 * SECOND, "+10000-01-01T00:00:00Z"),
    ],
)
def test_prints(ns: int, text: str) -> None:
    assert rfc3339(ns) == text


@given(st.integers(-8_334_601_228_800 * SECOND, 8_210_266_876_799 * SECOND))
def test_what_is_printed_reads_back(ns: int) -> None:
    assert parse_rfc3339(rfc3339(ns)) == ns


@given(st.datetimes(timezones=st.just(UTC)))
def test_agrees_with_the_calendar_of_python(when: datetime) -> None:
    ns = (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    assert rfc3339(ns)[:19] == when.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    assert parse_rfc3339(when.isoformat()) == ns


@given(st.text(alphabet="0123456789-+:.TtZzUCc \u2212\u00e9", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert isinstance(parse_rfc3339(text), int)
    except ValueError as refusal:
        assert str(refusal)


def test_now_is_between_this_year_and_far() -> None:
    assert 1_700_000_000 * SECOND < now_ns() < 5_000_000_000 * SECOND
