"""Does a plan, write-ahead; undoes it; finishes or rolls back what a crash left open (DESIGN.md, "What restore means").

``STORE/.lastgood/`` holds the journal (:mod:`lastgood.core.records`), the lock, and per action a folder of what it
replaced. Whatever happens between the first line of :meth:`Journal.apply` and its last, the store is as it was before
or as the plan says, at the latest when the next action begins.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from . import changes, durable, files, lock, records, times, undo
from .errors import Failed, Refused
from .model import Action, Plan, Step
from .origin import here
from .records import FOLDER, Entry, Intent, Ledger, Outcome
from .tree import Tree

_PRIVILEGED_REASON = "only root or its owner can replace it and leave it its owner"


class Journal:
    """What was done to one store, and the one way to do something to it."""

    def __init__(self, store_path: str) -> None:
        self.store_path = os.path.abspath(store_path)
        self.path = os.path.join(self.store_path, FOLDER)

    def actions(self) -> list[Action]:
        """Everything done so far, oldest first. Never raises: see :meth:`problem`."""
        return records.read(self.path).actions()

    def problem(self) -> str | None:
        """Why :meth:`actions` may not be everything: the journal cannot be read, or lines of it cannot."""
        return records.read(self.path).problem

    def writable(self) -> str | None:
        """None, or why nothing can be written here. Looks, and makes nothing."""
        if not os.path.isdir(self.store_path):
            return f"there is no folder {self.store_path}"
        try:
            if os.statvfs(self.store_path).f_flag & os.ST_RDONLY:
                return f"{self.store_path} is on a file system mounted read-only"
        except OSError as error:
            return f"{self.store_path}: {files.words(error)}"
        match files.stamp(self.path).type:
            case "absent":
                writes = [self.store_path]
            case "folder":
                writes = [self.store_path, self.path]
                writes += [p for name in (records.NAME, "lock") if os.path.lexists(p := os.path.join(self.path, name))]
            case other:
                return f"{self.path} is a {other}, not the journal's folder"
        for path in writes:
            if not os.access(path, os.W_OK | (os.X_OK if os.path.isdir(path) else 0)):
                return f"no permission to write {path}"
        return None

    def apply(self, plan: Plan, *, reason: str | None, check: Callable[[Plan], str | None]) -> Action:
        """Do `plan`: all of it or none.

        Args:
            reason: what the audit keeps as the reason; None: the plan's own.
            check: looks at the disk once all is in place; what it says is wrong takes everything back.

        Raises:
            Refused: the plan no longer fits what is there, the store cannot be written, or another lastgood is at work;
                nothing changed.
            Failed: something went wrong; what was there before is back, or the message says what is where.
        """
        self._refuse_what_cannot_be(plan)
        with self._at_work() as tree:
            told = _settle(tree)
            ledger = records.read(self.path)
            if plan.undoes is not None:
                undo.chosen(ledger, plan.undoes)
            _refuse_on_open_ground(tree, ledger, plan)
            intent = _prepare(tree, plan, reason)
            action = self._do(tree, plan, intent, check)
        if told:
            action = _with_note(action, "; ".join(told))
        return action

    def settle(self) -> list[str]:
        """Finish or roll back what a crash left open, and clear its leftovers away; one sentence for each.

        Where there is nothing to settle this writes nothing, and makes no journal.
        """
        ledger = records.read(self.path)
        opened = [entry.intent.id for entry in ledger.entries if entry.state == "open"]
        if not opened and not _leftovers(self.path, ledger):
            return []
        problem = self.writable()
        if problem is not None:
            return [f"action {id} was cut off and is not settled: {problem}" for id in opened]
        try:
            with self._at_work() as tree:
                return _settle(tree)
        except Refused as refused:
            return [str(refused)]

    def plan_undo(self, action_id: str | None) -> Plan:
        """The plan that takes back this action, or the last one that is done and no undo itself.

        Raises:
            NotFound: there is no such action.
            Refused: it is not done, or something was written since where it would write: the message lists what.
            Failed: what the action kept is gone or damaged.
        """
        return undo.plan_undo(self.store_path, records.read(self.path), action_id)

    def _refuse_what_cannot_be(self, plan: Plan) -> None:
        problem = self.writable()
        if problem is not None:
            raise Refused(f"nothing can be written: {problem}")
        if not plan.steps:
            raise Refused("the plan changes nothing")
        for step in plan.steps:
            if step.content is not None and not _can_keep_owner(step):
                raise Refused(f"{step.path} belongs to uid {step.before.uid}: {_PRIVILEGED_REASON}; nothing changed")

    @contextmanager
    def _at_work(self) -> Iterator[Tree]:
        """The store's tree, the journal's folder made, the lock held, and signals kept waiting."""
        with ExitStack() as stack:
            try:
                tree = stack.enter_context(Tree(self.store_path))
                _make_journal(tree)
                stack.enter_context(lock.held(tree.folder(FOLDER), self.path))
            except OSError as error:
                raise Failed(
                    f"the journal {self.path} cannot be written: {files.words(error)}; nothing changed"
                ) from error
            stack.enter_context(lock.signals_deferred())
            yield tree

    def _do(self, tree: Tree, plan: Plan, intent: Intent, check: Callable[[Plan], str | None]) -> Action:
        try:
            changes.keep(tree, intent)
            _append(tree, intent)
            changes.stage(tree, intent, plan)
            for step, change in zip(plan.steps, intent.changes, strict=True):
                changes.swap(tree, change, step.before)
            changes.seal(tree, intent)
            after = changes.images(tree, intent)
            wrong = check(plan)
            if wrong is not None:
                raise Failed(wrong)
            outcome = Outcome(intent.id, times.now_ns(), "done", None, after, changes.times(tree, intent))
        except BaseException as error:
            _take_all_back(tree, intent, error)
            raise
        try:
            _append(tree, outcome)
        except OSError as error:
            # All is in place and was looked at; the record proves it, and the next start writes this line.
            said = f"the journal's last line could not be written ({files.words(error)}): the next start adds it"
            return _with_note(records.action_of(Entry(intent, outcome)), said)
        return records.action_of(Entry(intent, outcome))


def _can_keep_owner(step: Step) -> bool:
    return step.before.type == "absent" or os.geteuid() in (0, step.before.uid)


def _refuse_on_open_ground(tree: Tree, ledger: Ledger, plan: Plan) -> None:
    """An action that could not be settled owns its paths until it is."""
    for entry in ledger.entries:
        if entry.state != "open":
            continue
        owned = {f"{tree.path}/{change.path}" for change in entry.intent.changes}
        if owned & {step.path for step in plan.steps}:
            raise Refused(f"action {entry.intent.id} was cut off here and could not be settled; nothing changed")


def _make_journal(tree: Tree) -> None:
    if tree.stamp(FOLDER).type == "absent":
        root = tree.folder("")
        before = os.fstat(root)
        changes.make_folder(tree, FOLDER)
        with suppress(PermissionError):  # only its owner may; the store's own time is not changed by looking after it
            os.utime(root, ns=(before.st_atime_ns, before.st_mtime_ns))
    changes.make_folder(tree, f"{FOLDER}/actions")


def _append(tree: Tree, record: Intent | Outcome) -> None:
    durable.append(tree.folder(FOLDER), records.NAME, records.encode_line(record))


def _prepare(tree: Tree, plan: Plan, reason: str | None) -> Intent:
    """The intent of `plan`, all that it rests on checked once more."""
    now = times.now_ns()
    id = f"{time.strftime('%Y%m%d_%H%M%S', time.gmtime(now // 1_000_000_000))}_{secrets.token_hex(3)}"
    try:
        described = changes.described(tree, id, plan)
        return Intent(
            id=id,
            at=now,
            origin=here(),
            kind=plan.kind,
            sessions=plan.sessions,
            reason=plan.reason if reason is None else reason,
            undoes=plan.undoes,
            facts=dict(plan.facts),
            changes=described,
            folders=changes.folders_of(tree, described),
            set_times=tuple((_relative_folder(tree, path), ns) for path, ns in plan.folders),
        )
    except changes.Changed as changed:
        raise Refused(f"{tree.path}/{changed} has changed since it was looked at; nothing changed") from None
    except ValueError as error:
        raise Refused(f"{error}; nothing changed") from None
    except OSError as error:
        raise Failed(f"{error.filename or tree.path}: {files.words(error)}; nothing changed") from error


def _relative_folder(tree: Tree, path: str) -> str:
    return "" if path.rstrip("/") == tree.path.rstrip("/") else tree.relative(path)


def _take_all_back(tree: Tree, intent: Intent, error: BaseException) -> None:
    """Roll the action back after `error`, and raise what the operator is to be told."""
    what = _why(tree, error)
    try:
        left = changes.roll_back(tree, intent)
    except (OSError, changes.NotKept) as second:
        raise Failed(
            f"{what}; and not all could be put back: {_why(tree, second)}\n"
            f"what was there before is kept in {tree.path}/{records.action_folder(intent.id)} and listed in the "
            f"journal under {intent.id}; the next start of anything that writes puts it back"
        ) from error
    with suppress(OSError):  # the record stays open, and the next start sees that all is as it was
        _append(tree, Outcome(intent.id, times.now_ns(), "rolled-back", what, left=tuple(left)))
        if not left:
            changes.remove_folder(tree, intent.id)
    if isinstance(error, changes.Changed):
        raise Refused("\n".join([f"{what}; nothing of this action remains", *left])) from None
    if left:
        raise Failed("\n".join([f"{what}; taken back, but:", *left])) from error
    if isinstance(error, Exception):
        raise Failed(f"{what}; what was there before is back") from error


def _why(tree: Tree, error: BaseException) -> str:
    if isinstance(error, changes.Changed):
        return f"{tree.path}/{error} was written to at the same moment"
    if isinstance(error, OSError):
        return files.words(error) + (f" ({os.fsdecode(error.filename)})" if error.filename else "")
    return str(error) or type(error).__name__


def _with_note(action: Action, note: str) -> Action:
    return action._replace(note="; ".join(filter(None, (action.note, note))))


def _leftovers(path: str, ledger: Ledger) -> list[str]:
    """The ids of the actions whose folders in the journal at `path` keep nothing that can still be needed."""
    outcomes = {entry.intent.id: entry.outcome for entry in ledger.entries}
    found = []
    with suppress(OSError):
        for name in os.listdir(os.path.join(path, "actions")):
            id = name.removeprefix(".new_")
            outcome = outcomes.get(id)
            never_acted = id != name and id not in outcomes  # all that it keeps is also where it was
            taken_back = outcome is not None and outcome.state == "rolled-back" and not outcome.left
            if never_acted or taken_back:
                found.append(id)
    return found


def _settle(tree: Tree) -> list[str]:
    """Settle every open action, newest first, and clear leftovers away; the lock is held."""
    ledger_folder = os.path.join(tree.path, FOLDER)
    ledger = records.read(ledger_folder)
    said = [_settle_one(tree, entry.intent) for entry in reversed(ledger.entries) if entry.state == "open"]
    with suppress(OSError):  # what cannot be cleared away now is no harm, and is seen again the next time
        for id in _leftovers(ledger_folder, records.read(ledger_folder)):
            changes.remove_folder(tree, id)
    return said


def _settle_one(tree: Tree, intent: Intent) -> str:
    what = f"{intent.kind} of {', '.join(intent.sessions)} (action {intent.id}) had been cut off"
    try:
        if changes.is_complete(tree, intent):
            after, left = changes.finish(tree, intent)
            note = "finished at the next start"
            outcome = Outcome(
                intent.id, times.now_ns(), "done", note, after, changes.times(tree, intent), left=tuple(left)
            )
        else:
            left = changes.roll_back(tree, intent)
            note = "rolled back at the next start"
            outcome = Outcome(intent.id, times.now_ns(), "rolled-back", note, left=tuple(left))
        _append(tree, outcome)
    except (OSError, changes.NotKept) as error:
        return f"{what} and cannot be settled: {_why(tree, error)}; what it kept is in {tree.path}/" + (
            records.action_folder(intent.id)
        )
    return "; ".join([f"{what}: it was {note.replace('at the next start', 'now')}", *left])
