"""demo: from nothing to a console with airports, and again without harm."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from unittest import mock

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command

from apps.airports.models import Airport
from tests.conftest import ROOT


@pytest.fixture
def debug(settings) -> None:
    settings.DEBUG = True


@pytest.fixture
def small_import() -> Iterator[mock.Mock]:
    """Instead of migrating and importing 73,623 airports, make one; the whole of it is run by .ci/run."""

    def called(name: str, *args: object, **options: object) -> None:
        if name == "import_airports":
            Airport.objects.create(ident="LSZH", name="Zürich", airport_type="large_airport")

    with mock.patch("apps.airports.management.commands.demo.call_command", side_effect=called) as calls:
        yield calls


def demo(*arguments: str) -> tuple[str, str]:
    """Run the command and return what it wrote to stdout and stderr."""
    out, err = StringIO(), StringIO()
    call_command("demo", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def names_called(calls: mock.Mock) -> list[str]:
    return [call.args[0] for call in calls.call_args_list]


def printed_password(text: str) -> str:
    return text.partition("Password: ")[2].split()[0]


@pytest.mark.django_db
def test_it_prepares_everything_and_says_where_to_log_in(debug, small_import):
    out, _ = demo("--no-server")

    assert names_called(small_import) == ["migrate", "import_airports"]
    assert small_import.call_args_list[1].kwargs["bundled"] is True
    assert "Log in at http://127.0.0.1:8000/admin/ as admin" in out
    assert authenticate(username="admin", password=printed_password(out)).is_superuser
    assert Group.objects.filter(name="steward").exists()


@pytest.mark.django_db
def test_again_it_finds_everything_in_place(debug, small_import):
    first, _ = demo("--no-server")

    out, _ = demo("--no-server")

    assert names_called(small_import).count("import_airports") == 1
    assert "Airports are here already; nothing to import." in out
    assert "Password" not in out
    assert "`python manage.py changepassword admin` sets a new password." in out
    assert authenticate(username="admin", password=printed_password(first))


@pytest.mark.django_db
def test_json_is_one_object_and_the_password_goes_to_the_person(debug, small_import):
    out, err = demo("--no-server", "--json", "--port", "8123")

    assert json.loads(out) == {"airports": 1, "countries": 0, "cities": 0, "url": "http://127.0.0.1:8123/admin/"}
    assert authenticate(username="admin", password=printed_password(err))


@pytest.fixture
def no_worker() -> Iterator[mock.Mock]:
    with mock.patch("apps.airports.demo.subprocess.Popen") as started:
        yield started


@pytest.mark.django_db
def test_a_worker_starts_beside_the_server_and_stops_with_it(debug, small_import, no_worker):
    with mock.patch("apps.airports.management.commands.demo.is_taken", return_value=False):
        out, _ = demo()

    assert no_worker.call_args.args[0][-2:] == ["db_worker", "--no-reload"]
    assert no_worker.return_value.terminate.called
    assert "A worker for large imports runs beside the server, and stops with it" in out


@pytest.mark.django_db
def test_without_a_server_there_is_no_worker(debug, small_import, no_worker):
    out, _ = demo("--no-server")

    assert not no_worker.called
    assert "worker" not in out


@pytest.mark.once
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["terminated", "Ctrl-C"])
def test_the_worker_does_not_outlive_what_started_it(tmp_path, number):
    script = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # CI's shell may have it ignored
        "import os, django; django.setup(); from apps.airports.demo import worker_beside; import time\n"
        "with worker_beside() as worker:\n    print(worker.pid, flush=True)\n    time.sleep(60)"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "travelmathlite.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'demo.sqlite3'}",
    }
    command = [sys.executable, "-c", script]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as demo:
        worker = int(demo.stdout.readline())

        demo.send_signal(number)
        demo.wait(timeout=30)

    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


@pytest.mark.django_db
def test_the_server_listens_on_the_loopback_address_only(debug, small_import, no_worker):
    with mock.patch("apps.airports.management.commands.demo.is_taken", return_value=False):
        demo("--port", "8123")

    assert small_import.call_args.args == ("runserver", "127.0.0.1:8123")
    assert small_import.call_args.kwargs["use_reloader"] is False


@pytest.mark.django_db
def test_it_is_refused_outside_debug(small_import):
    with pytest.raises(CommandError, match="for development only: it runs with DEBUG on"):
        demo("--no-server")

    assert not small_import.called
    assert not User.objects.exists()


def test_a_taken_port_is_told_before_anything_is_done(debug, small_import):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(CommandError, match=f"Port {port} is taken by another program"):
            demo("--port", str(port))

    assert not small_import.called


def test_a_number_that_is_no_port_is_refused(debug, small_import):
    with pytest.raises(CommandError, match="70000 is no port"):
        demo("--port", "70000")
