"""Files that their owners think of as tables, through a command and the stored plan of the admin alike."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from apps.airports.models import Airport
from apps.imports.models import ImportRun
from apps.imports.reading import json_table
from apps.imports.reading.rows import Reading, rows_at
from apps.imports.runs.files import kept_file
from tests.admin.runs import IMPORTS
from tests.imports import trips

# What is in a file is found out before any database is asked.
pytestmark = [pytest.mark.django_db, pytest.mark.once]
CASES = Path(__file__).parent / "cases"
AIRPORTS = ({"ident": "KDEN"}, {"ident": "LSZH"}, {"ident": "EPWA"}, {"ident": "ZBAA"})


@pytest.fixture(autouse=True)
def airports(import_file: Callable) -> None:
    """Import the airports that the cases are about."""
    import_file(*AIRPORTS)


@pytest.fixture
def client(operator, browse_as) -> Client:
    return browse_as(operator)


def command(path: Path, *options: str, name: str = "import_airports") -> dict:
    """Import a file of corrections by a command, and return what it prints."""
    out = io.StringIO()
    call_command(name, "--file", str(path), "--source", "corrections", "--json", *options, stdout=out)
    return json.loads(out.getvalue())


def refused(path: Path, *options: str, name: str = "import_airports") -> str:
    """Return the sentence with which a command refuses a file, in a dry run as well as without."""
    sentences = set()
    for more in (["--dry-run"], []):
        with pytest.raises(CommandError) as caught:
            command(path, *options, *more, name=name)
        assert caught.value.returncode == 1
        sentences.add(str(caught.value))
    (sentence,) = sentences
    return sentence


def written(folder: Path, data: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize(
    ("case", "changed", "total"),
    [
        ("18-caret.csv", {"KDEN": {"name": "Denver", "elevation_ft": 5434}}, 1),
        ("19-title-above.csv", {"KDEN": {"name": "Denver", "elevation_ft": 5434}}, 1),
        ("20-sep-line.csv", {"KDEN": {"name": "Denver"}}, 1),
        ("22-nested.json", {"KDEN": {"name": "Denver"}}, 1),
        ("24-lines.jsonl", {"KDEN": {"name": "Denver"}, "LSZH": {"name": "Zurich", "elevation_ft": 1417}}, 2),
        ("25-blank-lines.csv", {"KDEN": {"name": "Denver"}, "LSZH": {"name": "Zurich", "municipality": "Zurich"}}, 2),
    ],
)
def test_18_19_20_22_24_25_the_case_is_read_as_its_owner_means_it(client, case, changed, total):
    path = CASES / case
    counts = {"total": total, "updated": len(changed), "refused": 0, "created": 0}

    plan = command(path, "--dry-run")
    run = trips.planned(client, Airport, path.read_bytes(), case, source="corrections")
    trips.confirmed(client, run)

    assert plan.items() >= counts.items()
    assert run.counts.items() >= counts.items()
    for ident, values in changed.items():
        assert Airport.objects.filter(pk=ident, **values).exists()


@pytest.mark.parametrize(
    "text",
    [
        "Airports of the region\nprinted 2 May\n\nident,name,elevation_ft\nKDEN,,91000.5x\n",
        '"Airports" of the region,,\n"printed\n 2 May",,\nident,name,elevation_ft\nKDEN,,91000.5x\n',
        'sep=,\n\n"A",,\nident,name,elevation_ft\nKDEN,,91000.5x\n',
    ],
)
def test_refusals_below_a_heading_name_the_line_of_the_file(client, tmp_path, text):
    run = trips.planned(client, Airport, text.encode(), "headed.csv", source="corrections")

    (cell,) = run.refused_cells.all()
    assert (cell.line, cell.column) == (text.count("\n"), "elevation_ft")
    assert f"line {text.count(chr(10))}" in refused(written(tmp_path, text), "--strict")
    assert b"91000.5x" in client.get(f"{IMPORTS}{run.pk}/refused.csv").getvalue()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name\nfirst, second\n", "Found: name."),
        ("name\n1,2\n3,4\n", "Found: name."),
        ("Airports,,\n1,2,3\n4,5,6\n", "Found: Airports, , ."),
        ("a,b,c\n1,2,3,\n4,5,6,\n", "Found: a, b, c."),
    ],
)
def test_no_row_of_values_is_taken_for_titles(tmp_path, text, sentence):
    assert sentence in refused(written(tmp_path, text))


@pytest.mark.parametrize("blank", ["", ",,", " ,\t,", '"","",""', '"\n",,'])
def test_blank_lines_are_no_rows_wherever_they_stand(tmp_path, blank):
    text = f"{blank}\nident,name,elevation_ft\n{blank}\nKDEN,Denver,\n{blank}\n{blank}\nLSZH,Zurich,\n{blank}\n"

    assert command(written(tmp_path, text)).items() >= {"total": 2, "updated": 2, "refused": 0}.items()


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", "\ufeffsep=;"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_delimiter_that_the_first_line_says_is_obeyed(tmp_path, first, end):
    text = end.join([first, "ident;name,full", "KDEN;a,b", "LSZH;c", ""])

    assert command(written(tmp_path, text)).items() >= {"total": 2, "refused": 0}.items()


# The cases 13, 14 and 15; all files of the tree are UTF-8.
LODZ = "ident,name,municipality\nEPWA,Lotnisko w Łodzi,Łódź\n"


@pytest.mark.parametrize(
    ("text", "encoding", "word"),
    [
        pytest.param(LODZ, "cp1250", "Łodzi", id="13-cp1250"),
        pytest.param("ident,municipality\nLSZH,Zürich\n", "mac-roman", "Zürich", id="14-mac-roman"),
        pytest.param("ident,municipality\nZBAA,北京\n", "gb18030", "北京", id="15-gb18030"),
    ],
)
def test_13_14_15_the_encoding_of_a_text_is_not_believed_but_asked_for(client, tmp_path, text, encoding, word):
    path = written(tmp_path, text.encode(encoding))
    before = Airport.history.count()

    asked = f"table.csv is neither UTF-8 nor UTF-16: give its --encoding, such as {encoding} ({word})"
    assert asked in refused(path)
    assert Airport.history.count() == before
    assert command(path, "--dry-run", "--encoding", encoding.upper())["updated"] == 1
    run = trips.planned(client, Airport, path.read_bytes(), path.name, source="corrections", encoding=encoding)
    trips.confirmed(client, run)

    (row,) = csv.DictReader(io.StringIO(text))
    assert Airport.objects.filter(**row).exists()


@pytest.mark.parametrize("name", ["update_airports", "import_cities"])
def test_every_command_asks_for_the_encoding_and_takes_it(tmp_path, name):
    path = written(tmp_path, "ident;name;country;timezone;note\nKDEN;Denver;US;Europe/Berlin;Gruß\n".encode("cp1252"))
    options = [] if name == "import_cities" else ["--source", "corrections"]
    said = ("--file", str(path), "--json", "--dry-run", *options)

    with pytest.raises(CommandError, match=r"give its --encoding, such as .*cp1252 \(Gruß\)"):
        call_command(name, *said)
    call_command(name, *said, "--encoding", "windows-1252", "--delimiter", ";", stdout=(out := io.StringIO()))

    assert json.loads(out.getvalue())["total"] == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--encoding", "klingon"), "klingon is not an encoding that is read: choose one of utf-8, utf-16, cp1252"),
        (("--encoding", "utf-16"), "is not encoded as utf-16"),
        (("--delimiter", ",,"), "',,' is no delimiter: give one character"),
        (("--delimiter", "tab"), "is separated by commas, not tabs"),
    ],
)
def test_a_reading_that_the_file_contradicts_is_refused(tmp_path, options, sentence):
    assert sentence in refused(written(tmp_path, "ident,name\nKDEN,a\nLSZH,b\n"), *options)


def test_a_delimiter_that_nobody_guesses_is_said(tmp_path):
    path = written(tmp_path, "ident~name\nKDEN~Denver\n")

    assert command(path, "--delimiter", "~")["updated"] == 1


@pytest.mark.parametrize("end", [b"\xc3", b'"\xe9t\xe9"'])
def test_little_evidence_leads_to_a_sentence_all_the_same(tmp_path, end):
    assert "is neither UTF-8 nor UTF-16: give its --encoding" in refused(written(tmp_path, b"ident,name\nKDEN," + end))


def test_a_run_of_a_command_remembers_how_its_file_is_read(tmp_path):
    path = written(tmp_path, LODZ.encode("cp1250"))
    run = ImportRun.objects.get(pk=command(path, "--encoding", "windows-1250")["run"])

    with kept_file(run) as source:
        assert [row for _line, row in rows_at(source, Reading(**run.how), [2])] == [
            ["EPWA", "Lotnisko w Łodzi", "Łódź"]
        ]


def test_33_a_file_of_which_every_row_is_refused_is_the_wrong_one(capsys):
    path = CASES / "33-runways.csv"

    assert refused(path) == "Every row of 33-runways.csv is refused: is it the right file?"
    with pytest.raises(CommandError):
        call_command("import_airports", "--file", str(path), "--source", "corrections", "--dry-run")
    assert "line 2, (row): '': no such object" in capsys.readouterr().out


def test_one_good_row_is_enough(tmp_path):
    assert command(written(tmp_path, "ident,name\nKDEN,Denver\nX,x\n"))["refused"] == 1


def test_23_objects_by_code_are_a_table_with_the_code_as_a_column(client):
    path = CASES / "23-by-code.json"

    answer = trips.upload(client, Airport, path.read_bytes(), path.name, source="corrections")
    run = ImportRun.objects.latest("pk")
    assert (run.header, answer.url) == (["key", "icao", "name", "elevation"], f"{IMPORTS}{run.pk}/mapping/")
    mapped = {"column-ident": "key", "column-name": "name", "column-elevation_ft": "elevation"}
    assert "lacks the columns id or ident. Found: key, icao, name, elevation." in refused(path)
    client.post(answer.url, {"source": "corrections", **mapped})
    run.refresh_from_db()
    trips.confirmed(client, run)

    assert Airport.objects.filter(pk="LSZH", name="Zurich", elevation_ft=1417).exists()


@pytest.mark.parametrize("name", ["lines.jsonl.gz", "lines.txt"])
def test_json_lines_are_read_packed_and_refused_by_their_own_line(client, tmp_path, name):
    text = '\n{"ident": "KDEN", "name": "Denver"}\n\n{"ident": "LSZH",\n "elevation_ft": "low"}\n{"ident": "EPWA"}'
    data = gzip.compress(text.encode()) if name.endswith("gz") else text.encode()

    run = trips.planned(client, Airport, data, name, source="corrections")

    assert [cell.line for cell in run.refused_cells.all()] == [4]
    assert "line 4, elevation_ft: 'low'" in refused(written(tmp_path, data, name), "--strict")
    assert b"LSZH,,low" in client.get(f"{IMPORTS}{run.pk}/refused.csv").getvalue()


def test_a_nested_value_is_refused_where_its_column_is_taken(client, tmp_path):
    text = '[{"ident": "KDEN", "name": ["Denver"], "tags": []}]'
    sentence = "t.json, object 1, name holds a list, and a table has one value in a cell: take it apart."

    assert refused(written(tmp_path, text, "t.json")).startswith(sentence)
    answer = trips.upload(client, Airport, text.encode(), "t.json", source="corrections")
    assert answer.context["form"].errors["import_file"] == [sentence]


def test_keys_that_come_up_late_are_named_and_nothing_is_taken_from_them(client, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(json_table, "BEGINNING_CHARACTERS", 1)
    text = f'[{{"ident": "KDEN", "name": "Denver"}},{" " * 70_000}{{"ident": "LSZH", "late": 1}}]'

    call_command(
        "import_airports", "--file", str(written(tmp_path, text, "t.json")), "--source", "corrections", "--dry-run"
    )
    run = trips.planned(client, Airport, text.encode(), "t.json", source="corrections")

    assert "Not taken, since these keys come up late in the file: late\n" in capsys.readouterr().out
    assert run.counts.items() >= {"total": 2, "refused": 0}.items()
    assert "not used: <code>late</code>" in client.get(f"{IMPORTS}{run.pk}/change/").content.decode()
