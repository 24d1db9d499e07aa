"""A steward looks at the findings, accepts one, mends the others, and meets the gate, in a real browser."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from apps.airports.columns import OURAIRPORTS
from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.imports.models import ImportRun
from apps.imports.reading.sources import from_path
from apps.imports.results import ImportOptions
from apps.imports.runs.engine import plan_run
from apps.imports.runs.opening import open_run
from apps.quality.models import AcceptedFinding, Tally
from apps.quality.tallies import take_tally
from tests.imports.files import ROW

pytestmark = pytest.mark.browser
FIELDS = ("Alpine Meadow", "Bear Creek", "Cottonwood", "Dry Gulch", "Eagle Pass", "Fox Hollow", "Granite Peak")


@pytest.fixture
def spoiled(places) -> None:
    """Airports with findings of several rules, and a tally of yesterday with fewer of them."""
    with changeset(kind="import", actor=None, reason="Spring refresh"):
        Airport.objects.filter(pk__in=["KDEN", "EDDM"]).update(iata_code="0")
        for place, name in enumerate(FIELDS):
            Airport.objects.create(
                ident=f"CO{place:02}",
                name=f"{name}  Airport" if place % 2 else f"{name} Airport",
                airport_type="closed" if place < 3 else "small_airport",
                iata_code="0" if place > 3 else None,
                iso_country="US",
                iso_region="US-CO",
                municipality="Denver" if place > 1 else "",
                country=places["usa"],
                latitude_deg=39.0 + place,
                longitude_deg=105.0 if place == 6 else -105.0 - place,
                elevation_ft=54310 if place == 5 else 5431,
            )
    tally = take_tally()
    counts = tally.counts | {"iata_zero": 2, "closed_active": 5}
    Tally.objects.filter(pk=tally.pk).update(
        counts=counts, changeset=places["import"], taken_at=tally.taken_at - timedelta(days=1), stamp=""
    )


def fits(page, width: int) -> bool:
    """Whether the page needs no sideways scroll at this width; it is wide again afterwards."""
    page.set_viewport_size({"width": width, "height": 900})
    fitting = page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.set_viewport_size({"width": 1280, "height": 900})
    return fitting


def test_findings_are_seen_accepted_and_mended(live_server, page, log_in, spoiled, steward):
    log_in(steward)
    page.goto(f"{live_server.url}/admin/quality/finding/")
    expect(page.get_by_text("3 more")).to_be_visible()
    expect(page.locator("form[data-keep]")).to_have_count(0)
    assert fits(page, 390)

    page.get_by_role("link", name="Show: Airports with the IATA code 0").click()
    page.get_by_label("Tick KDEN").check()
    page.get_by_label("Why").fill("upstream was told")
    page.get_by_role("button", name="Accept as known").click()
    expect(page.get_by_text("1 finding accepted as known.")).to_be_visible()
    page.get_by_text("1 accepted as known", exact=True).click()
    assert fits(page, 390)
    assert AcceptedFinding.objects.get().actor == steward

    page.get_by_role("button", name="Clear IATA code…").click()
    expect(page.get_by_role("heading", name="Clear the IATA code of 4 airports")).to_be_visible()
    page.get_by_label("Why").fill("0 is no code")
    page.get_by_role("button", name="Clear the IATA code of 4 airports").click()
    expect(page.get_by_text("4 airports without IATA code.")).to_be_visible()
    assert list(Airport.objects.filter(iata_code="0").values_list("pk", flat=True)) == ["KDEN"]


@pytest.fixture
def doctored(spoiled, settings, airports_file, make_person) -> ImportRun:
    """A plan that closes half of the airports, by somebody who may approve it."""
    settings.GATE_ALWAYS_ALLOWED = 1
    rows = [
        {**ROW, "id": str(9000 + place), "ident": f"CO{place:02}", "name": f"{name} Airport", "type": "closed",
         "latitude_deg": str(39 + place), "longitude_deg": str(-105 - place), "iata_code": "XYZ" if place < 2 else ""}
        for place, name in enumerate(FIELDS)
    ]  # fmt: skip
    anna = make_person("anna", group="approver")
    source = from_path(airports_file(*rows), name="airports-2026-11.csv")
    run = open_run(source, actor=anna, spec=OURAIRPORTS, options=ImportOptions(), reason="Autumn refresh")
    plan_run(run)
    return run


def test_the_gate_is_seen_on_the_plan_of_an_import(live_server, page, log_in, doctored):
    log_in(doctored.actor)

    page.goto(f"{live_server.url}/admin/imports/importrun/{doctored.pk}/change/")

    expect(page.get_by_text("GATE_CLOSED_PERCENT allows 5 %")).to_be_visible()
    expect(page.get_by_label("Import anyway")).to_be_visible()
    assert fits(page, 390)
