"""A layout of its own: STORE/NAME.steps/N.step, JSON with `step` and `messages`; the newest is resumed from."""

import json
import os
from hashlib import sha256

from lastgood.core.model import Checkpoint, FileKind, Header, Integrity, Session, State, Survey
from lastgood.core.newest import plan_copy
from lastgood.core.store import Store
from lastgood.core.stored import stored


class ToyStore(Store):
    layout = "toy"
    about = "a program with steps"

    def recognises(self, entry):
        return entry.is_folder and entry.name.endswith(".steps")

    def sessions_in(self, entry):
        says = "its program keeps no record of an end"
        yield Session(
            entry.name, entry.path, State.UNTRACKED, layout="toy", state_says=says, records_end=False,
            folder_for=lambda id: f"{id}.steps",
        )  # fmt: skip

    def survey(self, session):
        with os.scandir(session.path) as entries:
            steps = [e for e in entries if e.name.endswith(".step")]
            return Survey(session.path, tuple(stored(session.path, e, FileKind.CHECKPOINT, "toy") for e in steps))

    def look_at(self, file, raw):
        digest = sha256(raw).hexdigest()
        try:
            value = json.loads(raw)
            header = Header(iteration=value["step"], messages=len(value["messages"]), created_at=file.mtime_ns)
        except (ValueError, KeyError, TypeError) as error:
            return Checkpoint(file, Integrity.UNPARSEABLE, str(error), False, str(error), content_sha256=digest)
        return Checkpoint(file, Integrity.NOT_RECORDED, None, True, None, None, None, header, digest)

    def plan_restore(self, session, point, *, foreign=False, reseal=False):
        survey = self.survey(session)
        number = max(int(f.name.removesuffix(".step")) for f in survey.files) + 1
        return plan_copy(session, survey, point, f"{session.path}/{number}.step", foreign=foreign)

    def check(self, plan):
        session = self.session(plan.sessions[0].partition("/")[0])
        newest = max(self.survey(session).files, key=lambda f: f.mtime_ns)
        same = self.verify(newest).content_sha256 == plan.facts["content_sha256"]
        return None if same else f"{newest.path} is the newest, and not the chosen one"
