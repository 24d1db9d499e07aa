"""Revert, redo, the recycle bin, points in time and going back, with UUIDs, cascades and unique values under a
condition."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from apps.changesets.context import changeset
from apps.changesets.history.as_of import Moment, state_at
from apps.changesets.history.diff import changes_of, changes_since
from apps.changesets.history.origins import origins_of
from apps.changesets.history.recycle_bin import deleted_objects
from apps.changesets.models import Changeset
from apps.changesets.recording.audit import find_drift
from apps.changesets.revert import Scope, plan_revert, revert
from apps.changesets.revert.bring_back import plan_restore, restore_deleted
from apps.changesets.revert.go_back import go_back, plan_version
from apps.changesets.tracking import tracked_for, tracked_models
from tests.second_domain.models import Operator, Station

pytestmark = pytest.mark.django_db
OPERATORS, STATIONS = tracked_for(Operator), tracked_for(Station)


def tables() -> dict[str, list[dict]]:
    return {model.__name__: list(model._base_manager.order_by("pk").values()) for model in (Operator, Station)}


@contextmanager
def act(kind: str = "edit") -> Iterator[Changeset]:
    with changeset(kind=kind, actor=None, reason="a test") as made:
        yield made


def undo(made: Changeset, **scope: object) -> Changeset | None:
    return revert(plan_revert([made], scope=Scope(**scope)), actor=None, reason="undo")


def test_operators_come_before_the_stations_that_point_to_them():
    labels = [tracked.label for tracked in tracked_models()]

    assert labels.index("second_domain.operator") < labels.index("second_domain.station")


def test_a_changeset_of_everything_is_reverted_and_redone_exactly(world):
    before = tables()
    with act() as made:
        world["UL"].delete()
        Station.objects.filter(code="BN").update(code="BE", name="Bern HB", opened="1860-05-01")
        bls = Operator.objects.create(code="BLS", name="BLS")
        Station.objects.create(code="SP", name="Spiez", operator=bls)
        Station.objects.filter(code="BS").update(operator=world["DB"])
    after = tables()

    undone = undo(made)
    assert tables() == before
    undo(undone)

    assert tables() == after
    assert find_drift("default")[1] == []


def test_a_cascade_is_recorded_and_comes_back_with_its_keys(world):
    before = tables()
    with act("delete") as made:
        world["SBB"].delete()

    undo(made)

    assert made.counts == {"second_domain.operator": {"deleted": 1}, "second_domain.station": {"deleted": 2}}
    assert tables() == before


def test_what_was_created_and_is_pointed_to_since_is_blocked(world):
    with act() as made:
        bls = Operator.objects.create(code="BLS", name="BLS")
    with act():
        Station.objects.filter(code="BS").update(operator=bls)

    plan = plan_revert([made])

    assert plan.number("blocked") == 1
    assert revert(plan, actor=None, reason="undo") is None


def test_a_unique_code_that_is_taken_is_blocked(world):
    with act() as made:
        Station.objects.filter(code="BN").update(code="BE")
    with act():
        Station.objects.create(code="BN", name="Bonn", operator=world["DB"])

    assert plan_revert([made]).number("blocked") == 1


def test_a_name_that_is_taken_among_the_active_is_blocked(world):
    with act() as made:
        Station.objects.filter(code="BN").update(name="Bern HB")
    with act():
        Station.objects.create(code="B2", name="Bern", operator=world["SBB"])

    plan = plan_revert([made])

    assert plan.number("blocked") == 1
    assert revert(plan, actor=None, reason="undo") is None
    assert Station.objects.get(code="BN").name == "Bern HB"


def test_a_name_is_free_where_the_condition_does_not_hold(world):
    before = list(Station.objects.filter(code="BN").values())
    with act() as made:
        Station.objects.filter(code="BN").update(name="Bern HB")
    with act():
        Station.objects.create(code="B2", name="Bern", operator=world["SBB"], active=False)
        Station.objects.create(code="B3", name="Bern", operator=world["DB"])

    undo(made)

    assert list(Station.objects.filter(code="BN").values()) == before


def test_becoming_active_again_is_blocked_where_the_name_is_taken(world):
    with act() as made:
        Station.objects.filter(code="BN").update(active=False)
    with act():
        Station.objects.create(code="B2", name="Bern", operator=world["SBB"])

    plan = plan_revert([made])

    assert plan.number("blocked") == 1
    assert revert(plan, actor=None, reason="undo") is None


def test_names_that_swapped_swap_back(world):
    with act() as made:
        Station.objects.filter(code="BN").update(name="between")
        Station.objects.filter(code="BS").update(name="Bern")
        Station.objects.filter(code="BN").update(name="Basel")

    undo(made)

    assert dict(Station.objects.filter(operator=world["SBB"]).values_list("code", "name")) == {
        "BN": "Bern",
        "BS": "Basel",
    }


def test_one_object_by_its_uuid_and_one_field_are_reverted_alone(world):
    with act() as made:
        Operator.objects.filter(code="SBB").update(name="CFF")
        Operator.objects.filter(code="DB").update(name="Bahn")
        Station.objects.filter(code="UL").update(name="Ulm Hbf", platforms=9)

    undo(made, pks=(f"{OPERATORS.label}:{world['SBB'].pk}",))
    undo(made, fields=("platforms",))

    assert dict(Operator.objects.values_list("code", "name")) == {"SBB": "Swiss Federal Railways", "DB": "Bahn"}
    assert Station.objects.values_list("name", "platforms").get(code="UL") == ("Ulm Hbf", 8)


def test_the_bin_gives_back_what_was_deleted_parents_first(world):
    before = tables()
    with act("delete"):
        world["SBB"].delete()
    rows = {tracked.label: [row.history_id for row in deleted_objects(tracked)] for tracked in (OPERATORS, STATIONS)}
    alone = plan_restore({STATIONS.label: rows[STATIONS.label]})

    restore_deleted(rows, actor=None, reason="back")

    assert [len(each) for each in rows.values()] == [1, 2]
    assert not any(each.comes_back for each in alone.objects)
    assert tables() == before


def test_the_bin_does_not_give_back_a_name_that_is_taken_among_the_active(world):
    with act("delete"):
        world["BN"].delete()
    with act():
        Station.objects.create(code="B2", name="Bern", operator=world["SBB"])
    (row,) = deleted_objects(STATIONS)

    (planned,) = plan_restore({STATIONS.label: [row.history_id]}).objects

    assert not planned.comes_back


def test_tables_as_they_were(world):
    with act() as made:
        Operator.objects.filter(code="SBB").update(name="CFF")
        world["UL"].delete()

    before, after = Moment(changeset=made.pk, side="before"), Moment(changeset=made.pk)

    assert {row.name for row in state_at(OPERATORS, before)} == {"Swiss Federal Railways", "Deutsche Bahn"}
    assert {row.code for row in state_at(STATIONS, before)} == {"BN", "BS", "UL"}
    assert {row.code for row in state_at(STATIONS, after)} == {"BN", "BS"}


def test_changes_and_origins_know_uuids(world):
    with act() as made:
        Operator.objects.filter(code="SBB").update(name="CFF")

    (change,) = changes_of(made)

    assert change.pk == str(world["SBB"].pk)
    assert [each.pk for each in changes_since(made.pk - 1)] == [str(world["SBB"].pk)]
    assert origins_of(Operator.objects.get(code="SBB"))["name"].changeset == made


def test_an_operator_goes_back_to_an_old_version(world):
    first = Operator.history.filter(id=world["SBB"].pk).last()
    with act():
        Operator.objects.filter(code="SBB").update(name="CFF", code="CFF")
    plan = plan_version(OPERATORS, first)

    go_back(OPERATORS, first, fields=["name"], actor=None, reason="back", seen=plan.seen)

    assert {field.name for field in plan.fields} == {"code", "name"}
    assert Operator.objects.values_list("code", "name").get(pk=world["SBB"].pk) == ("CFF", "Swiss Federal Railways")


def test_the_stored_plan_has_values_now_and_after_and_is_filtered_by_operator(world, admin_client):
    with act() as made:
        Station.objects.filter(code="BN").update(opened="1860-05-01", platforms=14)
        Station.objects.filter(code="BS").update(operator=world["DB"])
    address = f"/admin/changesets/changeset/{made.pk}/revert/"

    page = admin_client.get(address, {"place": str(world["DB"].pk)})
    dated = admin_client.get(address, {"in": "opened"})

    assert [row.verdict.label for row in page.context["rows"]] == ["Basel"]
    assert [(change.old, change.new) for change in page.context["rows"][0].changes] == [
        (str(world["DB"]), str(world["SBB"]))
    ]
    assert {change.name: (str(change.old), change.new) for change in dated.context["rows"][0].changes} == {
        "opened": ("1860-05-01", None),
        "platforms": ("14", 12),
    }
