"""A steward reads a plan, leaves a row out, reverts, reviews, and takes the revert back, in a real browser."""

import pytest
from playwright.sync_api import expect

from apps.airports.models import Airport
from apps.base.models import City
from apps.changesets.context import Source, changeset
from apps.changesets.models import Changeset

pytestmark = pytest.mark.browser


@pytest.fixture
def mixed(places, make_person, edit) -> Changeset:
    """An import of which something was changed since, something is in use, and most can go back."""
    ana = make_person("ana", group="steward")
    bo = make_person("bo", group="importer")
    type(ana).objects.filter(pk=ana.pk).update(first_name="Ana", last_name="Lopes")
    type(bo).objects.filter(pk=bo.pk).update(first_name="Bo", last_name="Lind")
    source = Source("airports-2026-04.csv.gz", "5c662f0fd6de9015b7e1a118d697e6e1" * 2, 3740519)
    with changeset(kind="import", actor=ana, reason="Spring refresh from OurAirports", source=source) as made:
        aspen = City.objects.create(country=places["usa"], name="Aspen")
        Airport.objects.update(elevation_ft=5000, airport_type="medium_airport")
        for ident, name in (("KASE", "Aspen-Pitkin County Airport"), ("KAPA", "Centennial Airport")):
            Airport.objects.create(ident=ident, name=name, airport_type="medium_airport", country=places["usa"])
    edit("KDEN", actor=bo, reason="as measured", elevation_ft=5434)
    edit("KBKF", actor=bo, reason="runway shortened", airport_type="small_airport")
    with changeset(kind="edit", actor=bo, reason="nearest city"):
        Airport.objects.filter(pk="EDDM").update(city=aspen)
    return made


def test_a_plan_is_narrowed_reverted_and_undone(live_server, page, log_in, mixed, steward):
    log_in(steward)
    page.goto(f"{live_server.url}/admin/changesets/changeset/{mixed.pk}/revert/")
    page.get_by_role("link", name="Deleted 2").click()
    page.get_by_label("Tick Centennial Airport").check()
    page.get_by_role("button", name="Plan without these").click()
    expect(page.get_by_text("Without airport KAPA · Centennial Airport")).to_be_visible()

    page.get_by_label("Why").fill("wrong file")
    page.get_by_role("button", name="Revert 4 airports").click()

    expect(page.get_by_role("heading", name="What this revert did")).to_be_visible()
    expect(page.get_by_text("refers to it")).to_be_visible()
    assert set(Airport.objects.filter(pk__in=["KASE", "KAPA"]).values_list("pk", flat=True)) == {"KAPA"}

    expect(page.get_by_text("somebody else has to review it")).to_be_visible()
    page.get_by_role("button", name="Undo this revert…").last.click()
    page.get_by_label("Why").fill("it was right after all")
    page.get_by_role("button", name="Undo the revert of 4 airports").click()
    expect(page.get_by_text("is reverted: 3 restored, 1 brought back.")).to_be_visible()
    assert Airport.objects.filter(pk="KASE").exists()


def test_values_are_read_and_all_rows_of_a_filter_are_left_out(live_server, page, log_in, mixed, steward):
    log_in(steward)
    page.goto(f"{live_server.url}/admin/changesets/changeset/{mixed.pk}/revert/")
    page.get_by_role("link", name="Partly 2").click()
    row = page.get_by_role("row", name="Denver International Airport")
    expect(row).to_contain_text("Medium airport → Large airport")
    expect(row).to_contain_text("now 5434")

    page.get_by_role("link", name="Restored 3").click()
    page.get_by_role("link", name="elevation (ft)").click()
    expect(page.get_by_role("heading", name="Rows 1 to 3 of 3")).to_be_visible()
    page.get_by_label("Key or name").fill("EDDM")
    page.get_by_role("button", name="Show", exact=True).click()
    page.locator("input[name=tick]").check()
    page.get_by_role("button", name="Plan without these").click()

    expect(page.get_by_text("2 objects go back except for values changed since")).to_be_visible()


def test_the_pages_of_a_revert_fit(live_server, page, log_in, mixed, steward):
    log_in(steward)
    root = f"{live_server.url}/admin/changesets/changeset/"
    Airport.objects.filter(pk="KBKF").update(municipality="Aurora")
    direct = Changeset.objects.get(kind="direct")
    page.goto(f"{root}{mixed.pk}/revert/")
    page.get_by_text("Choose a part, or what to do about conflicts").click()
    fits(page, "revert-choices")
    page.goto(f"{root}revert/?since={mixed.pk}")
    fits(page, "revert-many")
    page.goto(f"{root}{mixed.pk}/revert/")
    page.get_by_label("Why").fill("wrong file")
    page.get_by_role("button", name="Revert 5 airports").click()
    expect(page.get_by_role("heading", name="What this revert did")).to_be_visible()
    fits(page, "revert-result")
    page.goto(f"{root}{direct.pk}/change/")
    fits(page, "direct-write")


def fits(page, name: str) -> None:
    page.set_viewport_size({"width": 390, "height": 900})
    beyond = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.set_viewport_size({"width": 1280, "height": 900})
    assert beyond <= 0, f"{name} is wider than a phone"
