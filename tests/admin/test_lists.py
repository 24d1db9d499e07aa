"""The lists of airports, cities and countries: what they find, and at what cost."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.airports.models import Airport
from apps.base.models import City, Country

pytestmark = pytest.mark.django_db
AIRPORTS = "/admin/airports/airport/"


def found(client, address: str, **query) -> list[str]:
    return [str(row.pk) for row in client.get(address, query).context["cl"].result_list]


@pytest.mark.parametrize(
    ("term", "idents"),
    [
        ("kden", ["KDEN"]),
        ("den", ["KBKF", "KDEN"]),
        ("MÜNCHEN", ["EDDM"]),
        ("munich airport", ["EDDM"]),
        ("airport munich", ["EDDM"]),
        ("space  BASE", ["KBKF"]),
        ("nowhere", []),
        ("%", []),
    ],
)
def test_airports_are_found_by_code_name_and_municipality(places, viewer, browse_as, term, idents):
    assert sorted(found(browse_as(viewer), AIRPORTS, q=term)) == idents


@pytest.mark.parametrize("path", [AIRPORTS, "/admin/changesets/changeset/"])
def test_a_list_offers_to_show_all_where_it_does_not_show_all(path, places, viewer, browse_as):
    client = browse_as(viewer)

    assert "Show all</a>" not in client.get(path).content.decode()
    assert "Show all</a>" in client.get(path, {"q": "nothing has this"}).content.decode()


@pytest.mark.parametrize("term", ["gden", "IDEN", "lden", "stapleton", "gden DIA"])
def test_airports_are_found_by_their_other_codes_and_keywords(places, viewer, browse_as, term):
    codes = {"gps_code": "GDEN", "icao_code": "IDEN", "local_code": "LDEN", "keywords": "Stapleton, DIA"}
    Airport.objects.filter(pk="KDEN").update(**codes)

    assert found(browse_as(viewer), AIRPORTS, q=term) == ["KDEN"]


def test_airports_are_filtered_by_scheduled_service(places, viewer, browse_as):
    Airport.objects.filter(pk="KDEN").update(scheduled_service=True)
    Airport.objects.filter(pk="EDDM").update(scheduled_service=False)

    client = browse_as(viewer)

    assert found(client, AIRPORTS, scheduled_service__exact="1") == ["KDEN"]
    assert found(client, AIRPORTS, scheduled_service__exact="0") == ["EDDM"]


def test_airports_are_filtered_by_what_they_are_and_by_their_links(places, viewer, browse_as):
    Airport.objects.filter(pk="KBKF").update(airport_type="closed", active=False, city=None)
    Airport.objects.filter(pk="EDDM").update(country=None, city=None)
    client = browse_as(viewer)

    assert found(client, AIRPORTS, airport_type__exact="closed") == ["KBKF"]
    assert found(client, AIRPORTS, active__exact="0") == ["KBKF"]
    assert found(client, AIRPORTS, links="no-country") == ["EDDM"]
    assert sorted(found(client, AIRPORTS, links="no-city")) == ["EDDM", "KBKF"]
    assert found(client, AIRPORTS, links="both") == ["KDEN"]
    assert found(client, AIRPORTS, country__id__exact=places["usa"].pk, q="kden") == ["KDEN"]


def test_countries_are_found_by_code_and_name(places, viewer, browse_as):
    client = browse_as(viewer)

    assert found(client, "/admin/base/country/", q="de") == [str(places["germany"].pk)]
    assert found(client, "/admin/base/country/", q="united") == [str(places["usa"].pk)]


def test_cities_are_found_however_their_name_is_typed(places, viewer, browse_as):
    assert found(browse_as(viewer), "/admin/base/city/", q="mÜNCH") == [str(places["munich"].pk)]


@pytest.mark.parametrize("path", [AIRPORTS, AIRPORTS + "?q=a", AIRPORTS + "?links=both", "/admin/base/city/"])
def test_a_longer_list_takes_no_more_queries(path, places, viewer, browse_as):
    client = browse_as(viewer)
    client.get(path)
    with CaptureQueriesContext(connection) as few:
        client.get(path)
    for number in range(40):
        country = Country.objects.create(iso_code=f"{number:02}", name=f"Country {number}")
        city = City.objects.create(country=country, name=f"Town {number}")
        Airport.objects.create(ident=f"A{number}", name=f"Airport {number}", country=country, city=city)

    with CaptureQueriesContext(connection) as many:
        client.get(path)

    assert len(many) == len(few)
    assert len(many) <= 12


def test_the_pages_of_a_list_follow_each_other_without_gaps(places, viewer, browse_as):
    Airport.objects.bulk_create(Airport(ident=f"A{number:03}", name="An airport") for number in range(120))
    client = browse_as(viewer)

    pages = [found(client, AIRPORTS, p=page) for page in (1, 2, 3)]

    assert [len(page) for page in pages] == [50, 50, 23]
    idents = [ident for page in pages for ident in page]
    assert idents == sorted(idents)
