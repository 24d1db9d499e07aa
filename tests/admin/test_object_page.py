"""The page of one object: its name, what stands beside its form, and what is out of the way of the keyboard."""

import re

import pytest

from apps.airports.models import Airport
from apps.base.models import City

CHANGE = "/admin/airports/airport/KDEN/change/"
NEIGHBOURS = "/admin/airports/airport/KDEN/neighbours.json"


@pytest.fixture
def placed(places) -> dict:
    Airport.objects.filter(pk="KDEN").update(latitude_deg=39.86, longitude_deg=-104.67)
    Airport.objects.filter(pk="KBKF").update(latitude_deg=39.7, longitude_deg=-104.75)
    Airport.objects.filter(pk="EDDM").update(latitude_deg=48.35, longitude_deg=11.79)
    return places


def test_an_object_stands_under_its_name(places, viewer, browse_as):
    page = browse_as(viewer).get(CHANGE).content.decode()

    assert "<h1>KDEN · Denver International Airport</h1>" in page
    assert "<title>KDEN · Denver International Airport | TravelMathLite</title>" in page


def test_its_last_three_changes_stand_beside_it(places, viewer, browse_as, edit):
    for number in range(4):
        edit("KDEN", name=f"name {number}")

    page = browse_as(viewer).get(CHANGE)

    assert [row.name for row in page.context["last_changes"]] == ["name 3", "name 2", "name 1"]
    assert '<a href="/admin/airports/airport/KDEN/history/">All changes</a>' in page.content.decode()


def test_a_map_shows_it_among_its_neighbours(placed, viewer, browse_as):
    answer = browse_as(viewer).get(NEIGHBOURS).json()

    assert {group["label"]: group["count"] for group in answer["groups"]} == {
        "this airport": 1,
        "airports around it": 1,
    }
    assert set(answer["keys"].split("\n")) == {"KDEN", "KBKF"}
    page = browse_as(viewer).get(CHANGE).content.decode()
    assert NEIGHBOURS in page
    assert "?near=39.86,-104.67,100" in page


def test_what_has_no_place_has_no_map(places, viewer, browse_as):
    client = browse_as(viewer)

    assert "neighbours" not in client.get(CHANGE).context
    assert client.get(NEIGHBOURS).json()["keys"] == ""
    assert client.get("/admin/airports/airport/NONE/neighbours.json").status_code == 404


def test_tab_goes_from_field_to_field_and_the_links_are_in_a_table_of_their_own(places, operator, browse_as):
    page = browse_as(operator).get(CHANGE).content.decode()
    form, beside = page.split("<aside")

    links = re.findall(r'<a [^>]*href="[^"]*/(?:pin/|changesets/changeset/[0-9])[^>]*>', form)
    assert links
    assert all('tabindex="-1"' in link for link in links)
    assert 'href="/admin/airports/airport/KDEN/pin/name/"' in beside
    assert "tabindex" not in beside.partition("Where each value comes from")[2]


@pytest.mark.parametrize("address", ["airports/airport/add/", "base/city/add/", "base/country/add/"])
def test_each_required_field_says_what_belongs_in_it(places, operator, browse_as, address):
    page = browse_as(operator).get(f"/admin/{address}")

    form = page.context["adminform"].form
    assert "Fields in <b>bold</b> are required." in page.content.decode()
    assert not [name for name, field in form.fields.items() if field.required and not field.help_text]


def test_a_page_beside_the_form_is_not_in_a_popup(places, operator, browse_as):
    city = City.objects.get(name="Denver")

    page = browse_as(operator).get(f"/admin/base/city/{city.pk}/change/?_popup=1").content.decode()

    assert "<aside" not in page
