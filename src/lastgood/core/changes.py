"""The changes of an action on disk: made, finished, or taken back. All of them go through a held :class:`Tree`.

Each change has up to three names: its path, a temp name beside it, and a kept name in the action's folder. All are
staged and kept before the first swap; while that lasts the action's folder is called ``.new_<id>``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress

from . import durable
from .model import CopyOf, LinkTo, Plan, Stamp, Step
from .records import Change, FolderBefore, Intent, action_folder, kept_path, temp_path
from .tree import NOTHING, Image, Tree, agrees, is_still


class Changed(Exception):
    """A path that somebody else wrote to since it was looked at; str() is the path, relative to the store."""


class NotKept(Exception):
    """What a path was cannot be put back; str() says what is where."""


# --- what will be done ---------------------------------------------------------------------------------------------


def described(tree: Tree, action: str, plan: Plan) -> tuple[Change, ...]:
    """Each step of the plan with all that its path is and will be.

    Raises:
        Changed: a path, or one that the plan read, is no longer what it was.
    """
    for path, before in plan.reads:
        if tree.stamp(tree.relative(path)) != before:
            raise Changed(tree.relative(path))
    return tuple(_described(tree, action, number, step) for number, step in enumerate(plan.steps))


def _described(tree: Tree, action: str, number: int, step: Step) -> Change:
    path = tree.relative(step.path)
    before = tree.image(path)
    if tree.stamp(path) != step.before or before.type in ("folder", "other"):
        raise Changed(path)
    return Change(
        op=step.op,
        path=path,
        detail=step.detail,
        temp=temp_path(path, action, number),
        before=before,
        after=_wanted(tree, path, step, before),
        kept=None if before.type == "absent" else kept_path(action, number),
    )


def _wanted(tree: Tree, path: str, step: Step, before: Image) -> Image:
    uid, gid = step.owner or (before.uid, before.gid)
    if uid is None and os.geteuid() == 0:
        folder = os.fstat(tree.place(path)[0])
        uid, gid = folder.st_uid, folder.st_gid
    if step.content is None:
        return NOTHING
    if isinstance(step.content, LinkTo):
        return Image("symlink", uid=uid, gid=gid, mtime_ns=step.mtime_ns, target=step.content.target)
    if isinstance(step.content, CopyOf):
        sha256, size = step.content.sha256, step.content.size
    else:
        sha256, size = hashlib.sha256(step.content).hexdigest(), len(step.content)
    mode = step.mode if step.mode is not None else before.mode if before.mode is not None else 0o600
    xattrs = before.xattrs if step.xattrs is None else step.xattrs
    # Never a set-uid bit: root may be undoing what a journal says that another user could have written.
    return Image("file", sha256, size, mode & 0o777, uid, gid, step.mtime_ns, None, xattrs)


def folders_of(tree: Tree, changes: tuple[Change, ...]) -> tuple[FolderBefore, ...]:
    """The folders that these changes are made in, as they are."""
    paths = sorted({c.path.rpartition("/")[0] for c in changes})
    return tuple(FolderBefore(p, os.fstat(tree.folder(p)).st_mtime_ns, _names(tree, p)) for p in paths)


def _names(tree: Tree, folder: str) -> str:
    names = sorted(os.fsencode(name) for name in os.listdir(tree.folder(folder)))
    return hashlib.sha256(b"".join(name + b"\0" for name in names)).hexdigest()


# --- doing it ------------------------------------------------------------------------------------------------------


def keep(tree: Tree, intent: Intent) -> None:
    """Keep what will be replaced, in a new folder that is not yet the action's."""
    new = _new_folder(intent.id)
    make_folder(tree, new)
    for number, change in enumerate(intent.changes):
        if change.kept is not None:
            folder, name = tree.place(change.path)
            durable.keep(folder, name, tree.folder(new), str(number), change.before)
    durable.sync_folder(tree.folder(new))


def make_folder(tree: Tree, relative: str) -> None:
    """A folder of the journal, private, where there is none yet."""
    parent, name = tree.place(relative)
    try:
        os.mkdir(name, 0o700, dir_fd=parent)
    except FileExistsError:
        return
    durable.adopt(tree.folder(relative), parent)
    durable.sync_folder(parent)


def stage(tree: Tree, intent: Intent, plan: Plan) -> None:
    """Write all new content beside its place; then the action's folder gets its name: from here on there are swaps."""
    for step, change in zip(plan.steps, intent.changes, strict=True):
        folder, temp = tree.place(change.temp)
        if isinstance(step.content, LinkTo):
            durable.stage_link(folder, temp, change.after)
        elif step.content is not None:
            durable.stage_file(folder, temp, _content(tree, step.content), change.after)
    for before in intent.folders:
        durable.sync_folder(tree.folder(before.path))
    actions, name = tree.place(action_folder(intent.id))
    tree.forget(_new_folder(intent.id))
    os.rename(f".new_{intent.id}", name, src_dir_fd=actions, dst_dir_fd=actions)
    durable.sync_folder(actions)


def _content(tree: Tree, content: bytes | CopyOf) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
    else:
        yield from durable.chunks_of(*tree.place(tree.relative(content.path)))


def swap(tree: Tree, change: Change, before: Stamp) -> None:
    """Put the staged content in its place, and look at what came out: if it is not what was there, put it back.

    Raises:
        Changed: somebody wrote to the path meanwhile; it holds what they wrote.
    """
    folder, name = tree.place(change.path)
    temp = tree.place(change.temp)[1]
    if tree.stamp(change.path) != before:
        raise Changed(change.path)
    if change.before.type == "absent":
        try:
            durable.publish(folder, temp, folder, name)
        except FileExistsError:
            raise Changed(change.path) from None
    elif change.after.type == "absent":
        os.rename(name, temp, src_dir_fd=folder, dst_dir_fd=folder)
        if tree.stamp(change.temp) != before:
            durable.publish(folder, temp, folder, name)
            raise Changed(change.path)
        durable.discard(folder, temp)
    elif durable.exchange(folder, temp, folder, name):
        if tree.stamp(change.temp) != before:
            durable.exchange(folder, temp, folder, name)
            raise Changed(change.path)
        durable.discard(folder, temp)
    else:
        os.rename(temp, name, src_dir_fd=folder, dst_dir_fd=folder)


def seal(tree: Tree, intent: Intent) -> None:
    """Make all swaps durable, and give the folders the times that they are to have."""
    for path, mtime_ns in intent.set_times:
        _set_time(tree, path, mtime_ns)
    for before in intent.folders:
        durable.sync_folder(tree.folder(before.path))


def _set_time(tree: Tree, folder: str, mtime_ns: int) -> None:
    fd = tree.folder(folder)
    # Only the owner may set a time: to another user who may write here the folder's time is no loss.
    with suppress(PermissionError):
        os.utime(fd, ns=(os.fstat(fd).st_atime_ns, mtime_ns))


def images(tree: Tree, intent: Intent) -> dict[str, Image]:
    """What each path is, read back.

    Raises:
        Changed: one is not what it was to become, or what was kept of one was written to at the last moment.
    """
    found = {change.path: tree.image(change.path) for change in intent.changes}
    for change in intent.changes:
        if not agrees(found[change.path], change.after):
            raise Changed(change.path)
        if change.kept is not None and not is_still(tree.image(change.kept), change.before):
            raise Changed(change.path)
    return found


def times(tree: Tree, intent: Intent) -> dict[str, int]:
    """The modification times of the folders as they are; a folder that is gone has none."""
    there = [before.path for before in intent.folders if tree.has_folder(before.path)]
    return {path: os.fstat(tree.folder(path)).st_mtime_ns for path in there}


# --- after a failure, or a crash -----------------------------------------------------------------------------------


def is_complete(tree: Tree, intent: Intent) -> bool:
    """Whether the last swap had been made.

    It had if no path is what it was before, at least one is what it was to become (the others were written to since),
    and no foreign file waits to be put back.
    """
    if tree.has_folder(_new_folder(intent.id)):
        return False
    made = False
    for change in intent.changes:
        seen = tree.image(change.path)
        if is_still(seen, change.before) or _is_foreign(tree.image(change.temp), change):
            return False
        made = made or agrees(seen, change.after)
    return made


def finish(tree: Tree, intent: Intent) -> tuple[dict[str, Image], list[str]]:
    """Clear away what the action left when it was cut off after its last swap.

    Gives what each path was left as by it, and a sentence for each that was written to since.
    """
    for change in intent.changes:
        _discard_temp(tree, change)
    found = {change.path: tree.image(change.path) for change in intent.changes}
    written = [change for change in intent.changes if not agrees(found[change.path], change.after)]
    if not written:
        seal(tree, intent)
    found |= {change.path: change.after for change in written}
    return found, [f"{tree.path}/{change.path} was written to since: left as it is" for change in written]


def roll_back(tree: Tree, intent: Intent) -> list[str]:
    """Make every path what it was; names those that somebody wrote to since, which stay as they are.

    Raises:
        OSError, NotKept: not all could be put back; the others have been, and it can be tried again.
    """
    if tree.has_folder(_new_folder(intent.id)):
        for change in intent.changes:  # no swap had been made
            _discard_temp(tree, change)
        _times_back(tree, intent)
        return []
    left: list[str] = []
    failed: Exception | None = None
    for change in reversed(intent.changes):
        try:
            left += _take_back(tree, change)
        except (OSError, NotKept) as error:
            failed = failed or error
    if failed is not None:
        raise failed
    _times_back(tree, intent)
    return left


def _take_back(tree: Tree, change: Change) -> list[str]:
    said = f"{tree.path}/{change.path} was written to meanwhile"
    if not tree.has_folder(change.path.rpartition("/")[0]):
        kept = f"; what it was is kept as {tree.path}/{change.kept}" if change.kept else ""
        return [f"the folder of {tree.path}/{change.path} is gone, or a symlink by now{kept}"]
    folder, name = tree.place(change.path)
    temp = tree.place(change.temp)[1]
    seen, waiting = tree.image(change.path), tree.image(change.temp)
    if _is_foreign(waiting, change):
        if not agrees(seen, change.after):
            return [f"{said}: left as it is; {tree.path}/{change.temp} holds what was written to it before that"]
        # Theirs was swapped out at the last moment: it goes back.
        if change.after.type == "absent":
            durable.publish(folder, temp, folder, name)
        elif durable.exchange(folder, temp, folder, name):
            durable.discard(folder, temp)
        else:
            os.rename(temp, name, src_dir_fd=folder, dst_dir_fd=folder)
        return [f"{said}: it holds what was written"]
    if is_still(seen, change.before):
        durable.discard(folder, temp)
        return []
    if not agrees(seen, change.after):
        durable.discard(folder, temp)
        kept = f"; what it was is kept as {tree.path}/{change.kept}" if change.kept else ""
        return [f"{said}: left as it is{kept}"]
    durable.discard(folder, temp)  # first: renaming a file over its own second name does nothing
    if change.kept is None:
        os.rename(name, temp, src_dir_fd=folder, dst_dir_fd=folder)
        if not agrees(tree.image(change.temp), change.after):
            durable.publish(folder, temp, folder, name)
            return [f"{said}: left as it is"]
        durable.discard(folder, temp)
        return []
    return _put_back(tree, change, said)


def _put_back(tree: Tree, change: Change, said: str) -> list[str]:
    """What was kept goes back under its name; by renaming alone, since the disk may be full."""
    assert change.kept is not None
    folder, name = tree.place(change.path)
    try:
        shelf, kept = tree.place(change.kept)
        is_there = durable.exists(shelf, kept)
    except FileNotFoundError:
        is_there = False
    if not is_there:
        raise NotKept(f"{tree.path}/{change.path} holds what this action wrote; what it was is not in {change.kept}")
    if os.fstat(shelf).st_dev != os.fstat(folder).st_dev:
        return _copy_back(tree, change)
    if change.after.type == "absent":
        durable.publish(shelf, kept, folder, name)
    elif not durable.exchange(shelf, kept, folder, name):
        os.rename(kept, name, src_dir_fd=shelf, dst_dir_fd=folder)
    elif not agrees(tree.image(change.kept), change.after):
        durable.exchange(shelf, kept, folder, name)
        return [f"{said}: left as it is; what it was is kept as {tree.path}/{change.kept}"]
    return []


def _copy_back(tree: Tree, change: Change) -> list[str]:
    """The same where the journal is on another file system than the session."""
    assert change.kept is not None
    folder, name = tree.place(change.path)
    temp = tree.place(change.temp)[1]
    if change.before.type == "symlink":
        durable.stage_link(folder, temp, change.before)
    else:
        durable.stage_file(folder, temp, durable.chunks_of(*tree.place(change.kept)), change.before)
    os.rename(temp, name, src_dir_fd=folder, dst_dir_fd=folder)
    return []


def _is_foreign(waiting: Image, change: Change) -> bool:
    """Whether what waits under the temp name is neither ours nor what was there when the action began."""
    known = is_still(waiting, change.before) or agrees(waiting, change.after)
    return waiting.type != "absent" and not known


def _discard_temp(tree: Tree, change: Change) -> None:
    with suppress(FileNotFoundError):
        durable.discard(*tree.place(change.temp))


def _times_back(tree: Tree, intent: Intent) -> None:
    for before in intent.folders:
        if not tree.has_folder(before.path):
            continue
        if _names(tree, before.path) == before.names:
            _set_time(tree, before.path, before.mtime_ns)
        durable.sync_folder(tree.folder(before.path))


def remove_folder(tree: Tree, action: str) -> None:
    """Remove what an action kept, once nothing of it can be needed: no path was changed by it in the end."""
    for relative in (action_folder(action), _new_folder(action)):
        try:
            fd = tree.folder(relative)
        except FileNotFoundError:
            continue
        for name in os.listdir(fd):
            durable.discard(fd, name)
        tree.forget(relative)
        parent, name = tree.place(relative)
        os.rmdir(name, dir_fd=parent)


def _new_folder(action: str) -> str:
    return action_folder(f".new_{action}")
