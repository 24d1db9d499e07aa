"""A person follows a count into the changes, filters them, and finds a changeset by what it changed."""

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from apps.airports.models import Airport
from apps.base.models import City
from apps.changesets.context import Source, changeset
from tests.imports.files import csv_text

pytestmark = pytest.mark.browser
LIST = "/admin/changesets/changeset/"
BEYOND = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def refresh(places, steward):
    """An import with a bit of everything: names, moved points, a rename, a deletion, a cleared code."""
    Airport.objects.filter(pk="KDEN").update(latitude_deg=39.861698, longitude_deg=-104.672997)
    Airport.objects.filter(pk="KBKF").update(
        latitude_deg=39.7017, longitude_deg=-104.752, name="Buckley Air National Guard Base of the State of Colorado"
    )
    with changeset(
        kind="import",
        actor=steward,
        reason="spring refresh",
        source=Source("airports-2026-04.csv.gz", "5c" * 32, 3740519),
    ) as made:
        Airport.objects.filter(pk="KDEN").update(name="Denver Intl", latitude_deg=39.856, iata_code=None)
        Airport.objects.filter(pk="EDDM").delete()
        buckley = Airport.objects.get(pk="KBKF")
        Airport.objects.filter(pk="KBKF").delete()
        buckley.pk, buckley.name = "KBKX", "Buckley Space Force Base of the State of Colorado"
        buckley.elevation_ft, buckley.longitude_deg = 5662, -104.5
        buckley.save(force_insert=True)
        City.objects.create(country=places["usa"], name="Aurora")
    return made


def fits(page) -> bool:
    page.set_viewport_size({"width": 390, "height": 900})
    beyond = page.evaluate(BEYOND)
    page.set_viewport_size({"width": 1280, "height": 900})
    return beyond <= 0


def test_a_count_leads_to_its_changes_and_a_chip_back(live_server, page, log_in, refresh, steward):
    log_in(steward)
    page.goto(f"{live_server.url}{LIST}{refresh.pk}/change/")
    page.locator(".field-counts").get_by_role("link", name="elevation").click()
    expect(page.locator(".changes tbody tr")).to_have_count(1)

    page.get_by_role("link", name="Remove the filter field: elevation (ft)").click()
    expect(page.locator(".changes tbody tr")).to_have_count(3)
    page.get_by_label("Key or name").fill("munich")
    page.get_by_role("button", name="Show").click()

    expect(page.locator(".changes tbody tr")).to_have_count(1)
    assert "q=munich" in page.url


def test_a_download_is_offered_and_comes(live_server, page, log_in, refresh, steward):
    log_in(steward)
    page.goto(f"{live_server.url}{LIST}{refresh.pk}/change/?op=deleted")

    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()

    assert download.value.suggested_filename == f"changeset-{refresh.pk}.csv"
    assert "EDDM" in download.value.path().read_text()


def test_a_changeset_is_found_by_a_former_key(live_server, page, log_in, refresh, steward):
    log_in(steward)
    page.goto(live_server.url + LIST)
    page.get_by_role("link", name="Find changesets by what they changed…").click()
    page.get_by_label("Key or name").fill("KBKF")
    page.get_by_label("Field").select_option("airport.elevation_ft")
    page.get_by_role("button", name="Find").click()

    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    expect(page.get_by_role("link", name="airports-2026-04.csv.gz").first).to_be_visible()


def test_the_pages_fit(live_server, page, log_in, refresh, steward):
    log_in(steward)
    pages = {
        "changes": f"{LIST}{refresh.pk}/change/#changes-title",
        "changes-filtered": f"{LIST}{refresh.pk}/change/?model=airports.airport&field=name&q=colorado",
        "changes-none": f"{LIST}{refresh.pk}/change/?q=nowhere",
        "find": f"{LIST}?object=KDEN&field=airport.name",
    }

    for name, path in pages.items():
        page.goto(live_server.url + path)
        assert page.locator("#content [style], #content style, #content script:not([src])").count() == 0
        assert fits(page), f"{name} is wider than a phone"


@pytest.mark.parametrize("address", ["changesets/changeset", "imports/importrun", "airports/airport"])
def test_a_list_at_1280_pixels_shows_its_last_column_and_keeps_its_titles(
    live_server, page, places, steward, log_in, tmp_path, address
):
    path = tmp_path / "airports-with-a-rather-long-name-of-2026.csv"
    path.write_text(csv_text(*({"ident": f"A{number:03}", "name": f"Field {number}"} for number in range(60))))
    call_command("import_airports", file=str(path), reason="a reason of some length", verbosity=0)
    page.set_viewport_size({"width": 1280, "height": 700})
    log_in(steward)
    page.goto(f"{live_server.url}/admin/{address}/")

    last = page.locator("#result_list tbody tr").first.locator("td, th").last
    box = last.bounding_box()
    assert box["x"] + box["width"] <= 1280
    page.locator("#result_list tbody tr").last.scroll_into_view_if_needed()
    expect(page.locator("#result_list thead th").last).to_be_in_viewport()
