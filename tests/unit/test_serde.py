"""The reader takes what serde_json takes, refuses what it refuses in its words, and prints as it prints."""

from __future__ import annotations

import json
import math
import struct
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastgood.core import serde
from lastgood.core.serde import ParseFault, canonical, parse, parse_exactly, runtime_float


@pytest.mark.parametrize(
    ("token", "number"),
    [
        ("0", 0),
        ("-1", -1),
        ("18446744073709551615", 2**64 - 1),
        ("-9223372036854775808", -(2**63)),
        ("18446744073709551616", 1.8446744073709552e19),
        ("-9223372036854775809", -9.223372036854776e18),
        ("-0", -0.0),
        ("-0.0", -0.0),
        ("0e99999999999", 0.0),
        ("-1e-99999999999", -0.0),
        ("1e-400", 0.0),
        ("1e-2147483648", 0.0),
        ("1E+5", 100000.0),
        ("0.30000000000000004", 0.30000000000000004),
        ("0.19317299999999998", 0.193173),  # the crate misreads it
        ("123456789012345678901234567890.5e-3", 1.2345678901234567e26),
    ],
)
def test_numbers_read_as_the_crate_reads_them(token: str, number: float) -> None:
    value = parse(token.encode())
    assert value == number
    assert type(value) is type(number)
    assert math.copysign(1, value) == math.copysign(1, number)  # type: ignore[arg-type]


@pytest.mark.parametrize("token", ["0.19317299999999998", "1.7976931348623157e308", "5e-324", "1e23", "-2.5e-300"])
def test_the_exact_reading_is_the_nearest_double(token: str) -> None:
    assert parse_exactly(token.encode()) == float(token)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"", "EOF while parsing a value at line 1 column 0"),
        (b"\n ", "EOF while parsing a value at line 2 column 1"),
        (b"nul", "EOF while parsing a value at line 1 column 3"),
        (b"nulL", "expected ident at line 1 column 4"),
        (b"[1 2]", "expected `,` or `]` at line 1 column 4"),
        (b"[1,]", "trailing comma at line 1 column 4"),
        (b"[,1]", "expected value at line 1 column 2"),
        (b"[1", "EOF while parsing a list at line 1 column 2"),
        (b"[1,", "EOF while parsing a value at line 1 column 3"),
        (b'{"a" 1}', "expected `:` at line 1 column 6"),
        (b'{"a":1,}', "trailing comma at line 1 column 8"),
        (b"{1:1}", "key must be a string at line 1 column 2"),
        (b'{"a"', "EOF while parsing an object at line 1 column 4"),
        (b'"\\ud800"', "unexpected end of hex escape at line 1 column 8"),
        (b'"\\ud800\\n"', "unexpected end of hex escape at line 1 column 9"),
        (b'"\\udc00"', "lone leading surrogate in hex escape at line 1 column 7"),
        (b'"\\u00g0"', "invalid escape at line 1 column 7"),
        (b'"\\u00', "EOF while parsing a string at line 1 column 5"),
        (b'"\t"', "control character (\\u0000-\\u001F) found while parsing a string at line 1 column 2"),
        (b"-", "EOF while parsing a value at line 1 column 1"),
        (b"-x", "invalid number at line 1 column 2"),
        (b"1.", "EOF while parsing a value at line 1 column 2"),
        (b"1.x", "invalid number at line 1 column 3"),
        (b"1e+", "EOF while parsing a value at line 1 column 3"),
        (b"-01", "invalid number at line 1 column 3"),
        (b"1e309", "number out of range at line 1 column 5"),
        (b"1e21474836480000", "number out of range at line 1 column 12"),
        (b"1e9999999999", "number out of range at line 1 column 12"),
        (b"\xef\xbb\xbf{}", "expected value at line 1 column 1"),
        (b"{} {}", "trailing characters at line 1 column 4"),
        (b'"\xff"', "stream did not contain valid UTF-8"),
    ],
)
def test_faults_are_in_the_words_of_serde_json(text: bytes, fault: str) -> None:
    with pytest.raises(ParseFault) as raised:
        parse(text)
    assert str(raised.value) == fault


@pytest.mark.parametrize(
    ("text", "offset"), [(b"[1, x]", 4), (b'{"a": "b', 8), (b'"ab\xff"', 3), (b"\0\0\0\0", 0), (b'["\x01"]', 2)]
)
def test_a_fault_names_the_byte(text: bytes, offset: int) -> None:
    with pytest.raises(ParseFault) as raised:
        parse(text)
    assert raised.value.offset == offset


def test_127_containers_are_read_and_128_are_not() -> None:
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        assert parse(opening * 127 + b"0" + closing * 127)
        with pytest.raises(ParseFault, match="recursion limit exceeded"):
            parse(opening * 128 + b"0" + closing * 128)


@pytest.mark.parametrize(
    "hostile",
    [
        b"[" * 1_000_000,
        b'{"a":' * 100_000,
        b"1" * 1_000_000,
        b"0." + b"0" * 1_000_000 + b"1",
        b"1e" + b"9" * 1_000_000,
        b'"' + b"\\u0041" * 200_000 + b'"',
        b'"' + b"\\" * 1_000_000,
        b" " * 1_000_000,
        b'"' + b"x" * 1_000_000,
    ],
    ids=lambda raw: raw[:8].decode() if isinstance(raw, bytes) else "",
)
def test_hostile_text_costs_neither_the_stack_nor_much_time(hostile: bytes) -> None:
    started = time.perf_counter()
    for reading in (parse, parse_exactly):
        try:
            reading(hostile)
        except ParseFault as fault:
            assert str(fault)
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("number", "new", "old"),
    [
        (1e16, b"1e+16", b"1e16"),
        (1.5e300, b"1.5e+300", b"1.5e300"),
        (1e15, b"1000000000000000.0", b"1000000000000000.0"),
        (1e-5, b"0.00001", b"0.00001"),
        (1.25e-5, b"0.0000125", b"0.0000125"),
        (1e-7, b"1e-7", b"1e-7"),
        (100000.0, b"100000.0", b"100000.0"),
        (-0.0, b"-0.0", b"-0.0"),
        (5e-324, b"5e-324", b"5e-324"),
    ],
)
def test_floats_are_printed_in_both_spellings(number: float, new: bytes, old: bytes) -> None:
    assert canonical(number) == new
    assert canonical(number, spelling="e") == old


def test_spelling_leaves_strings_alone() -> None:
    tricky = {'1e16"\\': ['\\"1e16', 1e16, "5e+3"], "e": "\\"}
    assert canonical(tricky, spelling="e") == b'{"1e16\\"\\\\":["\\\\\\"1e16",1e16,"5e+3"],"e":"\\\\"}'


def test_control_characters_are_escaped_as_the_crate_does() -> None:
    assert canonical("\b\f\n\r\t\x00\x1b\x7f\x80é\u2028") == '"\\b\\f\\n\\r\\t\\u0000\\u001b\x7f\x80é\u2028"'.encode()


def test_keys_are_sorted_by_code_point_not_by_utf16() -> None:
    assert (
        canonical({"\U00010000": 1, "\uffff": 2, "Z": 3, "_": 4}) == '{"Z":3,"_":4,"\uffff":2,"\U00010000":1}'.encode()
    )


doubles = st.binary(min_size=8, max_size=8).map(lambda raw: struct.unpack("<d", raw)[0]).filter(math.isfinite)


@given(doubles)
def test_the_runtime_is_off_by_an_ulp_or_two_at_most(number: float) -> None:
    try:
        read = runtime_float(repr(number))
    except OverflowError:
        assert abs(number) > sys.float_info.max * 0.999
        return
    if abs(number) > 1e-290:
        assert abs(read - number) <= 2 * math.ulp(number)


@given(st.integers(0, 10**15 - 1), st.integers(-22, 22))
def test_fifteen_digits_are_read_exactly(significand: int, exponent: int) -> None:
    token = f"{significand}e{exponent}"
    assert runtime_float(token) == float(token)


@given(doubles)
def test_what_is_printed_reads_back(number: float) -> None:
    for spelling in ("e+", "e"):
        assert parse_exactly(canonical(number, spelling=spelling)) == number  # type: ignore[arg-type]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@given(json_values, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_any_document_reads_as_it_does_elsewhere(value: object, indent: int | str | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert parse_exactly(text.encode()) == value


@given(st.binary(max_size=40) | st.text('{}[]",:\\u0189eE+-. \nntf', max_size=40).map(str.encode))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for reading in (parse, parse_exactly):
        try:
            value = reading(raw)
        except ParseFault as fault:
            assert 0 <= fault.offset <= len(raw)
        else:
            assert json.loads(raw) == value or serde.canonical(value)
