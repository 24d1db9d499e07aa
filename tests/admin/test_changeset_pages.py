"""The list of changesets and a changeset's page: who, why, from which file, and what became of the rows."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.airports.models import Airport
from apps.base.models import City
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from apps.changesets.revert import plan_revert, revert
from apps.changesets.tracking import tracked_models

pytestmark = pytest.mark.django_db
LIST = "/admin/changesets/changeset/"


def page_of(client, made, query="") -> str:
    return client.get(f"{LIST}{made.pk}/change/{query}").content.decode()


def test_the_list_tells_each_changeset_in_words(places, viewer, browse_as, edit):
    edit("KDEN", actor=viewer, reason="as signed", name="Denver Intl")

    page = browse_as(viewer).get(LIST).content.decode()

    assert "Import <span" in page
    assert "airports.csv" in page
    assert "KDEN · Denver Intl" in page
    assert "as signed" in page
    assert '<span class="op op-created"><b>+</b>7 added</span>' in page
    assert '<span class="op op-changed"><b>~</b>1 changed</span>' in page
    assert "Revert…" not in page


def test_the_list_offers_the_revert_to_who_may(places, steward, browse_as):
    page = browse_as(steward).get(LIST).content.decode()

    assert f'formaction="{LIST}{places["import"].pk}/revert/"' in page


def test_the_list_takes_no_more_queries_when_it_grows(places, viewer, browse_as, edit):
    client = browse_as(viewer)
    edit("KDEN", actor=viewer, name="one")
    Airport.objects.filter(pk="EDDM").update(name="direct")
    with CaptureQueriesContext(connection) as few:
        client.get(LIST)
    for number in range(12):
        made = edit("KDEN", actor=viewer, name=f"name {number}")
    revert(plan_revert([made]), actor=viewer, reason="no")

    with CaptureQueriesContext(connection) as many:
        client.get(LIST)

    assert len(many) <= len(few) + 1
    # One query for each tracked model, since a direct write may still grow.
    assert len(many) <= 12 + len(tracked_models())


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=signed", 1),
        ("?q=airports.csv", 1),
        ("?kind__exact=edit", 1),
        ("?person=vera", 1),
        ("?q=nothing+like+it", 0),
    ],
)
def test_the_list_is_searched_and_filtered(places, viewer, browse_as, edit, query, found):
    edit("KDEN", actor=viewer, reason="as signed", name="Denver Intl")

    response = browse_as(viewer).get(LIST + query)

    assert response.context["cl"].result_count == found


@pytest.mark.parametrize("query", ["?q=vera", "?q=Ruiz", "?q=ana", "?person=ana", "?person=vera"])
def test_both_who_uploaded_and_who_confirmed_find_the_changeset(places, viewer, make_person, browse_as, edit, query):
    ana = make_person("ana", group="importer")
    ana.last_name = "Ruiz"
    ana.save()
    Changeset.objects.filter(pk=places["import"].pk).update(
        actor=viewer, actor_name="vera", asked_by=ana, asked_by_name="ana"
    )
    edit("KDEN", name="x")

    response = browse_as(viewer).get(LIST + query)

    assert [found.pk for found in response.context["cl"].result_list] == [places["import"].pk]
    assert 'vera <span class="quiet">uploaded by ana</span>' in response.content.decode()
    assert "uploaded by ana, confirmed by vera" in page_of(browse_as(viewer), places["import"])


def test_a_number_finds_its_changeset(places, viewer, browse_as, edit):
    made = edit("KDEN", name="Denver Intl")

    response = browse_as(viewer).get(LIST, {"q": f"#{made.pk}"})

    assert [found.pk for found in response.context["cl"].result_list] == [made.pk]


def test_the_empty_list_says_what_will_stand_there(viewer, browse_as):
    page = browse_as(viewer).get(LIST).content.decode()

    assert "Nothing has been changed yet." in page


def test_the_page_of_an_import_names_file_counts_and_rows(places, viewer, browse_as):
    page = page_of(browse_as(viewer), places["import"])

    assert "ab" * 32 in page
    assert "4,811 bytes" in page
    assert "First import" in page
    assert "Denver International Airport" in page
    assert "To revert it you need the permission" in page


def test_the_page_shows_a_field_before_and_after_and_folds_derived_ones_away(places, viewer, browse_as, edit):
    made = edit("KDEN", name="Denver Intl", city=None)

    page = page_of(browse_as(viewer), made)

    assert "<del>Denver International Airport</del>" in page
    assert "<ins>Denver Intl</ins>" in page
    assert '<ins class="cleared">cleared</ins>' in page
    assert "denver intl" not in page
    assert "search name" not in page.partition('id="content-main"')[2].lower()


def test_the_page_shows_the_first_hundred_and_leads_on(places, viewer, browse_as):
    with changeset(kind="bulk_action", actor=None) as made:
        City.objects.bulk_create([City(country=places["usa"], name=f"Town {n}", slug=f"town-{n}") for n in range(130)])
    client = browse_as(viewer)

    first, second = page_of(client, made), page_of(client, made, "?model=base.city&start=100")

    assert "1 to 100 of 130 cities" in first
    assert first.count('<th scope="row">') == 100
    assert "101 to 130 of 130 cities" in second
    assert second.count('<th scope="row">') == 30


def test_the_page_of_a_large_changeset_takes_as_many_queries_as_that_of_a_small_one(places, viewer, browse_as):
    client = browse_as(viewer)
    with changeset(kind="bulk_action", actor=None) as small:
        City.objects.create(country=places["usa"], name="Aurora")
    with changeset(kind="bulk_action", actor=None) as large:
        City.objects.bulk_create([City(country=places["usa"], name=f"Town {n}", slug=f"town-{n}") for n in range(90)])
    page_of(client, small)
    with CaptureQueriesContext(connection) as few:
        page_of(client, small)

    with CaptureQueriesContext(connection) as many:
        page_of(client, large)

    assert len(many) <= len(few)


def test_the_page_of_a_failed_changeset_says_why(db, viewer, browse_as):
    made = Changeset.objects.create(kind="import", status="failed", error="ValueError: line 14 is no number", counts={})

    page = page_of(browse_as(viewer), made)

    assert "nothing was changed. ValueError: line 14 is no number" in page
    assert "Revert…" not in page


def test_a_reverted_changeset_names_the_revert_that_stands(places, steward, browse_as, edit):
    made = edit("KDEN", name="Denver Intl")
    undo = revert(plan_revert([made]), actor=steward, reason="no")
    client = browse_as(steward)

    page, listed = page_of(client, made), client.get(LIST).content.decode()

    assert f'Reverted by <a href="{LIST}{undo.pk}/change/">#{undo.pk}</a>' in page
    assert f'reverted by <a href="{LIST}{undo.pk}/change/">#{undo.pk}</a>' in listed
    assert "of #" + str(made.pk) in listed


def test_deleted_objects_lead_to_their_history(places, steward, browse_as):
    with changeset(kind="delete", actor=steward, reason="closed") as made:
        Airport.objects.get(pk="KBKF").delete()

    page = page_of(browse_as(steward), made)

    assert "/admin/airports/airport/KBKF/history/" in page


def test_the_first_page_shows_the_last_changesets(places, viewer, browse_as, outsider):
    assert "airports.csv" in browse_as(viewer).get("/admin/").content.decode()
    assert "Last changesets" not in browse_as(outsider).get("/admin/").content.decode()


@pytest.mark.parametrize("query", ["?model=nonsense", "?start=99999", "?start=-1", "?start=x", "?model=auth.user"])
def test_an_address_typed_by_hand_never_breaks_the_page(places, viewer, browse_as, query):
    response = browse_as(viewer).get(f"{LIST}{places['import'].pk}/change/{query}")

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("changesets/changeset/{}/change/?start={}", 200),
        ("changesets/changeset/revert/?since={1}", 200),
        ("changesets/changeset/revert/?ids={1}", 200),
        ("airports/airport/KDEN/history/{1}/", 404),
    ],
)
def test_a_number_that_is_longer_than_any_can_be_is_none(places, steward, browse_as, address, status):
    made = Changeset.objects.latest("pk")

    response = browse_as(steward).get("/admin/" + address.format(made.pk, "9" * 5000))

    assert response.status_code == status
