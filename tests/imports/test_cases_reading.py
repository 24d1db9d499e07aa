"""Files that their owners think of as tables, through a command and the stored plan of the admin alike."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from apps.airports.models import Airport
from tests.admin.runs import IMPORTS
from tests.imports import trips

pytestmark = pytest.mark.django_db
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
    out = StringIO()
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
        ("25-blank-lines.csv", {"KDEN": {"name": "Denver"}, "LSZH": {"name": "Zurich", "municipality": "Zurich"}}, 2),
    ],
)
def test_the_case_is_read_as_its_owner_means_it(client, case, changed, total):
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
