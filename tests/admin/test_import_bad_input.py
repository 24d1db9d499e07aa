"""Bad input through the upload page: a clear sentence, nothing written in any table, no file left behind."""

import csv
import io
import json
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.models import Changeset
from apps.imports.models import ImportRun, PlannedRow, RefusedCell
from apps.imports.plain import plain
from apps.imports.reading import sources
from tests.admin.runs import page
from tests.imports import trips
from tests.imports.files import COLUMNS, csv_text
from tests.imports.reading.conftest import zipped

pytestmark = pytest.mark.django_db
GOOD = csv_text({}, {})


@pytest.fixture(autouse=True)
def temporary(settings, tmp_path, monkeypatch) -> Iterator[Path]:
    """Give each test a folder for temporary files, and fail it when one is left there."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    settings.FILE_UPLOAD_TEMP_DIR = str(folder)
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def client(operator, browse_as, places) -> Any:
    return browse_as(operator)


def kept_files() -> list[Path]:
    folder = Path(django_settings.STORAGES["imports"]["OPTIONS"]["location"])
    return [path for path in folder.rglob("*") if path.is_file()]


def everything() -> list[Any]:
    """Return all tracked rows, their history, and every changeset."""
    tables = (Airport, City, Country)
    rows = [list(model.objects.order_by("pk").values()) for model in tables]
    history = [list(model.history.order_by("history_id").values_list("history_id", flat=True)) for model in tables]
    return [rows, history, list(Changeset.objects.values_list("pk", "status"))]


def refused(client: Any, data: bytes | str, name: str = "airports.csv", **posted: Any) -> str:
    """Upload a file that is refused as a whole, see that nothing of it is left, and return what the form says."""
    before = everything()
    answer = trips.upload(client, Airport, data.encode() if isinstance(data, str) else data, name, **posted)
    assert answer.status_code == 200
    assert everything() == before
    assert not any(model.objects.exists() for model in (ImportRun, PlannedRow, RefusedCell))
    assert kept_files() == []
    (sentence,) = answer.context["form"].errors["import_file"]
    assert escape(sentence) in answer.content.decode()
    assert "\n" not in sentence
    return sentence


def planned(client: Any, data: bytes | str, *, name: str = "airports.csv", **posted: Any) -> ImportRun:
    """Upload a file of which some rows are taken; the plan alone changes nothing."""
    before = everything()
    run = trips.planned(client, Airport, data.encode() if isinstance(data, str) else data, name, **posted)
    assert everything() == before
    return run


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


# -- the file as a whole -----------------------------------------------------------------------------------------


@pytest.mark.once
@pytest.mark.parametrize(
    ("data", "name", "sentence"),
    [
        ("", "airports.csv", "The file is empty."),
        ("\r\n\r\n", "airports.csv", "airports.csv is empty."),
        (GOOD.partition("\n")[0], "airports.csv",
         "airports.csv has a header but no rows: nothing can be imported from it."),
        ("[]", "airports.json", "airports.json is a list without objects: nothing can be imported from it."),
        (bytes(range(256)) * 40, "airports.csv",
         "airports.csv is not a text file but binary data: save the table as CSV or XLSX."),
        (GOOD + '9,"never closed\n', "airports.csv",
         "airports.csv ends inside a quoted cell: a quote is left open in the row that begins on line 4, "
            "or the file is cut short."),
        (GOOD + '9,"never closed\n' + "x,y\n" * 50_000, "airports.csv",
         "airports.csv, line 4: a cell is longer than 131,072 characters; is a quote left open?"),
        (csv_text({"name": "x" * 10_000_000}), "airports.csv",
         "airports.csv, line 2: a cell is longer than 131,072 characters; is a quote left open?"),
        (json.dumps([{"ident": "A1", "name": "x" * 10_000_000}]), "airports.json",
         "airports.json, object 1 is longer than 4,000,000 characters; is a quote left open?"),
        ('{"ident": "A1"}', "airports.json",
         "airports.json is JSON but no list of objects: write it as [{...}, {...}]."),
        ("[1, 2]", "airports.json",
         "airports.json, object 1 is text or a number, not an object: write the list as [{...}, {...}]."),
        ('[{"ident": ["A1"]}]', "airports.json",
         "airports.json, object 1, ident holds a list, and a table has one value in a cell: take it apart."),
        ("ident: A1", "airports.json", "airports.json is JSON but no list of objects: write it as [{...}, {...}]."),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "airports.csv",
         "airports.csv is a PNG picture, not a table: save the table as CSV or XLSX."),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "airports.xlsx",
         "airports.xlsx is a PNG picture, not a table: save the table as CSV or XLSX."),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_is_refused_in_one_sentence(client, data, name, sentence):
    assert refused(client, data, name) == sentence


@pytest.mark.once
@pytest.mark.parametrize(("size", "temporary_file"), [(900_000, False), (3_500_000, True)])
def test_a_file_above_the_limit_is_refused(client, monkeypatch, size, temporary_file):
    assert sources.SIZE_LIMIT == 200 * 2**20
    monkeypatch.setattr(sources, "SIZE_LIMIT", 3 * 2**20 if temporary_file else 2**19)

    sentence = refused(client, GOOD + "3,A,x\n" * (size // 6))

    mb = 3 if temporary_file else 0
    assert sentence == f"airports.csv is larger than {mb} MB: split it, or compress it as CSV with gzip."


@pytest.mark.once
def test_another_delimiter_than_chosen_is_refused(client):
    assert refused(client, GOOD, format="tsv") == (
        "airports.csv is separated by commas, not tabs: choose that, or let it be found out."
    )


@pytest.mark.once
@pytest.mark.parametrize("delimiter", [";", "|", "\t"])
@pytest.mark.parametrize("chosen", ["", "csv"])
def test_a_delimiter_of_other_programs_is_found_out(client, delimiter, chosen):
    assert planned(client, GOOD.replace(",", delimiter), format=chosen).counts["created"] == 2


@pytest.mark.once
def test_a_delimiter_that_nobody_knows_leads_to_the_mapping_and_no_further(client):
    before = everything()

    answer = trips.upload(client, Airport, GOOD.replace(",", "~").encode(), "airports.csv")

    run = ImportRun.objects.get()
    text = text_of(client.get(answer.url))
    assert (run.status, run.header) == ("uploaded", ["~".join(COLUMNS)])
    assert "id~ident~type" in text
    assert everything() == before


def bomb(inflated: int) -> bytes:
    """Return an XLSX whose sheet inflates to so many bytes, made without ever having them."""
    block = b'<row><c t="inlineStr"><is><t>x</t></is></c></row>'
    block *= 2**20 // len(block)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    one = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    times = inflated // len(block)
    sheet = "xl/worksheets/sheet1.xml"
    plain = zipped(**{"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>"})
    packed, size = one * times + b"\x03\x00", len(block) * times
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        start, entries = archive.start_dir, len(archive.infolist())
    sizes = struct.pack("<III", 0, len(packed), size)
    local = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0" + sizes + struct.pack("<HH", len(sheet), 0) + sheet.encode()
    entry = (
        b"PK\x01\x02\x14\0\x14\0\0\0\x08\0\0\0\0\0" + sizes + struct.pack("<HHHHHII", len(sheet), 0, 0, 0, 0, 0, start)
    )
    directory = plain[start : plain.rindex(b"PK\x05\x06")] + entry + sheet.encode()
    end = struct.pack("<HHHHIIH", 0, 0, entries + 1, entries + 1, len(directory), start + len(local) + len(packed), 0)
    return plain[:start] + local + packed + directory + b"PK\x05\x06" + end


@pytest.mark.once
def test_a_sheet_that_inflates_to_gigabytes_is_refused(client):
    data = bomb(3 * 2**30)
    assert len(data) < 20_000_000

    assert refused(client, data, "airports.xlsx") == (
        "airports.xlsx unpacks to more than 600 MB: save the table as CSV."
    )


@pytest.mark.parametrize("tail", [b'9,"never closed\n', b"9,A," + b"x" * 200_000 + b"\n"])
def test_what_is_found_only_further_down_fails_the_run_and_writes_nothing(client, tail):
    before = everything()
    rows = csv_text(*({} for _ in range(1000))).encode()

    answer = trips.upload(client, Airport, rows + tail, "airports.csv")

    run = ImportRun.objects.get()
    assert run.status == "failed"
    assert "quote is left open" in run.error or "is a quote left open?" in run.error
    assert escape(run.error) in client.get(answer.url).content.decode()
    assert not run.rows.exists()
    assert everything() == before


# -- single rows -------------------------------------------------------------------------------------------------

GIVEN = [
    ("name", "a\x00b", "control_character", "it contains a control character"),
    ("ident", "K" * 300, "too_long", "300 characters, at most 16 fit"),
    ("ident", "1.00E+07", "damaged",
     "a spreadsheet has turned this ident into a number: import the file as it was downloaded"),
    ("latitude_deg", "nan", "not_number", "it is not a number"),
    ("latitude_deg", "inf", "not_number", "it is not a number"),
    ("longitude_deg", "-Infinity", "not_number", "it is not a number"),
    ("latitude_deg", "1e400", "out_of_range", "it is not between -90 and 90"),
    ("latitude_deg", "91", "out_of_range", "it is not between -90 and 90"),
    ("longitude_deg", "-104,67", "decimal_comma", "write -104.67 with a point"),
    ("elevation_ft", "1e400", "not_integer", "it is not a whole number"),
    ("iso_country", "QQ", "unknown", "not a country code in two capital letters that ISO 3166-1 has"),
    ("name", "\u00e9" * 256, "too_long", "256 characters, at most 255 fit"),
    ("type", "<script>alert(1)</script>", "unknown",
     "unknown airport type, use one of: balloonport, closed, heliport, large_airport, medium_airport, seaplane_base, "
     "small_airport"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value", "rule", "hint"), GIVEN)
def test_a_bad_cell_refuses_its_row_and_says_where_and_why(client, column, value, rule, hint):
    run = planned(client, csv_text({}, {column: value}, {}))

    (cell,) = RefusedCell.objects.filter(run=run)
    shown = value.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:200]
    assert (cell.line, cell.column, cell.value, cell.rule, cell.hint) == (3, column, shown, rule, hint)
    assert (run.counts["created"], run.counts["refused"]) == (2, 1)
    text = text_of(page(client, run, bucket="refused"))
    for part in ("line 3", f'<span class="field">{column}</span>', hint, f"({rule})"):
        assert part in text
    assert escape(shown if len(shown) <= 80 else shown[:79]) in text
    assert "<script>alert" not in text


@pytest.mark.once
def test_ragged_rows_are_refused_one_by_one(client):
    run = planned(client, GOOD + "9,SHORT\n" + csv_text({"id": "8", "ident": "KLONG"}).splitlines()[1] + ",too,long\n")

    cells = list(RefusedCell.objects.filter(run=run).order_by("line").values_list("line", "column", "rule", "hint"))
    assert cells == [
        (4, "(row)", "ragged", "the row has 2 cells, the header 18"),
        (5, "(row)", "ragged", "the row has 20 cells, the header 18"),
    ]
    assert run.counts["created"] == 2
    assert "the row has 20 cells, the header 18" in text_of(page(client, run, bucket="refused"))


@pytest.mark.parametrize(("column", "value"), [("id", "7"), ("ident", "KTWO")])
def test_a_key_in_two_rows_refuses_both_and_names_both(client, column, value):
    run = planned(client, csv_text({column: value}, {"ident": "KONE"}, {column: value}))

    cells = list(RefusedCell.objects.filter(run=run).order_by("line").values_list("line", "value", "rule", "hint"))
    assert cells == [
        (2, value, "twice_in_file", f"line 4 has the same {column}; both are refused"),
        (4, value, "twice_in_file", f"line 2 has the same {column}; both are refused"),
    ]
    assert run.counts["created"] == 1


@pytest.mark.once
def test_comma_decimals_between_semicolons_are_asked_about_and_read(client):
    text = csv_text({"latitude_deg": "39.86"}).replace(",", ";").replace("39.86", "39,86")

    answer = trips.upload(client, Airport, text.encode(), "airports.csv")
    page = client.get(answer.url)
    fields = {field["name"]: field["title"] for field in page.context["fields"]}
    client.post(answer.url, {"source": "snapshot", **fields})

    assert "decimal comma to point" in page.content.decode()
    run = ImportRun.objects.get()
    assert (run.status, run.counts["created"], run.counts["refused"]) == ("planned", 1, 0)


@pytest.mark.once
def test_comma_decimals_that_nobody_spoke_of_are_refused_with_the_number_to_write(client):
    text = csv_text({"latitude_deg": "39.86"}, {"latitude_deg": "40,86"}).replace(",", ";").replace("40;86", "40,86")

    run = planned(client, text)

    (cell,) = RefusedCell.objects.filter(run=run)
    assert (cell.column, cell.value, cell.hint) == ("latitude_deg", "40,86", "write 40.86 with a point")


def test_na_is_namibia(client):
    run = planned(client, csv_text({"iso_country": "NA", "iata_code": "NA", "municipality": "NA"}))

    trips.confirmed(client, run)

    airport = Airport.objects.get(pk="K001")
    assert (airport.country.iso_code, airport.country.name) == ("NA", "Namibia")
    assert (airport.iata_code, airport.city.name) == ("NA", "NA")


ODD_NAMES = [
    '<script>alert("x")</script>',
    "<img src=x onerror=alert(1)>",
    "=HYPERLINK(1)",
    "{{ 7 }}{% now %}",
    "مطار بيروت",
    "\u202egnp.exe\u202c",
    "zero\u200bwidth\ufeff",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_stored_as_text_and_shown_as_text(client, name):
    run = planned(client, csv_text({"name": name, "municipality": name}))
    name = plain(name)
    assert escape(name) in page(client, run).content.decode()

    run = trips.confirmed(client, run)

    airport = Airport.objects.get(pk="K001")
    assert (airport.name, airport.city.name) == (name, name)
    for address in ("/admin/airports/airport/?q=K001", f"/admin/changesets/changeset/{run.changeset_id}/change/"):
        text = client.get(address).content.decode()
        assert escape(name) in text
        assert "<script>alert" not in text
        assert "<img src=x" not in text


def test_a_refused_formula_is_shown_as_text_and_comes_back_harmless(client):
    run = planned(client, csv_text({}, {"name": "=cmd()|<b>", "type": "?"}))

    answer = client.get(f"/admin/imports/importrun/{run.pk}/refused.csv")

    assert "'=cmd()|<b>" in b"".join(answer.streaming_content).decode("utf-8-sig")


def test_refused_rows_that_are_mended_in_part_come_back_with_one_reason_and_the_same_values(client):
    header = "ident,name,latitude_deg,longitude_deg"
    text = f"{header}\nK001,=cmd(),91,1\nK002,'=guarded,92,1\nK003,too,many,cells,in,it\nK004,-few\n"

    for _ in range(2):
        run = planned(client, text, source="corrections")
        answer = client.get(f"/admin/imports/importrun/{run.pk}/refused.csv")
        text = b"".join(answer.streaming_content).decode("utf-8-sig")

    first, *rows = csv.reader(text.splitlines())
    assert first == [*header.split(","), "why"]
    assert [row[:4] for row in rows[:2]] == [["K001", "'=cmd()", "91", "1"], ["K002", "'=guarded", "92", "1"]]
    assert [len(row) for row in rows] == [5, 5, 7, 5]
    assert all("line" in row[-1] or ":" in row[-1] for row in rows)


def test_every_bad_cell_of_a_file_is_named_and_the_good_rows_are_taken(client):
    run = planned(client, csv_text({}, *({column: value} for column, value, _rule, _hint in GIVEN), {}))

    trips.confirmed(client, run)

    assert RefusedCell.objects.filter(run=run).count() == len(GIVEN)
    assert Airport.objects.filter(pk__in=["K001", f"K{len(GIVEN) + 2:03}"]).count() == 2
    assert Airport.objects.count() == 3 + 2
