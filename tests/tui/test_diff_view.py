"""The difference between two points, as it is read."""

from __future__ import annotations

from typing import Any

from looking import HOSTILE, Host, raw_characters, seen

from lastgood.core.diff import diff
from lastgood.tui.widgets.diff_view import DiffView
from lastgood.tui.widgets.reader import Reader

OLD: dict[str, Any] = {"tokens_used": 1000, "hint": "a" * 200, "messages": [{"role": "user", "content": "hi"}]}
NEW: dict[str, Any] = {
    "tokens_used": 2204,
    "hint": "b" * 200,
    "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello\nthere"}],
    "extra": {"a": [1]},
}


class DiffHost(Host):
    def __init__(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        self.diff = DiffView()
        super().__init__(self.diff)
        self.old, self.new = old, new

    def on_mount(self) -> None:
        super().on_mount()
        self.diff.show(diff(self.old, self.new), "cp_old.json", "cp_new.json")


async def test_summary_on_top_then_each_change_old_and_new() -> None:
    app = DiffHost(OLD, NEW)
    async with app.run_test(size=(60, 30)) as pilot:
        rows = seen(app)
        assert rows[0] == "1 message added, tokens_used +1,204, 2 other fields changed"
        assert rows[1:3] == ["- from cp_old.json", "+ to   cp_new.json"]
        assert "+ .extra  added" in rows and '    + {"a": [1]}' in rows
        assert "+ .messages[1]  added  assistant: hello there" in rows
        assert "~ .tokens_used  1000 → 2204  (+1,204)" in rows
        assert any(row.startswith('    - "aaa') for row in rows) and any(row.startswith('    + "bbb') for row in rows)
        await pilot.press("j", "j")
        assert app.diff.path == ".hint"
        await pilot.press("enter")
        assert isinstance(app.screen, Reader)
        assert seen(app)[0].startswith(".hint") and "a" * 59 in seen(app)
        await pilot.press("escape", "slash", *"tokens", "enter")
        assert app.diff.path == ".tokens_used"


async def test_no_difference_is_said() -> None:
    app = DiffHost(OLD, OLD)
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.press("enter", "G", "n")
        assert seen(app)[0] == "no difference"


async def test_hostile_values_never_act() -> None:
    app = DiffHost({HOSTILE: HOSTILE}, {HOSTILE: [HOSTILE], "messages": [{"role": HOSTILE, "content": HOSTILE}]})
    async with app.run_test(size=(60, 40)) as pilot:
        assert not raw_characters(app)
        await pilot.press("G", "enter")
        assert not raw_characters(app)
