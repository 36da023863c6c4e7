"""Who does an action, and from where: what the audit keeps of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """The person and the place behind a process."""

    user: str
    """The user's name; under sudo, who called it: `root (sudo: alice)`."""
    host: str
    ssh_from: str | None
    """The address of the SSH client, or None."""
    pid: int
    version: str


def here() -> Origin:
    """The origin of this process."""
    from .. import __version__

    user = _name(os.geteuid())
    caller = os.environ.get("SUDO_USER")
    if caller and caller != user:
        user = f"{user} (sudo: {caller})"
    return Origin(user, os.uname().nodename, _ssh_client(), os.getpid(), __version__)


def _name(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _ssh_client() -> str | None:
    found = _client(os.environ)
    if found is None and "SUDO_USER" in os.environ:
        # sudo drops the variables of SSH; the processes above it still have them.
        found = next((client for env in _environments_above() if (client := _client(env))), None)
    return found


def _client(environment: Mapping[str, str]) -> str | None:
    for name in ("SSH_CONNECTION", "SSH_CLIENT"):
        if words := environment.get(name, "").split():
            return words[0]
    return None


def _environments_above() -> list[dict[str, str]]:
    """The environments of this process's ancestors, nearest first, as far as they may be read (Linux)."""
    found = []
    pid = os.getppid()
    while pid > 1:
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                pairs = os.fsdecode(file.read()).split("\0")
            with open(f"/proc/{pid}/stat", "rb") as file:
                pid = int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            break
        found.append(dict(pair.split("=", 1) for pair in pairs if "=" in pair))
    return found
