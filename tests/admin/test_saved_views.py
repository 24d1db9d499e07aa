"""Saved views of every list: the same pages and rules for tracked models, changesets, imports and findings."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.airports.models import Airport
from apps.changesets.follow_models import Follow
from apps.changesets.models import SavedView
from apps.changesets.names import ChangesetNames, Renaming

pytestmark = pytest.mark.django_db
CHANGESETS, RUNS, FINDINGS = "/admin/changesets/changeset/", "/admin/imports/importrun/", "/admin/quality/finding/"
QUERIES = {
    "/admin/airports/airport/": "airport_type__exact=heliport",
    "/admin/base/country/": "q=den",
    CHANGESETS: "kind__exact=import&q=first",
    RUNS: "status__exact=applied",
    FINDINGS: "severity=warning",
}
every_list = pytest.mark.parametrize(("address", "query"), QUERIES.items())


def save(client, address: str, query: str, name: str = "Mine", **ticks: str):
    return client.post(f"{address}views/", {"name": name, "query": query, **ticks}, follow=True)


def names_of(client, address: str) -> list[str]:
    return [view.name for view in client.get(address, {"_view": "all"}).context["saved_views"]]


@every_list
def test_a_view_of_any_list_is_saved_opened_and_deleted(places, viewer, browse_as, address, query):
    client = browse_as(viewer)

    saved = save(client, address, f"{query}&p=3&_view=all")

    assert saved.redirect_chain == [(f"{address}?{query}", 302)]
    assert saved.status_code == 200
    assert "The view “Mine” is saved." in saved.content.decode()
    assert f'href="?{query.replace("&", "&amp;")}">Mine</a>' in saved.content.decode()
    client.post(f"{address}views/", {"delete": SavedView.objects.get().pk})
    assert not SavedView.objects.exists()


@every_list
def test_a_view_of_any_list_is_ones_own_until_it_is_shared(places, viewer, operator, browse_as, address, query):
    save(browse_as(viewer), address, query)
    save(browse_as(viewer), address, query, "Ours", shared="on")

    assert names_of(browse_as(viewer), address) == ["Mine", "Ours"]
    assert names_of(browse_as(operator), address) == ["Ours"]


@every_list
def test_any_list_opens_with_the_default_view(places, viewer, operator, browse_as, address, query):
    client = browse_as(viewer)
    save(client, address, query, default="on", shared="on")

    assert client.get(address).url == f"{address}?{query}"
    assert client.get(address, {"_view": "all"}).status_code == 200
    assert browse_as(operator).get(address).status_code == 200


@every_list
def test_nobody_saves_a_view_of_a_list_that_they_may_not_see(places, outsider, browse_as, address, query):
    assert browse_as(outsider).post(f"{address}views/", {"name": "Mine", "query": query}).status_code == 403
    assert not SavedView.objects.exists()


@every_list
def test_views_cost_any_list_one_query(places, steward, browse_as, address, query):
    client = browse_as(steward)
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    model = ".".join(address.split("/")[2:4])
    for number in range(20):
        SavedView.objects.create(owner=steward, model=model, name=str(number), query=query, shared=True)

    with CaptureQueriesContext(connection) as many:
        page = client.get(address)

    assert len(page.context["saved_views"]) == 20
    assert len(many) == len(few)
    assert len(many) <= 12


@pytest.mark.parametrize("address", [CHANGESETS, RUNS, "/admin/airports/airport/"])
def test_the_last_filter_taken_away_leads_to_all_and_not_to_the_default_view(places, viewer, browse_as, address):
    client = browse_as(viewer)
    save(client, address, QUERIES[address], default="on")

    filtered = client.get(address, dict([QUERIES[address].split("&")[0].split("=")]))

    assert filtered.context["cl"].clear_all_filters_qs == "?_view=all"
    assert 'href="?"' not in filtered.content.decode()


@pytest.mark.parametrize("address", [CHANGESETS, RUNS])
def test_lists_of_the_consoles_own_show_the_columns_that_are_chosen(places, viewer, browse_as, address):
    page = browse_as(viewer).get(address, {"_columns": "when,finished_at,error,what"})

    shown = [name for name in page.context["cl"].list_display if name != "action_checkbox"]
    assert shown == ["when", "finished_at", "what"]
    assert {"next_steps", "finished_at"} <= {column.name for column in page.context["cl"].columns}


def test_columns_of_a_list_of_changesets_are_no_filter(places, viewer, browse_as):
    page = browse_as(viewer).get(CHANGESETS, {"_columns": "what,why", "_view": "all"})

    assert not page.context["cl"].has_active_filters
    assert page.context["cl"].result_count == 1


@pytest.mark.parametrize("address", [CHANGESETS, RUNS, FINDINGS])
def test_what_is_no_list_of_objects_is_not_followed(places, viewer, browse_as, address):
    client = browse_as(viewer)
    save(client, address, QUERIES[address])

    offered = client.get(address, {"_view": "all"}).content.decode()
    about = f"view:{SavedView.objects.get().pk}"
    answer = client.post(f"{CHANGESETS}follow/", {"about": about}, follow=True)

    assert about not in offered
    assert "nothing was changed" in answer.content.decode()
    assert not Follow.objects.exists()


def test_findings_are_narrowed_by_severity_and_model(places, viewer, browse_as):
    client = browse_as(viewer)

    def rules(**query: str) -> list:
        page = client.get(FINDINGS, query).context
        return [row["rule"] for row in (*page["found"], *page["clean"])]

    assert {rule.severity for rule in rules(severity="warning")} == {"warning"}
    assert {rule.model for rule in rules(model="airports.airport")} == {"airports.airport"}
    assert rules(severity="warning", model="airports.airport") != rules(severity="warning")
    assert rules(severity="nonsense", model="nonsense") == rules()


def test_findings_of_a_model_are_offered_to_who_may_see_it(places, outsider, browse_as):
    outsider.user_permissions.add(*Permission.objects.filter(codename__in=["view_findings", "view_airport"]))

    page = browse_as(outsider).get(FINDINGS).content.decode()

    assert 'value="airports.airport"' in page
    assert 'value="base.city"' not in page


def test_a_view_of_changesets_follows_a_field_that_gets_another_name(places, viewer, browse_as):
    for name, query in (("Mine", "field=airport.active&find=1"), ("Other", "field=city.active"), ("Found", "q=active")):
        save(browse_as(viewer), CHANGESETS, query, name)

    ChangesetNames().carry(Renaming("airports.airport", "active", "open", "default", Airport, None))

    queries = list(SavedView.objects.order_by("pk").values_list("query", flat=True))
    assert queries == ["field=airport.open&find=1", "field=city.active", "q=active"]
