"""A restore, a termination or an activation as data: what would be done, and nothing done (DESIGN.md).

The steps are in the order in which they are made: first the new checkpoint, then ``latest.json``, then the metadata, so
that nothing ever points at what is not there yet.
"""

from __future__ import annotations

import hashlib
import os
import time
from typing import Literal

from . import checksum, files, meta
from .errors import Refused, UsageProblem
from .model import Checkpoint, CopyOf, FileKind, Header, LinkTo, Plan, Session, State, Step, Survey
from .newest import (
    Source,
    copied,
    later_than,
    newest_file,
    refuse_links,
    refuse_point,
    sha256_of,
    source_of,
    warnings_of,
)
from .store import Store
from .words import command

_META_LIMIT = 1 << 20
_MAX_ID_BYTES = 200


def plan_restore(
    store: Store,
    session: Session,
    survey: Survey,
    point: Checkpoint,
    *,
    foreign: bool = False,
    reseal_with: bytes | None = None,
) -> Plan:
    """Make `point` what the runtime resumes from by both of its ways (DESIGN.md, "What restore means", 1 to 3).

    Args:
        foreign: take a checkpoint that names another session.
        reseal_with: the point's content as the runtime accepts it, where it refuses the file's own bytes.

    Raises:
        Refused: the point does not verify, the runtime would refuse it, it is another session's, the session is a
            symlink, or its metadata is damaged. A plan without steps means that all is as it should be.
    """
    refuse_links(session, survey)
    refuse_point(session, point, foreign=foreign)
    if not point.runtime_accepts and reseal_with is None:
        raise Refused(
            f"{point.file.path} is whole, yet the runtime would refuse it ({point.runtime_reason}). "
            "It reads some number of the file a last digit off; --reseal writes them so that it reads them right"
        )
    source = source_of(point)
    warnings: list[str] = []
    content: bytes | CopyOf
    if reseal_with is not None:
        content, sha256 = reseal_with, hashlib.sha256(reseal_with).hexdigest()
        warnings.append("the new checkpoint is re-sealed: its numbers are written so that the runtime reads them alike")
    else:
        content = copied(point, source)
        sha256 = content.sha256
    steps: list[Step] = []
    if reseal_with is None and _is_newest(store, survey, point):
        target = point.file.path
    else:
        create = _new_checkpoint(survey, point.header, content, sha256, source)
        target = create.path
        steps.append(create)
    steps += _latest(survey, target, content, sha256)
    steps += _active(session, point, warnings)
    warnings += warnings_of(session, point)
    reads = [source, (survey.folder, files.stamp(survey.folder))]
    reads += [(path, files.stamp(path)) for path in _unchanged(session, survey, steps)]
    facts = {
        "checkpoint_path": point.file.path,
        "restored_path": target,
        "content_sha256": sha256,
        "meta_path": _meta_path(session),
    }
    if point.header.checkpoint_id is not None:
        facts["checkpoint_id"] = point.header.checkpoint_id
    return Plan("restore", (session.name,), tuple(steps), tuple(reads), tuple(warnings), facts=facts)


def plan_terminate(store: Store, session: Session, reason: str) -> Plan:
    """Mark the session ended, for this reason. A plan without steps means that it is so already.

    Raises:
        UsageProblem: there is no reason, or it is no Unicode text.
        Refused: its metadata is damaged, missing or no regular file, or the session is a symlink.
    """
    if not reason.strip():
        raise UsageProblem("terminate needs a reason: --reason TEXT")
    try:
        reason.encode()
    except UnicodeEncodeError:
        raise UsageProblem("the reason is no Unicode text: session_meta.json cannot hold it") from None
    warnings: tuple[str, ...] = ()
    if session.meta is not None and session.state is State.TERMINATED and session.meta.termination_reason is not None:
        warnings = (f"it had ended before: {session.meta.termination_reason}",)
    return _marked("terminate", session, is_active=False, reason=reason, warnings=warnings)


def plan_activate(store: Store, session: Session) -> Plan:
    """Mark the session active again, without a reason for its end. Raises Refused as :func:`plan_terminate` does."""
    return _marked("activate", session, is_active=True, reason=None, warnings=())


def check(store: Store, plan: Plan) -> str | None:
    """After `plan` was applied: None if what it promised holds on disk, else what does not."""
    if plan.kind == "restore":
        return check_restored(store, plan)
    return _check_meta(plan)


def check_restored(store: Store, plan: Plan) -> str | None:
    """Resume as the runtime does, by ``latest.json`` and by newest mtime: None if both give the plan's content."""
    path, sha256 = plan.facts["restored_path"], plan.facts["content_sha256"]
    folder = os.path.dirname(path)
    latest = os.path.join(folder, "latest.json")
    resolved = os.path.join(folder, os.path.basename(os.path.realpath(latest)))
    if _accepted_sha256(resolved) != sha256:
        return f"{latest} does not give the runtime the chosen content"
    newest = _runtime_newest(folder)
    if newest is None or _accepted_sha256(newest) != sha256:
        return f"the newest checkpoint that the runtime accepts is {newest}, not the chosen one"
    return _check_meta(plan)


def _check_meta(plan: Plan) -> str | None:
    path = plan.facts.get("meta_path")
    if path is None:
        return None
    try:
        found = meta.read_meta(files.read_regular(path, limit=_META_LIMIT))
    except (files.Unreadable, files.TooLarge, meta.MetaFault) as fault:
        return f"{path} does not read back: {fault}"
    ended = plan.kind == "terminate"
    if found.is_active is ended or (found.termination_reason is None) is ended:
        return f"{path} does not say what it should"
    return None


def _is_newest(store: Store, survey: Survey, point: Checkpoint) -> bool:
    """Whether the runtime's second way gives this very file already, whatever order the folder is read in."""
    if point.file.kind is not FileKind.CHECKPOINT or point.file.link is not None or not point.runtime_accepts:
        return False
    rivals = [f for f in survey.of(FileKind.CHECKPOINT) if f.path != point.file.path]
    return not any(f.mtime_ns >= point.file.mtime_ns and store.verify(f).runtime_accepts for f in rivals)


def _new_checkpoint(survey: Survey, header: Header, content: bytes | CopyOf, sha256: str, source: Source) -> Step:
    newest = max((f.mtime_ns for f in survey.files), default=0)
    if survey.latest is not None:
        newest = max(newest, files.stamp(survey.latest.path).mtime_ns)
    path = _free_name(survey.folder, _safe_id(header.checkpoint_id, sha256))
    return newest_file(path, content, source, later_than(newest, time.time_ns()))


def _safe_id(checkpoint_id: str | None, sha256: str) -> str:
    """A checkpoint's id as part of a file name; one that could be a path, or no name, gives way to the digest."""
    derived = f"sha256-{sha256[:12]}"
    if not checkpoint_id or "/" in checkpoint_id or ".." in checkpoint_id or not checkpoint_id.isprintable():
        return derived
    try:
        return checkpoint_id if len(checkpoint_id.encode()) <= _MAX_ID_BYTES else derived
    except UnicodeEncodeError:
        return derived


def _free_name(folder: str, id: str) -> str:
    """``cp_<UTC now>_<id>.json``, as the runtime names its own; a second later for each such name that is taken."""
    second = int(time.time())
    while True:
        path = os.path.join(folder, f"cp_{time.strftime('%Y%m%d_%H%M%S', time.gmtime(second))}_{id}.json")
        if not os.path.lexists(path):
            return path
        second += 1


def _latest(survey: Survey, target: str, content: bytes | CopyOf, sha256: str) -> list[Step]:
    path = os.path.join(survey.folder, "latest.json")
    before = files.stamp(path)
    name = os.path.basename(target)
    if before.type == "file":
        if before.size == (len(content) if isinstance(content, bytes) else content.size) and (
            sha256_of(Source(path, before)) == sha256
        ):
            return []
        return [Step("replace", path, f"make it a copy of {name}", before, content)]
    if before.type in ("absent", "symlink"):
        return [] if before.target == name else [Step("link", path, f"point it at {name}", before, LinkTo(name))]
    raise Refused(f"{path} is neither a file nor a symlink")


def _active(session: Session, point: Checkpoint, warnings: list[str]) -> list[Step]:
    path = _meta_path(session)
    before = files.stamp(path)
    if before.type != "absent":
        return _edited_meta(session, is_active=True, reason=None)
    warnings.append("there is no session_meta.json: a new one is made")
    header = point.header
    updated = point.file.mtime_ns if header.created_at is None else header.created_at
    fits = header.iteration is not None and -(2**31) <= header.iteration < 2**31  # the crate reads an i32
    try:
        data = meta.new_meta(session.name, True, None, updated, header.iteration if fits and header.iteration else 0)
    except meta.MetaFault:
        raise Refused(f"the folder's name {session.path} is no UTF-8: no session_meta.json can name it") from None
    return [Step("create", path, "a new one: active, no termination reason", before, data, mode=0o600)]


def _marked(
    kind: Literal["terminate", "activate"],
    session: Session,
    *,
    is_active: bool,
    reason: str | None,
    warnings: tuple[str, ...],
) -> Plan:
    refuse_links(session)
    if session.state is State.UNTRACKED:
        raise Refused(f"{session.name} has no session_meta.json; {command('repair', session.name)} makes one")
    steps = _edited_meta(session, is_active=is_active, reason=reason)
    path = _meta_path(session)
    reads = () if steps else ((path, files.stamp(path)),)
    return Plan(kind, (session.name,), tuple(steps), reads, warnings, reason, facts={"meta_path": path})


def _edited_meta(session: Session, *, is_active: bool, reason: str | None) -> list[Step]:
    """The step that gives session_meta.json these two values and keeps every other byte; none where it has them."""
    path = _meta_path(session)
    before = files.stamp(path)
    try:
        raw = files.read_regular(path, limit=_META_LIMIT)
        edited = meta.edit_meta(raw, is_active=is_active, termination_reason=reason)
    except (files.Unreadable, files.TooLarge, meta.MetaFault) as fault:
        raise Refused(
            f"{path} is damaged ({fault}); {command('repair', session.name)} rebuilds it from what is known"
        ) from fault
    if edited == raw:
        return []
    word = "active" if is_active else "not active"
    why = "null" if reason is None else repr(reason)
    return [Step("replace", path, f"mark it {word}, termination reason {why}", before, edited)]


def _meta_path(session: Session) -> str:
    return os.path.join(session.path, "session_meta.json")


def _unchanged(session: Session, survey: Survey, steps: list[Step]) -> list[str]:
    """The paths that the plan leaves because they are right as they are: they must still be when it is applied."""
    written = {step.path for step in steps}
    paths = (os.path.join(survey.folder, "latest.json"), _meta_path(session))
    return [path for path in paths if path not in written]


def _accepted_sha256(path: str) -> str | None:
    """The SHA-256 of a file's bytes if the runtime's verifier accepts them."""
    try:
        raw = files.read_regular(path, limit=1 << 40)
    except (files.Unreadable, files.TooLarge):
        return None
    return hashlib.sha256(raw).hexdigest() if checksum.verify(raw).runtime_accepts else None


def _runtime_newest(folder: str) -> str | None:
    """`recover_session`'s choice among the checkpoints: newest mtime first, ties in the folder's order."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("cp_") and entry.name.endswith(".json"):
                try:
                    found.append((entry.stat().st_mtime_ns, os.path.realpath(entry.path)))
                except OSError:
                    continue  # a dangling symlink: the runtime passes over it too
    found.sort(key=lambda item: item[0], reverse=True)
    return next((path for _, path in found if _accepted_sha256(path) is not None), None)
