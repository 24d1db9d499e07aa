"""The contributor's door: what CONTRIBUTING.md and the files beside it say is so, and its recipes work."""

import re
import shutil
import subprocess
import textwrap
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from apps.airports.models import Airport
from apps.changesets.pages.bulk_registry import ACTIONS
from apps.imports import errors
from apps.imports.reading import rows
from apps.imports.reading.detecting import Detected
from apps.imports.reading.sources import SourceFile, from_path
from apps.imports.reading.tables import Reading
from apps.quality import rules
from apps.quality.findings import findings_of
from tests.admin.bulk import LISTS, act, all_rows, confirm, newest, undo
from tests.test_docs import commands_of

ROOT = Path(__file__).resolve().parent.parent
DOOR = ROOT / "CONTRIBUTING.md"
TEXT = DOOR.read_text(encoding="utf-8")
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
LANES = re.findall(r"^lane_([a-z]+)\(\)", CI, re.M)
# Commands that install something, each with what is looked at instead.
INSTALLS = {
    "pip install uv && uv sync": "the lane `install` does both",
    "uv tool install pre-commit && pre-commit install": "the hooks are compared with the lane `lint`",
}


def recipe(heading: str) -> str:
    """Return the Python of the recipe under a heading."""
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"^ *```python\n(.*?)^ *```", section, re.M | re.S)
    return textwrap.dedent(block)


# -- what the files say ------------------------------------------------------------------------------------------


@pytest.mark.once
@pytest.mark.parametrize("command", [each for each in commands_of(DOOR) if each not in INSTALLS])
def test_each_command_is_one_that_there_is(command: str):
    program, _, rest = command.removeprefix("uv run ").partition(" ")

    if program == "make":
        if not shutil.which("make"):
            pytest.skip("no make here")
        done = subprocess.run(["make", "-n", *rest.split()], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert rest == "help" or done.stdout.strip() == f"bash .ci/run {rest}".strip()
    else:
        assert program in ("pytest", "python")
        path = rest.removeprefix("-m ").replace(".", "/") if rest.startswith("-m ") else rest
        assert all((ROOT / part).exists() for part in path.partition(" --")[0].split())


@pytest.mark.once
def test_the_commands_that_install_something_are_in_it():
    assert set(INSTALLS) <= set(commands_of(DOOR))
    assert "pip install --quiet --root-user-action=ignore uv" in CI
    assert "uv sync" in CI


@pytest.mark.once
def test_the_lanes_are_those_of_ci():
    assert sorted(re.findall(r"^\| `([a-z]+)` \|", TEXT, re.M)) == sorted(LANES)


@pytest.mark.once
def test_the_hooks_of_git_ask_what_the_lint_lane_asks_and_fetch_nothing():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    entries = re.findall(r"^ +entry: uv run --no-sync (.*)$", hooks, re.M)

    assert entries
    assert len(entries) == hooks.count("- id: ") == hooks.count("language: system")
    assert re.findall(r"repo: (.*)", hooks) == ["local"]
    assert not [entry for entry in entries if f"'uv run {entry}'" not in CI]


@pytest.mark.once
def test_each_path_that_it_names_is_there():
    named = re.findall(r"`((?:apps|tests|docs|data|\.ci)/[^` ]*|[A-Za-z.-]+\.(?:md|toml|yaml))`", TEXT)

    assert len(named) > 10
    assert not [path for path in named if not (ROOT / path).exists()]


@pytest.mark.once
def test_the_licence_is_named_where_programs_look_and_each_file_of_data_has_its_own():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    data = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    files = {path.name for path in (ROOT / "data").iterdir()} - {"README.md"}

    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith(f"{declared['license']} License\n")
    licensed = re.findall(r"^\| `([^`]+)` \|[^|]*\|[^|]*\| [^|]*(?:public domain|CC BY 4\.0) \|", data, re.M)
    assert sorted(licensed) == sorted(files)


# -- the recipes -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_recipe_of_a_quality_rule_finds_what_it_is_about(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rules, "_rules", dict(rules._rules))
    before = set(rules._rules)
    for ident, municipality in {"BAD": "80 331", "GOOD": "München 2"}.items():
        Airport.objects.create(ident=ident, name=ident, airport_type="heliport", municipality=municipality)

    exec(recipe("Add a quality rule"), {})

    (code,) = set(rules._rules) - before
    assert [airport.pk for airport in findings_of(rules.rule_named(code))] == ["BAD"]


@pytest.fixture
def ltsv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Return a function that writes a file, for the reader of the recipe to read."""
    reader = ModuleType("ltsv")
    exec(recipe("Add a file format"), reader.__dict__)
    monkeypatch.setitem(rows._READERS, "ltsv", reader)
    detected = Detected(Reading(format="ltsv", encoding="utf-8"), b"")
    monkeypatch.setattr(rows, "detect", lambda source, how: detected)

    def write(text: str) -> SourceFile:
        path = tmp_path / "table.ltsv"
        path.write_text(text, encoding="utf-8")
        return from_path(path)

    return write


@pytest.mark.once
def test_the_recipe_of_a_file_format_reads_rows_with_their_lines(ltsv):
    raw = rows.read(ltsv("ident:KDEN\tname:Denver: Main\nname:Zürich\tident:LSZH\n"))

    assert raw.header == ["ident", "name"]
    assert [(chunk.lines, chunk.rows) for chunk in raw.chunks] == [
        ([1, 2], [["KDEN", "Denver: Main"], ["LSZH", "Zürich"]])
    ]


@pytest.mark.once
@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("ident:KDEN\tDenver\n", errors.FileDamaged, "table.ltsv, line 1 has 'Denver' without a label"),
        ("ident:K\nident:" + "x" * 200_000, errors.CellRefused, "line 2 is longer than 131,072 characters"),
    ],
)
def test_the_recipe_of_a_file_format_refuses_with_file_and_line(ltsv, text: str, error: type, sentence: str):
    with pytest.raises(error, match=sentence):
        list(rows.read(ltsv(text)).chunks)


@pytest.mark.django_db
def test_the_recipe_of_a_bulk_action_is_confirmed_recorded_and_undone(monkeypatch, operator, browse_as):
    added = {label: list(actions) for label, actions in ACTIONS._added.items()}
    monkeypatch.setattr(ACTIONS, "_added", added)
    for ident, elevation in {"HIGH": 5431, "NONE": None}.items():
        Airport.objects.create(ident=ident, name=ident, airport_type="heliport", elevation_ft=elevation)
    before, browser = all_rows(Airport), browse_as(operator)

    exec(recipe("Add a bulk action"), {})
    page = act(browser, LISTS["airport"], "clear_elevation", ["HIGH", "NONE"])
    assert all_rows(Airport) == before
    confirm(browser, LISTS["airport"], "clear_elevation", ["HIGH", "NONE"])

    assert "Clear the elevation of 1 airport" in page.content.decode()
    assert not Airport.objects.exclude(elevation_ft=None).exists()
    assert newest().counts == {"airports.airport": {"changed": 1}}
    undo(browser, newest())
    assert all_rows(Airport) == before
