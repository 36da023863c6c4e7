"""The JSON viewer as a user meets it: what is on the screen, where the cursor is."""

from __future__ import annotations

import json
import mmap
import os
from pathlib import Path

import pytest
from looking import HOSTILE, Host, raw_characters, seen
from textual import on

from lastgood.tui.flow import SearchBar
from lastgood.tui.widgets.json_view import JsonView
from lastgood.tui.widgets.reader import Reader, TextView

CORPUS = Path(__file__).parents[1] / "data" / "corpus"
VALUE = {
    "iteration": 7,
    "messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}],
    "odd key": {"deep": [1, [2, 3]]},
    "hint": None,
}
RAW = json.dumps(VALUE).encode()


class JsonHost(Host):
    def __init__(self, raw: bytes, problem: tuple[int | None, str] | None = None) -> None:
        self.json = JsonView()
        super().__init__(self.json)
        self.raw, self.problem = raw, problem
        self.paths: list[str] = []

    def on_mount(self) -> None:
        super().on_mount()
        self.json.show(self.raw, problem=self.problem)

    @on(JsonView.PathChanged)
    def remember(self, event: JsonView.PathChanged) -> None:
        self.paths.append(event.path)


async def test_shows_the_text_with_sizes_and_says_the_path() -> None:
    app = JsonHost(RAW)
    async with app.run_test(size=(60, 30)) as pilot:
        assert seen(app)[:6] == [
            "{  {4}",
            '  "iteration": 7,',
            '  "messages": [  [2]',
            "    {  {2}",
            '      "role": "user",',
            '      "content": "hello"',
        ]
        await pilot.press("j", "j", "j", "j")
        assert app.json.path == ".messages[0].role" == app.paths[-1]
        await pilot.press("G", "k", "k", "k", "k")
        assert app.json.path == '.["odd key"].deep[1]'


async def test_folds_by_node_by_level_and_all() -> None:
    app = JsonHost(RAW)
    async with app.run_test(size=(60, 30)) as pilot:
        await pilot.press("1")
        assert [row for row in seen(app) if row] == [
            "{  {4}",
            '  "iteration": 7,',
            '  "messages": […],  ▸ [2]',
            '  "odd key": {…},  ▸ {1}',
            '  "hint": null',
            "}",
        ]
        await pilot.press("2")
        assert seen(app)[3:5] == ["    {…},  ▸ {2}", "    {…}  ▸ {2}"]
        await pilot.press("0")
        assert '      "content": "hello"' in seen(app)
        await pilot.press("minus")
        assert '      "content": "hello"' not in seen(app)
        await pilot.press("plus")
        assert "        3" in seen(app)
        await pilot.press("G", "space")
        assert seen(app)[0] == "{…}  ▸ {4}"


async def test_moves_to_siblings_parents_and_into() -> None:
    app = JsonHost(RAW)
    async with app.run_test(size=(60, 30)) as pilot:
        view = app.json
        await pilot.press("j", "J")
        assert view.path == ".messages"
        await pilot.press("J")
        assert view.path == '.["odd key"]'
        await pilot.press("J", "K", "K")
        assert view.path == ".messages"
        await pilot.press("right", "j")
        assert view.path == ".messages[0].role"
        await pilot.press("h")
        assert view.path == ".messages[0]"
        await pilot.press("h")
        assert "    {…},  ▸ {2}" in seen(app)
        await pilot.press("left")
        assert view.path == ".messages"
        await pilot.press("enter")
        assert '  "messages": […],  ▸ [2]' in seen(app)
        await pilot.press("space")
        assert "    {…},  ▸ {2}" in seen(app)


async def test_searches_keys_and_values_with_a_count_and_unfolds_what_it_finds() -> None:
    app = JsonHost(RAW)
    async with app.run_test(size=(60, 30)) as pilot:
        await pilot.press("2", "slash", *"role", "enter")
        assert app.json.path == ".messages[0].role"
        assert seen(app)[-1].startswith("/role  1/2")
        await pilot.press("n")
        assert app.json.path == ".messages[1].role"
        assert seen(app)[-1].startswith("/role  2/2")
        await pilot.press("n", "N")
        assert app.json.path == ".messages[1].role"
        await pilot.press("slash", *"nowhere", "enter")
        assert "not found" in seen(app)[-1]
        await pilot.press("slash", "escape", "j")
        assert not app.json.query_one(SearchBar).display and app.focused is app.json


async def test_a_long_string_wraps_is_cut_and_opens_in_the_reader() -> None:
    said = " ".join(f"word{i}" for i in range(2000))
    app = JsonHost(json.dumps({"text": said + "\nlast line"}).encode())
    async with app.run_test(size=(60, 30)) as pilot:
        rows = seen(app)
        assert len([row for row in rows if "word" in row]) == 6
        assert "bytes; enter reads them" in rows[7]
        await pilot.press("w")
        assert len([row for row in seen(app) if "word" in row]) == 1 and seen(app)[1].endswith("…")
        await pilot.press("j", "enter")
        assert isinstance(app.screen, Reader)
        assert seen(app)[0].startswith(".text")
        assert seen(app)[1].startswith("word0 word1")
        await pilot.press("G")
        assert seen(app)[-1] == "last line"
        await pilot.press("slash", *"word1999", "enter")
        assert seen(app)[-1].startswith("/word1999  1/1")
        await pilot.press("q")
        assert not isinstance(app.screen, Reader)


async def test_text_that_is_no_json_is_shown_with_the_place_marked() -> None:
    broken = json.dumps(VALUE, indent=2).encode()[:70]
    app = JsonHost(broken)
    async with app.run_test(size=(60, 30)) as pilot:
        assert '  "iteration": 7,' in seen(app)
        assert any(row.lstrip().startswith("✗ not JSON from here on · byte 70") for row in seen(app))
        await pilot.press("f")
        assert app.json.path == ""


async def test_the_words_of_a_parser_stand_at_its_place() -> None:
    raw = b'{"a": 1,\n "b": "\\ud800"}'
    app = JsonHost(raw, (17, "lone leading surrogate in hex escape at line 2 column 14"))
    async with app.run_test(size=(70, 30)):
        rows = seen(app)
        assert rows[2] == '  "b": "\\ud800"'
        assert rows[3].strip().startswith("✗ lone leading surrogate")


BROKEN = {
    "empty": b"",
    "blank": b" \n",
    "nul": b"\x00" * 5000,
    "utf16": b"\xff\xfe{\x00",
    "bom": b"\xef\xbb\xbf{}",
    "deep": b"[" * 3000,
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
async def test_any_bytes_are_shown(raw: bytes) -> None:
    app = JsonHost(raw)
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("f")
        assert any("✗" in row for row in seen(app))
        await pilot.press("G", "g", "j", "h", "enter", "escape", "J", "K", "2", "0", "w", "pagedown", "pageup")
        assert not raw_characters(app)


async def test_hostile_text_never_acts() -> None:
    hostile = json.dumps({HOSTILE: HOSTILE}, ensure_ascii=False).encode("utf-8", "surrogatepass")
    for raw in (hostile, hostile.replace(b"\\u001b", b"\x1b").replace(b"\\u0000", b"\x00"), hostile[:-30]):
        app = JsonHost(raw)
        async with app.run_test(size=(80, 30)) as pilot:
            assert not raw_characters(app)
            assert any("[/b] [bold]" in row for row in seen(app))
            await pilot.press("j", "enter")
            await pilot.pause()
            assert not raw_characters(app)


async def test_escapes_of_the_file_stay_what_they_are() -> None:
    app = JsonHost(rb'{"a": "tab\tnew\nuni\u202e back\\slash"}')
    async with app.run_test(size=(80, 10)):
        assert seen(app)[1] == r'  "a": "tab\tnew\nuni\u202e back\\slash"'


async def test_a_large_file_shows_its_beginning_at_once_and_its_end_when_it_is_known() -> None:
    messages = [{"role": "user", "content": f"message {i}"} for i in range(60_000)]
    raw = json.dumps({"messages": messages, "z": 1}).encode()
    app = JsonHost(raw)
    async with app.run_test(size=(60, 20)) as pilot:
        assert seen(app)[3] == '      "role": "user",'
        assert app.json.count() < 240_000
        await pilot.press("slash", *"message 59999", "enter")
        await app.json.workers.wait_for_complete()
        await pilot.pause()
        assert app.json.path == ".messages[59999].content"
        await pilot.press("G", "k")
        assert app.json.path == ".z"
        assert seen(app)[-2] == "}"
        await pilot.press("g")
        assert seen(app)[1] == '  "messages": [  [60,000]'
        await pilot.press("j", "h", "j")
        assert app.json.path == ".z"


async def test_the_beginning_of_a_file_and_then_the_whole() -> None:
    raw = json.dumps({"a": list(range(5000)), "b": 2}).encode()
    app = JsonHost(b"null")
    async with app.run_test(size=(60, 20)) as pilot:
        app.json.show(raw[:2000], whole=False)
        await pilot.press("j", "j", "j")
        assert app.json.path == ".a[1]"
        app.json.extend(raw)
        await app.json.workers.wait_for_complete()
        assert app.json.path == ".a[1]"
        await pilot.press("G", "k")
        assert app.json.path == ".b"


async def test_the_reader_shows_a_text_of_one_endless_line() -> None:
    app = Host(TextView("x" * 100_000 + "END"))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("G")
        assert any("END" in row for row in seen(app))
        await pilot.press(*["pageup"] * 3, "home")
        assert set(seen(app)[0]) == {"x"}


async def test_every_file_of_the_corpus_is_shown_harmlessly() -> None:
    app = JsonHost(b"null")
    async with app.run_test(size=(80, 30)) as pilot:
        for name in sorted(os.listdir(CORPUS)):
            app.json.show((CORPUS / name).read_bytes()[:200_000])
            app.json.action_problem()
            await pilot.pause()
            assert not raw_characters(app), name
            assert any(seen(app)), name


async def test_a_mapped_file_is_shown_like_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "cp.json"
    file.write_bytes(RAW + b" tail")
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        app = JsonHost(RAW + b" tail")
        async with app.run_test(size=(60, 30)) as pilot:
            before = seen(app)
            app.json.show(mapped)
            await pilot.pause()
            assert seen(app) == before
            await pilot.press("slash", *"assistant", "enter")
            assert app.json.path == ".messages[1].role"
            app.json.show(b"null")
