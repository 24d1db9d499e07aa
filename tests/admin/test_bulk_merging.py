"""Merging cities: links move, nothing is orphaned, and all comes back."""

import pytest

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.models import Changeset
from tests.admin.bulk import LISTS, act, all_rows, confirm, newest, undo

pytestmark = pytest.mark.django_db
CITIES = LISTS["city"]


@pytest.fixture
def client(places, steward, browse_as):
    return browse_as(steward)


@pytest.fixture
def aurora(places) -> City:
    city = City.objects.create(country=places["usa"], name="Aurora")
    Airport.objects.filter(pk="KBKF").update(city=city)
    Airport.objects.create(ident="CO1", name="Strip", airport_type="heliport", city=places["denver"])
    return city


def everything() -> list:
    return [all_rows(model) for model in (Country, City, Airport)]


@pytest.mark.parametrize("target", ["key", "name", "proposed"])
def test_links_move_and_the_merged_city_goes(target, client, places, aurora):
    before, denver = everything(), places["denver"]
    said = {"key": {"target": denver.pk}, "name": {"target": " DENVER"}, "proposed": {}}[target]

    response = confirm(client, CITIES, "merge_city", [aurora.pk, denver.pk], **said)

    assert response.status_code == 302
    assert not City.objects.filter(pk=aurora.pk).exists()
    assert set(Airport.objects.filter(city=denver).values_list("pk", flat=True)) == {"KDEN", "KBKF", "CO1"}
    assert newest().kind == "bulk_action"
    assert newest().counts == {"base.city": {"deleted": 1}, "airports.airport": {"changed": 1}}
    undo(client, newest())
    assert everything() == before


def test_a_single_city_is_merged_into_the_one_that_is_named(client, places, aurora):
    page = act(client, CITIES, "merge_city", [aurora.pk], target="denver").content.decode()

    confirm(client, CITIES, "merge_city", [aurora.pk], target="denver")

    assert "<strong>1</strong> airport will be linked to Denver instead" in page
    assert Airport.objects.get(pk="KBKF").city == places["denver"]


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("", "Say into which city to merge"),
        ("Nowhere", "There is no city &#x27;Nowhere&#x27; to merge into"),
        ("99999", "There is no city"),
        ("munich", "München is in Germany (DE), not in the country of the selected cities"),
        ("aurora", "Only Aurora itself is selected"),
    ],
)
def test_a_target_that_cannot_be_is_told(target, sentence, client, places, aurora):
    before, number = everything(), Changeset.objects.count()
    posted = {"munich": places["munich"].pk}.get(target, target)

    page = confirm(client, CITIES, "merge_city", [aurora.pk], target=posted).content.decode()

    assert sentence in page
    assert everything() == before
    assert Changeset.objects.count() == number


def test_cities_of_several_countries_are_not_merged(client, places, aurora):
    before = everything()

    page = confirm(client, CITIES, "merge_city", [aurora.pk, places["munich"].pk]).content.decode()

    assert "Cities of several countries are selected" in page
    assert 'id="id_reason"' not in page
    assert everything() == before


def test_another_target_than_the_one_shown_shows_its_plan_first(client, places, aurora):
    before = everything()
    seen = act(client, CITIES, "merge_city", [aurora.pk, places["denver"].pk]).context["token"]

    page = confirm(client, CITIES, "merge_city", [aurora.pk, places["denver"].pk], target="aurora", seen=seen)

    assert "This is the plan of what you chose now" in page.content.decode()
    assert everything() == before
    posted = {"target": "aurora", "seen": page.context["token"]}
    confirm(client, CITIES, "merge_city", [aurora.pk, places["denver"].pk], **posted)
    assert Airport.objects.filter(city=aurora).count() == 3
