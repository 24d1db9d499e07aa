"""The documents tell the truth: their commands run, and what there is to know is in them."""

import gzip
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import travelmathlite.settings
from docs import settings_page
from tests.console import Console

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted(ROOT.glob("docs/**/*.md")),
    ROOT / "data/README.md",
    ROOT / "benchmarks/README.md",
]
# Stories of the runbook begin in worlds where something went wrong; contributors use other commands than manage.py's,
# and add a model to a copy of the tree; a server is set up in the lane deploy. Their tests: test_runbook.py,
# test_contributing.py, test_recipe_model.py, deploy/test_deploying.py.
RECIPE = ROOT / "docs" / "recipes" / "add-a-model.md"
RUN_ELSEWHERE = (
    *(ROOT / "docs" / name for name in ("runbook.md", "operating.md", "deploying.md")),
    ROOT / "CONTRIBUTING.md",
    RECIPE,
)
SETTINGS_PAGE = settings_page.PAGE.read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
SOURCES = {
    path: path.read_text(encoding="utf-8")
    for folder in ("apps", "travelmathlite")
    for path in ROOT.glob(f"{folder}/**/*.py")
}
TOPS = ("apps", "travelmathlite", "tests", "benchmarks", "static", "docs", "deploy", ".ci")
TESTS = {path.name: path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/*.py")}
COMMANDS = sorted(
    {path.stem for top in ("apps/*", "travelmathlite") for path in ROOT.glob(f"{top}/management/commands/*.py")}
    - {"__init__"}
)

# Commands that no test runs, each with its reason.
NOT_RUN = {
    "pip install uv && uv run python manage.py demo": "starts a server: .ci/run runs it word for word in a fresh clone",
    "pip install uv && uv run pytest": "is how this test is run: .ci/run runs it word for word",
    "uv run python -m benchmarks": "takes minutes, and no test asserts a time: test_benchmarks.py runs it with --quick",
    "uv run python -m tests.matrix": "takes half an hour: tests/matrix asks a part of it",
}
MANAGE = "uv run python manage.py "
FILES = [path for top in TOPS for path in (ROOT / top).rglob("*") if path.is_file()] + list(ROOT.glob("*.*"))
# A file or folder may be named by any end of its path.
PLACES = {
    "/" + "/".join(parts[start:end])
    for parts in (path.relative_to(ROOT).parts for path in FILES)
    for end in range(1, len(parts) + 1)
    for start in range(end)
}
CODE_NAMES = {
    name
    for path in FILES
    if path.suffix == ".py" and path != Path(__file__)
    for name in re.findall(r"\w+", path.read_text(encoding="utf-8"))
}
# What newcomers read of how the code is made: it names files, folders and functions.
RECORDS = [ROOT / "docs" / "architecture.md", *sorted(ROOT.glob("docs/decisions/*.md"))]
# Names in them that are none of ours.
NAMES_OF_OTHERS = {"reset_dimensions": "a method of openpyxl's", "aAb": "the text of a cell"}
SNAPSHOT = ROOT / "data" / "ourairports-2022-10-11.csv.gz"


def commands_of(document: Path) -> list[str]:
    """Return the commands in the fenced blocks of a document, in order."""
    blocks = re.findall(r"^```(?:bash|console|sh)\n(.*?)^```", document.read_text(encoding="utf-8"), re.M | re.S)
    return [line for block in blocks for line in block.splitlines() if line.strip() and not line.startswith("#")]


def walk() -> Iterator[tuple[Path, str]]:
    """Yield each document with each command that is to be run, in order."""
    for document in DOCUMENTS:
        for command in commands_of(document):
            if command not in NOT_RUN and document not in RUN_ELSEWHERE:
                yield document, command


@pytest.fixture(scope="module")
def consoles(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[dict[Path, Console]]:
    """A console for each document with commands, with a database of its own; the README's is migrated by the demo.

    What the README says is done with the whole snapshot, the many commands of the others with a part of it.
    """
    folder = tmp_path_factory.mktemp("documents")
    part = _part_of_the_snapshot(folder)
    clean = {key: value for key, value in os.environ.items() if key not in ("SECRET_KEY", "DEBUG")}
    with ExitStack() as stack:
        made = {}
        for document in dict(walk()):
            file = shutil.copy(migrated_file, folder / f"{len(made)}.sqlite3")
            url = f"sqlite:///{file}"
            environment = {**clean, "DATABASE_URL": url, "BACKUP_DIR": str(folder / "backups")}
            bundled = None if document == ROOT / "README.md" else part
            made[document] = stack.enter_context(Console(environment, bundled=bundled))
        yield made


def _part_of_the_snapshot(folder: Path) -> Path:
    """Write a file with one in twenty airports of the snapshot, and all of Switzerland, of which the commands speak."""
    with gzip.open(SNAPSHOT, "rt", encoding="utf-8", newline="") as whole:
        header, *lines = whole
    part = folder / SNAPSHOT.name.removesuffix(".gz")
    kept = [line for number, line in enumerate(lines) if number % 20 == 0 or ',"CH",' in line]
    part.write_text("".join([header, *kept]), encoding="utf-8", newline="")
    return part


@pytest.mark.once
@pytest.mark.parametrize(
    ("document", "command"), [pytest.param(*each, id=f"{each[0].name}: {each[1]}") for each in walk()]
)
def test_each_command_in_a_document_runs_after_those_before_it(document: Path, command: str, consoles):
    assert command.startswith(MANAGE), "a test runs only manage.py; anything else is listed in NOT_RUN with its reason"

    consoles[document].manage(*shlex.split(command.removeprefix(MANAGE)))


def test_a_command_that_no_test_runs_is_in_a_document_and_not_listed_for_nothing():
    everywhere = {command for document in DOCUMENTS for command in commands_of(document)}

    assert set(NOT_RUN) <= everywhere


def test_the_readme_opens_with_its_two_commands_and_ci_runs_them():
    first, second, *_ = commands_of(ROOT / "README.md")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert [first, second] == list(NOT_RUN)[:2]
    assert "uv run python manage.py demo' README.md" in ci
    assert "uv run pytest' README.md" in ci
    assert 'lane_sqlite() { REQUIRE_BROWSER=1 TMPDIR=$quick each "$readme_test"; }' in ci, (
        "it runs whole, not split by markers"
    )
    assert "-p tests.covering" in ci


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_a_heading_in_the_reference_and_a_test(command: str):
    headings = [word for line in re.findall(r"^## (.*)", REFERENCE, re.M) for word in line.split(", ")]

    assert command in headings
    assert any(f'"{command}"' in text for text in TESTS.values()), f"no test calls {command}"


def test_the_reference_has_no_heading_for_a_command_that_is_not_there():
    headings = [word for line in re.findall(r"^## (.*)", REFERENCE, re.M) for word in line.split(", ")]

    assert sorted(headings) == COMMANDS


def test_each_check_code_is_documented_and_tested():
    codes = {code for text in SOURCES.values() for code in re.findall(r"\"([a-z]+\.[EWI]\d{3})\"", text)}

    assert codes
    assert not [code for code in codes if f"`{code}`" not in REFERENCE]
    assert not [code for code in codes if not any(code in text for text in TESTS.values())]


def test_each_environment_variable_is_in_the_page_of_settings_and_in_the_file_of_a_server():
    read = set(re.findall(r"(?:read_\w+|environ\.get)\(\s*\"([A-Z_]+)\"", settings_page.source()))
    table = set(re.findall(r"^\| `([A-Z_]+)` \|", SETTINGS_PAGE.partition(settings_page.MARK)[0], re.M))
    server = re.findall(r"^#?([A-Z_]+)=", (ROOT / "deploy" / "travelmathlite.env").read_text(encoding="utf-8"), re.M)

    assert read == table
    assert read == set(server)


def test_the_page_of_settings_has_every_setting():
    made = settings_page.page_of(SETTINGS_PAGE, settings_page.source())

    assert made == SETTINGS_PAGE, "run `uv run python docs/settings_page.py`"
    ours = {name for name in vars(travelmathlite.settings) if name.isupper()}
    told = set(re.findall(r"`([A-Z0-9_]+)`", made))
    # Words of the policy; what EMAIL_URL is taken apart into, and what docs/security.md has of single sign-on.
    assert {name for name in ours - told if not name.startswith(("EMAIL_", "OIDC_"))} == {"NONE", "SELF"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_links_to_is_there(document: Path):
    targets = re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8"))

    assert not [t for t in targets if "://" not in t and not (document.parent / t).exists()]


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_each_file_and_name_in_a_record_is_in_the_tree(record: Path):
    quoted = re.findall(r"`([^`\n]+)`", record.read_text(encoding="utf-8"))

    files = [word for word in quoted if re.fullmatch(r"[\w./-]+(\.(py|md|toml|lock)|/)", word)]
    assert not [file for file in files if f"/{file.strip('/')}" not in PLACES]
    mentioned = [word for word in quoted if word not in files and re.fullmatch(r"[\w.]+(\(\))?", word)]
    names = CODE_NAMES | set(NAMES_OF_OTHERS)
    assert not [word for word in mentioned if not set(re.findall(r"\b[^\W\d]\w*", word)) <= names]
