"""Verifying files and judging sessions for the screen, with what is remembered of files that have not changed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

from textual.message import Message

from ..core.assess import Assessed, actions_on, assess
from ..core.errors import LastgoodError
from ..core.evidence import Host
from ..core.model import Action, Checkpoint, Session, StoredFile, Survey
from ..core.store import Store
from ..core.verdict import Thresholds
from .news import Trouble

_IN_PROCESS_MAX = 1_000_000
"""Bytes up to which a file is verified in this process when somebody waits for it: some milliseconds."""


_MOST_REMEMBERED = 4_000
"""Files whose verdicts stay in memory: those that somebody looked at last, and large ones."""


class Appraiser:
    """Shared by the threads that read a store.

    Args:
        post: takes what cannot be raised, from any thread.
        cache_folder: where verdicts are remembered from one run to the next; None: they are not.
    """

    def __init__(
        self, store: Store, thresholds: Thresholds, post: Callable[[Message], object], cache_folder: str | None
    ) -> None:
        self.store = store
        self._thresholds = thresholds
        self._post = post
        self._cache_folder = cache_folder
        self._verified: dict[StoredFile, Checkpoint] = {}

    def verify_all(self, files: Iterable[StoredFile]) -> Generator[Checkpoint, None, None]:
        """Each file verified, in processes of their own; taken and given bit by bit."""
        for point in self._verify_elsewhere(files):
            yield self._remember(point) if point.file.size > _IN_PROCESS_MAX else point

    def verify_now(self, files: Sequence[StoredFile]) -> Iterator[Checkpoint]:
        """Each file verified for somebody who waits: remembered ones at once, then small ones here, then large ones."""
        fresh: list[StoredFile] = []
        yield from self._remembered(files, fresh)
        for file in fresh:
            if file.size <= _IN_PROCESS_MAX:
                yield self._remember(self.store.verify(file))
        large = [file for file in fresh if file.size > _IN_PROCESS_MAX]
        if large:
            yield from map(self._remember, self._verify_elsewhere(large))

    def _remembered(self, files: Sequence[StoredFile], fresh: list[StoredFile]) -> Iterator[Checkpoint]:
        """What is known; the others are added to `fresh`."""
        for file in files:
            if (known := self._verified.get(file)) is not None:
                yield known
            else:
                fresh.append(file)

    def _verify_elsewhere(self, files: Iterable[StoredFile]) -> Iterator[Checkpoint]:
        from ..core.cache import Cache
        from ..core.workers import verify_files

        cache = Cache(self._cache_folder) if self._cache_folder is not None else None
        return verify_files(self.store, files, cache=cache)

    def _remember(self, point: Checkpoint) -> Checkpoint:
        if len(self._verified) >= _MOST_REMEMBERED:
            del self._verified[next(iter(self._verified))]
        self._verified[point.file] = point
        return point

    def assess(
        self,
        session: Session,
        host: Host,
        actions: Sequence[Action],
        survey: Survey,
        points: Sequence[Checkpoint] | None,
    ) -> Assessed:
        """One session judged; `points` None: without its files' verdicts."""
        return assess(
            self.store,
            session,
            host=host,
            thresholds=self._thresholds,
            actions=actions,
            survey=survey,
            points=points,
        )

    def actions(self) -> Sequence[Action]:
        """What lastgood has done to this store; a journal that cannot be read is told of."""
        try:
            return actions_on(self.store)
        except LastgoodError as error:
            self._post(Trouble(str(error)))
            return ()
