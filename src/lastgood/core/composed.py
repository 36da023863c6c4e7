"""One folder with the sessions of every layout: each entry is listed once and goes to the layouts that recognise it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from .model import Checkpoint, FileKind, Plan, Recovery, Session, SessionLog, State, StoredFile, Survey
from .store import Deed, Entry, Store

if TYPE_CHECKING:
    from .diagnose import Diagnosis


class ComposedStore(Store):
    """The stores of all layouts at one path, as one.

    Where two layouts have a session in one entry, the first one's keeps the plain name and the other's gets its
    layout's behind a slash, which no folder's name holds.
    """

    layout = "composed"
    about = "every layout at once"
    takes_the_rest = True

    def __init__(
        self,
        path: str,
        layouts: Sequence[type[Store]],
        *,
        max_bytes: int | None = None,
        session_logs: str | None = None,
    ) -> None:
        super().__init__(path, max_bytes=max_bytes, session_logs=session_logs)
        self.stores = {kind.layout: kind(path, max_bytes=max_bytes, session_logs=session_logs) for kind in layouts}
        self.watched = tuple(dict.fromkeys(path for store in self.stores.values() for path in store.watched))

    def recognises(self, entry: Entry) -> bool:
        return any(store.recognises(entry) for store in self.stores.values())

    def sessions_in(self, entry: Entry) -> Iterable[Session]:
        stores = self.stores.values()
        knowing = [s for s in stores if s.recognises(entry)] or [s for s in stores if s.takes_the_rest]
        if len(knowing) == 1:
            return _sessions_in(knowing[0], entry)
        return self._told_apart(entry, knowing)

    def _told_apart(self, entry: Entry, knowing: Sequence[Store]) -> Iterable[Session]:
        taken: set[str] = set()
        for store in knowing:
            for session in _sessions_in(store, entry):
                if session.name in taken:
                    session = session._replace(name=f"{session.name}/{session.layout}")
                taken.add(session.name)
                yield session

    def survey(self, session: Session) -> Survey:
        try:
            return self.stores[session.layout].survey(session)
        except Exception as error:  # of a layout from outside: the other sessions are still to be shown
            return Survey(session.path, problem=_failed(session.layout, error))

    def logs(self, ids: Collection[str]) -> Sequence[SessionLog]:
        return tuple(log for store in self.stores.values() for log in store.logs(ids))

    def alone(self, path: str) -> StoredFile:
        name = os.path.basename(path)
        stores = self.stores.values()
        knowing = next((s for s in stores if s.kind_of(name) is not None), None)
        return (knowing or next(s for s in stores if s.takes_the_rest)).alone(path)

    def kind_of(self, name: str) -> FileKind | None:
        return next((kind for store in self.stores.values() if (kind := store.kind_of(name)) is not None), None)

    def fetch(self, file: StoredFile) -> bytes:
        return self.stores[file.layout].fetch(file)

    def read(self, file: StoredFile) -> bytes:
        return self.stores[file.layout].read(file)

    def verify(self, file: StoredFile) -> Checkpoint:
        return self.stores[file.layout].verify(file)

    def look_at(self, file: StoredFile, raw: bytes) -> Checkpoint:
        return self.stores[file.layout].look_at(file, raw)

    def state_path(self, file: StoredFile) -> tuple[str, ...]:
        return self.stores[file.layout].state_path(file)

    def diagnose(
        self, raw: bytes, point: Checkpoint, neighbours: Sequence[tuple[Checkpoint, Mapping[str, object]]] = ()
    ) -> Diagnosis:
        return self.stores[point.file.layout].diagnose(raw, point, neighbours)

    def latest(self, session: Session, survey: Survey) -> StoredFile | None:
        return self.stores[session.layout].latest(session, survey)

    def recovery_order(self, session: Session, survey: Survey) -> Sequence[StoredFile]:
        return self.stores[session.layout].recovery_order(session, survey)

    def recover(self, session: Session) -> Recovery:
        return self.stores[session.layout].recover(session)

    def cannot(self, session: Session) -> Mapping[Deed, str]:
        return self.stores[session.layout].cannot(session)

    def plan_restore(self, session: Session, point: Checkpoint, *, foreign: bool = False, reseal: bool = False) -> Plan:
        store = self.stores[session.layout]
        return _noted(store, store.plan_restore(session, point, foreign=foreign, reseal=reseal))

    def plan_terminate(self, session: Session, reason: str) -> Plan:
        store = self.stores[session.layout]
        return _noted(store, store.plan_terminate(session, reason))

    def plan_activate(self, session: Session) -> Plan:
        store = self.stores[session.layout]
        return _noted(store, store.plan_activate(session))

    def plan_salvage(self, session: Session, file: StoredFile) -> Plan:
        store = self.stores[session.layout]
        return _noted(store, store.plan_salvage(session, file))

    def plan_repair(self, session: Session) -> Plan:
        store = self.stores[session.layout]
        return _noted(store, store.plan_repair(session))

    def check(self, plan: Plan) -> str | None:
        if plan.kind == "undo":
            return None  # the journal has compared every byte already
        return self.stores[plan.facts["layout"]].check(plan)


def _sessions_in(store: Store, entry: Entry) -> Iterator[Session]:
    try:
        yield from store.sessions_in(entry)
    except Exception as error:  # of a layout from outside: the other entries are still to be shown
        says = _failed(store.layout, error)
        yield Session(entry.name, entry.path, State.DAMAGED, layout=store.layout, problems=(says,), state_says=says)


def _failed(layout: str, error: Exception) -> str:
    return f"the layout {layout} failed on it: {type(error).__name__}: {error}"


def _noted(store: Store, plan: Plan) -> Plan:
    """With the layout among its facts: the session's name can come to mean another layout's in the same entry."""
    return plan._replace(facts={**plan.facts, "layout": store.layout})
