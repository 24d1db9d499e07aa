"""The runbook does what it says: each of its blocks is run, in a database prepared as its story begins."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import resolve

from tests.runbook import preparing
from tests.runbook.document import Story, read_stories
from tests.runbook.running import Runner, fits
from tests.runbook.worlds import ROOT, Worlds, at

DOCUMENTS = [ROOT / "docs" / name for name in ("runbook.md", "operating.md")]
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in DOCUMENTS}
TEXT = "\n".join(TEXTS.values())
# Sections about how to work, not about what went wrong.
NO_SCENARIO = {
    "What happened",
    "The first five minutes",
    "How to read this page",
    "The schedule",
    "Before, during and after something risky",
}
# Lines that a reader sees without scrolling, at most.
SCREEN = 50
ENGINE = "postgresql" if "postgres" in os.environ.get("DATABASE_URL", "") else "sqlite"
ALL = [(path, story) for path in DOCUMENTS for story in read_stories(path)]
STORIES = [(path, story) for path, story in ALL if ENGINE in story.on and story.blocks_on(ENGINE)]


@pytest.fixture
def _django_db_helper() -> None:
    """Stand in for pytest-django's own, which would open the database of the tests: stories have others."""


@pytest.fixture(scope="module")
def worlds(django_db_setup: None, django_db_blocker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    """The databases that stories start from."""
    with django_db_blocker.unblock():
        made = Worlds(tmp_path_factory.mktemp("worlds"))
        yield made
        made.drop()


@pytest.fixture
def runner(worlds: Worlds, story: Story, tmp_path: Path) -> Iterator[Runner]:
    """Runs blocks in a folder and a database of this story's own."""
    database = worlds.copy(story.world, tmp_path / "db.sqlite3")
    for name in ("airports.csv", "newer.csv"):
        (tmp_path / name).symlink_to(worlds.folder / name)
    for name in ("manage.py", "data"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "backups").mkdir(mode=0o700)
    for script in (ROOT / "backups").glob("*.sh"):
        shutil.copy(script, tmp_path / "backups")
    with at(database, tmp_path):
        running = Runner(tmp_path, database)
        yield running
        running.close()


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "story"), STORIES, ids=lambda about: getattr(about, "title", ""))
def test_a_story_of_the_runbook_goes_as_it_says(path: Path, story: Story, runner: Runner):
    preparing.prepare(story.prepare, runner)
    for block in story.blocks_on(ENGINE):
        preparing.prepare(block.prepare, runner)

        code, said = runner.run(block)

        promised = f"exit {block.exit}\n{block.output if block.output is not None else '…'}"
        if block.exit not in (code, None) or (block.output is not None and not fits(runner.meant(block.output), said)):
            pytest.fail(
                f"{path.name}:{block.line}\n{block.text}\n--- promised: {promised}\n--- said: exit {code}\n{said}",
                pytrace=False,
            )


def test_each_block_is_run_on_some_engine():
    assert not [block.line for _, story in ALL for block in story.blocks if not {*story.on} & {*block.on}]


def sections() -> dict[str, str]:
    """Return the sections of both pages by their headings."""
    found = [pair for text in TEXTS.values() for pair in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", text, re.M | re.S)]
    return dict(found)


def test_each_procedure_fits_on_a_screen():
    long = {}
    for text in TEXTS.values():
        # What readers do not see.
        seen = re.sub(r"^<!--.*?-->\n+", "", text, flags=re.M)
        for title, body in re.findall(r"^##+ (.*?)\n(.*?)(?=^##+ |\Z)", seen, re.M | re.S):
            long |= {title: body.count("\n")} if body.count("\n") > SCREEN else {}

    assert not long


def test_no_command_has_a_number_that_somebody_would_copy():
    blocks = [block for _, story in ALL for block in story.blocks if block.language in ("bash", "sql")]
    before = r"\b(?:revert|show|diff|cancel|kill -9) |--(?:changeset|upto|since|before)[ =]|backend\("
    numbers = rf"(?:{before})[\"']?\d+|\d{{8}}-\d{{6}}"

    assert not [found for block in blocks for found in re.findall(numbers, block.text)]


def test_the_runbook_opens_with_the_first_five_minutes():
    first = re.search(r"^## (.*)$", TEXTS["runbook.md"], re.M)

    assert first[1] == "The first five minutes"


@pytest.mark.parametrize("section", sections().keys() - NO_SCENARIO)
def test_a_scenario_says_what_one_sees_how_to_make_sure_what_to_do_and_what_if_that_fails(section: str):
    said = sections()[section]

    assert not [word for word in ("Symptom", "Check", "Command", "Admin", "If that fails") if f"**{word}" not in said]


def test_the_table_leads_to_sections_that_are_there():
    anchors = {
        name + anchor_of(title) for name, text in TEXTS.items() for title in re.findall(r"^##+ (.*)$", text, re.M)
    }
    links = {
        (page or name) + anchor
        for name, text in TEXTS.items()
        for page, anchor in re.findall(r"\]\((runbook\.md|operating\.md)?(#.*?)\)", text)
    }

    assert not links - anchors


def anchor_of(title: str) -> str:
    """Return the anchor that a heading has."""
    return "#" + re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def test_the_addresses_in_the_admin_are_there():
    addresses = re.findall(r"`(/admin/.*?)`", TEXT)

    assert addresses
    assert [resolve(address) for address in addresses]


def test_what_is_to_be_pressed_in_the_admin_is_called_so_there():
    told = " ".join(re.findall(r"^\*\*Admin\.\*\*(.*?)\n\n", TEXT, re.M | re.S))
    labels = {" ".join(label.split()) for label in re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", told)}
    pages = [*ROOT.glob("apps/**/*.py"), *ROOT.glob("templates/**/*.html")]
    source = "\n".join(page.read_text(encoding="utf-8") for page in pages)

    assert labels
    assert not [label for label in labels if label not in source]


@pytest.mark.parametrize(
    ("promised", "said"),
    [
        ("97\n", "97\n"),
        ("#2 2026-11-24 10:23 import …\n", "#2      2027-01-02 03:04  import   applied\n"),
        ("a\n…\nb\n", "a\nb\n"),
        ("a\n…\nb\n", "a\n1\n2\nb\n"),
        ("20261124-101500-before-import made\n", "20270102-030405-before-import-02 made\n"),
    ],
)
def test_a_promise_is_kept(promised: str, said: str):
    assert fits(promised, said)


@pytest.mark.parametrize(
    ("promised", "said"),
    [
        ("97\n", "98\n"),
        ("97\n", "97\n98\n"),
        ("a …\n", "a 1\n2\n"),
        ("#2 2026-11-24 10:23\n", "#2 soon\n"),
        ("20261124-101500-full made\n", "20270102-030405-data made\n"),
    ],
)
def test_a_promise_is_broken(promised: str, said: str):
    assert not fits(promised, said)


@pytest.mark.parametrize(
    "text",
    ["```bash\ntrue\n```\n", "<!-- story: world=empty -->\n```perl\n1;\n```\n", "```output\nnothing\n```\n"],
    ids=["outside of stories", "in a language nobody runs", "output of nothing"],
)
def test_a_block_that_nobody_would_run_is_refused(text: str, tmp_path: Path):
    (tmp_path / "runbook.md").write_text(text)

    with pytest.raises(ValueError, match="line "):
        read_stories(tmp_path / "runbook.md")
