"""The best restore point, and what going back to each loses."""

from __future__ import annotations

import pytest

from lastgood.core.model import Checkpoint, FileKind, Header, Integrity, Meta, Session, State, StoredFile, TaskState
from lastgood.core.price import Price, best, price

S = 1_000_000_000
NOW = 1_000_000 * S


def point(
    name: str, iteration: int | None, at: int | None = None, *, valid: bool = True,
    kind: FileKind = FileKind.CHECKPOINT, mtime: int | None = None,
    session: str | None = "s", trigger: str = "periodic", **more: object,
) -> Checkpoint:  # fmt: skip
    """A checkpoint whose figures follow from its iteration: 2 messages, 100 tokens, 0.25 $ and 30 s each."""
    i = iteration or 0
    made = NOW - 10_000 * S + 30 * S * i if at is None else at
    header = Header(name, session, trigger, made, iteration, 2 * i, 0, 100 * i, 0.25 * i)
    file = StoredFile(f"/x/{name}", kind, 1, made if mtime is None else mtime, 0, 0, 0)
    integrity = Integrity.VALID if valid else Integrity.MISMATCH
    return Checkpoint(file, integrity, None, valid, None, name, name, header._replace(**more))  # type: ignore[arg-type]


def session(last: int | None = None, *, task: int | None = None, updated: int = 0) -> Session:
    meta = None if last is None else Meta("s", True, None, updated, last)
    state = None if task is None else TaskState("s", "Running", False, task, updated, None)
    return Session("s", "/x/s", State.ACTIVE if meta else State.UNTRACKED, meta, None, state)


ONE, TWO, THREE = point("one", 1), point("two", 2), point("three", 3)
DAMAGED = point("four", 4, valid=False)


@pytest.mark.parametrize(
    ("points", "of", "chosen"),
    [
        ([], session(3), None),
        ([DAMAGED], session(4), None),
        ([TWO, THREE, ONE], session(3), "three"),
        ([ONE, TWO, DAMAGED], session(4), "two"),
        # Equal progress: the later creation; then the checkpoint before its backup; then the later modification.
        ([THREE, point("again", 3, NOW - 50 * S)], session(3), "again"),
        ([point("backup", 3, kind=FileKind.BACKUP, mtime=NOW), THREE], session(3), "three"),
        ([THREE, point("copy", 3, mtime=NOW)], session(3), "copy"),
        # What is not the session's, not genuine or not finished comes last or never.
        ([ONE, point("foreign", 9, session="other")], session(3), "one"),
        ([ONE, point("nameless", 2, session=None)], session(3), "nameless"),
        ([ONE, point("salvaged", 9, trigger="salvaged")], session(3), "one"),
        ([point("salvaged", 9, trigger="salvaged")], session(3), "salvaged"),
        ([ONE, point("orphan", 9, kind=FileKind.ORPHAN)], session(3), "one"),
        ([point("orphan", 1, kind=FileKind.ORPHAN), point("salvaged", 9, trigger="salvaged")], session(3), "orphan"),
        # A creation in the future says nothing; the iteration still does.
        ([point("future", 3, NOW + 9000 * S), THREE], session(3), "three"),
        ([point("future", 4, NOW + 9000 * S), THREE], session(4), "future"),
        # Gone back from 3 to 1 and run on to 2: the old 3 no longer leads anywhere.
        ([ONE, TWO, THREE, point("rerun", 2, NOW - 50 * S)], session(2), "rerun"),
        # The same files where the metadata says 3, or nothing: the clock may have been put back.
        ([ONE, TWO, THREE, point("rerun", 2, NOW - 50 * S)], session(3), "three"),
        ([ONE, TWO, THREE, point("rerun", 2, NOW - 50 * S)], session(), "three"),
        # Saved, and killed before the metadata was.
        ([ONE, TWO, THREE], session(2), "three"),
        ([point("none", None), ONE], session(1), "one"),
    ],
)
def test_the_best_point(points: list[Checkpoint], of: Session, chosen: str | None) -> None:
    for order in (points, points[::-1]):
        found = best(order, of, now_ns=NOW)
        assert (found.file.name if found else None) == chosen


def test_without_a_session_none_is_foreign() -> None:
    found = best([ONE, point("other", 2, session="other")])
    assert found is not None and found.file.name == "other"


@pytest.mark.parametrize(
    ("chosen", "points", "of", "says"),
    [
        (THREE, [ONE, TWO, THREE], session(3), "loses nothing known"),
        (TWO, [ONE, TWO, THREE], session(3), "loses 1 iteration, 2 messages, 100 tokens, $0.25, 30 s"),
        (ONE, [ONE, TWO, THREE], session(), "loses 2 iterations, 4 messages, 200 tokens, $0.50, 60 s"),
        # The metadata knows of more than any file does.
        (THREE, [TWO, THREE], session(5), "loses 2 iterations; messages and tokens unknown"),
        (TWO, [TWO, THREE], session(5), "loses 3 iterations, at least 2 messages, 100 tokens, $0.25, 30 s"),
        (THREE, [THREE], session(3, task=4), "loses 1 iteration; messages and tokens unknown"),
        # A damaged file that still reads tells what it can.
        (THREE, [THREE, DAMAGED], session(4), "loses 1 iteration, 2 messages, 100 tokens, $0.25, 30 s"),
        (
            THREE,
            [THREE, DAMAGED._replace(header=DAMAGED.header._replace(tokens_used=987_654))],
            session(4),
            "loses 1 iteration, 2 messages, $0.25, 30 s",
        ),
        (THREE, [THREE, point("flipped", 94, valid=False)], session(3), "loses nothing known"),
        (THREE, [THREE, point("flipped", 94, valid=False)], session(), "loses nothing known"),
        (THREE, [THREE, point("flipped", 4, NOW + 999 * S, valid=False)], session(3), "loses nothing known"),
        # What a session has gone back from is not lost a second time.
        (
            TWO,
            [ONE, TWO, THREE, point("rerun", 2, NOW - 50 * S)],
            session(2),
            f"loses {(10_000 - 60 - 50) // 3600} h {(10_000 - 60 - 50) % 3600 // 60} m",
        ),
        (point("f", 9, session="other"), [THREE], session(3), "what it loses is not known"),
        (point("none", None), [THREE, point("none", None)], session(3), "loses 6 messages, 300 tokens, $0.75, 90 s"),
    ],
)
def test_the_price_in_words(chosen: Checkpoint, points: list[Checkpoint], of: Session, says: str) -> None:
    assert price(chosen, points, of, now_ns=NOW).says() == says


def test_what_is_not_known_is_none_and_never_nothing() -> None:
    bare = point("bare", 2, tokens_used=None, cost_estimate=None, messages=None, created_at=None)
    assert price(bare, [bare, THREE], session(3), now_ns=NOW) == Price(iterations=1)
    assert price(point("x", None), [], session(), now_ns=NOW).iterations is None


def test_a_shorter_history_later_on_is_no_gain() -> None:
    """A runtime that summarises its messages has fewer of them later."""
    summary = point("summary", 4, messages=1)
    assert price(THREE, [THREE, summary], session(4), now_ns=NOW).messages == 0


def test_the_time_of_the_last_sign_counts_unless_it_lies_ahead() -> None:
    made = THREE.header.created_at or 0
    assert price(THREE, [THREE], session(3, updated=made + 27 * S), now_ns=NOW).says() == "loses 27 s"
    assert price(THREE, [THREE], session(3, updated=NOW + 9999 * S), now_ns=NOW).says() == "loses nothing known"


@pytest.mark.parametrize(
    ("dollars", "says"),
    [
        (0.03, "loses $0.03"),
        (1234.5, "loses $1,234.50"),
        (0.0012, "loses $0.0012"),
        (0.00001, "loses nothing known"),
        (1e300, "loses $1e+300"),
    ],
)
def test_money(dollars: float, says: str) -> None:
    assert Price(dollars=dollars).says() == says


def test_large_numbers_are_grouped() -> None:
    assert Price(1, 2, 1204, 0.031, 27).says() == "loses 1 iteration, 2 messages, 1,204 tokens, $0.03, 27 s"
