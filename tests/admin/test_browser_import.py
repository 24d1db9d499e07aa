"""The real 2026 file in a real browser: upload, review, confirm, watch it finish, a correction kept, revert."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from tests.conftest import PATIENCE
from tests.imports.test_real_snapshots import SPRING_2026
from travelmathlite.environment import folder_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not SPRING_2026.exists(), reason="the file of spring 2026 is not beside the repository"),
]
MINUTES = 60_000


class Console:
    """What `manage.py demo` brings up, on a database of its own."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "console.sqlite3"
        self.environment = {**os.environ, "DATABASE_URL": f"sqlite:///{self.database}", "PYTHONUNBUFFERED": "1"}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}/admin"

    def manage(self, *words: str) -> str:
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(command, cwd=settings.BASE_DIR, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def names(self, *idents: str) -> dict[str, str]:
        """Return the names of these airports, and how many airports there are under ''."""
        code = (
            "import json; from apps.airports.models import Airport; names = dict(Airport.objects.filter("
            f"pk__in={idents!r}).values_list('pk', 'name')); print(json.dumps(names | {{'': Airport.objects.count()}}))"
        )
        return json.loads(self.manage("shell", "-v0", "-c", code))


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """Start the demo as a newcomer would, and stop it with all that it started."""
    made = Console(tmp_path)
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(made.database)}
    log = (tmp_path / "demo.log").open("w+")
    demo = subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--port", str(made.port)],
        cwd=settings.BASE_DIR, env=made.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        start_new_session=True,
    )  # fmt: skip
    try:
        made.log = tmp_path / "demo.log"
        yield made
    finally:
        os.killpg(demo.pid, signal.SIGTERM)
        demo.wait(timeout=60)
        log.close()
        shutil.rmtree(folder_of(database, base=settings.BASE_DIR / "var"), ignore_errors=True)


def enter(console: Console, page: Page) -> None:
    """Wait until the console answers, and log in with the password that the demo prints."""
    for _ in range(120):
        found = re.search(r"Password: (\S+)", console.log.read_text())
        with socket.socket() as probe:
            if found and probe.connect_ex(("127.0.0.1", console.port)) == 0:
                break
        page.wait_for_timeout(500)
    page.goto(f"{console.address}/login/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", found[1])
    page.click("[type=submit]")


def correct_a_name(console: Console, page: Page) -> None:
    page.goto(f"{console.address}/airports/airport/00A/change/")
    page.get_by_label("Name:").fill("Total RF, as signed")
    page.get_by_label("Reason").fill("the sign at the gate")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("changed.").first).to_be_visible()


def upload(console: Console, page: Page) -> None:
    page.goto(f"{console.address}/airports/airport/")
    page.get_by_role("link", name="Import…", exact=True).click()
    page.get_by_label("File", exact=True).set_input_files(SPRING_2026)
    page.get_by_label("Why").fill("spring refresh")
    page.get_by_role("button", name="Look at the file").click()


@pytest.fixture
def patience(page: Page) -> Iterator[None]:
    """Wait longer than for other pages: a large import takes its time."""
    page.set_default_timeout(2 * MINUTES)
    expect.set_options(timeout=2 * MINUTES)
    yield
    expect.set_options(timeout=PATIENCE)


def test_the_spring_file_goes_in_keeps_a_correction_and_comes_out_again(console, page, patience):
    enter(console, page)
    correct_a_name(console, page)

    upload(console, page)
    expect(page.get_by_role("heading", name="This import will mean")).to_be_visible()
    expect(page.locator(".plan").first).to_contain_text("11,504 airports are new")
    expect(page.locator(".plan").first).to_contain_text("28,505 airports change")
    page.get_by_role("link", name=re.compile("^Kept corrections")).click()
    expect(page.locator(".plan-rows")).to_contain_text("Total RF, as signed")
    expect(page.locator(".plan-rows .origin")).to_contain_text("by admin")
    assert console.names("00A")[""] == 73_623

    page.get_by_role("button", name=re.compile(r"^Import 40,\d{3} changes$")).click()
    page.wait_for_url(re.compile("/changesets/changeset/"))
    expect(page.get_by_role("heading", name=re.compile("Import · airports-2026-04"))).to_be_visible()
    assert console.names("00A", "00AA") == {"": 85_084, "00A": "Total RF, as signed", "00AA": "Aero B Ranch Airport"}

    page.get_by_role("button", name="Revert…").first.click()
    page.get_by_label("Why").fill("the wrong Friday")
    page.get_by_role("button", name=re.compile(r"^Revert [\d,]+ ")).click()
    expect(page.get_by_text("reverted").first).to_be_visible()
    assert console.names("00A") == {"": 73_623, "00A": "Total RF, as signed"}
    assert json.loads(console.manage("audit_history", "--json"))["drift"] == 0
