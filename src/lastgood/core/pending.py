"""Tool calls that were issued and not answered when a checkpoint was taken: the runtime may run them again."""

from __future__ import annotations

import json
from dataclasses import dataclass

WARNING = "the runtime may run it again"
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class PendingCall:
    """One call. Both texts are as stored: not fit for a terminal before they are cleaned."""

    name: str | None
    """None where the shape is not known."""
    arguments: str
    """A string as it is, anything else as compact JSON; cut at 4,096 characters."""

    def says(self) -> str:
        return self.arguments if self.name is None else f"{self.name} {self.arguments}".rstrip()


def within(value: object, keys: tuple[str, ...]) -> object:
    """What lies in a checkpoint's JSON where these keys lead; None where they lead nowhere."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def pending_calls(value: object) -> tuple[PendingCall, ...]:
    """The calls in ``tool_calls_pending`` of a checkpoint.

    Understood: `{"function": {"name", "arguments"}}`, `{"name", "input"}`, and `name` or `tool` beside
    `arguments`, `args`, `parameters` or `with`. Anything else comes back whole, without a name.
    """
    calls = value.get("tool_calls_pending") if isinstance(value, dict) else None
    return tuple(_call(c) for c in calls) if isinstance(calls, list) else ()


def _call(call: object) -> PendingCall:
    named = call.get("function", call) if isinstance(call, dict) else call
    if isinstance(named, dict):
        name = next((named[k] for k in ("name", "tool", "tool_name") if isinstance(named.get(k), str)), None)
        if name is not None:
            known = ("arguments", "input", "args", "parameters", "with")
            return PendingCall(name, _told(next((named[k] for k in known if k in named), None)))
    elif isinstance(named, str) and isinstance(call, dict):
        known = ("arguments", "input", "args", "parameters", "with")
        return PendingCall(named, _told(next((call[k] for k in known if k in call), None)))
    return PendingCall(None, _told(call))


def _told(arguments: object) -> str:
    """The arguments in one text. A single string among them says more without its key: `rm -rf build`."""
    if isinstance(arguments, str):
        text = arguments
        try:
            arguments = json.loads(text)
        except (ValueError, RecursionError):
            return _cut(text)
        if not isinstance(arguments, dict):
            return _cut(text)
    if arguments is None or arguments == {}:
        return ""
    if isinstance(arguments, dict) and len(arguments) == 1:
        (only,) = arguments.values()
        if isinstance(only, str):
            return _cut(json.dumps(only, ensure_ascii=False))
    try:
        return _cut(json.dumps(arguments, ensure_ascii=False, separators=(",", ":")))
    except (TypeError, ValueError, RecursionError):
        return "(arguments that cannot be shown)"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
