"""A plan beside the last imports of its source: unusual shares from stored counts, and a file that takes back."""

import pytest
from django.core.management import call_command

from apps.imports.results import ImportOptions

pytestmark = pytest.mark.django_db
ROWS = 100


def snapshot(changed: int = 0, **values: str) -> list[dict[str, str]]:
    return [values if number < changed else {} for number in range(ROWS)]


def unusual(run) -> dict[str, tuple]:
    rows = run.summary["earlier"]["unusual"]
    return {row["name"]: (row["number"], row["share"], row["lowest"], row["highest"]) for row in rows}


@pytest.fixture
def history(import_file) -> None:
    """A first import and two more, of which one changed the names of two airports."""
    import_file(*snapshot())
    import_file(*snapshot(2, name="Renamed"))
    import_file(*snapshot(2, name="Renamed", elevation_ft="1"))


def test_a_field_that_changes_in_far_more_rows_than_before_is_unusual(history, planned):
    run = planned(*snapshot(31, name="Another", elevation_ft="1"))

    assert unusual(run) == {"field:name": (31, 31.0, 0.0, 2.0), "field:elevation_ft": (29, 29.0, 0.0, 2.0)}


def test_what_changes_as_much_as_before_is_not_unusual(history, planned):
    assert unusual(planned(*snapshot(4, name="Again"))) == {}


def test_with_fewer_than_two_imports_to_compare_with_nothing_is_said(import_file, planned):
    import_file(*snapshot())
    import_file(*snapshot(2, name="Renamed"))

    assert unusual(planned(*snapshot(90, name="Another"))) == {}


def test_imports_of_another_source_are_not_compared(history, planned):
    options = ImportOptions(corrections=True, source_title="National AIP")

    run = planned(*snapshot(90, name="Another"), options=options)

    assert (run.summary["earlier"]["compared"], unusual(run)) == (0, {})


def test_a_file_that_was_imported_before_the_last_one_is_told(import_file, planned):
    first = import_file(*snapshot())
    import_file(*snapshot(50, name="Renamed"))

    earlier = planned(*snapshot()).summary["earlier"]

    assert earlier["same_file"] == first["run"]


def test_a_snapshot_that_takes_back_the_last_import_is_told(import_file, planned):
    import_file(*snapshot())
    last = import_file(*snapshot(50, name="Renamed"))
    rows = snapshot()
    rows[99] = {"name": "New"}

    earlier = planned(*rows).summary["earlier"]

    assert earlier["same_file"] is None
    assert earlier["takes_back"] == {"number": 50, "of": 51, "run": last["run"], "changeset": last["changeset"]}


def test_a_newer_snapshot_takes_nothing_back(history, planned):
    earlier = planned(*snapshot(10, name="Newest")).summary["earlier"]

    assert (earlier["same_file"], earlier["takes_back"]) == (None, None)


def test_a_command_says_what_is_unusual(history, import_file, airports_file, capsys):
    rows = snapshot(31, name="Another", elevation_ft="1")

    dry = import_file(*rows, options=("--dry-run",))
    call_command("import_airports", "--file", str(airports_file(*rows)))

    said = capsys.readouterr().out
    assert [row["name"] for row in dry["unusual"]] == ["field:name", "field:elevation_ft"]
    assert "Unusual beside the last 3 imports of this source:\n" in said
    assert "  31 % of the airports that are here change in name (31; before 0 to 2 %)\n" in said


def test_a_command_says_that_a_file_takes_back(import_file, airports_file, capsys):
    first = import_file(*snapshot())
    last = import_file(*snapshot(50, name="Renamed"))

    dry = import_file(*snapshot(), options=("--dry-run",))
    call_command("import_airports", "--file", str(airports_file(*snapshot())), "--dry-run")

    said = capsys.readouterr().out
    assert (dry["same_file"], dry["takes_back"]["run"]) == (first["run"], last["run"])
    assert f"older than what was imported last: import {first['run']} imported the same file." in said
    assert f"get their upstream values back from before import {last['run']}: is the file older than that one?" in said
