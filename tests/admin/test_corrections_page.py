"""The report of corrections in the admin: counts first, rows paged and filtered, and the file for upstream."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.airports.models import Airport
from apps.changesets.context import Source, changeset
from apps.imports.plan.pins import pin

pytestmark = pytest.mark.django_db
REPORT = "/admin/airports/airport/corrections/"
FILE = REPORT + "download/"


@pytest.fixture
def corrected(places, steward) -> None:
    """Three airports from upstream, two of them with names corrected by Stan."""
    with changeset(kind="import", actor=None):
        for airport in Airport.objects.all():
            airport.upstream = {"name": airport.name, "elevation_ft": airport.elevation_ft}
            airport.save()
    with changeset(kind="edit", actor=steward, reason="as signed"):
        Airport.objects.filter(pk="KDEN").update(name="Denver <Intl>", elevation_ft=5433)
        Airport.objects.filter(pk="EDDM").update(name="=1+1")


def lines(response) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_counts_come_first_and_each_row_says_ours_upstreams_who_and_why(corrected, viewer, browse_as):
    page = browse_as(viewer).get(REPORT).content.decode()

    assert "<strong>3</strong> values of <strong>2</strong> airports differ" in page
    assert page.index('<span class="of">Name</span>') < page.index('<span class="of">Elevation (ft)</span>')
    assert "Denver &lt;Intl&gt;</strong>" in page
    assert "Denver International Airport" in page
    assert "5,431" in page
    assert '<span class="origin">stan <a' in page
    assert "as signed" in page


def test_the_report_is_filtered_by_field(corrected, viewer, browse_as):
    client = browse_as(viewer)

    context = client.get(REPORT, {"field": "elevation_ft"}).context

    assert [(row["key"], row["value"], row["upstream"]) for row in context["rows"]] == [("KDEN", "5,433", "5,431")]
    assert (
        "No airport is corrected or pinned in this field" in client.get(REPORT, {"field": "iata_code"}).content.decode()
    )
    assert len(client.get(REPORT, {"field": "nonsense"}).context["rows"]) == 3


def test_pinned_fields_stand_in_it_with_their_note(corrected, steward, viewer, browse_as):
    pin(Airport.objects.get(pk="KBKF"), "elevation_ft", note="none there", actor=steward)

    page = browse_as(viewer).get(REPORT).content.decode()

    assert "pinned by stan" in page
    assert "none there" in page


def test_an_empty_report_says_what_it_means(places, viewer, browse_as):
    client = browse_as(viewer)

    assert "No airport differs from what upstream said last" in client.get(REPORT).content.decode()
    assert "No field of a city is pinned." in client.get("/admin/base/city/corrections/").content.decode()


def test_the_list_leads_to_the_report(places, viewer, browse_as):
    assert f'<a href="{REPORT}">Corrections</a>' in browse_as(viewer).get("/admin/airports/airport/").content.decode()


def test_the_file_has_every_correction_as_upstream_calls_its_fields(corrected, steward, viewer, browse_as):
    Airport.objects.filter(pk="KDEN").update(airport_type="closed", upstream={"airport_type": "large_airport"})
    pin(Airport.objects.get(pk="KDEN"), "airport_type", note="-shut", actor=steward)

    rows = lines(browse_as(viewer).get(FILE))

    by_object = {(row["object"], row["field"]): row for row in rows}
    assert {*by_object} == {("KDEN", "type"), ("EDDM", "name")}
    kden, eddm = by_object["KDEN", "type"], by_object["EDDM", "name"]
    assert (kden["value"], kden["upstream_value"], kden["source_id"]) == ("closed", "large_airport", "3486")
    assert (kden["pinned"], kden["pinned_by"], kden["pin_note"]) == ("yes", "stan", "'-shut")
    assert (eddm["value"], eddm["who"], eddm["reason"], eddm["pinned"]) == ("'=1+1", "stan", "as signed", "no")
    assert eddm["since"].startswith("20")


def test_the_file_is_filtered_like_the_page(corrected, viewer, browse_as):
    rows = lines(browse_as(viewer).get(FILE, {"field": "elevation_ft"}))

    assert [(row["object"], row["value"]) for row in rows] == [("KDEN", "5433")]


@pytest.mark.parametrize("address", [REPORT, FILE])
def test_who_may_not_see_airports_sees_no_corrections(corrected, outsider, steward, browse_as, address):
    assert browse_as(outsider).get(address).status_code == 403
    assert browse_as(steward).post(address).status_code == 405


def test_many_rows_take_no_more_queries_and_come_in_pages(corrected, viewer, browse_as):
    with changeset(kind="import", actor=None):
        Airport.objects.bulk_create(
            Airport(ident=f"A{n:03}", source_id=n, name="ours", airport_type="closed", upstream={"name": "theirs"})
            for n in range(120)
        )
    client = browse_as(viewer)
    client.get(REPORT)

    with CaptureQueriesContext(connection) as queries:
        response = client.get(REPORT)

    assert len(queries) <= 15
    assert len(response.context["rows"]) == 50
    assert len(client.get(REPORT, {"p": 3}).context["rows"]) == 23
    assert len(lines(client.get(FILE))) == 123


@pytest.fixture
def of_aip(corrected) -> None:
    """Two values that a file of the AIP brought, beside those of Stan."""
    with changeset(kind="import", actor=None, reason="AIP 2026", source=Source("aip.csv", title="National AIP")):
        Airport.objects.filter(pk="KBKF").update(name="Buckley")
        Airport.objects.filter(pk="EDDM").update(elevation_ft=1488)


def test_the_report_is_filtered_by_source(of_aip, viewer, browse_as):
    response = browse_as(viewer).get(REPORT, {"source": "National AIP"})

    assert [(row["key"], row["field"]) for row in response.context["rows"]] == [
        ("EDDM", "elevation (ft)"),
        ("KBKF", "name"),
    ]
    assert [(bar.label, bar.number) for bar in response.context["source_counts"]] == [("National AIP", 2)]
    assert "values of National AIP" in response.content.decode()
    assert "End these" not in response.content.decode()


def test_the_file_says_the_source_of_each_value(of_aip, viewer, browse_as):
    rows = lines(browse_as(viewer).get(FILE, {"source": "National AIP"}))

    assert [(row["object"], row["source"]) for row in rows] == [("EDDM", "National AIP"), ("KBKF", "National AIP")]


def test_the_corrections_of_a_source_are_ended_with_a_reason(of_aip, steward, browse_as):
    client = browse_as(steward)
    page = client.get(REPORT + "end/?source=National+AIP")
    client.post(REPORT + "end/?source=National+AIP", {"seen": page.context["token"], "reason": "upstream is right"})

    assert Airport.objects.get(pk="KBKF").name == "Buckley Space Force Base"
    assert Airport.objects.get(pk="EDDM").name == "=1+1"
    assert Airport.objects.get(pk="EDDM").elevation_ft == 1487


@pytest.mark.parametrize(("query", "status"), [("", 404), ("?source=Nobody", 302)])
def test_there_is_nothing_to_end_of_no_source(of_aip, steward, browse_as, query, status):
    assert browse_as(steward).get(REPORT + "end/" + query).status_code == status


def test_who_may_not_change_airports_ends_nothing(of_aip, viewer, browse_as):
    client = browse_as(viewer)

    assert client.get(REPORT + "end/?source=National+AIP").status_code == 403
    assert client.post(REPORT + "end/?source=National+AIP", {"reason": "x"}).status_code == 403
