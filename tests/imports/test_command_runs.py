"""An import on the command line is a run like any other: in the list with its file and its line in the log."""

import json
import logging
from collections.abc import Callable
from contextlib import nullcontext
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.airports.columns import OURAIRPORTS
from apps.airports.models import Airport
from apps.base.geonames import GEONAMES, options_for
from apps.base.models import City, Country
from apps.changesets.context import changeset
from apps.changesets.hooks import PREPARATIONS
from apps.changesets.models import Changeset
from apps.changesets.processes.watched import ask_to_stop
from apps.imports.errors import LockTaken, TooManyRefused
from apps.imports.models import ImportRun, RunStatus
from apps.imports.reading.sources import from_path
from apps.imports.results import ImportOptions
from apps.imports.runs.engine import Request, import_now
from apps.imports.runs.files import kept_file
from tests.imports.files import csv_text, gzipped

pytestmark = pytest.mark.django_db
BAD = {"latitude_deg": "91"}


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict]]:
    """Return a function that reads the structured lines of the log."""
    caplog.set_level(logging.INFO, logger="apps.imports.update")
    return lambda: [json.loads(record.message) for record in caplog.records if record.name == "apps.imports.update"]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable], None]:
    """Return a function that has something done between plan and apply."""
    return lambda do: monkeypatch.setattr(PREPARATIONS, "_added", {"": [lambda coming: do() and None]})


@pytest.fixture
def places_file(tmp_path: Path) -> Path:
    """A file of GeoNames about one city."""
    path = tmp_path / "cities.tsv"
    path.write_text("name\tcountry code\tpopulation\tlatitude\tlongitude\nZürich\tCH\t400000\t47.4\t8.5\n")
    return path


@pytest.fixture
def zurich(db: None) -> City:
    """The city that it is about."""
    country = Country.objects.create(iso_code="CH", name="Switzerland", iso3="CHE")
    return City.objects.create(country=country, name="Zürich", latitude=47.4, longitude=8.5)


def request_of(path: Path, **more: object) -> Request:
    asked = {"spec": OURAIRPORTS, "options": lambda _source: ImportOptions(), "command": "a_test", **more}
    return Request(open_source=lambda: nullcontext(from_path(path)), file_name=str(path), **asked)


def test_an_import_is_in_the_list_of_runs_with_its_file_and_its_line(import_file, lines):
    result = import_file({}, BAD)

    run, made = ImportRun.objects.get(), Changeset.objects.get()
    assert (run.pk, run.command, run.status, run.changeset) == (result["run"], "import_airports", "applied", made)
    assert (run.counts["created"], run.counts["refused"], made.summary["run"]) == (1, 1, run.pk)
    with kept_file(run) as source:
        assert source.identity.sha256 == made.source_sha256
    [line] = lines()
    assert (line["event"], line["run"], line["outcome"]) == ("import_airports", run.pk, "applied")
    assert (line["changeset"], line["counts"]["created"], line["backup"]) == (made.pk, 1, None)


def test_so_is_one_of_cities(zurich, places_file, lines):
    call_command("import_cities", "--file", str(places_file), stdout=StringIO())

    run = ImportRun.objects.get()
    assert (run.spec, run.command, run.status, run.changeset.counts) == (
        *("geonames", "import_cities", "applied"),
        {"base.city": {"changed": 1}},
    )
    assert [line["event"] for line in lines()] == ["import_cities"]


def test_one_without_news_is_in_the_list_too(import_file, lines):
    import_file({})

    import_file({})

    assert list(ImportRun.objects.order_by("pk").values_list("status", "changeset")) == [
        ("applied", Changeset.objects.get().pk),
        ("applied", None),
    ]
    assert [line["outcome"] for line in lines()] == ["applied", "unchanged"]


def test_a_dry_run_leaves_no_row_anywhere(import_file, zurich, places_file, lines):
    assert import_file({}, options=("--dry-run",))["run"] is None
    call_command("import_cities", "--file", str(places_file), "--dry-run", stdout=StringIO())

    assert not ImportRun.objects.exists()
    assert lines() == []


@pytest.mark.parametrize("command", ["import_airports", "import_cities"])
def test_a_file_that_is_not_there_leaves_a_failed_run_with_the_sentence(command, lines, tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        call_command(command, "--file", str(tmp_path / "nowhere.csv"))

    run = ImportRun.objects.get()
    assert (run.status, run.command) == (RunStatus.FAILED, command)
    assert "nowhere.csv cannot be read" in run.error
    assert [(line["outcome"], line["error"]) for line in lines()] == [("failed", run.error)]


def test_a_file_that_is_refused_is_kept_with_its_failed_run(airports_file):
    path = airports_file(raw="a,b\n1,2\n")

    with pytest.raises(CommandError, match="lacks the columns"):
        call_command("import_airports", "--file", str(path))

    run = ImportRun.objects.get()
    assert "lacks the columns" in run.error
    with kept_file(run) as source:
        assert source.start(3) == b"a,b"


@pytest.mark.django_db(transaction=True)
def test_one_that_is_asked_to_stop_is_cancelled(airports_file, meanwhile, monkeypatch, lines):
    monkeypatch.setattr("apps.imports.runs.lease._BEAT_SECONDS", 0.01)
    meanwhile(lambda: ask_to_stop(ImportRun.objects.get().pk))

    with pytest.raises(CommandError, match="Somebody asked this import to stop; nothing was written"):
        call_command("import_airports", "--file", str(airports_file(*[{}] * 5000)))

    assert ImportRun.objects.get().status == RunStatus.CANCELLED
    assert not Airport.objects.exists()
    assert [line["outcome"] for line in lines()] == ["cancelled"]


@pytest.mark.django_db(transaction=True)
def test_a_row_changed_between_plan_and_apply_is_skipped_and_listed(airports_file, meanwhile):
    call_command("import_airports", "--file", str(airports_file({"name": "A"}, {"name": "B"})), stdout=StringIO())
    meanwhile(lambda: Airport.objects.filter(pk="K001").update(name="By hand"))
    out = StringIO()

    call_command("import_airports", "--file", str(airports_file({"name": "A2"}, {"name": "B2"})), stdout=out)

    assert dict(Airport.objects.values_list("pk", "name")) == {"K001": "By hand", "K002": "B2"}
    run = ImportRun.objects.latest("pk")
    skipped = [{"line": 2, "object_id": "K001", "why": "somebody changed it after the plan was made"}]
    assert run.summary["left_alone"] == run.changeset.summary["left_alone"] == skipped
    assert (run.counts["updated"], run.counts["skipped"], run.counts["left_alone"]) == (1, 1, 1)
    assert (
        "Skipped, since something changed after the plan was made:\n  line 2, K001: somebody changed" in out.getvalue()
    )


@pytest.mark.django_db(transaction=True)
def test_one_whose_work_another_one_did_meanwhile_says_so(airports_file, meanwhile):
    made = [Airport(ident=f"K00{number}", source_id=number, airport_type="closed") for number in (1, 2)]
    meanwhile(lambda: Airport.objects.bulk_create(made))
    out = StringIO()

    call_command("import_airports", "--file", str(airports_file({}, {})), "--json", stdout=out)

    told = json.loads(out.getvalue())
    assert (told["changeset"], told["total"], told["created"], told["skipped"]) == (None, 2, 0, 2)
    why = "somebody made an object with this key after the plan was made"
    assert [row["why"] for row in ImportRun.objects.get().summary["left_alone"]] == [why, why]


@pytest.mark.django_db(transaction=True)
def test_a_place_that_somebody_made_meanwhile_is_linked_to_and_not_made_twice(airports_file, meanwhile):
    meanwhile(lambda: Country.objects.create(iso_code="US", name="United States"))

    call_command("import_airports", "--file", str(airports_file({})), stdout=StringIO())

    assert Airport.objects.get().country == Country.objects.get()
    assert Changeset.objects.get(kind="import").summary["counts"]["countries_created"] == 0


def test_the_lock_serves_whatever_is_imported(zurich, places_file):
    asked = {"spec": GEONAMES, "options": options_for, "lock": "update:geonames"}
    values = {"spec": "geonames", "file_name": "x", "file_sha256": "", "file_size": 0, "lock": "update:geonames"}
    holder = ImportRun.objects.create(**values, status=RunStatus.PLANNED)

    with pytest.raises(LockTaken, match=f"The cities are being updated already, by import {holder.pk} "):
        import_now(request_of(places_file, **asked))

    ImportRun.objects.update(lock=None, status=RunStatus.APPLIED)
    finished = import_now(request_of(places_file, **asked))

    assert (finished.counts["updated"], finished.run.lock) == (1, None)


def test_the_limit_of_refused_rows_serves_whoever_asks(airports_file, lines):
    path = airports_file(BAD, {}, {})

    with pytest.raises(TooManyRefused, match=r"1 of 3 rows of .* are refused, more than 30 %"):
        import_now(request_of(path, refused_percent=30))

    assert import_now(request_of(path, refused_percent=40)).counts["created"] == 2
    assert [line["outcome"] for line in lines()] == ["refused", "applied"]


def test_refused_rows_of_a_command_are_downloaded_from_its_run(import_file, admin_client):
    run = import_file({}, {**BAD, "name": "Überlingen"})["run"]

    shown = admin_client.get(f"/admin/imports/importrun/{run}/change/").content.decode()
    refused = b"".join(admin_client.get(f"/admin/imports/importrun/{run}/refused.csv").streaming_content).decode()

    assert "Download the refused rows" in shown
    assert [line.partition(",")[0] for line in refused.splitlines()[1:]] == ["2"]
    assert "Überlingen" in refused
    assert "latitude_deg: it is not between -90 and 90" in refused


def test_refused_rows_of_a_command_that_stopped_are_downloaded_too(airports_file, admin_client):
    with pytest.raises(TooManyRefused):
        import_now(request_of(airports_file(BAD, {}), refused_percent=30))

    shown = admin_client.get(f"/admin/imports/importrun/{ImportRun.objects.get().pk}/change/").content.decode()
    assert "Download the refused rows" in shown


def test_it_can_have_no_backup_first(airports_file, monkeypatch):
    asked: list[object] = []
    monkeypatch.setattr(PREPARATIONS, "_added", {"": [asked.append]})

    import_now(request_of(airports_file({}), backup=False))

    assert asked == []


def test_a_file_that_is_packed_is_kept_as_it_is(airports_file):
    content = gzipped(csv_text({}))

    run = import_now(request_of(airports_file(raw=content))).run

    with kept_file(run) as source:
        assert source.path.read_bytes() == content


def test_what_happens_while_a_plan_is_stored_is_seen(planned, confirmed_and_applied, monkeypatch):
    from apps.imports.runs import engine

    confirmed_and_applied(planned({"name": "A"}))
    does = engine.store_plan

    def edited_meanwhile(*args: object, **more: object) -> object:
        with changeset(kind="edit", actor=None):
            Airport.objects.update(name="By hand")
        return does(*args, **more)

    monkeypatch.setattr(engine, "store_plan", edited_meanwhile)

    run = planned({"name": "A2"})
    confirmed_and_applied(run)

    assert Airport.objects.get().name == "By hand"
    assert run.rows.get().left_alone == "somebody changed it after the plan was made"
