"""A fuzzer for whatever reads bytes that somebody else wrote. No part of the tests: it runs for as long as it is let.

    pip install atheris
    python -m tests.fuzz --seconds 600 [TARGET…]

Coverage-guided, from the files in ``tests/data/corpus``; what it finds it leaves in ``--found DIR`` (a temporary folder
unless named); a case worth keeping becomes a test of the module that it broke.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import sys
import tempfile
import traceback
from array import array
from binascii import crc32
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

if __name__ == "__main__":
    import atheris

    import lastgood.core

    with atheris.instrument_imports(include=["lastgood"]):
        for module in pkgutil.iter_modules(lastgood.core.__path__):
            importlib.import_module(f"lastgood.core.{module.name}")

from lastgood.core import chat, checksum, continuum, diff, jsonfold, jsonsearch, meta, pending, records, sanitise, serde
from lastgood.core.aswritten import readings
from lastgood.core.cache import Remembered
from lastgood.core.diagnose import diagnose
from lastgood.core.errors import Refused
from lastgood.core.jsonline import Kind
from lastgood.core.jsontext import Index
from lastgood.core.kept import Kept
from lastgood.core.model import FileKind, StoredFile
from lastgood.core.salvage import salvage

DATA = Path(__file__).parent / "data"
FILE = StoredFile("/store/s/checkpoints/cp_20261120_090204_ab.json", FileKind.CHECKPOINT, 0, 0, 0, 0, 0, None, None)


def reader(raw: bytes) -> None:
    """Both readings end with a value or a ParseFault, whose place lies in the text."""
    for parse in (serde.parse, serde.parse_exactly):
        try:
            value = parse(raw)
        except serde.ParseFault as fault:
            assert 0 <= fault.offset <= len(raw), fault.offset
            assert str(fault)
        else:
            diff.diff({"value": value}, {"value": None})
            pending.pending_calls(value)
            if isinstance(value, dict):
                chat.conversation(value)


def verifier(raw: bytes) -> None:
    """The fast way and the slow way of reading agree to the bit; a verdict comes of anything."""
    fast = readings(raw)
    if fast is not None:
        slow = checksum._readings(raw)
        assert repr(fast) == repr(slow)
    seen = checksum.verify(raw)
    assert (seen.reason is None) == (seen.integrity.value == "valid")
    assert not seen.runtime_accepts or seen.integrity.value == "valid"


def viewer(raw: bytes) -> None:
    """The lines cover the text in order, read back as it where it is JSON; folding and searching end and agree."""
    index = Index(raw)
    while not index.grow(1.0):
        pass
    last = 0
    for number in range(len(index)):
        line = index.line(number)
        assert last <= line.start <= line.end <= len(raw)
        last = line.start
        assert index.line_at(line.start) <= number
        index.steps(number), index.path(number), index.closing(number)
        assert line.opened <= number
    if index.fault is None and len(index):
        shown = "\n".join(index.pretty(n) for n in range(len(index)))
        value = _json(raw)
        assert value is None or repr(json.loads(shown)) == repr(value), "the lines say something else"
    for level in (0, 1, 2):
        folds = jsonfold.Folds(index, level)
        shown_lines = []
        at: int | None = 0 if len(index) else None
        while at is not None:
            shown_lines.append(at)
            at = folds.following(at)
        for before, after in pairwise(shown_lines):
            assert folds.preceding(after) == before
        if len(index):
            folds.reveal(len(index) - 1)
    for query in ("a", '"', raw[:3].decode("utf-8", "surrogateescape")):
        if query:
            search = jsonsearch.Search(index, query)
            while not search.advance(1.0):
                pass
            hits = list(search.hits)
            assert hits == sorted(set(hits))
            assert all(index.line(n).kind is not Kind.CLOSE for n in hits)


def damaged(raw: bytes) -> None:
    """A diagnosis of anything; a salvage of anything, or a refusal."""
    point = continuum.look_at(FILE, raw)
    found = diagnose(raw, point, [], now_ns=0)
    assert found.word and found.sentence
    assert _harmless(found.excerpt)
    try:
        kept = salvage(raw)
    except Refused:
        return
    assert 0 <= kept.first <= kept.last <= len(raw)
    checksum.seal(kept.value)


def metadata(raw: bytes) -> None:
    """session_meta.json and state.json: read or refused; an edit changes its two values and reads back."""
    with suppress(meta.MetaFault):
        meta.read_state(raw)
    try:
        before = meta.read_meta(raw)
    except meta.MetaFault:
        return
    for active, reason in ((True, None), (False, 'over "\n\\'), (False, "")):
        after = meta.read_meta(meta.edit_meta(raw, is_active=active, termination_reason=reason))
        assert (after.is_active, after.termination_reason) == (active, reason)
        assert (after.session_id, after.last_updated) == (before.session_id, before.last_updated)


def journal(raw: bytes) -> None:
    """Whatever the file holds: a ledger, and never a path out of the store or a name that is not ours."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, records.NAME).write_bytes(raw)
        ledger = records.read(folder)
    ledger.actions()
    for entry in ledger.entries:
        for change in entry.intent.changes:
            assert ".." not in change.path.split("/") and not change.path.startswith("/")
            assert not change.path.startswith(".lastgood")


def door(raw: bytes) -> None:
    """What is shown can be read back, and holds nothing that acts."""
    text = raw.decode("utf-8", "surrogateescape")
    shown = sanitise.clean(text)
    assert sanitise.restore(shown) == text
    assert _harmless(shown)


def _json(raw: bytes) -> object:
    try:
        return json.loads(raw.decode())
    except (ValueError, RecursionError):
        return None


def _harmless(shown: str) -> bool:
    return shown.replace("\u3000", " ").isprintable()


def memory(raw: bytes) -> None:
    """A file of the cache, whatever it holds, gives pieces that were written or none; also one whose sums hold."""
    with tempfile.NamedTemporaryFile(suffix=".kept") as file:
        folder = b"/store/s/checkpoints"
        named = len(folder).to_bytes(2, "little") + folder
        columns = array("I", (crc32(named), 0, len(named + raw), crc32(named + raw))).tobytes()
        whole = named + raw + _index(columns)
        for content in (raw, raw + _index(raw), whole):
            file.seek(0)
            file.truncate()
            file.write(content)
            file.flush()
            held = Kept(file.name, "v")
            held.read_all()
            for name in held.names():
                assert held.get(name) in (None, raw) or content != whole
            remembered = Remembered(file.name, "/store", lambda: 0)
            remembered._kept = held
            assert remembered.get(FILE) is None or content == whole


def _index(columns: bytes) -> bytes:
    told = b"v\n" + columns
    return told + b"%08x %015d" % (crc32(told), len(told))


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (reader, verifier, viewer, damaged, metadata, journal, door, memory)
}


def _seeds(folder: str) -> None:
    for number, path in enumerate(sorted(DATA.glob("*/*"))):
        raw = path.read_bytes()
        if len(raw) < 4_000:
            for target in range(len(TARGETS)):
                Path(folder, f"{number}_{target}").write_bytes(bytes([target]) + raw)
    line = (
        b'{"type": "intent", "id": "20261120_090204_abcdef", "origin": {"user": "u", "host": "h", "ssh_from": null, '
        b'"pid": 1, "version": "1"}, "kind": "restore", "sessions": ["s"], "reason": null, "undoes": null, '
        b'"facts": {"a": "b"}, "changes": [], "folders": [], "set_times": [], "at": "2026-11-20T09:02:04Z"}\n'
        b'{"type": "outcome", "id": "20261120_090204_abcdef", "state": "done", "note": null, "after": {}, '
        b'"folders": {}, "left": [], "at": "2026-11-20T09:02:05Z"}\n'
    )
    Path(folder, "journal").write_bytes(bytes([list(TARGETS).index("journal")]) + line)


def main() -> None:
    import argparse

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="default: all of them, in turns")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--found", metavar="DIR", default=tempfile.mkdtemp(prefix="lastgood-fuzz-"))
    args = parser.parse_args()
    chosen = [TARGETS[name] for name in args.targets or TARGETS]

    seen: set[str] = set()

    def one(data: bytes) -> None:
        """A failure is kept, one for each place in the code, and the run goes on."""
        if not data:
            return
        target = chosen[data[0] % len(chosen)]
        try:
            target(data[1:])
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            where = f"{target.__name__}-{type(error).__name__}-{frames[-1].name}-{frames[-1].lineno}"
            if where not in seen:
                seen.add(where)
                Path(args.found, where).write_bytes(data[1:])
                traceback.print_exc()

    seeds = os.path.join(args.found, "seeds")
    os.makedirs(seeds, exist_ok=True)
    _seeds(seeds)
    options = [f"-max_total_time={args.seconds}", "-timeout=20", "-max_len=4000", "-rss_limit_mb=4000"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={args.found}/", seeds], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
