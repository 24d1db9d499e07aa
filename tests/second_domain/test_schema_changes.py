"""A column is renamed, dropped and added again: what is kept beside history follows, or is named."""

import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations import RenameField
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.questioner import MigrationQuestioner
from django.db.migrations.state import ProjectState

from apps.backups.objects.document import links_of, values_of
from apps.backups.objects.restoring import fit_backup
from apps.changesets.history import cache
from apps.changesets.history.cache import state_of_tables
from apps.changesets.models import Changeset
from apps.changesets.names import strays
from apps.changesets.recording.audit import find_drift
from apps.changesets.recording.kept_tables import KeepingAutodetector
from apps.changesets.recording.renaming import RenameKeptField
from apps.changesets.tracking import tracked_for, tracked_models
from apps.imports.errors import RunRefused
from apps.imports.mapping.headers import remember
from apps.imports.models import HeaderMapping, ImportRun, Pin
from apps.imports.plan.pins import pin
from apps.imports.reading.sources import from_path
from apps.imports.registry import spec_for
from apps.imports.results import ImportOptions
from apps.imports.runs.confirming import confirm_run, mark_of, start_again
from apps.imports.runs.engine import apply_run, plan_run
from apps.imports.runs.opening import open_run, set_options
from tests.second_domain.conftest import as_csv, row
from tests.second_domain.models import Station
from tests.second_domain.schemas import both, rename, schemas  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
THERE_AND_BACK = (rename("name", "title"), rename("title", "name"))


@pytest.fixture
def kept(world: dict, load: Callable) -> Callable[[], dict]:
    """Import stations, correct one name, pin another; return a function that tells the names and what holds them."""
    load(row("85-1", "BN", "Bern", platforms="12"), row("85-2", "BS", "Basel"), row("80-1", "UL", "Ulm", "DB"))
    Station.objects.filter(code="BN").update(name="Bern Bahnhof")
    pin(Station.objects.get(code="BS"), "name", note="as the city writes it", actor=None)
    remember(["Nr", "Station"], spec_for(Station), {"number": "Nr", "name": "Station"}, actor=None)

    def tell() -> dict:
        assert find_drift()[1] == []
        return {
            "names": dict(Station.objects.order_by("code").values_list("code", "name")),
            "pins": list(Pin.objects.values_list("field", flat=True)),
            "mapping": HeaderMapping.objects.get().mapping,
            "counted": [changeset.field_counts for changeset in Changeset.objects.order_by("pk")],
        }

    return tell


def upstream_keys() -> set[str]:
    table = Station._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT upstream FROM {table} UNION ALL SELECT upstream FROM second_domain_historicalstation")
        texts = [text for (text,) in cursor.fetchall() if text]
    return {key for text in texts for key in (json.loads(text) if isinstance(text, str) else text)}


def test_a_renamed_column_takes_pins_corrections_mappings_and_counts_along(schemas, kept, load):  # noqa: F811
    before, migrate = kept(), schemas(*THERE_AND_BACK)
    history = Station.history.count()

    migrate("0002")
    assert {"name", "title"} & upstream_keys() == {"title"}
    assert list(Pin.objects.values_list("field", flat=True)) == ["title"]
    assert HeaderMapping.objects.get().mapping == {"number": "Nr", "title": "Station"}
    migrate("0003")

    assert kept() == before
    assert Station.history.count() == history
    again = load(row("85-1", "BN", "Bern"), row("85-2", "BS", "Basel SBB"), row("80-1", "UL", "Ulm Hbf", "DB"))
    assert kept()["names"] == {"BN": "Bern Bahnhof", "BS": "Basel", "UL": "Ulm Hbf"}
    assert again.counts["second_domain.station"]["changed"] == 3


def test_a_rename_is_taken_back_with_all_that_is_kept(schemas, kept):  # noqa: F811
    before, migrate = kept(), schemas(*THERE_AND_BACK)

    migrate("0002")
    migrate("0001")

    assert kept() == before


def test_the_same_file_changes_nothing_after_a_rename(schemas, kept, load):  # noqa: F811
    migrate = schemas(*THERE_AND_BACK)
    migrate("0003")

    same = load(row("85-1", "BN", "Bern", platforms="12"), row("85-2", "BS", "Basel"), row("80-1", "UL", "Ulm", "DB"))

    assert same is None


def test_what_a_plain_rename_left_behind_is_named(schemas, kept, capsys):  # noqa: F811
    migrate = schemas(rename("name", "title"), rename("title", "name", kept=False))

    migrate("0003")

    named = capsys.readouterr().err
    assert "1 pin of second_domain.station is of 'title'" in named
    assert "A mapping of titles that is remembered for stations fills title" in named
    assert "The kept values of the railways' register for second_domain.station have title" in named
    call_command("check")
    assert "changesets.W010" in capsys.readouterr().err
    assert len(strays()) == 3


def test_a_column_that_is_dropped_and_added_again_finds_its_pins_and_its_values_of_upstream(schemas, kept):  # noqa: F811
    pin(Station.objects.get(code="BN"), "platforms", note="counted", actor=None)
    field = "models.PositiveSmallIntegerField(null=True, blank=True)"
    migrate = schemas(
        both("migrations.RemoveField({model}, 'platforms')"),
        both(f"migrations.AddField({{model}}, 'platforms', {field})"),
    )

    migrate("0003")

    assert sorted(Pin.objects.values_list("field", flat=True)) == ["name", "platforms"]
    assert "platforms" in upstream_keys()
    kept()


def test_a_renamed_model_is_refused_before_anything_is_written(schemas, kept, settings):  # noqa: F811
    before = kept()
    schemas('migrations.RenameModel("Station", "Halt")')

    with pytest.raises(SystemCheckError, match=r"changesets.E013.*0002_step renames Station to Halt: pins, runs, chan"):
        call_command("migrate", "second_domain", interactive=False, skip_checks=False)

    settings.MIGRATION_MODULES = {}
    assert kept() == before


def test_makemigrations_writes_a_rename_that_carries_along():
    before = ProjectState.from_apps(apps)
    after = before.clone()
    for operation in (RenameField("station", "name", "title"), RenameField("historicalstation", "name", "title")):
        operation.state_forwards("second_domain", after)
    yes = MigrationQuestioner({"ask_rename": True})

    changes = KeepingAutodetector(before, after, yes).changes(graph=MigrationLoader(connection).graph)

    operations = [operation for migration in changes["second_domain"] for operation in migration.operations]
    kept = [operation for operation in operations if operation.model_name == "station"]
    assert [type(operation) for operation in kept] == [RenameKeptField]


def plan_of(tmp_path, operator) -> ImportRun:
    path = tmp_path / "stations.csv"
    path.write_text(as_csv((row("85-1", "BN", "Bern Bhf", platforms="14"),)), encoding="utf-8")
    run = open_run(
        from_path(path), spec=spec_for(Station), options=ImportOptions(), actor=operator, reason="the new timetable"
    )
    plan_run(run)
    assert run.status == "planned", run.error
    return run


def of_another_version(run: ImportRun) -> None:
    """Leave the plan as another version would have: with the name that a field had then."""
    ImportRun.objects.filter(pk=run.pk).update(summary={**run.summary, "schema": "another"})
    for planned in run.rows.filter(payload__isnull=False):
        values = {"title" if name == "name" else name: value for name, value in planned.payload["values"].items()}
        run.rows.filter(pk=planned.pk).update(payload={**planned.payload, "values": values})
    run.refresh_from_db()


def test_a_plan_of_another_version_is_not_confirmed_and_is_planned_again(world, tmp_path, steward, capsys):
    run = plan_of(tmp_path, steward)
    of_another_version(run)

    with pytest.raises(RunRefused, match="made by another version of the console"):
        confirm_run(run, actor=steward, seen=mark_of(run))
    call_command("migrate", interactive=False)
    assert f"The plan of Import {run.pk}" in capsys.readouterr().err

    set_options(run, ImportOptions.from_json(run.options), actor=steward)
    plan_run(run)
    confirm_run(run, actor=steward, seen=mark_of(run))
    assert strays() == []


def test_a_confirmed_plan_of_another_version_fails_with_a_sentence_and_is_started_again(world, tmp_path, steward):
    run = plan_of(tmp_path, steward)
    confirm_run(run, actor=steward, seen=mark_of(run))
    of_another_version(run)

    apply_run(run)

    run.refresh_from_db()
    assert (run.status, run.error) == (
        "failed",
        f"The plan of {run} was made by another version of the console, for other columns: plan it again. "
        "Nothing was written.",
    )
    again = start_again(run, actor=steward)
    plan_run(again)
    confirm_run(again, actor=steward, seen=mark_of(again))
    apply_run(again)
    assert Station.objects.get(code="BN").platforms == 14


def test_what_is_remembered_for_other_columns_is_not_found(world, monkeypatch):
    before = state_of_tables()
    others = tuple(replace(tracked, there=(*tracked.columns, "more")) for tracked in tracked_models())
    monkeypatch.setattr(cache, "tracked_models", lambda: others)

    assert state_of_tables() != before


def test_a_backup_of_one_object_from_before_a_rename_is_read_under_the_former_names(schemas, kept):  # noqa: F811
    schemas(*THERE_AND_BACK)("0003")
    bern = Station.objects.get(code="BN")
    fields = values_of(bern)
    backup = SimpleNamespace(
        name="bern", fields={**fields, "title": fields["name"], "platforms": 3}, links=links_of(bern)
    )
    del backup.fields["name"]

    fit = fit_backup(tracked_for(Station), backup)

    assert (fit.complaint, fit.version.name, fit.version.platforms) == ("", "Bern Bahnhof", 3)
