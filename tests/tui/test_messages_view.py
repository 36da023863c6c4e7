"""A checkpoint's messages, read as a chat."""

from __future__ import annotations

from typing import Any

from looking import HOSTILE, Host, raw_characters, seen

from lastgood.core import chat
from lastgood.tui import markdown
from lastgood.tui.widgets.messages_view import MessagesView

OPENAI = {
    "messages": [
        {"role": "system", "content": "You fix tests."},
        {"role": "user", "content": "# Task\n\n- fix **all** of `x.py`\n\n```sh\nrm -rf build\n```"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "function": {"name": "shell", "arguments": '{"command": "ls"}'}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "a.py\nb.py"},
        {"role": "assistant", "tool_calls": [{"id": "c2", "function": {"name": "shell", "arguments": "{broken"}}]},
    ],
    "tool_calls_pending": [
        {"id": "c2", "name": "shell"},
        {"id": "c9", "name": "mail", "arguments": {"to": "x", "n": 1}},
    ],
}
ANTHROPIC = {
    "messages": [
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "let me see"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "t1", "name": "read", "input": {"path": "a"}},
                {"type": "image", "source": {"media_type": "image/png"}},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [{"text": "found"}]}]},
    ]
}


class ChatHost(Host):
    def __init__(self, value: dict[str, Any]) -> None:
        self.chat = MessagesView()
        super().__init__(self.chat)
        self.value = value

    def on_mount(self) -> None:
        super().on_mount()
        self.chat.show(self.value)


def rows(app: ChatHost) -> list[str]:
    said = (" ".join(row.replace("─", " ").split()) for row in seen(app))
    return [row for row in said if row]


async def test_reads_as_a_chat_with_calls_results_and_what_is_pending() -> None:
    app = ChatHost(OPENAI)
    async with app.run_test(size=(70, 40)):
        assert rows(app) == [
            "§ system .messages[0]",
            "You fix tests.",
            "▶ user .messages[1]",
            "Task",
            "• fix all of x.py",
            "sh",
            "│ rm -rf build",
            "● assistant .messages[2]",
            "⚙ shell ls",
            "→ a.py",
            "b.py",
            "● assistant .messages[4]",
            "⚙ shell {broken",
            "! pending – the runtime may run it again",
            "! pending .tool_calls_pending",
            '⚙ mail {"to": "x", "n": 1}',
            "! pending – the runtime may run it again",
        ]


async def test_reads_content_parts_with_results_paired_by_id() -> None:
    app = ChatHost(ANTHROPIC)
    async with app.run_test(size=(70, 20)):
        assert rows(app) == [
            "● assistant .messages[0]",
            "let me see",
            "I look.",
            "⚙ read a",
            "→ found",
            '{"type": "image", "source": {"media_type": "image/png"}}',
        ]


def test_whatever_messages_are_nothing_is_left_out() -> None:
    odd: list[Any] = [
        "just text",
        7,
        {"role": 3, "content": {"a": 1}},
        {"speaker": "x"},
        {"role": "tool", "tool_call_id": "gone", "content": "late answer"},
        {"role": "user", "content": ["a", None, 3]},
    ]
    turns = chat.conversation({"messages": odd, "tool_calls_pending": ["x", {"tool": "y"}]})
    said = repr(turns)
    for words in ("just text", "7", '{"a": 1}', '"speaker": "x"', "late answer", "'a'", "'3'", "name='y'", "name='x'"):
        assert words in said
    assert chat.conversation({"messages": {"0": "an object"}})[0].parts[0] == chat.Said('{"0": "an object"}', "json")
    assert chat.conversation({}) == []


async def test_long_messages_are_folded_and_unfold() -> None:
    long = "\n".join(f"line {i}" for i in range(40))
    app = ChatHost({"messages": [{"role": "user", "content": long}, {"role": "assistant", "content": "short"}]})
    async with app.run_test(size=(60, 30)) as pilot:
        assert "line 7" in rows(app) and "line 8" not in rows(app)
        assert "… 32 more lines · enter shows them" in rows(app)
        assert rows(app)[-1] == "short"
        await pilot.press("K", "enter", "J", "pageup")
        assert "line 20" in rows(app)
        await pilot.press("minus", "g")
        assert "… 32 more lines · enter shows them" in rows(app)
        await pilot.press("plus", "j", "j", "h")
        assert "line 8" not in rows(app)


async def test_search_unfolds_what_it_finds() -> None:
    long = "\n".join(f"line {i}" for i in range(40))
    app = ChatHost({"messages": [{"role": "user", "content": long}, {"role": "assistant", "content": "Line 33 again"}]})
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("g", "slash", *"line 33", "enter")
        assert seen(app)[-1].startswith("/line 33  1/2")
        assert "line 33" in rows(app)
        await pilot.press("n")
        assert seen(app)[-1].startswith("/line 33  2/2")


async def test_hostile_messages_never_act() -> None:
    value = {
        "messages": [
            {"role": HOSTILE, "content": HOSTILE},
            {"role": "user", "content": [{"type": HOSTILE}, {"text": f"**{HOSTILE}** `{HOSTILE}`\n# {HOSTILE}"}]},
            {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": HOSTILE, "arguments": HOSTILE}}]},
            {"role": "tool", "tool_call_id": "1", "content": HOSTILE},
            {"role": "tool", "tool_call_id": HOSTILE, "content": HOSTILE},
        ],
        "tool_calls_pending": [HOSTILE, {"name": HOSTILE}],
    }
    app = ChatHost(value)
    async with app.run_test(size=(60, 60)) as pilot:
        assert not raw_characters(app)
        await pilot.press("w", "g", "slash", *"bold", "enter")
        assert not raw_characters(app)
        assert any("[/b]" in row for row in seen(app))


async def test_nothing_said_is_said() -> None:
    app = ChatHost({"messages": []})
    async with app.run_test(size=(60, 5)) as pilot:
        await pilot.press("enter", "J", "K", "G", "minus", "plus")
        assert seen(app)[0].strip() == "No messages and no pending tool calls."


def test_markdown_signs_become_looks_and_text_stays() -> None:
    assert markdown.inline("a **b** *c* `d*e*` [t](u) 2*3*4 snake_case_name") == [
        ("a ", ""),
        ("b", "bold"),
        (" ", ""),
        ("c", "italic"),
        (" ", ""),
        ("d*e*", "code"),
        (" ", ""),
        ("t", "bold"),
        (" (u)", ""),
        (" 2*3*4 snake_case_name", ""),
    ]
    looks = [(line.look, line.text) for line in markdown.lines("## H ##\n> q\n~~~\n# no\n~~~\n* x\n---\n")]
    assert looks == [
        ("heading", "H"),
        ("quote", "q"),
        ("fence", ""),
        ("code", "# no"),
        ("fence", ""),
        ("text", "• x"),
        ("fence", ""),
        ("text", ""),
    ]
