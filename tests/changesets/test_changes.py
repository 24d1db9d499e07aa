"""The changes of a changeset: netted without writing, counted by field, filtered, paged and streamed."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.airports.models import Airport
from apps.base.models import City
from apps.changesets.context import changeset
from apps.changesets.history.counts import count_changes, field_counts_of
from apps.changesets.history.diff import changes_of, selection_of
from apps.changesets.history.selection import Filters, page_and_count, pairs_on_page
from apps.changesets.models import Changeset
from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_for
from tests.changesets.conftest import World

AIRPORTS = tracked_for(Airport)


def rename(old: str, new: str) -> None:
    """Give an airport another ident, as an import does: the row goes and comes under the other key."""
    airport = Airport.objects.get(pk=old)
    Airport.objects.filter(pk=old).delete()
    airport.pk = new
    airport.save(force_insert=True)


@pytest.fixture
def mixed(world: World) -> Changeset:
    """A changeset of all sorts: KDEN changed twice, KAPA renamed, KBDU deleted, KBJC new, KXXX come and gone."""
    with changeset(kind="import", actor=None) as made:
        Airport.objects.filter(pk="KDEN").update(name="Denver Intl", elevation_ft=1)
        Airport.objects.filter(pk="KDEN").update(elevation_ft=None)
        rename("KAPA", "KAPB")
        Airport.objects.filter(pk="KBDU").delete()
        Airport.objects.create(ident="KBJC", name="Rocky", airport_type="small_airport", country=world.country)
        Airport.objects.create(ident="KXXX", name="Ghost", airport_type="small_airport").delete()
    return made


def found(made: Changeset, **filters: str) -> list[str]:
    changes = changes_of(made, model="airports.airport", filters=Filters(**filters))
    return [f"{change.operation} {change.pk}" for change in changes]


def test_idents_that_swap_are_two_renamed_objects(world: World) -> None:
    with changeset(kind="import", actor=None) as made:
        rename("KDEN", "TEMP")
        rename("KAPA", "KDEN")
        rename("TEMP", "KAPA")

    assert found(made) == ["renamed KAPA", "renamed KDEN"]


def test_a_key_that_means_another_object_is_a_deletion_and_a_renaming(world: World) -> None:
    with changeset(kind="import", actor=None) as made:
        Airport.objects.filter(pk="KDEN").delete()
        rename("KAPA", "KDEN")

    assert sorted(found(made)) == ["deleted KDEN", "renamed KDEN"]


def test_each_object_stands_once_by_key(mixed: Changeset) -> None:
    assert found(mixed) == ["renamed KAPB", "deleted KBDU", "created KBJC", "changed KDEN"]


def test_closing_counts_changed_objects_by_field(mixed: Changeset) -> None:
    assert Changeset.objects.get(pk=mixed.pk).field_counts == {"airports.airport": {"ident": 1, "name": 1}}


def test_fields_that_follow_others_are_not_counted(world: World) -> None:
    with changeset(kind="edit", actor=None) as made:
        Airport.objects.filter(pk="KDEN").update(name="x", search_name="x", upstream={"name": "x"})

    assert made.field_counts == {"airports.airport": {"name": 1}}


def test_creations_and_deletions_are_not_counted_by_field(world: World) -> None:
    assert world.made_by.field_counts == {}


def test_direct_writes_are_counted_by_field_when_asked(world: World) -> None:
    Airport.objects.filter(pk__in=["KDEN", "KAPA"]).update(elevation_ft=7)
    direct = Changeset.objects.get(kind="direct")

    assert direct.field_counts is None
    assert field_counts_of(direct, counts={"airports.airport": {"changed": 2}}) == {
        "airports.airport": {"elevation_ft": 2}
    }


def test_counting_by_field_is_the_same_stored_or_not(mixed: Changeset) -> None:
    counts, fields = count_changes(mixed.pk)
    mixed.field_counts = None

    assert field_counts_of(mixed, counts=counts) == fields


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"operation": "created"}, ["created KBJC"]),
        ({"operation": "changed"}, ["renamed KAPB", "changed KDEN"]),
        ({"operation": "renamed"}, ["renamed KAPB"]),
        ({"operation": "deleted"}, ["deleted KBDU"]),
        ({"field": "name"}, ["changed KDEN"]),
        ({"field": "elevation_ft"}, []),
        ({"field": "ident"}, ["renamed KAPB"]),
        ({"text": "kapa"}, ["renamed KAPB"]),
        ({"text": "denver intl"}, ["changed KDEN"]),
        ({"text": "airport kden"}, ["changed KDEN"]),
        ({"text": "100%"}, []),
        ({"text": "%"}, []),
        ({"text": "k_en"}, []),
        ({"field": "name", "text": "INTL"}, ["changed KDEN"]),
        ({"field": "name", "operation": "renamed"}, []),
    ],
)
def test_changes_are_filtered(mixed: Changeset, filters: dict, expected: list[str]) -> None:
    assert found(mixed, **filters) == expected


def test_changes_are_filtered_by_country_before_or_after(world: World) -> None:
    other = type(world.country).objects.create(iso_code="CA", name="Canada")
    with changeset(kind="edit", actor=None) as made:
        Airport.objects.filter(pk="KDEN").update(country=other)
        Airport.objects.filter(pk="KAPA").update(name="x")

    assert found(made, place=str(other.pk)) == ["changed KDEN"]
    assert found(made, place=str(world.country.pk)) == ["changed KAPA", "changed KDEN"]


def test_values_of_a_link_are_searched_by_name(world: World) -> None:
    with changeset(kind="edit", actor=None) as made:
        Airport.objects.filter(pk="KDEN").update(city=world.boulder)
        Airport.objects.filter(pk="KBDU").update(city=None)

    assert found(made, field="city", text="denv") == ["changed KDEN"]
    assert found(made, field="city", text="boulder") == ["changed KBDU", "changed KDEN"]


def test_text_is_found_whatever_its_case(world: World) -> None:
    with changeset(kind="edit", actor=None) as made:
        city = City.objects.create(country=world.country, name="Zürich")

    changes = list(changes_of(made, filters=Filters(text="ZÜR")))

    assert [change.pk for change in changes] == [str(city.pk)]


@pytest.mark.parametrize("operation", ["", "changed", "created"])
def test_pages_follow_each_other_and_agree_with_the_count(world: World, operation: str) -> None:
    with changeset(kind="import", actor=None) as made:
        Airport.objects.bulk_create(Airport(ident=f"A{n:02}", name="An airport") for n in range(7))
    with changeset(kind="bulk_action", actor=None) as made_later:
        Airport.objects.update(elevation_ft=5)
    sql = Sql()
    made = made_later if operation == "changed" else made
    selection = selection_of(sql, AIRPORTS, made, filters=Filters(operation=operation))

    pages = [pairs_on_page(sql, selection, start=start, limit=4) for start in (0, 4, 8)]

    assert selection.single
    assert page_and_count(sql, selection, start=4, limit=4) == (pages[1], sum(map(len, pages)))
    assert len({pair for page in pages for pair in page}) == sum(map(len, pages))


def test_a_page_of_simple_changes_has_the_row_before_each(world: World) -> None:
    with changeset(kind="bulk_action", actor=None) as made:
        Airport.objects.update(elevation_ft=5)

    changes = list(changes_of(made))

    assert [(c.pk, c.fields[0].old, c.fields[0].new) for c in changes] == [
        (ident, None, 5) for ident in ("KAPA", "KBDU", "KDEN")
    ]


def test_reading_changes_writes_nothing(mixed: Changeset) -> None:
    with CaptureQueriesContext(connection) as queries:
        list(changes_of(mixed))

    words = {query["sql"].split()[0] for query in queries if "CURSOR" not in query["sql"]}
    assert words == {"SELECT"} or words == {"SELECT", "DECLARE"}
