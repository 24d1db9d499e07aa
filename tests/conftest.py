"""Infrastructure of the tests: named people, a browser. What is tested stays in the test files."""

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from django.apps import apps
from django.conf import settings as console
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models import AutoField
from django.test import Client, TransactionTestCase
from django_tasks_db.management.commands import db_worker
from hypothesis import HealthCheck
from hypothesis import settings as properties
from playwright.sync_api import expect

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
# Chromium's own background traffic has nowhere to go on a closed network, and root may not use its sandbox.
CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PASSWORD = "a password for tests only"
# Milliseconds that a browser test waits for a state: what never comes is the exception.
PATIENCE = 30_000
STAYING = ("django_content_type", "auth_permission")
CATALOGS = ("pg_attribute", "pg_class", "pg_depend", "pg_index", "pg_statistic", "pg_type")
# The gate draws a few examples, the same ones for the same tree, so that it fails only for what was changed;
# `--hypothesis-profile thorough` draws many new ones.
SLOWLY_DRAWN = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
# On PostgreSQL these are the first half of what is shown on SQLite: there each takes several times as long.
ON_POSTGRESQL = console.DATABASES["default"]["ENGINE"].endswith("postgresql")
for profile, examples in {"quick": 10 if ON_POSTGRESQL else 20, "thorough": 400}.items():
    properties.register_profile(
        profile,
        max_examples=examples,
        derandomize=profile == "quick",
        deadline=None,
        suppress_health_check=SLOWLY_DRAWN,
    )
properties.load_profile("quick")


def pytest_configure(config: pytest.Config) -> None:
    """Keep the options of this run from the processes that tests start: some run pytest."""
    for name in ("PYTEST_ADDOPTS", "PYTHONPATH"):
        os.environ.pop(name, None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run browser tests last, and skip them where there is no browser unless REQUIRE_BROWSER says there must be.

    On PostgreSQL, skip what the run on SQLite has shown.
    """
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
    if ON_POSTGRESQL:
        for item in items:
            if item.get_closest_marker("once"):
                item.add_marker(pytest.mark.skip(reason="it is the same on both: the run on SQLite shows it"))
    if CHROMIUM or os.environ.get("REQUIRE_BROWSER"):
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="no Chromium here: install Debian's package chromium"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look for garbage less often, and not among what was imported: it takes an eighth of the time of a test."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


_finished = count(1)


def pytest_runtest_logfinish() -> None:
    """Sweep PostgreSQL's catalogs and our tables after each fifty tests, as autovacuum does where it is on.

    Each test makes and drops temporary tables. What is left of them in the catalogs (after 2,000 tests 148 MB of
    columns) makes each statement that looks a table up slower. What was rolled back stays in the tables, too (10 MB
    of permissions of groups), and whoever counts rows reads it all.
    """
    if not ON_POSTGRESQL or next(_finished) % 50 or not connection.settings_dict["NAME"].startswith("test_"):
        return
    with connection.Database.connect(**connection.get_connection_params(), autocommit=True) as server:
        found = server.execute("SELECT quote_ident(relname) FROM pg_stat_user_tables WHERE n_dead_tup > 100").fetchall()
        server.execute(f"VACUUM (SKIP_LOCKED) {', '.join([*CATALOGS, *(name for (name,) in found)])}")


@pytest.fixture(autouse=True)
def files_of_its_own(request: pytest.FixtureRequest) -> None:
    """Give each test that touches the database its own folders for backups, and for files and progress of imports."""
    if "db" not in request.fixturenames and request.node.get_closest_marker("django_db") is None:
        return
    settings, folder = request.getfixturevalue("settings"), request.getfixturevalue("tmp_path")
    # A second of work for each password is for those who guess them.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.BACKUP_DIR = folder / "backups"
    imports = {**settings.STORAGES["imports"], "OPTIONS": {"location": folder / "imports"}}
    settings.STORAGES = {**settings.STORAGES, "imports": imports}
    progress = {**settings.CACHES["progress"], "LOCATION": str(folder / "progress")}
    figures = {**settings.CACHES["figures"], "LOCATION": str(folder / "figures")}
    settings.CACHES = {**settings.CACHES, "progress": progress, "figures": figures}


@pytest.fixture(scope="session", autouse=True)
def no_shared_connection() -> Iterator[None]:
    """Fail a test that lets threads share a connection: each writes in the transactions of the others.

    Two threads that execute on one SQLite connection at once end the process with a segmentation fault.
    """

    def refuse(self: BaseDatabaseWrapper) -> None:
        pytest.fail(
            f"Threads would share the connection {self.alias!r} to {self.settings_dict['NAME']}: "
            "work on a database in a file, to which each thread opens a connection of its own."
        )

    with patch.object(BaseDatabaseWrapper, "inc_thread_sharing", refuse):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Let no commit wait for the disk: no test switches the machine off."""
    settings = connection.settings_dict
    if connection.vendor == "postgresql":
        settings["OPTIONS"]["options"] += " -c synchronous_commit=off"
    else:
        settings["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Count on from a thousand: a page that writes a key with a separator, as it writes amounts, is found out."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table, key = model._meta.db_table, model._meta.pk
            if not isinstance(key, AutoField):
                continue
            if connection.vendor == "sqlite":
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, 1000)", [table])
            else:
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s), 1000)", [table, key.column])


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    """Empty the tables after a test by DELETE: TRUNCATE makes PostgreSQL write new files, which takes a second.

    The types of content and the permissions stay: no test changes them, and to make them anew takes longer than most.
    """

    def sql_flush(self: BaseDatabaseOperations, style: Any, tables: list[str], **options: Any) -> list[str]:
        return [f"DELETE FROM {self.quote_name(table)}" for table in tables if table not in STAYING]

    def teardown(self: TransactionTestCase) -> None:
        with (
            patch.object(type(connection.ops), "sql_flush", sql_flush),
            patch("django.core.management.commands.flush.emit_post_migrate_signal"),
        ):
            original(self)

    original = TransactionTestCase._fixture_teardown
    with patch.object(TransactionTestCase, "_fixture_teardown", teardown):
        yield


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database that is migrated and empty, for processes of their own to work on a copy of."""
    file = tmp_path_factory.mktemp("migrated") / "console.sqlite3"
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{file}"}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    return file


# -- people ------------------------------------------------------------------------------------------------------

# The names of what each group may do, once `create_groups` has worked it out: keys change where a test migrates back.
GRANTED: dict[str, list[str]] = {}


def make_groups() -> None:
    """Make the groups as `create_groups` does, in a tenth of its time."""
    from apps.airports.groups import create_groups

    if not GRANTED:
        create_groups()
        for group in Group.objects.all():
            names = group.permissions.values_list("content_type__app_label", "codename")
            GRANTED[group.name] = [f"{app}.{codename}" for app, codename in names]
        return
    Group.objects.bulk_create([Group(name=name) for name in GRANTED])
    with connection.cursor() as cursor:
        for group_name, names in GRANTED.items():
            cursor.execute(
                "INSERT INTO auth_group_permissions (group_id, permission_id) SELECT g.id, p.id"
                " FROM auth_group g, auth_permission p JOIN django_content_type c ON c.id = p.content_type_id"
                f" WHERE g.name = %s AND c.app_label || '.' || p.codename IN ({', '.join(['%s'] * len(names))})",
                [group_name, *names],
            )


@pytest.fixture
def make_person(db: None) -> Callable[..., User]:
    """Return a function that makes a staff user `name`, member of `group` unless it is None."""

    def make(name: str, *, group: str | None) -> User:
        if not Group.objects.exists():
            make_groups()
        person = User.objects.create_user(name, password=PASSWORD, is_staff=True)
        if group:
            person.groups.add(Group.objects.get(name=group))
        return person

    return make


@pytest.fixture
def viewer(make_person: Callable[..., User]) -> User:
    """Vera, who may look at everything and change nothing."""
    return make_person("vera", group="viewer")


@pytest.fixture
def operator(make_person: Callable[..., User]) -> User:
    """Olga, who edits and imports."""
    return make_person("olga", group="importer")


@pytest.fixture
def steward(make_person: Callable[..., User]) -> User:
    """Stan, who may also delete and revert."""
    return make_person("stan", group="steward")


@pytest.fixture
def outsider(make_person: Callable[..., User]) -> User:
    """Otto, who may enter the admin and nothing else."""
    return make_person("otto", group=None)


def begin_session(person: User) -> str:
    """Write a session of a person, with what a log-in notes in it, and return its key."""
    from apps.accounts.idle import note_login
    from apps.accounts.second_factor import note_due

    store = SessionStore()
    store[SESSION_KEY] = str(person.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = person.get_session_auth_hash()
    for note in (note_login, note_due):
        note(sender=User, request=SimpleNamespace(session=store), user=person)
    store.create_model_instance(dict(store.items())).save(force_insert=True)
    return store.session_key


@pytest.fixture
def browse_as() -> Callable[[User], Client]:
    """Return a function that gives a test client logged in as a person: it writes the session, and takes no log-in.

    To log in asks the database nineteen times, and has tests of its own.
    """

    def browse(person: User) -> Client:
        client = Client()
        client.cookies[console.SESSION_COOKIE_NAME] = begin_session(person)
        return client

    return browse


# -- browser -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_in_playwright() -> Iterator[None]:
    """Let the ORM be called while Playwright's event loop runs in this thread; browser tests come last for that."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)


@pytest.fixture(scope="session")
def base_url() -> None:
    """Stand in for the plugins' own fixture: none of our pages is opened by a relative address."""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict, django_in_playwright: None) -> dict:
    """Drive Debian's Chromium: Playwright's own builds are not in any package registry."""
    # A page of a busy machine may take longer than the five seconds that `expect` waits otherwise.
    expect.set_options(timeout=PATIENCE)
    return {**browser_type_launch_args, "executable_path": CHROMIUM or "/usr/bin/chromium", "args": [*CHROMIUM_ARGS]}


@pytest.fixture
def log_in(live_server, page, browse_as) -> Callable[[User], None]:
    """Return a function that gives the browser a person's session; how one gets it has a test of its own."""

    def enter(person: User) -> None:
        session = browse_as(person).cookies[console.SESSION_COOKIE_NAME]
        page.context.add_cookies([{"name": session.key, "value": session.value, "url": live_server.url}])

    return enter


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that lets a worker do all there is to do now, in the transaction of the test."""
    monkeypatch.setattr(db_worker, "close_old_connections", lambda: None)

    def run() -> None:
        db_worker.Worker(
            queue_names=["*"], excluded_queue_names=[], interval=0, batch=True, backend_name="default",
            startup_delay=False, max_tasks=None, worker_id="a test",
        ).run()  # fmt: skip

    return run
