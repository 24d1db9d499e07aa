"""Migrating backwards loses no history, and what a migration does to rows is recorded and can be reverted."""

from collections.abc import Callable, Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, migrations
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.models import Changeset, Kind
from apps.changesets.names import strays
from apps.changesets.recording import recording_problems
from apps.changesets.revert import plan_revert, revert
from tests.changesets.conftest import World, tables

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def migrated() -> Iterator[Callable[..., None]]:
    """Return `migrate`; afterwards everything is migrated forward again."""

    def migrate(*arguments: str) -> None:
        call_command("migrate", *arguments, verbosity=0, interactive=False)

    yield migrate
    migrate()


@pytest.fixture
def full(transactional_db: None, world: World) -> World:
    return world


def test_back_to_0001_and_forward_keeps_history_and_records_the_lost_links(
    full: World, migrated: Callable[..., None], no_drift: Callable
) -> None:
    before, history = tables(), Airport.history.count()

    migrated("airports", "0001")
    migrated("airports")

    assert set(Airport.objects.values_list("city", flat=True)) == {None}
    lost = Changeset.objects.get(kind=Kind.MIGRATION)
    assert Airport.history.filter(changeset=lost).count() == 3
    assert Airport.history.count() == history + 3
    no_drift()

    revert(plan_revert([lost]), actor=None)
    assert tables() == before
    no_drift()


@pytest.mark.parametrize(("app", "emptied"), [("airports", Airport), ("base", City)])
def test_back_to_zero_and_forward_brings_history_back_and_rows_by_revert(
    full: World, migrated: Callable[..., None], no_drift: Callable, app: str, emptied: type[Model]
) -> None:
    before = tables()

    migrated(app, "zero")
    migrated()

    assert emptied.objects.count() == 0
    assert Airport.history.filter(changeset=full.made_by).count() == 3
    no_drift()

    revert(plan_revert([Changeset.objects.filter(kind=Kind.MIGRATION).first()]), actor=None)
    assert tables() == before
    no_drift()


def test_the_way_of_the_old_runbook_through_base_alone_ends_with_all_history(
    full: World, migrated: Callable[..., None], no_drift: Callable
) -> None:
    migrated("base", "zero")
    migrated("base")
    no_drift()
    migrated()

    assert Airport.history.filter(changeset=full.made_by).count() == 3
    assert recording_problems() == []
    no_drift()


def test_what_is_written_half_way_through_the_migrations_of_an_app_is_recorded(
    full: World, migrated: Callable[..., None], no_drift: Callable
) -> None:
    migrated("airports", "0003")
    with connection.cursor() as cursor:
        first = "(SELECT min(ident) FROM airports_airport)"
        cursor.execute(f"UPDATE airports_airport SET name = 'Half way' WHERE ident = {first}")
    no_drift()
    migrated()

    first = Airport.objects.order_by("ident").first()
    newest = Airport.history.filter(ident=first.ident).first()
    assert (newest.name, newest.history_type, newest.changeset.kind) == ("Half way", "~", Kind.DIRECT)
    no_drift()


@pytest.mark.parametrize("app", ["airports", "base", "imports", "changesets"])
def test_an_app_is_migrated_to_each_of_its_steps_back_and_forward(
    full: World, migrated: Callable[..., None], no_drift: Callable, app: str
) -> None:
    names = sorted(name for of, name in MigrationLoader(connection).disk_migrations if of == app)

    for step in [*reversed(names), "zero", *names]:
        migrated(app, step)
        strays()
    migrated()

    assert recording_problems() == []
    no_drift()


def test_changesets_to_zero_and_forward_keep_the_changesets(full: World, migrated: Callable[..., None]) -> None:
    migrated("changesets", "zero")
    migrated()

    assert Changeset.objects.get(pk=full.made_by.pk).reason == "the world"
    assert Airport.history.filter(changeset=full.made_by).count() == 3


def test_empty_history_tables_are_dropped_not_set_aside(transactional_db: None, migrated: Callable[..., None]) -> None:
    migrated("airports", "zero")

    assert not [name for name in connection.introspection.table_names() if "set_aside" in name]


def test_recording_is_installed_again_when_a_migration_fails(
    full: World, migrated: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise CommandError("the migration fails half way")

    monkeypatch.setattr(migrations.AddField, "database_backwards", fail)

    with pytest.raises(CommandError, match="half way"):
        migrated("airports", "0001")
    monkeypatch.undo()

    # History was set aside by a step that went through; base is recorded all the same.
    assert not [problem for problem in recording_problems() if "base_" in problem]


def test_rows_found_without_history_get_a_baseline(full: World, migrated: Callable[..., None]) -> None:
    from apps.changesets.recording import uninstall_recording

    uninstall_recording()
    Country.objects.create(iso_code="FR", name="France")

    migrated()

    baseline = Changeset.objects.get(kind=Kind.BASELINE)
    assert [row.iso_code for row in Country.history.filter(changeset=baseline)] == ["FR"]


def test_flush_records_no_deletions_and_records_again_after(full: World) -> None:
    call_command("flush", verbosity=0, interactive=False)

    assert (City.history.count(), Changeset.objects.count()) == (0, 0)
    Country.objects.create(iso_code="FR", name="France")
    assert Country.history.get().changeset.kind == Kind.DIRECT
