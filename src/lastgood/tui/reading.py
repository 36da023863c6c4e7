"""One file read for somebody who looks at it: its details, its contents, its differences; and the journal."""

from __future__ import annotations

from ..core.assess import Assessed
from ..core.errors import LastgoodError
from ..core.journal import Journal
from ..core.model import Checkpoint, StoredFile
from ..core.pending import within
from ..core.sanitise import clean_lines
from ..core.serde import ParseFault, parse_exactly
from ..core.store import Store
from .news import Compared, Detail, Logged, Opened, Paged

_DETAIL_MAX = 8_000_000
"""Bytes up to which a file is read whole for its overview."""
_CLOSING = 3
_CLOSING_LENGTH = 240
"""So many turns of a conversation, and so much of each, tell what was going on."""


def detail(store: Store, seen: Assessed, point: Checkpoint) -> Detail:
    """What an overview of `point` shows beyond its verdict."""
    file = point.file
    if file.size > _DETAIL_MAX or file.problem is not None:
        return Detail(file)
    try:
        raw = store.read(file)
    except LastgoodError as error:
        return Detail(file, diagnosis=(str(error),))
    pending, closing = _left_off(raw, store.state_path(file))
    if point.valid:
        return Detail(file, pending, closing=closing)
    found = store.diagnose(raw, point, _neighbours(store, seen, point))
    sentences = (found.sentence, *(note.sentence for note in found.notes))
    return Detail(file, pending, sentences, found.excerpt, closing)


def _neighbours(store: Store, seen: Assessed, point: Checkpoint) -> list[tuple[Checkpoint, dict[str, object]]]:
    """The valid points next to this one in time, with what they hold: they tell which field cannot be so."""
    near: list[tuple[Checkpoint, dict[str, object]]] = []
    others = sorted(seen.points or (), key=lambda p: abs(p.file.mtime_ns - point.file.mtime_ns))
    for other in others:
        if len(near) == 4:
            break
        if other.valid and other.file.path != point.file.path and other.file.size <= _DETAIL_MAX:
            try:
                value = _object(store.read(other.file))
            except (LastgoodError, ParseFault):
                continue
            if value is not None:
                near.append((other, value))
    return near


def open_file(store: Store, file: StoredFile) -> Opened:
    """The contents of a file, as far as they can be read."""
    try:
        # Not mapped: of a mapped file that shrinks the kernel kills whoever looks at it.
        raw = store.read(file)
    except LastgoodError as error:
        return Opened(file, None, problem=str(error))
    if len(raw) > _DETAIL_MAX:
        return Opened(file, raw, problem="it is too large to be read as messages; the JSON tab shows it")
    try:
        value = _object(raw)
    except ParseFault as fault:
        return Opened(file, raw, fault=(fault.offset, str(fault)), problem="it does not parse")
    held = within(value, store.state_path(file))
    return Opened(file, raw, held if isinstance(held, dict) else None)


def compare(store: Store, file: StoredFile, against: StoredFile) -> Compared:
    """What leads from `against` to `file`."""
    from ..core.diff import diff

    values: list[dict[str, object]] = []
    for one in (against, file):
        if one.size > _DETAIL_MAX:
            return Compared(file, against, None, f"{one.name} is too large to be compared here")
        try:
            value = _object(store.read(one))
        except LastgoodError as error:
            return Compared(file, against, None, str(error))
        except ParseFault:
            value = None
        if value is None:
            return Compared(file, against, None, f"{one.name} holds no JSON object to compare")
        values.append(value)
    return Compared(file, against, diff(values[0], values[1], store.state_path(file)))


def page(store: Store, file: StoredFile) -> Paged:
    """Make the file's text fit for a pager."""
    import tempfile

    raw = store.read(file)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix="lastgood-", suffix=".json", delete=False) as made:
        made.writelines(f"{line}\n" for line in clean_lines(raw.decode("utf-8", "surrogateescape")))
    return Paged(made.name)


def log(store: Store) -> Logged:
    """What was done to this store."""
    journal = Journal(store.path)
    try:
        return Logged(journal.actions(), journal.problem())
    except LastgoodError as error:
        return Logged([], str(error))


def _object(raw: bytes) -> dict[str, object] | None:
    """The JSON object in `raw`; None where it is JSON of another kind. Raises ParseFault where it is none."""
    value = parse_exactly(raw)
    return value if isinstance(value, dict) else None


def _left_off(raw: bytes, keys: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What was going on: the calls that are pending, and the last turns."""
    from ..core.chat import conversation, in_a_line
    from ..core.pending import pending_calls

    try:
        state = within(parse_exactly(raw), keys)
    except ParseFault:
        return (), ()
    turns = conversation(state)[-_CLOSING:] if isinstance(state, dict) else []
    closing = tuple(in_a_line(turn)[:_CLOSING_LENGTH] for turn in turns if turn.role != "pending")
    return tuple(call.says() for call in pending_calls(state)), closing
