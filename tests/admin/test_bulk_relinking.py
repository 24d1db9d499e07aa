"""Relinking: what is linked, by which name, and what is not done and why."""

import pytest

from apps.airports.bulk.candidates import names_of
from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.models import Changeset
from apps.imports.plan.pins import pin
from tests.admin.bulk import LISTS, act, all_rows, confirm, newest, undo

pytestmark = pytest.mark.django_db
AIRPORTS, COUNTRIES, CITIES = LISTS["airport"], LISTS["country"], LISTS["city"]


@pytest.fixture
def client(places, operator, browse_as):
    return browse_as(operator)


def airport(ident: str, municipality: str, code: str = "DE", **more) -> Airport:
    values = {"name": ident, "airport_type": "heliport", "iso_country": code, "municipality": municipality}
    return Airport.objects.create(ident=ident, **{**values, **more})


def test_missing_links_are_made_as_one_relink_and_undone(client, places, operator):
    Airport.objects.update(country=None, city=None)
    before = all_rows(Airport)

    confirm(client, AIRPORTS, "relink", select_across="1")

    assert {(a.pk, a.country, a.city) for a in Airport.objects.all()} == {
        ("KDEN", places["usa"], places["denver"]),
        ("KBKF", places["usa"], places["denver"]),
        ("EDDM", places["germany"], places["munich"]),
    }
    assert (newest().kind, newest().actor) == ("relink", operator)
    assert newest().counts == {"airports.airport": {"changed": 3}}
    undo(client, newest())
    assert all_rows(Airport) == before


@pytest.mark.parametrize(
    "municipality",
    ["MÜNCHEN", "München (Bayern)", "München / Erding", "Munchen", "  münchen ", "Munchen [D] / Freising"],
)
def test_variants_of_a_name_find_the_city(municipality, client, places):
    airport("X1", municipality)

    confirm(client, AIRPORTS, "relink", ["X1"])

    assert Airport.objects.get(pk="X1").city == places["munich"]


def test_a_variant_far_away_is_doubtful(client, places):
    City.objects.filter(pk=places["munich"].pk).update(latitude=48.1, longitude=11.5)
    airport("X1", "München (Nord)", latitude_deg=48.3, longitude_deg=11.6)
    airport("X2", "München (Süd)", latitude_deg=-48.1, longitude_deg=-168.5)

    page = act(client, AIRPORTS, "relink", ["X1", "X2"]).content.decode()

    assert "will be linked: 2 to another country, 1 to another city" in page
    assert "X1 · X1: to München, Germany" in page
    assert "X2 · X2: München (Süd), DE, 20,015 km" in page


def test_a_wrong_link_is_put_right(client, places):
    Airport.objects.filter(pk="EDDM").update(country=places["usa"], city=places["denver"])

    confirm(client, AIRPORTS, "relink", ["EDDM"])

    eddm = Airport.objects.get(pk="EDDM")
    assert (eddm.country, eddm.city) == (places["germany"], places["munich"])


def test_what_is_not_done_is_counted_and_named(client, places):
    City.objects.create(country=places["germany"], name="Ulm")
    City.objects.filter(pk=places["munich"].pk).update(latitude=48.1, longitude=11.5)
    airport("X1", "Ulm", "ZZ")
    airport("X2", "")
    airport("X3", "Atlantis")
    airport("X4", "München / Ulm")
    airport("X5", "München", latitude_deg=53.5, longitude_deg=10.0)

    page = act(client, AIRPORTS, "relink", select_across="1").content.decode()
    confirm(client, AIRPORTS, "relink", select_across="1")

    for number, words in (
        (4, "will be linked: 4 to another country, 0 to another city"),
        (3, "are already linked correctly"),
        (1, "has a country code that no country has"),
        (1, "names no municipality"),
        (1, "names a municipality that no city is called"),
        (1, "names a municipality that several cities may be"),
        (1, "would be linked to a city more than 200 km away: doubtful, not linked"),
    ):
        assert f"<strong>{number}</strong> {words}" in page
    assert "X1 · X1: ZZ" in page
    assert "X4 · X4: München / Ulm, DE" in page
    assert "X5 · X5: München, DE, 610 km" in page
    linked = Airport.objects.filter(pk__startswith="X")
    assert not linked.filter(city__isnull=False).exists()
    assert set(linked.filter(country=places["germany"]).values_list("pk", flat=True)) == {"X2", "X3", "X4", "X5"}


def test_a_pinned_link_stays(client, places, operator):
    Airport.objects.filter(pk="KDEN").update(city=None, country=None)
    pin(Airport.objects.get(pk="KDEN"), "city", note="none", actor=operator)

    confirm(client, AIRPORTS, "relink", ["KDEN"])

    kden = Airport.objects.get(pk="KDEN")
    assert (kden.country, kden.city) == (places["usa"], None)


def test_nothing_to_do_leaves_no_changeset(client):
    before = Changeset.objects.count()

    page = act(client, AIRPORTS, "relink", ["KDEN"]).content.decode()
    confirm(client, AIRPORTS, "relink", ["KDEN"])

    assert "There is nothing to change" in page
    assert Changeset.objects.count() == before


@pytest.mark.parametrize("name", ["country", "city"])
def test_the_airports_of_places_are_relinked(name, client, places):
    Airport.objects.filter(pk__in=["KDEN", "EDDM"]).update(country=None, city=None)
    place = places["usa" if name == "country" else "denver"]

    confirm(client, LISTS[name], "relink", [place.pk])

    assert Airport.objects.get(pk="KDEN").city == places["denver"]
    assert Airport.objects.get(pk="EDDM").city is None


def test_places_are_never_made(client, places):
    airport("X1", "Atlantis", "FR")

    confirm(client, AIRPORTS, "relink", select_across="1")

    assert (Country.objects.count(), City.objects.count()) == (2, 2)


def test_the_names_that_are_tried_come_in_order():
    assert list(names_of("Zürich (Kloten) / Élan")) == [
        (0, "zürich (kloten) / élan"),
        (1, "zürich / élan"),
        (2, "zürich"),
        (2, "élan"),
        (3, "zurich (kloten) / elan"),
        (3, "zurich / elan"),
        (3, "zurich"),
        (3, "elan"),
    ]
