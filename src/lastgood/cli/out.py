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
from functools import lru_cache
from typing import Any, Literal, NoReturn, TextIO

from ..core.errors import Failed
from ..core.files import words
from ..core.names import is_unicode
from ..core.sanitise import Safe, clean

_SGR = {
    "bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35", "cyan": "36",
}  # fmt: skip

_NARROWEST = 8
_WIDEST = 1000
"""Cells of a column at most, also where there is no terminal: one long text would make every row as long."""

_WORTH_IMPORTING = 256
"""Values from which on orjson has printed them sooner, its import included."""

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
    import orjson

    document = {"schema": "lastgood/1", **document}
    try:
        raw = orjson.dumps(document, option=orjson.OPT_INDENT_2)
    except TypeError:
        raw = _escaped(document, indent=2)
    _put_json(raw + b"\n")


def put_json_list(document: dict[str, Any], name: str, elements: Sequence[bytes]) -> None:
    """Like :func:`put_json`, with one list more, its elements being of :func:`json_lines`, each on a line."""
    import json

    head = json.dumps({"schema": "lastgood/1", **document}, indent=2).removesuffix("\n}").encode()
    before, after = (b"[\n    ", b"\n  ]") if elements else (b"[", b"]")
    _put_json(head + b',\n  "%s": %s' % (name.encode(), before) + b",\n    ".join(elements) + after + b"\n}\n")


def json_lines(values: Sequence[object]) -> list[bytes]:
    """Each value as JSON without a line feed."""
    if len(values) < _WORTH_IMPORTING and "orjson" not in sys.modules:
        import json

        texts = [json.dumps(value, ensure_ascii=False, separators=(",", ":")) for value in values]
        return [
            text.encode() if is_unicode(text) else _escaped(value) for text, value in zip(texts, values, strict=True)
        ]
    import orjson

    lines = []
    for value in values:
        try:
            lines.append(orjson.dumps(value))
        except TypeError:
            lines.append(_escaped(value))
    return lines


def _escaped(value: object, indent: int | None = None) -> bytes:
    """A file name that is not UTF-8: its bytes stand as lone surrogates, which only an escape can carry."""
    import json

    return json.dumps(value, indent=indent, separators=None if indent else (",", ":")).encode()


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
    columns = list(zip(*rows, strict=True))
    texts = [{cell: _text(cell) for cell in set(column)} for column in columns]  # most stand in many rows
    widths = [min(_WIDEST, max(map(cell_width, column.values()))) for column in texts]
    last = len(widths) - 1
    room = terminal_columns()
    for c in flexible if room is not None else ():
        too_much = sum(widths) + 2 * last - (room or 0)
        widths[c] -= max(0, min(too_much, widths[c] - _NARROWEST))
    right = frozenset(right)
    colour = _wants_colour(sys.stdout)
    cells: list[list[str]] = []
    for c, column in enumerate(columns):
        side: Literal["left", "right", "none"] = "right" if c in right else "left" if c < last else "none"
        shown = {cell: _padded(text, widths[c], side) for cell, text in texts[c].items()}
        if colour:
            shown = {k: _coloured(text, k[1]) if isinstance(k, tuple) else text for k, text in shown.items()}
        cells.append([shown[cell] for cell in column])
    lines: list[str] = []
    for number, row in enumerate(zip(*cells, strict=True)):
        lines.append("  ".join(row))
        for note in notes[number] if notes else ():
            lines += _prose(Safe("      "), clean(note), room)
    _deliver(lambda: sys.stdout.writelines(f"{line}\n" for line in lines))


def _padded(text: Safe, room: int, side: Literal["left", "right", "none"]) -> str:
    """`text` on this side of so many cells, cut where it is wider."""
    if text.isascii() and len(text) <= room:
        return text.rjust(room) if side == "right" else text.ljust(room) if side == "left" else text
    text = fit(text, room)
    gap = "" if side == "none" else " " * (room - cell_width(text))
    return gap + text if side == "right" else text + gap


def put_prose(indent: Cell, sentence: str) -> None:
    """A sentence on standard output, wrapped between words where it is wider than the terminal."""
    first, *rest = _prose(_text(indent), clean(sentence), terminal_columns())
    put(indent, Safe(first[len(_text(indent)) :]))
    for line in rest:
        put(Safe(line))


def _prose(indent: Safe, text: Safe, room: int | None) -> list[str]:
    """The lines of a sentence behind `indent`."""
    margin = cell_width(indent)
    if room is None or margin + cell_width(text) <= room:
        return [indent + text]
    import textwrap

    first, *rest = textwrap.wrap(text, max(20, room - margin)) or [""]
    return [indent + first, *(" " * margin + line for line in rest)]


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
    return len(text) if text.isascii() else _wide_width(text)


@lru_cache(maxsize=1024)
def _wide_width(text: str) -> int:
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
        if colour and isinstance(cell, tuple):
            parts.append(_coloured(text, cell[1]))
        else:
            parts.append(text)
    stream.write("".join(parts) + "\n")


def _coloured(text: str, colour: str) -> str:
    return f"\x1b[{_SGR[colour]}m{text}\x1b[0m" if text and colour in _SGR else text


def _wants_colour(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
