"""Times as the crate writes and reads them: RFC 3339 by way of chrono, as nanoseconds since 1970 in UTC.

chrono's reading (``impl FromStr for DateTime<FixedOffset>``, 0.4.42) is laxer than the RFC: spaces between the
parts, single digits, any signed year, ``UTC`` for the offset. It is also stricter than Python's: no basic format,
no date alone. A leap second (``:60``) is the first moment of the next minute here: an integer has no room for it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from time import time_ns as now_ns

__all__ = ["now_ns", "parse_rfc3339", "rfc3339"]

TOO_SHORT = "premature end of input"
TOO_LONG = "trailing input"
INVALID = "input contains invalid characters"
OUT_OF_RANGE = "input is out of range"
IMPOSSIBLE = "no possible date and time matching input"

_SECOND = 1_000_000_000
_DAY = 86_400
_YEARS = range(-262_143, 262_143)
"""The years of chrono's NaiveDate."""
_I64_MAX = 2**63 - 1
_MONTH_STARTS = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
_MONTH_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WHITE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""Rust's ``char::is_whitespace``: unlike Python's, without U+001C to U+001F."""

_AS_WRITTEN = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]{1,9}))?Z"
)
_DIGITS = re.compile(r"[0-9]*")
_SIGNS = {"+": 1, "-": -1, "\u2212": -1}


def parse_rfc3339(text: str) -> int:
    """Nanoseconds since 1970-01-01T00:00:00Z, as chrono reads `text`.

    The result can lie far outside what :mod:`datetime` can hold.

    Raises:
        ValueError: in chrono's words.
    """
    written = _AS_WRITTEN.fullmatch(text)
    if written:
        date, hour, minute, second, fraction = written.groups()
        seconds = _day(date) * _DAY + int(hour) * 3600 + int(minute) * 60 + int(second)
        return seconds * _SECOND + (int(fraction.ljust(9, "0")) if fraction else 0)
    return _Scan(text).moment()


def rfc3339(ns: int) -> str:
    """`ns` as chrono prints a UTC time: no fraction, or one of 3, 6 or 9 digits; a sign where the year needs one."""
    seconds, fraction = divmod(ns, _SECOND)
    days, second = divmod(seconds, _DAY)
    if fraction % 1000:
        shown_fraction = f".{fraction:09}"
    elif fraction % 1_000_000:
        shown_fraction = f".{fraction // 1000:06}"
    else:
        shown_fraction = f".{fraction // 1_000_000:03}" if fraction else ""
    minute, second = divmod(second, 60)
    return f"{_shown_date(days)}T{minute // 60:02}:{minute % 60:02}:{second:02}{shown_fraction}Z"


@lru_cache(maxsize=512)
def _shown_date(days: int) -> str:
    year, month, day = _date(days)
    return f"{year:04}-{month:02}-{day:02}" if 0 <= year <= 9999 else f"{year:+05}-{month:02}-{day:02}"


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to this date of the proleptic Gregorian calendar. Raises ValueError if there is none."""
    length = _MONTH_LENGTHS[month - 1] + (month == 2 and _is_leap(year))
    if day > length or year not in _YEARS:
        raise ValueError(OUT_OF_RANGE)
    before = year - 1
    leap_days = before // 4 - before // 100 + before // 400
    in_year = _MONTH_STARTS[month - 1] + (month > 2 and _is_leap(year)) + day - 1
    return before * 365 + leap_days + in_year - 719_162  # days from 0001-01-01 to 1970-01-01


@lru_cache(maxsize=512)
def _date(days: int) -> tuple[int, int, int]:
    """The year, month and day that :func:`_days` counts to."""
    cycles, rest = divmod(days + 719_162, 146_097)  # cycles of 400 years
    year = cycles * 400 + 1 + rest // 366
    while days >= _days_before(year + 1):
        year += 1
    in_year = days - _days_before(year)
    leap = _is_leap(year)
    for month in range(12, 0, -1):
        start = _MONTH_STARTS[month - 1] + (leap and month > 2)
        if in_year >= start:
            return year, month, in_year - start + 1
    raise AssertionError("January starts at day 0")


def _days_before(year: int) -> int:
    before = year - 1
    return before * 365 + before // 4 - before // 100 + before // 400 - 719_162


@lru_cache(maxsize=512)
def _day(date: str) -> int:
    """Days from 1970-01-01 to ``YYYY-mm-dd``; remembered, as :func:`_date` is: a store's files share few dates."""
    year, month, day = int(date[:4]), int(date[5:7]), int(date[8:])
    if not 1 <= month <= 12 or day < 1:
        raise ValueError(OUT_OF_RANGE)
    return _days(year, month, day)


class _Scan:
    """chrono's ``parse_rfc3339_relaxed``, step by step: the step that fails first gives the words."""

    def __init__(self, text: str) -> None:
        self.rest = text

    def moment(self) -> int:
        year = self._year()
        self._literal("-")
        month = self._number(2, 1, 12)
        self._literal("-")
        day = self._number(2, 1, 31)
        if not self.rest:
            raise ValueError(TOO_SHORT)
        if self.rest[0] not in "tT ":
            raise ValueError(INVALID)
        self.rest = self.rest[1:]
        hour = self._number(2, 0, 23)
        self._literal(":")
        minute = self._number(2, 0, 59)
        self._literal(":")
        second = self._number(2, 0, 60)
        fraction = self._fraction()
        offset = self._offset()
        if self.rest.lstrip(_WHITE):
            raise ValueError(TOO_LONG)
        days = _days(year, month, day)
        if abs(offset) >= _DAY:
            raise ValueError(OUT_OF_RANGE)
        seconds = days * _DAY + hour * 3600 + minute * 60 + second - offset
        if _date((seconds - (second == 60)) // _DAY)[0] not in _YEARS:
            raise ValueError(IMPOSSIBLE)
        return seconds * _SECOND + fraction

    def _take_digits(self, most: int | None) -> str:
        """At least one ASCII digit, at most `most`."""
        if not self.rest:
            raise ValueError(TOO_SHORT)
        found = _DIGITS.match(self.rest)
        digits = found[0][:most] if found else ""
        if not digits:
            raise ValueError(INVALID)
        self.rest = self.rest[len(digits) :]
        return digits

    def _year(self) -> int:
        self.rest = self.rest.lstrip(_WHITE)
        sign = self.rest[:1]
        if sign not in ("+", "-"):
            return int(self._take_digits(4))
        self.rest = self.rest[1:]
        digits = self._take_digits(None).lstrip("0")
        if len(digits) > 19 or int(digits or 0) > 2**31:
            raise ValueError(OUT_OF_RANGE)
        return int(digits or 0) * _SIGNS[sign]

    def _number(self, width: int, low: int, high: int) -> int:
        self.rest = self.rest.lstrip(_WHITE)
        number = int(self._take_digits(width))
        if not low <= number <= high:
            raise ValueError(OUT_OF_RANGE)
        return number

    def _literal(self, char: str) -> None:
        self.rest = self.rest.lstrip(_WHITE)
        if not self.rest:
            raise ValueError(TOO_SHORT)
        if self.rest[0] != char:
            raise ValueError(INVALID)
        self.rest = self.rest[1:]

    def _fraction(self) -> int:
        if not self.rest.startswith("."):
            return 0
        self.rest = self.rest[1:]
        return int(self._take_digits(None)[:9].ljust(9, "0"))

    def _offset(self) -> int:
        """Seconds east of UTC."""
        self.rest = self.rest.lstrip(_WHITE)
        if self.rest[:3].upper() == "UTC" and self.rest[:3].isascii():
            self.rest = self.rest[3:]
            return 0
        sign = self.rest[:1]
        if sign == "":
            raise ValueError(TOO_SHORT)
        self.rest = self.rest[1:]
        if sign in "zZ":
            return 0
        if sign not in _SIGNS:
            raise ValueError(INVALID)
        hours = self._two_digits()
        self.rest = self.rest.lstrip(":" + _WHITE)
        minutes = self._two_digits()
        if minutes > 59:
            raise ValueError(OUT_OF_RANGE)
        return _SIGNS[sign] * (hours * 3600 + minutes * 60)

    def _two_digits(self) -> int:
        two = self.rest[:2]
        if len(two.encode(errors="surrogatepass")) < 2:  # chrono counts bytes
            raise ValueError(TOO_SHORT)
        if len(two) < 2 or not (two.isascii() and two.isdigit()):
            raise ValueError(INVALID)
        self.rest = self.rest[2:]
        return int(two)
