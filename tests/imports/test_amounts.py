"""Work has a price: what is small unpacked is done at once, and how much one person may have open and kept."""

import gzip
import io
import zipfile

import pytest
from django.core.files.storage import storages

from apps.airports.columns import OURAIRPORTS
from apps.imports.errors import CellRefused, FileDamaged, RunRefused
from apps.imports.models import RunStatus
from apps.imports.reading.sources import from_path
from apps.imports.results import ImportOptions
from apps.imports.runs.confirming import cancel_run, start_again
from apps.imports.runs.opening import open_run, set_options
from apps.imports.tasks import start_planning
from tests.imports.files import csv_text
from tests.imports.runs import put

pytestmark = pytest.mark.django_db
MOST = 50_000


def xlsx(rows: str, strings: str = "") -> bytes:
    """Return a workbook of these rows, in XML."""
    parts = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": '<workbook xmlns:r="r"><sheets><sheet name="a" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="rId1" Type="/worksheet" '
        'Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="/sharedStrings" Target="sharedStrings.xml"/>'
        "</Relationships>",
        "xl/sharedStrings.xml": f"<sst>{strings}</sst>",
        "xl/worksheets/sheet1.xml": f"<worksheet><sheetData>{rows}</sheetData></worksheet>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def cell(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


MANY = gzip.compress(csv_text(*({"keywords": "a" * 500} for _ in range(200))).encode())
FULL = xlsx(f"<row>{cell('ident')}{cell('name')}</row>" + f"<row>{cell('K1')}{cell('n' * 500)}</row>" * 200)
# Each cell takes a few bytes, and has the same long text.
SHARED = xlsx(
    '<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row>'
    + '<row><c t="s"><v>0</v></c><c t="s"><v>2</v></c></row>' * 90,
    f"<si><t>ident</t></si><si><t>name</t></si><si><t>{'n' * 1000}</t></si>",
)


@pytest.mark.parametrize("content", [MANY, FULL, SHARED], ids=["gzip", "a sheet", "one text in many cells"])
def test_a_small_file_that_unpacks_to_a_large_one_waits_for_a_worker(airports_file, settings, content):
    settings.IMPORTS_AT_ONCE_BYTES = MOST
    file = airports_file(raw=content)
    run = open_run(from_path(file), spec=OURAIRPORTS, options=ImportOptions(corrections=True), actor=None, reason="x")

    assert len(content) < MOST
    assert start_planning(run) is False
    assert run.status == RunStatus.UPLOADED


def test_blank_lines_without_end_are_not_read_to_their_end(airports_file):
    file = airports_file(raw=gzip.compress(b"ident,name\n" + b"\n" * 30_000_000))

    with pytest.raises(FileDamaged, match="more than 100,000 lines are blank"):
        open_run(from_path(file), spec=OURAIRPORTS, options=ImportOptions(), actor=None, reason="x")


def test_a_title_without_end_is_refused(airports_file):
    file = airports_file(raw=f"ident,{'n' * 1001}\nK1,x\n")

    with pytest.raises(CellRefused, match="a title of 1,001 characters"):
        open_run(from_path(file), spec=OURAIRPORTS, options=ImportOptions(), actor=None, reason="x")


def test_a_small_packed_file_is_planned_at_once(airports_file):
    run = open_run(
        from_path(airports_file(raw=gzip.compress(csv_text({}).encode()))),
        spec=OURAIRPORTS, options=ImportOptions(), actor=None, reason="x",
    )  # fmt: skip

    assert start_planning(run) is True


def test_one_person_has_so_many_open_imports(opened, operator, viewer, settings):
    settings.IMPORTS_OPEN_RUNS = 2
    first, second = opened(actor=operator), opened(actor=operator)

    with pytest.raises(RunRefused) as refused:
        opened(actor=operator)

    assert str(refused.value) == (
        f"One person may have 2 open imports at a time: finish or cancel {first}, {second} first."
    )
    assert opened(actor=viewer)
    assert opened()
    cancel_run(first, actor=None)
    assert opened(actor=operator)


@pytest.mark.parametrize(
    "open_again",
    [
        lambda run, actor: start_again(run, actor=actor),
        lambda run, actor: set_options(run, ImportOptions(), actor=actor),
    ],
    ids=["start again", "other options"],
)
def test_an_ended_import_is_not_opened_again_beyond_that(opened, operator, settings, open_again):
    settings.IMPORTS_OPEN_RUNS = 1
    ended = put(opened(actor=operator), RunStatus.CANCELLED)
    opened(actor=operator)

    with pytest.raises(RunRefused, match="One person may have 1 open import at a time"):
        open_again(ended, operator)


def test_options_of_an_open_import_can_be_changed_however_many_there_are(opened, operator, settings):
    settings.IMPORTS_OPEN_RUNS = 1

    assert set_options(opened(actor=operator), ImportOptions(corrections=True), actor=operator)


def test_files_of_ended_imports_make_room_and_those_of_open_ones_do_not(opened, operator, settings):
    ended = put(opened({"name": "A" * 9}, actor=operator), RunStatus.FAILED)
    settings.IMPORTS_KEPT_BYTES = ended.file_size * 2
    applied = put(opened({"name": "B" * 9}, actor=operator), RunStatus.APPLIED)
    waiting = opened({"name": "C" * 9}, actor=operator)

    latest = opened({"name": "D" * 9}, actor=operator)

    ended.refresh_from_db()
    applied.refresh_from_db()
    assert (ended.kept_as, bool(applied.kept_as)) == ("", True)
    with pytest.raises(RunRefused, match=f"finish or cancel {waiting}, {latest} first"):
        opened({"name": "E" * 9}, actor=operator)
    assert len(storages["imports"].listdir("")[1]) == 3
