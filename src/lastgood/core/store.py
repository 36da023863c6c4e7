"""What every layout of a store offers, and how a path becomes one.

A layout is a module that offers a :class:`Store`; the rest of the program names none.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Protocol

from .errors import NotFound
from .model import Checkpoint, Plan, Recovery, Session, StoredFile, Survey

DEFAULT_STORE = "~/.continuum/checkpoints"
"""Where the runtime's Python SDK keeps its checkpoints unless told otherwise."""


class Store(Protocol):
    """A folder of sessions. Reading never changes it; every write is a :class:`Plan` for the journal."""

    path: str
    """Absolute."""
    layout: str

    def sessions(self) -> Iterator[Session]:
        """Every session, in the folder's own order. One that cannot be read is given with its problem."""

    def session(self, name: str) -> Session:
        """The session of this folder name.

        Raises:
            NotFound: there is none.
        """

    def survey(self, session: Session) -> Survey:
        """What the session's folder holds: directory entries and stats, no contents."""

    def read(self, file: StoredFile) -> bytes:
        """The file's bytes.

        Raises:
            NotFound: it cannot be opened, is no regular file, is larger than the limit, or leads out of the folder.
        """

    def verify(self, file: StoredFile) -> Checkpoint:
        """Both answers on the file and its header. Never raises for what the file holds."""

    def recover(self, session: Session) -> Recovery:
        """What the runtime's own recovery would choose, and why it passes over each file before that."""

    def plan_restore(self, session: Session, point: Checkpoint, *, foreign: bool = False, reseal: bool = False) -> Plan:
        """Make `point` what the runtime resumes from, by each of its ways (DESIGN.md, "What restore means").

        Raises:
            Refused: the point does not verify, the runtime would refuse it, or it is another session's.
        """

    def plan_terminate(self, session: Session, reason: str) -> Plan:
        """Mark the session ended. Raises Refused where its metadata is damaged or missing."""

    def plan_activate(self, session: Session) -> Plan:
        """Mark the session active again. Raises Refused where its metadata is damaged or missing."""

    def check(self, plan: Plan) -> str | None:
        """After `plan` was applied: None if what it promised holds on disk, else what does not."""


def locate_store(argument: str | None, configured: str | None) -> tuple[str, str]:
    """The store's absolute path, and what named it: the argument, $LASTGOOD_STORE, the configuration or nothing."""
    for path, source in (
        (argument, "--store"),
        (os.environ.get("LASTGOOD_STORE"), "$LASTGOOD_STORE"),
        (configured, "configuration"),
        (DEFAULT_STORE, "default"),
    ):
        if path:
            return os.path.abspath(os.path.expanduser(path)), source
    raise AssertionError("the default is never empty")


def open_store(path: str, *, max_bytes: int | None = None) -> Store:
    """The store at `path`.

    Args:
        max_bytes: files larger than this are `too-large` instead of read; None: the default limit.

    Raises:
        NotFound: there is no such folder, or it cannot be listed.
    """
    from . import continuum

    if not os.path.isdir(path):
        raise NotFound(f"no store at {path}: there is no such folder")
    return continuum.ContinuumStore(path, max_bytes=max_bytes or continuum.MAX_BYTES)
