"""The command line as a script sees it: real processes, real stores, the contract's JSON and exit codes."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import stores
from stores import NS, START

LASTGOOD = [sys.executable, "-m", "lastgood"]


def run(*words: str, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
    """One call with no terminal; `code` is the exit code that it must have."""
    home = {k: v for k, v in os.environ.items() if not k.startswith("LASTGOOD")}
    done = subprocess.run(
        [*LASTGOOD, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, env={**home, **env}, timeout=60
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done


def data(*words: str, code: int = 0) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(run(*words, "--json", code=code).stdout)
    assert document["schema"] == "lastgood/1"
    return document


@pytest.fixture
def store(tmp_path: Path) -> str:
    root = str(tmp_path / "store")
    stores.write_session(root, "crashed1", checkpoints=3, start=START - 9000 * NS)
    stores.write_session(root, "ended001", active=False, reason="done", start=START - 9000 * NS)
    stores.write_session(root, "torn0001", meta=b"{", start=START - 9000 * NS)
    stores.write_session(root, "bare0001", no_meta=True, start=START - 9000 * NS)
    return root


def newest(store: str, session: str) -> str:
    return os.path.realpath(os.path.join(store, session, "checkpoints", "latest.json"))


def oldest(store: str, session: str) -> str:
    return str(min(Path(store, session, "checkpoints").glob("cp_*.json"), key=lambda p: p.stat().st_mtime_ns))


def test_list_gives_every_session_with_the_contracts_fields(store: str) -> None:
    found = data("list", "-s", store)
    by_name = {s["session_id"]: s for s in found["sessions"]}
    assert {n: s["state"] for n, s in by_name.items()} == {
        "crashed1": "active",
        "ended001": "terminated",
        "torn0001": "damaged",
        "bare0001": "untracked",
    }
    assert {n: s["verdict"] for n, s in by_name.items()} == {
        "crashed1": "crashed",
        "ended001": "ended",
        "torn0001": "damaged",
        "bare0001": "untracked",
    }
    assert found["summary"]["sessions"] == 4
    assert found["summary"]["unclean"] == 1
    crashed = by_name["crashed1"]
    assert (crashed["checkpoints"], crashed["backups"], crashed["orphans"]) == (3, 1, 0)
    assert crashed["last_updated"].endswith("Z")
    assert crashed["evidence"]
    assert crashed["path"] == os.path.join(store, "crashed1")


def test_list_unclean_exits_1_and_names_only_those(store: str) -> None:
    assert [s["session_id"] for s in data("list", "-s", store, "--unclean", code=1)["sessions"]] == ["crashed1"]
    run("terminate", "-s", store, "crashed1", "--reason", "over", "--yes")
    assert data("list", "-s", store, "--unclean")["sessions"] == []


def test_verify_lists_each_file_and_exits_1_for_a_bad_one(store: str) -> None:
    found = data("verify", "-s", store)
    assert {f["verdict"] for f in found["files"]} == {"valid"}
    Path(newest(store, "crashed1")).write_bytes(b'{"a": ')
    found = data("verify", "-s", store, "crashed1", code=1)
    assert found["summary"]["unparseable"] == 1
    (bad,) = (f for f in found["files"] if f["verdict"] != "valid")
    assert bad["path"] == newest(store, "crashed1")
    assert bad["reason"]
    assert bad["runtime_accepts"] is False
    found = data("verify", "--file", oldest(store, "crashed1"), "--file", bad["path"], code=1)
    assert [f["verdict"] for f in found["files"]] == ["valid", "unparseable"]
    run("verify", "--file", "/nonexistent/x.json", code=3)


def test_recover_gives_the_content_and_what_was_passed_over(store: str) -> None:
    Path(newest(store, "crashed1")).write_bytes(b"")
    stamp = os.stat(oldest(store, "crashed1")).st_mtime_ns + 900 * NS
    os.utime(newest(store, "crashed1"), ns=(stamp, stamp))
    found = data("recover", "-s", store, "crashed1")
    assert found["data"]["iteration"] == 2
    assert found["recovered_from_backup"] is False
    assert [p["path"] for p in found["passed_over"]] == [newest(store, "crashed1")]


def test_restore_makes_both_of_the_runtimes_ways_resume_and_undo_takes_it_back(store: str) -> None:
    chosen = oldest(store, "crashed1")
    before = stores.snapshot(store)
    dry = data("restore", "-s", store, "crashed1", chosen, "--dry-run")
    assert dry["applied"] is False
    assert dry["action_id"] is None
    assert stores.snapshot(store) == before
    done = data("restore", "-s", store, "crashed1", chosen, "--yes", "--reason", "by hand")
    assert done["applied"] is True
    assert done["checkpoint_path"] == chosen
    content = Path(chosen).read_bytes()
    assert Path(done["restored_path"]).read_bytes() == content
    session = os.path.join(store, "crashed1")
    assert stores.resume_by_latest(session) == stores.resume_by_mtime(session) == json.loads(content)
    after = stores.snapshot(store)
    assert {p: e for p, e in before.items() if "cp_" in p} == {
        p: e for p, e in after.items() if "cp_" in p and p in before
    }
    (entry,) = data("log", "-s", store)["actions"]
    assert (entry["op"], entry["state"], entry["reason"], entry["sessions"]) == (
        "restore",
        "done",
        "by hand",
        ["crashed1"],
    )
    assert data("list", "-s", store)["sessions"][0]["session_id"]
    data("undo", "-s", store, "--yes")
    assert {p: e for p, e in stores.snapshot(store).items() if p != "."} == {
        p: e for p, e in before.items() if p != "."
    }


def test_a_restored_session_is_told_from_a_crashed_one(store: str) -> None:
    run("restore", "-s", store, "crashed1", oldest(store, "crashed1"), "--yes")
    (session,) = (s for s in data("list", "-s", store)["sessions"] if s["session_id"] == "crashed1")
    assert session["verdict"] == "restored"


def test_terminate_many_goes_on_after_a_refusal_and_says_so(store: str) -> None:
    done = data("terminate", "-s", store, "crashed1", "torn0001", "nothing1", "--reason", "cleared", "--yes", code=4)
    assert [(r["session_id"], r["applied"], r["exit_code"]) for r in done["results"]] == [
        ("crashed1", True, 0),
        ("torn0001", False, 4),
        ("nothing1", False, 3),
    ]
    meta = json.loads(Path(store, "crashed1", "session_meta.json").read_bytes())
    assert (meta["is_active"], meta["termination_reason"]) == (False, "cleared")
    data("activate", "-s", store, "crashed1", "--yes")
    meta = json.loads(Path(store, "crashed1", "session_meta.json").read_bytes())
    assert (meta["is_active"], meta["termination_reason"]) == (True, None)


def test_without_yes_and_without_a_terminal_nothing_is_written(store: str) -> None:
    before = stores.snapshot(store)
    for words in (["restore", "crashed1", oldest(store, "crashed1")], ["terminate", "crashed1", "--reason", "x"]):
        assert "--yes" in run(words[0], "-s", store, *words[1:], code=4).stderr
    assert stores.snapshot(store, journal=True) == before


@pytest.mark.parametrize(("answer", "code", "written"), [("y", 0, True), ("n", 4, False), ("", 4, False)])
def test_on_a_terminal_it_asks(store: str, answer: str, code: int, written: bool) -> None:
    master, slave = pty.openpty()
    words = [*LASTGOOD, "terminate", "-s", store, "crashed1", "--reason", "asked"]
    child = subprocess.Popen(words, stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.close(slave)
    os.write(master, answer.encode() + b"\n")
    child.communicate(timeout=60)
    os.close(master)
    assert child.returncode == code
    assert (json.loads(Path(store, "crashed1", "session_meta.json").read_bytes())["is_active"] is False) == written


def test_what_does_not_verify_is_not_restored(store: str) -> None:
    Path(newest(store, "crashed1")).write_bytes(Path(newest(store, "crashed1")).read_bytes().replace(b"300", b"301"))
    before = stores.snapshot(store)
    assert "Checksum mismatch" in run("restore", "-s", store, "crashed1", "latest", "--yes", code=4).stderr
    assert stores.snapshot(store) == before


def test_wrong_words_and_missing_things_have_their_codes(store: str) -> None:
    assert "did you mean `lastgood list`" in run("lst", code=2).stderr
    run("list", "-s", store, "--wrong", code=2)
    run("restore", "-s", store, "nothing", code=3)
    run("show", "-s", store, "crashed1", "nothing", code=3)
    assert "lastgood demo" in run("list", "-s", "/nonexistent/store", code=3).stderr
    assert "--reason" in run("terminate", "-s", store, "crashed1", code=2).stderr


def test_the_store_is_named_by_option_then_environment(store: str, tmp_path: Path) -> None:
    assert json.loads(run("list", "--json", LASTGOOD_STORE=store).stdout)["store"] == store
    stores.write_session(str(tmp_path / "other"), "x")
    found = json.loads(run("list", "--json", "--store", str(tmp_path / "other"), LASTGOOD_STORE=store).stdout)
    assert [s["session_id"] for s in found["sessions"]] == ["x"]


def test_show_names_the_price_of_every_valid_point(store: str) -> None:
    files = data("show", "-s", store, "crashed1")["files"]
    prices = {f["iteration"]: f["lost"]["iterations"] for f in files if f["kind"] == "checkpoint"}
    assert prices == {3: 0, 2: 1, 1: 2}


def test_show_raw_gives_the_bytes_and_show_the_words(store: str) -> None:
    point = newest(store, "crashed1")
    done = subprocess.run(
        [*LASTGOOD, "show", "-s", store, "crashed1", "latest", "--raw"], capture_output=True, check=True
    )
    assert done.stdout == Path(point).read_bytes()
    assert data("show", "-s", store, "crashed1", "latest")["data"]["iteration"] == 3
    assert os.path.basename(point) in run("show", "-s", store, "crashed1").stdout


def test_hostile_text_never_reaches_the_terminal_as_it_is(tmp_path: Path) -> None:
    hostile = "\x1b]52;c;aGk=\x07\x9b31m\u202e[/b]"
    root = str(tmp_path)
    content = stores.checkpoint("evil", 1, trigger=hostile, resume_hint=hostile, start=0)
    stores.write_session(
        root, "evil", checkpoints=[content], meta=stores.meta_bytes("evil", reason=hostile, active=True)
    )
    stores.write_session(root, "e\x1b[2Jvil", no_meta=True)
    for words in (["list"], ["show", "evil"], ["show", "evil", "latest"], ["verify"], ["recover", "evil"], ["log"]):
        done = run(words[0], "-s", root, *words[1:])
        for stream in (done.stdout, done.stderr):
            assert not set(stream) & set("\x1b\x07\x9b\u202e"), words


def test_a_name_that_is_no_utf8_is_listed_and_its_session_shown(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9"
    os.makedirs(raw + b"/checkpoints")
    assert r"caf\udce9" in run("list", "-s", str(tmp_path)).stdout
    (session,) = json.loads(run("list", "-s", str(tmp_path), "--json").stdout)["sessions"]
    assert os.fsencode(session["path"]) == raw


@pytest.mark.parametrize(
    "words", [["list"], ["verify"], ["show", "crashed1"], ["recover", "crashed1"], ["info"], ["log"]]
)
def test_no_command_loads_the_screen(store: str, words: list[str]) -> None:
    code = (
        "import sys; from lastgood.cli.main import run; run(sys.argv[1:]);"
        "sys.exit(any(m.split('.')[0] in ('textual', 'rich') for m in sys.modules))"
    )
    where = [] if words[0] == "info" else ["-s", store]
    subprocess.run([sys.executable, "-c", code, words[0], *where, *words[1:]], check=True, capture_output=True)


def test_a_reader_that_goes_away_is_no_error(store: str) -> None:
    script = f"{' '.join(LASTGOOD)} verify -s {store} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["/bin/bash", "-c", script], capture_output=True, text=True)
    assert done.stdout.split()[-1] == "0"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_is_a_script_that_the_shell_takes(shell: str, tmp_path: Path) -> None:
    script = tmp_path / "completion"
    script.write_text(run("completion", shell).stdout)
    assert "terminate" in script.read_text()
    if shell == "bash":
        words = (
            f"source {script}; COMP_WORDS=(lastgood ter); COMP_CWORD=1;"
            "$(complete -p lastgood | sed 's/.*-F //;s/ .*//'); echo ${COMPREPLY[@]}"
        )
        assert subprocess.run(["bash", "-c", words], capture_output=True, text=True).stdout.split() == ["terminate"]


def test_help_of_every_command_has_an_example() -> None:
    from lastgood.cli.parser import COMMANDS

    for command in COMMANDS:
        assert f"lastgood {command}" in run(command, "--help").stdout
    assert run("--version").stdout.startswith("lastgood ")


SECRET = "Zq7secretvalue99"


def test_redact_masks_a_secret_wherever_it_is_shown(tmp_path: Path) -> None:
    root = str(tmp_path / "store")
    call = {"name": "shell", "arguments": {"token": SECRET, "cmd": "ls"}}
    hint = f"resume with password={SECRET}"
    content = stores.checkpoint("secrets1", 4, tool_calls_pending=[call], resume_hint=hint)
    stores.write_session(root, "secrets1", checkpoints=0, start=START - 9000 * NS)
    folder = Path(root, "secrets1", "checkpoints")
    whole = stores.seal(content)
    (folder / "cp_20261120_090231_aaaaaaaa.json").write_bytes(whole)
    (folder / "cp_20261120_090232_bbbbbbbb.json").write_bytes(whole.replace(SECRET.encode(), SECRET[:-1].encode(), 1))
    (folder / "cp_20261120_090233_cccccccc.json").write_bytes(whole[: whole.rindex(b"tool_results")])
    for name in sorted(os.listdir(folder)):
        shown = run("show", "secrets1", name, "--redact", "-s", root)
        answered = run("show", "secrets1", name, "--redact", "--json", "-s", root)
        for text in (shown.stdout, shown.stderr, answered.stdout):
            assert SECRET[:-1] not in text, name
    refused = run("show", "secrets1", "aaaaaaaa", "--raw", "--redact", "-s", root, code=2)
    assert refused.stdout == ""


def shell(script: str) -> subprocess.CompletedProcess[str]:
    """A line of shell in which `$lastgood` is the program."""
    program = f"{sys.executable} -m lastgood"
    env = {**os.environ, "lastgood": program}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=env, timeout=60)
    assert "Traceback" not in done.stderr
    return done


def test_a_closed_stream_is_one_that_nobody_hears(store: str) -> None:
    assert shell(f"$lastgood list -s {store} >&-").returncode == 0
    heard = shell(f"$lastgood list -s {store} 2>&-")
    assert (heard.returncode, heard.stdout.count("\n")) == (0, 4)
    assert shell(f"$lastgood list -s {store} 2>/dev/full").stdout == heard.stdout
    old = oldest(store, "crashed1")
    assert shell(f"$lastgood restore crashed1 {old} -s {store} <&-").returncode == 4
    before = stores.snapshot(store)
    assert shell(f"$lastgood restore crashed1 {old} --yes -s {store} <&- >&- 2>&-").returncode == 0
    assert stores.resume_by_latest(os.path.join(store, "crashed1"))["iteration"] == 1
    assert shell(f"$lastgood undo --yes -s {store} >&-").returncode == 0
    assert stores.snapshot(store) == before


def test_a_full_standard_output_is_told_and_the_log_knows_what_was_done(store: str) -> None:
    for option in ("", "--json"):
        looked = shell(f"$lastgood list {option} -s {store} >/dev/full")
        assert looked.returncode == 5
        assert "standard output cannot be written: no space left on device" in looked.stderr
    old = oldest(store, "crashed1")
    done = shell(f"$lastgood restore crashed1 {old} --yes --json -s {store} >/dev/full")
    assert done.returncode == 5
    (action,) = data("log", "-s", store)["actions"]
    assert action["state"] == "done"
    assert f"done: restore crashed1 (action {action['action_id']})" in done.stderr


def test_the_store_may_be_named_before_the_command(store: str, tmp_path: Path) -> None:
    plain = run("list", "--unclean", "-s", store, code=1).stdout
    assert run("-s", store, "list", "--unclean", code=1).stdout == plain
    assert run(f"--store={store}", "list", "--unclean", code=1).stdout == plain
    (tmp_path / "config.toml").write_text(f'store = "{store}"')
    assert run("--config", str(tmp_path / "config.toml"), "list", "--unclean", code=1).stdout == plain


@pytest.mark.parametrize("words", [["list", "--store", ""], ["list", "-s="], ["pick", ""], [""]])
def test_an_empty_path_is_not_the_default_store(store: str, words: list[str]) -> None:
    assert "path is empty" in run(*words, code=2, LASTGOOD_STORE=store).stderr


def test_a_word_that_is_neither_command_nor_folder_is_told_so() -> None:
    assert "did you mean `lastgood list`" in run("lst", code=2).stderr
    assert "no such command" in run("frobnicate", code=2).stderr


def test_what_undo_says_of_the_way_back_is_so(store: str) -> None:
    before = stores.snapshot(store)
    said = run("restore", "crashed1", oldest(store, "crashed1"), "--yes", "-s", store).stdout
    assert "(lastgood undo takes it back)" in said
    restored = stores.snapshot(store)
    said = run("undo", "--yes", "-s", store).stdout
    assert stores.snapshot(store) == before
    assert "takes it back" not in said
    again = said[said.rindex("(") + 1 :].split(" does it again")[0].removeprefix("lastgood ").split()
    run(*again, "--yes", "-s", store)
    assert stores.snapshot(store) == restored


def test_latest_json_is_a_name_like_any_other(store: str) -> None:
    link = os.path.join(store, "crashed1", "checkpoints", "latest.json")
    for name in ("latest", "latest.json", link):
        assert data("show", "crashed1", name, "-s", store)["checkpoint"]["path"] == newest(store, "crashed1")


def test_a_session_with_only_anothers_checkpoints_says_how_to_take_one(tmp_path: Path) -> None:
    root = str(tmp_path / "store")
    stores.write_session(root, "borrower", checkpoints=[stores.checkpoint("lender01", 1)], start=START - 9000 * NS)
    assert "--foreign" in run("restore", "borrower", "--dry-run", "-s", root, code=3).stderr
    run("restore", "borrower", "00000001", "--foreign", "--dry-run", "-s", root)


def test_a_sample_store_is_not_built_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    assert "cannot be written" in run("demo", "--build", str(tmp_path / "file"), code=5).stderr
    assert (tmp_path / "file").read_text() == "mine"


def test_ctrl_c_at_the_question_says_that_nothing_changed(store: str) -> None:
    before = stores.snapshot(store)
    master, slave = pty.openpty()
    words = [*LASTGOOD, "terminate", "-s", store, "crashed1", "--reason", "asked"]
    child = subprocess.Popen(words, stdin=slave, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    os.close(slave)
    assert child.stderr is not None
    said = b""
    while b"[y/N]" not in said:
        part = os.read(child.stderr.fileno(), 4096)
        assert part, said
        said += part
    child.send_signal(signal.SIGINT)
    _, rest = child.communicate(timeout=60)
    os.close(master)
    assert child.returncode == 130
    assert b"interrupted: nothing changed" in rest
    assert stores.snapshot(store) == before


def test_several_sessions_are_taken_back_by_what_is_said(store: str) -> None:
    stores.write_session(store, "crashed2", start=START - 9000 * NS)
    before = stores.snapshot(store)
    done = data("terminate", "-s", store, "crashed1", "crashed2", "--reason", "cleared", "--yes")
    assert done["action_id"] == done["action_ids"][-1]
    for action in reversed(done["action_ids"]):
        run("undo", action, "--yes", "-s", store)
    assert stores.snapshot(store) == before
    said = run("terminate", "-s", store, "crashed1", "crashed2", "--reason", "cleared", "--yes").stdout
    for call in said.splitlines()[-1].split(" && "):
        run(*call.split()[1:], "--yes", "-s", store)
    assert stores.snapshot(store) == before


def test_a_plan_masks_a_credential_and_what_is_written_holds_it(store: str) -> None:
    reason = f"password={SECRET}"
    dry = run("terminate", "crashed1", "--reason", reason, "--dry-run", "-s", store)
    answered = run("terminate", "crashed1", "--reason", reason, "--yes", "--json", "-s", store)
    for text in (dry.stdout, dry.stderr, answered.stdout, answered.stderr):
        assert SECRET not in text
    assert json.loads(Path(store, "crashed1", "session_meta.json").read_bytes())["termination_reason"] == reason
