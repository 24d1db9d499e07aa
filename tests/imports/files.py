"""Small OurAirports files: tests start where the operator starts."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

COLUMNS = [
    *("id", "ident", "type", "name", "latitude_deg", "longitude_deg", "elevation_ft", "continent", "iso_country"),
    *("iso_region", "municipality", "scheduled_service", "gps_code", "iata_code", "local_code", "home_link"),
    *("wikipedia_link", "keywords"),
]
ROW = {
    "id": "1",
    "ident": "KDEN",
    "type": "large_airport",
    "name": "Denver International Airport",
    "latitude_deg": "39.861698150635",
    "longitude_deg": "-104.672996521",
    "elevation_ft": "5431",
    "continent": "NA",
    "iso_country": "US",
    "iso_region": "US-CO",
    "municipality": "Denver",
    "iata_code": "DEN",
}


def csv_text(*rows: dict[str, str], columns: list[str] | None = None) -> str:
    """Return a file with `rows`, each the Denver row with other values where given; ids count up."""
    columns = columns or COLUMNS
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", restval="", lineterminator="\n")
    writer.writeheader()
    for number, row in enumerate(rows, start=1):
        writer.writerow({**ROW, "id": str(number), "ident": f"K{number:03}", **row})
    return out.getvalue()


@pytest.fixture
def airports_file(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a file with the rows given, or the raw text or bytes given."""
    written = 0

    def write(*rows: dict[str, str], columns: list[str] | None = None, raw: str | bytes | None = None) -> Path:
        nonlocal written
        written += 1
        content = csv_text(*rows, columns=columns) if raw is None else raw
        path = tmp_path / f"airports-{written}.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def import_file(airports_file: Callable[..., Path], capsys: pytest.CaptureFixture) -> Callable[..., dict]:
    """Return a function that runs `import_airports --json` over the rows given and returns what it prints."""

    def run(*rows: dict[str, str], options: tuple[str, ...] = (), **file: object) -> dict:
        path = airports_file(*rows, **file)
        try:
            call_command("import_airports", "--file", str(path), "--json", *options)
        except CommandError as error:
            # The counts are printed all the same.
            if "Every row of" not in str(error):
                raise
        return json.loads(capsys.readouterr().out)

    return run


def gzipped(text: str) -> bytes:
    """Return `text` as a gzip file."""
    return gzip.compress(text.encode())
