"""Deleting many: what forbids it and the way out, what loses its link or goes along, and that all comes back."""

import pytest

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.bulk.recent import created_in
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from tests.admin.bulk import LISTS, act, all_rows, confirm, newest, undo

pytestmark = pytest.mark.django_db
AIRPORTS, COUNTRIES, CITIES = LISTS["airport"], LISTS["country"], LISTS["city"]


@pytest.fixture
def client(places, steward, browse_as):
    return browse_as(steward)


def everything() -> list:
    return [all_rows(model) for model in (Country, City, Airport)]


def test_airports_are_deleted_and_come_back(client):
    before = everything()

    confirm(client, AIRPORTS, "delete_selected", ["KDEN", "EDDM"])

    assert list(Airport.objects.values_list("pk", flat=True)) == ["KBKF"]
    assert (newest().kind, newest().counts) == ("delete", {"airports.airport": {"deleted": 2}})
    undo(client, newest())
    assert everything() == before


def test_a_country_with_airports_is_not_deleted_and_the_way_out_is_there(client, places):
    before = everything()

    page = act(client, COUNTRIES, "delete_selected", [places["usa"].pk]).content.decode()
    again = confirm(client, COUNTRIES, "delete_selected", [places["usa"].pk])

    sentence = "2 airports point to United States (US): clear their country first."
    assert sentence in page
    assert sentence in again.content.decode()
    assert "<strong>1</strong> country would be deleted" in page
    assert '<input type="hidden" name="action" value="clear_country">' in page
    assert 'name="confirm"' not in page
    assert everything() == before
    assert Changeset.objects.count() == 1


def test_several_blocked_countries_are_listed_with_their_airports(client):
    page = act(client, COUNTRIES, "delete_selected", select_across="1").content.decode()

    assert "3 airports point to 2 of these countries" in page
    assert "United States (US): 2 airports" in page
    assert "Germany (DE): 1 airport" in page


def test_after_the_way_out_a_country_goes_with_its_cities_and_all_comes_back(client, places):
    before = everything()
    confirm(client, COUNTRIES, "clear_country", [places["usa"].pk])
    cleared = newest()

    page = act(client, COUNTRIES, "delete_selected", [places["usa"].pk]).content.decode()
    confirm(client, COUNTRIES, "delete_selected", [places["usa"].pk])

    assert "<strong>1</strong> of its cities goes along" in page
    assert "<strong>2</strong> airports will no longer be linked to a city" in page
    assert newest().counts == {
        "base.country": {"deleted": 1},
        "base.city": {"deleted": 1},
        "airports.airport": {"changed": 2},
    }
    undo(client, newest())
    undo(client, cleared)
    assert everything() == before


def test_what_a_deleted_city_unlinks_is_said_recorded_and_comes_back(client, places):
    before = everything()

    page = act(client, CITIES, "delete_selected", [places["denver"].pk]).content.decode()
    confirm(client, CITIES, "delete_selected", [places["denver"].pk])

    assert "<strong>2</strong> airports will no longer be linked to it" in page
    assert Airport.objects.filter(city=None).count() == 2
    assert newest().counts == {"base.city": {"deleted": 1}, "airports.airport": {"changed": 2}}
    undo(client, newest())
    assert everything() == before


def test_a_country_without_airports_goes_with_its_cities_from_its_own_page_too(client, places):
    Airport.objects.update(country=None)
    address = f"/admin/base/country/{places['usa'].pk}/delete/"

    page = client.get(address).content.decode()
    response = client.post(address, {"confirm": "yes", "reason": "gone"}, follow=True)

    assert "<strong>1</strong> of its cities goes along" in page
    assert "United States (US) deleted." in response.content.decode()
    assert newest().counts["base.country"] == {"deleted": 1}
    assert not City.objects.filter(name="Denver").exists()


def test_the_way_out_on_an_objects_own_page_names_it_by_its_key_as_it_is(client, places):
    page = client.get(f"/admin/base/country/{places['usa'].pk}/delete/").content.decode()

    assert '<input type="hidden" name="action" value="clear_country">' in page
    assert places["usa"].pk > 999
    assert f'name="_selected_action" value="{places["usa"].pk}"' in page


def test_the_newest_import_goes_and_what_it_did_not_create_stays(client, places):
    with changeset(kind="import", actor=None) as second:
        Airport.objects.create(ident="LFPG", source_id=4185, name="Paris", airport_type="large_airport")
        Airport.objects.filter(pk="KDEN").update(name="Denver Intl")
    before = everything()

    page = act(client, AIRPORTS, "delete_recent_import", select_across="1").content.decode()
    confirm(client, AIRPORTS, "delete_recent_import", select_across="1")

    assert f"that the newest import (#{second.pk}) created" in page
    assert "<strong>3</strong> not created by it" in page
    assert newest().counts == {"airports.airport": {"deleted": 1}}
    assert not Airport.objects.filter(pk="LFPG").exists()
    undo(client, newest())
    assert everything() == before


def test_an_airport_that_the_import_renamed_is_not_one_that_it_created(places):
    with changeset(kind="import", actor=None) as second:
        Airport.objects.filter(pk="KDEN").update(ident="KNEW")

    assert not created_in(second, Airport.objects.all()).exists()


def test_an_airport_that_was_renamed_since_is_still_one_that_it_created(places):
    Airport.objects.filter(pk="KDEN").update(ident="KNEW")

    assert set(created_in(places["import"], Airport.objects.all()).values_list("pk", flat=True)) == {
        "KNEW",
        "EDDM",
        "KBKF",
    }


@pytest.mark.parametrize("name", ["country", "city"])
def test_places_of_the_newest_import_that_something_points_to_stay_and_are_named(name, client, places):
    model = Country if name == "country" else City
    with changeset(kind="import", actor=None):
        france = Country.objects.create(iso_code="FR", name="France")
        City.objects.create(country=france, name="Paris")
        Airport.objects.filter(pk="KBKF").update(city=City.objects.create(country=france, name="Lyon"))
        Country.objects.create(iso_code="ES", name="Spain")
    before = everything()

    page = act(client, LISTS[name], "delete_recent_import", select_across="1").content.decode()
    confirm(client, LISTS[name], "delete_recent_import", select_across="1")

    gone, stays = ("Spain", "France") if name == "country" else ("Paris", "Lyon")
    assert stays in page.partition("stays, since other objects point to it")[2]
    assert not model.objects.filter(name=gone).exists()
    assert newest().counts == {f"base.{name}": {"deleted": 1}}
    undo(client, newest())
    assert everything() == before


def test_without_an_import_there_is_nothing_to_delete(client, places):
    undo(client, places["import"])
    Airport.objects.create(ident="LFPG", name="Paris", airport_type="large_airport")

    page = confirm(client, AIRPORTS, "delete_recent_import", ["LFPG"]).content.decode()

    assert "No import of airports stands" in page
    assert Airport.objects.count() == 1


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("action", ["delete_selected", "delete_recent_import"])
def test_the_number_of_queries_does_not_grow(name, action, client, places, django_assert_max_num_queries):
    Airport.objects.all().delete()
    with changeset(kind="import", actor=None):
        spain = Country.objects.create(iso_code="ES", name="Spain")
        City.objects.bulk_create(City(country=spain, name=f"Town {n}", slug=f"town-{n}") for n in range(200))
        Airport.objects.bulk_create(
            Airport(ident=f"X{n}", source_id=n, name="x", airport_type="heliport") for n in range(200)
        )
        Country.objects.create(iso_code="FR", name="France")

    with django_assert_max_num_queries(40):
        confirm(client, LISTS[name], action, select_across="1")

    assert newest().kind == "delete"
