"""The crate's recovery module as a Python API: the same answers, all of them, with reasons; safe where it writes.

>>> from lastgood import CrashRecovery
>>> recovery = CrashRecovery("/var/lib/agents/checkpoints")
>>> for crash in recovery.detect_unclean_shutdown():
...     print(crash.session, recovery.recover_session(crash.session).chosen)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from . import act
from .assess import glance
from .model import Action, Plan, Recovery, Session, State
from .store import open_store
from .verdict import Thresholds


@dataclass(frozen=True, slots=True)
class CrashInfo:
    """A session that was not shut down cleanly (crate: `CrashInfo`)."""

    session: str
    """The folder's name, which every other call takes."""
    session_id: str
    """What its metadata calls it: usually the same."""
    last_activity: int
    """UTC, nanoseconds since the epoch."""
    last_iteration: int


class CrashRecovery:
    """The recovery module of one store.

    Raises:
        NotFound: there is no such folder.
    """

    def __init__(self, storage_path: str | os.PathLike[str]) -> None:
        self.store = open_store(os.fspath(storage_path))

    def detect_unclean_shutdown(self) -> list[CrashInfo]:
        """Every session whose metadata says active and gives no reason (crate: the first one only).

        One unreadable folder or file never hides another session: see :meth:`unreadable`.
        """
        return [
            CrashInfo(s.name, s.meta.session_id, s.meta.last_updated, s.meta.last_iteration)
            for s in self.store.sessions()
            if s.unclean and s.meta is not None
        ]

    def unreadable(self) -> Iterator[Session]:
        """The sessions that detection cannot judge since their metadata cannot be read; each says why."""
        return (s for s in self.store.sessions() if s.state is State.DAMAGED)

    def recover_session(self, session: str) -> Recovery:
        """The crate's choice of a restore point, and why each file before it was passed over.

        Raises:
            NotFound: there is no such session.
        """
        return self.store.recover(self.store.session(session))

    def mark_session_active(self, session: str) -> Action | None:
        """`is_active = true`, no reason; every other byte of the file stays. None where it was so already.

        Raises:
            NotFound: there is no such session.
            Refused: its metadata is damaged or missing, or changed meanwhile.
            Failed: it could not be written; what was there is back.
        """
        return self._apply(self.store.plan_activate(self.store.session(session)), None)

    def mark_session_terminated(self, session: str, reason: str, *, even_if_live: bool = False) -> Action | None:
        """`is_active = false` with this reason; every other byte of the file stays. None where it was so already.

        Raises:
            NotFound: there is no such session.
            Refused: it may be live, its metadata is damaged or missing, or changed meanwhile.
            Failed: it could not be written; what was there is back.
        """
        found = self.store.session(session)
        act.refuse_if_live(glance(self.store, found, Thresholds()), even_if_live=even_if_live)
        return self._apply(self.store.plan_terminate(found, reason), reason)

    def _apply(self, plan: Plan, reason: str | None) -> Action | None:
        return act.apply(self.store, plan, reason=reason)
