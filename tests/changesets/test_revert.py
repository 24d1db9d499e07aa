"""A revert takes back what a changeset did, and nothing that somebody did since."""

from collections.abc import Callable

import pytest
from django.db import connection

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.context import changeset
from apps.changesets.errors import NothingToRevert, RevertConflict, UnknownChangeset
from apps.changesets.models import Changeset, Status
from apps.changesets.revert import Bucket, Scope, plan_revert, revert
from tests.changesets.conftest import World, history_rows, tables


def rename_all(ident_by_old: dict[str, str]) -> None:
    """Give airports new idents as an import does: taken out, and put in again."""
    airports = {airport.ident: airport for airport in Airport.objects.filter(pk__in=ident_by_old)}
    Airport.objects.filter(pk__in=ident_by_old).delete()
    for old, new in ident_by_old.items():
        airports[old].ident = new
        airports[old].save(force_insert=True)


def change_fields() -> None:
    Airport.objects.update(name="x", elevation_ft=5)


def delete_everything() -> None:
    Airport.objects.all().delete()
    City.objects.all().delete()
    Country.objects.all().delete()


def swap_unique_values() -> None:
    City.objects.filter(name="Denver").update(slug="parked")
    City.objects.filter(name="Boulder").update(slug="denver")
    City.objects.filter(name="Denver").update(slug="boulder")


def create_and_link() -> None:
    france = Country.objects.create(iso_code="FR", name="France")
    paris = City.objects.create(country=france, name="Paris")
    Airport.objects.filter(pk="KDEN").update(country=france, city=paris)


WORK = {
    "changed fields": change_fields,
    "everything deleted": delete_everything,
    "a city deleted": lambda: City.objects.get(name="Denver").delete(),
    "places created and linked": create_and_link,
    "renamed": lambda: rename_all({"KDEN": "KDVX"}),
    "idents swapped": lambda: rename_all({"KDEN": "KAPA", "KAPA": "KDEN"}),
    "idents in a chain": lambda: rename_all({"KDEN": "KNEW", "KAPA": "KDEN", "KBDU": "KAPA"}),
    "unique values swapped": swap_unique_values,
    "created and deleted again": lambda: Airport.objects.create(ident="X", name="x", airport_type="closed").delete(),
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK.keys())
def test_revert_and_redo_restore_every_table_exactly(
    world: World, no_drift: Callable, work: Callable[[], object]
) -> None:
    before = tables()
    with changeset(kind="bulk_action", actor=None) as opened:
        work()
    after = tables()

    undone = revert(plan_revert([opened]), actor=None)
    assert tables() == before

    if undone is not None:
        revert(plan_revert([undone]), actor=None)
    assert tables() == after
    no_drift()


def test_a_whole_import_is_taken_back_and_brought_again(world: World, no_drift: Callable) -> None:
    after = tables()

    undone = revert(plan_revert([world.made_by]), actor=None)
    assert tables() == {"Country": [], "City": [], "Airport": []}
    no_drift()

    revert(plan_revert([undone]), actor=None)
    assert tables() == after
    no_drift()


def test_the_plan_counts_objects_by_bucket_and_writes_nothing(world: World) -> None:
    with changeset(kind="edit", actor=None) as opened:
        Airport.objects.update(name="x")
        City.objects.create(country=world.country, name="Aspen")
    state, history = tables(), history_rows()

    plan = plan_revert([opened])

    assert plan.counts == {Bucket.RESTORED: 3, Bucket.DELETED: 1}
    assert (tables(), history_rows()) == (state, history)


def test_a_value_changed_since_is_kept_and_named(world: World) -> None:
    with changeset(kind="import", actor=None) as opened:
        Airport.objects.update(name="upstream", elevation_ft=5)
    Airport.objects.filter(pk="KDEN").update(name="by hand")

    plan = plan_revert([opened])
    revert(plan, actor=None)

    assert plan.counts == {Bucket.RESTORED: 3, Bucket.KEPT: 1}
    kept = next(verdict for verdict in plan.verdicts if verdict.bucket == Bucket.KEPT)
    assert (kept.pk, kept.why.split(",")[0]) == ("KDEN", "name changed since")
    denver = Airport.objects.get(pk="KDEN")
    assert (denver.name, denver.elevation_ft) == ("by hand", None)
    opened.refresh_from_db()
    assert opened.status == Status.PARTLY_REVERTED


def test_a_value_that_somebody_put_back_already_is_not_kept_but_done(world: World) -> None:
    with changeset(kind="import", actor=None) as opened:
        Airport.objects.filter(pk="KDEN").update(name="upstream", elevation_ft=5)
    Airport.objects.filter(pk="KDEN").update(name="Airport KDEN")

    plan = plan_revert([opened])

    assert plan.counts == {Bucket.RESTORED: 1}


def test_a_correction_made_on_a_renamed_airport_survives_the_revert_of_the_rename(world: World) -> None:
    with changeset(kind="import", actor=None) as opened:
        rename_all({"KDEN": "KDVX"})
    Airport.objects.filter(pk="KDVX").update(name="by hand")

    revert(plan_revert([opened]), actor=None)

    assert Airport.objects.get(source_id=1).ident == "KDEN"
    assert Airport.objects.get(source_id=1).name == "by hand"


def test_an_old_change_is_taken_back_on_the_airport_not_on_who_has_its_ident_now(
    world: World, no_drift: Callable
) -> None:
    with changeset(kind="edit", actor=None) as opened:
        Airport.objects.filter(pk="KDEN").update(elevation_ft=5)
    with changeset(kind="import", actor=None):
        rename_all({"KDEN": "KDVX"})
        Airport.objects.create(ident="KDEN", source_id=99, name="another", airport_type="closed", elevation_ft=5)

    plan = plan_revert([opened])
    revert(plan, actor=None)

    assert plan.counts == {Bucket.RESTORED: 1}
    assert dict(Airport.objects.filter(source_id__in=[1, 99]).values_list("pk", "elevation_ft")) == {
        "KDVX": None,
        "KDEN": 5,
    }
    no_drift()


def test_a_created_airport_renamed_since_is_kept(world: World) -> None:
    with changeset(kind="import", actor=None) as opened:
        Airport.objects.create(ident="NEW", source_id=99, name="new", airport_type="closed")
    with changeset(kind="import", actor=None):
        rename_all({"NEW": "NEWER"})

    plan = plan_revert([opened])

    assert plan.counts == {Bucket.KEPT: 1}


def test_a_deleted_airport_made_anew_under_another_ident_is_kept(world: World) -> None:
    with changeset(kind="delete", actor=None) as opened:
        Airport.objects.filter(pk="KBDU").delete()
    Airport.objects.create(ident="KBDX", source_id=3, name="again", airport_type="closed")

    plan = plan_revert([opened])

    assert plan.counts == {Bucket.KEPT: 1}


def test_a_deleted_airport_whose_ident_is_anothers_now_is_blocked(world: World) -> None:
    with changeset(kind="delete", actor=None) as opened:
        Airport.objects.filter(pk="KBDU").delete()
    Airport.objects.create(ident="KBDU", source_id=99, name="another", airport_type="closed")

    plan = plan_revert([opened])

    assert plan.counts == {Bucket.BLOCKED: 1}


def test_a_created_row_changed_since_is_kept_and_blocks_what_it_refers_to(world: World) -> None:
    Airport.objects.filter(pk="KDEN").update(name="by hand")

    plan = plan_revert([world.made_by])
    revert(plan, actor=None)

    assert plan.counts == {Bucket.DELETED: 3, Bucket.KEPT: 1, Bucket.BLOCKED: 2}
    assert [airport.ident for airport in Airport.objects.all()] == ["KDEN"]
    assert [city.name for city in City.objects.all()] == ["Denver"]


def test_a_created_row_that_others_use_since_is_blocked(world: World) -> None:
    with changeset(kind="edit", actor=None) as opened:
        aspen = City.objects.create(country=world.country, name="Aspen")
    Airport.objects.filter(pk="KDEN").update(city=aspen)

    plan = plan_revert([opened])

    assert plan.counts == {Bucket.BLOCKED: 1}
    assert plan.verdicts[0].why == "other rows still refer to it"


def test_a_taken_unique_value_is_blocked_not_a_traceback(world: World, no_drift: Callable) -> None:
    with changeset(kind="edit", actor=None) as opened:
        Airport.objects.filter(pk="KDEN").update(source_id=None)
    Airport.objects.filter(pk="KAPA").update(source_id=1)

    plan = plan_revert([opened])
    made = revert(plan, actor=None)

    assert plan.counts == {Bucket.BLOCKED: 1}
    assert plan.verdicts[0].why == "another row has its unique value now"
    assert made is None
    no_drift()


def test_a_missing_target_is_blocked(world: World) -> None:
    with changeset(kind="edit", actor=None) as opened:
        Airport.objects.filter(pk="KBDU").update(city=None)
    world.boulder.delete()

    plan = plan_revert([opened])

    assert plan.counts == {Bucket.BLOCKED: 1}
    assert plan.verdicts[0].why == "it would point to something that is gone"


def test_a_deleted_row_made_anew_since_is_kept(world: World) -> None:
    with changeset(kind="delete", actor=None) as opened:
        Airport.objects.filter(pk="KBDU").delete()
    Airport.objects.create(ident="KBDU", name="another", airport_type="closed")

    plan = plan_revert([opened])

    assert plan.counts == {Bucket.KEPT: 1}


def test_an_ident_given_to_another_airport_is_reverted_as_two_objects(world: World, no_drift: Callable) -> None:
    before = tables()
    with changeset(kind="import", actor=None) as opened:
        Airport.objects.filter(pk="KBDU").delete()
        Airport.objects.create(ident="KBDU", source_id=99, name="another", airport_type="closed")

    plan = plan_revert([opened])
    revert(plan, actor=None)

    assert plan.counts == {Bucket.DELETED: 1, Bucket.RECREATED: 1}
    assert tables() == before
    no_drift()


def test_force_overwrites_what_was_changed_since(world: World) -> None:
    before = tables()
    with changeset(kind="import", actor=None) as opened:
        Airport.objects.filter(pk="KDEN").update(name="upstream")
    Airport.objects.filter(pk="KDEN").update(name="by hand")

    revert(plan_revert([opened], on_conflict="force"), actor=None)

    assert Airport.objects.get(pk="KDEN").name == {row[0]: row[3] for row in before["Airport"]}["KDEN"]


def test_abort_changes_nothing_and_names_the_first_conflict(world: World) -> None:
    with changeset(kind="import", actor=None) as opened:
        Airport.objects.update(name="upstream")
    Airport.objects.filter(pk="KDEN").update(name="by hand")
    state, count = tables(), Changeset.objects.count()

    with pytest.raises(RevertConflict, match=r"airports\.airport KDEN"):
        revert(plan_revert([opened], on_conflict="abort"), actor=None)

    assert (tables(), Changeset.objects.count()) == (state, count)


def test_what_changed_between_plan_and_revert_is_kept(world: World) -> None:
    with changeset(kind="import", actor=None) as opened:
        Airport.objects.update(name="upstream")
    plan = plan_revert([opened])
    Airport.objects.filter(pk="KDEN").update(name="a moment ago")

    made = revert(plan, actor=None)

    assert Airport.objects.get(pk="KDEN").name == "a moment ago"
    assert made.summary["revert"] == {"restored": 2, "kept": 1}


def test_reverting_twice_is_refused_and_says_how_to_redo(world: World) -> None:
    with changeset(kind="edit", actor=None) as opened:
        Airport.objects.update(name="x")
    undone = revert(plan_revert([opened]), actor=None)

    with pytest.raises(NothingToRevert, match=f"by #{undone.pk}; to redo it, revert #{undone.pk}"):
        plan_revert([opened])


def test_a_redone_changeset_can_be_reverted_again(world: World) -> None:
    before = tables()
    with changeset(kind="edit", actor=None) as opened:
        Airport.objects.update(name="x")
    undone = revert(plan_revert([opened]), actor=None)
    revert(plan_revert([undone]), actor=None)

    revert(plan_revert([opened]), actor=None)

    assert tables() == before


def test_what_is_redone_in_part_stays_reverted_in_part(world: World) -> None:
    with changeset(kind="edit", actor=None) as opened:
        Airport.objects.update(name="x")
    parts = [revert(plan_revert([opened], scope=Scope(pks=(key,))), actor=None) for key in ("KDEN", "KAPA")]

    states = []
    for part in parts:
        revert(plan_revert([part]), actor=None)
        opened.refresh_from_db()
        states.append(opened.status)

    assert states == [Status.PARTLY_REVERTED, Status.APPLIED]


def test_an_unknown_changeset_is_refused(db: None) -> None:
    with pytest.raises(UnknownChangeset, match="no changeset #77"):
        plan_revert([77])


def test_several_changesets_are_undone_newest_first(world: World, no_drift: Callable) -> None:
    before = tables()
    made = []
    for name in ("one", "two", "three"):
        with changeset(kind="edit", actor=None) as opened:
            Airport.objects.update(name=name)
            City.objects.create(country=world.country, name=name)
        made.append(opened)

    revert(plan_revert([made[1], made[0], made[2]]), actor=None)

    assert tables() == before
    no_drift()


def test_an_edit_between_two_reverted_imports_is_kept(world: World) -> None:
    with changeset(kind="import", actor=None) as first:
        Airport.objects.update(name="first")
    Airport.objects.filter(pk="KDEN").update(name="by hand")
    with changeset(kind="import", actor=None) as second:
        Airport.objects.update(elevation_ft=7)

    revert(plan_revert([first, second]), actor=None)

    denver = Airport.objects.get(pk="KDEN")
    assert (denver.name, denver.elevation_ft) == ("by hand", None)
    assert Airport.objects.get(pk="KAPA").name == "Airport KAPA"


def test_one_field_of_a_changeset_is_reverted_and_the_rest_stays(world: World) -> None:
    with changeset(kind="import", actor=None) as opened:
        Airport.objects.update(name="upstream", elevation_ft=5)
        City.objects.create(country=world.country, name="Aspen")

    revert(plan_revert([opened], scope=Scope(fields=("name",))), actor=None)

    assert set(Airport.objects.values_list("elevation_ft", flat=True)) == {5}
    assert not Airport.objects.filter(name="upstream").exists()
    assert City.objects.filter(name="Aspen").exists()


def test_one_object_of_a_changeset_is_reverted_and_the_rest_stays(world: World) -> None:
    with changeset(kind="import", actor=None) as opened:
        Airport.objects.update(name="upstream")

    revert(plan_revert([opened], scope=Scope(models=("airports.airport",), pks=("KDEN",))), actor=None)

    assert sorted(Airport.objects.filter(name="upstream").values_list("pk", flat=True)) == ["KAPA", "KBDU"]


def test_a_key_that_came_back_is_never_handed_out_again(world: World) -> None:
    with changeset(kind="delete", actor=None) as opened:
        Airport.objects.all().delete()
        City.objects.all().delete()
    revert(plan_revert([opened]), actor=None)

    aspen = City.objects.create(country=world.country, name="Aspen")

    assert aspen.pk > max(world.denver.pk, world.boulder.pk)


def test_a_direct_write_is_reverted_like_any_other(world: World) -> None:
    before = tables()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE airports_airport SET name = 'x' WHERE ident = 'KDEN'")
    direct = Changeset.objects.get(kind="direct")

    revert(plan_revert([direct]), actor=None)

    assert tables() == before
