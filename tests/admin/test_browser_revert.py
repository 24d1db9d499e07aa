"""A person edits, looks at what was done, and takes it back, in a real browser."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from apps.airports.models import Airport
from apps.changesets.context import Source, changeset
from apps.changesets.models import Changeset

pytestmark = pytest.mark.browser
BIG_CHANGES = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def fits(page) -> bool:
    """Whether the page needs no sideways scrolling at the width of a phone."""
    page.set_viewport_size({"width": 390, "height": 900})
    beyond = page.evaluate(BIG_CHANGES)
    page.set_viewport_size({"width": 1280, "height": 900})
    return beyond <= 0


def test_an_edit_is_found_in_the_history_and_reverted(live_server, page, log_in, places, steward):
    log_in(steward)
    page.goto(f"{live_server.url}/admin/airports/airport/KDEN/change/")
    page.get_by_label("Name:").fill("Denver Intl")
    page.get_by_label("Reason:").fill("as signed at the terminal")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Denver Intl changed.")).to_be_visible()

    page.goto(f"{live_server.url}/admin/airports/airport/KDEN/history/")
    expect(page.locator(".entry").first.get_by_text("as signed at the terminal")).to_be_visible()
    page.locator(".entry").first.get_by_role("link", name=re.compile(r"#\d+ Edit")).click()
    expect(page.locator("ins")).to_have_text("Denver Intl")
    page.get_by_role("button", name="Revert…").click()
    expect(page.get_by_text("object gets its old values back").first).to_be_visible()
    page.get_by_label("Why").fill("the old name was right")
    page.get_by_role("button", name="Revert 1 airport").click()

    expect(page.get_by_text("is reverted: 1 restored.")).to_be_visible()
    expect(page.get_by_role("button", name="Undo this revert…").first).to_be_visible()
    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"


def test_two_people_changing_one_field_see_both_values(live_server, page, log_in, places, operator, edit, steward):
    log_in(operator)
    page.goto(f"{live_server.url}/admin/airports/airport/KDEN/change/")
    page.get_by_label("Name:").fill("Denver by Olga")
    edit("KDEN", actor=steward, name="Denver by Stan", elevation_ft=5434)

    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Stan changed this to “Denver by Stan”")).to_be_visible()
    assert page.get_by_label("Elevation (ft):").input_value() == "5434"
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Denver by Olga changed.")).to_be_visible()

    airport = Airport.objects.get(pk="KDEN")
    assert (airport.name, airport.elevation_ft) == ("Denver by Olga", 5434)


def test_the_pages_fit(live_server, page, log_in, realistic, steward):
    log_in(steward)
    pages = {
        "index": "/admin/",
        "changesets": "/admin/changesets/changeset/",
        "changeset": f"/admin/changesets/changeset/{realistic['refresh'].pk}/change/",
        "revert-plan": f"/admin/changesets/changeset/{realistic['refresh'].pk}/revert/",
        "object-history": "/admin/airports/airport/KDEN/history/",
    }

    for name, path in pages.items():
        page.goto(live_server.url + path)
        assert fits(page), f"{name} is wider than a phone"


def test_no_page_of_ours_has_inline_scripts_or_styles(live_server, page, log_in, places, steward):
    log_in(steward)
    made = places["import"].pk
    for path in (f"changesets/changeset/{made}/change/", f"changesets/changeset/{made}/revert/"):
        page.goto(f"{live_server.url}/admin/{path}")

        assert page.locator("#content [style], #content style, #content script:not([src])").count() == 0


@pytest.fixture
def realistic(places, make_person, edit):
    """The kinds of changeset that a console has after a week: imports, edits, a bulk action, a direct write."""
    ana, bo = make_person("ana", group="steward"), make_person("bo", group="importer")
    type(ana).objects.filter(pk=ana.pk).update(first_name="Ana", last_name="Lopes")
    type(bo).objects.filter(pk=bo.pk).update(first_name="Bo", last_name="Lind")
    Changeset.objects.update(actor=ana, actor_name="ana")
    source = Source(
        "airports-2026-04.csv.gz", "5c662f0fd6de9015b7e1a118d697e6e19e92efa7c6f249b3fc1737ff07f82dba", 3740519
    )
    Airport.objects.filter(pk="KDEN").update(latitude_deg=39.861698, longitude_deg=-104.672997)
    with changeset(kind="import", actor=ana, reason="Spring refresh from OurAirports", source=source) as refresh:
        Airport.objects.filter(pk="KDEN").update(latitude_deg=39.860027, longitude_deg=-104.673792)
        Airport.objects.filter(pk="KBKF").update(name="Buckley SFB", airport_type="medium_airport")
        Airport.objects.create(ident="KAPA", name="Centennial Airport", airport_type="medium_airport", source_id=3400)
        Airport.objects.create(ident="00AN", name="Katmai Lodge Airport", airport_type="small_airport", source_id=6525)
    edit("KDEN", actor=bo, reason="name as signed at the terminal", name="Denver International", latitude_deg=39.8617)
    with changeset(kind="bulk_action", actor=bo, reason="Closed for the season"):
        Airport.objects.filter(airport_type="small_airport").update(active=False)
    Airport.objects.filter(pk="KDEN").update(municipality="Denver County")
    with changeset(kind="delete", actor=ana, reason="Merged into the airport beside it"):
        Airport.objects.filter(pk="EDDM").delete()
    _spread_over_the_week()
    return {"refresh": refresh}


def _spread_over_the_week() -> None:
    for age, made in enumerate(Changeset.objects.order_by("-pk")):
        when = timezone.now() - timedelta(hours=13 * age, minutes=12)
        Changeset.objects.filter(pk=made.pk).update(created_at=when, finished_at=when + timedelta(seconds=age))
        Airport.history.model.objects.filter(changeset=made).update(history_date=when)
