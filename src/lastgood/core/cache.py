"""What was found in files that have not changed since: remembered per store in the user's cache folder.

A result counts only for the same path, device, inode, size and times to the nanosecond, and the same version of the
verifier. Nothing that changed less than two seconds before it was read is kept, for its times could not show a further
change. The folder may be deleted at any time; a damaged file in it is as good as none. A restore never looks here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256

from .. import __version__
from .files import TooLarge, Unreadable, read_regular
from .model import Checkpoint, Header, Integrity, StoredFile
from .times import now_ns

_RULES = 1
"""Raised when the same bytes get another answer."""
VERSION = f"{__version__}/{_RULES}"

_SETTLED_NS = 2_000_000_000
_MOST_RESULTS = 250_000
"""Per store: about 100 MB."""
_MOST_STORES = 16
_MOST_BYTES = 1 << 30
_LONGEST_TEXT = 2_000
_NOT_OF_CONTENT = frozenset((Integrity.UNREADABLE, Integrity.TOO_LARGE))
_I64 = range(-(2**63), 2**63)


class Cache:
    """The folder. Makes nothing until there is something to keep."""

    def __init__(self, folder: str, *, clock: Callable[[], int] = now_ns) -> None:
        self.folder = folder
        self._clock = clock

    def open(self, store_path: str) -> Remembered:
        """What is remembered of one store."""
        name = sha256(os.fsencode(store_path)).hexdigest()[:32]
        return Remembered(os.path.join(self.folder, f"verified-{name}.json"), self._clock)


class Remembered:
    """Results of one store: looked up by file, added to, and kept by :meth:`save`."""

    def __init__(self, path: str, clock: Callable[[], int]) -> None:
        self._path = path
        self._clock = clock
        self._known = _load(path)
        self._used: dict[str, list[object]] = {}
        self._added = False

    def get(self, file: StoredFile) -> Checkpoint | None:
        """What was found in this very file, or None."""
        result = self._known.get(file.path)
        if result is None or file.problem is not None or result[0] != _identity(file):
            return None
        point = _point(file, result)
        if point is not None:
            self._used[file.path] = result
        return point

    def started(self) -> int:
        """The time to give to :meth:`put`: taken before the file is read."""
        return self._clock()

    def put(self, point: Checkpoint, read_at: int) -> None:
        """Remember what was found in a file that was read at this time or later."""
        file = point.file
        if read_at - max(file.mtime_ns, file.ctime_ns) < _SETTLED_NS or point.integrity in _NOT_OF_CONTENT:
            return
        result = _result(point)
        if result is not None:
            self._used[file.path] = result
            self._added = True

    def save(self) -> None:
        """Keep what was used and added, and as much of the rest as there is room for. Failing is no fault."""
        if not self._added:
            return
        import orjson

        room = max(0, _MOST_RESULTS - len(self._used))
        rest = [(path, result) for path, result in self._known.items() if path not in self._used][:room]
        kept = dict(list(self._used.items())[:_MOST_RESULTS] + rest)
        try:
            _write(self._path, orjson.dumps({"version": VERSION, "results": kept}))
            _forget_oldest(os.path.dirname(self._path))
        except (OSError, orjson.JSONEncodeError):
            return
        self._added = False


def _identity(file: StoredFile) -> list[int]:
    return [file.device, file.inode, file.size, file.mtime_ns, file.ctime_ns]


def _result(point: Checkpoint) -> list[object] | None:
    """A result as it is kept; None for what JSON or a sensible size cannot hold."""
    header = point.header
    fields: list[object] = [
        _identity(point.file),
        point.integrity.value,
        point.reason,
        point.runtime_accepts,
        point.runtime_reason,
        point.expected,
        None if point.actual == point.expected else point.actual,
        header.checkpoint_id,
        header.session_id,
        header.trigger,
        header.created_at,
        header.iteration,
        header.messages,
        header.pending,
        header.tokens_used,
        header.cost_estimate,
        header.resume_hint,
        point.content_sha256,
    ]
    for value in (point.file.path, *fields):
        if isinstance(value, str) and (len(value) > _LONGEST_TEXT or not _is_unicode(value)):
            return None
        if isinstance(value, int) and value not in _I64:
            return None
    return fields


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def _point(file: StoredFile, result: list[object]) -> Checkpoint | None:
    """The other way round; None where the file holds something else than was written to it."""
    try:
        _, integrity, reason, accepts, runtime_reason, expected, actual, *of_header, content = result
        return Checkpoint(
            file,
            Integrity(integrity),  # type: ignore[arg-type]
            reason,  # type: ignore[arg-type]
            accepts is True,
            runtime_reason,  # type: ignore[arg-type]
            expected,  # type: ignore[arg-type]
            expected if actual is None else actual,  # type: ignore[arg-type]
            Header(*of_header),  # type: ignore[arg-type]
            content,  # type: ignore[arg-type]
        )
    except (TypeError, ValueError):
        return None


def _load(path: str) -> dict[str, list[object]]:
    """The results in a file whose digest holds; nothing where anything is amiss."""
    import orjson

    try:
        stated, _, kept = read_regular(path, limit=_MOST_BYTES).partition(b"\n")
        if stated != sha256(kept).hexdigest().encode():
            return {}
        found = orjson.loads(kept)
        results = found["results"]
        return results if found["version"] == VERSION and isinstance(results, dict) else {}
    except (Unreadable, TooLarge, orjson.JSONDecodeError, KeyError, TypeError):
        return {}


def _write(path: str, kept: bytes) -> None:
    """Replace the file, readable by its owner alone. No fsync: losing it costs time, not truth."""
    import tempfile

    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    descriptor, partial = tempfile.mkstemp(dir=folder, prefix=".verified-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(sha256(kept).hexdigest().encode() + b"\n" + kept)
        os.replace(partial, path)
    except OSError:
        os.unlink(partial)
        raise


def _forget_oldest(folder: str) -> None:
    """Keep the results of the stores verified last."""
    with os.scandir(folder) as entries:
        files = [(e.stat().st_mtime_ns, e.path) for e in entries if e.name.startswith(("verified-", ".verified-"))]
    for _, path in sorted(files, reverse=True)[_MOST_STORES:]:
        os.unlink(path)
