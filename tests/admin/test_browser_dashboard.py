"""A person looks at the dashboard and at maps: by mouse, by keyboard, on a phone, in the dark."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from apps.quality.tallies import take_tally

pytestmark = pytest.mark.browser
BEYOND = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
# How many pixels of the map are neither water, land nor coast, at a sample of places.
COLOURS = """() => {
  const canvas = document.querySelector(".world-map canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const seen = new Set();
  for (let i = 0; i < data.length; i += 4) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
  return [...seen];
}"""
TYPES = ("large_airport", "medium_airport", "small_airport", "heliport", "closed", "seaplane_base")


@pytest.fixture
def world(places, steward):
    """Some hundred airports all over Germany and the United States, three weeks of changesets, two tallies."""
    Airport.objects.filter(pk="KDEN").update(latitude_deg=39.86, longitude_deg=-104.67)
    Airport.objects.filter(pk="EDDM").update(latitude_deg=48.35, longitude_deg=11.79)
    with changeset(kind="import", actor=steward, reason="spring refresh"):
        Airport.objects.bulk_create(
            Airport(
                ident=f"{code}-{number:04}", name=f"Field {number}", airport_type=TYPES[number % 6], iso_country=code,
                latitude_deg=south + number * 7 % 83 / 83 * high, longitude_deg=west + number * 11 % 97 / 97 * wide,
                country=places[country], municipality="Somewhere",
            )
            for code, country, south, high, west, wide in (
                ("DE", "germany", 47.5, 7, 6.5, 8), ("US", "usa", 30, 17, -120, 45),
            )
            for number in range(150)
        )  # fmt: skip
    take_tally()
    with changeset(kind="bulk_action", actor=steward, reason="as the new survey says") as moved:
        Airport.objects.filter(pk__startswith="DE-000").update(longitude_deg=9)
        Airport.objects.filter(pk__startswith="US-014").delete()
        Airport.objects.filter(pk="EDDM").update(name="Munich", city=None)
    take_tally()
    for days, each in enumerate(Changeset.objects.order_by("-pk")):
        Changeset.objects.filter(pk=each.pk).update(created_at=timezone.now() - timedelta(days=3 * days))
    return {**places, "moved": moved}


def drawn(page):
    """Wait until the map is there, and all that the page asks for after it."""
    expect(page.locator("[data-drawn]")).to_be_visible()
    expect(page.locator("[data-waiting], form[data-keep]")).to_have_count(0)


def test_the_map_is_drawn_in_its_colours_light_and_dark(live_server, page, log_in, world, steward):
    log_in(steward)
    page.goto(f"{live_server.url}/admin/")
    drawn(page)
    light = set(page.evaluate(COLOURS))
    assert {0xE8F0F4, 0xFBFAF5, 0xB3123F, 0x1257B0, 0x3F7D3A} <= light

    page.emulate_media(color_scheme="dark")
    expect(page.locator("[data-drawn]")).to_be_visible()
    page.wait_for_function(f"() => ({COLOURS})().includes(0x10181d)")

    assert {0x1E282D, 0xFF6D8D, 0x78B4FF} <= set(page.evaluate(COLOURS))
    # The mark that the page sets itself, so that a slow map is seen.
    assert page.evaluate("() => performance.getEntriesByName('map-drawn').length") == 1


def place_of(page, colour):
    """Return where on the page the points of a colour are, in the middle of them."""
    find = """(wanted) => {
      const canvas = document.querySelector(".world-map canvas");
      const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let [x, y, n] = [0, 0, 0];
      for (let i = 0; i < data.length; i += 4) {
        if (((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]) !== wanted) continue;
        [x, y, n] = [x + (i / 4) % width, y + Math.floor(i / 4 / width), n + 1];
      }
      const box = canvas.getBoundingClientRect();
      return [box.x + x / n + 0.5, box.y + y / n + 0.5];
    }"""
    page.locator(".world-map canvas").scroll_into_view_if_needed()
    return page.evaluate(find, colour)


@pytest.fixture
def germany(live_server, page, log_in, places, steward):
    """The page of Germany, with a large airport in Munich, and a medium and a small one side by side in Hamburg."""
    Airport.objects.filter(pk="EDDM").update(name="Munich", latitude_deg=48.35, longitude_deg=11.79)
    for ident, kind in (("DE-0001", "medium_airport"), ("DE-0002", "small_airport")):
        Airport.objects.create(
            ident=ident, airport_type=kind, country=places["germany"], latitude_deg=53.5, longitude_deg=9.99
        )
    log_in(steward)
    page.goto(f"{live_server.url}/admin/base/country/{places['germany'].pk}/change/")
    drawn(page)
    return page


def test_pointing_names_an_airport_and_a_click_opens_it(germany):
    munich = place_of(germany, 0xB3123F)

    germany.mouse.move(*munich)
    expect(germany.locator("[data-says]")).to_contain_text("EDDM · Munich, large airports")
    germany.mouse.click(*munich)

    expect(germany).to_have_url(re.compile("/airports/airport/EDDM/change/"))


def test_a_click_on_several_leads_to_the_list_around(germany):
    germany.mouse.click(*place_of(germany, 0x1257B0))

    expect(germany).to_have_url(re.compile(r"/airports/airport/\?near=53\.50,9\.99,"))
    expect(germany.locator("#result_list tbody tr")).to_have_count(2)


def test_the_keyboard_moves_zooms_and_opens(germany):
    canvas = germany.locator(".world-map canvas")
    canvas.focus()
    x, y = place_of(germany, 0xB3123F)
    box = canvas.bounding_box()
    for key, steps in (
        ("ArrowRight", round((x - box["x"] - box["width"] / 2) / 60)),
        ("ArrowDown", round((y - box["y"] - box["height"] / 2) / 60)),
    ):
        for _ in range(steps):
            germany.keyboard.press(key)
    expect(germany.locator("[data-says]")).to_contain_text("EDDM")

    germany.keyboard.press("Enter")

    expect(germany).to_have_url(re.compile("/airports/airport/EDDM/change/"))


def test_a_type_can_be_left_out_of_the_map(germany):
    large = germany.get_by_role("checkbox", name="large airports")
    large.uncheck()

    germany.wait_for_function(f"() => !({COLOURS})().includes(0xb3123f)")
    expect(germany.get_by_role("link", name="1: list large airports")).to_be_visible()


def test_the_pages_fit(live_server, page, log_in, world, steward):
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    log_in(steward)
    pages = {
        "dashboard": "/admin/",
        "changeset-map": f"/admin/changesets/changeset/{world['moved'].pk}/map/",
        "country": f"/admin/base/country/{world['germany'].pk}/change/",
        "countries": "/admin/base/country/",
    }
    for name, path in pages.items():
        page.goto(live_server.url + path)
        if name != "countries":
            drawn(page)
            page.locator(".world-map canvas").evaluate("(map) => map.scrollIntoView({ block: 'center' })")
        if name == "dashboard":
            page.evaluate("() => scrollTo(0, 0)")
            expect(page.locator("[data-waiting]")).to_have_count(0)
        page.set_viewport_size({"width": 390, "height": 900})
        assert page.evaluate(BEYOND) <= 0, f"{name} is wider than a phone"
        page.set_viewport_size({"width": 1280, "height": 900})
    assert not said


def test_the_charts_are_drawn_from_their_tables(live_server, page, log_in, world, steward):
    log_in(steward)
    page.goto(f"{live_server.url}/admin/")
    drawn(page)
    expect(page.locator(".plot canvas")).to_have_count(3)

    page.get_by_text("Link coverage over time as a table").click()

    expect(page.locator("#coverage-table tbody tr")).to_have_count(2)
    expect(page.locator("#coverage-table tbody tr").last).to_contain_text("100.0")
