"""Countries and cities that an import makes and links."""

import pytest

from apps.airports.linking import PlacesLinker
from apps.airports.models import Airport
from apps.base.models import City, Country

pytestmark = pytest.mark.django_db


def test_country_has_its_iso_name(import_file):
    import_file({"iso_country": "CH", "municipality": ""})

    country = Country.objects.get()
    assert (country.iso_code, country.iso3, country.name, country.slug) == ("CH", "CHE", "Switzerland", "switzerland")
    assert Airport.objects.get().country == country


def test_kosovo_is_known(import_file):
    import_file({"iso_country": "XK"})

    assert Country.objects.get().name == "Kosovo"


def test_city_takes_the_first_spelling_and_the_first_airport_s_place(import_file):
    result = import_file(
        {"municipality": "Zürich", "iso_country": "CH", "latitude_deg": "47.4", "longitude_deg": "8.5"},
        {"municipality": "ZÜRICH", "iso_country": "CH"},
        {"municipality": "zürich ", "iso_country": "CH"},
    )

    city = City.objects.get()
    assert (result["cities_created"], result["city_links"], city.airports.count()) == (1, 3, 3)
    assert (city.name, city.ascii_name, city.search_name, city.slug) == ("Zürich", "Zurich", "zürich", "zurich")
    assert (city.latitude, city.longitude, city.active, city.timezone) == (47.4, 8.5, True, "")


def test_cities_of_the_same_name_in_two_countries_are_two(import_file):
    import_file({"municipality": "San José", "iso_country": "CR"}, {"municipality": "San José", "iso_country": "US"})

    assert City.objects.filter(slug="san-jose").count() == 2


def test_blank_municipality_links_no_city(import_file):
    result = import_file({"municipality": ""})

    assert (result["city_links"], Airport.objects.get().city) == (0, None)


def test_slugs_that_collide_are_numbered(import_file):
    import_file(
        {"municipality": "São João"}, {"municipality": "Sao Joao"}, {"municipality": "São-João"}, {"municipality": "X"}
    )

    slugs = list(City.objects.order_by("id").values_list("slug", flat=True))
    assert slugs == [
        "sao-joao",
        "sao-joao-2",
        "sao-joao-3",
        "x",
    ]


def test_number_of_a_slug_never_takes_a_slug_that_is_there(import_file):
    import_file({"municipality": "Foo"}, {"municipality": "Foo 2"})

    import_file({"municipality": "Foo"}, {"municipality": "Foo 2"}, {"municipality": "Foo!"}, {"municipality": "Foo?"})

    slugs = dict(City.objects.values_list("name", "slug"))
    assert slugs == {"Foo": "foo", "Foo 2": "foo-2", "Foo!": "foo-3", "Foo?": "foo-4"}


def test_existing_places_are_linked_not_made_again(import_file):
    country = Country.objects.create(iso_code="US", name="United States")
    city = City.objects.create(country=country, name="DENVER")

    result = import_file({})

    assert (result["countries_created"], result["cities_created"]) == (0, 0)
    assert Airport.objects.get().city == city


def test_emptied_link_is_made_again_by_the_same_file(import_file):
    import_file({}, {})
    Airport.objects.filter(ident="K001").update(city=None)

    result = import_file({}, {})

    assert (result["updated"], result["city_links"], result["country_links"]) == (1, 1, 0)
    assert Airport.objects.get(ident="K001").city.name == "Denver"


def test_a_row_whose_empty_link_finds_nothing_is_not_written(import_file, monkeypatch):
    import_file({}, {})
    Airport.objects.filter(ident="K001").update(city=None)
    monkeypatch.setattr(PlacesLinker, "target", lambda *args: "CAST(NULL AS bigint)")

    result = import_file({}, {})

    assert result["changeset"] is None
    assert Airport.history.filter(ident="K001").count() == 2


def test_link_made_by_hand_stays_while_the_municipality_does(import_file):
    import_file({}, {"municipality": "Aurora"})
    aurora = City.objects.get(name="Aurora")
    Airport.objects.filter(ident="K001").update(city=aurora)

    import_file({"name": "Renamed"}, {"municipality": "Aurora"})

    assert Airport.objects.get(ident="K001").city == aurora


def test_changed_municipality_links_anew(import_file):
    import_file({})

    result = import_file({"municipality": "Boulder"})

    assert (result["city_links"], result["country_links"], result["cities_created"]) == (1, 0, 1)
    assert Airport.objects.get().city.name == "Boulder"


def test_municipality_taken_away_unlinks(import_file):
    import_file({})

    import_file({"municipality": ""})

    assert Airport.objects.get().city is None


def test_changed_country_links_both_anew(import_file):
    import_file({"iso_country": "US"})

    import_file({"iso_country": "CA"})

    airport = Airport.objects.get()
    assert (airport.country.iso_code, airport.city.country.iso_code) == ("CA", "CA")


def test_empty_link_of_a_corrected_municipality_finds_the_corrected_city(import_file):
    import_file({})
    Airport.objects.update(municipality="Élysée", city=None)

    import_file({"name": "Renamed"})

    airport = Airport.objects.get()
    assert (airport.city.name, airport.city.search_name) == ("Élysée", "élysée")


def test_renamed_airport_is_linked_anew_when_it_moves(import_file):
    import_file({"ident": "OLD"})

    import_file({"ident": "NEW", "municipality": "Boulder"})

    assert Airport.objects.get(ident="NEW").city.name == "Boulder"
