"""A file is damaged in one known way, and the diagnosis names that way and that place."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stores
from lastgood.core import checksum, diagnose, serde
from lastgood.core.continuum import look_at
from lastgood.core.model import Checkpoint, FileKind, StoredFile

SESSION = "5e55a001"
NOW = stores.START + 10**12
MESSAGES = [
    {"role": "user", "content": 'Prüfe "src/main.rs" \\ 日本語 🚀\n\tund dann {"_version": 1}'},
    {"role": "assistant", "content": "done", "tool_calls": [{"name": "sh", "arguments": {"cmd": ["ls", "-l"]}}]},
    {"role": "tool", "content": [{"type": "text", "text": "exit 0"}]},
]


def content(n: int = 7, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = stores.checkpoint(SESSION, n, at=stores.START + n * 30 * stores.NS)
    return made | {"messages": [*MESSAGES, *made["messages"]], "tool_results": {"call_1": {"ok": True}}} | more


def look(
    raw: bytes, name: str | None = None, kind: FileKind = FileKind.CHECKPOINT, at: int = stores.START + 210 * stores.NS
) -> Checkpoint:
    name = name or stores.file_name({"checkpoint_id": f"{7:08x}"}, at)
    return look_at(StoredFile(f"/store/{SESSION}/checkpoints/{name}", kind, len(raw), at, at, 1, 1), raw)


def saved(value: Mapping[str, Any]) -> tuple[Checkpoint, Mapping[str, Any]]:
    """A valid neighbour."""
    at = stores.START + value["iteration"] * 30 * stores.NS
    return look(stores.seal(value), stores.file_name(value, at), at=at), json.loads(stores.seal(value))


def told(
    raw: bytes, point: Checkpoint | None = None, *neighbours: tuple[Checkpoint, Mapping[str, Any]]
) -> diagnose.Diagnosis:
    return diagnose.diagnose(raw, point or look(raw), neighbours, now_ns=NOW)


RAW = stores.seal(content())
OTHER = stores.seal(content(8, resume_hint="another file"))
PLACES = st.integers(1, len(RAW) - 1)


@settings(max_examples=80, deadline=None)
@given(PLACES)
def test_truncated(cut: int) -> None:
    raw = RAW[:cut]
    said = told(raw)
    assert (said.word, said.byte) == ("truncated", cut)
    assert said.sentence.startswith(f"ends at byte {cut} inside ")
    assert (said.line, said.column) == (raw.count(b"\n") + 1, cut - raw.rfind(b"\n"))
    assert (look(raw).reason or "").startswith(f"ends at byte {cut} inside ")


@settings(max_examples=80, deadline=None)
@given(PLACES, st.integers(2, 5000))
def test_nul_run(start: int, length: int) -> None:
    raw = RAW[:start] + b"\0" * length + RAW[start + length :]
    said = told(raw)
    assert (said.word, said.byte) == ("nul-run", start)
    assert said.sentence.startswith(f"NUL bytes from byte {start} to {start + length - 1}")


@settings(max_examples=80, deadline=None)
@given(PLACES, st.binary(min_size=1, max_size=3))
def test_bad_utf8(at: int, rubbish: bytes) -> None:
    raw = RAW[:at] + b"\xff" + rubbish + RAW[at:]
    said = told(raw)
    inside_character = RAW[at] & 0xC0 == 0x80
    assert said.word in ("bad-utf8", "malformed")
    assert said.byte is not None and (at - 3 if inside_character else at) <= said.byte <= at
    if said.word == "bad-utf8":
        assert said.sentence.startswith(f"invalid UTF-8 at byte {said.byte} (0x{raw[said.byte]:02x})")


@settings(max_examples=80, deadline=None)
@given(PLACES)
def test_spliced_where_another_file_begins(at: int) -> None:
    raw = RAW[:at] + OTHER
    said = told(raw)
    line, column = raw.count(b"\n", 0, at) + 1, at - raw.rfind(b"\n", 0, at)
    assert (said.word, said.byte, said.line, said.column) == ("spliced", at, line, column)
    assert f"a second document begins at byte {at}" in said.sentence


@settings(max_examples=60, deadline=None)
@given(PLACES, st.integers(1, len(OTHER) - 1))
def test_the_tail_of_another_file_is_never_placed_before_the_seam(at: int, tail: int) -> None:
    said = told(RAW[:at] + OTHER[tail:])
    assert said.byte is None or said.byte >= at - 3 or said.word in ("changed", "spliced")


def test_the_tail_of_a_longer_file_behind_a_whole_one() -> None:
    said = told(RAW + OTHER[-200:].lstrip())
    assert (said.word, said.byte) == ("spliced", len(RAW))
    assert told(RAW + b"\n" + RAW).byte == len(RAW) + 1


@settings(max_examples=200, deadline=None)
@given(PLACES, st.integers(0, 255))
def test_one_byte_overwritten(at: int, byte: int) -> None:
    raw = RAW[:at] + bytes([byte]) + RAW[at + 1 :]
    said = told(raw)
    if raw == RAW:
        assert said.word == "ok"
    elif said.word == "ok":
        assert serde.parse(raw) == serde.parse(RAW)
    elif look(raw).integrity == "unparseable":
        assert said.byte is not None and said.byte >= at - 3
    else:
        assert said.word in ("changed", "version-edited", "no-checksum", "no-version", "spliced"), said


@settings(max_examples=25, deadline=None)
@given(st.integers(RAW.index(b'"checkpoint_id"'), len(RAW) - 1), st.integers(0, 6))
def test_a_flipped_bit_is_proved_by_the_checksum(at: int, bit: int) -> None:
    raw = RAW[:at] + bytes([RAW[at] ^ 1 << bit]) + RAW[at + 1 :]
    if look(raw).integrity != "mismatch":
        return
    said = told(raw)
    assert (said.word, said.byte) == ("changed", at)
    assert "put back, it makes the digest hold" in said.sentence


@pytest.mark.parametrize(
    ("damage", "word", "says"),
    [
        (lambda raw: b"", "empty", "empty file"),
        (lambda raw: b" \n ", "empty", "nothing but white space"),
        (lambda raw: b"\xef\xbb\xbf" + raw, "encoding", "starts with a UTF-8 byte order mark (bytes 0 to 2)"),
        (lambda raw: raw.decode().encode("utf-16"), "encoding", "UTF-16 (little-endian) text with a byte order mark"),
        (lambda raw: raw.decode().encode("utf-16-be"), "encoding", "UTF-16 (big-endian) text, not UTF-8"),
        (lambda raw: raw.decode().encode("utf-32-le"), "encoding", "UTF-32 (little-endian) text, not UTF-8"),
        (lambda raw: bytes(len(raw)), "nul-run", ": the whole file"),
        (lambda raw: raw + b"\0", "nul-run", f"a NUL byte at byte {len(RAW)}"),
        (lambda raw: raw + b"// x", "trailing", "4 bytes follow the end of the document"),
        (lambda raw: raw.replace(b"done", b"\\ud800"), "lone-surrogate", "a lone surrogate escape"),
        (lambda raw: raw.replace(b": 700", b": 1e999"), "number-range", "number out of range"),
        (lambda raw: raw.replace(b"[]", b"[" * 200 + b"]" * 200), "too-deep", "nested deeper than 127 levels"),
        (lambda raw: raw.replace(b"true", b"True"), "malformed", "expected value"),
        (lambda raw: b"[1, 2]", "not-object", "the document is an array"),
        (lambda raw: raw.replace(b'"_checksum"', b'"_checksun"'), "no-checksum", "under the key _checksun"),
        (lambda raw: raw.replace(b'"_version"', b'"_versiom"'), "no-version", "there is no `_version`"),
        (lambda raw: raw.replace(b'"1.0"', b'"1.1"'), "version-edited", "`_version` alone was edited"),
        (lambda raw: raw.replace(b'"1.0"', b'"1.1"').replace(b"done", b"gone"), "changed", "does not hold either"),
    ],
)
def test_damage_has_a_word(damage: Any, word: str, says: str) -> None:
    said = told(damage(RAW))
    assert said.word == word
    assert says in said.sentence


def test_a_damaged_checksum_is_told_from_damaged_content() -> None:
    digest = json.loads(RAW)["_checksum"].encode()
    for stored in (digest.upper(), b" " + digest, b"sha256:" + digest, digest[:-2] + b"zz"):
        said = told(RAW.replace(digest, stored))
        assert (said.word, said.fields) == ("changed", ("._checksum",))
        assert "the content, which is whole" in said.sentence
    assert "no SHA-256 digest" in told(RAW.replace(digest, b"abc")).sentence


BEFORE, AFTER = saved(content(6)), saved(content(8))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"iteration": 700}, ".iteration"),
        ({"iteration": 2}, ".iteration"),
        ({"tokens_used": 9_000_000}, ".tokens_used"),
        ({"cost_estimate": -40.5}, ".cost_estimate"),
        ({"created_at": "2031-01-01T00:00:00Z"}, ".created_at"),
        ({"created_at": "2026-13-01T00:00:00Z"}, ".created_at"),
        ({"checkpoint_id": "ffff0007"}, ".checkpoint_id"),
        ({"session_id": "5e55a0zz"}, ".session_id"),
        ({"trigger": "periodix"}, ".trigger"),
        ({"tokens_used": "many"}, ".tokens_used"),
        ({"messages": [MESSAGES[0], {"role": "tool"}, *content()["messages"][2:]]}, ".messages[1]"),
        ({"messages": content()["messages"][:4]}, ".messages"),
    ],
)
def test_a_changed_field_is_named_by_its_neighbours(change: dict[str, Any], field: str) -> None:
    digest = json.loads(RAW)["_checksum"]
    raw = json.dumps(json.loads(stores.seal(content(**change))) | {"_checksum": digest}, indent=2).encode()
    said = told(raw, None, BEFORE, AFTER)
    assert said.word == "changed"
    assert said.fields == (field,)
    assert field in said.sentence


def test_a_message_differs_in_one_value_deep_inside() -> None:
    changed = json.loads(json.dumps(MESSAGES))
    changed[1]["tool_calls"][0]["arguments"]["cmd"][1] = "-rf everything"
    digest = json.loads(RAW)["_checksum"].encode()
    sealed = stores.seal(content(messages=[*changed, *content()["messages"][3:]]))
    raw = sealed.replace(json.loads(sealed)["_checksum"].encode(), digest)
    assert told(raw, None, BEFORE, AFTER).fields == (".messages[1].tool_calls[0].arguments.cmd[1]",)


def test_it_says_so_when_the_field_cannot_be_told() -> None:
    digest = json.loads(RAW)["_checksum"].encode()
    sealed = stores.seal(content(resume_hint="something else", tokens_used=701))
    raw = sealed.replace(json.loads(sealed)["_checksum"].encode(), digest)
    assert told(raw, None, BEFORE, AFTER).sentence.endswith("its neighbours, the changed field cannot be told")
    assert "it has no valid neighbour" in told(raw).sentence


def test_neighbours_that_do_not_verify_bear_no_witness() -> None:
    wrong = saved(content(8))[1] | {"iteration": 3}
    liar = (look(b'{"_checksum": "", "_version": "1.0"}', "cp_20261123_235959_00000008.json"), wrong)
    digest = json.loads(RAW)["_checksum"].encode()
    sealed = stores.seal(content(tokens_used=701, resume_hint="x"))
    raw = sealed.replace(json.loads(sealed)["_checksum"].encode(), digest)
    assert told(raw, None, BEFORE, liar).fields == ()


def test_a_copy_put_back_later_is_a_neighbour_of_its_own_time() -> None:
    """After a restore, and beside the backup, older content lies in newer files: that makes nothing implausible."""
    late = stores.START + 900 * stores.NS
    copies = [
        (look(stores.seal(content(6)), "cp_20261123_120000_00000006.json", at=late), content(6)),
        (look(stores.seal(content(6)), "latest.json.backup", FileKind.BACKUP, at=late), content(6)),
    ]
    digest = json.loads(RAW)["_checksum"].encode()
    sealed = stores.seal(content(tokens_used=711, resume_hint="x"))
    assert told(sealed.replace(json.loads(sealed)["_checksum"].encode(), digest), None, *copies).fields == ()


def test_keys_that_go_back_are_a_seam() -> None:
    lines = RAW.split(b"\n")
    hint = next(i for i, line in enumerate(lines) if line.startswith(b'  "resume_hint"'))
    raw = b"\n".join([*lines[: hint + 3], *lines[hint:]]).replace(b"done", b"d0ne..")
    said = told(raw)
    assert (said.word, said.fields) == ("spliced", (".resume_hint",))


def test_two_saves_cut_together_at_a_block() -> None:
    """The tail of the save before under this one's head: it reads on, and `tokens_used` has not moved on."""
    older, newer = (content(n, messages=MESSAGES, cost_estimate=n / 2 + 0.25, tokens_used=111 * n) for n in (6, 7))
    before, this = stores.seal(older), stores.seal(newer)
    assert len(before) == len(this)
    raw = this[:512] + before[512:]
    said = told(raw, None, saved(older), AFTER)
    assert (said.word, said.byte) == ("spliced", 512)
    assert saved(older)[0].file.name in said.sentence


def test_who_it_belongs_to() -> None:
    foreign = stores.seal(content(session_id="another"))
    assert told(foreign).word == "foreign"
    assert told(RAW, look(RAW, "cp_20261122_120000_ffffffff.json")).word == "renamed"
    both = told(foreign, look(foreign, "cp_20261122_120000_ffffffff.json"))
    assert (both.word, [n.word for n in both.notes]) == ("foreign", ["renamed"])
    assert told(RAW, look(RAW, "latest.json.backup", FileKind.BACKUP)).word == "ok"


def test_a_copy_names_what_it_copies() -> None:
    original = saved(content())
    backup = look(RAW, "latest.json.backup", FileKind.BACKUP)
    said = told(RAW, backup, original, AFTER)
    assert said.word == "duplicate"
    assert original[0].file.name in said.sentence
    assert told(RAW, look(RAW, "latest.json", FileKind.LATEST), original).word == "ok"


def test_a_time_ahead_of_the_clock() -> None:
    raw = stores.seal(content(created_at="2031-01-01T00:00:00Z"))
    said = told(raw)
    assert said.word == "future"
    assert "created_at is 2031-01-01T00:00:00Z" in said.sentence
    assert told(RAW, look(RAW, at=NOW + 30 * stores.NS)).word == "ok", "clocks of two hosts differ by seconds"


def test_types_that_the_runtime_cannot_load() -> None:
    raw = stores.seal(content(iteration=2**40, messages={}))
    said = told(raw)
    assert (said.word, said.fields) == ("ill-typed", (".iteration", ".messages"))
    assert look(raw).runtime_accepts


def test_numbers_that_the_runtime_misreads_are_named() -> None:
    raw = stores.seal(content(cost_estimate=0.19317299999999998))
    said = told(raw)
    assert said.word == "refused-by-runtime"
    assert said.fields == (".cost_estimate",)
    assert ".cost_estimate is 0.19317299999999998, which the runtime reads as 0.193173" in said.sentence


def test_an_older_spelling_of_exponents_is_named() -> None:
    value = content(cost_estimate=1.5e30)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).replace("1.5e+30", "1.5e30")
    envelope = {"_checksum": hashlib.sha256(text.encode()).hexdigest(), "_version": "1.0"}
    raw = json.dumps(envelope | value, indent=2, ensure_ascii=False).replace("1.5e+30", "1.5e30").encode()
    said = told(raw)
    assert said.word == "refused-by-runtime"
    assert "an older build" in said.sentence


def test_a_file_that_could_not_be_read() -> None:
    file = StoredFile(f"/store/{SESSION}/checkpoints/cp_1.json", FileKind.CHECKPOINT, 0, 0, 0, 0, 0)
    point = Checkpoint(file, diagnose.Integrity.UNREADABLE, "a FIFO, not a regular file", False, "")
    assert (told(b"", point).word, told(b"", point).sentence) == ("unreadable", "a FIFO, not a regular file")


@given(st.binary(max_size=80), st.integers(0, 80))
def test_the_excerpt_can_harm_no_terminal(raw: bytes, at: int) -> None:
    shown = diagnose.excerpt(raw, min(at, len(raw)))
    assert shown.isprintable()
    assert "▸" in shown


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_damage_of_any_kind_is_always_told(seed: int) -> None:
    """Any mixture of damage: one line, safe excerpt, a place inside the file, no exception."""
    rng = random.Random(seed)
    raw = bytearray(RAW)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(raw) + 1)
        kind = rng.randrange(5)
        if kind == 0:
            del raw[at:]
        elif kind == 1:
            raw[at : at + rng.randrange(64)] = bytes(rng.randrange(64))
        elif kind == 2:
            raw[at:at] = rng.randbytes(rng.randrange(8))
        elif kind == 3:
            raw[at:] = OTHER[rng.randrange(len(OTHER)) :]
        else:
            raw[at:at] = struct.pack("<Q", rng.getrandbits(64))
    data = bytes(raw)
    said = told(data, None, BEFORE, AFTER)
    assert said.word and "\n" not in said.sentence
    assert said.byte is None or 0 <= said.byte <= len(data)
    assert said.excerpt.isprintable()
    assert (said.word == "ok") <= (checksum.verify(data).integrity == "valid")
