"""Pins: fields that imports leave as they are, and deleted objects that stay deleted."""

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.airports.columns import OURAIRPORTS
from apps.airports.models import Airport
from apps.base.columns import CITIES
from apps.base.models import City, Country
from apps.changesets.history.stable_key import object_key_of
from apps.changesets.models import Changeset
from apps.imports.errors import NotDeleted, NoteMissing, NotPinnable, NotPinned
from apps.imports.mapping.layout import layout_of
from apps.imports.models import Pin
from apps.imports.plan.deleted import leave_deleted, load_pinned_gone
from apps.imports.plan.pinned_rows import load_pins
from apps.imports.plan.pins import (
    pin,
    pin_deletion,
    pinnable_fields,
    pinned_by,
    pinned_deletions,
    pins_of,
    settle_pins,
    unpin,
    unpin_deletion,
)
from apps.imports.results import ImportOptions
from apps.imports.staging.tables import Staging

pytestmark = pytest.mark.django_db
HEADER = ["id", "ident", "type", "name", "latitude_deg", "longitude_deg", "iso_country"]


def airport(ident: str, source_id: int | None = None, **values) -> Airport:
    return Airport.objects.create(ident=ident, source_id=source_id, name=ident, airport_type="heliport", **values)


def staging_of(spec=OURAIRPORTS, header=HEADER) -> Staging:
    options = ImportOptions(corrections=spec.upstream is None)
    layout = layout_of(header, spec, options=options, name="a file")
    staging = Staging(connection=connection, layout=layout, options=options)
    staging.create()
    return staging


# -- fields --------------------------------------------------------------------------------------------------


def test_an_object_is_known_by_the_key_that_stays():
    assert object_key_of(airport("KDEN", 3486)) == "id:3486"
    assert object_key_of(airport("KAPA")) == "pk:KAPA"


def test_what_imports_fill_and_links_can_be_pinned_and_nothing_else():
    fields = pinnable_fields(Airport)

    assert {"name", "ident", "elevation_ft", "active", "country", "city"} <= {*fields}
    assert not {"source_id", "search_name", "city_search", "upstream", "updated_at"} & {*fields}
    assert "id" not in pinnable_fields(City)
    assert pinnable_fields(Changeset) == ()


def test_a_pin_says_who_pinned_what_and_why_and_is_no_changeset(steward):
    changesets = Changeset.objects.count()
    kden = airport("KDEN", 3486)
    made_by_airport = Changeset.objects.count() - changesets

    pin(kden, "name", note=" as signed ", actor=steward)

    (found,) = pins_of(kden).values()
    assert (found.field, found.note, pinned_by(found)) == ("name", "as signed", "stan")
    assert Changeset.objects.count() == changesets + made_by_airport


def test_the_name_of_who_pinned_outlives_the_person(steward):
    kden = airport("KDEN", 3486)
    pin(kden, "name", note="as signed", actor=steward)

    steward.delete()

    assert pinned_by(pins_of(kden)["name"]) == "stan"


def test_pinning_again_gives_the_new_note():
    kden = airport("KDEN", 3486)
    pin(kden, "name", note="one", actor=None)

    pin(kden, "name", note="two", actor=None)

    assert [each.note for each in Pin.objects.all()] == ["two"]


def test_a_pin_needs_a_note_and_a_field_that_imports_fill():
    kden = airport("KDEN", 3486)

    with pytest.raises(NoteMissing, match="Say why"):
        pin(kden, "name", note=" ", actor=None)
    with pytest.raises(NotPinnable, match="Imports do not fill “search_name” of airports, so it needs no pin"):
        pin(kden, "search_name", note="why", actor=None)

    assert not Pin.objects.exists()


def test_unpinning_what_is_not_pinned_is_told():
    with pytest.raises(NotPinned, match="“name” of KDEN · KDEN is not pinned"):
        unpin(airport("KDEN", 3486), "name")


def test_pins_made_before_an_object_got_its_key_are_found_and_go_with_an_unpin():
    kden = airport("KDEN")
    pin(kden, "name", note="why", actor=None)
    Airport.objects.filter(pk="KDEN").update(source_id=3486)
    kden = Airport.objects.get()

    assert {*pins_of(kden)} == {"name"}

    unpin(kden, "name")
    assert pins_of(kden) == {}


def test_pinning_anew_under_the_key_replaces_the_early_pin():
    kden = airport("KDEN")
    pin(kden, "name", note="early", actor=None)
    kden.source_id = 3486

    pin(kden, "name", note="late", actor=None)

    assert [(each.object_key, each.note) for each in Pin.objects.all()] == [("id:3486", "late")]


def test_settled_pins_follow_a_rename():
    pin(airport("KDEN"), "name", note="why", actor=None)
    pin(airport("KAPA"), "name", note="stays", actor=None)
    Airport.objects.filter(pk="KDEN").update(source_id=3486)

    assert settle_pins(Airport) == 1

    Airport.objects.filter(pk="KDEN").update(ident="KDVX")
    assert {*pins_of(Airport.objects.get(pk="KDVX"))} == {"name"}
    assert settle_pins(Airport) == 0


# -- deletions -----------------------------------------------------------------------------------------------


def test_a_deletion_is_pinned_while_the_object_is_gone():
    kden = airport("KDEN", 3486)
    with pytest.raises(NotDeleted, match="That airport is not deleted"):
        pin_deletion(Airport, "id:3486", note="closed", actor=None)
    kden.delete()

    pin_deletion(Airport, "id:3486", note="closed", actor=None)

    assert {key: each.note for key, each in pinned_deletions(Airport).items()} == {"id:3486": "closed"}
    unpin_deletion(Airport, "id:3486")
    assert pinned_deletions(Airport) == {}
    with pytest.raises(NotPinned):
        unpin_deletion(Airport, "id:3486")


# -- SQL -----------------------------------------------------------------------------------------------------


def test_pins_are_loaded_for_live_rows_by_either_key():
    renamed, by_hand = airport("KDEN", 3486), airport("KAPA")
    pin(renamed, "name", note="why", actor=None)
    pin(by_hand, "city", note="why", actor=None)
    pin(airport("GONE", 9), "name", note="why", actor=None)
    Airport.objects.filter(pk="GONE").delete()
    Airport.objects.filter(pk="KDEN").update(ident="KDVX")
    staging = staging_of()

    assert load_pins(staging) == load_pins(staging) == {"name", "city"}

    pinned = staging.rows("SELECT old_pk, field FROM {pins} ORDER BY old_pk")
    assert pinned == [("KAPA", "city"), ("KDVX", "name")]


def test_pins_under_both_keys_are_one():
    Airport.objects.bulk_create([Airport(ident="KDEN", source_id=3486, name="x", airport_type="heliport")])
    for key in ("id:3486", "pk:KDEN"):
        Pin.objects.create(model="airports.airport", object_key=key, field="name", note="why")

    staging = staging_of()

    assert load_pins(staging) == {"name"}
    assert staging.rows("SELECT old_pk, field FROM {pins}") == [("KDEN", "name")]


def test_pins_of_models_without_a_stable_key_are_loaded_by_their_number():
    city = City.objects.create(country=Country.objects.create(iso_code="US", name="USA"), name="Denver")
    pin(city, "population", note="why", actor=None)
    Pin.objects.create(model="airports.airport", object_key="id:3486", field="name", note="of another model")
    staging = staging_of(CITIES, ["id", "country", "name"])

    assert load_pins(staging) == {"population"}
    assert staging.rows("SELECT old_pk, field FROM {pins}") == [(city.pk, "population")]
    assert load_pinned_gone(staging) == 0


def test_pinned_deletions_are_loaded_by_either_key_unless_the_object_lives_again():
    for ident, source_id in (("KDEN", 3486), ("KAPA", None), ("KBDU", 7)):
        gone = airport(ident, source_id)
        key = object_key_of(gone)
        gone.delete()
        pin_deletion(Airport, key, note="closed", actor=None)
    airport("XXXX", 7)
    staging = staging_of()

    assert load_pinned_gone(staging) == 2

    rows = staging.rows("SELECT stable_value, pk_value FROM {pinned_gone} ORDER BY stable_value IS NULL")
    assert rows == [(3486, None), (None, "KAPA")]


# -- imports -------------------------------------------------------------------------------------------------


def test_an_import_leaves_a_pinned_field_alone_even_where_it_overwrites(import_file):
    import_file({}, {})
    pin(Airport.objects.get(pk="K001"), "name", note="as signed", actor=None)

    import_file({"name": "New"}, {"name": "New"}, options=("--on-local-edit", "overwrite"))

    assert list(Airport.objects.order_by("pk").values_list("name", flat=True)) == [
        *("Denver International Airport", "New")
    ]


def test_an_import_leaves_a_pinned_link_alone(import_file):
    import_file({})
    pin(Airport.objects.get(), "city", note="belongs to none", actor=None)
    Airport.objects.update(city=None)

    import_file({})

    assert Airport.objects.get().city is None


def test_what_is_kept_deleted_does_not_come_back_and_is_skipped(import_file):
    import_file({}, {})
    Airport.objects.filter(pk="K001").delete()
    pin_deletion(Airport, "id:1", note="never built", actor=None)

    result = import_file({}, {})

    assert (result["skipped"], result["created"], result["missing"], result["changeset"]) == (1, 0, 0, None)
    assert [each.pk for each in Airport.objects.all()] == ["K002"]


def test_what_is_let_go_comes_back(import_file):
    import_file({})
    Airport.objects.all().delete()
    pin_deletion(Airport, "id:1", note="never built", actor=None)
    unpin_deletion(Airport, "id:1")

    assert import_file({})["created"] == 1


def test_a_deletion_pinned_by_the_primary_key_holds_back_rows_with_that_key(import_file):
    airport("K001").delete()
    pin_deletion(Airport, "pk:K001", note="never built", actor=None)

    assert (import_file({}, {})["created"], leave_deleted(staging_of())) == (1, 0)


# -- properties ----------------------------------------------------------------------------------------------


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["pin", "unpin", "key", "rename"]),
        st.integers(0, 2),
        st.sampled_from(["name", "city", "ident"]),
    ),
    max_size=12,
)


class TestPinning(TestCase):
    """Any pinning, unpinning, keying and renaming: what is pinned is what a set in Python says."""

    @given(STEPS)
    def test_pins_are_a_set_that_follows_its_objects(self, steps):
        objects = [airport(f"K{number}") for number in range(3)]
        expected: set[tuple[int, str]] = set()
        for act, number, field in steps:
            obj = objects[number]
            if act == "pin":
                pin(obj, field, note="why", actor=None)
                expected.add((number, field))
            elif act == "unpin" and (number, field) in expected:
                unpin(obj, field)
                expected.remove((number, field))
            elif act == "key":
                Airport.objects.filter(pk=obj.pk).update(source_id=number + 1)
                settle_pins(Airport)
            elif act == "rename" and obj.source_id is not None:
                Airport.objects.filter(pk=obj.pk).update(ident=obj.pk + "X")
                obj.ident += "X"
            objects[number] = Airport.objects.get(pk=obj.pk)

        assert {(number, field) for number, obj in enumerate(objects) for field in pins_of(obj)} == expected
        staging = staging_of()
        assert load_pins(staging) == {field for _, field in expected}
        loaded = {*staging.rows("SELECT old_pk, field FROM {pins}")}
        assert loaded == {(objects[number].pk, field) for number, field in expected}
