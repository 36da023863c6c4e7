"""Text that attacks who looks at it, a store with it in every field, and what of it may reach a terminal: nothing."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from pathlib import Path

import stores
from stores import NS, START

SEQUENCES = {
    "title": "\x1b]0;OWNED\x07",
    "link": "\x1b]8;;http://evil.example\x1b\\x\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;T1dORUQ=\x07",
    "dcs": "\x1bP$q31337\x1b\\",
    "apc": "\x1b_31337\x1b\\",
    "pm-sos": "\x1b^31337\x1b\\\x1bX31337\x1b\\",
    "csi": "\x1b[31337m\x1b[2J\x1b[31337;1H",
    "c1": "\x9b31337m\x9d0;OWNED\x9c\x90q\x9c\x85",
    "c0": "\x00\x07\x08\x0b\x0c\x0e\r\n\t\x7f",
    "markup": "[@click=app.quit]x[/] [/x] [bold red]y $text [link=http://evil.example]z[/link]",
    "bidi": "\u202egnp.exe\u2066a\u2069\u200f\u061c",
    "tags": "\U000e0001\U000e0041\U000e007f",
    "invisible": "a\u200bb\u2060c\ufeffd\u00ade\u034ff\u3164g\u2800h\ufe0f\U000e0100",
    "annotation": "\ufff9a\ufffab\ufffb\u2028\u2029",
    "unassigned": "\ue000\U0010ffff\ufdd0\u0378\U000f0000",
    "shell": "$(touch /tmp/OWNED);`id`'\"\\x1b]0;OWNED\\a",
}
"""Each fits a file name but for the slash and the NUL."""

_FORBIDDEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})
_UNSEEN = frozenset("\u034f\u3164\u2800\ufe0f\U000e0100")
_OURS = re.compile(rb"\x1b\[[?>=<]?[0-9;:]*\$?[A-Za-z]|\x1b[=>78M]|\x1b\(B")


def acting(raw: bytes) -> list[str]:
    """What in a terminal's input acts on it and is no plain CSI of a screen's own, or cannot be seen."""
    raw = raw.replace(b"\x1b]22;default\x07", b"")  # Textual's own: the shape of the mouse pointer
    found = [f"{m[0]!r}" for m in re.finditer(rb"\x1b\[[^A-Za-z]*31337.|OWNED\x07|\x1b[\]PX^_].{,30}", raw, re.DOTALL)]
    text = _OURS.sub(b"", raw).decode("utf-8", "surrogateescape")
    for char in sorted(set(text) - set("\r\n\x08\x0f")):
        if unicodedata.category(char) in _FORBIDDEN or char in _UNSEEN:
            at = text.index(char)
            found.append(f"{char!r} in {text[max(0, at - 30) : at + 30]!r}")
    return found


def file_name(text: str) -> str:
    return text.replace("/", "%").replace("\0", "")


def add_session(store: str, text: str, number: int, *, times: int = 1) -> str:
    """A session whose every name, key and value holds `text`, one of them so many times; gives its folder's name."""
    name = file_name(f"s{number}{text}")
    folder = os.path.join(store, name)
    contents = [
        {
            **stores.checkpoint(name, i, id=file_name(f"{text}{i}"), at=START - 9000 * NS),
            "trigger": text,
            "resume_hint": text,
            "messages": [
                {"role": text, "content": text},
                {"role": "user", "content": [{"type": text, "text": text}, {text: text}]},
                {
                    "role": "assistant",
                    "content": f"# {text}\n```{text}\n{text}\n```\n* **{text}**",
                    "tool_calls": [{"id": text, "function": {"name": text, "arguments": json.dumps({text: text})}}],
                },
                {"role": "tool", "tool_call_id": text, "content": text * i * times},
            ],
            "tool_calls_pending": [{"id": text, "name": text, "input": {text: text}}],
            "tool_results": {text: [text, {text: text}]},
            text: {text: text},
        }
        for i in (1, 2)
    ]
    meta = stores.meta_bytes(text, iteration=2, at=START - 9000 * NS, **{text or "x": text})
    stores.write_session(store, name, checkpoints=contents, meta=meta, start=START - 9000 * NS)
    state = {
        "session_id": text,
        "status": "Running",
        "completed": False,
        "iteration": 1,
        "last_updated": stores.rfc3339(START),
        "task_description": text,
    }
    stores.put(os.path.join(folder, "state.json"), json.dumps(state).encode(), at=START - 9000 * NS)
    points = os.path.join(folder, "checkpoints")
    stores.put(os.path.join(points, file_name(f"cp_{text}.json")), b'{"' + text.encode() + b'": ', at=START - 9100 * NS)
    changed = stores.seal(contents[0]).replace(b'"iteration": 1', b'"iteration": 9')
    stores.put(os.path.join(points, file_name(f"{text}.backup")), changed, at=START - 9200 * NS)
    lone = b'{"_checksum": "\\ud800", "_version": "' + text.encode().hex().encode() + b'", "x": "\\udc00"}'
    stores.put(os.path.join(points, file_name(f".tmp_checkpoint_{text}")), lone, at=START - 9200 * NS)
    link = os.path.join(points, file_name(f"cp_link{text}.json"))
    os.symlink(f"/nowhere/{file_name(text)}", link)
    os.utime(link, ns=(START - 9200 * NS,) * 2, follow_symlinks=False)
    return name


def add_names_that_are_no_text(store: str) -> None:
    """Folder and file names in raw bytes: C1, and what is no UTF-8."""
    folder = os.fsencode(store) + b"/\x9b31337m\xff\x1b]0;OWNED\x07"
    os.makedirs(folder + b"/checkpoints")
    Path(os.fsdecode(folder), "session_meta.json").write_bytes(b'{"session_id": "\x1b]0;OWNED\x07", "\xff": ')
    Path(os.fsdecode(folder + b"/checkpoints/cp_\x9d0;OWNED\x9c.json")).write_bytes(b'{"\x9b31337m": "\xff')
