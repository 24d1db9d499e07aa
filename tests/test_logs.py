"""A line of the log and a changeset carry the id of the request that made them, and Sentry hears no value."""

import json
import logging
import re
from types import SimpleNamespace

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.urls import reverse
from django_tasks.signals import task_finished, task_started

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from apps.changesets.processes.request_id import request_id
from tests.test_settings import READY, python
from travelmathlite.environment import read_choice
from travelmathlite.logs import WithRequestId
from travelmathlite.sentry import without_values


@pytest.fixture(autouse=True)
def no_request():
    """Leave no id to the next test."""
    yield
    request_id.set("")


def made(ident: str) -> Changeset:
    """Make an airport, and return its changeset."""
    with changeset(kind="edit", actor=None, reason="a test") as opened:
        Airport.objects.create(ident=ident, name=ident, airport_type="large_airport")
    return opened


def test_a_request_keeps_the_id_that_the_proxy_sent(client):
    answer = client.get("/healthz", headers={"X-Request-ID": "proxy-4711"})

    assert answer["X-Request-ID"] == "proxy-4711"
    assert not request_id.get(), "it is forgotten when the request is over"


@pytest.mark.parametrize("sent", ["", "a b", "x\x1b[31m", "x" * 65, "ü"])
def test_a_request_without_an_id_that_can_be_read_gets_one(client, sent):
    made = client.get("/healthz", headers={"X-Request-ID": sent})["X-Request-ID"]

    assert len(made) == 32
    assert made != client.get("/healthz")["X-Request-ID"]


@pytest.mark.django_db
def test_a_changeset_carries_the_request_that_made_it_and_is_found_by_it(browse_as, steward):
    page = browse_as(steward)

    request_id.set("proxy-4711")
    one = made("KDEN")
    request_id.set("")
    other = made("KBOS")

    assert (one.request_id, other.request_id) == ("proxy-4711", "")
    listed = page.get(reverse("admin:changesets_changeset_changelist"), {"q": "proxy-4711"}).content.decode()
    assert f"/{one.pk}/" in listed
    assert f"/{other.pk}/" not in listed
    shown = page.get(reverse("admin:changesets_changeset_change", args=[one.pk])).content.decode()
    assert "<dt>Request</dt><dd><code>proxy-4711</code></dd>" in shown


def test_what_a_worker_does_carries_the_id_of_its_task():
    task = SimpleNamespace(id="9d2a", task=SimpleNamespace(module_path="a.task"), status="RUNNING")

    task_started.send(sender=type(None), task_result=task)
    during = request_id.get()
    task_finished.send(sender=type(None), task_result=task)

    assert (during, request_id.get()) == ("9d2a", "")


def test_a_line_of_text_has_the_id_of_its_request(settings):
    line = logging.makeLogRecord({"msg": "Not Found", "levelname": "WARNING", "name": "django.request"})
    request_id.set("proxy-4711")

    WithRequestId().filter(line)

    form = settings.LOGGING["formatters"]["text"]
    written = logging.Formatter(form["format"], style=form["style"]).format(line)
    assert written.endswith(" WARNING django.request [proxy-4711]: Not Found")


@pytest.mark.parametrize(("error", "written"), [(OperationalError("gone"), False), (ValueError("odd"), True)])
def test_the_trace_of_a_failing_database_is_left_to_the_page_of_it(error, written):
    line = logging.makeLogRecord({"name": "django.request", "exc_info": (type(error), error, None)})

    assert WithRequestId().filter(line) is written


@pytest.mark.once
def test_a_line_of_json_is_one_object():
    code = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "Client(headers={'X-Request-ID': 'proxy-4711'}).post('/healthz', secure=True, HTTP_HOST='console.example.com')"
    )

    said = json.loads(python(code, **READY, LOG_FORMAT="json").stderr.splitlines()[-1])

    assert said.pop("time")
    assert said == {
        "level": "WARNING",
        "logger": "django.request",
        "message": "Method Not Allowed (POST): /healthz",
        "request_id": "proxy-4711",
        "status_code": 405,
    }


def test_a_form_of_the_log_that_is_not_known_stops_the_start(monkeypatch):
    monkeypatch.setenv("LOG_FORMAT", "xml")

    with pytest.raises(ImproperlyConfigured, match="LOG_FORMAT='xml' is not known: set it to text or json"):
        read_choice("LOG_FORMAT", choices=("text", "json"), default="text")


# What a process tells Sentry after a failure of the database with values, a line with values and a local variable.
FAILING = """
import django, logging, sentry_sdk
django.setup()
from django.test import Client
from django.db import connection
told = []
sentry_sdk.get_client().transport.capture_envelope = lambda envelope: told.extend(envelope.items)
from django.urls import path
from travelmathlite import urls
def view(request):
    secret_local = "secret-" + "local"
    with connection.cursor() as cursor:
        cursor.execute("SELECT 'secret-sql' FROM nowhere WHERE name = %s", ["secret-param"])
urls.urlpatterns.append(path("broken", view))
Client(raise_request_exception=False, headers={"X-Request-ID": "proxy-4711"}).post(
    "/broken?q=secret-query", {"name": "secret-body"}, secure=True, HTTP_HOST="console.example.com",
    HTTP_COOKIE="other=secret-cookie",
)
logging.getLogger("apps").error("it was %s", "secret-argument")
try:
    raise ValueError("secret-message")
except ValueError as error:
    sentry_sdk.capture_exception(error)
for item in told:
    print(item.get_bytes().decode())
"""


@pytest.mark.once
def test_sentry_hears_where_it_failed_and_no_value(tmp_path):
    empty = f"sqlite:///{tmp_path / 'empty.sqlite3'}"

    result = python(FAILING, **READY, DEBUG="on", SENTRY_DSN="http://key@127.0.0.1:9/1", DATABASE_URL=empty)

    assert result.returncode == 0, result.stderr
    assert '"request_id": "proxy-4711"' in result.stdout.replace('":"', '": "')
    assert "ValueError" in result.stdout
    assert "OperationalError" in result.stdout
    # Lines of the code are told as they stand there; Python 3.13 knows those of `-c`, too.
    assert "secret-" not in re.sub(r'"context_line":\s*"(?:[^"\\]|\\.)*"', "", result.stdout)


def test_of_a_line_sentry_hears_the_words_that_stand_in_the_code():
    event = {"level": "error", "logentry": {"message": "it was %s", "params": ["Olga"]}, "request": {"data": "Olga"}}

    assert without_values(event, {}) == {"level": "error", "logentry": {"message": "it was %s"}}


@pytest.mark.once
def test_without_its_address_sentry_is_not_even_imported():
    result = python("import django, sys; django.setup(); print('sentry_sdk' in sys.modules)", **READY)

    assert result.stdout.strip() == "False"


@pytest.mark.once
@pytest.mark.parametrize(
    ("before", "dsn", "sentence"),
    [
        ("import sys; sys.modules['sentry_sdk'] = None;", "http://key@127.0.0.1:9/1", "sentry-sdk is not installed"),
        ("", "secret", "SENTRY_DSN cannot be read"),
    ],
)
def test_sentry_that_cannot_be_told_stops_the_start(before, dsn, sentence):
    code = f"{before}import manage, sys; sys.argv = ['manage.py', 'check']; manage.main()"

    result = python(code, **READY, SENTRY_DSN=dsn)

    assert result.returncode == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr + dsn
