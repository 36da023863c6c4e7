"""What follows on from what, in real folders: the runtime's choice, lastgood's, and the sentence where they differ."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lastgood.core.assess import verify_all
from lastgood.core.continuum import ContinuumStore
from lastgood.core.lineage import Lineage, lineage
from stores import NS, START, checkpoint, file_name, meta_bytes, put, save, seal, write_session

NAME = "52e6b438"
NOW = START + 3600 * NS


def look(store: Path, now: int = NOW) -> Lineage:
    opened = ContinuumStore(str(store))
    session = opened.session(NAME)
    survey = opened.survey(session)
    found = lineage(opened, session, survey, verify_all(opened, survey), now_ns=now)
    recovered = opened.recover(session).chosen
    assert (found.recover_choice and found.recover_choice.file.path) == (recovered and recovered.file.path)
    return found


def saves(folder: str) -> list[Path]:
    return sorted(Path(folder, "checkpoints").glob("cp_*.json"))


def damage(path: Path) -> None:
    seen = path.stat().st_mtime_ns
    path.write_bytes(path.read_bytes().replace(b'"tokens_used": ', b'"tokens_used": 9'))
    os.utime(path, ns=(seen, seen))


def iterations(found: Lineage) -> tuple[object, object, object]:
    return tuple(  # type: ignore[return-value]
        p.header.iteration if p else None for p in (found.runtime_choice, found.recover_choice, found.best)
    )


def test_an_orderly_session_needs_no_advice(tmp_path: Path) -> None:
    write_session(str(tmp_path), NAME)
    found = look(tmp_path)
    assert iterations(found) == (3, 3, 3)
    assert found.problems == ()
    assert found.advice is None


def test_the_newest_is_damaged(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    *_, second, third = saves(folder)
    damage(third)
    found = look(tmp_path)
    assert iterations(found) == (3, 2, 2)
    assert f"latest.json is {third.name}, which does not verify" in found.problems
    assert found.advice == (
        f"lastgood advises {second.name} because it is the furthest that verifies, at iteration 2."
        f" The runtime alone would fail on {third.name} (Checksum mismatch)"
    )


def test_nothing_verifies(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME, checkpoints=1)
    damage(saves(folder)[0])
    found = look(tmp_path)
    assert found.best is None
    assert found.advice is not None and "lastgood advises none, because no file of the session verifies" in found.advice


def test_there_is_nothing_at_all(tmp_path: Path) -> None:
    write_session(str(tmp_path), NAME, checkpoints=0)
    assert look(tmp_path) == Lineage((), None, None, None, None)


def test_latest_is_left_behind(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    first, _, third = saves(folder)
    latest = Path(folder, "checkpoints", "latest.json")
    latest.unlink()
    latest.symlink_to(first.name)
    found = look(tmp_path)
    assert iterations(found) == (1, 3, 3)
    assert f"latest.json is {first.name}, older than the newest valid one, {third.name}" in found.problems
    assert found.advice == (
        f"lastgood advises {third.name} because it is 2 iterations further."
        f" The runtime alone would resume from {first.name}"
    )


def test_latest_dangles_is_absolute_or_leads_away(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    third = saves(folder)[-1]
    latest = Path(folder, "checkpoints", "latest.json")
    latest.unlink()
    latest.symlink_to("cp_gone.json")
    found = look(tmp_path)
    assert found.problems == ("latest.json names a file that is not there: cp_gone.json",)
    assert found.advice is None  # the runtime falls back to the newest, which is the best
    latest.unlink()
    latest.symlink_to(third)
    assert look(tmp_path).problems == (f"latest.json is an absolute link: {third}",)
    outside = put(str(tmp_path / "elsewhere.json"), third.read_bytes())
    latest.unlink()
    latest.symlink_to(outside)
    found = look(tmp_path)
    assert found.problems == (f"latest.json leads out of the folder: {outside}",)
    assert found.advice is not None and f"would follow latest.json out of the folder, to {outside}" in found.advice


def test_no_latest_and_only_a_backup(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    Path(folder, "checkpoints", "latest.json").unlink()
    assert look(tmp_path).problems == ("there is no latest.json",)
    for path in saves(folder):
        path.unlink()
    found = look(tmp_path)
    assert iterations(found) == (None, 2, 2)
    assert found.advice is not None and "would find nothing to resume from" in found.advice


def test_latest_as_a_regular_file_says_the_same_as_its_checkpoint(tmp_path: Path) -> None:
    write_session(str(tmp_path), NAME, regular_latest=True)
    found = look(tmp_path)
    assert found.advice is None
    assert found.problems == ()
    assert {(Path(a).name, Path(b).name[:2]) for a, b in found.same} == {
        ("latest.json", "cp"),
        ("latest.json.backup", "cp"),
    }


def test_a_store_copied_without_its_times_is_told_once(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    for position, path in enumerate(reversed(saves(folder))):
        os.utime(path, ns=(NOW - 60 * NS + position, NOW - 60 * NS + position))
    found = look(tmp_path)
    (sentence,) = found.problems
    assert sentence.startswith("3 of 3 checkpoints were modified long before or after creation: copied or touched")
    assert sentence.endswith("not in the order of creation, by which recovery goes")
    assert iterations(found) == (3, 1, 3)
    assert found.advice is not None and "The runtime alone would recover from" in found.advice


def test_a_session_that_went_back_and_ran_on(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    at = START + 600 * NS
    save(folder, checkpoint(NAME, 2, id="rerun", at=at), at=at)
    put(f"{folder}/session_meta.json", meta_bytes(NAME, iteration=2, at=at), at=at)
    found = look(tmp_path)
    assert iterations(found) == (2, 2, 2)
    assert found.best is not None and found.best.header.checkpoint_id == "rerun"
    assert any("goes back from 3 to 2" in p for p in found.problems)
    assert "checkpoints reach iteration 3, session_meta.json says 2" in found.problems
    assert found.advice is None


def test_an_iteration_that_was_saved_twice(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    at = START + 90 * NS
    save(folder, checkpoint(NAME, 3, id="twice", at=at), at=at)
    assert any("iteration 3 was saved twice" in p for p in look(tmp_path).problems)


def test_a_restored_copy_is_a_copy_and_no_disorder(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    first = saves(folder)[0]
    at = START + 900 * NS
    content = checkpoint(NAME, 1, id="52e60001", at=START)
    copy = put(f"{folder}/checkpoints/{file_name(content, at)}", first.read_bytes(), at=at)
    latest = Path(folder, "checkpoints", "latest.json")
    latest.unlink()
    latest.symlink_to(Path(copy).name)
    found = look(tmp_path)
    assert (copy, str(first)) in found.same
    assert not any("copied or touched" in p or "goes back" in p or "twice" in p for p in found.problems)


def test_names_times_and_owners_that_disagree(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    at = START + 90 * NS
    other = checkpoint("ffffffff", 9, id="foreign", at=at)
    put(f"{folder}/checkpoints/{file_name(other, at)}", seal(other), at=at)
    wrong = checkpoint(NAME, 4, id="inside", at=at)
    put(f"{folder}/checkpoints/{file_name({**wrong, 'checkpoint_id': 'outside'}, at)}", seal(wrong), at=at)
    ahead = checkpoint(NAME, 5, id="ahead", at=NOW + 7200 * NS)
    put(f"{folder}/checkpoints/{file_name(ahead, NOW + 7200 * NS)}", seal(ahead), at=NOW + 7200 * NS)
    found = look(tmp_path)
    told = "\n".join(found.problems)
    assert "1 file of another session: ffffffff" in told
    assert "holds checkpoint_id inside" in told
    assert "says it was created 2 h from now" in told
    assert "was modified 2 h from now" in told
    assert found.best is not None and found.best.header.checkpoint_id == "ahead"


def test_a_foreign_file_that_recovery_would_take(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    at = START + 90 * NS
    other = checkpoint("ffffffff", 9, id="foreign", at=at)
    save(folder, other, at=at)
    found = look(tmp_path)
    assert iterations(found) == (9, 9, 3)
    assert found.advice is not None and "because the runtime's choice is of another session: ffffffff." in found.advice


def test_a_whole_temporary_file_is_told_of(tmp_path: Path) -> None:
    folder = write_session(str(tmp_path), NAME)
    put(f"{folder}/checkpoints/.tmp_checkpoint_8f", seal(checkpoint(NAME, 4, at=START + 90 * NS)), at=START + 90 * NS)
    found = look(tmp_path)
    assert iterations(found) == (3, 3, 3)
    assert any(p.startswith(".tmp_checkpoint_8f is a whole save at iteration 4, further than") for p in found.problems)


def test_a_valid_file_that_the_runtime_misreads(tmp_path: Path) -> None:
    corpus = Path(__file__).parent.parent / "data" / "corpus"
    folder = write_session(str(tmp_path), NAME, checkpoints=0)
    opened = ContinuumStore(str(tmp_path))
    for source in sorted(corpus.glob("*.json")):
        path = shutil.copy(source, f"{folder}/checkpoints/cp_20261123_000000_x.json")
        (point,) = verify_all(opened, opened.survey(opened.session(NAME)))
        if point.valid and not point.runtime_accepts and point.header.session_id:
            put(f"{folder}/session_meta.json", meta_bytes(point.header.session_id))
            break
        os.remove(path)
    else:
        raise AssertionError("the corpus has no such file")
    advice = look(tmp_path).advice
    assert advice is not None and "misreads a number in it (restore with --reseal)" in advice
