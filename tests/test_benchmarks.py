"""The benchmarks run, and the page tells what was measured and what was not; how fast it was is for no test."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from apps.changesets.folding import folded_sql
from benchmarks import statements
from benchmarks.figures import Figures, Kept
from benchmarks.generated import Source
from benchmarks.measure import Measurement
from benchmarks.report import GOALS, NOT, page_of

pytestmark = pytest.mark.once
ROOT = Path(__file__).resolve().parent.parent
SQLITE, POSTGRESQL = SimpleNamespace(vendor="sqlite"), SimpleNamespace(vendor="postgresql", pg_version=150000)


def note(folder: Path, part: str, **seconds: float) -> None:
    about = {"cores": 2, "processor": "x", "memory_gb": 1, "system": "y", "commit": "abc", "versions": {}}
    figures = Figures(part, "SQLite", folder=folder, about=about, resumed=True)
    for name, value in seconds.items():
        figures.add(name.replace("_", " "), Measurement(value, 100.0, {}, value))


def test_every_part_runs_on_a_few_rows_and_leaves_the_page_alone():
    page = (ROOT / "docs" / "performance.md").read_bytes()
    command = [sys.executable, "-m", "benchmarks", "--quick", "--databases", "SQLite", "--only"]

    done = subprocess.run(
        [*command, "import", "update", "edit", "bulk", "pages"], cwd=ROOT, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert (ROOT / "docs" / "performance.md").read_bytes() == page


def test_without_a_newer_snapshot_a_sentence_says_what_is_left_out(tmp_path):
    command = [sys.executable, "-m", "benchmarks", "--quick", "--databases", "SQLite", "--only", "update"]

    done = subprocess.run([*command, "--update", tmp_path / "none"], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert f"There is no newer snapshot at {tmp_path / 'none'}" in done.stderr


def test_the_page_says_plainly_what_was_not_measured(tmp_path):
    page = page_of(Kept(tmp_path))

    assert page.count(f"| {NOT} | {NOT} |") == len(GOALS)


def test_a_ratio_is_that_of_the_medians(tmp_path):
    for floor, ours in ((1.0, 2.0), (2.0, 3.0), (9.0, 30.0)):
        note(tmp_path, "import", floor_with_history=floor, first_import=ours)

    page = page_of(Kept(tmp_path))

    assert "| first import against the floor | <= 2.2 x, <= 1.6 x | 1.5 x (by the clock 1.5 x) | not measured |" in page


def test_a_part_that_is_resumed_keeps_what_was_measured(tmp_path):
    note(tmp_path, "peers", first=1.0)

    again = Figures("peers", "SQLite", folder=tmp_path, resumed=True)
    again.add("second", Measurement(2.0, 1.0))

    assert list(json.loads(again.path.read_text())["figures"]) == ["first", "second"]


def test_a_generated_row_is_always_the_same_one():
    first, second = Source(), Source()

    assert [first.row(number) for number in range(300)] == [second.row(number) for number in range(300)]
    assert len({row["id"] for row in map(first.row, range(300))}) == 300


@pytest.mark.parametrize("database", [SQLITE, POSTGRESQL], ids=lambda database: database.vendor)
def test_the_folding_of_a_column_is_shown_by_its_name(database):
    name, city = (folded_sql(f'"airport"."{column}"', database) for column in ("name", "city"))
    sql = f"SELECT CASE WHEN {name} LIKE 'a%' THEN 0 ELSE 1 END FROM a\n WHERE {city} = 'b' OR {name} = 'a'"

    shown = statements.statement(sql)

    case = "CASE WHEN fold(name) LIKE 'a%' THEN 0 ELSE 1 END"
    assert shown == f"SELECT {case} FROM a WHERE fold(city) = 'b' OR fold(name) = 'a'"


def test_a_plan_is_shown_by_its_first_lines_none_of_them_long():
    folding = (
        "(CASE WHEN (octet_length((name)::text) <> char_length((name)::text)) THEN (replace(lower(x), 'þ'::text, "
        "'th'::text))::text ELSE lower((name)::text) END)::text"
    )
    lines = ["Sort", f"  Sort Key: ({folding})", f"  Filter: ({'x' * 500})", *("  ->  Seq Scan" for _ in range(40))]

    shown = statements.plan(lines)

    assert shown[1] == "  Sort Key: (fold(name)::text)"
    assert len(shown) == 26
    assert shown[-1] == "... and 18 more lines"
    assert max(map(len, shown)) == 160


def test_the_page_explains_the_slowest_statements_readably(tmp_path):
    about = {"cores": 2, "processor": "x", "memory_gb": 1, "system": "y", "commit": "abc", "versions": {}}
    figures = Figures("pages", "SQLite", folder=tmp_path, about=about, resumed=True)
    sql = f"SELECT 1 ORDER BY {folded_sql('name', SQLITE)}"
    query = {"page": "airports by name", "seconds": 0.1, "sql": sql, "plan": ["SCAN airport"]}
    figures.add("hottest", {"printed": {"queries": [query]}, "seconds": 0.0})

    page = page_of(Kept(tmp_path))

    assert "airports by name, 100 ms: `SELECT 1 ORDER BY fold(name)`\n\n```\nSCAN airport\n```" in page
