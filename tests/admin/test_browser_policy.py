"""The Content-Security-Policy, kept by a real browser on every kind of page: nothing inline, and all still works."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from apps.airports.models import Airport
from apps.backups.objects.making import back_up_object
from apps.changesets.models import Changeset

pytestmark = pytest.mark.browser
# The browser tells the page itself what it refused, also where nothing is written to the console.
LISTEN = """
window.addEventListener("securitypolicyviolation",
    event => console.error(`Content Security Policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
# Cards that come later are there, and maps are drawn.
SETTLED = """() => !document.querySelector("[data-waiting]")
    && [...document.querySelectorAll("[data-map]")].every((map) => map.dataset.drawn)"""


@pytest.fixture
def complaints(page) -> list[str]:
    """What the browser refused to run or show, and scripts that failed, with the address of the page."""
    heard: list[str] = []

    def hear(text: str) -> None:
        heard.append(f"{page.url}: {text}")

    page.add_init_script(LISTEN)
    page.on("console", lambda message: hear(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: hear(str(error)))
    return heard


@pytest.fixture
def visit(live_server, page) -> Callable[[str], None]:
    """Return a function that opens a page of the admin and waits until all that it asks for is there."""

    def go(path: str) -> None:
        response = page.goto(f"{live_server.url}/admin/{path}")
        assert response.status == 200, path
        page.wait_for_function(SETTLED)

    return go


@pytest.fixture
def pages(places, edit) -> list[str]:
    """One address of each kind of page of the three tables and of changesets."""
    backup = back_up_object(places["KDEN"], actor=None).name
    edit("KDEN", name="Denver by hand")
    Airport.objects.filter(pk="KBKF").delete()
    made, deleted = places["import"].pk, Airport.history.filter(history_type="-").get().pk
    version = Airport.history.filter(ident="KDEN").last().pk
    tables = {"airports/airport": "KDEN", "base/city": places["denver"].pk, "base/country": places["usa"].pk}
    return [
        "",
        "password_change/",
        "second-factor/",
        "quality/finding/",
        "quality/finding/position_missing/",
        *(f"{table}/" for table in tables),
        *(f"{table}/{page}/" for table in tables for page in ("add", "export", "as-of", "between")),
        *(f"{table}/{key}/{page}/" for table, key in tables.items() for page in ("change", "delete", "history")),
        *("airports/airport/?q=den&airport_type__exact=heliport", "airports/airport/?_popup=1"),
        *(f"airports/airport/KDEN/{page}/" for page in ("as-of", f"history/{version}", f"go-back/{version}")),
        *(f"airports/airport/KDEN/actions/{page}/" for page in ("backup", "restore")),
        f"airports/airport/KDEN/actions/restore/?backup={backup}",
        *("changesets/changeset/", "changesets/changeset/?find=1", "changesets/changeset/recycle-bin/"),
        f"changesets/changeset/recycle-bin/restore/?pick=airports.airport:{deleted}",
        *(f"changesets/changeset/{made}/{page}/" for page in ("change", "revert")),
        f"changesets/changeset/revert/?ids={made}",
    ]


def test_no_page_has_anything_that_the_policy_refuses(pages, visit, page, log_in, steward, complaints):
    log_in(steward)

    for path in pages:
        visit(path)

    assert complaints == []


def test_who_may_only_look_sees_pages_that_the_policy_accepts(places, visit, log_in, viewer, complaints):
    log_in(viewer)

    for path in ("", "airports/airport/", "airports/airport/KDEN/change/", "changesets/changeset/"):
        visit(path)

    assert complaints == []


def test_the_users_and_groups_of_django_are_edited_under_the_policy(visit, log_in, admin_user, complaints):
    admin_user.set_password("a password for tests only")
    admin_user.save()
    log_in(admin_user)

    for path in ("auth/user/", "auth/user/add/", f"auth/user/{admin_user.pk}/change/", "auth/group/add/"):
        visit(path)

    assert complaints == []


def test_the_policy_is_enforced_and_a_breach_is_heard(visit, page, log_in, operator, complaints):
    log_in(operator)
    visit("")

    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);
        document.body.setAttribute("style", "color: red");
    }""")

    assert page.evaluate("() => [window.ran, document.body.style.color]") == [None, ""]
    assert any("script-src" in text for text in complaints)
    assert any("style-src" in text for text in complaints)


def test_a_city_is_chosen_by_typing(places, visit, page, log_in, operator, complaints):
    log_in(operator)
    visit("airports/airport/KDEN/change/")

    for field, typed, choice in (("country", "germ", "Germany (DE)"), ("city", "mün", "München, Germany")):
        page.locator(f"#id_{field} + .select2-container .select2-selection").click()
        page.locator(".select2-search__field").fill(typed)
        page.get_by_role("option", name=choice).click()
        expect(page.locator(f"#select2-id_{field}-container")).to_contain_text(choice)
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_text(re.compile("Denver International Airport changed"))).to_be_visible()
    airport = Airport.objects.get(pk="KDEN")
    assert (airport.country, airport.city) == (places["germany"], places["munich"])
    assert complaints == []


def test_a_place_is_added_in_a_popup(places, visit, page, log_in, operator, complaints):
    log_in(operator)
    visit("airports/airport/KDEN/change/")

    with page.expect_popup() as opened:
        page.locator("#add_id_city").click()
    popup = opened.value
    popup.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    popup.locator("#id_name").fill("Aurora")
    popup.locator("#id_country + .select2-container .select2-selection").click()
    popup.locator(".select2-search__field").fill("united")
    popup.get_by_role("option", name="United States (US)").click()
    popup.get_by_role("button", name="Save", exact=True).click()

    expect(page.locator("#select2-id_city-container")).to_contain_text("Aurora")
    assert complaints == []


def test_the_scripts_of_the_list_work(places, visit, page, log_in, steward, complaints):
    log_in(steward)
    visit("airports/airport/")

    page.locator("#action-toggle").check()
    expect(page.locator(".action-counter")).to_have_text("3 of 3 selected")
    page.locator("select[name=action]").select_option("export_selected")
    page.locator("button[name=index]").click()
    expect(page.get_by_text("ticked airports")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export 3 airports").click()

    assert download.value.suggested_filename.startswith("airports-part-")
    assert download.value.suggested_filename.endswith(".xlsx")
    assert Changeset.objects.count() == 1
    assert complaints == []


def test_the_export_page_fits(places, visit, page, log_in, operator):
    log_in(operator)

    visit("airports/airport/export/?q=den&airport_type__exact=large_airport")
    page.set_viewport_size({"width": 390, "height": 900})

    assert page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
