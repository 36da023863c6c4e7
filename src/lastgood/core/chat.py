"""A checkpoint's messages as a conversation: who said what, which tool was called, what it answered.

Host programs write messages as they like. Read here: plain strings, content parts (`text`, `thinking`, `image`, …),
tool calls beside the content (`tool_calls`, answered by messages of the role `tool`) or within it (`tool_use`,
answered by `tool_result`). Whatever has another shape is given as JSON: nothing is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Said:
    """Text, as markdown as its writer meant it."""

    text: str
    kind: str = "text"
    """`text`, `thinking`, or `json` for what has no shape known here."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call and what became of it."""

    id: str
    name: str
    arguments: str
    """In one line: the only argument's text, or JSON."""
    result: str | None
    """None where none is recorded."""
    pending: bool
    """Issued and not answered when the checkpoint was taken: the runtime may run it again."""


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a call that is nowhere to be seen."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One message with the answers to its calls."""

    role: str
    place: str
    """Its jq path."""
    parts: tuple[Said | Call | Result, ...]


def conversation(value: dict[str, Any]) -> list[Turn]:
    """The turns of a checkpoint's `messages`, then what is pending and was not among them."""
    messages = value.get("messages")
    pending = _pending(value.get("tool_calls_pending"))
    if not isinstance(messages, list):
        shown = [] if messages is None else [Turn("unreadable", ".messages", (Said(_json(messages), "json"),))]
        return [*shown, *_never_called(pending)]
    results = _results(value.get("tool_results"), messages)
    called: set[str] = set()
    turns = []
    for i, message in enumerate(messages):
        parts = tuple(_parts(message, results, pending, called))
        role = message.get("role") if isinstance(message, dict) else None
        # A message that only answers calls shown above is told there.
        if parts or not _answers(message):
            turns.append(Turn(role if isinstance(role, str) else "unknown", f".messages[{i}]", parts))
    return turns + _never_called({k: v for k, v in pending.items() if k not in called})


def in_a_line(turn: Turn) -> str:
    """`assistant: two tests fail → run_tests {"path": "tests"}`: who spoke and what was said, without a line's end."""
    told = []
    for part in turn.parts:
        if isinstance(part, Call):
            told.append(f"→ {part.name} {part.arguments}")
        else:
            told.append(part.text)
    return f"{turn.role}: {' '.join(' '.join(told).split())}"


def _pending(listed: object) -> dict[str, Call]:
    if not isinstance(listed, list):
        return {}
    found = {}
    for i, call in enumerate(listed):
        if isinstance(call, dict):
            call_id, name, arguments = _asked(call)
            found[call_id or f"#{i}"] = Call(call_id, name, arguments, None, True)
        else:
            found[f"#{i}"] = Call("", call if isinstance(call, str) else "tool call", _json(call), None, True)
    return found


def _never_called(pending: dict[str, Call]) -> list[Turn]:
    return [Turn("pending", ".tool_calls_pending", tuple(pending.values()))] if pending else []


def _results(recorded: object, messages: list[Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    if isinstance(recorded, dict):
        found.update((k, _text(v)) for k, v in recorded.items())
    for message in messages:
        found.update(_answers(message))
    return found


def _answers(message: object) -> list[tuple[str, str]]:
    """The results that a message brings, by the id of their call."""
    if not isinstance(message, dict):
        return []
    content = message.get("content")
    call_id = message.get("tool_call_id")
    if isinstance(call_id, str):
        return [(call_id, _text(content))]
    parts = content if isinstance(content, list) else []
    return [
        (part["tool_use_id"], _text(part.get("content")))
        for part in parts
        if isinstance(part, dict) and part.get("type") == "tool_result" and isinstance(part.get("tool_use_id"), str)
    ]


def _parts(
    message: object, results: dict[str, str], pending: dict[str, Call], called: set[str]
) -> Iterator[Said | Call | Result]:
    if not isinstance(message, dict):
        yield Said(message) if isinstance(message, str) else Said(_json(message), "json")
        return
    answers = _answers(message)
    content = message.get("content")
    if not isinstance(message.get("tool_call_id"), str):
        for part in content if isinstance(content, list) else [content]:
            yield from _content_part(part, results, pending, called)
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        if isinstance(call, dict):
            yield _known_call(call, results, pending, called)
        else:
            yield Said(_json(call), "json")
    for call_id, text in answers:
        if call_id not in called:
            yield Result(call_id, text)
    rest = {k: v for k, v in message.items() if k not in _TOLD and v not in (None, [], {}, "")}
    if rest and content is None and not calls:
        yield Said(_json(rest), "json")


_TOLD = frozenset({"role", "content", "tool_calls", "tool_call_id", "name", "id", "type"})


def _content_part(
    part: object, results: dict[str, str], pending: dict[str, Call], called: set[str]
) -> Iterator[Said | Call]:
    if part is None or part == "":
        return
    if isinstance(part, str):
        yield Said(part)
    elif not isinstance(part, dict):
        yield Said(_json(part), "json")
    elif isinstance(part.get("text"), str):
        yield Said(part["text"])
    elif isinstance(part.get("thinking"), str):
        yield Said(part["thinking"], "thinking")
    elif part.get("type") == "tool_use":
        yield _known_call(part, results, pending, called)
    elif part.get("type") != "tool_result" or not isinstance(part.get("tool_use_id"), str):
        yield Said(_json(part), "json")


def _known_call(call: dict[str, Any], results: dict[str, str], pending: dict[str, Call], called: set[str]) -> Call:
    call_id, name, arguments = _asked(call)
    called.add(call_id)
    result = results.get(call_id)
    return Call(call_id, name, arguments, result, result is None and call_id in pending)


def _asked(call: dict[str, Any]) -> tuple[str, str, str]:
    """A call's id, tool and arguments, in whichever of the usual shapes."""
    function = call.get("function")
    inner = function if isinstance(function, dict) else call
    arguments = next((inner[k] for k in ("arguments", "input", "args", "parameters") if k in inner), None)
    if isinstance(arguments, str):
        with suppress(ValueError, RecursionError):
            arguments = json.loads(arguments)
    if isinstance(arguments, dict) and len(arguments) == 1:
        (only,) = arguments.values()
        arguments = only if isinstance(only, str) else arguments
    name = inner.get("name") or inner.get("tool") or inner.get("tool_name") or function
    call_id = call.get("id") or call.get("tool_call_id") or call.get("call_id")
    said = "" if arguments is None else _text(arguments)
    return call_id if isinstance(call_id, str) else "", name if isinstance(name, str) else "a tool", said


def _text(value: object) -> str:
    """What a result or an argument says: its text where it is text, else JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(p, dict) and isinstance(p.get("text"), str) for p in value):
        return "\n".join(p["text"] for p in value)
    return _json(value)


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "(nested too deeply to be shown here; the JSON tab shows it)"
