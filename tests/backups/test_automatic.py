"""Backups that come first by themselves: before imports, bulk deletions, and migrations that drop data."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.airports.models import Airport
from apps.backups import automatic, creating
from apps.backups.automatic import NotBackedUp, newest_complete, recent_or_new
from apps.backups.catalogue.manifests import Backup, amend, list_backups
from apps.backups.creating import create_backup
from apps.backups.restore.database import restore
from apps.backups.restore.verify import verify
from apps.base.models import Country
from apps.changesets.bulk.apply import apply_bulk
from apps.changesets.bulk.deleting import deleting
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from apps.imports.models import ImportRun, RunStatus
from apps.imports.tasks import start_applying
from tests.imports.files import airports_file  # noqa: F401
from tests.imports.runs import opened, planned, put  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def airports(transactional_db: None, folder: Path) -> None:
    with changeset(kind="import", actor=None, reason="there already"):
        Country.objects.create(iso_code="US", name="United States")
        Airport.objects.bulk_create(Airport(ident=ident, name=ident) for ident in ("KAAA", "KBBB", "KCCC"))


@pytest.fixture
def migrate() -> Iterator[Callable[..., None]]:
    """Return `migrate`; afterwards everything is migrated forward again."""

    def run(*arguments: str) -> None:
        call_command("migrate", *arguments, verbosity=0, interactive=False)

    yield run
    run()


def kinds() -> list[str]:
    return [backup.kind for backup in list_backups()]


def test_an_import_on_the_command_line_comes_after_a_backup_of_what_was_there(airports_file):  # noqa: F811
    path = airports_file({}, {})

    call_command("import_airports", "--file", str(path), verbosity=0)

    (made,) = list_backups()
    assert (made.kind, made.reason) == ("before-import", f"before the import of {path.name}")
    assert made.row_counts["airports_airport"] == 3
    assert Airport.objects.count() == 5


def test_a_run_comes_after_a_backup_too(planned):  # noqa: F811
    start_applying(put(planned(), RunStatus.APPROVED))

    assert kinds() == ["before-import"]


def test_a_backup_of_another_changeset_with_the_same_number_is_none_of_what_is_there_now(folder: Path):
    before = create_backup(actor=None, reason="")
    Airport.objects.filter(ident="KAAA").update(name="a mistake")
    of_the_mistake = create_backup(actor=None, reason="")
    restore(before, actor=None)
    Airport.objects.filter(ident="KAAA").update(name="as it should be")
    now = Changeset.objects.order_by("-pk").first()

    assert of_the_mistake.newest_changeset == now.pk
    assert newest_complete() is None
    create_backup(actor=None, reason="")
    assert newest_complete() == list_backups()[0]
    amend(list_backups()[0], verified="It is not whole.")
    assert newest_complete() is None


def test_an_import_that_changes_nothing_makes_no_backup(airports_file):  # noqa: F811
    path = str(airports_file({}, {}))
    call_command("import_airports", "--file", path, verbosity=0)
    list_backups()[0].file.unlink()

    call_command("import_airports", "--file", path, verbosity=0)

    assert not list_backups()


def test_a_backup_that_fails_stops_the_import_with_a_sentence(airports_file, folder):  # noqa: F811
    folder.write_text("a file where the folder should be")

    with pytest.raises(
        CommandError, match=r"Backups cannot be written in .* Nothing was changed: a backup comes first"
    ):
        call_command("import_airports", "--file", str(airports_file({}, {})), verbosity=0)

    assert Airport.objects.count() == 3


def test_a_recent_backup_serves_until_something_is_written(airports_file):  # noqa: F811
    asked_for = create_backup(actor=None, reason="by hand")
    delete("KAAA", "KBBB")
    assert list_backups() == [asked_for]

    # In the newest changeset, and of no changeset of its own.
    with connection.cursor() as cursor:
        cursor.execute("UPDATE airports_airport SET name = 'New'")
    call_command("import_airports", "--file", str(airports_file({}, {})), verbosity=0)

    assert kinds() == ["before-import", "full"]


def test_a_direct_write_that_goes_on_in_the_newest_changeset_is_backed_up_anew(airports_file):  # noqa: F811
    Airport.objects.filter(pk="KAAA").update(name="Once")
    create_backup(actor=None, reason="by hand")
    Airport.objects.filter(pk="KAAA").update(name="Twice")

    call_command("import_airports", "--file", str(airports_file({}, {})), verbosity=0)

    assert kinds() == ["before-import", "full"]


def proven() -> Backup:
    """Return a full backup that was proved to restore, of a time when less was there."""
    made = verify(create_backup(actor=None, reason="by night"))
    Airport.objects.filter(pk="KAAA").update(name="Since then")
    return made


def test_before_a_small_import_an_increment_on_a_proven_backup_is_enough(airports_file):  # noqa: F811
    base = proven()

    call_command("import_airports", "--file", str(airports_file({}, {})), verbosity=0)

    made = list_backups()[0]
    assert (made.kind, made.base, made.reason[:17]) == ("incremental", base.id, "before the import")
    assert ImportRun.objects.get().summary["backup"] == made.id
    restore(made, actor=None)
    assert sorted(Airport.objects.values_list("pk", "name")) == [
        ("KAAA", "Since then"), ("KBBB", "KBBB"), ("KCCC", "KCCC")
    ]  # fmt: skip


def test_increments_before_small_acts_go_on_from_each_other_and_serve_twice(airports_file):  # noqa: F811
    base = proven()
    delete("KAAA", "KBBB")
    first = list_backups()[0]
    call_command("import_airports", "--file", str(airports_file({}, {})), verbosity=0)
    second = list_backups()[0]

    assert (first.base, second.base) == (base.id, first.id)
    assert newest_complete(increments=True) is None
    verify(second)


def test_a_small_act_waits_for_no_storage_elsewhere(monkeypatch):
    proven()
    monkeypatch.setattr(creating, "try_to_send", lambda made: pytest.fail("it was sent"))

    assert recent_or_new("before-bulk", actor=None, reason="a small one", objects=2).kind == "incremental"


def test_before_a_large_act_and_one_of_unknown_size_the_backup_is_full(airports_file, monkeypatch):  # noqa: F811
    proven()
    monkeypatch.setattr(automatic, "FEW", 1)
    delete("KAAA", "KBBB")
    assert kinds() == ["before-bulk", "full"]
    Airport.objects.filter(pk="KCCC").update(name="Again")

    recent_or_new("before-migration", actor=None, reason="a migration")

    assert kinds() == ["before-migration", "before-bulk", "full"]


def test_an_increment_serves_no_act_of_unknown_size():
    proven()
    made = recent_or_new("before-bulk", actor=None, reason="a small one", objects=2)

    assert made.kind == "incremental"
    assert newest_complete(increments=True) == made
    assert newest_complete() is None


@pytest.mark.parametrize("what", ["not proven", "bad", "of another database"])
def test_without_a_proven_backup_of_this_database_the_one_before_a_small_act_is_full(what: str):
    base = proven()
    changes = {
        "not proven": {"verified_at": None, "verified": ""},
        "bad": {"verified_at": None},
        "of another database": {"database": "another"},
    }
    amend(base, **changes[what])

    delete("KAAA", "KBBB")

    assert kinds()[0] == "before-bulk"


def test_a_backup_of_some_tables_does_not_serve(airports_file):  # noqa: F811
    history = [model.history.model._meta.db_table for model in (Airport, Country)]
    create_backup(actor=None, reason="by hand", tables=(*history, Changeset._meta.db_table))

    call_command("import_airports", "--file", str(airports_file({}, {})), verbosity=0)

    assert kinds() == ["before-import", "full"]


def delete(*idents: str) -> None:
    apply_bulk(deleting(), Airport.objects.filter(pk__in=idents), actor=None, reason="gone")


def test_deleting_several_comes_after_a_backup_and_deleting_one_does_not():
    delete("KAAA")
    assert not kinds()

    delete("KBBB", "KCCC")

    (made,) = list_backups()
    assert (made.kind, made.reason) == ("before-bulk", "before the deletion of 2 airports")
    assert made.row_counts["airports_airport"] == 2


def test_nothing_is_deleted_when_the_backup_fails(folder):
    folder.write_text("a file where the folder should be")

    with pytest.raises(NotBackedUp):
        delete("KAAA", "KBBB")

    assert Airport.objects.count() == 3


def test_where_they_are_turned_off_none_is_made(settings):
    settings.BACKUPS_AUTOMATIC = False

    delete("KAAA", "KBBB")

    assert not kinds()


def test_going_back_over_data_comes_after_a_backup(migrate):
    migrate("airports", "0001")

    (made,) = list_backups()
    assert made.kind == "before-migration"
    assert "country of airports_airport, city of airports_airport" in made.reason
    assert made.row_counts["airports_airport"] == 3


def test_going_back_without_a_backup_is_refused_with_the_command_that_makes_one(migrate, settings):
    settings.BACKUPS_AUTOMATIC = False

    with pytest.raises(CommandError, match=r"country of airports_airport.* make one with `manage.py backup create`"):
        migrate("airports", "0001")

    assert "country_id" in columns()


@pytest.mark.parametrize("force", [True, False], ids=["forced", "with a backup made by hand"])
def test_going_back_goes_on_when_it_is_forced_or_backed_up(migrate, settings, force):
    settings.BACKUPS_AUTOMATIC = False
    if not force:
        create_backup(actor=None, reason="by hand")

    migrate("airports", "0001", *(["--force"] if force else []))

    assert "country_id" not in columns()


def columns() -> set[str]:
    with connection.cursor() as cursor:
        return {column.name for column in connection.introspection.get_table_description(cursor, "airports_airport")}
