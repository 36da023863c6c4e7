"""The parts of README.md that follow from the code. `python -m tests.readme` writes them anew."""

from __future__ import annotations

import re
from pathlib import Path

from textual.binding import Binding
from textual.keys import format_key

from lastgood import themes
from lastgood.config import EXAMPLE
from lastgood.tui.actions import VERBS
from lastgood.tui.rows import MOVES

README = Path(__file__).resolve().parents[1] / "README.md"

GROUPS = {"move": "Moving", "find": "Finding", "look": "Looking", "change": "Changing", "screen": "The screen"}


def keys() -> str:
    """The table of all keys, with the ids that a configuration remaps."""
    rows = [("move", b.key, b.description, b.id or "") for b in MOVES if isinstance(b, Binding)]
    rows += [(v.group, v.keys, v.help + (" *" if v.writes else ""), v.name) for v in VERBS]
    lines = ["| key | does | id |", "|---|---|---|"]
    for group, title in GROUPS.items():
        lines.append(f"| | **{title}** | |")
        for _, pressed, does, name in (row for row in rows if row[0] == group):
            spelled = " ".join(f"`{format_key(key)}`" for key in pressed.split(","))
            lines.append(f"| {spelled} | {does} | {name} |")
    return "\n".join([*lines, "", "\\* writes, after it has shown what; disabled with `--read-only`."])


def configuration() -> str:
    """The documented sample."""
    return f"```toml\n{EXAMPLE}```"


def theme_names() -> str:
    """All bundled themes."""
    return ", ".join(f"`{name}`" for name in sorted(themes.bundled()))


PARTS = {"keys": keys, "configuration": configuration, "themes": theme_names}


def with_parts(text: str) -> str:
    """`text` with what stands between the marks of each part written anew."""
    for name, made in PARTS.items():
        marked = re.compile(rf"(<!-- {name} -->)(\n?).*?(<!-- /{name} -->)", re.DOTALL)
        assert marked.search(text), f"README.md has no place for {name}"
        text = marked.sub(lambda m, made=made: f"{m[1]}{m[2]}{made()}{m[2]}{m[3]}", text)  # type: ignore[misc]
    return text


if __name__ == "__main__":
    README.write_text(with_parts(README.read_text(encoding="utf-8")), encoding="utf-8")
