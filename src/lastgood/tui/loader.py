"""The work behind the screen: reads the store in threads of its own and posts values, ten times a second at most.

Three threads, all daemons so that leaving never waits for them. One goes through the whole store (:mod:`.sweep`). One
serves what somebody looks at now, so that it never waits behind the first. One reads what a viewer shows: a first
screen of text waits for no verdict.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from textual.message import Message

from ..core.assess import Assessed
from ..core.errors import LastgoodError
from ..core.evidence import Host
from ..core.model import Checkpoint, Session, StoredFile, Verdict
from ..core.store import Store
from ..core.verdict import Thresholds
from .appraiser import Appraiser
from .forerun import Forerun
from .news import Acted, Batch, Detailed, Names, NotProposed, Progress, Proposed, Told, Trouble
from .sweep import Sweep
from .watching import watch

if TYPE_CHECKING:
    from .deeds import Proposal

_Jobs = queue.SimpleQueue[Callable[[], object] | None]


class Loader:
    """Reads one store for one screen.

    Args:
        post: takes a message from any thread; a screen's ``post_message``.
        cache_folder: where verdicts are remembered from one run to the next; None: they are not.
        forerun: what is being read already, for the first going-through.
    """

    def __init__(
        self,
        store: Store,
        thresholds: Thresholds,
        post: Callable[[Message], object],
        *,
        cache_folder: str | None = None,
        forerun: Forerun | None = None,
    ) -> None:
        self._store = store
        self._post = post
        self._appraiser = Appraiser(store, thresholds, post, cache_folder)
        self._forerun = forerun
        self._painted = threading.Event()
        self._sweep: Sweep | None = None
        self._known: dict[str, Verdict] = {}
        """The sessions that the screen knows, by their names."""
        self._looked_at: set[str] = set()
        """Those that the screen holds whole because somebody looked at them."""
        self._wanted: _Jobs = queue.SimpleQueue()
        self._viewed: _Jobs = queue.SimpleQueue()
        self._front: object = None
        self._front_contents: object = None
        self._watcher: threading.Event | None = None
        self._servers = [
            threading.Thread(target=self._serve, args=(jobs,), name=f"lastgood-{name}", daemon=True)
            for name, jobs in (("front", self._wanted), ("viewer", self._viewed))
        ]

    # From the screen

    def start(self) -> None:
        """Go through the store, from the beginning; what is known of unchanged files is kept."""
        self.stop()
        for server in self._servers:
            if not server.is_alive():
                server.start()
        self._sweep = Sweep(self._appraiser, self._post, self._known, self._forerun, self._painted, self._looked_at)
        self._forerun = None
        threading.Thread(target=self._guarded, args=(self._sweep,), name="lastgood-store", daemon=True).start()

    def first_found(self) -> Sequence[Assessed]:
        """Some sessions, the worst there are, if they are known already; to be asked for before :meth:`start`."""
        return self._forerun.first() if self._forerun is not None else ()

    def painted(self) -> None:
        """The screen has been painted: the rest may begin."""
        self._painted.set()

    def make_way(self) -> None:
        """A key was pressed."""
        if self._sweep is not None:
            self._sweep.make_way()

    def stop(self) -> None:
        """Stop going through the store; what somebody asks for is still served."""
        if self._sweep is not None:
            self._sweep.stop()

    def close(self) -> None:
        """No more work and no more messages."""
        self.stop()
        self.watch(False)
        self._wanted.put(None)
        self._viewed.put(None)

    def want(self, session: Session) -> None:
        """Verify this session's files now; forgotten if another is wanted before its turn comes."""
        self._looked_at.add(session.name)
        ticket = object()
        self._front = ticket
        self._wanted.put(lambda: self._look(session.name) if self._front is ticket else None)

    def want_all(self, names: Collection[str]) -> None:
        """Verify these sessions' files, one session after the other; none is forgotten."""
        self._looked_at.update(names)
        self.look_again(names)

    def look_again(self, names: Iterable[str]) -> None:
        """Read these sessions afresh, with whatever else the entries of the store that hold them hold by now."""
        for entry in dict.fromkeys(name.partition("/")[0] for name in names):
            self._wanted.put(lambda entry=entry: self._look(entry, whole=True))  # type: ignore[misc]

    def want_detail(self, seen: Assessed, point: Checkpoint) -> None:
        """Find out what an overview of `point` shows, and post it as :class:`Detailed`."""
        self._wanted.put(lambda: self._detail(seen, point))

    def want_contents(self, file: StoredFile, against: StoredFile | None) -> None:
        """Read a file, or compare it with another; forgotten if something else is wanted before its turn comes."""
        ticket = object()
        self._front_contents = ticket

        def serve() -> None:
            if self._front_contents is not ticket:
                return
            from . import reading

            if against is None:
                self._post(reading.open_file(self._store, file))
            else:
                self._post(reading.compare(self._store, file, against))

        self._viewed.put(serve)

    def want_log(self, post: Callable[[Message], object]) -> None:
        """Read the journal; `post` is given it as :class:`Logged`."""
        self._wanted.put(lambda: self._log(post))

    def watch(self, on: bool) -> None:
        """Show what changes in the store from now on, or stop that."""
        if self._watcher is not None:
            self._watcher.set()
            self._watcher = None
        if on:
            self._watcher = threading.Event()
            what = (self._store.path, self._store.watched, self._known, self.look_again, self._say, self._watcher)
            threading.Thread(target=watch, args=what, name="lastgood-watch", daemon=True).start()

    def export(self, file: StoredFile, target: str) -> None:
        """Write the file's bytes to a new file of the user's; :class:`Told` says where."""
        self._wanted.put(lambda: self._export(file, target))

    def page(self, file: StoredFile) -> None:
        """Make the file's text fit for a pager and post it as :class:`Paged`."""
        self._wanted.put(lambda: self._page(file))

    def propose(self, make: Callable[[], Proposal]) -> None:
        """Work out a proposal and post it as :class:`Proposed`, or why there is none as :class:`NotProposed`."""
        self._wanted.put(lambda: self._propose(make))

    def carry_out(self, proposal: Proposal, reason: str | None) -> None:
        """Do it, then read what it touched afresh. No daemon: the process waits for it whatever else ends."""
        threading.Thread(target=self._carry_out, args=(proposal, reason), name="lastgood-action").start()

    # In the threads

    def _say(self, says: str) -> None:
        self._post(Told(says))

    def _guarded(self, sweep: Sweep) -> None:
        try:
            sweep.run()
        except LastgoodError as error:
            self._post(Trouble(str(error)))
        except Exception as error:
            # A defect of ours must not leave the screen waiting without a word.
            self._post(Trouble(f"the work in the background failed ({type(error).__name__}); F5 tries again", error))
        if sweep is self._sweep:
            self._post(Progress("", 0, 0))

    def _serve(self, jobs: _Jobs) -> None:
        while (job := jobs.get()) is not None:
            try:
                job()
            except LastgoodError as error:
                self._post(Trouble(str(error)))
            except Exception as error:
                self._post(Trouble(f"this could not be looked at ({type(error).__name__})", error))

    # The first paint needs none of what these import.

    def _detail(self, seen: Assessed, point: Checkpoint) -> None:
        from .reading import detail

        self._post(Detailed(detail(self._store, seen, point)))

    def _log(self, post: Callable[[Message], object]) -> None:
        from .reading import log

        post(log(self._store))

    def _page(self, file: StoredFile) -> None:
        from .reading import page

        self._post(page(self._store, file))

    def _export(self, file: StoredFile, target: str) -> None:
        from ..core.export import export

        self._post(Told(f"written to {export(self._store.read(file), target)}"))

    def _propose(self, make: Callable[[], Proposal]) -> None:
        try:
            self._post(Proposed(make()))
        except LastgoodError as error:
            self._post(NotProposed(str(error)))

    def _carry_out(self, proposal: Proposal, reason: str | None) -> None:
        from .deeds import Done, do

        try:
            done = do(self._store, proposal, reason)
        except LastgoodError as error:
            done = Done(proposal.verb, (), "", None, (str(error),))
        except Exception as error:
            says = f"it failed inside ({type(error).__name__}), a defect of lastgood; the log tells what is in place"
            self._post(Trouble(says, error))
            done = Done(proposal.verb, (), "", None, (says,))
        self.look_again(done.sessions)
        self._post(Acted(done))

    def _look(self, wanted: str, *, whole: bool = False) -> None:
        """Read one session afresh, or the `whole` entry: its sessions come, go, and change their names together."""
        entry = wanted.partition("/")[0]
        found = {session.name: session for session in self._store.sessions_at(entry)}
        gone = {name for name in self._known if name.partition("/")[0] == entry} - found.keys()
        if gone:
            for name in gone:
                del self._known[name]
            self._post(Names(frozenset(self._known)))
        for name, session in found.items():
            if whole or name == wanted:
                self._look_at(session)

    def _look_at(self, session: Session) -> None:
        survey = self._store.survey(session)
        points = tuple(self._appraiser.verify_now(survey.files))
        host, actions = Host.look(self._store.path), self._appraiser.actions()
        seen = self._appraiser.assess(session, host, actions, survey, points)
        self._known[session.name] = seen.verdict
        self._post(Batch((seen,)))
