"""The structs that the crate keeps beside its checkpoints (FORMAT.md): their fields, each read as serde reads it."""

from __future__ import annotations

from typing import Literal

from .serde import ParseFault, Reader
from .structs import Field, StructReader, flag, i32, optional_text, text, time, unexpected

__all__ = ["ParseFault", "read_struct"]

_STATUSES = ("Running", "Paused", "Completed", "Error")


def read_struct(raw: bytes, name: Literal["Meta", "TaskState"]) -> StructReader:
    """``session_meta.json`` or ``state.json``, read into its struct.

    Raises:
        ParseFault: the crate cannot read it, in its words.
    """
    return StructReader(raw, f"struct {name}", _META if name == "Meta" else _STATE)


def _status(reader: Reader) -> object:
    """A unit variant: its name, or an object of it and null."""
    byte = reader.peek()
    if byte == ord('"'):
        return _known_status(reader)
    if byte != ord("{"):
        raise reader.fault("EOF while parsing a value" if byte < 0 else "expected value", ahead=1)
    reader.at += 1
    if reader.peek() != ord('"'):
        raise unexpected(reader, "variant identifier")
    status = _known_status(reader)
    reader.colon()
    if reader.peek() != ord("n"):
        raise unexpected(reader, "unit")
    reader.literal()
    byte = reader.peek()
    if byte != ord("}"):
        raise reader.fault("EOF while parsing an object" if byte < 0 else "expected value")
    reader.at += 1
    return status


def _known_status(reader: Reader) -> str:
    name = reader.string()
    if name not in _STATUSES:
        raise reader.fault(f"unknown variant `{name}`, expected one of {', '.join(f'`{s}`' for s in _STATUSES)}")
    return name


_META: dict[str, Field] = {
    "session_id": text,
    "is_active": flag,
    "termination_reason": optional_text,
    "last_updated": time,
    "last_iteration": i32,
}
_STATE: dict[str, Field] = {
    "session_id": text,
    "status": _status,
    "completed": flag,
    "iteration": i32,
    "last_updated": time,
    "task_description": optional_text,
}
