"""Why a text is no checkpoint at all: the first thing that is wrong with its bytes, and where."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .scan import Stop, bad_utf8, jq_path, scan
from .serde import ParseFault
from .shape import FIELDS

_BOMS = (
    (b"\xff\xfe\x00\x00", "UTF-32 (little-endian)"),
    (b"\x00\x00\xfe\xff", "UTF-32 (big-endian)"),
    (b"\xff\xfe", "UTF-16 (little-endian)"),
    (b"\xfe\xff", "UTF-16 (big-endian)"),
)
_WIDE = (
    (re.compile(rb"[\t\n\r -~]\0\0\0[\t\n\r -~]\0\0\0"), "UTF-32 (little-endian)"),
    (re.compile(rb"\0\0\0[\t\n\r -~]\0\0\0[\t\n\r -~]"), "UTF-32 (big-endian)"),
    (re.compile(rb"[\t\n\r -~]\0[\t\n\r -~]\0"), "UTF-16 (little-endian)"),
    (re.compile(rb"\0[\t\n\r -~]\0[\t\n\r -~]"), "UTF-16 (big-endian)"),
)
_OPENING = re.compile(rb'\{([ \t\n\r]*+)"_checksum"[ \t\n\r]*+:[ \t\n\r]*+"')
_OWN_KEY = re.compile(rb'^  "(_checksum|_version|%s)":' % b"|".join(f.encode() for f in FIELDS), re.MULTILINE)
_INDENT = re.compile(rb"\{([ \t\n\r]*+)")
_NULS = re.compile(rb"\0++")


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps a text from being read.

    Attributes:
        word: `empty`, `truncated`, `nul-run`, `bad-utf8`, `encoding`, `spliced`, `trailing`, `too-deep`,
            `number-range`, `lone-surrogate` or `malformed`.
        sentence: one line, in the forms of CLI.md (``verify``, `reason`).
        byte: the offset from 0 of the first byte in question; the file's size where it merely ends.
        line, column: of that byte, from 1; for what serde_json alone refuses, as it counts them.
        path: where in the document, as jq writes it; None where that means nothing.
    """

    word: str
    sentence: str
    byte: int
    line: int
    column: int
    path: str | None = None


def place(raw: bytes, byte: int) -> tuple[int, int]:
    """Line and column of a byte, both from 1; a column counts bytes."""
    return raw.count(b"\n", 0, byte) + 1, byte - raw.rfind(b"\n", 0, byte)


def encoding(raw: bytes) -> tuple[str, str] | None:
    """The Python codec's name and the words for a text that is no bare UTF-8, told by its first bytes."""
    if raw.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig", "starts with a UTF-8 byte order mark (bytes 0 to 2)"
    for start, name in _BOMS:
        if raw.startswith(start):
            return name[:6].lower(), f"{name} text with a byte order mark, not UTF-8"
    for pattern, name in _WIDE:
        if pattern.match(raw):
            return f"{name[:6].lower()}-{'le' if 'little' in name else 'be'}", f"{name} text, not UTF-8"
    return None


def nul_run(raw: bytes, byte: int) -> tuple[int, int] | None:
    """First and last byte of the run of NUL bytes that begins at `byte`, if one does."""
    match = _NULS.match(raw, byte)
    return (byte, match.end() - 1) if match else None


def second_document(raw: bytes, stop: Stop) -> int | None:
    """Where another document begins in a text that stops being JSON at `stop`; None where none is seen.

    Checkpoints open with ``_checksum``, their first key. Such an opening counts where the text stops in it, or where
    it is indented as the file's own: an object within a checkpoint would be indented further.
    """
    if stop.complete and raw[stop.offset : stop.offset + 1] in (b"{", b"["):
        return stop.offset
    own = _INDENT.match(raw)
    for opening in _OPENING.finditer(raw, 1):
        if opening.start() > stop.offset:
            return None
        if opening.end() >= stop.offset:
            return opening.start()
        if own is not None and b"\n" in own[1] and own[1] == opening[1]:
            return opening.start()
    return None


def seam(raw: bytes) -> tuple[int, str] | None:
    """Byte and name of the first of the crate's own keys that comes again or too late, where files were spliced.

    Only in a file indented as the crate indents: its top-level keys begin two spaces into a line.
    """
    last = ""
    for match in _OWN_KEY.finditer(raw):
        key = match[1].decode()
        if key <= last:
            return match.start(1) - 1, key
        last = key
    return None


def find(raw: bytes, fault: ParseFault) -> Problem:
    """The first thing that is wrong with a text that serde_json refuses with `fault`."""
    if not raw:
        return Problem("empty", "empty file", 0, 1, 1)
    told = encoding(raw)
    if told is not None:
        return Problem("encoding", told[1], 0, 1, 1)
    if fault.message.startswith("recursion limit"):
        return _serde(fault, "too-deep", f"nested deeper than 127 levels ({fault.message})")
    stop = scan(raw)
    return _structural(raw, fault, stop) or _beyond_grammar(raw, fault, stop)


def _structural(raw: bytes, fault: ParseFault, stop: Stop) -> Problem | None:
    """Damage by its bytes, the earliest first; None where only a parser objects."""
    bad = bad_utf8(raw)
    second = second_document(raw, stop)
    if second is not None and _sound_until(raw, second, bad):
        line, column = place(raw, second)
        says = f"line {line} column {column}: a second document begins at byte {second}"
        return Problem("spliced", says, second, line, column)
    nuls = nul_run(raw, stop.offset)
    if nuls is not None and _sound_until(raw, nuls[0], bad):
        return Problem("nul-run", _says_nuls(raw, *nuls), nuls[0], *place(raw, nuls[0]), _path(stop))
    if bad is not None and bad <= stop.offset:
        says = f"invalid UTF-8 at byte {bad} (0x{raw[bad]:02x})"
        return Problem("bad-utf8", says, bad, *place(raw, bad), _path(scan(raw, end=bad)))
    of_grammar = fault.line == 0 or fault.message.startswith("EOF")
    if fault.offset < stop.offset and not stop.complete and not of_grammar:
        return None
    if stop.complete and not stop.ended:
        return _trailing(raw, stop)
    if stop.ended and not stop.complete:
        if not raw.strip(b" \t\n\r"):
            return Problem("empty", f"nothing but white space up to byte {len(raw)}", 0, 1, 1)
        says = f"ends at byte {stop.offset} inside {stop.inside}"
        return Problem("truncated", says, stop.offset, *place(raw, stop.offset), _path(stop))
    if fault.line == 0:  # it is not UTF-8 further on, and serde_json got no chance to speak of this
        line, column = place(raw, stop.offset)
        says = f"line {line} column {column}: byte 0x{raw[stop.offset]:02x} cannot stand inside {stop.inside}"
        return Problem("malformed", says, stop.offset, line, column, _path(stop))
    return None


def _sound_until(raw: bytes, byte: int, bad: int | None) -> bool:
    """Nothing before `byte` is wrong as UTF-8, but for a character that is cut off there."""
    return bad is None or bad >= byte or bad_utf8(raw[bad:byte]) is None


def _beyond_grammar(raw: bytes, fault: ParseFault, stop: Stop) -> Problem:
    """What serde_json says of a text whose bytes show no damage."""
    if fault.message == "number out of range":
        return _serde(fault, "number-range", fault.message)
    if "surrogate" in fault.message or fault.message == "unexpected end of hex escape":
        return _serde(fault, "lone-surrogate", f"a lone surrogate escape ({fault.message})")
    return _serde(fault, "malformed", fault.message, None if stop.well_formed else _path(stop))


def _trailing(raw: bytes, stop: Stop) -> Problem:
    line, column = place(raw, stop.offset)
    rest = len(raw) - stop.offset
    noun = "byte follows" if rest == 1 else "bytes follow"
    if raw.rstrip(b" \t\n\r\0").endswith(b"}") and rest > 1:
        says = f"a whole document ends before byte {stop.offset}, {rest} bytes of another follow"
        return Problem("spliced", f"line {line} column {column}: {says}", stop.offset, line, column)
    says = f"line {line} column {column}: {rest} {noun} the end of the document"
    return Problem("trailing", says, stop.offset, line, column)


def _serde(fault: ParseFault, word: str, says: str, path: str | None = None) -> Problem:
    sentence = f"line {fault.line} column {fault.column}: {says}"
    return Problem(word, sentence, fault.offset, fault.line, fault.column, path)


def _says_nuls(raw: bytes, first: int, last: int) -> str:
    if first == last:
        return f"a NUL byte at byte {first}"
    whole = ": the whole file" if first == 0 and last == len(raw) - 1 else ""
    return f"NUL bytes from byte {first} to {last}{whole}"


def _path(stop: Stop) -> str | None:
    return jq_path(stop.path) if stop.path else None


def path_at(raw: bytes, byte: int) -> str:
    """The jq path of the value that a byte of a JSON text belongs to; for a byte of a key, of its object."""
    return jq_path(scan(raw, end=byte + 1).path)
