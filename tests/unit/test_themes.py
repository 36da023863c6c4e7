"""Every bundled theme is complete, legible and paints; the user's own are checked before Textual sees them."""

from __future__ import annotations

import itertools
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.color import Color
from textual.theme import Theme
from textual.widgets import Footer, Input, OptionList, Static

from colours import DICHROMATS, contrast, distance, lab, seen_by
from lastgood import paths, themes
from lastgood.core.errors import UsageProblem
from lastgood.core.model import Verdict

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = sorted(path.stem for path in (ROOT / "themes").glob("*.toml"))
RGB = [name for name in BUNDLED if not tomllib.loads((ROOT / f"themes/{name}.toml").read_text()).get("ansi")]

STATES = tuple(f"verdict-{verdict}" for verdict in Verdict)
TEXTS = (*themes.STATES, "text-muted", "text-primary", "text-accent", "text-warning", "text-error", "text-success")


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def user_theme(text: str, name: str = "mine") -> Path:
    folder = Path(paths.user_themes())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.toml").write_text(text)
    return folder / f"{name}.toml"


def test_there_are_enough_of_each_kind() -> None:
    found = themes.bundled()
    assert len(found) >= 9
    assert {themes.DEFAULT, themes.SIXTEEN} <= found.keys()
    assert any(not theme["dark"] for theme in found.values())


@pytest.mark.parametrize("name", BUNDLED)
def test_each_is_complete_and_its_colours_are_textuals(name: str) -> None:
    theme = themes.load(name)
    assert theme["variables"].keys() >= set(themes.STATES)
    styles = {key for key in theme["variables"] if key.endswith("-style")}
    for key, value in theme.items():
        if key not in ("name", "dark", "ansi", "variables"):
            Color.parse(value)
    for key in theme["variables"].keys() - styles:
        Color.parse(theme["variables"][key])


class Sampler(App[None]):
    """Paints something in every state's colour beside Textual's own widgets."""

    CSS = "\n".join(f"#{state} {{ color: ${state}; background: $surface; }}" for state in themes.STATES)

    def __init__(self, theme: dict[str, object]) -> None:
        super().__init__()
        self.wanted = Theme(**theme)  # type: ignore[arg-type]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict.fromkeys(themes.STATES, "#888888")

    def compose(self) -> ComposeResult:
        yield from (Static(state, id=state) for state in themes.STATES)
        yield Input("text")
        yield OptionList("one", "two")
        yield Footer()

    def on_mount(self) -> None:
        self.register_theme(self.wanted)
        self.theme = self.wanted.name


@pytest.mark.parametrize("name", BUNDLED)
async def test_each_paints(name: str) -> None:
    app = Sampler(themes.load(name))
    async with app.run_test(size=(40, 30)) as pilot:
        await pilot.pause()
        shown = app.query_one("#verdict-crashed").styles.color
        assert shown == Color.parse(themes.load(name)["variables"]["verdict-crashed"])


@pytest.mark.parametrize("name", RGB)
def test_text_is_legible_on_every_ground(name: str) -> None:
    """WCAG 2.2 AA: 4.5 to 1; the themes of high contrast hold AAA, 7 to 1."""
    theme = themes.load(name)
    needed = 7.0 if name.startswith("contrast") else 4.5
    for text, ground in itertools.product(TEXTS, ("background", "surface", "panel")):
        ratio = contrast(theme["variables"][text], theme[ground])
        assert ratio >= needed, f"{text} on {ground}: {ratio:.2f}"
    for part in ("block-cursor", "block-cursor-blurred", "input-selection", "input-cursor", "footer"):
        front, ground = (theme["variables"][f"{part}-{side}"] for side in ("foreground", "background"))
        assert contrast(front, ground) >= 4.5, part
    assert contrast(theme["foreground"], theme["panel"]) >= 7


@pytest.mark.parametrize("name", ["clear", "clear-day"])
@pytest.mark.parametrize("eyes", ["normal", *DICHROMATS])
def test_states_differ_for_colour_blind_eyes(name: str, eyes: str) -> None:
    """CIEDE2000 of 10 is where two colours stop being variants of one another and differ at a glance; 12 leaves room
    for a poor display. Every state has its word and its symbol besides."""
    variables = themes.load(name)["variables"]
    groups = (STATES, ("integrity-valid", "integrity-bad"), ("diff-added", "diff-removed", "diff-changed"))
    for group in groups:
        for one, other in itertools.combinations(group, 2):
            apart = distance(*(lab(seen_by(eyes, variables[state])) for state in (one, other)))
            assert apart >= 12, f"{one} and {other}: {apart:.1f}"


def test_the_measure_of_distance_is_the_published_one() -> None:
    """Three of the pairs of Sharma, Wu and Dalal."""
    assert distance((50, 2.6772, -79.7751), (50, 0, -82.7485)) == pytest.approx(2.0425, abs=1e-4)
    assert distance((50, 2.5, 0), (73, 25, -18)) == pytest.approx(27.1492, abs=1e-4)
    assert distance((50, -1, 2), (50, 0, 0)) == pytest.approx(2.3669, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('primary = "notacolour"\n', "primary: 'notacolour' is no colour"),
        ("background = 123\n", "background: 123 is no colour"),
        ('primary = "#12345"\n', "primary: '#12345' is no colour"),
        ('primary = "ansi_pink"\n', "primary: 'ansi_pink' is no colour"),
        ('primary = "#123456"\n', "foreground: missing"),
        ('primry = "#123456"\n', "primry: unknown key"),
        ("dark = 1\n", "dark: must be true or false"),
        ('name = "other"\n', "name: must be that of the file, 'mine'"),
        ('[variables]\nborder = "zzz!!"\n', "variables.border: 'zzz!!' is no colour"),
        ('[variables]\nborder = "red; } * { display: none"\n', "is no colour"),
        ('[variables]\nverdict-crashd = "#f00"\n', "unknown variable; did you mean 'verdict-crashed'?"),
        ('[variables]\nlink-style = "blinking"\n', "variables.link-style: 'blinking' is no text style"),
        ("variables = 3\n", "variables: unknown key"),
        ("primary =\n", "not TOML"),
    ],
)
def test_a_bad_theme_is_named_with_its_key_and_the_default_stands_in(text: str, says: str) -> None:
    file = user_theme(text)
    with pytest.raises(UsageProblem) as caught:
        themes.load("mine")
    assert str(file) in str(caught.value) and says in str(caught.value)
    theme, message = themes.load_or_default("mine")
    assert theme["name"] == themes.DEFAULT
    assert message is not None and says in message and "night instead" in message


def test_an_unknown_theme_names_the_nearest_and_leaves_no_folder() -> None:
    with pytest.raises(UsageProblem, match="did you mean 'night'"):
        themes.load("nigth")
    with pytest.raises(UsageProblem):
        themes.load("../../../etc/passwd")


async def test_a_theme_of_the_users_own_gets_the_states_that_it_does_not_set() -> None:
    user_theme('dark = false\nprimary = "#036"\nforeground = "#111"\nbackground = "#fff"\n'
               '[variables]\nverdict-live = "#00f"\n')  # fmt: skip
    theme, message = themes.load_or_default("mine")
    assert message is None
    assert theme["variables"]["verdict-live"] == "#00f"
    assert theme["variables"]["verdict-crashed"] == themes.load("day")["variables"]["verdict-crashed"]
    async with Sampler(theme).run_test() as pilot:
        await pilot.pause()


def test_the_users_own_goes_before_a_bundled_one() -> None:
    user_theme('primary = "#036"\nforeground = "#eee"\nbackground = "#000"\n', name="night")
    assert themes.load("night")["primary"] == "#036"
    assert "night" in themes.names()


ASK = "from lastgood import themes; print(sorted(themes.bundled()), themes.__file__)"


def _bundled_as_seen_by(python: str, *path: str, cwd: Path) -> tuple[str, str]:
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(path)}
    done = subprocess.run([python, "-c", ASK], env=environment, cwd=cwd, capture_output=True, text=True, check=True)
    listed, _, file = done.stdout.strip().rpartition("] ")
    return listed + "]", file


def test_a_checkout_finds_its_themes(tmp_path: Path) -> None:
    listed, _ = _bundled_as_seen_by(sys.executable, str(ROOT / "src"), cwd=tmp_path)
    assert listed == str(BUNDLED)


def test_a_wheel_carries_its_themes(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    listed, file = _bundled_as_seen_by(sys.executable, str(tmp_path / "site"), cwd=tmp_path)
    assert listed == str(BUNDLED)
    assert file.startswith(str(tmp_path / "site"))


def test_an_editable_install_finds_its_themes(tmp_path: Path) -> None:
    venv.create(tmp_path, with_pip=False)
    (site,) = tmp_path.glob("lib/python3*/site-packages")
    (site / "_editable_impl_lastgood.pth").write_text(str(ROOT / "src"))  # all that pip install -e leaves, beside names
    listed, file = _bundled_as_seen_by(str(tmp_path / "bin/python"), cwd=tmp_path)
    assert listed == str(BUNDLED)
    assert file.startswith(str(ROOT / "src"))
