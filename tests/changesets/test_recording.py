"""Whatever writes to a tracked table is recorded, once, in the open changeset."""

from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.core.serializers import serialize
from django.db import connection
from django.db.models import F

from apps.airports.models import Airport
from apps.base.models import City
from apps.changesets.context import changeset
from apps.changesets.models import Changeset, Kind
from apps.changesets.recording import BY_SET
from tests.changesets.conftest import World, history_rows


def save() -> None:
    airport = Airport.objects.get(pk="KDEN")
    airport.name = "x"
    airport.save()


def bulk_update() -> None:
    airports = list(Airport.objects.filter(pk="KDEN"))
    airports[0].name = "x"
    Airport.objects.bulk_update(airports, ["name"])


def raw_sql(promise: str = "") -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"{promise} UPDATE airports_airport SET name = 'x' WHERE ident = 'KDEN'")


def upsert() -> None:
    airport = Airport.objects.get(pk="KDEN")
    airport.name = "x"
    Airport.objects.bulk_create([airport], update_conflicts=True, update_fields=["name"], unique_fields=["ident"])


CHANGES = {
    "save": save,
    "queryset update": lambda: Airport.objects.filter(pk="KDEN").update(name="x"),
    "base manager": lambda: Airport._base_manager.filter(pk="KDEN").update(name="x"),
    "F expression": lambda: Airport.objects.filter(pk="KDEN").update(
        elevation_ft=1, latitude_deg=F("latitude_deg") + 1
    ),
    "bulk_update": bulk_update,
    "update_or_create": lambda: Airport.objects.update_or_create(pk="KDEN", defaults={"name": "x"}),
    "upsert": upsert,
    "raw SQL": raw_sql,
    "by set": lambda: raw_sql(BY_SET),
}


@pytest.mark.parametrize("write", CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_row_is_recorded_once_with_its_changeset(
    world: World, no_drift: Callable, write: Callable[[], object]
) -> None:
    with changeset(kind="edit", actor=None) as opened:
        write()

    rows = Airport.history.filter(changeset=opened)
    assert [(row.ident, row.history_type) for row in rows] == [("KDEN", "~")]
    assert opened.counts == {"airports.airport": {"changed": 1}}
    no_drift()


CREATIONS = {
    "create": lambda: Airport.objects.create(ident="NEW", name="n", airport_type="closed"),
    "bulk_create": lambda: Airport.objects.bulk_create([Airport(ident="NEW", name="n", airport_type="closed")]),
    "update_or_create": lambda: Airport.objects.update_or_create(
        pk="NEW", defaults={"name": "n", "airport_type": "closed"}
    ),
}


@pytest.mark.parametrize("write", CREATIONS.values(), ids=CREATIONS.keys())
def test_a_created_row_is_recorded_once(world: World, no_drift: Callable, write: Callable[[], object]) -> None:
    write()

    assert [row.history_type for row in Airport.history.filter(ident="NEW")] == ["+"]
    no_drift()


DELETIONS = {
    "delete": lambda: Airport.objects.get(pk="KDEN").delete(),
    "queryset delete": lambda: Airport.objects.filter(pk="KDEN").delete(),
    "raw delete": lambda: Airport.objects.filter(pk="KDEN")._raw_delete("default"),
}


@pytest.mark.parametrize("write", DELETIONS.values(), ids=DELETIONS.keys())
def test_a_deleted_row_is_recorded_once_with_its_values(
    world: World, no_drift: Callable, write: Callable[[], object]
) -> None:
    write()

    newest = Airport.history.filter(ident="KDEN").first()
    assert (newest.history_type, newest.name) == ("-", "Airport KDEN")
    assert Airport.history.filter(ident="KDEN").count() == 2
    no_drift()


def test_a_write_that_changes_nothing_is_not_recorded(world: World) -> None:
    before = history_rows()

    Airport.objects.get(pk="KDEN").save()
    Airport.objects.update(active=True)

    assert history_rows() == before


def test_set_null_when_a_city_is_deleted_is_in_the_airports_history(world: World, no_drift: Callable) -> None:
    world.denver.delete()

    newest = Airport.history.filter(ident="KDEN").first()
    assert (newest.history_type, newest.city_id) == ("~", None)
    no_drift()


def test_loaddata_is_recorded(world: World, no_drift: Callable, tmp_path) -> None:
    fixture = tmp_path / "airports.json"
    text = serialize("json", Airport.objects.filter(pk="KDEN"))
    fixture.write_text(text.replace("Airport KDEN", "From a fixture"))

    call_command("loaddata", str(fixture), verbosity=0)

    newest = Airport.history.filter(ident="KDEN").first()
    assert (newest.history_type, newest.name, newest.changeset.kind) == ("~", "From a fixture", Kind.DIRECT)
    no_drift()


def test_a_changed_primary_key_is_recorded_as_gone_and_new(world: World, no_drift: Callable) -> None:
    with changeset(kind="edit", actor=None) as opened:
        Airport.objects.filter(pk="KDEN").update(ident="KDVX")

    rows = Airport.history.filter(changeset=opened).order_by("history_id")
    assert [(row.history_type, row.ident) for row in rows] == [("-", "KDEN"), ("+", "KDVX")]
    assert opened.counts == {"airports.airport": {"changed": 1, "renamed": 1}}
    no_drift()


def test_a_replaced_row_is_recorded(world: World, no_drift: Callable) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("INSERT OR REPLACE is SQLite's")
    columns = ", ".join(f'"{field.column}"' for field in Airport._meta.concrete_fields)
    values = columns.replace('"name"', "'Replaced'")

    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT OR REPLACE INTO airports_airport ({columns}) "
            f"SELECT {values} FROM airports_airport WHERE ident = 'KDEN'"
        )

    newest = list(Airport.history.filter(ident="KDEN")[:2])
    assert [(row.history_type, row.name) for row in newest] == [("+", "Replaced"), ("-", "Airport KDEN")]
    no_drift()


def test_truncate_is_recorded_as_deletions(world: World, no_drift: Callable) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("TRUNCATE is PostgreSQL's")

    with connection.cursor() as cursor:
        # Constraints checked at commit are pending events that TRUNCATE would refuse to run over.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE airports_airport")

    assert set(Airport.history.filter(history_type="-").values_list("ident", flat=True)) == {"KDEN", "KAPA", "KBDU"}
    no_drift()


def test_history_carries_the_user_and_the_changesets_moment(world: World, django_user_model) -> None:
    ana = django_user_model.objects.create(username="ana")

    with changeset(kind="edit", actor=ana) as opened:
        Airport.objects.filter(pk="KDEN").update(name="x")

    row = Airport.history.filter(changeset=opened).get()
    assert (row.history_user, row.history_date) == (ana, opened.created_at)


def test_direct_writes_of_one_moment_are_one_changeset(world: World) -> None:
    Airport.objects.filter(pk="KDEN").update(name="x")
    Airport.objects.filter(pk="KAPA").update(name="y")
    City.objects.create(country=world.country, name="Aspen")

    assert Changeset.objects.filter(kind=Kind.DIRECT).count() == 1


def test_a_direct_write_after_a_changeset_is_not_part_of_it(world: World) -> None:
    Airport.objects.filter(pk="KDEN").update(name="first")
    with changeset(kind="edit", actor=None) as opened:
        Airport.objects.filter(pk="KDEN").update(name="second")
    Airport.objects.filter(pk="KDEN").update(name="third")

    kinds = [row.changeset.kind for row in Airport.history.filter(ident="KDEN").order_by("history_id")]
    assert kinds == [Kind.IMPORT, Kind.DIRECT, Kind.EDIT, Kind.DIRECT]
    assert Airport.history.filter(changeset=opened).count() == 1


def test_a_direct_write_on_postgresql_names_the_database_user(world: World) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no users")

    Airport.objects.update(name="x")

    assert Changeset.objects.first().actor_name.startswith(connection.settings_dict["USER"])


def test_dates_are_in_djangos_own_format(world: World) -> None:
    Airport.objects.update(name="x")

    row = Airport.history.first()
    assert Airport.history.filter(history_date=row.history_date, ident=row.ident).exists()
    assert Airport.history.as_of(row.history_date).count() == 3
