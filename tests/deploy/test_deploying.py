"""Whoever follows docs/deploying.md word for word has a console with TLS, a worker and timers."""

import csv
import gzip
import io
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.deploy.machine import DATABASE, HOST, PASSWORD, ROOT, SERVER, Machine, blocks
from tests.deploy.visitor import Visitor

NEEDED = ("nginx", "pgbouncer", "curl", "openssl", "psql")
LACKING = [program for program in NEEDED if shutil.which(program) is None]
pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not os.environ.get("REQUIRE_DEPLOY"), reason="takes half a minute: the lane deploy runs it"),
]
SECTIONS = ("The machine", "The environment", "The console", "The proxy")
UPLOAD = "/admin/airports/airport/import/"
SNAPSHOT = ROOT / "data" / "ourairports-2022-10-11.csv.gz"
LOG = "var/log/nginx/travelmathlite.log"
TIMERS = ("audit", "digest", "health", "increment", "prune", "update")


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A machine on which the first sections of the document were carried out."""
    assert not LACKING, f"install {', '.join(LACKING)}"
    made = Machine.make()
    try:
        (made.root / "airports.csv").write_bytes(part_of_the_snapshot(400))
        carry_out(made, *SECTIONS)
        yield made
    finally:
        made.close()


def part_of_the_snapshot(rows: int) -> bytes:
    """Return the first rows of the bundled snapshot."""
    with gzip.open(SNAPSHOT, "rt", encoding="utf-8", newline="") as whole:
        lines = csv.reader(whole)
        written = io.StringIO()
        csv.writer(written).writerows(line for line, _ in zip(lines, range(rows + 1), strict=False))
    return written.getvalue().encode()


def carry_out(machine: Machine, *sections: str) -> str:
    """Type the blocks of these sections into one shell, and return what is printed."""
    typed = "\n".join(text for title, text in blocks() if title in sections)
    assert typed
    done = machine.run(typed)
    logs = "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in machine.root.glob("*.log"))
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{logs}"
    return done.stdout


@pytest.fixture
def visitor(machine: Machine) -> Visitor:
    """Somebody who trusts the certificate and has not logged in."""
    return Visitor(HOST, machine.ports["https"], machine.root / "etc" / "ssl" / "certs" / "travelmathlite.pem")


@pytest.fixture
def ana(visitor: Visitor) -> Visitor:
    """Ana, who has logged in."""
    visitor.send("/admin/login/?next=/admin/", {"username": "ana", "password": PASSWORD})
    return visitor


def test_each_block_is_run_here_or_says_why_not():
    text = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    sections = {title for title, _ in blocks()}

    assert text.count("\n```bash\n") == len(blocks()) + text.count("<!-- not run: it installs packages -->")
    assert sections == {*SECTIONS, "A new version", "PgBouncer"}


def test_a_person_logs_in_over_tls_with_cookies_that_only_tls_carries(ana: Visitor):
    _answer, page = ana.open("/admin/")

    assert "ana" in page
    assert "Log out" in page
    cookies = {cookie.name: cookie for cookie in ana.cookies}
    assert {"sessionid", "csrftoken"} <= cookies.keys()
    assert all(cookie.secure for cookie in cookies.values())


def test_files_of_pages_are_served_for_ever(visitor: Visitor):
    _answer, page = visitor.open("/admin/login/")
    style = re.search(r'href="(/static/[^"]+\.css)"', page)[1]

    answer, text = visitor.open(style)

    assert answer.status == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert "{" in text


def test_plain_http_leads_to_tls_and_other_hosts_get_no_answer(machine: Machine):
    def ask(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(["curl", "--silent", "--head", *arguments], capture_output=True, text=True, check=False)

    here = f"http://127.0.0.1:{machine.ports['http']}/admin/"

    assert f"Location: https://{HOST}/admin/" in ask("--header", f"Host: {HOST}", here).stdout
    assert ask("--header", "Host: other.example.com", here).returncode == 52, "an empty answer"
    other = f"other.example.com:{machine.ports['https']}"
    assert ask("--insecure", "--resolve", f"{other}:127.0.0.1", f"https://{other}/").returncode == 35, "no handshake"


def test_what_a_browser_says_of_its_proxy_is_not_believed(visitor: Visitor):
    answer, _page = visitor.open("/admin/", X_Forwarded_Host="evil.example.com", X_Forwarded_Proto="http")

    assert answer.url == f"{visitor.base}/admin/login/?next=/admin/"
    assert len(answer.headers["X-Request-ID"]) == 32
    assert visitor.open("/healthz", X_Request_ID="mine")[0].headers["X-Request-ID"] != "mine"


def test_a_large_upload_is_planned_by_the_worker(machine: Machine, ana: Visitor):
    fields = {"source": "snapshot", "on_local_edit": "keep", "missing": "report", "missing_limit": "1", "resource": "0"}
    large = part_of_the_snapshot(5000)
    assert len(large) > 512 * 1024

    answer, page = ana.send(UPLOAD, {**fields, "links": "country", "reason": "first"}, file=("airports.csv", large))

    assert "/admin/imports/importrun/" in answer.url, page[-3000:]
    with psycopg.connect(SERVER, dbname=DATABASE, autocommit=True) as database:
        deadline = time.monotonic() + 60
        question = "SELECT status FROM django_tasks_database_dbtaskresult ORDER BY enqueued_at DESC LIMIT 1"
        while (status := database.execute(question).fetchone()[0]) != "SUCCESSFUL":
            assert time.monotonic() < deadline, status
            time.sleep(0.2)
        assert database.execute("SELECT status FROM imports_importrun").fetchone() == ("planned",)


def test_the_changeset_and_the_log_of_the_proxy_name_the_same_request(machine: Machine, ana: Visitor):
    country = {"iso_code": "IS", "iso3": "ISL", "name": "Iceland", "active": "on", "change_reason": "a test"}

    _answer, page = ana.send("/admin/base/country/add/", country)

    assert "<title>Countries" in page, re.findall(r"errorlist.*", page)
    with psycopg.connect(SERVER, dbname=DATABASE) as database:
        (request,) = database.execute("SELECT request_id FROM changesets_changeset WHERE reason = 'a test'").fetchone()
    (line,) = [line for line in (machine.root / LOG).read_text().splitlines() if line.endswith(f" {request}")]
    assert '"POST /admin/base/country/add/ HTTP/1.1" 302' in line
    assert request in ana.open(f"/admin/changesets/changeset/?q={request}")[1]


@pytest.mark.parametrize("name", TIMERS)
def test_a_timer_runs_its_command_with_the_environment_file(machine: Machine, name: str):
    done = machine.run(f"systemctl start travelmathlite-{name}.service")

    assert done.returncode == 0, done.stdout
    if name == "update":
        with psycopg.connect(SERVER, dbname=DATABASE) as database:
            assert database.execute("SELECT count(*) FROM airports_airport").fetchone() == (400,)
        assert machine.run("console audit_history").returncode == 0


def test_without_the_environment_file_nothing_starts(machine: Machine):
    file = machine.root / "etc" / "travelmathlite.env"
    file.rename(file.with_suffix(".away"))

    by_unit = machine.run("systemctl start travelmathlite-backup.service")
    by_hand = machine.run("console backup create")

    file.with_suffix(".away").rename(file)
    assert (by_unit.returncode != 0, by_hand.returncode != 0) == (True, True)
    assert not (machine.root / "srv" / "travelmathlite" / "db.sqlite3").exists()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_understands_the_units(machine: Machine):
    units = machine.root / "etc" / "systemd" / "system"
    files = sorted(map(str, [*units.glob("*.service"), *units.glob("*.timer")]))

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert not [line for line in done.stderr.splitlines() if "travelmathlite" in line], done.stderr


def test_a_new_version_is_brought_in_while_the_old_one_runs(machine: Machine, visitor: Visitor):
    carry_out(machine, "A new version")

    assert json.loads(visitor.open("/healthz")[1]) == {"ok": True}


def test_through_pgbouncer_the_console_does_the_same_and_compiles_nothing(machine: Machine, ana: Visitor):
    carry_out(machine, "PgBouncer")

    assert "Log out" in ana.open("/admin/")[1]
    done = machine.run(
        "systemctl start travelmathlite-update.service travelmathlite-verify.service\n"
        "console shell -v0 -c \"from django.db import connection; c = connection.cursor(); c.execute('SHOW jit'); "
        "print('jit', c.fetchone()[0], connection.settings_dict['PORT'])\""
    )
    assert done.returncode == 0, done.stdout
    assert f"jit off {machine.ports['pgbouncer']}" in done.stdout
