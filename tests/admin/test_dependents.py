"""What hangs on a changeset: the later ones that built on it, with their reasons."""

import pytest

from apps.airports.models import Airport
from apps.base.models import City
from apps.changesets.context import changeset
from apps.changesets.history.dependents import Hold, Reason, holds_on
from apps.changesets.models import Changeset
from apps.changesets.revert import plan_revert, revert
from tests.second_domain.models import Operator, Station

pytestmark = pytest.mark.django_db
AIRPORT = "airports.airport"


def act(**values: object) -> Changeset:
    with changeset(kind="edit", actor=None) as made:
        Airport.objects.filter(pk="KDEN").update(**values)
    return made


def test_a_later_change_of_the_same_field_hangs_on_it(places):
    first, second = act(name="one", elevation_ft=1), act(name="two", iata_code="XXX")

    assert holds_on(first) == [Hold(first.pk, second.pk, (Reason(AIRPORT, "changed", 1, "name"),))]


def test_another_field_or_another_object_hangs_on_nothing(places):
    first = act(name="one")
    act(elevation_ft=7)
    with changeset(kind="edit", actor=None):
        Airport.objects.filter(pk="EDDM").update(name="x")

    assert holds_on(first) == []


def test_any_change_of_what_it_added_hangs_on_it(places):
    second = act(elevation_ft=7)

    holds = holds_on(places["import"])

    assert holds[0].later == second.pk
    assert Reason(AIRPORT, "changed", 1, "elevation_ft") in holds[0].reasons


def test_links_to_what_it_added_hang_on_it(places):
    with changeset(kind="edit", actor=None) as made:
        aspen = City.objects.create(country=places["usa"], name="Aspen", search_name="aspen")
    with changeset(kind="edit", actor=None) as since:
        Airport.objects.filter(pk__in=["KDEN", "KBKF"]).update(city=aspen)
    act(name="same link")

    assert holds_on(made) == [
        Hold(made.pk, since.pk, (Reason(AIRPORT, "linked", 2, "city"),)),
    ]


def test_deleting_and_making_anew_hang_on_it(places):
    first = act(name="one")
    with changeset(kind="delete", actor=None) as gone:
        Airport.objects.filter(pk="KDEN").delete()
    with changeset(kind="edit", actor=None) as anew:
        Airport.objects.create(ident="KDEN", name="Denver again", airport_type="closed")

    holds = holds_on(first)

    assert (first.pk, gone.pk, (Reason(AIRPORT, "deleted", 1),)) in [(h.earlier, h.later, h.reasons) for h in holds]
    assert Hold(gone.pk, anew.pk, (Reason(AIRPORT, "created", 1),)) in holds


def test_an_object_is_followed_under_its_new_name(places):
    Airport.objects.filter(pk="KDEN").update(source_id=3384)
    first = act(name="one")
    with changeset(kind="import", actor=None) as renaming:
        Airport.objects.filter(pk="KDEN").update(ident="XDEN")
    with changeset(kind="edit", actor=None) as since:
        Airport.objects.filter(pk="XDEN").update(name="two")

    holds = [hold for hold in holds_on(first) if hold.earlier == first.pk]

    assert [(hold.later, hold.reasons) for hold in holds] == [
        (renaming.pk, (Reason(AIRPORT, "renamed", 1),)),
        (since.pk, (Reason(AIRPORT, "changed", 1, "name"),)),
    ]


def test_what_hangs_on_a_later_one_is_followed(places):
    first, second, third = act(name="one"), act(name="two", elevation_ft=7), act(elevation_ft=8)

    assert [(hold.earlier, hold.later) for hold in holds_on(first)] == [
        (first.pk, second.pk),
        (second.pk, third.pk),
    ]


def test_a_revert_of_it_does_not_hang_on_it(places):
    first = act(name="one")
    revert(plan_revert([first]), actor=None, reason="no")

    assert holds_on(first) == []


def test_it_is_worked_out_anew_after_a_write(places):
    first = act(name="one")
    before = holds_on(first)
    second = act(name="two")

    assert (before, [hold.later for hold in holds_on(first)]) == ([], [second.pk])


def test_objects_without_stable_key_and_with_uuids_are_followed_too(db):
    with changeset(kind="edit", actor=None) as made:
        bls = Operator.objects.create(code="BLS", name="BLS")
    with changeset(kind="edit", actor=None) as linked:
        Station.objects.create(code="SP", name="Spiez", operator=bls)
    with changeset(kind="edit", actor=None) as renamed:
        Operator.objects.filter(code="BLS").update(name="BLS AG")
        Station.objects.filter(code="SP").update(name="Spiez Bahnhof")

    reasons = {(hold.earlier, hold.later): hold.reasons for hold in holds_on(made)}

    assert reasons == {
        (made.pk, linked.pk): (Reason("second_domain.station", "linked", 1, "operator"),),
        (made.pk, renamed.pk): (Reason("second_domain.operator", "changed", 1, "name"),),
        (linked.pk, renamed.pk): (Reason("second_domain.station", "changed", 1, "name"),),
    }
