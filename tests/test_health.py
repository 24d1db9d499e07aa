"""How the console is, as monitors, load balancers and cron are told: each part in a sentence, and never a trace."""

import json
from collections import namedtuple
from datetime import timedelta
from io import StringIO
from tempfile import gettempdir

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from django_tasks_db.management.commands import db_worker

from apps.changesets.errors import RecordingNotInstalled
from apps.changesets.processes.progress import board, entry
from apps.changesets.recording.audit import Drift, note_drift
from apps.imports.runs.workers import SILENT_SECONDS, note_worker
from tests.admin.runs import make_run
from tests.admin.test_dashboard import kept_backup
from travelmathlite import health

pytestmark = pytest.mark.django_db
PARTS = ["database", "recording", "worker", "backup", "drift", "disk", "runs"]
FEW_QUERIES = 8


@pytest.fixture
def well():
    """A console of which every part is as it should be."""
    note_worker()
    kept_backup("b1", hours=3, proved=True)


@pytest.fixture
def down(monkeypatch):
    """A database that does not answer."""

    def fail():
        raise OperationalError("connection to server at 10.0.0.7, port 5432 failed: FATAL: no such user stan")

    monkeypatch.setattr(health, "_database", fail)


def told(*arguments):
    """Return the object that the command prints, and whether it exits 0."""
    out = StringIO()
    try:
        call_command("health", *arguments, "--json", stdout=out)
    except CommandError:
        return json.loads(out.getvalue()), False
    return json.loads(out.getvalue()), True


def message_of(part):
    return health.look_at_parts(*({part} - {"database"}))[part].message


def test_a_console_that_is_well_is_ready(well):
    answer, done = told()

    assert list(answer) == ["ok", *PARTS]
    assert done
    assert answer["ok"] is True
    assert all(answer[part]["ok"] and answer[part]["message"] for part in PARTS)


def test_a_part_that_needs_somebody_is_named_and_the_command_exits_1(well):
    board().delete(entry("worker"))

    answer, done = told()

    assert not done
    assert answer["ok"] is answer["worker"]["ok"] is False
    assert "python manage.py db_worker" in answer["worker"]["message"]
    with pytest.raises(CommandError, match=r"Not as it should be: worker\."):
        call_command("health", stdout=StringIO())


def test_live_looks_at_nothing(down, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert told("--live") == ({"ok": True}, True)


def test_a_database_that_is_down_leaves_the_others_not_known(down):
    answer, done = told()

    assert not done
    assert answer["database"] == {"ok": False, "message": "The database does not answer: the log says why."}
    assert {answer[part]["message"] for part in PARTS[1:]} == {"Not known."}


def test_a_part_that_cannot_be_looked_at_is_not_known(well, monkeypatch):
    monkeypatch.setattr(health.shutil, "disk_usage", lambda folder: {}["/srv/secret"])

    assert message_of("disk") == "Not known: the log says why."


def test_a_full_disk_is_told(monkeypatch):
    def fail():
        raise OperationalError("connection failed: FATAL: could not write file: No space left on device")

    monkeypatch.setattr(health, "_database", fail)

    assert message_of("database") == "The database has no room left: make room on its disk."


def test_tables_that_are_missing_lead_to_migrate(monkeypatch):
    def fail():
        raise OperationalError("no such table: imports_importrun")

    monkeypatch.setitem(health._LOOKS, "runs", fail)

    assert "python manage.py migrate" in health.look_at_parts()["database"].message


def test_recording_that_is_not_installed_is_told_without_the_table(monkeypatch):
    def refuse():
        raise RecordingNotInstalled("airports_airport or its history table does not exist.")

    monkeypatch.setattr(health, "require_recording", refuse)

    assert message_of("recording").startswith("The database does not record every change: run `python manage.py")


def test_a_worker_that_was_silent_for_long_is_gone(monkeypatch):
    note_worker()
    assert health.look_at_parts("worker")["worker"].ok
    later = health.worker_heard_of() + SILENT_SECONDS
    monkeypatch.setattr(health, "worker_heard_of", lambda: later)

    assert not health.look_at_parts("worker")["worker"].ok


@pytest.mark.parametrize(
    ("hours", "proved", "sentence"),
    [
        (3, True, "The newest verified backup is 3 hours old."),
        (30, True, "The newest verified backup is 1 day, 6 hours old: run"),
        (3, False, "There is no verified backup: run"),
    ],
)
def test_the_newest_verified_backup_is_younger_than_a_day(hours, proved, sentence):
    kept_backup("b1", hours=hours, proved=proved)

    assert message_of("backup").startswith(sentence)


def test_drift_is_told_as_last_looked_at():
    assert message_of("drift").startswith("History was not checked yet")
    call_command("audit_history", stdout=StringIO())

    assert message_of("drift").startswith(f"History is complete, checked at {timezone.localtime():%H:}")


def test_drift_that_a_look_brought_needs_somebody():
    note_drift(7, [Drift("airports.airport", changed=1)])

    assert message_of("drift").startswith("1 object differs from history, checked at")


def test_a_disk_with_little_room_needs_somebody(monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(health.shutil, "disk_usage", lambda folder: usage(10**9, 10**9 - 2**20, 2**20))

    assert (
        message_of("disk")
        == "The disk has only 1.0 MB free where the console writes: make room, or remove old backups."
    )


def test_imports_that_lost_their_worker_are_counted(operator):
    long_ago = timezone.now() - timedelta(hours=1)
    make_run(operator, status="running", started_at=long_ago)
    make_run(operator, status="approved", confirmed_at=long_ago)

    assert message_of("runs").startswith("2 imports have lost their worker")


def test_the_addresses_answer_what_the_command_prints(well):
    assert Client().get("/healthz").json() == {"ok": True}
    answer = Client().get("/readyz")

    assert answer.status_code == 200
    assert list(answer.json()) == ["ok", *PARTS]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_the_addresses_are_only_read_and_keep_nothing(well, path):
    assert Client().head(path).status_code == 200
    assert Client().post(path).status_code == 405
    answer = Client().get(path)
    assert not answer.cookies
    assert "no-store" in answer["Cache-Control"]


def test_the_addresses_answer_while_the_database_is_down(down, django_assert_num_queries):
    with django_assert_num_queries(0):
        live, ready = Client().get("/healthz"), Client().get("/readyz")

    assert (live.status_code, ready.status_code) == (200, 503)
    assert "10.0.0.7" not in ready.content.decode()
    assert "stan" not in ready.content.decode()


def test_strangers_read_no_path_and_no_name(operator):
    kept_backup("b1", hours=30, proved=True)
    make_run(operator, status="running", file_name="secret.csv", started_at=timezone.now() - timedelta(hours=1))

    text = Client().get("/readyz").content.decode()

    assert not [word for word in (gettempdir(), "secret.csv", "olga", "b1", "airport") if word in text]


def test_monitors_are_not_sent_to_https_and_hosts_are_checked(settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]
    settings.ALLOWED_HOSTS = ["console.example.com"]

    assert Client().get("/healthz", headers={"host": "console.example.com"}).status_code == 200
    assert Client().get("/admin/", headers={"host": "console.example.com"}).status_code == 301
    assert Client().get("/healthz", headers={"host": "evil.example.com"}).status_code == 400


def test_it_is_cheap(well, operator, django_assert_max_num_queries):
    for _ in range(20):
        make_run(operator)

    with django_assert_max_num_queries(FEW_QUERIES):
        Client().get("/readyz")


def test_a_worker_leaves_a_sign_of_life(monkeypatch):
    monkeypatch.setattr(db_worker.Worker, "run", lambda worker: None)

    call_command("db_worker", reload=False)

    assert health.look_at_parts("worker")["worker"].ok
