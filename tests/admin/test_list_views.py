"""What a person makes of a list: its columns, and views of it that are saved; and what an empty list says."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.airports.models import Airport
from apps.changesets.models import SavedView
from apps.changesets.names import ChangesetNames, Renaming

pytestmark = pytest.mark.django_db
AIRPORTS, VIEWS = "/admin/airports/airport/", "/admin/airports/airport/views/"


def shown(client, **query) -> list[str]:
    names = client.get(AIRPORTS, query).context["cl"].list_display
    return [name for name in names if name != "action_checkbox"]


def save(client, name: str, query: str = "", **ticks: str):
    return client.post(VIEWS, {"name": name, "query": query, **ticks}, follow=True)


def names_of(client) -> list[str]:
    return [view.name for view in client.get(AIRPORTS, {"_view": "all"}).context["saved_views"]]


def test_a_list_shows_the_columns_that_its_address_names(places, viewer, browse_as):
    client = browse_as(viewer)

    assert shown(client, _columns="name,elevation_ft,nonsense,upstream") == ["name", "elevation_ft"]
    assert shown(client, _columns="nonsense") == shown(client)
    page = client.get(AIRPORTS, {"_columns": "elevation_ft", "airport_type__exact": "large_airport"})
    assert 'href="/admin/airports/airport/KDEN/change/' in page.content.decode()
    assert page.context["cl"].result_count == 3


def test_ticked_columns_become_one_word_of_the_address(places, viewer, browse_as):
    response = browse_as(viewer).get(AIRPORTS + "?q=den&_columns=name&_columns=ident")

    assert (response.status_code, response.url) == (302, AIRPORTS + "?q=den&_columns=name,ident")


def test_nobody_chooses_a_column_that_they_may_not_see(places, outsider, browse_as):
    outsider.user_permissions.add(Permission.objects.get(codename="view_airport"))
    client = browse_as(outsider)

    assert shown(client, _columns="name,city,country") == ["name"]
    assert not {"city", "town", "country"} & {column.name for column in client.get(AIRPORTS).context["cl"].columns}
    assert "municipality" in shown(client)


def test_each_column_is_offered_once(places, viewer, browse_as):
    labels = [column.label.casefold() for column in browse_as(viewer).get(AIRPORTS).context["cl"].columns]

    assert {"city", "municipality", "keywords"} <= {*labels}
    assert len(labels) == len({*labels})


def test_columns_and_views_are_no_filters(places, operator, browse_as):
    page = browse_as(operator).get(AIRPORTS, {"_columns": "name", "_view": "all"})

    assert not page.context["cl"].has_active_filters
    exported = browse_as(operator).get(AIRPORTS + "export/", {"_columns": "name"})
    assert not exported.context["filtered"]


def test_a_view_is_the_persons_own_until_it_is_shared(places, viewer, operator, browse_as):
    vera, olga = browse_as(viewer), browse_as(operator)

    saved = save(vera, "Heliports", "airport_type__exact=heliport&_columns=ident,name&p=3&_view=all")
    save(vera, "Large", "airport_type__exact=large_airport", shared="on")

    assert saved.redirect_chain == [(AIRPORTS + "?airport_type__exact=heliport&_columns=ident,name", 302)]
    assert "The view “Heliports” is saved." in saved.content.decode()
    assert names_of(vera) == ["Heliports", "Large"]
    assert names_of(olga) == ["Large"]
    assert "by vera" in olga.get(AIRPORTS).content.decode()


def test_a_view_that_is_saved_again_is_changed(places, viewer, browse_as):
    client = browse_as(viewer)

    save(client, "Mine", "q=den")
    save(client, " Mine ", "q=muc", shared="on")

    assert list(SavedView.objects.values_list("name", "query", "shared")) == [("Mine", "q=muc", True)]


def test_a_list_opens_with_the_default_view_of_the_person(places, viewer, operator, browse_as):
    client = browse_as(viewer)
    save(client, "First", "q=muc", default="on")
    save(client, "Mine", "q=den", default="on", shared="on")

    assert client.get(AIRPORTS).url == AIRPORTS + "?q=den"
    assert client.get(AIRPORTS, {"_view": "all"}).context["cl"].result_count == 3
    assert browse_as(operator).get(AIRPORTS).status_code == 200


def test_only_the_owner_deletes_a_view(places, viewer, operator, browse_as):
    save(browse_as(viewer), "Shared", "q=den", shared="on")
    view = SavedView.objects.get()

    refused = browse_as(operator).post(VIEWS, {"delete": view.pk}, follow=True)
    assert "That view is not yours" in refused.content.decode()
    assert SavedView.objects.exists()

    browse_as(viewer).post(VIEWS, {"delete": view.pk})
    assert not SavedView.objects.exists()


def test_a_view_follows_a_field_that_gets_another_name(places, viewer, browse_as):
    save(browse_as(viewer), "Mine", "active__exact=1&q=active&_columns=name,active")

    ChangesetNames().carry(Renaming("airports.airport", "active", "open", "default", Airport, None))

    assert SavedView.objects.get().query == "open__exact=1&q=active&_columns=name,open"


@pytest.mark.parametrize("data", [{"name": ""}, {"name": "x" * 81}, {"name": "x", "query": "q=" + "x" * 3000}, {}])
def test_a_view_without_a_fit_name_is_not_saved(places, viewer, browse_as, data):
    assert "nothing was saved" in browse_as(viewer).post(VIEWS, data, follow=True).content.decode()
    assert not SavedView.objects.exists()


def test_views_cost_a_list_one_query_however_many_there_are(places, steward, browse_as):
    client = browse_as(steward)
    client.get(AIRPORTS)
    with CaptureQueriesContext(connection) as few:
        client.get(AIRPORTS)
    for number in range(20):
        SavedView.objects.create(owner=steward, model="airports.airport", name=str(number), query="q=x", shared=True)

    with CaptureQueriesContext(connection) as many:
        client.get(AIRPORTS)

    assert len(many) == len(few)
    assert len(many) <= 12


def test_the_city_has_the_municipality_beside_it_only_where_it_differs(places, viewer, browse_as, edit):
    edit("KBKF", municipality="Aurora")
    edit("EDDM", municipality="MUNCHEN")
    Airport.objects.create(ident="AA01", name="Lonely", municipality="Nowhere")

    page = browse_as(viewer).get(AIRPORTS).content.decode()

    assert '<td class="field-town">Denver</td>' in page
    assert '<td class="field-town">München</td>' in page
    assert '<td class="field-town">Denver <span class="quiet">(Aurora)</span></td>' in page
    assert '<td class="field-town"><span class="quiet">Nowhere (no city)</span></td>' in page


def test_an_empty_list_says_what_to_do_first(operator, viewer, browse_as):
    offered = browse_as(operator).get(AIRPORTS).content.decode()
    told = browse_as(viewer).get(AIRPORTS).content.decode()

    assert "There are no airports yet." in offered
    assert '<a href="/admin/airports/airport/import/">Import a file</a>' in offered
    assert "Somebody with the permission to import can add them." in told


def test_a_list_where_nothing_fits_leads_to_all(places, viewer, browse_as):
    page = browse_as(viewer).get(AIRPORTS, {"q": "nowhere"}).content.decode()

    assert 'No airport matches. <a href="?_view=all">Show all airports</a>' in page
