"""Which sessions are shown, in which order, and where everything goes: pure functions."""

from __future__ import annotations

import pytest

from lastgood.core.assess import Assessed
from lastgood.core.model import FileKind, Meta, Session, State, StoredFile, Survey, Verdict
from lastgood.tui import triage
from lastgood.tui.actions import BY_NAME, VERBS, Situation, refusal
from lastgood.tui.arrange import FRAME_ROWS, arrange
from lastgood.tui.triage import SORTS, Line

SORT = {sort.name: sort for sort in SORTS}


def seen(name: str, verdict: Verdict = Verdict.CRASHED, *, at: int = 1, reason: str | None = None) -> Assessed:
    files = tuple(
        StoredFile(f"/store/{name}/checkpoints/{file}", kind, 10, mtime, 0, 0, 0)
        for file, kind, mtime in (
            ("latest.json.backup", FileKind.BACKUP, 30),
            ("cp_1.json", FileKind.CHECKPOINT, 10),
            (".tmp_checkpoint_x", FileKind.ORPHAN, 40),
            ("cp_2.json", FileKind.CHECKPOINT, 20),
        )
    )
    session = Session(name, f"/store/{name}", State.ACTIVE, Meta(name, True, reason, at, at))
    return Assessed(session, Survey(f"/store/{name}/checkpoints", files), verdict, (), None, None, ())


def names(order: list[Assessed]) -> list[str]:
    return [one.session.name for one in order]


def test_worst_first_then_the_latest_activity() -> None:
    store = [
        seen("e", Verdict.ENDED, at=9),
        seen("c1", at=2),
        seen("l", Verdict.LIVE),
        seen("c2", at=3),
        seen("d", Verdict.DAMAGED),
        seen("u", Verdict.UNCERTAIN),
    ]
    assert names(triage.in_order(store)) == ["c2", "c1", "d", "u", "l", "e"]
    assert names(triage.in_order(store, SORT["last"]))[0] == "e"
    assert names(triage.in_order(store, SORT["session"])) == ["c1", "c2", "d", "e", "l", "u"]
    assert names(triage.in_order(store, SORT["it"], reverse=True))[-1] == "e"


def test_faults_leave_out_what_runs_and_what_has_ended() -> None:
    store = [seen("e", Verdict.ENDED), seen("c"), seen("l", Verdict.LIVE), seen("u", Verdict.UNCERTAIN)]
    assert names(triage.narrowed(triage.in_order(store), faults_only=True)) == ["c", "u"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["nightly-crawl", "billing"]),
        ("crawl", ["nightly-crawl"]),
        ("NIGHT", ["nightly-crawl"]),
        ("nc", ["nightly-crawl"]),
        ("!crawl", ["billing"]),
        ("out memory", ["billing"]),
        ("oom", ["billing"]),
        ("crashed !bill", ["nightly-crawl"]),
        ("/store/bil", ["billing"]),
        ("st/nc", ["nightly-crawl"]),
        ("nc/st", []),
        ("!st/bil", ["nightly-crawl"]),
        ("zzz", []),
        ("!", ["nightly-crawl", "billing"]),
    ],
)
def test_filter(query: str, found: list[str]) -> None:
    store = [seen("nightly-crawl", at=2), seen("billing", at=1, reason="out of memory")]
    assert names(triage.narrowed(triage.in_order(store), query=query)) == found


def test_a_session_opens_to_checkpoints_newest_first_then_backups_then_orphans() -> None:
    rows = triage.lines([seen("a"), seen("b")], {"a"})
    files = [row.path.rpartition("/")[2] for row in rows if row.path]
    assert files == ["cp_2.json", "cp_1.json", "latest.json.backup", ".tmp_checkpoint_x"]
    assert rows[0] == Line("a") and rows[-1] == Line("b")


def test_the_place_is_kept_by_what_is_there_and_not_by_number() -> None:
    rows = [Line("new"), Line("a"), Line("a", "x"), Line("b")]
    assert triage.keep_place(rows, Line("a", "x"), 1) == 2
    assert triage.keep_place(rows, Line("a", "gone"), 1) == 1
    assert triage.keep_place(rows, Line("gone"), 9) == 3
    assert triage.keep_place([], Line("gone"), 9) == 0


@pytest.mark.parametrize(("width", "height"), [(60, 15), (60, 20), (80, 24), (119, 30), (120, 24), (200, 50)])
@pytest.mark.parametrize("reading", [False, True])
@pytest.mark.parametrize("filtering", [False, True])
def test_everything_has_its_place_at_every_size(width: int, height: int, reading: bool, filtering: bool) -> None:
    plan = arrange(width, height, reading=reading, filtering=filtering)
    assert plan.tree_height >= 4 and plan.preview_height >= 4
    if plan.kind == "stack":
        assert plan.tree_height + plan.preview_height + FRAME_ROWS + filtering == height
        assert plan.tree_width == plan.preview_width == width
    else:
        assert plan.tree_width + 1 + plan.preview_width == width and plan.tree_width >= 60


def test_side_by_side_from_120_columns_and_too_small_under_60_by_15() -> None:
    assert arrange(119, 40).kind == "stack"
    assert arrange(120, 40).kind == "side"
    assert arrange(59, 40).kind == arrange(80, 14).kind == "too-small"


def test_reading_gives_the_preview_the_room() -> None:
    assert arrange(80, 24, reading=True).preview_height > arrange(80, 24).preview_height
    assert arrange(80, 24, zoomed=True).tree_height == 0


def test_no_two_actions_of_a_place_share_a_key_and_none_needs_a_chord_but_the_usual_ones() -> None:
    for place in {verb.place for verb in VERBS}:
        keys = [key for verb in VERBS if verb.place == place for key in verb.keys.split(",")]
        assert len(keys) == len(set(keys)), place
    keys = [key for verb in VERBS for key in verb.keys.split(",")]
    assert {key for key in keys if key.startswith("ctrl")} <= {
        "ctrl+r",
        "ctrl+p",
        "ctrl+z",
        "ctrl+q",
        "ctrl+c",
        "ctrl+f",
        "ctrl+b",
    }


def test_read_only_refuses_what_writes_and_nothing_else() -> None:
    here = Situation(seen("a"), read_only="it is read-only")
    for verb in VERBS:
        why = refusal(verb, here)
        assert (why is not None and "read-only" in why) == verb.writes, verb.name


def test_what_writes_is_marked_so() -> None:
    assert {v.name for v in VERBS if v.writes} >= {"restore", "terminate", "activate", "undo", "salvage", "repair"}
    assert BY_NAME["restore"].keys == "r"


def test_every_binding_of_the_screen_is_in_the_table() -> None:
    """So that each can be remapped, and stands in the help and the README."""
    from lastgood.tui import app, flow
    from lastgood.tui.screens import dialogs, handing, help, log, main
    from lastgood.tui.widgets import diff_view, filter, json_view, messages_view, overview, reader

    seen_names = set()
    modules = (
        app,
        flow,
        dialogs,
        handing,
        help,
        log,
        main,
        diff_view,
        filter,
        json_view,
        messages_view,
        overview,
        reader,
    )
    for module in modules:
        for owner in vars(module).values():
            for ancestor in getattr(owner, "__mro__", ()):
                if ancestor.__module__.startswith("lastgood."):
                    for binding in vars(ancestor).get("BINDINGS", ()):
                        assert BY_NAME[binding.id].keys == binding.key
                        seen_names.add(binding.id)
    assert seen_names == set(BY_NAME)


@pytest.mark.parametrize(
    ("remap", "says"),
    [
        ({"json.toggle": "x"}, "'x' is the key of 'stop'"),
        ({"restore": "y", "copy": "Y"}, "'y' is the key of 'plan.agree'"),
        ({"view.search": "J"}, "'J' is the key of 'json.next-sibling'"),
        ({"json.togle": "x"}, "did you mean 'json.toggle'?"),
    ],
)
def test_a_remap_that_steals_from_a_viewer_or_a_dialog_is_refused(remap: dict[str, str], says: str) -> None:
    from lastgood.config import Config, check_keys
    from lastgood.core.errors import UsageProblem
    from lastgood.tui.actions import meet

    every = {verb.name: verb.keys for verb in VERBS}
    with pytest.raises(UsageProblem, match=says.replace("?", r"\?")):
        check_keys(Config(keys=remap), every, meet)
    check_keys(Config(keys={"dialog.down": "x", "json.toggle": "B"}), every, meet)
