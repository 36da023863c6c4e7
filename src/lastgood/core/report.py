"""The JSON of CLI.md: values as plain dictionaries with the contract's names. Times RFC 3339 UTC, sizes bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .assess import Assessed
from .model import Action, Checkpoint, FileKind, Integrity, Plan, Recovery, SessionLog, State
from .times import rfc3339

if TYPE_CHECKING:
    from .diagnose import Diagnosis
    from .price import Price


def session_record(seen: Assessed, *, verified: bool) -> dict[str, Any]:
    """One element of `list`'s `sessions`; `best` only where the files were verified."""
    session, survey = seen.session, seen.survey
    meta, task = session.meta, session.task
    last_updated = meta.last_updated if meta else task.last_updated if task else None
    kinds = [file.kind for file in survey.files]
    record: dict[str, Any] = {
        "session_id": session.name,
        "path": session.path,
        "layout": session.layout,
        "state": session.state,
        "unclean": session.unclean,
        "interrupted": session.interrupted,
        "verdict": seen.verdict,
        "evidence": [{"kind": e.kind, "says": e.says, "detail": e.detail} for e in seen.evidence],
        "last_updated": _time(last_updated),
        "last_iteration": meta.last_iteration if meta else task.iteration if task else None,
        "termination_reason": meta.termination_reason if meta else None,
        "task": task.task_description if task else None,
        "checkpoints": kinds.count(FileKind.CHECKPOINT),
        "backups": kinds.count(FileKind.BACKUP),
        "orphans": kinds.count(FileKind.ORPHAN),
        "bytes": survey.bytes,
        "problems": list(seen.problems),
    }
    if verified:
        record["best"] = None if seen.best is None else _best_record(seen, seen.best)
        record["advice"] = seen.advice
        record["session_logs"] = [log_record(log) for log in seen.logs]
    return record


def _best_record(seen: Assessed, best: Checkpoint) -> dict[str, Any]:
    price = seen.price_of(best)
    return {
        "path": best.file.path,
        "checkpoint_id": best.header.checkpoint_id,
        "iteration": best.header.iteration,
        "created_at": _time(best.header.created_at),
        "lost_iterations": price.iterations,
        "lost": price.says(),
    }


def log_record(log: SessionLog) -> dict[str, Any]:
    """One element of `session_logs`: null where it is not said, `problem` where the log cannot be read."""
    return {
        "path": log.path,
        "size": log.size,
        "mtime": rfc3339(log.mtime_ns),
        "created_at": _time(log.created_at),
        "messages": log.messages,
        "tools_used": log.tools_used,
        "tokens_used": log.tokens_used,
        "cost_estimate": log.cost_estimate,
        "last_message": None
        if log.last_role is None and log.last_content is None
        else {"at": _time(log.last_at), "role": log.last_role, "content": log.last_content},
        "problem": log.problem,
    }


def price_record(price: Price) -> dict[str, Any]:
    """What going back to a point loses; null where that is not known."""
    return {
        "iterations": price.iterations,
        "messages": price.messages,
        "tokens": price.tokens,
        "dollars": price.dollars,
        "seconds": price.seconds,
        "at_least": price.at_least,
        "says": price.says(),
    }


def sessions_summary(states: Sequence[str], verdicts: Mapping[str, int], unclean: int) -> dict[str, Any]:
    """`list`'s `summary`: sessions counted by what their files say, and by verdict."""
    return {
        "sessions": len(states),
        "unclean": unclean,
        "damaged": states.count(State.DAMAGED),
        "untracked": states.count(State.UNTRACKED),
        "terminated": states.count(State.TERMINATED),
        "active": states.count(State.ACTIVE),
        "verdicts": dict(verdicts),
    }


def file_record(point: Checkpoint, session: str | None) -> dict[str, Any]:
    """One element of `verify`'s `files`."""
    file, header = point.file, point.header
    return {
        "path": file.path,
        "session_id": session,
        "kind": file.kind,
        "verdict": point.integrity.word,
        "reason": point.reason,
        "expected": point.expected,
        "actual": point.actual,
        "size": file.size,
        "mtime": rfc3339(file.mtime_ns),
        "checkpoint_id": header.checkpoint_id,
        "created_at": _time(header.created_at),
        "iteration": header.iteration,
        "trigger": header.trigger,
        "runtime_accepts": point.runtime_accepts,
        "runtime_reason": point.runtime_reason,
        "layout": file.layout,
        "restorable": point.valid,
    }


def diagnosis_record(found: Diagnosis) -> dict[str, Any]:
    """What is wrong with a file: `word`, `sentence`, the place, the fields in question, notes."""
    return {
        "word": found.word,
        "sentence": found.sentence,
        "byte": found.byte,
        "line": found.line,
        "column": found.column,
        "fields": list(found.fields),
        "notes": [{"word": n.word, "sentence": n.sentence} for n in found.notes],
    }


def files_summary(integrities: Sequence[str], runtime_refuses: int) -> dict[str, int]:
    """`verify`'s `summary`: files counted by verdict, every verdict named, and valid ones that the runtime refuses."""
    counts = {integrity.word: 0 for integrity in Integrity}
    for integrity in Integrity:
        counts[integrity.word] += integrities.count(integrity)
    return {**counts, "files": len(integrities), "runtime_refuses": runtime_refuses}


def recovery_record(recovery: Recovery, data: object) -> dict[str, Any]:
    """`recover`'s object; `data` is the chosen checkpoint's content, or None."""
    chosen = recovery.chosen
    return {
        "session_id": recovery.session,
        "checkpoint_path": chosen.file.path if chosen else None,
        "data": data,
        "recovered_from_backup": recovery.recovered_from_backup,
        "passed_over": [
            {"path": p.path, "verdict": p.integrity.word, "reason": p.reason} for p in recovery.passed_over
        ],
    }


def plan_record(plan: Plan) -> list[dict[str, str]]:
    """A plan's steps: `op`, `path`, `detail`, with credentials masked."""
    from .redact import redact_text

    return [{"op": s.op, "path": s.path, "detail": redact_text(s.detail)} for s in plan.steps]


def action_record(action: Action) -> dict[str, Any]:
    """One element of `log`'s `actions`."""
    return {
        "action_id": action.id,
        "at": rfc3339(action.at),
        "user": action.user,
        "host": action.host,
        "from": action.ssh_from,
        "op": action.op,
        "sessions": list(action.sessions),
        "reason": action.reason,
        "state": action.state,
        "facts": dict(action.facts),
        "note": action.note,
    }


def _time(ns: int | None) -> str | None:
    return None if ns is None else rfc3339(ns)
