"""Taking an action back: a plan that gives its paths what they were, to the byte and the nanosecond."""

from __future__ import annotations

import os
from typing import Literal

from . import files
from .errors import Failed, NotFound, Refused
from .model import CopyOf, LinkTo, Plan, Step
from .records import Change, Entry, Ledger
from .tree import Tree, is_still


def chosen(ledger: Ledger, action_id: str | None) -> Entry:
    """The action of this id, or of the only id that begins or ends so; without one, the last that is still done.

    Raises:
        NotFound: there is none.
        Refused: there are several, or it is not (or no longer) done.
    """
    undone = ledger.undone()
    if action_id is None:
        for entry in reversed(ledger.entries):
            if entry.state == "done" and entry.intent.undoes is None and entry.intent.id not in undone:
                return entry
        raise NotFound("there is nothing to undo: `lastgood log` names what was done to this store")
    named = [e for e in ledger.entries if e.intent.id == action_id] or [
        e
        for e in ledger.entries
        if action_id and (e.intent.id.startswith(action_id) or e.intent.id.endswith(action_id))
    ]
    if not named:
        raise NotFound(f"no action {action_id}: `lastgood log` names those there are")
    if len(named) > 1:
        raise Refused(f"{action_id} can mean {', '.join(e.intent.id for e in named)}")
    entry = named[0]
    if entry.intent.id in undone:
        raise Refused(f"action {entry.intent.id} has been undone already")
    if entry.state != "done":
        raise Refused(f"action {entry.intent.id} is {entry.state}: there is nothing to take back")
    return entry


def plan_undo(store_path: str, ledger: Ledger, action_id: str | None) -> Plan:
    """The plan that takes the action back. It raises what :func:`chosen` does, and

    Raises:
        Refused: something has been written since where it would write; the message lists what.
        Failed: what it kept is gone or damaged.
    """
    entry = chosen(ledger, action_id)
    intent, outcome = entry.intent, entry.outcome
    assert outcome is not None
    try:
        with Tree(store_path) as tree:
            changed = [c for c in intent.changes if not _as_left(tree, c, entry)]
            if changed:
                raise Refused(_what_changed(tree, ledger, entry, changed))
            steps = tuple(_step_back(tree, change) for change in reversed(intent.changes))
            reads = tuple((f"{tree.path}/{c.kept}", tree.stamp(c.kept)) for c in intent.changes if c.kept)
            now = {f.path: os.fstat(tree.folder(f.path)).st_mtime_ns for f in intent.folders}
            folders = tuple(
                (os.path.join(tree.path, f.path), f.mtime_ns)
                for f in intent.folders
                if now[f.path] == outcome.folders.get(f.path)  # a later time is somebody else's, and stays
            )
    except OSError as error:
        raise Refused(f"action {intent.id} cannot be undone: {files.words(error)}") from error
    facts = {"undoes": intent.id, "undoes_op": intent.kind}
    return Plan("undo", intent.sessions, steps, reads, undoes=intent.id, facts=facts, folders=folders)


def _as_left(tree: Tree, change: Change, entry: Entry) -> bool:
    assert entry.outcome is not None
    left = entry.outcome.after.get(change.path)
    return left is not None and is_still(tree.image(change.path), left)


def _what_changed(tree: Tree, ledger: Ledger, entry: Entry, changed: list[Change]) -> str:
    lines = [f"action {entry.intent.id} cannot be undone, something has been written since; nothing changed:"]
    undone = ledger.undone()
    for change in changed:
        later = [
            e.intent.id
            for e in ledger.entries[ledger.entries.index(entry) + 1 :]
            if e.state == "done"
            and e.intent.id not in undone
            and e.intent.undoes is None
            and any(c.path == change.path for c in e.intent.changes)
        ]
        by = f" by action {later[-1]}: undo that first" if later else ""
        state = "is gone" if tree.stamp(change.path).type == "absent" else "has changed"
        lines.append(f"{tree.path}/{change.path} {state}{by}")
    return "\n".join(lines)


def _step_back(tree: Tree, change: Change) -> Step:
    path = f"{tree.path}/{change.path}"
    name = change.path.rpartition("/")[2]
    before, now = change.before, tree.stamp(change.path)
    if before.type == "absent":
        return Step("remove", path, f"remove {name}: it was not there", now, None)
    owner = None if before.uid is None or before.gid is None else (before.uid, before.gid)
    if before.type == "symlink":
        assert before.target is not None
        detail = f"point {name} at {before.target} again"
        return Step("link", path, detail, now, LinkTo(before.target), before.mtime_ns, None, owner)
    assert change.kept is not None
    kept = tree.image(change.kept)
    # The content is what counts here; whoever holds the file by a second name may have changed its mode.
    if before.sha256 is None or before.size is None or (kept.type, kept.sha256) != ("file", before.sha256):
        raise Failed(f"what {path} was is not in {tree.path}/{change.kept} any more; nothing changed")
    content = CopyOf(f"{tree.path}/{change.kept}", before.sha256, before.size)
    op: Literal["create", "replace"] = "create" if now.type == "absent" else "replace"
    detail = f"put {name} back as it was"
    return Step(op, path, detail, now, content, before.mtime_ns, before.mode, owner, before.xattrs)
