"""Acts write what the person may write, row by row, and nothing of the rest; who may not see a model sees no value."""

import json

import pytest

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.context import Source, changeset
from apps.changesets.models import Changeset
from apps.changesets.revert import plan_revert, revert
from apps.quality.models import AcceptedFinding
from tests.admin.bulk import all_rows, confirm
from tests.admin.everywhere import everything
from tests.admin.runs import make_run, plan_rows

pytestmark = pytest.mark.django_db
CHANGESETS = "/admin/changesets/changeset/"
BIN = f"{CHANGESETS}recycle-bin/"
PARTS = ("map/", "map.json", "refused.csv", "file/", "mapping/")
REVERTS = ("view_changeset", "revert_changeset")
SEES_ALL = ("view_airport", "view_city", "view_country")


def text(response: object) -> str:
    body = b"".join(response) if response.streaming else response.content
    return body.decode()


# -- reverting and what is like it ---------------------------------------------------------------------------------


def test_a_revert_that_deletes_takes_the_permission_to_delete(places, only):
    client, before = only(*REVERTS, *SEES_ALL, "change_airport"), everything()

    answer = client.get(f"{CHANGESETS}{places['import'].pk}/revert/")

    assert answer.status_code == 403
    assert "This would delete airports, delete cities and delete countries: for that you need the permissions" in text(
        answer
    )
    assert "airports.delete_airport, base.delete_city and base.delete_country" in text(answer)
    assert "Which objects" in text(answer), "a part may be what the person may revert"
    assert everything() == before


def test_the_part_that_a_person_may_revert_is_reverted(places, only, edit):
    with changeset(kind="bulk_action", actor=None) as made:
        Airport.objects.filter(pk="KDEN").update(name="Denver Intl")
        City.objects.update(population=1)
    client = only(*REVERTS, "change_airport")
    whole, part = (f"{CHANGESETS}{made.pk}/revert/{query}" for query in ("", "?model=airports.airport"))

    assert "base.change_city" in text(client.get(whole))
    page = client.get(part)
    client.post(part, {"seen": page.context["token"], "reason": "it was right"})

    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"
    assert set(City.objects.values_list("population", flat=True)) == {1}


def test_what_is_confirmed_is_asked_again(places, steward, only, outsider, edit):
    made = edit("KDEN", name="Denver Intl")
    address = f"{CHANGESETS}{made.pk}/revert/"
    seen = only(*REVERTS, "change_airport").get(address).context["token"]
    client = only(*REVERTS, "view_airport")

    answer = client.post(address, {"seen": seen, "reason": "because"})

    assert answer.status_code == 403
    assert "for that you need the permission airports.change_airport" in text(answer)
    assert Airport.objects.get(pk="KDEN").name == "Denver Intl"
    assert not Changeset.objects.filter(kind="revert").exists()


def test_a_token_of_another_part_is_no_way_around(places, only):
    """The address asks for a part that the person may revert, the token for one that they may not."""
    with changeset(kind="bulk_action", actor=None) as made:
        Airport.objects.filter(pk="KDEN").update(name="Denver Intl")
        City.objects.update(population=1)
    address = f"{CHANGESETS}{made.pk}/revert/"
    seen = only(*REVERTS, "change_airport", "change_city").get(address).context["token"]
    client = only(*REVERTS, "change_airport", "view_city")

    answer = client.post(f"{address}?model=airports.airport", {"seen": seen, "reason": "because"})

    assert "base.change_city" in text(answer)
    assert Airport.objects.get(pk="KDEN").name == "Denver Intl"
    assert set(City.objects.values_list("population", flat=True)) == {1}


def test_redoing_takes_what_the_change_took(places, only):
    with changeset(kind="delete", actor=None) as gone:
        places["KBKF"].delete()
    undone = revert(plan_revert([gone]), actor=None, reason="no")

    answer = only(*REVERTS, "change_airport", "add_airport").get(f"{CHANGESETS}{undone.pk}/revert/")

    assert (answer.status_code, "airports.delete_airport" in text(answer)) == (403, True)


def test_undoing_the_last_change_of_an_object_at_once_takes_the_same(places, only):
    client = only(*REVERTS, "change_airport")

    client.post("/admin/airports/airport/KBKF/actions/undo_last_change/", {"reason": "because"})
    told = text(client.get("/admin/airports/airport/"))

    assert "airports.delete_airport" in told
    assert Airport.objects.filter(pk="KBKF").exists()


def test_bringing_back_takes_the_permission_to_add_for_each_model(places, only):
    with changeset(kind="delete", actor=None):
        places["KBKF"].delete()
        ulm = City.objects.create(country=places["germany"], name="Ulm")
        ulm.delete()
    picks = [f"airports.airport:{Airport.history.first().history_id}", f"base.city:{City.history.first().history_id}"]
    client = only(*REVERTS, *SEES_ALL, "add_airport")

    shown = client.get(f"{BIN}restore/", {"pick": picks})
    posted = client.post(f"{BIN}restore/", {"pick": picks, "reason": "because"})

    assert (shown.status_code, posted.status_code) == (403, 403)
    assert "This would add cities: for that you need the permission base.add_city." in text(shown)
    assert not Airport.objects.filter(pk="KBKF").exists()


def test_deleting_a_city_takes_the_permission_to_change_the_airports_that_lose_it(places, only):
    client, before = only("view_city", "delete_city"), all_rows(Airport)

    answer = confirm(client, "/admin/base/city/", "delete_selected", [places["denver"].pk])

    assert answer.status_code == 403
    assert "airports.change_airport" in text(answer)
    assert all_rows(Airport) == before
    assert City.objects.filter(pk=places["denver"].pk).exists()


def test_what_may_not_be_seen_is_not_deleted_unseen_either(places, only):
    client, before = only("delete_airport"), all_rows(Airport)

    answer = client.post("/admin/airports/airport/KDEN/delete/", {"reason": "unseen", "confirm": "yes", "post": "yes"})

    assert answer.status_code == 403
    assert "airports.view_airport" in text(answer)
    assert all_rows(Airport) == before


@pytest.mark.parametrize("group", ["steward", "approver"])
def test_stewards_revert_and_delete_as_before(group, places, make_person, browse_as):
    client = browse_as(make_person("sue", group=group))
    address = f"{CHANGESETS}{places['import'].pk}/revert/"

    client.post(address, {"seen": client.get(address).context["token"], "reason": "wrong file"})

    assert not Airport.objects.exists() | Country.objects.exists()


# -- eyes: further to what the matrix of tests/matrix finds ---------------------------------------------------------


def test_what_is_not_shown_of_a_changeset_is_counted_in_one_sentence(places, only):
    page = text(only("view_changeset", "view_airport").get(f"{CHANGESETS}{places['import'].pk}/change/"))

    assert "Not shown: 2 countries and 2 cities. Values of these are for those who may view them." in page
    assert "Denver International Airport" in page
    assert "United States" not in page


def test_files_of_changes_say_what_is_not_in_them(places, only):
    client, address = only("view_changeset", "view_airport"), f"{CHANGESETS}{places['import'].pk}/changes."

    lines = text(client.get(f"{address}csv")).splitlines()
    entries = json.loads(text(client.get(f"{address}json")))

    assert lines[-1].startswith("Not shown: 2 countries and 2 cities.")
    assert entries[-1] == {"not_shown": lines[-1]}
    assert {entry["model"] for entry in entries[:-1]} == {"airports.airport"}


def test_the_file_of_an_object_is_not_named_to_who_may_not_see_the_object(places, only):
    with changeset(kind="restore", actor=None, source=Source("airport-KDEN-20260401.json")) as made:
        Airport.objects.filter(pk="KDEN").update(name="Denver")
    client = only("view_changeset")

    shown = (
        text(client.get(f"{CHANGESETS}{made.pk}/change/")) + text(client.get(CHANGESETS)) + text(client.get("/admin/"))
    )

    assert "KDEN" not in shown
    assert "airport-KDEN" in text(only("view_changeset", "view_airport").get(f"{CHANGESETS}{made.pk}/change/"))


def test_a_plan_of_an_import_shows_numbers_to_who_may_not_view_the_model(places, only):
    run = make_run(None, reason="spring")
    plan_rows(run)
    client = only("view_importrun")

    page = text(client.get(f"/admin/imports/importrun/{run.pk}/change/"))

    assert "Rows and values are not shown: you need the permission to view airports." in page
    assert "<strong>2</strong> airports are new" in page
    assert "Frankfurt" not in page
    assert [client.get(f"/admin/imports/importrun/{run.pk}/{part}").status_code for part in PARTS] == [403] * len(PARTS)


def test_whoever_may_change_a_model_sees_it_as_in_the_list(places, only):
    page = text(only("view_changeset", "change_airport").get(f"{CHANGESETS}{places['import'].pk}/change/"))

    assert "Denver International Airport" in page


def test_links_to_what_may_not_be_seen_are_neither_listed_nor_edited_nor_searched(places, only):
    client = only("view_airport", "change_airport")

    shown = text(client.get("/admin/airports/airport/KDEN/change/")) + text(client.get("/admin/airports/airport/"))

    assert "United States" not in shown
    assert 'name="country"' not in shown
    assert client.get("/admin/airports/airport/?country__name__startswith=Un").status_code == 400
    client.post("/admin/airports/airport/KDEN/change/", {"name": "Denver", "airport_type": "large_airport"})
    airport = Airport.objects.get(pk="KDEN")
    assert (airport.name, airport.country) == ("Denver", places["usa"])


def test_nobody_adds_what_must_be_linked_to_what_they_may_not_see(places, only):
    assert only("view_city", "add_city").get("/admin/base/city/add/").status_code == 403
    assert only("view_city", "add_city", "view_country").get("/admin/base/city/add/").status_code == 200


def test_an_acceptance_is_taken_back_by_who_may_see_the_model(places, only):
    accepted = AcceptedFinding.objects.create(rule="name_missing", model="airports.airport", object_key="pk:KDEN")

    answer = only("view_findings", "accept_findings").post(f"/admin/quality/finding/accepted/{accepted.pk}/withdraw/")

    assert answer.status_code in (403, 404)
    assert AcceptedFinding.objects.get().withdrawn_at is None


# -- authors ---------------------------------------------------------------------------------------------------------


def test_a_review_is_taken_back_by_its_author_alone(places, steward, make_person, browse_as):
    address = f"{CHANGESETS}{places['import'].pk}/"
    browse_as(make_person("sue", group="steward")).post(f"{address}review/", {"comment": "fine"})

    told = text(browse_as(steward).post(f"{address}unreview/", follow=True))

    assert "was reviewed by sue, who alone can take that back." in told
    assert Changeset.objects.get(pk=places["import"].pk).reviewed_by_name == "sue"


def test_naming_a_direct_write_leaves_its_author(places, steward, browse_as):
    Airport.objects.filter(pk="KDEN").update(name="by SQL")
    direct = Changeset.objects.get(kind="direct")

    browse_as(steward).post(f"{CHANGESETS}{direct.pk}/name/", {"reason": "hotfix", "who": "Ana", "actor_name": "Eve"})

    named = Changeset.objects.get(pk=direct.pk)
    assert (named.actor, named.actor_name) == (direct.actor, direct.actor_name)
    assert named.reason == "hotfix (done by Ana, said by stan)"
