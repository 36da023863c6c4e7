"""The readable part of a torn checkpoint of the SDK, as a new one that says what it is."""

from __future__ import annotations

import json
import os
import re
from hashlib import sha256

from . import files, serde
from .errors import Refused
from .model import ABSENT, FileKind, Integrity, Plan, Session, Step, StoredFile, Survey
from .newest import refuse_links
from .scan import scan
from .store import Store
from .times import now_ns, rfc3339

_NS = 1_000_000_000
_STATE = re.compile(rb'\n  "state":[ ]')
"""Where the state begins, as json.dump with an indent of two writes it."""


def plan_salvage(store: Store, session: Session, survey: Survey, file: StoredFile) -> Plan:
    """Write what `file` holds up to where it stops: whole members of its state, whole elements of their lists.

    It is made a second older than every checkpoint, so that `load` goes on giving what it gave; only a restore makes
    it the newest.

    Raises:
        Refused: the file reads well, nothing of its state can be kept, or the folder is a symlink.
        NotFound: the file cannot be read.
    """
    refuse_links(session, survey)
    point = store.verify(file)
    if point.integrity is not Integrity.UNPARSEABLE:
        raise Refused(f"{file.name} reads to its end: nothing of it is cut off, so there is nothing to salvage")
    raw = store.read(file)
    value, last = _readable(raw)
    state = value.get("state")
    if not state or not isinstance(state, dict):
        raise Refused(f"nothing worth keeping can be read: {point.reason}, before the first member of its state ends")
    now = now_ns()
    new_id = f"cp_{os.urandom(6).hex()}_{now // _NS}"
    lost = f"kept: {', '.join(state)} of the state (bytes 0 to {last - 1} of {len(raw)})"
    made = {
        "checkpoint_id": new_id,
        "session_id": value.get("session_id", session.folder),
        "created_at": value.get("created_at", rfc3339(file.mtime_ns).rstrip("Z")),
        "state": state,
        "trigger": "salvaged",
        "salvaged_from": file.name,
        "salvaged": {"problem": point.reason, "lost": lost, "sha256": sha256(raw).hexdigest(), "at": rfc3339(now)},
        "_version": 1,
    }
    data = json.dumps(made, indent=2, ensure_ascii=False).encode()
    path = os.path.join(session.path, f"{new_id}.json")
    source = files.stamp(file.path)
    oldest = min((f.mtime_ns for f in survey.of(FileKind.CHECKPOINT)), default=file.mtime_ns) - _NS
    step = Step("create", path, f"the readable part of {file.name}", ABSENT, data, oldest, source.mode & 0o777)
    facts = {"salvaged_from": file.name, "salvaged_path": path, "content_sha256": sha256(data).hexdigest()}
    return Plan("salvage", (session.name,), (step,), ((file.path, source),), (lost,), facts=facts)


def _readable(raw: bytes) -> tuple[dict[str, object], int]:
    """The envelope before the state, with the longest readable part of the state; and the byte where that ends."""
    before = _STATE.search(raw)
    if before is None:
        raise Refused("nothing of it can be kept: no state begins in it")
    head = raw[: before.start()].rstrip(b", \n") + b',"state":'
    shift = before.end() - len(head)
    stop = scan(raw, before.end())
    while stop.closers:
        try:
            value = serde.parse_exactly(head + raw[before.end() : stop.cut] + stop.closers + b"}")
        except serde.ParseFault as fault:  # a number or a surrogate that cannot be read, before the damage
            stop = scan(raw, before.end(), end=min(fault.offset + shift, stop.cut - 1))
            continue
        if isinstance(value, dict):
            return value, stop.cut
        break
    raise Refused("nothing of it can be kept: its state is cut off before its first member ends")
