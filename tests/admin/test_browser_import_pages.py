"""The pages of imports in a real browser: they fit a phone, carry nothing inline, and a small file goes all the way."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from apps.airports.models import Airport
from apps.changesets.models import Changeset
from apps.imports.models import ImportRun
from apps.imports.plan.pins import pin
from tests.admin.test_browser_path import TOO_WIDE

pytestmark = pytest.mark.browser
FOREIGN = "icao,iata,name,city,subd,country,elevation,lat,lon,tz\n"


@pytest.fixture
def foreign_file(tmp_path: Path) -> Path:
    """A file that somebody made elsewhere: other headers, one good row, one new airport, one row that is refused."""
    path = tmp_path / "airports-of-a-colleague.csv"
    path.write_text(
        FOREIGN + "KDEN,DEN,Denver Intl,Denver,US-CO,US,5434,39.8617,-104.673,America/Denver\n"
        "EDDM,MUC,Munich Airport,München,DE-BY,DE,1487,48.35,11.78,Europe/Berlin\n"
        "KB/KF,,Buckley Space Force Base,Aurora,US-CO,US,5662,north,-104.75,America/Denver\n"
    )
    return path


def upload(page: Page, address: str, path: Path, *, source: str) -> None:
    page.goto(address)
    page.get_by_label("File", exact=True).set_input_files(path)
    page.get_by_role("radio", name=source).check()
    page.get_by_label("Why").fill("what a colleague sent")
    page.get_by_role("button", name="Look at the file").click()


def fits(page: Page, name: str) -> None:
    assert page.locator("#content [style], #content style, #content script:not([src])").count() == 0, name
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate(TOO_WIDE) <= 0, f"{name} is wider than a phone"
    page.set_viewport_size({"width": 1280, "height": 900})


def test_a_foreign_file_is_mapped_reviewed_and_imported(live_server, page, log_in, places, operator, foreign_file):
    log_in(operator)
    admin = f"{live_server.url}/admin"
    page.goto(f"{admin}/airports/airport/import/")
    fits(page, "upload")

    upload(page, f"{admin}/airports/airport/import/", foreign_file, source="Corrections by hand")
    expect(page.locator("#id_column-ident")).to_have_value("icao")
    fits(page, "mapping")
    page.get_by_role("button", name="Show the plan").click()

    expect(page.get_by_role("heading", name="This import will mean")).to_be_visible()
    page.get_by_role("link", name=re.compile("^Refused")).click()
    expect(page.locator(".plan-rows")).to_contain_text("north")
    fits(page, "plan")
    page.get_by_role("button", name=re.compile(r"^Import \d changes?$")).click()

    expect(page.get_by_text("Imported ")).to_be_visible()
    assert Airport.objects.get(pk="KDEN").name == "Denver Intl"
    assert Changeset.objects.first().reason == "what a colleague sent"


def test_a_choice_about_the_file_is_shown_at_once(live_server, page, log_in, places, operator, tmp_path):
    path = tmp_path / "lotniska.csv"
    path.write_bytes("icao~nazwa~miasto\nKDEN~Lotnisko w Łodzi~Łódź\n".encode("cp1250"))
    log_in(operator)
    upload(page, f"{live_server.url}/admin/airports/airport/import/", path, source="Corrections by hand")
    words, rows = page.locator(".sample-words"), page.locator(".file-rows")
    expect(words).to_contain_text("Łódź")

    page.get_by_label("Encoding").select_option("mac-roman")
    expect(words).to_contain_text("£Ûdü")
    expect(page.get_by_label("Encoding")).to_be_focused()
    page.get_by_label("Encoding").select_option("cp1250")
    expect(words).to_contain_text("Łódź")
    page.get_by_label("Between the cells stand").select_option("~")
    expect(rows.get_by_role("columnheader", name="miasto")).to_be_visible()
    page.get_by_label("The titles stand on").select_option("-1")
    expect(rows.get_by_role("columnheader", name="column 3")).to_be_visible()
    page.get_by_label("The titles stand on").select_option("1")
    expect(rows.get_by_role("columnheader", name="miasto")).to_be_visible()
    page.locator("#id_column-municipality").select_option("miasto")
    expect(page.locator(".mapping")).to_contain_text("Łódź")
    fits(page, "reading")

    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_role("heading", name="This import will mean")).to_be_visible()
    assert ImportRun.objects.get().mapping == {"ident": "icao", "municipality": "miasto"}


def test_a_choice_before_the_script_is_there_is_shown_too(live_server, page, log_in, places, operator, tmp_path):
    path = tmp_path / "lotniska.csv"
    path.write_bytes("icao~nazwa~miasto\nKDEN~Lotnisko w Łodzi~Łódź\n".encode("cp1250"))
    log_in(operator)
    held: list[Route] = []
    page.route("**/console/reading*.js", lambda route: held.append(route))
    upload(page, f"{live_server.url}/admin/airports/airport/import/", path, source="Corrections by hand")
    page.get_by_label("Encoding").select_option("mac-roman")

    held[0].continue_()

    expect(page.locator(".sample-words")).to_contain_text("£Ûdü")


def test_the_other_pages_of_imports_fit(live_server, page, log_in, places, edit, operator):
    Airport.objects.filter(pk="KDEN").update(upstream={"name": "Denver International Airport", "elevation_ft": 5431})
    edit("KDEN", actor=operator, elevation_ft=5434, reason="as surveyed")
    pin(Airport.objects.get(pk="KDEN"), "elevation_ft", note="surveyed in May", actor=operator)
    ImportRun.objects.create(spec="ourairports", actor=operator, actor_name="olga", file_name="airports.csv",
                             file_sha256="0" * 64, file_size=1, status="failed", error="Nothing was written.",
                             counts={"total": 3}, reason="the Friday file")  # fmt: skip
    log_in(operator)

    for name, path in {
        "imports": "imports/importrun/",
        "corrections": "airports/airport/corrections/",
        "pin": "airports/airport/KDEN/pin/elevation_ft/",
        "export": "airports/airport/export/",
    }.items():
        page.goto(f"{live_server.url}/admin/{path}")
        expect(page.locator("#content h1")).to_be_visible()
        fits(page, name)
