"""Going back to a version from an object's history, and the origin beside each field."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.models import Changeset

pytestmark = pytest.mark.django_db
CHANGE = "/admin/airports/airport/KDEN/change/"
HISTORY = "/admin/airports/airport/KDEN/history/"


def go_back_url(ident: str = "KDEN") -> str:
    row = Airport.history.filter(ident=ident, history_type="+").first()
    return f"/admin/airports/airport/{ident}/go-back/{row.pk}/"


def test_the_history_has_two_buttons_with_different_words(places, steward, browse_as, edit):
    edit("KDEN", name="Denver Intl")

    page = browse_as(steward).get(HISTORY).content.decode()

    assert page.count("Undo this change…") == 2
    assert page.count("Go back to this version…") == 1
    assert go_back_url() in page


def test_a_viewer_sees_neither(places, viewer, browse_as, edit):
    edit("KDEN", name="Denver Intl")

    page = browse_as(viewer).get(HISTORY).content.decode()

    assert "Undo this change" not in page
    assert "Go back to this version" not in page


def test_the_preview_has_now_and_then(places, operator, browse_as, edit):
    edit("KDEN", name="Denver Intl", elevation_ft=1)

    page = browse_as(operator).get(go_back_url()).content.decode()

    assert "<del>Denver Intl</del>" in page
    assert "<ins>Denver International Airport</ins>" in page
    assert page.count('name="field"') == 2


def test_the_ticked_fields_go_back(places, operator, browse_as, edit):
    edit("KDEN", name="Denver Intl", elevation_ft=1)
    client = browse_as(operator)
    seen = client.get(go_back_url()).context["token"]

    client.post(go_back_url(), {"field": ["name"], "seen": seen, "reason": "was right"})

    airport, made = Airport.objects.get(pk="KDEN"), Changeset.objects.first()
    assert (airport.name, airport.elevation_ft) == ("Denver International Airport", 1)
    assert (made.kind, made.actor, made.reason) == ("restore", operator, "was right")


@pytest.mark.parametrize(("posted", "sentence"), [({}, "Say why"), ({"reason": "x"}, "No field is ticked")])
def test_without_reason_or_field_nothing_happens(places, operator, browse_as, edit, posted, sentence):
    edit("KDEN", name="Denver Intl")
    client = browse_as(operator)
    seen = client.get(go_back_url()).context["token"]

    page = client.post(go_back_url(), {"seen": seen, **posted}).content.decode()

    assert sentence in page
    assert Airport.objects.get(pk="KDEN").name == "Denver Intl"


def test_a_change_meanwhile_is_shown_first(places, operator, browse_as, edit):
    edit("KDEN", name="Denver Intl")
    client = browse_as(operator)
    seen = client.get(go_back_url()).context["token"]
    edit("KDEN", name="Theirs")

    page = client.post(go_back_url(), {"field": ["name"], "seen": seen, "reason": "x"}).content.decode()

    assert "somebody changed it since you opened this page" in page
    assert "<del>Theirs</del>" in page
    assert Airport.objects.get(pk="KDEN").name == "Theirs"


def test_a_deleted_object_comes_back_for_a_steward_only(places, operator, steward, browse_as):
    with changeset(kind="delete", actor=steward):
        Airport.objects.filter(pk="KDEN").delete()
    client = browse_as(steward)
    seen = client.get(go_back_url()).context["token"]

    refused = browse_as(operator).post(go_back_url(), {"seen": seen, "reason": "x"})
    client.post(go_back_url(), {"seen": seen, "reason": "x"})

    assert refused.status_code == 403
    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"


@pytest.mark.parametrize("row", [0, 999999, 10**30])
def test_a_version_that_never_was_is_not_found(places, operator, browse_as, row):
    assert browse_as(operator).get(f"/admin/airports/airport/KDEN/go-back/{row}/").status_code == 404


# -- origins ---------------------------------------------------------------------------------------------------


def test_beside_each_field_stands_where_its_value_comes_from(places, operator, browse_as, edit):
    made = edit("KDEN", actor=operator, name="Denver Intl")

    form = browse_as(operator).get(CHANGE).context["adminform"].form

    link = f'<a tabindex="-1" href="/admin/changesets/changeset/{made.pk}/change/">#{made.pk}</a>'
    assert f'<span class="origin">olga {link}' in form["name"].help_text
    assert f">#{places['import'].pk}</a>" in form["elevation_ft"].help_text
    assert "import " in form["elevation_ft"].help_text


def test_who_only_reads_sees_the_origins_too(places, viewer, operator, browse_as, edit):
    made = edit("KDEN", actor=operator, name="Denver Intl")

    page = browse_as(viewer).get(CHANGE).content.decode()

    assert f'<dd>olga <a href="/admin/changesets/changeset/{made.pk}/change/">' in page


def test_the_page_of_a_new_object_has_no_origins(places, operator, browse_as):
    assert 'class="origin"' not in browse_as(operator).get("/admin/airports/airport/add/").content.decode()


def test_origins_cost_the_change_page_two_queries_at_most(places, operator, browse_as, edit, monkeypatch):
    client = browse_as(operator)
    for number in range(20):
        edit("KDEN", name=f"name {number}")
    client.get(CHANGE)
    with CaptureQueriesContext(connection) as with_origins:
        client.get(CHANGE)
    monkeypatch.setattr("apps.changesets.pages.recorded.show_origins", lambda form, obj: None)

    with CaptureQueriesContext(connection) as without:
        client.get(CHANGE)

    assert len(with_origins) - len(without) <= 2
    # Four of them are for the last changes.
    assert len(with_origins) <= 16
