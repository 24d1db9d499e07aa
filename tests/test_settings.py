"""Settings come from the environment; what cannot be read, or is not safe to serve, stops the start with a sentence."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from travelmathlite.environment import read_address, read_email, read_or_make_secret
from travelmathlite.production import check_ready, refuse_unless_ready

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
OURS = ("DATABASE_URL", "DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "BACKUP_DIR", "TIME_ZONE", "DJANGO_SETTINGS_MODULE")
SECRET = "a secret that is long enough for the checks of Django to be content with it"
READY = {"SECRET_KEY": SECRET, "ALLOWED_HOSTS": "console.example.com"}
SHOW = (
    "from django.conf import settings as s;"
    "print(s.DEBUG, s.ALLOWED_HOSTS, s.DATABASES['default']['ENGINE'].split('.')[-1], s.DATABASES['default']['NAME'],"
    " s.TIME_ZONE, s.BACKUP_DIR, sep='|')"
)
# Most of such a test is the start of a process, so one opens both doors: each is there, or raises what would end it.
DOORS = """
from importlib import import_module
for door in ("wsgi", "asgi"):
    try:
        print(door, type(import_module(f"travelmathlite.{door}").application).__name__)
    except Exception as error:
        print(door, type(error).__name__, error)
"""


def python(code: str, **environment: str) -> subprocess.CompletedProcess:
    """Run `code` in a new Python at the root of the project, with none of our variables set but these."""
    clean = {key: value for key, value in os.environ.items() if key not in OURS}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**clean, "DJANGO_SETTINGS_MODULE": "travelmathlite.settings", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def shown(**environment: str) -> list[str]:
    """Return the settings that SHOW prints with this environment."""
    result = python(SHOW, **environment)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip().split("|")


@pytest.fixture
def collected(tmp_path: Path) -> str:
    """A folder that collectstatic has filled, as far as the start of a server looks."""
    (tmp_path / "staticfiles.json").write_text("{}")
    return str(tmp_path)


@pytest.fixture
def migrated(migrated_file: Path) -> str:
    """The address of a migrated SQLite database, which no test here changes."""
    return f"sqlite:///{migrated_file}"


def test_with_nothing_set_it_runs_for_development():
    assert shown() == ["True", "[]", "sqlite3", str(ROOT / "db.sqlite3"), "UTC", str(ROOT / "backups")]


def test_a_secret_alone_turns_debug_off():
    assert shown(SECRET_KEY=SECRET)[0] == "False"


def test_debug_asked_for_stays_on_beside_a_secret():
    assert shown(SECRET_KEY=SECRET, DEBUG="yes")[0] == "True"


def test_each_variable_is_read():
    assert shown(
        **READY, DATABASE_URL="postgres://ana@db:5432/console", TIME_ZONE="Europe/Zurich", BACKUP_DIR="/backups"
    ) == ["False", "['console.example.com']", "postgresql", "console", "Europe/Zurich", "/backups"]


def test_development_keeps_one_secret_that_nobody_else_may_read(tmp_path: Path):
    made = read_or_make_secret("NO_SUCH_VARIABLE", file=tmp_path / "secret")

    assert len(made) >= 50
    assert read_or_make_secret("NO_SUCH_VARIABLE", file=tmp_path / "secret") == made
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("DEBUG", "maybe", "DEBUG='maybe' is neither yes nor no: set it to true or false."),
        ("TIME_ZONE", "Mars/Olympus", "TIME_ZONE='Mars/Olympus' is no time zone: use a name such as Europe/Zurich."),
        ("DATABASE_URL", "mysql://db/console", "DATABASE_URL cannot be read: use sqlite:///"),
        ("DATABASE_URL", "console.sqlite3", "DATABASE_URL cannot be read: use sqlite:///"),
        ("DATABASE_URL", "sqlite://:memory:", "DATABASE_URL cannot be read: use sqlite:///"),
        ("DATABASE_URL", "postgres://db:port/console", "DATABASE_URL cannot be read: use sqlite:///"),
    ],
)
def test_a_value_that_cannot_be_read_stops_the_start_with_a_sentence(variable: str, value: str, sentence: str):
    result = python("import manage, sys; sys.argv = ['manage.py', 'check']; manage.main()", **{variable: value})

    assert result.returncode == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SECRET_IS_SET": False}, "SECRET_KEY is not set: a web server starts only with a secret of its own."),
        ({"ALLOWED_HOSTS": []}, "ALLOWED_HOSTS is not set: name the hosts to serve, separated by commas."),
        ({"DEBUG": True}, "DEBUG is on: a web server starts only with DEBUG off (leave it unset)."),
        ({"SECRET_KEY": SECRET[:49]}, "SECRET_KEY can be guessed: make one of 50 random characters or more"),
        ({"SECRET_KEY": f"django-insecure-{SECRET}"}, "SECRET_KEY can be guessed"),
        ({"ALLOWED_HOSTS": ["here", "*"]}, "ALLOWED_HOSTS is *, so anybody's name would be served"),
        ({"STATIC_ROOT": Path("/nowhere")}, "The static files are not collected, so no page would be shown: run"),
    ],
)
def test_what_must_be_set_before_serving(change: dict, sentence: str, settings, collected):
    backend = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    manifest = {**settings.STORAGES, "staticfiles": {"BACKEND": backend}}
    ready = {"SECRET_IS_SET": True, "SECRET_KEY": SECRET, "ALLOWED_HOSTS": ["here"], "DEBUG": False}
    ready |= {"STORAGES": manifest, "STATIC_ROOT": collected}
    for name, value in {**ready, **change}.items():
        setattr(settings, name, value)

    with pytest.raises(ImproperlyConfigured, match=re.escape(sentence)):
        refuse_unless_ready()
    assert [(told.id, sentence in told.msg) for told in check_ready()] == [("console.E001", True)]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"ALLOWED_HOSTS": " , "}, "ALLOWED_HOSTS is not set"),
        ({"STATIC_ROOT": "/nowhere"}, "The static files are not collected"),
    ],
)
def test_a_web_server_refuses_to_start(change: dict, sentence: str, migrated: str, collected: str):
    ready = {**READY, "DATABASE_URL": migrated, "DEBUG": "off", "STATIC_ROOT": collected}

    wsgi, asgi = python(DOORS, **ready | change).stdout.splitlines()

    assert wsgi.startswith(f"wsgi ImproperlyConfigured {sentence}")
    assert asgi.startswith(f"asgi ImproperlyConfigured {sentence}")


def test_a_web_server_starts_when_all_is_set(migrated: str, collected: str):
    result = python(DOORS, **READY, DATABASE_URL=migrated, STATIC_ROOT=collected)

    assert result.stdout.splitlines() == ["wsgi WSGIHandler", "asgi ASGIHandler"], result.stderr


def test_a_web_server_makes_requests_that_bear_any_name_of_an_encoding(migrated: str, collected: str):
    code = "from travelmathlite.wsgi import application; print(application.request_class.__name__)"

    result = python(code, **READY, DATABASE_URL=migrated, STATIC_ROOT=collected)

    assert result.stdout.strip() == "Utf8Request", result.stderr


def test_a_web_server_refuses_a_database_that_does_not_record(tmp_path: Path, collected: str):
    empty = f"sqlite:///{tmp_path / 'empty.sqlite3'}"

    wsgi, asgi = python(DOORS, **READY, DATABASE_URL=empty, STATIC_ROOT=collected).stdout.splitlines()

    assert wsgi.startswith("wsgi RecordingNotInstalled ")
    assert asgi.startswith("asgi RecordingNotInstalled ")


def test_the_checks_of_production_find_nothing(migrated: str, collected: str):
    arguments = "'manage.py', 'check', '--deploy', '--fail-level', 'WARNING', '--database', 'default'"

    ready = {**READY, "DATABASE_URL": migrated, "STATIC_ROOT": collected}
    result = python(f"import manage, sys; sys.argv = [{arguments}]; manage.main()", **ready)

    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout


def test_browsers_keep_the_name_in_their_lists_only_when_that_is_asked_for():
    code = "from django.conf import settings as s; print(s.SECURE_HSTS_PRELOAD, *s.SILENCED_SYSTEM_CHECKS)"

    assert python(code, **READY).stdout.split() == ["False", "security.W021"]
    assert python(code, **READY, HSTS_PRELOAD="yes").stdout.split() == ["True", "security.W021"]


def test_passwords_are_longer_where_others_can_reach_the_console():
    code = "from django.conf import settings as s; print(s.AUTH_PASSWORD_VALIDATORS[1]['OPTIONS']['min_length'])"

    assert python(code, **READY).stdout.strip() == "12"
    assert python(code).stdout.strip() == "8"


def test_whoever_tests_on_sqlite_tests_on_a_file_that_threads_can_open():
    result = python("from django.conf import settings as s; print(s.DATABASES['default']['TEST']['NAME'])")

    assert Path(result.stdout.strip()).suffix == ".sqlite3"


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [("", "localhost", 25, None), ("smtp+tls://stan:secret@mail.example.com:587", "mail.example.com", 587, True)],
)
def test_the_server_for_mail_is_one_address(monkeypatch, url, host, port, tls):
    monkeypatch.setenv("EMAIL_URL", url)

    read = read_email("EMAIL_URL")

    assert (read["EMAIL_HOST"], read["EMAIL_PORT"], read.get("EMAIL_USE_TLS")) == (host, port, tls)


def test_a_server_for_mail_that_cannot_be_read_stops_the_start(monkeypatch):
    monkeypatch.setenv("EMAIL_URL", "pigeon://secret")

    with pytest.raises(ImproperlyConfigured, match=r"EMAIL_URL cannot be read: use smtp://") as raised:
        read_email("EMAIL_URL")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("http", [False, True])
def test_an_address_that_is_not_https_stops_the_start_unless_allowed(monkeypatch, http):
    monkeypatch.setenv("ALERT_WEBHOOK", "http://10.0.0.7/secret")

    if http:
        assert read_address("ALERT_WEBHOOK", http=True) == "http://10.0.0.7/secret"
        return
    with pytest.raises(ImproperlyConfigured, match="ALERT_WEBHOOK is no address that begins with https://") as raised:
        read_address("ALERT_WEBHOOK", http=False)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("address", ["https://", "https://[::1/hook", "hook", "https://example.com:port/"])
def test_what_is_no_address_stops_the_start(monkeypatch, address):
    monkeypatch.setenv("ALERT_WEBHOOK", address)

    with pytest.raises(ImproperlyConfigured, match="is no address"):
        read_address("ALERT_WEBHOOK", http=True)
