"""The configuration: its defaults, its checks, and what it says when it does not understand."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

from lastgood import config, paths
from lastgood.core.errors import UsageProblem
from lastgood.core.verdict import Thresholds

Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> str:
        path = tmp_path / "config.toml"
        path.write_text(text)
        return str(path)

    return written


def problem(path: str) -> str:
    with pytest.raises(UsageProblem) as caught:
        config.load(path)
    return str(caught.value).replace(path, "FILE")


def test_the_example_gives_the_defaults(write: Write) -> None:
    assert config.load(write(config.EXAMPLE))._replace(file=None) == config.Config()


def test_the_example_names_every_key_and_its_comments_are_settings_too(write: Write) -> None:
    uncommented = re.sub(r"(?m)^# (?=\w+ = )", "", config.EXAMPLE)
    loaded = config.load(write(uncommented))
    assert loaded.store == "/var/lib/agents/checkpoints"
    assert loaded.resume_command == ["my-agent", "--resume", "{session_id}"]
    assert loaded.keys == {"restore": "R"}
    for key in (*config._CHECKS, *Thresholds._fields):
        assert re.search(rf"(?m)^\[?{key}\b", uncommented), key


def test_no_file_at_the_usual_place_means_the_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LASTGOOD_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config.load() == config.Config()


def test_a_file_that_was_named_must_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "no such configuration file" in problem(str(tmp_path / "absent.toml"))
    monkeypatch.setenv("LASTGOOD_CONFIG", str(tmp_path / "absent.toml"))
    with pytest.raises(UsageProblem, match=r"absent\.toml"):
        config.load()


def test_the_environment_names_the_file(monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
    monkeypatch.setenv("LASTGOOD_CONFIG", write("read_only = true"))
    assert config.load().read_only is True


def test_values_arrive(write: Write) -> None:
    loaded = config.load(
        write(
            'store = "~/s"\ntheme="paper"\nmouse = true\ncolumns=["task", "session"]\n[thresholds]\nrhythm_factor = 5'
        )
    )
    assert (loaded.store, loaded.theme, loaded.mouse) == ("~/s", "paper", True)
    assert loaded.columns == ("task", "session")
    assert loaded.thresholds == Thresholds(rhythm_factor=5.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('theem = "x"', "FILE:1: theem: unknown key; did you mean 'theme'?"),
        ("\nread-only = true", "FILE:2: read-only: unknown key; did you mean 'read_only'?"),
        (
            "[thresholds]\n\nrythm_factor = 2",
            "FILE:3: thresholds.rythm_factor: unknown key; did you mean 'rhythm_factor'?",
        ),
        ("[treshold]\nx = 2", "FILE:1: treshold: unknown key; did you mean 'thresholds'?"),
        ("qqqq = 1", "FILE:1: qqqq: unknown key"),
        ('mouse = "yes"', "FILE:1: mouse: must be true or false"),
        ("mouse = 1", "FILE:1: mouse: must be true or false"),
        ('store = ""', "FILE:1: store: must be a text in quotes, and not empty"),
        ("max_bytes = 10", "FILE:1: max_bytes: must be a whole number of bytes from 1024 to 1099511627776"),
        ("max_bytes = true", "FILE:1: max_bytes: must be a whole number"),
        ("thresholds = 3", "FILE:1: thresholds: must be a table"),
        ("[thresholds]\nrhythm_factor = nan", "FILE:2: thresholds.rhythm_factor: must be a number above 0"),
        ("[thresholds]\nrhythm_factor = inf", "must be a number above 0"),
        ("[thresholds]\nlive_min_seconds = -1", "must be a number above 0"),
        ("[thresholds]\nlive_min_seconds = true", "must be a number above 0"),
        ("[thresholds]\nlive_min_seconds = 9000", "must not be more than live_max_seconds (3600)"),
        ('resume_command = "continuum"', "FILE:1: resume_command: must be a list of texts"),
        ("resume_command = []", "must be a list of texts"),
        ('columns = ["tasks"]', "'tasks' is no column; did you mean 'task'?"),
        ('columns = ["task", "task"]', "names a column twice"),
        ('[keys]\nrestore = "ctlr+r"', "FILE:2: keys.restore: 'ctlr+r': 'ctlr' is no modifier; did you mean 'ctrl'?"),
        ('[keys]\nrestore = "garbage+key"', "'garbage' is no modifier"),
        ('[keys]\nrestore = "ctrl+X"', "write ctrl+shift+x"),
        ('[keys]\nrestore = "shift+r"', "write the character that it gives, as 'R'"),
        ('[keys]\nrestore = "retrun"', "there is no key 'retrun'"),
        ('[keys]\nrestore = "r,,x"', "there is no key ''"),
        ("[keys]\nrestore = 5", "must be a text in quotes"),
        ("mouse =", "FILE: not TOML: Invalid value (at "),
    ],
)
def test_what_is_not_understood_is_named_with_its_place(write: Write, text: str, says: str) -> None:
    assert says in problem(write(text))


def test_a_file_that_is_no_utf8_says_where(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_bytes(b"mouse = true # \xff")
    assert "not UTF-8 from byte 15" in problem(str(tmp_path / "c.toml"))


def test_keys_are_spelled_as_textual_spells_them(write: Write) -> None:
    loaded = config.load(
        write('[keys]\na = "shift+ctrl+f5, enter"\nb = "?"\nc = "question_mark"\nd = "+"\ne = "ctrl+r"')
    )
    assert loaded.keys == {"a": "ctrl+shift+f5,enter", "b": "?", "c": "question_mark", "d": "plus", "e": "ctrl+r"}


def meet(name: str, other: str) -> bool:
    """The two panes of this test never have the focus at once."""
    return {name, other} != {"overview.down", "log.down"}


BINDINGS = {
    "restore": "r",
    "help": "question_mark",
    "quit": "q",
    "down": "j,down",
    "overview.down": "j,down",
    "log.down": "j,down",
}


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ('restor = "x"', "keys.restor: no such action; did you mean 'restore'?"),
        ('restore = "?"', "'question_mark' is the key of 'help'"),
        ('restore = "x,down"', "'down' is the key of 'down'"),
        ('restore = "x"\nquit = "x"', "keys.restore: 'x' is the key of 'quit'"),
        ('overview.down = "r"', "keys.overview.down: 'r' is the key of 'restore'"),
    ],
)
def test_a_remap_that_is_unknown_or_steals_is_refused(write: Write, keys: str, says: str) -> None:
    loaded = config.load(write(f"[keys]\n{keys}"))
    with pytest.raises(UsageProblem, match=re.escape(says)):
        config.check_keys(loaded, BINDINGS, meet)


def test_two_actions_may_exchange_their_keys(write: Write) -> None:
    config.check_keys(config.load(write('[keys]\nrestore = "q"\nquit = "r"')), BINDINGS, meet)


def test_panes_may_share_a_key_among_themselves(write: Write) -> None:
    loaded = config.load(write('[keys]\noverview.down = "n,down"\n"log.down" = "n"'))
    assert loaded.keys == {"overview.down": "n,down", "log.down": "n"}
    config.check_keys(loaded, BINDINGS, meet)


@pytest.mark.parametrize("home", [{}, {"XDG_CONFIG_HOME": "/x/c", "XDG_CACHE_HOME": "/x/k", "XDG_STATE_HOME": "/x/s"}])
def test_the_places_are_those_of_platformdirs(monkeypatch: pytest.MonkeyPatch, home: dict[str, str]) -> None:
    for variable in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "LASTGOOD_CONFIG"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in home.items():
        monkeypatch.setenv(variable, value)
    where = platformdirs.PlatformDirs("lastgood", appauthor=False)
    assert paths.config_file() == f"{where.user_config_dir}/config.toml"
    assert paths.user_themes() == f"{where.user_config_dir}/themes"
    assert paths.cache_dir() == where.user_cache_dir
    assert paths.log_file() == f"{where.user_log_dir}/lastgood.log"
