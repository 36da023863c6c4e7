"""The tree: sessions worst first, each with its files below it when open. A flat list of rows, drawn one at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import ClassVar

from rich.style import Style
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from ...core.assess import Assessed
from ...core.model import Checkpoint, StoredFile, Verdict
from ...core.sanitise import Safe
from ...wording import VERDICT_SYMBOLS, integrity_look, kind_word, moment, short_ago, size
from ..actions import bindings_for
from ..ink import look
from ..rows import Rows
from ..text import Part, clip, fit, strip, width
from ..triage import Line, good_of, keep_place, lines, listed, lost_iterations, nothing_left, points_by_path

_LEAD = 15
"""Mark, fold, symbol and word."""
_FIGURES = (("last", 6), ("it", 6), ("good", 8), ("loses", 6))
"""The columns on the right and their widths; each is right-aligned with one blank before it."""
_NAMES_IN_CONFIGURATION = {"last": "last", "it": "iteration", "good": "points", "loses": "loses"}
_FILES_SEEN = 3
"""Of a session opened at the lower edge, so many files come into sight."""


_MEASURED = 200
"""So many names tell how wide their column is."""


class SessionTree(Rows):
    """Holds values and the rows made of them; says which row the cursor is on and what was opened."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("tree")

    class Opened(Message):
        """Somebody wants to see into these sessions."""

        def __init__(self, *sessions: str) -> None:
            super().__init__()
            self.sessions = sessions

    class Entered(Message):
        """Enter on a restore point: look at it."""

    def __init__(self, columns: Collection[str], *, id: str) -> None:
        super().__init__(id=id)
        self._shows = [_NAMES_IN_CONFIGURATION[name] in columns for name, _ in _FIGURES]
        self._shows_task = "task" in columns
        self._figures_width = sum(cells for (_, cells), shown in zip(_FIGURES, self._shows, strict=True) if shown)
        self._order: Sequence[Assessed] = ()
        self._by_name: dict[str, Assessed] = {}
        self._rows: list[Line] = []
        self._files: dict[str, Mapping[str, StoredFile]] = {}
        self._points: dict[str, Mapping[str, Checkpoint]] = {}
        self.opened: set[str] = set()
        self.marks: set[str] = set()
        self.leaving: set[str] = set()
        """Sessions that are acted upon: where one moves away, the cursor stays where the eye is."""
        self.now_ns = 0
        self._longest = self._usual = 8
        """Of the first names, the length of the longest and of nine in ten."""
        self._masking = False
        self._refolded = False
        """A session was opened or closed, or has other files, since the rows were made."""

    # What is shown

    def show(self, order: Sequence[Assessed], now_ns: int) -> None:
        """Show these sessions in this order; the cursor stays on its session or file."""
        held, was_at = self.focused_line, self.cursor
        if not self._refolded and [s.session.name for s in order] == [s.session.name for s in self._order]:
            self._order = order  # the rows are the same: what changed in them has been drawn already
            return
        self._refolded = False
        if held is not None and held.session in self.leaving:
            held = self._after_leaving(held, order)
        self._order, self.now_ns = order, now_ns
        self._by_name = {seen.session.name: seen for seen in order}
        lengths = sorted(max(8, len(seen.session.name)) for seen in order[:_MEASURED])
        if lengths:
            self._longest, self._usual = lengths[-1], lengths[len(lengths) * 9 // 10]
        self._make_rows()
        at = keep_place(self._rows, held, was_at)
        top = self.scroll_offset.y + at - was_at
        self.rows_changed()
        self.cursor = at
        if held is not None and at != was_at:
            # The row keeps its height on the screen, as if the others had moved around it.
            self.scroll_to(y=max(0, top), animate=False, force=True, immediate=True)
            self.show_row(at)

    def _after_leaving(self, held: Line, order: Sequence[Assessed]) -> Line:
        """The row itself while its session keeps its place in the order, else the next one that nothing was done to."""
        before = [seen.session.name for seen in self._order]
        at = before.index(held.session)
        if [seen.session.name for seen in order[: at + 1]] == before[: at + 1]:
            return held
        following = (name for name in before[at + 1 :] if name not in self.leaving)
        self.leaving = set()
        return Line(next(following, held.session))

    def freshen(self, changed: Iterable[Assessed]) -> None:
        """Newer values in the rows that there are; their order is put right by :meth:`show`, which costs more."""
        reopened = False
        top = self.scroll_offset.y
        seen_now = {line.session: y for y, line in enumerate(self._rows[top : top + self.size.height])}
        for seen in changed:
            name = seen.session.name
            if name in self._by_name:
                self._by_name[name] = seen
                reopened = reopened or name in self.opened
                if name in seen_now:
                    self.refresh(Region(0, seen_now[name], self.size.width, 1))
        if reopened:
            self._refold()

    def _make_rows(self) -> None:
        self._rows = lines(self._order, self.opened)
        self._files.clear()
        self._points.clear()
        for name in self.opened & self._by_name.keys():
            self._files[name] = {file.path: file for file in self._by_name[name].survey.files}
            self._points[name] = points_by_path(self._by_name[name])

    @property
    def focused_line(self) -> Line | None:
        """The row under the cursor; None where there is none."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def seen_of(self, line: Line) -> Assessed:
        return self._by_name[line.session]

    def file_of(self, line: Line) -> StoredFile | None:
        return self._files.get(line.session, {}).get(line.path) if line.path else None

    def point_of(self, line: Line) -> Checkpoint | None:
        return self._points.get(line.session, {}).get(line.path) if line.path else None

    @property
    def shown(self) -> int:
        """How many sessions there are rows for."""
        return len(self._order)

    def shown_names(self) -> set[str]:
        """The sessions that there are rows for."""
        return set(self._by_name)

    def mask(self, on: bool) -> None:
        """Mask what looks like a credential in what a session says of itself, or show it."""
        self._masking = on
        self.refresh()

    # Keys

    def action_open(self) -> None:
        line = self.focused_line
        if line is None:
            return
        if line.path is not None:
            self.post_message(self.Entered())
        elif line.session in self.opened:
            self._fold(line.session)
        else:
            self.opened.add(line.session)
            self._refold()
            self._show_files(line.session)
            self.post_message(self.Opened(line.session))

    def action_unfold(self) -> None:
        line = self.focused_line
        if line is not None and (line.path is not None or line.session not in self.opened):
            self.action_open()
        elif line is not None and self.cursor + 1 < len(self._rows):
            self.cursor += 1

    def action_close(self) -> None:
        line = self.focused_line
        if line is None:
            return
        if line.path is not None:
            self.cursor = self._rows.index(Line(line.session))
        else:
            self._fold(line.session)

    def action_fold_all(self) -> None:
        """Open every session that is shown, or close all where any is open."""
        if self.opened:
            self.opened.clear()
        else:
            self.opened.update(self._by_name)
            self.post_message(self.Opened(*self._by_name))
        self._refold()

    def _fold(self, session: str) -> None:
        self.opened.discard(session)
        self._refold()

    def _show_files(self, session: str) -> None:
        """Scroll so far that the first files of an opened session, under the cursor, can be seen."""
        self.show_row(self.cursor + min(len(self._files[session]), _FILES_SEEN))
        self.show_row(self.cursor)

    def _refold(self) -> None:
        self._refolded = True
        self.show([self._by_name[seen.session.name] for seen in self._order], self.now_ns)

    def go_to(self, session: str, path: str | None = None) -> None:
        """Put the cursor on a session or one of its files, opening it where need be."""
        if path is not None and session not in self.opened:
            self.opened.add(session)
            self._make_rows()
            self.rows_changed()
        wanted = Line(session, path)
        if wanted in self._rows:
            self.cursor = self._rows.index(wanted)

    # Drawing

    def row_count(self) -> int:
        return len(self._rows)

    def row_strip(self, row: int) -> Strip:
        line = self._rows[row]
        seen = self._by_name[line.session]
        if line.path is None:
            return self._session_strip(seen)
        return self._file_strip(seen, self._files[line.session][line.path], self._points[line.session].get(line.path))

    def heading(self, sort_name: str, reverse: bool) -> list[Part]:
        """The names of the columns, the one that the rows are sorted by marked."""
        arrow = "▴" if reverse else "▾"

        def named(name: str) -> str:
            return f"{arrow}{name}" if name == sort_name else name

        middle = self.columns - _LEAD - self._figures_width
        id_width = self._id_width(middle)
        lead = f"   {named('worst') if sort_name == 'worst' else 'state'}"
        parts: list[Part] = [fit(lead, _LEAD), fit(named("session"), id_width), "  "]
        parts.append(fit(named("task"), middle - id_width - 2))
        return parts + self._chosen([fit(named(name), cells, right=True) for name, cells in _FIGURES])

    def bar(self) -> tuple[int, int]:
        """Name and task: the colours beside them count under the cursor too, and need not be sent for every move."""
        return _LEAD - 1, self.columns - self._figures_width

    def _chosen(self, figures: list[Part]) -> list[Part]:
        """Those of the figures that the configuration wants."""
        return [figure for figure, shown in zip(figures, self._shows, strict=True) if shown]

    def _id_width(self, middle: int) -> int:
        most = max(8, middle // 3)
        if self._longest <= most:
            return self._longest
        return min(self._usual, most)  # one odd long name does not widen the column for all

    def _session_strip(self, seen: Assessed) -> Strip:
        name = seen.session.name
        middle = self.columns - _LEAD - self._figures_width
        id_width = self._id_width(middle)
        fold = "▾" if name in self.opened else "▸"
        verdict_look = self._look(str(seen.verdict))
        muted = self._look("muted")
        quiet = seen.verdict is Verdict.ENDED
        task, task_look = self._task_cell(seen) if self._shows_task else ("", muted)
        if self._masking:
            from ...core.redact import redact_text  # its rules take a while to compile

            task = redact_text(task)
        parts: list[Part] = [
            ("*", self._look("current")) if name in self.marks else " ",
            (f"{fold} ", muted),
            (f"{VERDICT_SYMBOLS[seen.verdict]} {fit(str(seen.verdict), 9)} ", verdict_look),
            (fit(name, id_width), muted if quiet else self._look("strong")),
            "  ",
            (fit(task, middle - id_width - 2), muted if quiet else task_look),
            *self._chosen(self._session_figures(seen)),
        ]
        return strip(*parts)

    def _task_cell(self, seen: Assessed) -> tuple[str, Style]:
        if seen.verdict is Verdict.DAMAGED and seen.session.meta_problem:
            return f"meta: {seen.session.meta_problem}", self._look("damaged")
        if seen.problems and not seen.task:
            return seen.problems[0], self._look("warning")
        reason = seen.session.meta.termination_reason if seen.session.meta else None
        if seen.verdict is Verdict.ENDED and reason:
            return f"{reason} · {seen.task}" if seen.task else reason, self._look("muted")
        return seen.task or "", Style.null()

    def _session_figures(self, seen: Assessed) -> list[Part]:
        muted = self._look("muted")
        good, lost = good_of(seen), lost_iterations(seen)
        iteration = "-" if seen.last_iteration is None else str(seen.last_iteration)
        parts: list[Part] = [
            (fit(short_ago(seen.last_activity, self.now_ns), 6, right=True), muted),
            fit(iteration, 6, right=True),
        ]
        if good is None:
            count = f"·/{len(seen.survey.files)}" if listed(seen) else "·"
            parts.append((fit(count, 8, right=True), muted))
        else:
            tone = "muted" if good[0] == good[1] else "bad" if good[0] == 0 else "warning"
            parts.append((fit(f"{good[0]}/{good[1]}", 8, right=True), self._look(tone)))
        if nothing_left(seen):
            parts.append((fit("all", 6, right=True), self._look("bad")))
        elif lost is None:
            parts.append((fit("·" if good is None else "?", 6, right=True), muted))
        else:
            parts.append(
                (fit(f"{lost} it" if lost else "0", 6, right=True), self._look("warning" if lost else "muted"))
            )
        return parts

    def _file_strip(self, seen: Assessed, file: StoredFile, point: Checkpoint | None) -> Strip:
        symbol, word, tone = integrity_look(point)
        muted = self._look("muted")
        header = point.header if point else None
        middle = self.columns - _LEAD - self._figures_width
        standing = self._standing(seen, file)
        at = moment(file.mtime_ns, self.now_ns)
        told = " ".join(p for p in (at, kind_word(file), (header.trigger or "") if header else "") if p)
        # How it stands is said before what it is; what is wrong with it gets the rest.
        left = clip(told, max(len(at), middle - sum(map(_cells, standing))))
        notes = [*standing, *self._faults(file, point)]
        room = middle - width(left)
        iteration = "-" if header is None or header.iteration is None else str(header.iteration)
        parts: list[Part] = [
            "   ",
            (f"{symbol} {fit(word, 10)}", self._look(tone)),
            left,
            *_cut(notes, room),
        ]
        used = sum(_cells(p) for p in parts)
        parts.append(" " * max(0, _LEAD + middle - used))
        figures: list[Part] = [
            (fit(short_ago(file.mtime_ns, self.now_ns), 6, right=True), muted),
            fit(iteration, 6, right=True),
            (fit(size(file.size), 8, right=True), muted),
            self._loss_cell(seen, point),
        ]
        return strip(*parts, *self._chosen(figures))

    def _loss_cell(self, seen: Assessed, point: Checkpoint | None) -> Part:
        if point is None or not point.valid:
            return " " * 6
        lost = seen.price_of(point).iterations
        return (fit("?" if lost is None else f"{lost} it" if lost else "0", 6, right=True), self._look("muted"))

    def _standing(self, seen: Assessed, file: StoredFile) -> list[Part]:
        """Whether it is the best, or the runtime's choice."""
        best = seen.best is not None and seen.best.file.path == file.path
        choice = seen.lineage.runtime_choice if seen.lineage else None
        runtimes = choice is not None and choice.file.path == file.path
        notes: list[Part] = [("  ◂ best", self._look("current"))] if best else []
        if runtimes:
            notes.append((", runtime's" if best else "  ◂ runtime's", self._look("muted")))
        return notes

    def _faults(self, file: StoredFile, point: Checkpoint | None) -> list[Part]:
        """What is wrong with it."""
        if file.problem:
            return [(f"  {file.problem}", self._look("bad"))]
        if point is not None and point.reason and not point.valid:
            return [(f"  {point.reason}", self._look("muted"))]
        if point is not None and not point.runtime_accepts:
            return [("  the runtime refuses it", self._look("warning"))]
        return []

    def _look(self, name: str) -> Style:
        return look(self.app, name)


def _cells(part: Part) -> int:
    return width(part[0] if isinstance(part, tuple) else part)


def _cut(parts: list[Part], room: int) -> list[Part]:
    """The parts in at most `room` cells."""
    kept: list[Part] = []
    for part in parts:
        shown, look = part if isinstance(part, tuple) else (part, Style.null())
        piece: Safe = clip(shown, max(0, room))
        room -= _cells(piece)
        kept.append((piece, look))
    return kept
