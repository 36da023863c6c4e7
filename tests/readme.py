"""The parts of README.md that follow from the code. `python -m tests.readme` writes them anew."""

from __future__ import annotations

import re
from pathlib import Path

from lastgood import themes
from lastgood.config import EXAMPLE
from lastgood.tui.actions import GROUPS, VERBS, Verb, key_name

README = Path(__file__).resolve().parents[1] / "README.md"


def keys() -> str:
    """The table of all keys, with the ids that a configuration remaps."""
    lines = ["| key | does | id |", "|---|---|---|"]
    for group, title in GROUPS.items():
        lines.append(f"| | **{title}** | |")
        told: dict[str, list[Verb]] = {}
        for verb in VERBS:
            if verb.group == group:
                told.setdefault(verb.help + (" *" if verb.writes else ""), []).append(verb)
        for does, verbs in told.items():
            spelled = " ".join(f"`{key_name(key)}`" for verb in verbs for key in verb.keys.split(","))
            names = verbs[0].name if len(verbs) == 1 else f"{verbs[0].name} … {verbs[-1].name}"
            lines.append(f"| {spelled} | {does} | {names} |")
    return "\n".join([*lines, "", "\\* writes, after it has shown what; disabled with `--read-only`."])


def configuration() -> str:
    """The documented sample."""
    return f"```toml\n{EXAMPLE}```"


def theme_names() -> str:
    """All bundled themes."""
    return ", ".join(f"`{name}`" for name in sorted(themes.bundled()))


def layout() -> str:
    """A whole layout, as the tests install it."""
    text = (README.parent / "tests" / "data" / "toy" / "toy_layout.py").read_text(encoding="utf-8")
    return f"```python\n{text}```"


PARTS = {"keys": keys, "configuration": configuration, "themes": theme_names, "layout": layout}


def with_parts(text: str) -> str:
    """`text` with what stands between the marks of each part written anew."""
    for name, made in PARTS.items():
        marked = re.compile(rf"(<!-- {name} -->)(\n?).*?(<!-- /{name} -->)", re.DOTALL)
        assert marked.search(text), f"README.md has no place for {name}"
        text = marked.sub(lambda m, made=made: f"{m[1]}{m[2]}{made()}{m[2]}{m[3]}", text)  # type: ignore[misc]
    return text


if __name__ == "__main__":
    README.write_text(with_parts(README.read_text(encoding="utf-8")), encoding="utf-8")
