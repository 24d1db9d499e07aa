"""A changeset's changes in the admin: counts that lead to them, filters in the address, pages, downloads."""

import csv
import json
from io import StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.airports.models import Airport
from apps.base.models import City
from apps.changesets.context import changeset

pytestmark = pytest.mark.django_db
LIST = "/admin/changesets/changeset/"


def open_page(client, made, **query):
    return client.get(f"{LIST}{made.pk}/change/", query)


def shown(client, made, **query) -> list[str]:
    return [row.change.pk for row in open_page(client, made, **query).context["rows"]]


def download(client, made, form, **query) -> str:
    response = client.get(f"{LIST}{made.pk}/changes.{form}", query)
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode()


@pytest.fixture
def refresh(places):
    """An import that moves and renames Denver, renames Buckley's ident, and deletes Munich."""
    with changeset(kind="import", actor=None) as made:
        Airport.objects.filter(pk="KDEN").update(name="Denver Intl", latitude_deg=39.86, longitude_deg=-104.67)
        Airport.objects.filter(pk="EDDM").delete()
        buckley = Airport.objects.get(pk="KBKF")
        Airport.objects.filter(pk="KBKF").delete()
        buckley.pk = "KBKX"
        buckley.save(force_insert=True)
    return made


def test_counts_by_field_lead_into_the_changes(refresh, viewer, browse_as):
    page = open_page(browse_as(viewer), refresh).content.decode()

    assert '<a href="?model=airports.airport&amp;field=name#changes-title"><span class="of">name</span>' in page
    assert "search name" not in page


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({}, ["EDDM", "KBKX", "KDEN"]),
        ({"field": "name"}, ["KDEN"]),
        ({"op": "renamed"}, ["KBKX"]),
        ({"op": "deleted"}, ["EDDM"]),
        ({"q": "kbkf"}, ["KBKX"]),
        ({"q": "munich"}, ["EDDM"]),
        ({"field": "nonsense", "op": "nonsense", "country": "nonsense"}, ["EDDM", "KBKX", "KDEN"]),
        ({"country": "9" * 30}, ["EDDM", "KBKX", "KDEN"]),
    ],
)
def test_filters_live_in_the_address(refresh, viewer, browse_as, query, keys):
    assert shown(browse_as(viewer), refresh, **query) == keys


def test_changes_are_filtered_by_country(refresh, places, viewer, browse_as):
    assert shown(browse_as(viewer), refresh, country=places["germany"].pk) == ["EDDM"]


def test_filters_that_are_on_are_chips_that_take_themselves_off(refresh, viewer, browse_as):
    response = open_page(browse_as(viewer), refresh, field="name", q="denver")

    assert response.context["chips"] == [
        ("field: name", "?model=airports.airport&q=denver"),
        ("“denver”", "?model=airports.airport&field=name"),
    ]
    assert "changes.csv?model=airports.airport&amp;field=name&amp;q=denver" in response.content.decode()


def test_what_no_change_fits_says_so_and_leads_back(refresh, viewer, browse_as):
    page = open_page(browse_as(viewer), refresh, q="nowhere").content.decode()

    assert "No change of airports matches these filters." in page


def test_a_rename_and_a_deletion_read_as_such(refresh, viewer, browse_as):
    page = open_page(browse_as(viewer), refresh).content.decode()

    assert '<code>KBKX</code> <span class="quiet">was <code>KBKF</code></span>' in page
    assert "<details open><summary>had" in page
    assert "Munich Airport" in page


def test_pages_keep_the_filters_and_count_what_is_filtered(places, viewer, browse_as):
    with changeset(kind="import", actor=None) as made:
        City.objects.bulk_create([City(country=places["usa"], name=f"Town {n}", slug=f"t-{n}") for n in range(130)])
        City.objects.create(country=places["germany"], name="Ulm")
    client = browse_as(viewer)

    first = open_page(client, made, q="town")
    second = client.get(f"{LIST}{made.pk}/change/{first.context['after']}")

    assert "1 to 100 of 130 cities" in first.content.decode()
    assert "q=town" in first.context["after"]
    assert len(second.context["rows"]) == 30
    assert second.context["before"] == "?model=base.city&q=town"


def test_a_start_beyond_the_end_begins_anew(refresh, viewer, browse_as):
    assert shown(browse_as(viewer), refresh, q="denver", start="500") == ["KDEN"]


def test_a_moved_point_says_how_far_and_draws_it(places, viewer, browse_as, edit):
    edit("KDEN", latitude_deg=39.0, longitude_deg=-104.0)
    made = edit("KDEN", latitude_deg=40.0)

    page = open_page(browse_as(viewer), made).content.decode()

    assert "moved 111 km" in page
    assert 'aria-label="The point moved 111 km to the north"' in page


def test_long_texts_have_their_changed_words_marked(places, viewer, browse_as, edit):
    long = "The airport of the city of Denver in the state of Colorado"
    edit("KDEN", name=long)
    made = edit("KDEN", name=long.replace("Colorado", "<Kansas>"))

    page = open_page(browse_as(viewer), made).content.decode()

    assert "state of <mark>Colorado</mark></del>" in page
    assert "state of <mark>&lt;Kansas&gt;</mark></ins>" in page


def test_cleared_is_told_from_deleted(places, viewer, browse_as, edit):
    made = edit("KDEN", iata_code=None)

    page = open_page(browse_as(viewer), made).content.decode()

    assert '<ins class="cleared">cleared</ins>' in page
    assert "deleted</span>" not in page


def test_a_download_has_what_the_filters_leave(refresh, viewer, browse_as):
    lines = list(csv.reader(StringIO(download(browse_as(viewer), refresh, "csv", op="deleted"))))

    assert lines[0] == ["model", "operation", "pk", "old_pk", "field", "old", "new"]
    assert {line[2] for line in lines[1:]} == {"EDDM"}
    assert ["airports.airport", "deleted", "EDDM", "EDDM", "country", "Germany (DE)", ""] in lines


def test_a_download_without_filters_has_all_models(places, viewer, browse_as):
    changes = json.loads(download(browse_as(viewer), places["import"], "json"))

    assert [change["model"] for change in changes] == ["base.country"] * 2 + ["base.city"] * 2 + [
        "airports.airport"
    ] * 3
    assert changes[-1]["fields"]["elevation_ft"] == [None, 5431]


def test_a_spreadsheet_runs_nothing_of_a_download(places, viewer, browse_as, edit):
    made = edit("KDEN", name="=1+1", municipality="@x", longitude_deg=-104.5, iso_region="-2")

    lines = download(browse_as(viewer), made, "csv").splitlines()

    # The derived search name is text, too.
    assert [line.rpartition(",")[2] for line in lines[1:]] == ["'=1+1", "'=1+1", "-104.5", "'-2", "'@x"]


@pytest.mark.parametrize(("form", "nothing"), [("json", []), ("csv", 1)])
def test_a_download_of_nothing_is_a_whole_file(refresh, viewer, browse_as, form, nothing):
    text = download(browse_as(viewer), refresh, form, q="nowhere")

    assert (json.loads(text) if form == "json" else len(text.splitlines())) == nothing


@pytest.mark.parametrize("path", ["changes.csv", "changes.json"])
def test_a_download_needs_the_permission_to_view(refresh, outsider, browse_as, path):
    assert browse_as(outsider).get(f"{LIST}{refresh.pk}/{path}").status_code == 403


def test_a_download_of_what_is_not_there_is_not_found(viewer, browse_as):
    assert browse_as(viewer).get(LIST + "999999/changes.csv").status_code == 404


def test_a_download_is_only_read(refresh, viewer, browse_as):
    assert browse_as(viewer).post(f"{LIST}{refresh.pk}/changes.csv").status_code == 405


@pytest.mark.parametrize("query", [{}, {"field": "name"}, {"q": "den"}, {"op": "changed"}])
def test_the_page_takes_at_most_twelve_queries(refresh, viewer, browse_as, query):
    client = browse_as(viewer)
    open_page(client, refresh)

    with CaptureQueriesContext(connection) as queries:
        open_page(client, refresh, **query)

    assert len(queries) <= 12
    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}


def test_a_changeset_with_many_changes_takes_as_many_queries_as_one_with_few(places, viewer, browse_as):
    client = browse_as(viewer)
    counted = []
    for number in (2, 300):
        with changeset(kind="import", actor=viewer) as made:
            City.objects.bulk_create(
                [City(country=places["usa"], name=f"T {number} {n}", slug=f"t-{number}-{n}") for n in range(number)]
            )
        open_page(client, made)
        with CaptureQueriesContext(connection) as queries:
            open_page(client, made)
        counted.append(len(queries))

    assert counted[0] == counted[1] <= 12
