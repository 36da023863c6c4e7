"""What the loader's threads tell the screen: values alone, one small message for each thing that was found or done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from ..core.assess import Assessed
from ..core.model import Action, StoredFile

if TYPE_CHECKING:
    from ..core.diff import Diff
    from ..core.jsontext import Raw
    from .deeds import Done, Proposal


class Batch(Message):
    """Newer values of some sessions."""

    def __init__(self, seen: tuple[Assessed, ...]) -> None:
        super().__init__()
        self.seen = seen


class Names(Message):
    """Every session that there is, after a listing: the others are gone."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__()
        self.names = names


class Progress(Message):
    """How far the work in the background has come; `total` is 0 when it is over."""

    def __init__(self, what: str, done: int, total: int) -> None:
        super().__init__()
        self.what = what
        self.done = done
        self.total = total


class Told(Message):
    """Something was done that needs a sentence and no more."""

    def __init__(self, says: str) -> None:
        super().__init__()
        self.says = says


class Paged(Message):
    """A restore point's text, cleaned, in a private temporary file that the receiver removes."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path


class Trouble(Message):
    """The work in the background met what it cannot go on from."""

    def __init__(self, says: str, defect: Exception | None = None) -> None:
        super().__init__()
        self.says = says
        self.defect = defect
        """The error of lastgood itself behind it, for the log."""


@dataclass(frozen=True, slots=True)
class Detail:
    """What an overview shows of one file beyond its verdict."""

    file: StoredFile
    pending: tuple[str, ...] = ()
    """Tool calls issued and not answered, in words."""
    diagnosis: tuple[str, ...] = ()
    """What exactly is wrong, in sentences."""
    excerpt: str = ""
    closing: tuple[str, ...] = ()
    """The last turns of its conversation, a line each."""


class Detailed(Message):
    def __init__(self, detail: Detail) -> None:
        super().__init__()
        self.detail = detail


class Opened(Message):
    """The contents of a file, as far as they could be read."""

    def __init__(
        self,
        file: StoredFile,
        raw: Raw | None,
        value: dict[str, object] | None = None,
        fault: tuple[int | None, str] | None = None,
        problem: str | None = None,
    ) -> None:
        super().__init__()
        self.file = file
        self.raw = raw
        self.value = value
        """What it holds; None where it is no JSON object, or too large to be held at once."""
        self.fault = fault
        """Where the text stops being JSON, and why."""
        self.problem = problem


class Compared(Message):
    """What leads from one file to another."""

    def __init__(self, file: StoredFile, against: StoredFile, diff: Diff | None, problem: str | None = None) -> None:
        super().__init__()
        self.file = file
        self.against = against
        self.diff = diff
        self.problem = problem


class Proposed(Message):
    """What an action would do."""

    def __init__(self, proposal: Proposal) -> None:
        super().__init__()
        self.proposal = proposal


class NotProposed(Message):
    """Why an action would do nothing."""

    def __init__(self, says: str) -> None:
        super().__init__()
        self.says = says


class Acted(Message):
    """An action has ended, well or not."""

    def __init__(self, done: Done) -> None:
        super().__init__()
        self.done = done


class Logged(Message):
    """What was done to the store, oldest first, and why that may not be everything."""

    def __init__(self, actions: list[Action], problem: str | None) -> None:
        super().__init__()
        self.actions = actions
        self.problem = problem
