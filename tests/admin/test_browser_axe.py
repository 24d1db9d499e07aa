"""axe-core looks at the main pages, light and dark, and finds nothing serious.

Deque's axe-core (MPL-2.0) comes with the package axe-playwright-python (MIT), which only tests install.
"""

from collections.abc import Callable

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.contrib.auth.models import User
from playwright.sync_api import expect

from apps.airports.columns import OURAIRPORTS
from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.imports.reading.sources import from_path
from apps.imports.results import ImportOptions
from apps.imports.runs.opening import open_run
from apps.quality.tallies import take_tally
from tests.admin.addresses import addresses_of
from tests.admin.everywhere import world_about
from tests.admin.permission_table import line_of
from tests.admin.runs import make_run, plan_rows

pytestmark = pytest.mark.browser
# All rules in the light; in the dark only those about colours, since nothing else differs.
RULES = {"light": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}, "dark": ["color-contrast"]}
# Answers that are no page of their own.
PARTS = {"looked_for"}
SERIOUS = ("serious", "critical")


@pytest.fixture
def approver(make_person) -> User:
    return make_person("anna", group="approver")


@pytest.fixture
def pages(places, approver, tmp_path) -> list[str]:
    """One address of each main page, with something to show on it."""
    Airport.objects.filter(pk="KDEN").update(latitude_deg=39.86, longitude_deg=-104.67, iata_code="0")
    take_tally()
    with changeset(kind="bulk_action", actor=approver, reason="as the new survey says") as act:
        Airport.objects.filter(pk="EDDM").update(latitude_deg=48.35, longitude_deg=11.79, city=None)
        places["KBKF"].delete()
    take_tally()
    run = make_run(approver, summary={"sample": []})
    plan_rows(run)
    (tmp_path / "lotniska.csv").write_bytes("icao,miasto\nKDEN,Łódź\n".encode("cp1250"))
    asked = open_run(
        from_path(tmp_path / "lotniska.csv"),
        spec=OURAIRPORTS,
        options=ImportOptions(corrections=True),
        actor=approver,
        reason="from a colleague",
    )
    return [
        "",
        *("airports/airport/", "base/country/", "airports/airport/add/"),
        *(f"airports/airport/KDEN/{page}/" for page in ("change", "history", "actions/relink")),
        *(f"airports/airport/{page}/" for page in ("import", "export", "corrections")),
        f"base/country/{places['usa'].pk}/change/",
        *("changesets/changeset/?find=1", "changesets/changeset/recycle-bin/"),
        *(f"changesets/changeset/{act.pk}/{page}/" for page in ("change", "map", "revert")),
        *("imports/importrun/", f"imports/importrun/{run.pk}/change/", f"imports/importrun/{asked.pk}/mapping/"),
        *("quality/finding/", "quality/finding/iata_zero/"),
        *("backups/backup/", "backups/backup/add/", "second-factor/"),
    ]


@pytest.fixture
def faults(page) -> Callable[[], list[str]]:
    """Return a function that gives what axe finds serious on the open page, in the light and in the dark."""

    def look() -> list[str]:
        page.evaluate(AXE_SCRIPT)
        found = []
        for scheme, rules in RULES.items():
            page.emulate_media(color_scheme=scheme)
            # Links of Django fade from one colour to the other.
            page.evaluate("document.getAnimations().forEach((each) => each.finish())")
            options = {"runOnly": rules, "resultTypes": ["violations"], "preload": False}
            violations = page.evaluate("(options) => axe.run(options)", options)["violations"]
            bad = [each for each in violations if each["impact"] in SERIOUS]
            found += [
                f"{scheme} {page.url} {each['id']}: {node['html'][:200]}" for each in bad for node in each["nodes"]
            ]
        return found

    return look


def test_axe_finds_nothing_serious(live_server, page, log_in, request, approver, faults):
    page.goto(f"{live_server.url}/admin/login/")
    found = faults()
    log_in(approver)
    page.goto(f"{live_server.url}/admin/")
    expect(page.get_by_text("Nothing is here yet")).to_be_visible()
    expect(page.locator("[data-waiting], form[data-keep]")).to_have_count(0)
    found += faults()

    for path in request.getfixturevalue("pages"):
        page.goto(f"{live_server.url}/admin/{path}")
        expect(page.locator("[data-waiting], form[data-keep]")).to_have_count(0)
        found += faults()

    assert found == []


@pytest.fixture
def all_pages(make_person, browse_as, places) -> tuple[User, list[str]]:
    """Somebody who may see everything, and one address of each page of the console."""
    make_person("importer", group="importer")
    person = make_person("anna", group="approver")
    person.is_superuser = True
    person.save()
    one_of_each = {line_of(name): address for name, address in addresses_of(world_about(places)).items()}
    client = browse_as(person)
    client.raise_request_exception = False
    found = []
    for line, address in one_of_each.items():
        answer = client.get(address)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html") and line not in PARTS:
            found.append(address)
    return person, found


def test_axe_finds_nothing_serious_on_any_page(live_server, page, log_in, all_pages):
    person, addresses = all_pages
    log_in(person)
    page.set_viewport_size({"width": 1280, "height": 900})
    found = []
    for address in addresses:
        page.goto(f"{live_server.url}{address}")
        page.evaluate(AXE_SCRIPT)
        violations = page.evaluate("axe.run({resultTypes: ['violations'], preload: false})")["violations"]
        bad = [each for each in violations if each["impact"] in SERIOUS]
        found += [f"{address} {each['id']}: {node['html'][:200]}" for each in bad for node in each["nodes"]]

    assert len(addresses) > 50
    assert found == []
