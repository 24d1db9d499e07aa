"""Reverting in the admin: the plan first, a reason, then the doing, and the way back."""

import pytest

from apps.airports.models import Airport
from apps.base.models import City
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from apps.changesets.revert import plan_revert, revert

pytestmark = pytest.mark.django_db


def address_of(made: Changeset) -> str:
    return f"/admin/changesets/changeset/{made.pk}/revert/"


def hidden(response) -> dict:
    return {"seen": response.context["token"]}


def test_the_plan_is_shown_and_changes_nothing(places, steward, browse_as, edit):
    made = edit("KDEN", name="Denver Intl")

    response = browse_as(steward).get(address_of(made))

    assert "<strong>1</strong> object gets its old values back" in response.content.decode()
    assert Airport.objects.get(pk="KDEN").name == "Denver Intl"
    assert Changeset.objects.count() == 2


def test_a_revert_is_a_new_changeset_that_can_be_undone(places, steward, browse_as, edit):
    made = edit("KDEN", name="Denver Intl")
    client = browse_as(steward)
    seen = hidden(client.get(address_of(made)))

    response = client.post(address_of(made), {**seen, "reason": "it was right before"}, follow=True)

    undo = Changeset.objects.order_by("-pk").first()
    assert response.redirect_chain == [(f"/admin/changesets/changeset/{undo.pk}/change/", 302)]
    assert (undo.kind, undo.actor, undo.reason) == ("revert", steward, "it was right before")
    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"
    said = response.content.decode()
    assert f"#{made.pk} Edit is reverted: 1 restored." in said
    assert f'formaction="{address_of(undo)}" class="link-button">Undo this revert…</button>' in said


def test_undoing_the_revert_brings_the_change_back(places, steward, browse_as, edit):
    made = edit("KDEN", name="Denver Intl")
    undo = revert(plan_revert([made]), actor=steward, reason="no")
    client = browse_as(steward)
    page = client.get(address_of(undo))

    client.post(address_of(undo), {**hidden(page), "reason": "yes after all"})

    assert "Undo the revert of 1 airport" in page.content.decode()
    assert Airport.objects.get(pk="KDEN").name == "Denver Intl"


def test_a_revert_without_a_reason_is_refused_with_a_sentence(places, steward, browse_as, edit):
    made = edit("KDEN", name="Denver Intl")

    response = browse_as(steward).post(address_of(made), {"reason": "  "})

    assert "Say why" in response.content.decode()
    assert Changeset.objects.count() == 2


def test_what_others_changed_since_is_kept_and_names_them(places, steward, operator, browse_as, edit):
    made = edit("KDEN", name="Denver Intl")
    since = edit("KDEN", actor=operator, name="Denver by Olga")

    page = browse_as(steward).get(address_of(made)).content.decode()

    assert "<strong>1</strong> object is kept as it is: changed since" in page
    address = f"/admin/changesets/changeset/{since.pk}/change/"
    assert f'Name changed since, last in <a href="{address}">#{since.pk} Edit by olga' in page
    assert "Overwrite what others changed instead" in page


def test_force_is_a_plan_of_its_own_that_says_what_it_does(places, steward, operator, browse_as, edit):
    made = edit("KDEN", name="Denver Intl")
    edit("KDEN", actor=operator, name="Denver by Olga")
    client = browse_as(steward)
    page = client.get(address_of(made), {"on_conflict": "force"})

    client.post(address_of(made), {**hidden(page), "reason": "the sign says so"})

    assert "This plan overwrites what others changed since" in page.content.decode()
    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"


def test_what_moved_after_the_plan_was_shown_is_named_and_left_alone(places, steward, operator, browse_as):
    with changeset(kind="bulk_action", actor=steward) as made:
        Airport.objects.update(airport_type="closed")
    client = browse_as(steward)
    seen = hidden(client.get(address_of(made), {"on_conflict": "force"}))
    with changeset(kind="edit", actor=operator) as since:
        Airport.objects.filter(pk="KDEN").update(name="Denver by Olga")

    said = client.post(address_of(made), {**seen, "reason": "open"}, follow=True).content.decode()

    types = dict(Airport.objects.values_list("ident", "airport_type"))
    assert types == {"KDEN": "closed", "EDDM": "large_airport", "KBKF": "large_airport"}
    assert f"left alone: Denver International Airport (#{since.pk} Edit by olga)" not in said
    assert f"left alone: Denver by Olga (#{since.pk} Edit by olga)." in said


def test_reverting_twice_is_refused_and_names_the_first_revert(places, steward, browse_as, edit):
    made = edit("KDEN", name="Denver Intl")
    undo = revert(plan_revert([made]), actor=steward, reason="no")
    client = browse_as(steward)

    for response in (client.get(address_of(made)), client.post(address_of(made), {"reason": "again"})):
        assert f"is reverted already, by #{undo.pk}" in response.content.decode()
    assert Changeset.objects.count() == 3


def test_one_object_of_a_changeset_can_be_reverted_alone(places, steward, browse_as):
    with changeset(kind="bulk_action", actor=steward, reason="all of them") as made:
        Airport.objects.all().update(active=False)
    client = browse_as(steward)
    page = client.get(address_of(made), {"model": "airports.airport", "pk": "KDEN"})

    client.post(address_of(made), {**hidden(page), "reason": "open"})

    assert "Only airports, only KDEN" in page.content.decode()
    assert list(Airport.objects.filter(active=True).values_list("pk", flat=True)) == ["KDEN"]


def test_reverting_an_import_with_rows_in_use_says_what_is_blocked(places, steward, browse_as):
    with changeset(kind="edit", actor=steward):
        Airport.objects.create(ident="KAPA", name="Centennial", airport_type="small_airport", country=places["usa"])

    page = browse_as(steward).get(address_of(places["import"])).content.decode()

    assert "<strong>6</strong> objects that it added are deleted" in page
    assert "<strong>1</strong> object is blocked" in page
    assert "Other rows still refer to it" in page


def test_an_unknown_changeset_is_not_found(steward, browse_as):
    assert browse_as(steward).get("/admin/changesets/changeset/4711/revert/").status_code == 404


def test_a_revert_counts_each_kind_of_objects_and_a_redo_brings_newer_values_back(places, steward, browse_as):
    with changeset(kind="bulk_action", actor=steward) as act:
        Airport.objects.update(name="Renamed")
        City.objects.update(population=1)
    client = browse_as(steward)
    page = client.get(f"/admin/changesets/changeset/{act.pk}/revert/").content.decode()
    assert "Revert 2 cities and 3 airports" in page
    assert "objects get their old values back" in page

    back = revert(plan_revert([act]), actor=steward, reason="a mistake")

    page = client.get(f"/admin/changesets/changeset/{back.pk}/revert/").content.decode()
    assert "objects get their newer values back" in page
    again = revert(plan_revert([back]), actor=steward, reason="it was right")
    page = client.get(f"/admin/changesets/changeset/{again.pk}/change/").content.decode()
    assert "objects got their newer values back" in page
