"""An object's history page: every change, whoever made it and however, with what it changed."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.models import Changeset

pytestmark = pytest.mark.django_db
HISTORY = "/admin/airports/airport/KDEN/history/"


def test_an_entry_tells_who_when_why_and_what(places, operator, browse_as, edit):
    made = edit("KDEN", actor=operator, reason="as signed", name="Denver Intl")

    page = browse_as(operator).get(HISTORY).content.decode()

    assert f'<a href="/admin/changesets/changeset/{made.pk}/change/">#{made.pk} Edit</a>' in page
    assert "by olga" in page
    assert "as signed" in page
    assert "<time" in page
    assert "<del>Denver International Airport</del>" in page
    assert "<ins>Denver Intl</ins>" in page
    assert "from airports.csv" in page


def test_a_plain_sql_update_is_there_and_leads_to_its_revert(places, steward, browse_as):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE airports_airport SET name='x' WHERE ident='KDEN'")
    direct = Changeset.objects.get(kind="direct")
    client = browse_as(steward)

    page = client.get(HISTORY).content.decode()
    revert = f"/admin/changesets/changeset/{direct.pk}/revert/"
    plan = client.get(revert, {"model": "airports.airport", "pk": "KDEN"})
    client.post(revert, {"seen": plan.context["token"], "reason": "not by hand"})

    assert f"#{direct.pk} Direct write" in page
    assert "<ins>x</ins>" in page
    assert f"{revert}?model=airports.airport&amp;pk=KDEN" in page
    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"


def test_a_cleared_link_is_called_cleared(places, viewer, browse_as):
    places["denver"].delete()

    page = browse_as(viewer).get(HISTORY).content.decode()

    assert "<del>Denver (deleted)</del>" in page
    assert '<ins class="cleared">cleared</ins>' in page
    assert "pk=None" not in page


def test_the_last_entry_of_a_page_has_its_differences(places, viewer, browse_as, edit):
    for number in range(60):
        edit("KDEN", name=f"name {number}")

    page = browse_as(viewer).get(HISTORY).content.decode()

    assert page.count('<li class="entry">') == 50
    assert page.count("<ins>name ") == 50
    assert "61 entries" in page


def test_a_longer_history_takes_no_more_queries(places, viewer, browse_as, edit):
    client = browse_as(viewer)
    edit("KDEN", actor=viewer, name="one", city=places["munich"])
    client.get(HISTORY)
    with CaptureQueriesContext(connection) as few:
        client.get(HISTORY)
    for number in range(20):
        edit("KDEN", actor=viewer, name=f"name {number}", city=places["denver"] if number % 2 else places["munich"])

    with CaptureQueriesContext(connection) as many:
        client.get(HISTORY)

    assert len(many) <= len(few)
    # One of them for the button to follow it.
    assert len(many) <= 13


def test_the_history_of_a_deleted_object_is_reached_from_its_old_address(places, steward, browse_as):
    with changeset(kind="delete", actor=steward, reason="closed"):
        Airport.objects.get(pk="KDEN").delete()

    response = browse_as(steward).get("/admin/airports/airport/KDEN/change/", follow=True)

    assert response.redirect_chain == [(HISTORY, 302)]
    page = response.content.decode()
    assert "KDEN · Denver International Airport is deleted." in page
    assert "Undo this change…" in page


def test_a_renamed_airport_names_its_other_ident(places, viewer, browse_as):
    with changeset(kind="import", actor=None) as made:
        Airport.objects.filter(pk="KBKF").update(ident="KBFX", name="Buckley")
    client = browse_as(viewer)

    page = client.get("/admin/airports/airport/KBFX/history/").content.decode()

    assert made.counts["airports.airport"]["renamed"] == 1
    assert "from <code>KBKF</code> to <code>KBFX</code>" in page
    assert "<ins>Buckley</ins>" in page


def test_an_old_version_is_shown_to_read(places, operator, browse_as, edit):
    edit("KDEN", name="Denver Intl")
    oldest = Airport.history.filter(ident="KDEN").order_by("history_id").first()

    page = browse_as(operator).get(f"{HISTORY}{oldest.pk}/").content.decode()

    assert "Denver International Airport" in page
    assert 'name="name"' not in page
    assert 'type="submit" value=' not in page


@pytest.mark.parametrize("address", ["/admin/base/city/abc/history/", "/admin/airports/airport/NOPE/history/"])
def test_an_object_that_never_was_is_not_found(places, viewer, browse_as, address):
    assert browse_as(viewer).get(address).status_code == 404


def test_nobody_may_post_a_version_back(places, viewer, steward, browse_as):
    version = Airport.history.filter(ident="KDEN").first()

    for person in (viewer, steward):
        response = browse_as(person).post(f"{HISTORY}{version.pk}/", {"name": "hacked"})

        assert response.status_code == 405
    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"
