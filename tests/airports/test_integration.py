"""AirportLocationIntegrator, as the runbook's shell examples call it."""

import dataclasses

import pytest

from apps.airports.models import Airport
from apps.airports.services.integration import AirportLocationIntegrator
from apps.base.models import City, Country

pytestmark = pytest.mark.django_db


def link(*args, **kwargs):
    return AirportLocationIntegrator().link_location(*args, **kwargs)


def test_it_makes_what_is_missing_and_says_so():
    location = link("US", "Denver", 39.86, -104.67)

    assert (location.country.iso_code, location.city.name) == ("US", "Denver")
    assert (location.country_created, location.city_created) == (True, True)
    assert (location.city.latitude, location.city.longitude, location.city.slug) == (39.86, -104.67, "denver")


def test_it_finds_what_is_there():
    first = link(iso_country="US", municipality="Denver", latitude=39.86, longitude=-104.67)

    second = link(iso_country="us", municipality=" DENVER ", latitude=None, longitude=None)

    assert (second.country, second.city) == (first.country, first.city)
    assert (second.country_created, second.city_created) == (False, False)


@pytest.mark.parametrize("code", ["", None, "QQ", "USA"])
def test_unknown_country_links_nothing(code):
    location = link(code, "Denver", 1.0, 2.0)

    assert (location.country, location.city) == (None, None)
    assert not Country.objects.exists()


@pytest.mark.parametrize("municipality", ["", None, "  "])
def test_blank_municipality_links_the_country_only(municipality):
    location = link("US", municipality, 1.0, 2.0)

    assert (location.country.iso_code, location.city) == ("US", None)


def test_colliding_slug_is_numbered():
    assert [link("BR", name).city.slug for name in ("São João", "Sao Joao")] == ["sao-joao", "sao-joao-2"]


def test_what_it_returns_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        link("US").city = None


def test_the_runbook_s_loop_relinks_detached_airports(import_file):
    import_file({}, {"municipality": "Aurora"}, {"municipality": ""})
    before = list(Airport.objects.values_list("ident", "country", "city"))
    Airport.objects.update(country=None, city=None)

    integrator = AirportLocationIntegrator()
    for airport in Airport.objects.filter(country=None):
        location = integrator.link_location(
            airport.iso_country, airport.municipality, airport.latitude_deg, airport.longitude_deg
        )
        airport.country = location.country
        airport.city = location.city
        airport.save()

    assert list(Airport.objects.values_list("ident", "country", "city")) == before
    assert City.objects.count() == 2
