"""Masks what looks like a key or a token, for eyes and reports; never for a restore.

The rules are few and named, so that a reader can tell what is masked: well-known shapes of credentials wherever they
stand, and any text under a key whose name says that it is a secret.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .diff import Change, Diff

RULES: tuple[tuple[str, str], ...] = (
    ("private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    ("AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("GitHub token", r"\b(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{22,})"),
    ("Anthropic or OpenAI key", r"\bsk-[0-9A-Za-z_-]{20,}"),
    ("Slack token", r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}"),
    ("Google API key", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("Stripe key", r"\b[rs]k_(?:live|test)_[0-9A-Za-z]{16,}"),
    ("GitLab token", r"\bglpat-[0-9A-Za-z_-]{20,}"),
    ("npm or PyPI token", r"\b(?:npm_[0-9A-Za-z]{36}|pypi-[0-9A-Za-z_-]{40,})"),
    ("JSON web token", r"\beyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]*"),
    ("authorization header", r"(?i)(?<=bearer )[0-9A-Za-z._~+/=-]{16,}"),
    ("password in a URL", r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),
    (
        "password given to a name",
        r"(?i)(?<![\w-])[\w-]{0,40}?(?:password|passwd|secret|api[_-]?key|access[_-]?key|access[_-]?token|auth[_-]?token)"
        r"[\w-]{0,20}[\"']?\s*[=:]\s*[\"']?[^\s\"',;]{4,}",
    ),
    (
        "password given as an option",
        r"(?i)(?<![\w-])--(?:[\w-]{0,20}-)?(?:password|passwd|secret|token|api-?key)[= ]\s*(?!-)[^\s\"']{4,}",
    ),
)
"""What is masked, each with its name: it stands in the mask."""

SECRET = "[redacted: secret]"
"""What stands for a text whose key says that it is a secret."""
_SECRET_KEY = re.compile(
    r"(?:^|[_\-.]|(?<=[a-z0-9])(?=[A-Z]))(?i:passwords?|passwd|passphrase|secrets?|token|api[_-]?keys?|access[_-]?keys?|"
    r"private[_-]?keys?|authorization|cookies?|credentials?)$"
)
_KEYS_OF_PATH = re.compile(r'[^.\[\]"]+')
_ANY = re.compile(
    "|".join(
        f"(?P<r{i}>{_scoped})"
        for i, _scoped in enumerate(
            # A flag may stand only at the start of a whole pattern: inside the alternation it is scoped instead.
            re.sub(r"^\(\?i\)(.*)$", r"(?i:\1)", rule, flags=re.DOTALL)
            for _, rule in RULES
        )
    ),
    re.DOTALL,
)


def redact_text(text: str) -> str:
    """`text` with every credential replaced by `[redacted: what it looked like]`."""
    return _ANY.sub(lambda m: f"[redacted: {RULES[int((m.lastgroup or 'r0')[1:])][0]}]", text)


def redact(value: object) -> object:
    """A copy of a JSON value with its credentials masked, those in keys too; numbers and shape stay."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, list):
        return [redact(v) for v in value]
    if not isinstance(value, dict):
        return value
    copy: dict[str, object] = {}
    for key, held in value.items():
        shown = redact_text(key)
        while shown in copy:  # two keys that are credentials stay two
            shown += "'"
        copy[shown] = _hidden(held) if names_secret(key) else redact(held)
    return copy


def redacted(value: dict[str, object]) -> dict[str, object]:
    """:func:`redact` of a checkpoint's object."""
    copy = redact(value)
    assert isinstance(copy, dict)
    return copy


def redact_diff(found: Diff) -> Diff:
    """The difference with the credentials in its values and paths masked."""
    return replace(found, changes=tuple(map(_redact_change, found.changes)))


def _redact_change(change: Change) -> Change:
    masks = _hidden if any(names_secret(key) for key in _KEYS_OF_PATH.findall(change.path)) else redact
    return replace(change, path=redact_text(change.path), old=masks(change.old), new=masks(change.new))


def names_secret(key: str) -> bool:
    """Whether a key says that what it holds is a secret: `api_key`, `accessToken`, `db.password`."""
    return _SECRET_KEY.search(key) is not None


def _hidden(value: object) -> object:
    """Every text of a secret masked, however deep."""
    if isinstance(value, str):
        return SECRET if value else value
    if isinstance(value, list):
        return [_hidden(v) for v in value]
    if isinstance(value, dict):
        return {key: _hidden(held) for key, held in value.items()}
    return value
