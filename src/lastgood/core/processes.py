"""One look over this host's processes: which of them have to do with the sessions of a store.

Linux alone, by /proc. A process holds a file of a session open, works in its folder, or names it on its command
line, by path or by the session's id as a whole word. Nothing here fails: what cannot be looked at is counted.
"""

import os
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from .verdict import Sign

_PROC = "/proc"
_COMMAND_LINE_BYTES = 65536
_COMMAND_CHARS = 60
_ARGUMENT_CHARS = 1024
"""A longer argument is a program or a document; a word of it is no word of the command line."""
_WORD_BREAKS = re.compile(r"[\s/=,:;'\"()\[\]{}]+")
_SHORTEST_ID = 8
_INITIAL_PID_NAMESPACE = "pid:[4026531836]"
"""PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h: any other is a container's."""

# fmt: off
_SHELLS = frozenset({"ash", "bash", "csh", "dash", "fish", "ksh", "sh", "tcsh", "zsh"})
_WRAPPERS = frozenset({"doas", "env", "nice", "nohup", "pipx", "script", "sudo", "timeout", "uv", "uvx"})
_ONLOOKERS = frozenset({
    "ag", "awk", "bat", "borg", "bsdtar", "cat", "code", "cp", "cut", "dd", "diff", "du", "egrep", "emacs",
    "eza", "fd", "fgrep", "find", "fzf", "git", "grep", "gzip", "head", "helix", "hexdump", "hx", "inotifywait",
    "jless", "jq", "kak", "less", "ls", "man", "mc", "md5sum", "micro", "more", "mosh-server", "most", "mv",
    "nano", "ncdu", "nnn", "nvim", "od", "ranger", "rclone", "restic", "rg", "rsync", "scp", "screen", "sed",
    "sftp-server", "sha256sum", "sort", "ssh", "sshd", "stat", "strace", "tail", "tar", "tee", "tmux", "vi",
    "view", "vim", "watch", "wc", "xxd", "yazi", "zip", "zstd",
})
"""Programs that look at a session or copy it, by name: no sign that the runtime is alive."""
# fmt: on


class Processes:
    """What one look found.

    Attributes:
        by_folder: by the name of the session's folder: holds, works in, names the path.
        by_word: by each word of a command line that could be a session's id.
        closed_to_us: by user id, how many of that user's processes could not be looked into.
        problem: why processes could not be looked at, or not all of them; None where nothing is known to be hidden.
        mounts: the mount namespace that we are in.
        contained: we run in a process namespace of our own: processes outside it are not there to be seen.
    """

    def __init__(self, *, problem: str | None = None, mounts: str = "", contained: bool = False) -> None:
        self.by_folder: dict[str, list[Sign]] = {}
        self.by_word: dict[str, list[Sign]] = {}
        self.closed_to_us: dict[int, int] = {}
        self.problem = problem
        self.mounts = mounts
        self.contained = contained

    def of(self, session: str) -> tuple[Sign, ...]:
        """The signs of the session with this folder name, one for each process, the strongest."""
        if session not in self.by_folder and session not in self.by_word:
            return ()
        found: dict[int, Sign] = {}
        for sign in (*self.by_folder.get(session, ()), *self.by_word.get(session, ())):
            found.setdefault(sign.pid, sign)
        return tuple(found.values())


def read_kernel_file(path: str, limit: int = 1 << 20) -> bytes:
    """A file of /proc, which the kernel makes up as it is read; empty where it cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    parts: list[bytes] = []
    try:
        while limit > 0 and (part := os.read(fd, limit)):
            parts.append(part)
            limit -= len(part)
    except OSError:
        return b""
    finally:
        os.close(fd)
    return b"".join(parts)


class _Process(NamedTuple):
    pid: int
    arguments: list[str]

    @property
    def program(self) -> str:
        return self.arguments[0].rpartition("/")[2].lstrip("-")

    @property
    def onlooker(self) -> bool:
        if self.program in _SHELLS:
            # A shell with a script is a program of its own; any other is a person's, or its child speaks for itself.
            return len(self.arguments) < 2 or self.arguments[1].startswith("-")
        return self.program in _ONLOOKERS

    @property
    def command(self) -> str:
        line = " ".join(self.arguments)
        return line if len(line) <= _COMMAND_CHARS else f"{line[: _COMMAND_CHARS - 1]}…"


def look(store_path: str) -> Processes:
    """Every process of this host but ourselves, those that started us, and other runs of lastgood."""
    try:
        pids = [int(name) for name in os.listdir(_PROC) if name.isdecimal()]
    except OSError:
        return Processes(problem="this system does not let processes be looked at")
    in_container = _namespace("pid") not in ("", _INITIAL_PID_NAMESPACE)
    seen = Processes(problem=_hidden_by_mount(), mounts=_namespace("mnt"), contained=in_container)
    roots = tuple({f"{path.rstrip('/')}/" for path in (store_path, os.path.realpath(store_path))})
    kin = _ourselves_and_ancestors()
    for pid in pids:
        if pid not in kin:
            _look_at(pid, roots, seen)
    return seen


def _look_at(pid: int, roots: tuple[str, ...], seen: Processes) -> None:
    arguments = _arguments(pid)
    # No command line: a kernel thread, or a zombie; neither holds anything.
    if not arguments or _is_lastgood(pid, arguments):
        return
    process = _Process(pid, arguments)
    cwd = None
    try:
        cwd = os.readlink(f"{_PROC}/{pid}/cwd")
        elsewhere = os.readlink(f"{_PROC}/{pid}/ns/mnt") != seen.mounts
        for target in _open_files(pid):
            _look_at_path(process, "holds", target, roots, elsewhere, seen)
        _look_at_path(process, "works in", cwd, roots, elsewhere, seen)
    except PermissionError:
        _count_closed(pid, seen)
    except OSError:
        return
    for argument in arguments[1:]:
        _look_at_argument(process, argument, cwd, roots, seen)


def _look_at_path(
    process: _Process,
    how: Literal["holds", "works in"],
    path: str,
    roots: tuple[str, ...],
    elsewhere: bool,
    seen: Processes,
) -> None:
    """One path that the process has open or works in. `elsewhere`: it sees other mounts than we do."""
    place = _place(path, roots)
    if place is not None and (place[1] or how == "works in"):
        _note(seen.by_folder, place[0], Sign(process.pid, process.command, how, place[1], process.onlooker))
    elif elsewhere and path.startswith("/"):
        # In a container the store has another path: only the name of the session's folder can tell.
        for word in filter(_could_be_an_id, path.split("/")):
            _note(seen.by_word, word, Sign(process.pid, process.command, how, path, process.onlooker))


def _look_at_argument(
    process: _Process, argument: str, cwd: str | None, roots: tuple[str, ...], seen: Processes
) -> None:
    if "/" in argument:
        value = argument.partition("=")[2] if argument.startswith("-") else argument
        path = os.path.normpath(os.path.join(cwd or "/", value))
        if (place := _place(path, roots)) is not None:
            _note(seen.by_folder, place[0], Sign(process.pid, process.command, "names", "", process.onlooker))
    if len(argument) > _ARGUMENT_CHARS:
        return
    for word in _WORD_BREAKS.split(argument):
        if _could_be_an_id(word):
            _note(seen.by_word, word, Sign(process.pid, process.command, "names", "", process.onlooker))


def _could_be_an_id(word: str) -> bool:
    """Long enough, and mixed enough, not to be an English word or a number by accident."""
    return len(word) >= _SHORTEST_ID and not word.isdecimal() and any(c.isdecimal() for c in word)


def _place(path: str, roots: tuple[str, ...]) -> tuple[str, str] | None:
    """The session's folder and the rest of `path`, where it lies below the store."""
    for root in roots:
        if path.startswith(root):
            session, _, rest = path[len(root) :].partition("/")
            return session, rest
    return None


def _note(where: dict[str, list[Sign]], key: str, sign: Sign) -> None:
    where.setdefault(key, []).append(sign)


def _open_files(pid: int) -> Iterator[str]:
    folder = f"{_PROC}/{pid}/fd"
    for name in os.listdir(folder):
        try:
            yield os.readlink(f"{folder}/{name}")
        except FileNotFoundError:
            continue  # closed since it was listed


def _count_closed(pid: int, seen: Processes) -> None:
    try:
        uid = os.stat(f"{_PROC}/{pid}").st_uid
    except OSError:
        return
    seen.closed_to_us[uid] = seen.closed_to_us.get(uid, 0) + 1


def _arguments(pid: int) -> list[str]:
    raw = read_kernel_file(f"{_PROC}/{pid}/cmdline", _COMMAND_LINE_BYTES)
    return os.fsdecode(raw).rstrip("\0").split("\0") if raw else []


def _is_lastgood(pid: int, arguments: list[str]) -> bool:
    """A run of lastgood, started in whatever way, or a worker process of one."""
    program = arguments[0].rpartition("/")[2]
    script = next((a for a in arguments[1:] if not a.startswith("-")), "")
    if program == "lastgood" or (program.startswith("python") and script.rpartition("/")[2] == "lastgood"):
        return True
    if program in _WRAPPERS and any(a.rpartition("/")[2] == "lastgood" for a in arguments[1:5]):
        return True
    if not any("multiprocessing" in a for a in arguments[1:4]):
        return False
    parent = _parent(pid)
    return parent == os.getpid() or (parent > 1 and _is_lastgood(parent, _arguments(parent)))


def _ourselves_and_ancestors() -> set[int]:
    kin = {os.getpid()}
    pid = os.getppid()
    while pid > 0 and pid not in kin:
        kin.add(pid)
        pid = _parent(pid)
    return kin


def _parent(pid: int) -> int:
    # The second field is the command in brackets, and may itself hold brackets and spaces.
    fields = read_kernel_file(f"{_PROC}/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[1]) if len(fields) > 1 else 0


def _hidden_by_mount() -> str | None:
    """The mount option `hidepid` takes other users' processes out of /proc."""
    for line in read_kernel_file(f"{_PROC}/self/mounts").splitlines():
        fields = line.split()
        if len(fields) > 3 and fields[1] == b"/proc" and re.search(rb"hidepid=(?!0|off)", fields[3]):
            return "this host hides other users' processes" if os.geteuid() != 0 else None
    return None


def _namespace(kind: str) -> str:
    try:
        return os.readlink(f"{_PROC}/self/ns/{kind}")
    except OSError:
        return ""
