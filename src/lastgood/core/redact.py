"""Masks what looks like a key or a token, for eyes and reports; never for a restore.

The rules are few and named, so that a reader can tell what is masked: well-known shapes of credentials wherever they
stand, and any text under a key whose name says that it is a secret.
"""

from __future__ import annotations

import re

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
        r"(?i)\b(?<![\w-])(?:password|passwd|secret|api[_-]?key|access[_-]?token)\s*[=:]\s*[^\s\"',;]{4,}",
    ),
)
"""What is masked, each with its name: it stands in the mask."""

_SECRET_KEY = re.compile(
    r"(?i)(?:^|[_\-.])(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|"
    r"authorization|cookie|credentials?)$"
)
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
    """A copy of a JSON value with its credentials masked; numbers, keys and shape stay."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, list):
        return [redact(v) for v in value]
    if isinstance(value, dict):
        return {k: "[redacted: secret]" if _names_secret(k, v) else redact(v) for k, v in value.items()}
    return value


def _names_secret(key: str, value: object) -> bool:
    return isinstance(value, str) and value != "" and _SECRET_KEY.search(key) is not None
