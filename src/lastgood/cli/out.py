"""What the command line prints: the one way to standard output and standard error.

Every text passes the sanitiser here; only the layout and the colours around it are ours.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn, TextIO

from ..core.errors import Failed
from ..core.files import words
from ..core.sanitise import Safe, clean

_SGR = {
    "bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35", "cyan": "36",
}  # fmt: skip

_NARROWEST = 8
_WIDEST = 1000
"""Cells of a column at most, also where there is no terminal: one long text would make every row as long."""

Cell = str | tuple[str, str]
"""A text, or a text and the name of its colour."""


def say(*cells: Cell) -> None:
    """One line for a person, on standard error; where nobody can hear it the work goes on."""
    with contextlib.suppress(OSError):
        _write(sys.stderr, cells)


def put(*cells: Cell) -> None:
    """One line of data for a person to read, on standard output."""
    _deliver(lambda: _write(sys.stdout, cells))


def put_json(document: dict[str, Any]) -> None:
    """One JSON object on standard output, with its schema (CLI.md, "JSON")."""
    _put_json(json_text({"schema": "lastgood/1", **document}) + b"\n")


def put_json_list(document: dict[str, Any], name: str, elements: Sequence[bytes]) -> None:
    """Like :func:`put_json`, with one list more, its elements being ``json_text(element, within=2)`` already."""
    head = json_text({"schema": "lastgood/1", **document}).removesuffix(b"\n}")
    around = (b"[\n    ", b"\n  ]") if elements else (b"[", b"]")
    body = b",\n    ".join(elements)
    _put_json(b"".join((head, b',\n  "', name.encode(), b'": ', around[0], body, around[1], b"\n}\n")))


def json_text(value: object, *, within: int = 0) -> bytes:
    """`value` as JSON, indented as it is where it stands in this many lists and objects."""
    import orjson

    for _ in range(within):
        value = [value]
    try:
        raw = orjson.dumps(value, option=orjson.OPT_INDENT_2)
    except TypeError:
        # A file name that is not UTF-8: its bytes stand as lone surrogates, which only an escape can carry.
        import json

        raw = json.dumps(value, indent=2, ensure_ascii=True).encode()
    return raw[within * (within + 3) : len(raw) - within * (within + 1)]


def _put_json(raw: bytes) -> None:
    """What is shown on a terminal must not act on it: there, all that JSON can escape stands as escapes."""
    if sys.stdout.isatty():
        import json
        import re

        raw = re.sub("[^\n -~]", lambda char: json.dumps(char[0])[1:-1], raw.decode()).encode()
    put_bytes(raw)


def put_bytes(raw: bytes) -> None:
    """A file's bytes as they are, on standard output."""
    flush()
    _deliver(lambda: sys.stdout.buffer.write(raw))
    flush()


def put_help(text: str) -> None:
    """Help, line by line, on standard output."""
    for line in text.splitlines():
        put(line)
    flush()


def ask(question: str) -> str | None:
    """What is answered on the terminal, in lower case; None where there is no terminal to ask on."""
    if not sys.stdin.isatty():
        return None
    with contextlib.suppress(OSError):
        sys.stderr.write(clean(question))
        sys.stderr.flush()
    return sys.stdin.readline().strip().lower()


class OutputLost(Failed):
    """Standard output took not all that was printed."""


def prepare_streams() -> None:
    """Neither a stream that the caller closed nor a file name that is not UTF-8 may end the program."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # The lowest free number is this one, so that no file opened later is taken for the stream.
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), "w" if number else "r"))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def flush() -> None:
    """Hand over all that was printed."""
    _deliver(sys.stdout.flush)


def leave(code: int) -> NoReturn:
    """End the process at once: taking the interpreter apart first costs half as much as starting it."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def reader_gone() -> None:
    """After `| head` or on a full disk: what is left goes nowhere, and the interpreter does not complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _deliver(write: Callable[[], object]) -> None:
    try:
        write()
    except BrokenPipeError:
        raise
    except OSError as error:
        reader_gone()
        raise OutputLost(f"standard output cannot be written: {words(error)}") from error


def put_table(
    rows: Sequence[Sequence[Cell]],
    *,
    flexible: Sequence[int],
    right: Iterable[int] = (),
    notes: Sequence[Sequence[str]] = (),
) -> None:
    """Aligned rows.

    Args:
        flexible: the columns that give way, in this order, so that a row fits the terminal.
        right: the columns aligned to the right.
        notes: for each row the lines that stand under it.
    """
    if not rows:
        return
    columns = len(rows[0])
    widths = [min(_WIDEST, max(cell_width(_text(row[c])) for row in rows)) for c in range(columns)]
    room = terminal_columns()
    for column in flexible if room is not None else ():
        too_much = sum(widths) + 2 * (columns - 1) - (room or 0)
        widths[column] -= max(0, min(too_much, widths[column] - _NARROWEST))
    right = frozenset(right)
    for number, row in enumerate(rows):
        cells: list[Cell] = []
        for c, cell in enumerate(row):
            text = fit(_text(cell), widths[c])
            gap = " " * (widths[c] - cell_width(text))
            padded = Safe(gap + text if c in right else text if c == columns - 1 else text + gap)
            cells.append((padded, cell[1]) if isinstance(cell, tuple) else padded)
            if c < columns - 1:
                cells.append("  ")
        put(*cells)
        for note in notes[number] if notes else ():
            put_prose("      ", note)


def put_prose(indent: Cell, sentence: str) -> None:
    """A sentence on standard output, wrapped between words where it is wider than the terminal."""
    room = terminal_columns()
    margin = cell_width(_text(indent))
    text = clean(sentence)
    if room is None or margin + cell_width(text) <= room:
        put(indent, text)
        return
    import textwrap

    first, *rest = textwrap.wrap(text, max(20, room - margin)) or [""]
    put(indent, Safe(first))
    for line in rest:
        put(Safe(" " * margin + line))


def terminal_columns() -> int | None:
    """The width of the terminal that standard output or, behind a pipe, standard error is; None where there is none."""
    for stream in (sys.stdout, sys.stderr):
        try:
            return os.get_terminal_size(stream.fileno()).columns or None
        except (OSError, ValueError):
            continue
    return None


def cell_width(text: str) -> int:
    """How many terminal cells a sanitised text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Me")
        else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


def fit(text: Safe, room: int) -> Safe:
    """`text`, cut to `room` cells with an ellipsis where it is longer."""
    if cell_width(text) <= room:
        return text
    taken, used = [], 0
    for char in text:
        used += cell_width(char)
        if used > room - 1:
            break
        taken.append(char)
    return Safe("".join(taken) + "…")


def _text(cell: Cell) -> Safe:
    return clean(cell[0] if isinstance(cell, tuple) else cell)


def _write(stream: TextIO, cells: Sequence[Cell]) -> None:
    colour = _wants_colour(stream)
    parts: list[str] = []
    for cell in cells:
        text = _text(cell)
        if colour and isinstance(cell, tuple) and text and cell[1] in _SGR:
            parts.append(f"\x1b[{_SGR[cell[1]]}m{text}\x1b[0m")
        else:
            parts.append(text)
    stream.write("".join(parts) + "\n")


def _wants_colour(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
