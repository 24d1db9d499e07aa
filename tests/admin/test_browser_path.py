"""The whole path in a real browser: import, edit, revert with one row kept, redo, restore from the recycle bin."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import expect

from apps.airports.models import Airport
from apps.changesets.context import Source, changeset
from apps.changesets.models import Changeset
from tests.imports.files import csv_text

pytestmark = pytest.mark.browser
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def import_names(folder: Path, first: str, second: str) -> Changeset:
    """Import a file of two airports with these names."""
    path = folder / "airports.csv"
    path.write_text(csv_text({"ident": "KDEN", "name": first}, {"ident": "KAPA", "name": second, "iata_code": "APA"}))
    call_command("import_airports", file=str(path), verbosity=0)
    return Changeset.objects.first()


def names() -> dict[str, str]:
    return dict(Airport.objects.values_list("ident", "name"))


def test_import_edit_revert_with_one_kept_redo_and_restore(live_server, page, log_in, steward, tmp_path):
    admin = f"{live_server.url}/admin"
    import_names(tmp_path, "Denver", "Centennial")
    refresh = import_names(tmp_path, "Denver Refreshed", "Centennial Refreshed")
    log_in(steward)

    # Edit by hand.
    page.goto(f"{admin}/airports/airport/KDEN/change/")
    expect(page.locator(".field-name .origin:not(.pin-line)")).to_contain_text(f"import #{refresh.pk}")
    page.get_by_label("Name:").fill("Denver by hand")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Denver by hand changed.")).to_be_visible()

    # Revert the import: what was edited since is kept, and named.
    page.goto(f"{admin}/changesets/changeset/{refresh.pk}/change/")
    page.get_by_role("button", name="Revert…").first.click()
    expect(page.get_by_text(re.compile("name changed since, last in", re.I)).first).to_be_visible()
    expect(page.get_by_role("link", name="Denver by hand").first).to_be_visible()
    page.get_by_label("Why").fill("the refresh was wrong")
    page.get_by_role("button", name=re.compile(r"^Revert \d ")).click()
    expect(page.get_by_role("heading", name="What this revert did")).to_be_visible()
    assert names() == {"KDEN": "Denver by hand", "KAPA": "Centennial"}

    # Redo.
    page.get_by_role("button", name="Undo this revert…").first.click()
    page.get_by_label("Why").fill("it was right after all")
    page.get_by_role("button", name=re.compile(r"^Undo the revert of \d ")).click()
    expect(page.get_by_role("heading", name="What this revert did")).to_be_visible()
    assert names() == {"KDEN": "Denver by hand", "KAPA": "Centennial Refreshed"}

    # Delete, and restore from the recycle bin.
    page.goto(f"{admin}/airports/airport/KAPA/delete/")
    page.get_by_label("Why").fill("closed")
    page.get_by_role("button", name=re.compile("^Delete")).click()
    expect(page.get_by_text("Centennial Refreshed deleted.")).to_be_visible()
    assert "KAPA" not in names()
    page.goto(f"{admin}/airports/airport/")
    page.get_by_text("More", exact=True).click()
    page.get_by_role("link", name="Recycle bin").click()
    page.get_by_role("checkbox", name="Bring back Centennial Refreshed").check()
    page.get_by_role("button", name="Bring back the ticked objects…").click()
    expect(page.get_by_text("comes back with key and every value")).to_be_visible()
    page.get_by_label("Why").fill("it is open")
    page.get_by_role("button", name="Bring back 1 object").click()
    expect(page.get_by_text("1 brought back.")).to_be_visible()
    assert names() == {"KDEN": "Denver by hand", "KAPA": "Centennial Refreshed"}


def test_going_back_to_a_version_by_keyboard(live_server, page, log_in, places, operator, edit):
    edit("KDEN", name="Denver Intl", elevation_ft=1)
    log_in(operator)
    page.goto(f"{live_server.url}/admin/airports/airport/KDEN/history/")
    page.get_by_role("link", name="Go back to this version…").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Elevation (ft)").focus()
    page.keyboard.press("Space")
    page.get_by_label("Why").focus()
    page.keyboard.type("as it was")
    page.keyboard.press("Enter")
    expect(page.get_by_text("is back to that version.")).to_be_visible()

    airport = Airport.objects.get(pk="KDEN")
    assert (airport.name, airport.elevation_ft) == ("Denver International Airport", 1)


def test_the_pages_fit_and_have_nothing_inline(live_server, page, log_in, history, steward):
    log_in(steward)
    before = f"before-{history['refresh'].pk}"
    pages = {
        "recycle-bin": "changesets/changeset/recycle-bin/?model=airports.airport",
        "restore-plan": f"changesets/changeset/recycle-bin/restore/?{history['picks']}",
        "as-of-list": f"airports/airport/as-of/?at={before}",
        "as-of-object": f"airports/airport/KDEN/as-of/?at={before}",
        "between": f"airports/airport/between/?from={before}&to=now",
        "version": f"airports/airport/KDEN/go-back/{history['version']}/",
        "origins": "airports/airport/KDEN/change/",
    }

    for name, path in pages.items():
        page.goto(f"{live_server.url}/admin/{path}")
        if name != "origins":
            assert page.locator("#content [style], #content style, #content script:not([src])").count() == 0, name
        page.set_viewport_size({"width": 390, "height": 900})
        assert page.evaluate(TOO_WIDE) <= 0, f"{name} is wider than a phone"
        page.set_viewport_size({"width": 1280, "height": 900})


@pytest.fixture
def history(places, make_person, edit) -> dict:
    """A week of an airport: imported, refreshed, edited; two others deleted, one of them with its city."""
    ana, bo = make_person("ana", group="steward"), make_person("bo", group="importer")
    type(ana).objects.filter(pk=ana.pk).update(first_name="Ana", last_name="Lopes")
    type(bo).objects.filter(pk=bo.pk).update(first_name="Bo", last_name="Lind")
    Changeset.objects.update(actor=ana, actor_name="ana")
    version = Airport.history.filter(ident="KDEN").first().pk
    source = Source("airports-2026-04.csv.gz", "5c" * 32, 3740519)
    with changeset(kind="import", actor=ana, reason="Spring refresh from OurAirports", source=source) as refresh:
        Airport.objects.filter(pk="KDEN").update(name="Denver Intl", elevation_ft=5434, iata_code=None)
        Airport.objects.create(ident="KAPA", name="Centennial Airport", airport_type="medium_airport", source_id=3400)
    edit("KDEN", actor=bo, reason="name as signed at the terminal", name="Denver International")
    with changeset(kind="delete", actor=ana, reason="Merged into the airport beside it"):
        Airport.objects.filter(pk__in=["EDDM", "KBKF"]).delete()
        places["munich"].delete()
    rows = Airport.history.filter(history_type="-").values_list("history_id", flat=True)
    for age, made in enumerate(Changeset.objects.order_by("-pk")):
        when = timezone.now() - timedelta(hours=13 * age, minutes=12)
        Changeset.objects.filter(pk=made.pk).update(created_at=when)
        Airport.history.model.objects.filter(changeset=made).update(history_date=when)
    return {"refresh": refresh, "version": version, "picks": "&".join(f"pick=airports.airport:{row}" for row in rows)}


@pytest.mark.parametrize("key", ["/", "Control+k"])
def test_a_key_leads_from_any_page_to_the_search_of_all_tables(live_server, page, places, viewer, log_in, key):
    log_in(viewer)
    page.goto(f"{live_server.url}/admin/base/country/")

    page.keyboard.press(key)
    page.keyboard.type("munchen")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Cities")).to_be_visible()
    expect(page.get_by_role("link", name="München, Germany")).to_be_visible()


@pytest.mark.parametrize("width", [390, 768, 1000, 1280])
def test_the_header_leaves_the_window_to_the_page(live_server, page, viewer, log_in, width):
    log_in(viewer)
    page.set_viewport_size({"width": width, "height": 640})
    page.goto(f"{live_server.url}/admin/")

    assert page.locator("#header").bounding_box()["height"] < 160
