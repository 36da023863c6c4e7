"""Every action of the table by its key: what was not there before is seen after it, and what is on disk.

A scenario names the actions that it does; it fails where it does not press the key of each, and where what is to be
seen was seen already. The last test fails for an action of the table that no scenario names.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

import stores
from lastgood.tui.actions import BY_NAME, VERBS, bindings_for
from stores import NS, START
from terminal import LASTGOOD, Terminal
from tui.by_key import SCENARIOS, Hand, Scenario, build, does
from tui.screens import driven


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = str(tmp_path_factory.mktemp("template") / "store")
    build(root)
    return root


@pytest.fixture
def store(template: str, tmp_path: Path) -> str:
    return shutil.copytree(template, tmp_path / "store", symlinks=True).as_posix()


@pytest.fixture(autouse=True)
def no_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TMUX", "STY", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSH_CONNECTION", "203.0.113.9 50000 203.0.113.1 22")


@does("move.down", "move.up", "move.page-down", "move.page-up", "move.last", "move.first")
async def moving(h: Hand) -> None:
    await h.do("move.down", h.at(1))
    await h.do("move.up", h.at(0))
    await h.do("move.page-down", lambda: h.on.main.sessions.cursor > 5)
    await h.do("move.page-up", h.at(0))
    await h.do("move.last", lambda: h.at(42)() and "ended039" in h.on.text)
    await h.do("move.first", lambda: h.at(0)() and "aaaa1111" in h.on.text)


@does("open", "close", "unfold", "fold-all")
async def opening(h: Hand) -> None:
    await h.do("open", h.has("▾ ✗", "periodic  ◂ best"))
    await h.do("unfold", h.at(1))
    await h.do("close", h.at(0))
    await h.on.press("enter")
    await h.on.until(h.lacks("▾ ✗"), "closed again")
    await h.do("fold-all", lambda: h.on.text.count("▾ ✗") > 1)


@does("pane", "pane-back", "back", "zoom")
async def panes(h: Hand) -> None:
    await h.do("pane", lambda: h.one("#overview").has_focus)
    await h.do("pane-back", lambda: h.one("#tree").has_focus)
    await h.do("zoom", h.lacks("bbbb2222"))
    await h.do("back", h.has("bbbb2222"))


@does("mask-secrets")
async def masking(h: Hand) -> None:
    await h.do("mask-secrets", h.said("is masked; X"))
    await h.on.press("X")
    await h.on.until(h.said("everything is shown"), "shown again")


@does("filter", "filter.keep", "filter.clear", "filter.tree", "faults", "sort", "reverse")
async def finding(h: Hand) -> None:
    header = lambda words: lambda: words in h.on.rows[0]  # noqa: E731
    await h.do("filter", h.has("!word leaves out"))
    await h.on.press(*"bbbb")
    await h.on.until(header(" 1/43"), "narrowed")
    await h.do("filter.keep", lambda: h.one("#tree").has_focus)
    assert " 1/43" in h.on.rows[0]
    await h.on.press("slash")
    await h.do("filter.tree", lambda: h.one("#tree").has_focus)
    await h.on.press("slash")
    await h.do("filter.clear", header("43/43"))
    await h.do("faults", header(" 3/43"))
    await h.on.press("f")
    await h.do("sort", h.has("▾last"))
    await h.do("reverse", h.has("▴last"))


@does("mark", "unmark")
async def marking(h: Hand) -> None:
    await h.do("mark", lambda: "1 marked" in h.on.rows[0] and any(row.startswith("*▸") for row in h.on.rows))
    await h.do("unmark", lambda: "marked" not in h.on.rows[0] and not any(row.startswith("*") for row in h.on.rows))


@does("json", "messages", "diff", "overview", "next-tab", "previous-tab", "compare")
async def tabs(h: Hand) -> None:
    await h.at_an_older_point()
    await h.do("json", h.has("[JSON]", '"checkpoint_id"'))
    await h.do("messages", h.has("[Messages]", "● assistant"))
    await h.do("diff", h.has("[Diff]", "step 2", "step 3"))
    await h.do("overview", h.has("[Overview]", "price"))
    await h.do("next-tab", h.has("[JSON]"))
    await h.do("previous-tab", h.has("[Overview]"))
    await h.do("compare", h.said("d compares with cp_"))


@does("copy", "copying.id", "copying.path", "copying.value", "copying.query")
async def copying(h: Hand) -> None:
    await h.into("json", "JsonView")
    await h.on.press("down")
    await h.do("copy", h.tops("CopyMenu"))
    await h.on.press("escape")
    for name, says in (("id", "id sent"), ("path", "path sent"), ("value", "value sent"), ("query", "jq path sent")):
        await h.on.press("y")
        await h.on.until(h.tops("CopyMenu"), "the menu")
        await h.do(f"copying.{name}", h.said(f"{says} to the terminal"))
    path = f"{h.store}/aaaa1111/checkpoints/cp_20261123_074740_aaaa0003.json"
    assert h.sent == ["aaaa1111", path, json.loads(Path(path).read_bytes())["_checksum"], "._checksum"]


@does("select.down", "select.up", "select.page-down", "select.page-up", "select.close", size=(80, 20))
async def selecting(h: Hand) -> None:
    from lastgood.tui.screens.handing import SelectScreen

    h.on.app.push_screen(SelectScreen("\n".join(f"row {n}" for n in range(200))))
    await h.on.until_shown("select it with the mouse")
    await h.do("select.down", lambda: "row 0 " not in f"{h.on.rows[0]} " and "row 1" in h.on.rows[0])
    await h.do("select.up", lambda: h.on.rows[0] == "row 0")
    await h.do("select.page-down", h.has("row 20", "row 30"))
    await h.do("select.page-up", lambda: h.on.rows[0] == "row 0")
    await h.do("select.close", h.tops("MainScreen"))


@does("export", "typed.done")
async def exporting(h: Hand) -> None:
    target = f"{os.path.dirname(h.store)}/exported.json"
    await h.do("export", h.has("Export cp_", "Nothing is overwritten"))
    h.one("#typed").value = target
    await h.do("typed.done", lambda: f"written to {target}"[:40] in h.on.status)
    assert Path(target).read_bytes() == Path(h.store, "aaaa1111", "checkpoints", "latest.json").read_bytes()
    assert os.stat(target).st_mode & 0o777 == 0o600


@does("verify", "refresh", "live")
async def reading_afresh(h: Hand) -> None:
    newest = Path(h.store, "aaaa1111", "checkpoints", "latest.json").resolve()
    stores.put(str(newest), newest.read_bytes().replace(b"step 3", b"step X"))
    await h.do("verify", lambda: "3/5" in next(row for row in h.on.rows if "aaaa1111" in row))
    stores.write_session(h.store, "fresh777", start=START + 3600 * NS)
    await h.do("refresh", lambda: "44/44" in h.on.rows[0] and "3 crashed" in h.on.rows[0])
    await h.do("live", h.said("watching the store"))
    stores.write_session(h.store, "fresh888", start=START + 3600 * NS)
    for _ in range(100):  # the watch takes a second to begin
        if "45/45" in h.on.rows[0]:
            break
        await asyncio.sleep(0.1)
    assert "45/45" in h.on.rows[0]
    await h.on.press("L")
    await h.on.until(h.said("no longer watching the store"), "no longer live")


@does("stop", wait=False)
async def stopping(h: Hand) -> None:
    from lastgood.tui.news import Progress

    await h.on.settle()
    h.on.main.post_message(Progress("verifying", 1, 2))
    await h.on.until(h.has("verifying 1/2"), "work shown")
    await h.do("stop", lambda: h.said("stopped; F5 goes on")() and "verifying" not in h.on.text)


@does("restore", "plan.copy", "plan.agree", "undo", "dialog.cancel")
async def restoring(h: Hand) -> None:
    folder = os.path.join(h.store, "aaaa1111")
    before = stores.snapshot(h.store)
    await h.at_an_older_point()
    await h.do("restore", h.has("Restore aaaa1111", "exactly"))
    await h.do("plan.copy", h.has("sent"))
    assert f"{folder}/checkpoints/latest.json" in h.sent[0]
    await h.do("dialog.cancel", h.tops("MainScreen"))
    assert stores.snapshot(h.store) == before
    await h.on.press("r")
    await h.on.until_shown("Restore aaaa1111")
    await h.do("plan.agree", h.said("✓ restored aaaa1111"))
    assert stores.resume_by_latest(folder)["iteration"] == stores.resume_by_mtime(folder)["iteration"] == 2
    await h.do("undo", h.has("Undo restore of aaaa1111"))
    await h.on.press("y")
    await h.on.until(h.said("✓ undone"), "undone")
    files = lambda found: {path: entry for path, entry in found.items() if entry.type != "folder"}  # noqa: E731
    assert files(stores.snapshot(h.store)) == files(before)


@does("terminate", "choice.press", "dialog.next", "dialog.previous")
async def terminating(h: Hand) -> None:
    await h.do("terminate", h.has("Terminate aaaa1111", "▸ crashed (1) ◂"))
    await h.do("dialog.next", h.lacks("▸ crashed (1) ◂"))
    await h.do("dialog.previous", h.has("▸ crashed (1) ◂"))
    await h.do("choice.press", h.has("exactly 1 change"))
    await h.on.press("y")
    await h.on.until(h.said("✓ terminated aaaa1111"), "done")
    assert (h.meta("aaaa1111")["is_active"], h.meta("aaaa1111")["termination_reason"]) == (False, "crashed")


@does("activate")
async def activating(h: Hand) -> None:
    await h.on.press("G")
    await h.do("activate", h.has("Activate ended039"))
    await h.on.press("y")
    await h.on.until(h.said("✓ activated ended039"), "done")
    assert (h.meta("ended039")["is_active"], h.meta("ended039")["termination_reason"]) == (True, None)


@does("salvage")
async def salvaging(h: Hand) -> None:
    folder = Path(h.store, "aaaa1111", "checkpoints")
    before = set(os.listdir(folder))
    await h.open_first()
    await h.do("salvage", h.has("Salvage a file of aaaa1111"))
    await h.on.press("y")
    await h.on.until(h.said("✓ salvaged"), "done")
    (new,) = set(os.listdir(folder)) - before
    saved = json.loads((folder / new).read_bytes())
    assert saved["iteration"] == 3 and saved["messages"][0]["content"] == "begin"


@does("repair")
async def repairing(h: Hand) -> None:
    await h.on.press("down", "down")
    await h.do("repair", h.has("Repair the metadata of cccc3333"))
    await h.on.press("y")
    await h.on.until(h.said("✓ repaired cccc3333"), "done")
    assert h.meta("cccc3333")["session_id"] == "cccc3333"


@does("log", "log.details", "log.undo", "log.close")
async def logging(h: Hand) -> None:
    await h.on.press("t", "1")
    await h.on.until_shown("exactly 1 change")
    await h.on.press("y")
    await h.on.until(h.said("✓ terminated"), "done")
    await h.do("log", h.has("1 action", "terminate", "✓ done"))
    await h.do("log.details", h.has("Action ", "reason: crashed"))
    await h.on.press("escape")
    await h.on.until(h.tops("LogScreen"), "the log again")
    await h.do("log.close", h.tops("MainScreen"))
    await h.on.press("l")
    await h.on.until_shown("1 action")
    await h.do("log.undo", h.has("Undo terminate of aaaa1111"))
    await h.on.press("y")
    await h.on.until(h.said("✓ undone"), "undone")
    assert h.meta("aaaa1111")["is_active"] is True


@does("dialog.down", "dialog.up", "dialog.page-down", "dialog.page-up", size=(60, 15))
async def reading_a_dialog(h: Hand) -> None:
    await h.at_an_older_point()
    await h.on.press("r")
    await h.on.until_shown("Restore aaaa1111")
    await h.do("dialog.down", h.scrolled("#text", down=True))
    await h.do("dialog.up", h.scrolled("#text", down=False))
    await h.do("dialog.page-down", h.scrolled("#text", down=True))
    await h.do("dialog.page-up", h.scrolled("#text", down=False))


@does("help", "help.down", "help.up", "help.page-down", "help.page-up", "help.close")
async def help_(h: Hand) -> None:
    await h.do("help", h.has("Keys", "Here"))
    await h.do("help.down", lambda: "Here" not in h.on.rows[1])
    await h.do("help.up", lambda: "Here" in h.on.rows[1])
    await h.do("help.page-down", lambda: "Here" not in h.on.rows[1])
    await h.do("help.page-up", lambda: "Here" in h.on.rows[1])
    await h.do("help.close", h.tops("MainScreen"))


@does("command-palette")
async def palette(h: Hand) -> None:
    await h.do("command-palette", lambda: type(h.on.app.screen).__name__ == "CommandPalette")
    await h.on.press(*"sort")
    await h.on.until_shown("Sort by the next column")
    await h.on.press("enter", "enter")
    await h.on.until(h.has("▾last"), "sorted")


@does("overview.down", "overview.up", "overview.page-down", "overview.page-up", "overview.last", "overview.first",
      size=(60, 15))  # fmt: skip
async def overview(h: Hand) -> None:
    await h.on.press("tab")
    await h.on.until(
        lambda: h.one("#overview").has_focus and h.one("#overview").max_scroll_y > 1, "an overview to read"
    )
    for name, down in (("down", True), ("up", False), ("page-down", True), ("page-up", False), ("last", True),
                       ("first", False)):  # fmt: skip
        await h.do(f"overview.{name}", h.scrolled("#overview", down=down))


@does("view.search", "search.find", "search.cancel", "view.next-hit", "view.previous-hit", "view.wrap")
async def searching(h: Hand) -> None:
    await h.into("json", "JsonView")
    await h.do("view.search", h.has("search, then enter"))
    await h.on.press(*"content")
    await h.do("search.find", lambda: "1/5" in h.on.text)
    await h.do("view.next-hit", lambda: "2/5" in h.on.text)
    await h.do("view.previous-hit", lambda: "1/5" in h.on.text)
    await h.on.press("slash")
    await h.on.until(lambda: isinstance(h.on.app.focused, Input), "searching again")
    await h.do("search.cancel", lambda: h.one("JsonView").has_focus)
    folded = h.on.text.count("of the report")
    await h.do("view.wrap", lambda: h.on.text.count("of the report") < folded)


@does("json.next-sibling", "json.previous-sibling", "json.toggle", "json.into", "json.out", "json.unfold-all",
      "json.fold-all", *(f"json.level-{n}" for n in range(1, 10)))  # fmt: skip
async def folding(h: Hand) -> None:
    await h.into("json", "JsonView")
    path = lambda words: lambda: h.on.status.strip().startswith(words)  # noqa: E731
    await h.do("json.fold-all", h.has('"messages": […]'))
    await h.do("json.into", path("._checksum"))
    await h.do("json.next-sibling", path("._version"))
    await h.do("json.previous-sibling", path("._checksum"))
    await h.do("json.out", lambda: h.on.status.strip().split()[0] == ".")
    await h.do("json.toggle", h.lacks("checkpoint_id"))
    view = h.one("JsonView")
    shown = lambda: sum(1 for _ in _items(view))  # noqa: E731
    await h.do("json.unfold-all", lambda: shown() == view.count())
    for n in range(1, 10):
        was = shown()
        deeper = (lambda w: lambda: shown() < w)(was) if n == 1 else (lambda w: lambda: shown() > w)(was)
        await h.do(f"json.level-{n}", deeper)


def _items(view: Any) -> Any:
    item: int | None = 0
    while item is not None:
        yield item
        item = view.following(item)


@does("json.read", "reader.page", "reader.close", size=(100, 18))
async def reading(h: Hand) -> None:
    await h.into("json", "JsonView")
    await h.on.press("slash", *"needle", "enter")
    await h.on.until(lambda: ".messages[3]" in h.on.status, "on the long text")
    await h.do("json.read", h.has("line 0 of the report", "esc back"))
    await h.do("reader.page", h.has("needle"))
    await h.do("reader.close", h.tops("MainScreen"))


@does("json.fault")
async def to_the_fault(h: Hand) -> None:
    await h.open_first()
    await h.into("json", "JsonView")
    await h.do("json.fault", h.moved("JsonView", down=True))


@does("messages.previous", "messages.next", "messages.unfold", "messages.fold-one", "messages.fold",
      "messages.unfold-all", "messages.fold-all", size=(100, 90))  # fmt: skip
async def conversing(h: Hand) -> None:
    await h.into("messages", "MessagesView")
    await h.do("messages.previous", h.moved("MessagesView", down=False))
    await h.do("messages.next", h.moved("MessagesView", down=True))
    await h.on.press("K")
    await h.do("messages.unfold", h.has("needle"))
    await h.do("messages.fold-one", h.lacks("needle"))
    await h.do("messages.fold", h.has("needle"))
    await h.do("messages.fold-all", h.lacks("needle"))
    await h.do("messages.unfold-all", h.has("needle"))


@does("diff.next", "diff.previous", "diff.read")
async def comparing(h: Hand) -> None:
    await h.at_an_older_point()
    await h.into("diff", "DiffView")
    await h.do("diff.next", h.moved("DiffView", down=True))
    await h.do("diff.previous", h.moved("DiffView", down=False))
    await h.on.press("G")
    await h.do("diff.read", h.tops("Reader"))


@does("resume.run", resume_command=("agent", "--resume", "{session_id}"))
async def resuming(h: Hand) -> None:
    await h.at_an_older_point()
    await h.on.press("r")
    await h.on.until_shown("Restore aaaa1111")
    await h.on.press("y")
    await h.on.until_shown("Resume it with", "agent --resume aaaa1111")
    await h.do("resume.run", h.said("it will be run when you leave"))
    assert h.on.app.run_on_exit == ["agent", "--resume", "aaaa1111"]


@does("choose")
async def choosing(h: Hand) -> None:
    h.on.app.picking = True
    await h.do("choose", lambda: h.on.app.picked is not None)
    assert h.on.app.picked is not None and h.on.app.picked[0] == "aaaa1111"
    assert h.on.app.picked[1].file.path.startswith(f"{h.store}/aaaa1111/checkpoints/")


@does("quit")
async def quitting(h: Hand) -> None:
    await h.do("quit", lambda: h.on.app.return_code == 0)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.play.__name__.rstrip("_"))
async def test_by_its_key(scenario: Scenario, store: str) -> None:
    settings = {"size": (100, 40), **scenario.settings}
    async with driven(store, **settings) as screen:
        hand = Hand(screen, store)
        await scenario.play(hand)
        assert hand.done == scenario.names


IN_A_TERMINAL = frozenset({"pager", "suspend-process"})
"""They hand the terminal over, which only a real one shows."""


def test_pager_and_suspend_in_a_terminal(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    shell = ["sh", "-ic", f'{" ".join(LASTGOOD)} "$1"; echo suspended; read answer; fg', "sh", store]
    with Terminal(shell, PAGER="cat", ENV="/dev/null") as t:
        t.wait_for("43 sessions", gone="verifying")
        t.press(BY_NAME["pager"].keys)
        t.wait_for("43 sessions")
        assert b'"checkpoint_id": "aaaa0003"' in t.raw
        t.press("\x1a")
        t.wait_for("suspended")
        assert t.raw.endswith(b"suspended\r\n") and b"\x1b[?1049l" in t.raw[-300:]
        t.press("\r")
        t.wait_for("43 sessions", "aaaa1111", "q quit", gone="suspended")
        t.press("q")
        assert t.exit_code() == 0


def test_every_action_of_the_table_has_its_scenario() -> None:
    done = frozenset().union(*(scenario.names for scenario in SCENARIOS))
    assert done | IN_A_TERMINAL == BY_NAME.keys()


def test_every_other_key_of_an_action_is_bound_to_the_same() -> None:
    for verb in VERBS:
        (bound,) = [binding for binding in bindings_for(verb.place) if binding.id == verb.name]  # type: ignore[union-attr]
        assert (bound.key, bound.action) == (verb.keys, verb.action)  # type: ignore[union-attr]
