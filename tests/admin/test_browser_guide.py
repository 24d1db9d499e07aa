"""The guide for people without a terminal: each numbered step of its pages is carried out as it is written there."""

import re
import shutil
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Locator, Page, expect

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.history.words import SIGNS
from apps.changesets.models import Changeset
from apps.quality.rules import SIGNS as SEVERITIES
from docs.moving_pictures import Film
from docs.screenshots import FOLDER
from tests.imports.files import csv_text

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
# What a step says to do, or what it says that one reads: bold is on the page, code is typed or tells rows apart.
INSTRUCTION = re.compile(
    r"(?:[Pp]ress|[Oo]pen|there) \*\*(?P<press>[^*]+)\*\*(?: in the row of `(?P<row>[^`]+)`)?"
    r"|[Tt]ick `(?P<tick>[^`]+)`"
    r"|[Ww]rite `(?P<text>[^`]+)` in \*\*(?P<box>[^*]+)\*\*"
    r"|[Cc]hoose `(?P<file>[^`]+)` in \*\*(?P<upload>[^*]+)\*\*"
    r"|press (?P<key>Enter)"
    r"|\*(?P<read>[^*]+)\*"
)
DENVER = {"ident": "KDEN", "id": "1", "name": "Denver International Airport"}
CENTENNIAL = {"ident": "KAPA", "id": "2", "name": "Centennial Airport", "iata_code": "APA"}
MUNICH = {"ident": "EDDM", "id": "3", "name": "Munich Airport", "iata_code": "MUC", "iso_country": "DE"}


def steps_of(name: str) -> list[str]:
    """Return the numbered steps of a page, each on one line, in order."""
    text = (GUIDE / f"{name}.md").read_text(encoding="utf-8")
    return [" ".join(step.split()) for step in re.findall(r"^\d+\. (.+?)(?=\n\S|\n\n|\Z)", text, re.M | re.S)]


def pattern_of(words: str) -> str:
    """Return a pattern of these words, with or without spaces between them, as a sign and its number stand together."""
    return r"\s*".join(re.sub(r"\d[\d,]*", r"[\\d,]+", re.escape(word)) for word in words.split())


def shown(words: str) -> re.Pattern[str]:
    """Return what matches these words on a page; numbers may be others, as they are where there is more data."""
    return re.compile(rf"^\s*{pattern_of(words)}\s*$")


class Reader:
    """Somebody who does what a step of the guide says, and nothing else."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page, self.folder = page, folder

    def follow(self, step: str) -> None:
        """Do all that a step says."""
        for said in INSTRUCTION.finditer(step):
            if said["press"]:
                self.on_page(said["press"], said["row"]).click()
            elif said["tick"]:
                self.rows(said["tick"]).get_by_role("checkbox").check()
            elif said["text"]:
                self.boxes(said["box"]).first.fill(said["text"])
            elif said["file"]:
                self.page.get_by_label(said["upload"], exact=True).set_input_files(self.folder / said["file"])
            elif said["key"]:
                self.page.keyboard.press(said["key"])
            else:
                pattern = re.compile(pattern_of(said["read"]), re.I)  # Some headings are in capitals.
                expect(self.page.locator("#container")).to_contain_text(pattern, use_inner_text=True)

    def on_page(self, words: str, row: str | None) -> Locator:
        """Return what can be pressed and has just these words on it."""
        where = self.rows(row) if row else self.page
        return where.locator("a:visible, button:visible, summary:visible").filter(has_text=shown(words)).first

    def boxes(self, label: str) -> Locator:
        """Return where one types, by the beginning of its label: more may follow, such as that it is optional."""
        return self.page.get_by_label(re.compile("^" + re.escape(label))).and_(self.page.locator("input"))

    def rows(self, words: str) -> Locator:
        return self.page.locator("tr, .to-do li, .entry").filter(has_text=words)


@pytest.fixture
def follow(live_server, page, log_in, steward, tmp_path) -> Callable[[str], None]:
    """Return a function that carries out a page of the guide, beginning on the first page of the console."""

    def carry_out(name: str) -> None:
        log_in(steward)
        page.goto(f"{live_server.url}/admin/")
        for step in steps_of(name):
            Reader(page, tmp_path).follow(step)

    return carry_out


@pytest.fixture
def import_file(tmp_path) -> Callable[..., Changeset]:
    """Return a function that imports rows, as a colleague did it, for a reason."""

    def bring_in(*rows: dict[str, str], reason: str) -> Changeset:
        (tmp_path / "colleague.csv").write_text(csv_text(*rows))
        call_command("import_airports", file=str(tmp_path / "colleague.csv"), reason=reason, verbosity=0)
        return Changeset.objects.first()

    return bring_in


@pytest.fixture
def airports(transactional_db, import_file) -> None:
    """Three airports from a file."""
    import_file(DENVER, CENTENNIAL, MUNICH, reason="first import")


@pytest.fixture
def wrong_file(airports, import_file) -> None:
    """A file that gave two airports wrong names, and added one."""
    rows = {**DENVER, "name": "Denver 1"}, {**CENTENNIAL, "name": "Centennial 1"}, MUNICH
    import_file(*rows, {"ident": "KXXX", "id": "9", "name": "Nowhere"}, reason="the Friday file")


def names() -> dict[str, str]:
    return dict(Airport.objects.values_list("ident", "name"))


@pytest.mark.browser
def test_your_first_import(airports, follow, tmp_path):
    rows = {**DENVER, "name": "Denver Intl"}, CENTENNIAL, MUNICH, {"ident": "KBKF", "id": "4", "name": "Buckley"}
    bad = {"ident": "KXXX", "id": "9", "latitude_deg": "95"}
    (tmp_path / "airports.csv").write_text(csv_text(*rows, bad))

    follow("first-import")

    assert names() == {"KDEN": "Denver Intl", "KAPA": "Centennial Airport", "EDDM": "Munich Airport", "KBKF": "Buckley"}
    assert Changeset.objects.first().reason == "spring refresh"


@pytest.mark.browser
def test_a_colleagues_file_was_wrong(wrong_file, follow, edit):
    edit("KAPA", name="Centennial by hand")

    follow("wrong-file")

    undone, reverted = Changeset.objects.filter(kind="revert")
    assert (reverted.reason, undone.reason) == ("it was the file of last year", "the file was right")
    assert names() == {"KDEN": "Denver 1", "KAPA": "Centennial by hand", "EDDM": "Munich Airport", "KXXX": "Nowhere"}


@pytest.mark.browser
def test_review_a_week_of_changes(airports, follow, edit, operator):
    made = edit("KDEN", actor=operator, reason="its new name", name="Denver Intl")

    follow("review-a-week")

    made.refresh_from_db()
    assert (made.reviewed_by_name, made.review_comment) == ("stan", "as their own page has it")
    assert names()["KDEN"] == "Denver Intl"


@pytest.mark.browser
def test_bring_something_back(airports, follow, edit, operator):
    edit("KDEN", actor=operator, reason="a typing mistake", name="Denver Intl")
    with changeset(kind="delete", actor=operator, reason="Closed"):
        Airport.objects.filter(pk="KAPA").delete()

    follow("bring-back")

    assert names() == {each["ident"]: each["name"] for each in (DENVER, CENTENNIAL, MUNICH)}


@pytest.mark.browser
def test_what_the_signs_mean(wrong_file, follow):
    follow("signs")


def test_the_page_of_signs_has_every_sign_with_its_word():
    rows = re.findall(r"^\| (\S) \| ([\w ]+) \|", (GUIDE / "signs.md").read_text(encoding="utf-8"), re.M)

    severities = [(sign, severity.label) for severity, sign in SEVERITIES.items()]
    assert rows == list(chain(SIGNS.values(), severities))


PAGES = sorted(path.stem for path in GUIDE.glob("*.md") if path.stem != "index")


@pytest.mark.parametrize("name", PAGES)
def test_each_name_in_a_step_is_followed_by_a_test(name: str):
    steps = steps_of(name)

    assert steps
    assert f'follow("{name}")' in Path(__file__).read_text(encoding="utf-8")
    left = [INSTRUCTION.sub("", step) for step in steps]
    assert not [step for step in left if "*" in step or "`" in step]


def test_the_guide_opens_with_a_link_to_each_page():
    linked = re.findall(r"^\d\. \[.+?\]\((\S+)\.md\)", (GUIDE / "index.md").read_text(encoding="utf-8"), re.M)

    assert sorted(linked) == PAGES


@pytest.mark.parametrize("picture", sorted(FOLDER.glob("*.webp")), ids=lambda path: path.stem)
def test_a_moving_picture_is_small_and_in_the_guide(picture: Path):
    content = picture.read_bytes()

    assert b"ANIM" in content[:64]
    assert len(content) < 2_000_000
    assert any(f"/{picture.name})" in page.read_text(encoding="utf-8") for page in GUIDE.glob("*.md"))


@pytest.mark.browser
@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="no ffmpeg here: install Debian's package ffmpeg")
def test_what_is_pressed_is_filmed(live_server, page, log_in, airports, steward, tmp_path):
    log_in(steward)
    page.goto(f"{live_server.url}/admin/")
    film = Film(page, tmp_path / "film")

    film.show()
    film.press(page.get_by_role("link", name="Import airports…"))
    film.save(tmp_path / "film.webp")

    assert page.url.endswith("/airports/airport/import/")
    plain, marked, after = ((tmp_path / "film" / f"00{number}.png").read_bytes() for number in range(3))
    assert len({plain, marked, after}) == 3
    assert b"ANIM" in (tmp_path / "film.webp").read_bytes()[:64]
