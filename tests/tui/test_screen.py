"""Every action by its key: what is seen, and what is on disk afterwards."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import stores
from lastgood.tui.actions import VERBS
from tui.screens import driven


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Two crashed sessions, one of them with a damaged newest file, an ended one, one with unreadable metadata."""
    root = str(tmp_path / "store")
    os.makedirs(root)
    first = stores.write_session(root, "aaaa1111", checkpoints=4)
    newest = max(Path(first, "checkpoints").glob("cp_*.json"), key=lambda p: p.stat().st_mtime_ns)
    stamp = newest.stat().st_mtime_ns
    stores.put(str(newest), newest.read_bytes().replace(b"step 2", b"step X"), at=stamp)
    stores.write_session(root, "bbbb2222", checkpoints=2, start=stores.START - 600 * stores.NS)
    stores.write_session(root, "cccc3333", active=False, reason="completed")
    stores.write_session(root, "dddd4444", meta=b'{"session_id": "dddd4444", "is_act')
    return root


def meta(store: str, name: str) -> dict[str, object]:
    found = json.loads(Path(store, name, "session_meta.json").read_bytes())
    assert isinstance(found, dict)
    return found


async def test_the_worst_come_first_with_symbol_and_word(store: str) -> None:
    async with driven(store) as screen:
        order = [row[3:24].split() for row in screen.rows if row[1:2] == "▸"]
        assert [(symbol, word) for symbol, word, *_ in order] == [
            ("✗", "crashed"),
            ("✗", "crashed"),
            ("!", "damaged"),
            ("-", "ended"),
        ]
        assert "2 crashed" in screen.rows[0] and "1 damaged" in screen.rows[0]
        assert "4 sessions" in screen.rows[0] and "4/4" in screen.rows[0]


async def test_the_row_says_what_the_best_point_loses(store: str) -> None:
    async with driven(store) as screen:
        row = next(row for row in screen.rows if "aaaa1111" in row)
        assert "4/5" in row and row.endswith("1 it")


async def test_a_session_opens_to_its_files_newest_first(store: str) -> None:
    async with driven(store) as screen:
        await screen.press("enter")
        await screen.until_shown("mismatch", "◂ best")
        words = [row.split()[1] for row in screen.rows if row.startswith("   ✗") or row.startswith("   ✓")]
        assert words[0] == "mismatch" and words.count("valid") == 4
        assert "backup" in screen.text
        await screen.press("enter")
        assert "mismatch" not in "\n".join(screen.rows[:11])


async def test_restore_shows_the_plan_and_cancel_changes_nothing(store: str) -> None:
    before = stores.snapshot(store)
    async with driven(store) as screen:
        await screen.press("r")
        await screen.until_shown("Restore aaaa1111", "iteration 3", "link", "latest.json", "price")
        await screen.press("r")
        assert "Restore aaaa1111" in screen.text, "the key that opened the dialog does not agree to it"
        await screen.press("enter")
        await screen.until(lambda: "exactly" not in screen.text, "the dialog closed")
    assert stores.snapshot(store) == before


async def test_restore_makes_the_point_what_the_runtime_resumes_from_and_undo_takes_it_back(store: str) -> None:
    before = stores.snapshot(store)
    session = os.path.join(store, "aaaa1111")
    async with driven(store) as screen:
        await screen.press("r")
        await screen.until_shown("Restore aaaa1111")
        await screen.press("y")
        await screen.until(lambda: "✓ restored aaaa1111" in screen.status and "u undoes it" in screen.status, "done")
        assert stores.resume_by_latest(session)["iteration"] == 3
        assert stores.resume_by_mtime(session)["iteration"] == 3
        await screen.until(lambda: "restored" in next(r for r in screen.rows if "aaaa1111" in r), "the new verdict")
        await screen.press("u")
        await screen.until_shown("Undo restore of aaaa1111")
        await screen.press("y")
        await screen.until(lambda: "✓ undone" in screen.status, "undone")
    after = stores.snapshot(store)
    assert {path: e for path, e in after.items() if e.type != "folder"} == {
        path: e for path, e in before.items() if e.type != "folder"
    }


async def test_restore_of_the_file_under_the_cursor(store: str) -> None:
    async with driven(store) as screen:
        await screen.press("enter")
        await screen.until_shown("◂ best")
        await screen.press("down", "down", "down", "r")
        await screen.until_shown("Restore aaaa1111", "iteration 2")
        await screen.press("y")
        await screen.until(lambda: "✓ restored" in screen.status, "done")
    assert stores.resume_by_latest(os.path.join(store, "aaaa1111"))["iteration"] == 2


async def test_a_damaged_file_is_not_restored_and_the_key_says_why(store: str) -> None:
    async with driven(store) as screen:
        await screen.press("enter")
        await screen.until_shown("mismatch")
        await screen.press("down", "r")
        assert "does not verify" in screen.status and "Checksum mismatch" in screen.status


async def test_terminate_asks_for_a_reason_first(store: str) -> None:
    async with driven(store) as screen:
        await screen.press("t")
        await screen.until_shown("Terminate aaaa1111", "operator decision")
        await screen.press("2")
        await screen.until_shown("superseded", "session_meta.json")
        await screen.press("y")
        await screen.until(lambda: "✓ terminated aaaa1111" in screen.status, "done")
    assert meta(store, "aaaa1111")["termination_reason"] == "superseded"
    assert meta(store, "aaaa1111")["is_active"] is False


async def test_a_reason_in_ones_own_words(store: str) -> None:
    async with driven(store) as screen:
        await screen.press("t")
        await screen.until_shown("Terminate aaaa1111")
        await screen.press("shift+tab", *"ran out", "enter")
        await screen.until_shown("ran out", "exactly 1 change")
        await screen.press("y")
        await screen.until(lambda: "✓ terminated" in screen.status, "done")
    assert meta(store, "aaaa1111")["termination_reason"] == "ran out"


async def test_activate(store: str) -> None:
    async with driven(store) as screen:
        await screen.press("G", "a")
        await screen.until_shown("Activate cccc3333")
        await screen.press("y")
        await screen.until(lambda: "✓ activated cccc3333" in screen.status, "done")
    assert meta(store, "cccc3333")["is_active"] is True
    assert meta(store, "cccc3333")["termination_reason"] is None


async def test_marks_are_terminated_together_and_those_hidden_by_the_filter_are_counted(store: str) -> None:
    async with driven(store) as screen:
        await screen.press("space", "space", "slash", *"bbbb", "enter")
        await screen.until(lambda: "1/4" in screen.rows[0] and "2 marked" in screen.rows[0], "filtered")
        await screen.press("t", "1")
        await screen.until_shown("Terminate 2 sessions", "1 marked session")
        assert "not shown now" in screen.text
        await screen.press("y")
        await screen.until(lambda: "✓ terminated 2 sessions" in screen.status, "done")
    assert {meta(store, name)["termination_reason"] for name in ("aaaa1111", "bbbb2222")} == {"crashed"}


async def test_the_filter_narrows_as_one_types_and_escape_clears_it(store: str) -> None:
    async with driven(store) as screen:
        await screen.press("slash", *"cccc")
        await screen.until(lambda: "1/4" in screen.rows[0], "narrowed")
        assert not any("aaaa1111" in row for row in screen.rows[3:8])
        await screen.press("escape")
        await screen.until(lambda: "4/4" in screen.rows[0], "everything again")


async def test_a_filter_that_nothing_matches_says_what_it_hides(store: str) -> None:
    async with driven(store) as screen:
        await screen.press("slash", *"zzzz")
        await screen.until_shown("Nothing matches", "4 sessions are hidden", "esc clears the filter")


async def test_faults_only(store: str) -> None:
    async with driven(store) as screen:
        await screen.press("f")
        await screen.until(lambda: "3/4" in screen.rows[0], "only faults")
        assert "cccc3333" not in screen.text


async def test_sort_and_reverse(store: str) -> None:
    async with driven(store) as screen:
        await screen.press("s", "s", "S")
        await screen.until(lambda: "▴session" in screen.rows[1], "sorted by session, reversed")
        names = [row.split()[3] for row in screen.rows if row[1:2] == "▸"]
        assert names == sorted(names, reverse=True)


async def test_place_branches_and_marks_survive_a_refresh(store: str) -> None:
    async with driven(store) as screen:
        await screen.press("down", "space", "up", "enter", "down")
        place = screen.main.sessions.focused_line
        stores.write_session(store, "eeee5555", start=stores.START + 3600 * stores.NS)
        await screen.press("f5")
        await screen.until(lambda: "5/5" in screen.rows[0], "the new session")
        assert screen.main.sessions.focused_line == place
        assert "1 marked" in screen.rows[0]


async def test_read_only_actions_stay_and_say_why(store: str) -> None:
    before = stores.snapshot(store, journal=True)
    async with driven(store, size=(120, 100), read_only=True) as screen:
        assert "read-only" in screen.rows[0]
        for key in ("r", "t", "a", "u"):
            await screen.press(key)
            assert "read-only" in screen.status, key
            assert len(screen.app.screen_stack) == 1
        await screen.press("question_mark")
        assert "not now: this is read-only" in " ".join(screen.text.split())
    assert stores.snapshot(store, journal=True) == before


async def test_an_action_that_does_not_apply_says_why(store: str) -> None:
    async with driven(store) as screen:
        await screen.press("a")
        assert "marked active already" in screen.status
        await screen.press("G", "t")
        assert "has ended already" in screen.status
        await screen.press("G", "up", "t")
        assert "cannot be read: repair it first" in screen.status


async def test_repair_rebuilds_the_metadata(store: str) -> None:
    async with driven(store) as screen:
        await screen.press("G", "up", "R")
        await screen.until_shown("Repair the metadata of dddd4444")
        await screen.press("y")
        await screen.until(lambda: "✓ repaired dddd4444" in screen.status, "done")
    assert meta(store, "dddd4444")["session_id"] == "dddd4444"


async def test_the_log_tells_what_was_done_and_undoes_it(store: str) -> None:
    async with driven(store) as screen:
        await screen.press("t", "1")
        await screen.until_shown("exactly 1 change")
        await screen.press("y")
        await screen.until(lambda: "✓ terminated" in screen.status, "done")
        await screen.press("l")
        await screen.until_shown("log", "terminate", "aaaa1111", "done")
        await screen.press("u")
        await screen.until_shown("Undo terminate of aaaa1111")
        await screen.press("y")
        await screen.until(lambda: "✓ undone" in screen.status, "undone")
    assert meta(store, "aaaa1111")["is_active"] is True


async def test_help_names_every_action(store: str) -> None:
    async with driven(store, size=(120, 200)) as screen:
        await screen.press("question_mark")
        words = " ".join(screen.text.split())
        for verb in VERBS:
            assert verb.help in words, verb.name
        await screen.press("escape")
        assert "Keys" not in screen.rows[0]


async def test_the_palette_says_keys_as_they_are_written_and_set(store: str) -> None:
    async with driven(store, keys={"sort": "o"}) as screen:
        await screen.press("ctrl+p", *"sort")
        await screen.until_shown("Sort by the next column (o)")
        await screen.press("escape", "ctrl+p", *"filter")
        await screen.until_shown("(/)")


@pytest.mark.parametrize(("size", "path"), [((60, 20), False), ((80, 24), True), ((200, 50), True)])
async def test_the_counts_of_what_is_bad_go_before_the_path(store: str, size: tuple[int, int], path: bool) -> None:
    stores.write_session(store, "dddd1111", meta=b"{")
    async with driven(store, size=size) as screen:
        assert "damaged" in screen.rows[0] and "crashed" in screen.rows[0]
        assert (store[-8:] in screen.rows[0]) is path


async def test_where_there_is_room_the_overview_tells_what_each_point_costs_and_how_it_ends(store: str) -> None:
    async with driven(store, size=(140, 50)) as screen:
        await screen.until_shown("Going back to", "loses 1 iteration", "◂ best")
        await screen.press("enter", "down", "down")
        await screen.until_shown("How its conversation ends")


async def test_credentials_are_masked_in_every_tab_and_copied_as_they_are(tmp_path: Path) -> None:
    secret = "ghp_" + "a1B2" * 10
    contents = [
        {
            **stores.checkpoint("s", n),
            "messages": [{"role": "user", "content": f"it is {secret}"}] * n,
            "resume_hint": f"use {secret}",
            "context": {"db": {"password": f"pw-of-{n}"}},
        }
        for n in (1, 2)
    ]
    stores.write_session(str(tmp_path), "s", checkpoints=contents)
    async with driven(str(tmp_path), size=(100, 40)) as screen:
        await screen.press("enter", "down", "down")
        for key, shown in (("1", secret[:20]), ("2", "pw-of-1"), ("3", secret[:20]), ("d", "pw-of-2")):
            await screen.press(key)
            await screen.until_shown(shown)
            await screen.press("X")
            await screen.until_shown("[redacted: ")
            assert secret[:12] not in screen.text and "pw-of" not in screen.text, key
            await screen.press("X")
            await screen.until_shown(shown)
        await screen.press("2", "X", "tab", "slash", *"password", "enter", "enter")
        await screen.until(lambda: type(screen.app.screen).__name__ == "Reader", "the reader")
        assert "[redacted: secret]" in screen.text
        assert screen.main.query_one("JsonView").value == "pw-of-1"


async def test_tabs(store: str) -> None:
    async with driven(store) as screen:
        await screen.press("2", "tab")
        await screen.until_shown("[JSON]", '"checkpoint_id"')
        await screen.press("down", "down")
        await screen.until(lambda: screen.status.strip().startswith("."), "the jq path of the focus")
        await screen.press("escape")
        await screen.until(lambda: "aaaa1111" in screen.status, "back in the tree")


async def test_too_small_says_so(store: str) -> None:
    async with driven(store, size=(50, 12)) as screen:
        assert "too small" in screen.text and "60×15" in screen.text
        await screen.pilot.resize_terminal(80, 24)
        await screen.until_shown("aaaa1111", "q quit")


async def test_no_store_says_where_it_was_looked_for(tmp_path: Path) -> None:
    async with driven(str(tmp_path / "nowhere")) as screen:
        assert "no store" in screen.text and str(tmp_path / "nowhere")[:20] in screen.text
        await screen.press("q")
    assert screen.app.return_code == 0


async def test_an_empty_store_says_so(tmp_path: Path) -> None:
    async with driven(str(tmp_path)) as screen:
        assert "There is no session in" in screen.text and "lastgood demo" in screen.text


async def test_text_from_disk_is_shown_and_never_obeyed(tmp_path: Path) -> None:
    evil = "[/b] \x1b]52;c;eA==\x07 [@click=app.quit]x"
    contents = [stores.checkpoint("evil[b]", 1, resume_hint=evil, trigger="[/t]\x1b[2J")]
    stores.write_session(str(tmp_path), "evil[b]", checkpoints=contents)
    async with driven(str(tmp_path), size=(140, 40)) as screen:
        await screen.press("enter", "down")
        await screen.until_shown("evil[b]", "\\x1b]52", "[@click=app.quit]")
        assert "\x1b" not in screen.text


async def test_a_live_session_is_terminated_only_after_its_id_is_typed(tmp_path: Path) -> None:
    import time

    stores.write_session(str(tmp_path), "livelive", start=time.time_ns() - 61 * stores.NS)
    async with driven(str(tmp_path)) as screen:
        await screen.press("t", "1")
        await screen.until_shown("may be live", "type livelive")
        await screen.press("y")
        assert "exactly 1 change" in screen.text, "not agreed to"
        await screen.press(*"livelive", "enter", "y")
        await screen.until(lambda: "✓ terminated livelive" in screen.status, "done")


async def test_columns_are_those_of_the_configuration(store: str) -> None:
    async with driven(store, columns=("verdict", "session", "task", "points")) as screen:
        assert screen.rows[1].split() == ["▾worst", "session", "task", "good"]
        assert next(row for row in screen.rows if "aaaa1111" in row).endswith("4/5")


async def test_what_changes_on_disk_is_shown_without_a_key(store: str) -> None:
    async with driven(store, live=True) as screen:
        stores.write_session(store, "eeee5555")
        for _ in range(10):
            if "5 sessions" in screen.rows[0]:
                break
            await screen.pilot.pause(0.5)
        assert "5 sessions" in screen.rows[0]


async def test_after_a_restore_the_cursor_is_on_the_next_worst_and_the_sentence_stays(store: str) -> None:
    async with driven(store) as screen:
        await screen.press("r")
        await screen.until_shown("Restore aaaa1111")
        await screen.press("y")
        await screen.until(lambda: "restored" in next(r for r in screen.rows if "aaaa1111" in r), "the new verdict")
        await screen.until(lambda: "✓ restored aaaa1111" in screen.status and "u undoes it" in screen.status, "said")
        line = screen.main.sessions.focused_line
        assert line is not None and line.session == "bbbb2222"
        await screen.press("down")
        assert "✓" not in screen.status


async def test_the_bar_tells_the_keys_that_apply_where_the_focus_is(store: str) -> None:
    async with driven(store) as screen:
        assert "r restore" in screen.rows[-1] and "q quit" in screen.rows[-1]
        await screen.press("slash")
        assert "enter keep" in screen.rows[-1] and "esc clear" in screen.rows[-1]
        assert "restore" not in screen.rows[-1] and "/ filter" not in screen.rows[-1]
        await screen.press("escape", "2", "tab")
        await screen.until(lambda: "space fold" in screen.rows[-1] and "/ search" in screen.rows[-1], "the viewer's")
        await screen.press("escape", "r")
        await screen.until(lambda: "esc cancel" in screen.rows[-1] and "y do it" in screen.rows[-1], "the dialog's")


@pytest.mark.parametrize("size", [(60, 15), (60, 20), (80, 24)])
async def test_the_choices_of_a_dialog_stay_on_the_screen_at_every_size(store: str, size: tuple[int, int]) -> None:
    async with driven(store, size=size) as screen:
        await screen.press("r")
        await screen.until_shown("Restore aaaa1111", "reason, for the log", "Cancel (esc)", "Restore (y)")
        await screen.press("escape", "t")
        await screen.until_shown("Terminate aaaa1111", "operator decision", "in your own words")
