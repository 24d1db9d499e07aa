"""Make docs/screenshots anew from the demo: real airports, a week of work on them, light and dark, wide and narrow.

`uv run python docs/screenshots.py` starts the demo on a free port with a database in a temporary folder, and drives
Debian's Chromium (or the one that CHROMIUM names). Names behind it (`dashboard revert-plan`) save only these pictures.
"""

import csv
import gzip
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "screenshots"
SNAPSHOT = ROOT / "data" / "ourairports-2022-10-11.csv.gz"
WIDTHS = (1280, 390)
HEIGHT = 900
# Milliseconds: a busy machine may take long to plan or write a whole file.
PATIENCE = 120_000
# Chromium's own traffic has nowhere to go on a closed network, and root may not use its sandbox.
CHROMIUM_ARGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
UNDONE_LATER = ("revert-plan", "recycle-bin", "restore-plan", "hanging")
FOREIGN = "Kennung;Flughafen;Höhe\nEDDB;Berlin Brandenburg;157\nEDDM;München;1487\nEDDF;Frankfurt/Main;364\n"


def main(wanted: list[str]) -> None:
    """Make the pictures; what the command line names, or all of them, and then no other is left."""
    with tempfile.TemporaryDirectory() as name, demo(Path(name)) as address:
        import django

        django.setup()
        session, pages = work_of_a_week(Path(name))
        with opened(address, session, width=WIDTHS[0], height=HEIGHT) as page:
            camera = Camera(page, f"{address}/admin", wanted)
            # Before the browser reverts the edit, and the later snapshot brings back what was deleted.
            for picture in UNDONE_LATER:
                camera.visit(pages.pop(picture), picture)
            act_in_the_browser(camera, Path(name))
            for picture, path in pages.items():
                camera.visit(path, picture)
            # Last, for the import that it leaves open would be on the first page.
            map_columns(camera, Path(name))
    if not wanted:
        for left in {*FOLDER.glob("*.png")} - camera.saved:
            left.unlink()


@contextmanager
def demo(folder: Path) -> Iterator[str]:
    """Run the demo on what is in this folder alone; yield its address once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "travelmathlite.settings",
        "DATABASE_URL": f"sqlite:///{folder}/travelmathlite.sqlite3",
        "BACKUP_DIR": f"{folder}/backups",
        "VAR_DIR": f"{folder}/var",
        "SECRET_KEY": "for these pictures only",
        "DEBUG": "true",
    }
    sys.path.insert(0, str(ROOT))
    log = (folder / "demo.log").open("w")
    command = [sys.executable, str(ROOT / "manage.py"), "demo", "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)  # noqa: S603
    try:
        wait_for(f"http://127.0.0.1:{port}/admin/login/", server, folder / "demo.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)


def wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    """Wait until the server answers, two minutes at most."""
    for _ in range(240):
        try:
            urlopen(address, timeout=60).close()  # noqa: S310 - our own server
        except OSError:
            if server.poll() is not None:
                break
            subprocess.run(["sleep", "0.5"], check=True)  # noqa: S607
        else:
            return
    sys.exit(f"The demo did not start:\n{log.read_text()}")


@contextmanager
def opened(address: str, session: dict[str, str], *, width: int, height: int) -> Iterator[Page]:
    """Yield a page of a browser that has this session of the console at the address."""
    with sync_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
        browser = playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM_ARGS])
        expect.set_options(timeout=PATIENCE)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(PATIENCE)
        page.context.add_cookies([{**session, "url": address}])
        yield page
        browser.close()


class Camera:
    """Saves the open page in both schemes and widths, where its picture is wanted."""

    def __init__(self, page: Page, admin: str, wanted: list[str]) -> None:
        self.page, self.admin, self.wanted = page, admin, wanted
        self.saved: set[Path] = set()

    def visit(self, path: str, picture: str = "") -> None:
        """Open a page of the admin, and take its picture where it has a name."""
        if picture and self.wanted and picture not in self.wanted:
            return
        self.page.goto(f"{self.admin}/{path}")
        if picture:
            self.take(picture)

    def take(self, picture: str) -> None:
        """Save the open page; one that is wider than the window is an error."""
        if self.wanted and picture not in self.wanted:
            return
        page = self.page
        expect(page.locator("[data-waiting]")).to_have_count(0)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                if page.locator(".world-map canvas").count():
                    page.wait_for_timeout(700)  # The map is drawn anew.
                path = FOLDER / f"{picture}-{scheme}-{width}.png"
                page.screenshot(path=path, animations="disabled")
                self.saved.add(path)
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                sys.exit(f"{picture} is wider than {width} pixels.")
        page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})
        page.emulate_media(color_scheme="light")


# -- what happened in the week ------------------------------------------------------------------------------------


def work_of_a_week(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Do what leaves something to see; return the session of Ana, and the pages by the names of their pictures."""
    ana, bo = person("ana", "Ana", "Lopes"), person("bo", "Bo", "Lind")
    renamed, edited = edit_airports(ana, bo)
    deleted, direct = delete_and_write_past_the_console(ana)
    back_up(folder)
    return session_of(ana), pages_of(renamed, edited, deleted, direct)


def edit_airports(ana: Any, bo: Any) -> tuple[Any, Any]:
    """Let Ana rename some airports, and Bo edit one of them and another one; return what she did, and his edit."""
    from apps.airports.models import Airport
    from apps.changesets.acts.edit import change_object
    from apps.changesets.context import changeset
    from apps.changesets.models import Changeset

    backdate(Changeset.objects.get(kind="import"), days=9)
    large = Airport.objects.filter(pk__in=["EDDF", "EDDM", "EDDL", "EDDH"])
    with changeset(kind="edit", actor=ana, reason="Names as the airports write them") as renamed:
        for airport in large:
            Airport.objects.filter(pk=airport.pk).update(name=airport.name.replace(" Airport", ""))
    backdate(renamed, days=6)
    denver = Airport.objects.get(pk="KDEN")
    denver.name, denver.elevation_ft = "Denver International", 5434
    edited = change_object(denver, fields=["name", "elevation_ft"], actor=bo, reason="as signed at the terminal")
    backdate(edited, days=4)
    with changeset(kind="edit", actor=bo, reason="its new name") as again:
        Airport.objects.filter(pk="EDDM").update(name="München “Franz Josef Strauß”")
    backdate(again, days=3)
    return renamed, edited


def delete_and_write_past_the_console(ana: Any) -> tuple[Any, Any]:
    """Let Ana delete airports, and somebody clear links in the database; return both changesets."""
    from apps.airports.models import Airport
    from apps.changesets.context import changeset
    from apps.changesets.models import Changeset

    with changeset(kind="delete", actor=ana, reason="Closed, and built over") as deleted:
        Airport.objects.filter(airport_type="closed", iso_country="NL").delete()
    backdate(deleted, days=2)
    Airport.objects.filter(iso_country="IS", city__isnull=False, airport_type="small_airport").update(city=None)
    direct = Changeset.objects.get(kind="direct")
    backdate(direct, hours=20)
    return deleted, direct


def back_up(folder: Path) -> None:
    """Back up the database and prove it, and back up one airport."""
    from django.core.management import call_command

    for words in (["create", "--label", "before the refresh"], ["verify", "--latest"]):
        call_command("backup", *words, stdout=(folder / "log").open("a"))
    call_command("backup", "create", kind="object", model="airport", pk="KDEN", stdout=(folder / "log").open("a"))


def pages_of(renamed: Any, edited: Any, deleted: Any, direct: Any) -> dict[str, str]:
    """Return the pages of which pictures are made, by the names of these."""
    from apps.airports.models import Airport
    from apps.changesets.history.stable_key import object_key_of

    version = Airport.history.filter(ident="KDEN").order_by("history_id").first().history_id
    gone = Airport.history.filter(changeset=deleted).order_by("history_id")[:3]
    picks = "&".join(f"pick=airports.airport:{row.history_id}" for row in gone)
    germany, denver = Airport.objects.get(pk="EDDM").country_id, object_key_of(Airport.objects.get(pk="KDEN"))
    return {
        "revert-plan": f"changesets/changeset/{renamed.pk}/revert/",
        "changesets": "changesets/changeset/",
        "find": "changesets/changeset/?object=KDEN&field=airport.name",
        "direct-write": f"changesets/changeset/{direct.pk}/change/",
        "airports": "airports/airport/?airport_type__exact=large_airport",
        "airport": "airports/airport/KDEN/change/",
        "object-history": "airports/airport/KDEN/history/",
        "version": f"airports/airport/KDEN/go-back/{version}/",
        "as-of-object": f"airports/airport/KDEN/as-of/?at=before-{edited.pk}",
        "object-backups": "airports/airport/KDEN/actions/restore/",
        "between": f"airports/airport/between/?from=before-{renamed.pk}&to=now",
        "recycle-bin": "changesets/changeset/recycle-bin/?model=airports.airport",
        "restore-plan": f"changesets/changeset/recycle-bin/restore/?{picks}",
        "imports": "imports/importrun/",
        "corrections": "airports/airport/corrections/",
        "export": "airports/airport/export/",
        "countries": "base/country/",
        "country": f"base/country/{germany}/change/",
        "findings": "quality/finding/",
        "backups": "backups/backup/",
        "hanging": f"changesets/changeset/{renamed.pk}/hanging/",
        "row": f"changesets/changeset/{edited.pk}/row/airports.airport/{denver}/",
        "search": "search/?q=denver",
        "rule": "quality/finding/iata_zero/",
        "pin": "airports/airport/KDEN/pin/name/",
        "second-factor": "second-factor/",
        "dashboard": "",
    }


def person(name: str, first_name: str, last_name: str) -> Any:
    """Return somebody who may do everything that groups allow."""
    from django.contrib.auth.models import Group, User

    made = User.objects.create_user(name, first_name=first_name, last_name=last_name, is_staff=True)
    made.groups.set(Group.objects.all())
    return made


def session_of(user: Any) -> dict[str, str]:
    """Return the cookie of a session of this person."""
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user)
    return {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}


def backdate(made: Any, **ago: int) -> None:
    """Let a changeset have been made this long ago."""
    from django.utils import timezone

    from apps.changesets.models import Changeset
    from apps.changesets.tracking import tracked_models
    from apps.imports.models import ImportRun

    when = timezone.now() - timedelta(**ago, minutes=12)
    took = made.finished_at - made.created_at if made.finished_at else timedelta()
    Changeset.objects.filter(pk=made.pk).update(created_at=when, finished_at=when + took)
    ImportRun.objects.filter(changeset=made).update(created_at=when, finished_at=when + took)
    for tracked in tracked_models():
        tracked.history_model.objects.filter(changeset=made).update(history_date=when)


# -- what happens before the camera -------------------------------------------------------------------------------


def act_in_the_browser(camera: Camera, folder: Path) -> None:
    """Relink, import and revert as a person does, and take pictures on the way."""
    relink(camera)
    set_field(camera)
    comment_and_follow(camera)
    refresh(camera, folder)
    page = camera.page
    page.goto(f"{camera.admin}/changesets/changeset/?q=names+as+the+airports")
    page.get_by_role("button", name=re.compile("^Revert #")).click()
    confirm(page, "people search for the word Airport", r"^Revert \d ")
    camera.take("revert-result")


def relink(camera: Camera) -> None:
    page = camera.page
    act_on_all(camera, "airports/airport/?q=IS-&links=no-city", "relink")
    expect(page.get_by_label("Why")).to_be_visible()
    camera.take("bulk-confirm")
    confirm(page, "their links were lost in a script", "^Relink")
    camera.take("bulk-result")


def set_field(camera: Camera) -> None:
    """Show how a field of several airports is set, and what that would mean."""
    page = camera.page
    act_on_all(camera, "airports/airport/?q=EDD&airport_type__exact=large_airport", "set_field")
    page.locator("#id_field").select_option("name")
    camera.take("set-field-form")


def act_on_all(camera: Camera, path: str, action: str) -> None:
    """Open a list, tick all that it shows, and choose an action."""
    page = camera.page
    camera.visit(path)
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option(action)
    page.get_by_role("button", name=re.compile("^(Go|Run)")).click()


def comment_and_follow(camera: Camera) -> None:
    """Leave a comment on the edit of Denver, and follow Denver."""
    page = camera.page
    camera.visit("changesets/changeset/?q=as+signed+at+the+terminal")
    page.get_by_role("link", name=re.compile("^#\\d+ Edit")).first.click()
    page.get_by_label("What is there to say about it?").fill("The sign is of last year: I asked the airport.")
    page.get_by_role("button", name="Comment").click()
    page.get_by_role("heading", name="Discussion").scroll_into_view_if_needed()
    camera.take("comments")
    camera.visit("airports/airport/KDEN/history/")
    page.get_by_role("button", name="Follow").click()
    camera.visit("changesets/changeset/following/", "following")


def map_columns(camera: Camera, folder: Path) -> None:
    """Show a file whose columns have names of their own."""
    path = folder / "flughaefen.csv"
    path.write_text(FOREIGN, encoding="utf-8")
    upload(camera, path, source="Corrections by hand", reason="names from the ministry")
    expect(camera.page.get_by_role("button", name="Show the plan")).to_be_visible()
    camera.take("import-mapping")


def refresh(camera: Camera, folder: Path) -> None:
    """Import a later snapshot, and show its plan, its changeset, and how that would be reverted."""
    page, path = camera.page, folder / "ourairports-2022-11-08.csv.gz"
    write_later_snapshot(path)
    camera.visit("airports/airport/import/", "import-upload")
    upload(camera, path, source="", reason="November refresh from OurAirports")
    expect(page.get_by_role("heading", name="This import will mean")).to_be_visible()
    camera.take("import-plan")
    page.get_by_role("link", name=re.compile("^Kept corrections")).click()
    camera.take("import-plan-kept")
    confirm(page, "November refresh from OurAirports", r"^Import [\d,]+ changes?$")
    # The page of a large import leads on by itself, once it is done.
    expect(page.get_by_role("heading", name="What was left alone")).to_be_visible()
    camera.take("changeset")
    changeset = re.search(r"/changeset/(\d+)/", page.url)[1]  # type: ignore[index]
    filtered = "?model=airports.airport&field=name&q=field#changes-title"
    camera.visit(f"changesets/changeset/{changeset}/change/{filtered}", "changes-filtered")
    camera.visit(f"changesets/changeset/{changeset}/map/", "changeset-map")
    camera.visit(f"changesets/changeset/{changeset}/change/")
    page.get_by_role("button", name="Revert…").first.click()
    camera.take("revert-import")


def upload(camera: Camera, path: Path, *, source: str, reason: str) -> None:
    page = camera.page
    camera.visit("airports/airport/import/")
    page.get_by_label("File", exact=True).set_input_files(path)
    if source:
        page.get_by_role("radio", name=source).check()
    page.get_by_label("Why").fill(reason)
    page.get_by_role("button", name="Look at the file").click()


def confirm(page: Page, reason: str, button: str) -> None:
    page.get_by_label("Why").fill(reason)
    page.get_by_role("button", name=re.compile(button)).click()
    page.wait_for_load_state()


def write_later_snapshot(path: Path) -> None:
    """Write the bundled snapshot as it may look a month later: surveyed anew, a few gone, some wrong."""
    with gzip.open(SNAPSHOT, "rt", encoding="utf-8", newline="") as before, gzip.open(path, "wt", newline="") as after:
        rows = csv.DictReader(before)
        writer = csv.DictWriter(after, rows.fieldnames or ())
        writer.writeheader()
        writer.writerows(row for number, row in enumerate(rows, 1) if number % 1900 and later(row, number))


def later(row: dict[str, str], number: int) -> dict[str, str]:
    if number % 53 == 0 and row["elevation_ft"]:
        row["elevation_ft"] = str(int(row["elevation_ft"]) + number % 9 - 4)
    if number % 97 == 0:
        row["name"] = row["name"].replace("Airfield", "Aerodrome").replace("Airport", "Field")
    if number % 24_000 == 0:
        row["latitude_deg"] = "95.2"
    if row["ident"] == "KDEN":
        row["name"] = "Denver Intl"
    return row


if __name__ == "__main__":
    main(sys.argv[1:])
