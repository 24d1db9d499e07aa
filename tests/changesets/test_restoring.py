"""The recycle bin, what comes back from it, and going back to an old version."""

import pytest
from django.db import connection

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.context import changeset
from apps.changesets.errors import NothingToRestore, PlanMoved
from apps.changesets.history.origins import origins_of
from apps.changesets.history.recycle_bin import deleted_objects
from apps.changesets.revert import plan_revert, revert
from apps.changesets.revert.bring_back import plan_restore, restore_deleted
from apps.changesets.revert.go_back import go_back, plan_version
from apps.changesets.tracking import tracked_for
from tests.changesets.conftest import tables

pytestmark = pytest.mark.django_db
AIRPORTS, CITIES, COUNTRIES = (tracked_for(model) for model in (Airport, City, Country))


def delete(*objects):
    with changeset(kind="delete", actor=None, reason="gone") as made:
        for obj in objects:
            type(obj)._base_manager.filter(pk=obj.pk).delete()
    return made


def edit(ident: str, **values):
    with changeset(kind="edit", actor=None) as made:
        airport = Airport.objects.get(pk=ident)
        for name, value in values.items():
            setattr(airport, name, value)
        airport.save()
    return made


def in_bin(tracked=AIRPORTS) -> dict[str, int]:
    return {str(getattr(row, tracked.pk)): row.history_id for row in deleted_objects(tracked)}


def restore(**picked):
    labels = {"airports": AIRPORTS.label, "cities": CITIES.label, "countries": COUNTRIES.label}
    return restore_deleted({labels[name]: rows for name, rows in picked.items()}, actor=None, reason="back")


def version(ident: str, **values):
    return Airport.history.filter(ident=ident, **values).exclude(history_type="-").last()


# -- the recycle bin -------------------------------------------------------------------------------------------


def test_the_bin_has_what_is_deleted_with_its_changeset(world):
    made = delete(Airport.objects.get(pk="KAPA"))

    (row,) = deleted_objects(AIRPORTS)

    assert (row.ident, row.changeset) == ("KAPA", made)


def test_what_was_made_again_is_not_in_the_bin(world):
    airport = Airport.objects.get(pk="KAPA")
    delete(airport)
    airport.save(force_insert=True)

    assert in_bin() == {}


def test_the_old_half_of_a_rename_is_not_in_the_bin(world):
    Airport.objects.filter(pk="KAPA").update(ident="KXXX")

    assert in_bin() == {}


def test_an_object_renamed_and_then_deleted_is_there_once_under_its_last_key(world):
    Airport.objects.filter(pk="KAPA").update(ident="KXXX")
    delete(Airport.objects.get(pk="KXXX"))

    assert list(in_bin()) == ["KXXX"]


def test_an_object_deleted_twice_is_there_once(world):
    airport = Airport.objects.get(pk="KAPA")
    delete(airport)
    airport.save(force_insert=True)
    delete(airport)

    assert len(in_bin()) == 1


def test_what_has_no_stable_key_is_known_by_its_key(world):
    Airport.objects.create(ident="KNON", name="None", airport_type="closed")
    delete(Airport.objects.get(pk="KNON"), world.boulder)

    assert list(in_bin()) == ["KNON"]
    assert list(in_bin(CITIES)) == [str(world.boulder.pk)]


# -- bringing back ---------------------------------------------------------------------------------------------


def test_what_comes_back_has_its_key_and_every_value(world, no_drift):
    before = tables()
    delete(Airport.objects.get(pk="KAPA"), Airport.objects.get(pk="KDEN"))

    made = restore(airports=list(in_bin().values()))

    assert tables() == before
    assert made.kind == "restore"
    assert made.counts == {"airports.airport": {"created": 2}}
    assert in_bin() == {}
    no_drift()


def test_one_of_many_comes_back_alone(world):
    delete(Airport.objects.get(pk="KAPA"), Airport.objects.get(pk="KDEN"))

    restore(airports=[in_bin()["KDEN"]])

    assert list(in_bin()) == ["KAPA"]


def test_bringing_back_can_be_undone(world, no_drift):
    delete(Airport.objects.get(pk="KAPA"))
    without = tables()
    made = restore(airports=list(in_bin().values()))

    revert(plan_revert([made]), actor=None, reason="no")

    assert tables() == without
    no_drift()


def test_a_missing_link_target_blocks_and_is_named_with_its_own_place_in_the_bin(world):
    Airport.objects.filter(city=world.boulder).exclude(pk="KBDU").delete()
    delete(Airport.objects.get(pk="KBDU"))
    made = delete(world.boulder)

    plan = plan_restore({AIRPORTS.label: list(in_bin().values())})

    (obstacle,) = plan.objects[0].obstacles
    assert obstacle.why == f"its city Boulder is deleted, in {made}"
    assert (obstacle.model, obstacle.row) == (CITIES.label, in_bin(CITIES)[str(world.boulder.pk)])


def test_what_it_points_to_comes_back_with_it(world, no_drift):
    before = tables()
    delete(Airport.objects.get(pk="KBDU"), world.boulder)

    restore(airports=list(in_bin().values()), cities=list(in_bin(CITIES).values()))

    assert tables() == before
    no_drift()


def test_a_taken_unique_value_blocks_and_names_who_has_it(world):
    delete(world.boulder)
    City.objects.create(country=world.country, name="Boulder")

    plan = plan_restore({CITIES.label: list(in_bin(CITIES).values())})

    assert "boulder is that of Boulder now" in plan.objects[0].obstacles[0].why
    with pytest.raises(NothingToRestore):
        restore(cities=list(in_bin(CITIES).values()))


def test_a_taken_key_blocks_an_object_that_was_renamed_away(world):
    delete(Airport.objects.get(pk="KAPA"))
    Airport.objects.create(ident="KAPA", source_id=77, name="Another", airport_type="closed")

    plan = plan_restore({AIRPORTS.label: list(in_bin().values())})

    assert plan.coming == 0
    assert plan.objects[0].obstacles[0].why == "ident KAPA is that of KAPA · Another now"


def test_the_blocked_stay_and_the_others_come_back(world):
    delete(Airport.objects.get(pk="KAPA"), Airport.objects.get(pk="KDEN"))
    Airport.objects.create(ident="KAPA", source_id=77, name="Another", airport_type="closed")

    made = restore(airports=list(in_bin().values()))

    assert made.summary["restore"] == {"recreated": 1, "blocked": 1, "there": 0}
    assert Airport.objects.get(pk="KAPA").name == "Another"


def test_what_came_back_meanwhile_moves_the_plan(world):
    delete(Airport.objects.get(pk="KAPA"), Airport.objects.get(pk="KDEN"))
    rows = list(in_bin().values())
    seen = plan_restore({AIRPORTS.label: rows}).seen
    restore(airports=rows[:1])
    before = tables()

    with pytest.raises(PlanMoved):
        restore_deleted({AIRPORTS.label: rows}, actor=None, reason="x", seen=seen)

    assert tables() == before


def test_the_next_new_row_gets_a_key_of_its_own(world):
    delete(Airport.objects.get(pk="KBDU"), world.boulder)
    last = City.objects.create(country=world.country, name="Last")
    delete(last)
    restore(cities=list(in_bin(CITIES).values()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM base_city")
        highest = cursor.fetchone()[0]

    assert City.objects.create(country=world.country, name="Next").pk > highest


# -- going back to a version -----------------------------------------------------------------------------------


def back_to(row, fields, seen=None):
    seen = plan_version(AIRPORTS, row).seen if seen is None else seen
    return go_back(AIRPORTS, row, fields=fields, actor=None, reason="as it was", seen=seen)


def test_only_the_chosen_fields_go_back_and_what_follows_them(world, no_drift):
    edit("KDEN", name="Denver Intl", elevation_ft=5431)

    made = back_to(version("KDEN"), ["name"])

    airport = Airport.objects.get(pk="KDEN")
    assert (airport.name, airport.search_name, airport.elevation_ft) == ("Airport KDEN", "airport kden", 5431)
    assert made.kind == "restore"
    no_drift()


def test_the_plan_has_now_and_then_by_field(world):
    edit("KDEN", name="Denver Intl", city=None)

    plan = plan_version(AIRPORTS, version("KDEN"))

    assert [(field.name, field.old, field.new) for field in plan.fields] == [
        ("name", "Denver Intl", "Airport KDEN"),
        ("city", None, "Denver"),
    ]
    assert plan.obstacles == ()


def test_going_back_is_a_correction_for_the_next_import(world):
    Airport.objects.filter(pk="KDEN").update(name="Upstream's", upstream={"name": "Upstream's"})

    back_to(version("KDEN"), ["name"])

    assert Airport.objects.get(pk="KDEN").upstream == {"name": "Upstream's"}


def test_a_link_whose_target_is_gone_is_named_and_the_rest_can_go_back(world):
    edit("KBDU", name="x", city=None)
    made = delete(world.boulder)

    plan = plan_version(AIRPORTS, version("KBDU"))

    assert [obstacle.why for obstacle in plan.obstacles] == [f"its city Boulder is deleted, in {made}"]
    with pytest.raises(NothingToRestore, match="its city Boulder is deleted"):
        back_to(version("KBDU"), ["name", "city"])
    back_to(version("KBDU"), ["name"])
    assert Airport.objects.get(pk="KBDU").name == "Airport KBDU"


def test_a_taken_unique_value_is_named(world):
    row = City.history.filter(id=world.boulder.pk).last()
    world.boulder.name = "Nederland"
    world.boulder.save()
    City.objects.create(country=world.country, name="Boulder", slug="boulder-2")

    plan = plan_version(CITIES, row, fields=["name"])

    assert [obstacle.why for obstacle in plan.obstacles] == ["search name boulder is that of Boulder now"]


def test_a_renamed_object_gets_its_key_back(world, no_drift):
    row = version("KDEN")
    with changeset(kind="import", actor=None):
        Airport.objects.filter(pk="KDEN").update(ident="KDVX")

    back_to(row, ["ident"])

    assert Airport.objects.get(source_id=1).ident == "KDEN"
    assert not Airport.objects.filter(pk="KDVX").exists()
    no_drift()


def test_a_version_of_what_is_gone_never_goes_to_another_object_that_has_its_key_now(world):
    delete(Airport.objects.get(pk="KDEN"))
    Airport.objects.create(ident="KDEN", source_id=99, name="another", airport_type="closed")

    plan = plan_version(AIRPORTS, version("KDEN", source_id=1))

    assert not plan.lives
    assert [each.why for each in plan.obstacles] == ["ident KDEN is that of KDEN · another now"]


def test_a_key_that_another_has_now_is_named(world):
    row = version("KDEN")
    with changeset(kind="import", actor=None):
        Airport.objects.filter(pk="KDEN").update(ident="KDVX")
        Airport.objects.filter(pk="KAPA").update(ident="KDEN")

    plan = plan_version(AIRPORTS, row)

    assert [obstacle.why for obstacle in plan.obstacles] == ["ident KDEN is that of KDEN · Airport KAPA now"]


def test_an_old_version_of_a_deleted_object_comes_back(world, no_drift):
    edit("KDEN", name="Later")
    row = version("KDEN")
    delete(Airport.objects.get(pk="KDEN"))

    plan = plan_version(AIRPORTS, row)
    back_to(row, [])

    assert not plan.lives
    assert Airport.objects.get(pk="KDEN").name == "Airport KDEN"
    no_drift()


def test_who_changed_it_meanwhile_is_not_overwritten(world):
    edit("KDEN", name="mine")
    seen = plan_version(AIRPORTS, version("KDEN")).seen
    edit("KDEN", name="theirs")

    with pytest.raises(PlanMoved):
        back_to(version("KDEN"), ["name"], seen=seen)

    assert Airport.objects.get(pk="KDEN").name == "theirs"


def test_a_version_that_is_the_present_one_restores_nothing(world):
    with pytest.raises(NothingToRestore, match="None of the chosen fields"):
        back_to(version("KDEN"), ["name"])


# -- origins ---------------------------------------------------------------------------------------------------


def test_each_field_knows_the_changeset_that_set_it(world):
    made = edit("KDEN", name="Denver Intl")

    origins = origins_of(Airport.objects.get(pk="KDEN"))

    assert (origins["name"].changeset, origins["name"].by_hand) == (made, True)
    assert (origins["municipality"].changeset, origins["municipality"].by_hand) == (world.made_by, False)
    assert origins["municipality"].words == "import"


def test_origins_go_back_over_a_rename(world):
    made = edit("KDEN", name="Denver Intl")
    with changeset(kind="import", actor=None) as renaming:
        Airport.objects.filter(pk="KDEN").update(ident="KDVX")

    origins = origins_of(Airport.objects.get(pk="KDVX"))

    assert origins["ident"].changeset == renaming
    assert origins["name"].changeset == made
    assert origins["municipality"].changeset == world.made_by


def test_origins_do_not_come_from_another_airport_that_had_the_key(world):
    delete(Airport.objects.get(pk="KAPA"))
    with changeset(kind="import", actor=None) as made:
        Airport.objects.create(ident="KAPA", source_id=77, name="Airport KAPA", airport_type="closed")

    assert origins_of(Airport.objects.get(pk="KAPA"))["name"].changeset == made


def test_origins_are_seen_through_a_deletion_that_was_undone(world):
    delete(Airport.objects.get(pk="KAPA"))
    restore(airports=list(in_bin().values()))

    assert origins_of(Airport.objects.get(pk="KAPA"))["name"].changeset == world.made_by


@pytest.mark.parametrize("renamed", [False, True])
def test_origins_take_one_query_and_two_after_a_rename(world, renamed, django_assert_num_queries):
    if renamed:
        with changeset(kind="import", actor=None):
            Airport.objects.filter(pk="KDEN").update(ident="KDVX")
    airport = Airport.objects.get(source_id=1)

    with django_assert_num_queries(1 + renamed):
        origins_of(airport)
