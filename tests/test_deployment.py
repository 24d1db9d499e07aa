"""What is deployed fits together: units, environment file, caches that machines share, and the checks of it."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from tests.servers import redis_server
from tests.test_settings import READY, python
from travelmathlite import deployment
from travelmathlite.caching import caches_of
from travelmathlite.environment import read_database, read_number, read_redis

ROOT = Path(__file__).resolve().parent.parent
UNITS = ROOT / "deploy" / "systemd"
SERVICES = {unit.name: unit.read_text(encoding="utf-8") for unit in UNITS.glob("*.service")}
once = pytest.mark.once


def warned(code: str, **options) -> list[str]:
    """Return the sentences of a check with this code."""
    return [message.msg for message in run_checks(include_deployment_checks=True, **options) if message.id == code]


@once
def test_each_unit_runs_the_python_of_the_environment_with_a_file_that_must_be_there():
    common = (UNITS / "travelmathlite-.service.d" / "console.conf").read_text(encoding="utf-8")

    assert "\nEnvironmentFile=/etc/travelmathlite.env\n" in common
    assert "\nUser=console\n" in common
    assert len(SERVICES) == 10
    for text in SERVICES.values():
        (command,) = re.findall(r"^ExecStart=(.*)$", text, re.M)
        assert command.startswith("/srv/travelmathlite/.venv/bin/python ")


@once
def test_each_timer_has_its_service_and_each_job_its_timer():
    timers = {unit.stem for unit in UNITS.glob("*.timer")}

    assert timers == {name.removesuffix(".service") for name, text in SERVICES.items() if "Type=oneshot" in text}


@once
def test_the_database_of_the_file_is_the_socket_of_postgresql(monkeypatch):
    file = (ROOT / "deploy" / "travelmathlite.env").read_text(encoding="utf-8")
    monkeypatch.setenv("DATABASE_URL", re.search(r"^DATABASE_URL='(.*)'$", file, re.M)[1])

    read = read_database("DATABASE_URL", default="")

    assert (read["HOST"], read["USER"], read["NAME"]) == ("/var/run/postgresql", "console", "travelmathlite")


@once
def test_files_are_where_the_environment_says():
    code = "from django.conf import settings as s; print(s.VAR_DIR, s.STORAGES['imports']['OPTIONS']['location'])"

    assert python(code, **READY, VAR_DIR="/shared").stdout.split() == ["/shared", "/shared/imports"]


@once
@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5"])
def test_a_number_that_is_none_stops_the_start(monkeypatch, value):
    monkeypatch.setenv("WEB_CONCURRENCY", value)

    with pytest.raises(ImproperlyConfigured, match="is no whole number above zero"):
        read_number("WEB_CONCURRENCY", default=1, least=1)


@once
def test_an_address_of_no_redis_stops_the_start_and_is_not_shown(monkeypatch):
    monkeypatch.setenv("CACHE_URL", "memcached://:secret@cache")

    with pytest.raises(ImproperlyConfigured, match="CACHE_URL cannot be read: use redis://") as raised:
        read_redis("CACHE_URL")
    assert "secret" not in str(raised.value)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """The address of a Redis server of the test's own."""
    with redis_server(tmp_path) as address:
        yield address


@once
def test_processes_share_progress_through_redis_and_only_one_of_two_is_first(redis: str, settings, tmp_path):
    settings.CACHES = caches_of(redis, folder=tmp_path)
    from apps.changesets.processes.progress import board

    assert [board().add("turn", "one"), board().add("turn", "two")] == [True, False]
    code = (
        "import django; django.setup()\n"
        "from apps.changesets.processes.progress import board; print(board().get('turn'))"
    )
    assert python(code, **READY, CACHE_URL=redis).stdout.strip() == "one"
    assert not list(tmp_path.glob("progress*"))


@once
@pytest.mark.parametrize(
    ("host", "url", "warns"),
    [
        ("db.example.com", "", True),
        ("db.example.com", "redis://cache", False),
        ("", "", False),
        ("localhost", "", False),
        ("/var/run/postgresql", "", False),
    ],
)
def test_a_cache_in_files_beside_a_database_elsewhere_is_warned_of(monkeypatch, tmp_path, host, url, warns):
    there = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": host}}
    settings = SimpleNamespace(CACHES=caches_of(url, folder=tmp_path), DATABASES=there)
    monkeypatch.setattr(deployment, "settings", settings)

    sentences = [message.msg for message in deployment.check_shared_cache()]

    expected = f"PostgreSQL is on another machine ({host}), and progress is told in files of this one."
    assert sentences == ([expected] if warns else [])


@once
@pytest.mark.parametrize("backend", ["locmem.LocMemCache", "dummy.DummyCache"])
def test_a_cache_that_no_other_process_sees_is_warned_of(settings, backend):
    settings.CACHES = {**settings.CACHES, "progress": {"BACKEND": f"django.core.cache.backends.{backend}"}}

    assert warned("deployment.W001") == ["Progress is told in the memory of each process alone."]


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no other machines")
def test_another_machine_at_the_database_of_this_one_is_warned_of_without_a_shared_cache(settings, tmp_path):
    assert warned("deployment.W003", databases=["default"]) == []
    with connection.cursor() as cursor:
        # What PostgreSQL tells of its sessions, and two more.
        cursor.execute(
            """
            SET LOCAL search_path = pg_temp, pg_catalog, public;
            CREATE TEMPORARY VIEW pg_stat_activity AS
            SELECT datname, usename, client_addr FROM pg_catalog.pg_stat_activity
            UNION ALL SELECT current_database(), current_user, '10.0.0.7'::inet
            UNION ALL SELECT current_database(), 'another role', '10.0.0.8'
            """
        )
    sentence = "Other machines use this database (10.0.0.7), and progress is told in files of this one."
    assert warned("deployment.W003", databases=["default"]) == [sentence]

    settings.CACHES = caches_of("redis://cache", folder=tmp_path)
    assert warned("deployment.W003", databases=["default"]) == []


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite counts no connections")
@pytest.mark.parametrize(("processes", "warns"), [(1, False), (1000, True)])
def test_more_connections_than_postgresql_allows_are_warned_of(settings, processes, warns):
    settings.WEB_PROCESSES = processes

    assert bool(warned("deployment.W002", databases=["default"])) == warns
    assert deployment.connections_needed() == processes * 8 + 10


@once
def test_the_checks_are_made_for_deployment_only():
    assert "deployment.W001" not in {message.id for message in run_checks()}


@once
def test_the_context_of_the_image_holds_no_secret_and_no_database():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert ignored[0] == "*", "what is not named is left out"
    kept = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert all((ROOT / name).exists() for name in kept)
    image = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER (?!root)\w+$", image, re.M)


@once
def test_proxy_and_web_server_meet_at_one_address():
    site, server = ((ROOT / "deploy" / name).read_text(encoding="utf-8") for name in ("nginx.conf", "gunicorn.conf.py"))
    proxied = re.search(r"proxy_pass http://([\d.:]+);", site)[1]
    bound = re.search(r'^bind = "(.*)"$', server, re.M)[1]

    assert proxied == bound
    assert urlsplit(f"//{bound}").hostname == "127.0.0.1"
