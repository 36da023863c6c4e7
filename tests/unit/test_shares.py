"""Work divided over processes: everything is done once, in order, whoever dies over it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence

import pytest

from lastgood.core import shares
from lastgood.core.shares import by_shares

THINGS = list(range(1000))


@pytest.fixture(autouse=True)
def three_processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(shares, "_cores", lambda: 3)
    yield
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)  # no process is left behind


def told(share: Sequence[int]) -> list[tuple[int, int]]:
    time.sleep(0.0005)  # long enough for each process to take a part
    return [(thing, os.getpid()) for thing in share]


def test_everything_is_done_once_in_order_by_more_than_one() -> None:
    done = [pair for part in by_shares(THINGS, told, shares_each=20, alone_below=1) for pair in part]
    assert [thing for thing, _ in done] == THINGS
    assert len({pid for _, pid in done}) == 3


@pytest.mark.parametrize("things", [[], [1], list(range(9))])
def test_few_things_are_done_here(things: list[int]) -> None:
    done = [pair for part in by_shares(things, told, shares_each=20, alone_below=10) for pair in part]
    assert done == [(thing, os.getpid()) for thing in things]


def test_what_fell_to_a_process_that_died_is_done_again_here() -> None:
    here = os.getpid()

    def deadly(share: Sequence[int]) -> list[tuple[int, int]]:
        if os.getpid() != here:
            os.kill(os.getpid(), 9)
        return told(share)

    again: list[Sequence[int]] = []

    def rescued(share: Sequence[int]) -> list[tuple[int, int]]:
        again.append(share)
        return told(share)

    done = [pair for part in by_shares(THINGS, deadly, shares_each=20, alone_below=1, again=rescued) for pair in part]
    assert [thing for thing, _ in done] == THINGS
    assert len(again) == 2  # one share of each that died


def test_an_error_is_raised_here_wherever_it_happened() -> None:
    def failing(share: Sequence[int]) -> list[int]:
        time.sleep(0.0005)
        if 700 in share:
            raise ValueError("700")
        return list(share)

    with pytest.raises(ValueError, match="700"):
        by_shares(THINGS, failing, shares_each=20, alone_below=1)


def test_where_no_process_can_be_had_all_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", none)
    done = [pair for part in by_shares(THINGS, told, shares_each=20, alone_below=1) for pair in part]
    assert done == [(thing, os.getpid()) for thing in THINGS]
