"""The one door: nothing that acts on a terminal passes it, everything can be read back."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastgood.core.sanitise import Safe, clean, clean_lines, restore

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=60)
NOTATION_LIKE = st.text(st.sampled_from(list("\\xuU0123456789abcdef\x1b\u202e\udc80 ")), max_size=30)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain text", "plain text"),
        ("\x1b]52;c;aGk=\x07", r"\x1b]52;c;aGk=\x07"),
        ("a\x9b31mb", r"a\x9b31mb"),
        ("user\u202egnp.exe", r"user\u202egnp.exe"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("half\ud800", r"half\ud800"),
        ("byte\udcff", r"byte\udcff"),
        ("line\nbreak\ttab\r", r"line\x0abreak\x09tab\x0d"),
        (r"C:\new\dir", r"C:\new\dir"),
        (r"C:\users", r"C:\\users"),
        ("\\\x1b", r"\\\x1b"),
        ("日本語 עברית 😀 é", "日本語 עברית 😀 é"),
        ("[/b] [bold]x[@click=app.quit]", "[/b] [bold]x[@click=app.quit]"),
    ],
)
def test_notation(raw: str, shown: str) -> None:
    assert clean(raw) == shown
    assert restore(clean(raw)) == raw


@given(ANYTHING | NOTATION_LIKE)
def test_nothing_hidden_passes_and_nothing_is_lost(raw: str) -> None:
    shown = clean(raw)
    assert restore(shown) == raw
    for char in shown:
        assert unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"), repr(char)


@given(NOTATION_LIKE, NOTATION_LIKE)
def test_two_different_texts_never_look_the_same(one: str, other: str) -> None:
    assert (clean(one) == clean(other)) == (one == other)


def test_what_has_passed_is_not_escaped_again() -> None:
    once = clean("\\x1b")
    assert clean(once) is once
    assert isinstance(once, Safe)
    assert not isinstance(once + "x", Safe)


def test_lines_are_split_before_the_door() -> None:
    assert clean_lines("a\nb\x07") == ["a", r"b\x07"]
