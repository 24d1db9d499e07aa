"""What lists and pages of countries and cities say about their airports."""

import pytest
from django.contrib.auth.models import Permission

from apps.airports.models import Airport

AIRPORTS, COUNTRIES, CITIES = "/admin/airports/airport/", "/admin/base/country/", "/admin/base/city/"


def numbers_of(page, *names):
    """Return the counted numbers of each row of a list, by its name."""
    rows = page.context["cl"].result_list
    return {row.name: tuple(getattr(row, f"{name}_number") for name in names) for row in rows}


def test_countries_are_listed_with_their_airports_cities_and_unlinked(browse_as, viewer, places):
    Airport.objects.filter(pk="KBKF").update(city=None)

    page = browse_as(viewer).get(COUNTRIES)

    assert numbers_of(page, "airports", "cities", "unlinked") == {"Germany": (1, 1, 0), "United States": (2, 1, 1)}
    assert f"?country__id__exact={places['usa'].pk}&amp;links=no-city" in page.content.decode()


def test_cities_are_sorted_by_their_airports(browse_as, viewer, places):
    page = browse_as(viewer).get(f"{CITIES}?o=-5")

    assert list(numbers_of(page, "airports").items()) == [("Denver", (2,)), ("München", (1,))]


@pytest.mark.parametrize("address", [COUNTRIES, CITIES, f"{COUNTRIES}?o=-4"])
def test_a_list_takes_few_queries(browse_as, viewer, places, address, django_assert_max_num_queries):
    client = browse_as(viewer)
    client.get(address)

    with django_assert_max_num_queries(12):
        client.get(address)


def test_who_may_not_see_airports_sees_no_number_of_them(browse_as, outsider, places):
    outsider.user_permissions.set([Permission.objects.get(codename="view_country")])

    page = browse_as(outsider).get(COUNTRIES)

    assert not {"airports", "unlinked"} & set(page.context["cl"].list_display)
    assert "airports_number" not in page.context["cl"].result_list[0].__dict__
    page = browse_as(outsider).get(f"{COUNTRIES}{places['usa'].pk}/change/")
    assert page.context["panel"] is None


def test_the_page_of_a_country_has_coverage_counts_and_map(browse_as, viewer, places):
    Airport.objects.filter(pk="KBKF").update(city=None, country=None)

    page = browse_as(viewer).get(f"{COUNTRIES}{places['usa'].pk}/change/")

    assert page.context["panel"].coverage == (
        ("Linked to their country", 1, 2, 50.0),
        ("Linked to a city", 1, 1, 100.0),
    )
    assert [(label, number) for label, number, _ in page.context["figures"]] == [
        ("Airports", 1),
        ("Cities", 1),
        ("Without city", 0),
    ]
    assert page.context["panel"].types == (
        ("large airports", 1, 0, f"{AIRPORTS}?airport_type__exact=large_airport&country__id__exact={places['usa'].pk}"),
    )
    content = page.content.decode()
    assert "The map as a table: airports by type" in content
    assert f"map.json?country={places['usa'].pk}" in content
    assert "1 airport has the code US and no link to a country" in content
