"""A layout without a file for each checkpoint: STORE/NAME.sqlite, a row each, of many threads; the last is resumed."""

import json
import sqlite3
import time
from contextlib import closing
from hashlib import sha256
from urllib.parse import quote

from lastgood.core import files
from lastgood.core.model import (
    Checkpoint,
    FileKind,
    Header,
    Integrity,
    Plan,
    Session,
    State,
    Step,
    StoredFile,
    Survey,
)
from lastgood.core.newest import refuse_point
from lastgood.core.store import Store

ROWS = "SELECT id, length(value), at FROM saves WHERE thread = ? ORDER BY id"


class RowsStore(Store):
    layout = "toy-rows"
    about = "a program with a database"

    def recognises(self, entry):
        return not entry.is_folder and entry.name.endswith(".sqlite")

    def sessions_in(self, entry):
        says = "its program keeps no record of an end"
        bare = Session(entry.name, entry.path, State.UNTRACKED, layout=self.layout, state_says=says, records_end=False)
        try:
            threads = self.asked(entry.path, "SELECT DISTINCT thread FROM saves")
        except files.Unreadable as error:
            yield bare._replace(state=State.DAMAGED, state_says=f"{entry.name}: {error}")
            return
        for (thread,) in threads:
            # Of the ids that a row can name, its own alone is no other session's.
            own = lambda id, thread=thread: entry.name if id == thread else id  # noqa: E731
            yield bare._replace(name=f"{entry.name}/{thread}", folder_for=own)

    def survey(self, session):
        seen, thread = files.stamp(session.path), thread_of(session)
        try:
            rows = self.asked(session.path, ROWS, thread)
        except files.Unreadable as error:
            return Survey(session.path, problem=str(error))
        # A row is as old as it says; whenever the database changes, every row of it is looked at again.
        row = StoredFile("", FileKind.CHECKPOINT, 0, 0, seen.mtime_ns, seen.device, seen.inode, layout=self.layout)
        where = f"{session.path}/{thread}"
        return Survey(
            session.path, tuple(row._replace(path=f"{where}/{id}", size=n, mtime_ns=at) for id, n, at in rows)
        )

    def fetch(self, file):
        path, _, id = file.path.rsplit("/", 2)
        return self.asked(path, "SELECT value FROM saves WHERE id = ?", id)[0][0]

    def look_at(self, file, raw):
        digest = sha256(raw).hexdigest()
        try:
            value = json.loads(raw)
            head = Header(iteration=value["step"], messages=len(value["messages"]), created_at=file.mtime_ns)
        except (ValueError, KeyError, TypeError) as error:
            return Checkpoint(file, Integrity.UNPARSEABLE, str(error), False, str(error), content_sha256=digest)
        return Checkpoint(file, Integrity.NOT_RECORDED, None, True, None, None, None, head, digest)

    def plan_restore(self, session, point, *, foreign=False, reseal=False):
        refuse_point(session, point, foreign=foreign)
        before, thread, raw = files.stamp(session.path), thread_of(session), self.read(point.file)
        with closing(sqlite3.connect(":memory:")) as database:
            database.deserialize(files.read_regular(session.path, limit=self.max_bytes))
            (new,) = database.execute("SELECT max(id) + 1 FROM saves").fetchone()
            database.execute("INSERT INTO saves VALUES (?, ?, ?, ?)", (thread, new, time.time_ns(), raw))
            database.commit()
            whole = database.serialize()
        step = Step("replace", session.path, f"the row {point.file.name} once more, as row {new}", before, whole)
        restored = f"{session.path}/{thread}/{new}"
        facts = {"checkpoint_path": point.file.path, "restored_path": restored, "content_sha256": point.content_sha256}
        return Plan("restore", (session.name,), (step,), ((session.path, before),), facts=facts)

    def check(self, plan):
        last = self.survey(self.session(plan.sessions[0])).files[-1]
        same = self.verify(last).content_sha256 == plan.facts["content_sha256"]
        return None if same else f"{last.path} is not the chosen one"

    def asked(self, path, query, *values):
        """Rows, as they are on disk: nothing is locked, and nothing is made beside the database."""
        if files.stamp(path).type != "file":
            raise files.Unreadable("not a regular file")
        try:
            with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro&immutable=1", uri=True)) as database:
                return database.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise files.Unreadable(str(error)) from error


def thread_of(session):
    return session.name.partition("/")[2]
