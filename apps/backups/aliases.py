"""Databases beside the live one: scratch databases, and those that a URL names."""

import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import load_backend

from apps.backups.catalogue.folder import SCRATCH_FOLDER
from apps.backups.errors import DatabaseBusy, NotFresh, RestoreFailed, UnknownTarget

SCRATCH = "_scratch"
# What is typed wrongly is no file: it has a folder, or ends like a database.
_FILE = re.compile(r"/|\.(sqlite3?|db3?)$", re.IGNORECASE)
_URLS = ("sqlite://", "postgres://", "postgresql://")


@contextmanager
def alias_of(settings: dict[str, Any]) -> Iterator[str]:
    """Give a temporary alias of a database that only this thread has."""
    alias = f"apart-{secrets.token_hex(4)}"
    connections[alias] = _connection(settings, alias)
    try:
        yield alias
    finally:
        connections[alias].close()
        del connections[alias]


def _connection(settings: dict[str, Any], alias: str) -> BaseDatabaseWrapper:
    settings = {**settings, "OPTIONS": {k: v for k, v in settings.get("OPTIONS", {}).items() if k != "pool"}}
    known = connections.configure_settings({"default": connections.settings["default"], alias: settings})[alias]
    return load_backend(known["ENGINE"]).DatabaseWrapper(known, alias)


@contextmanager
def sqlite_file(file: Path) -> Iterator[str]:
    """Give the alias of a SQLite database in this file; it has the options of the live database if that is SQLite."""
    live = connections.settings["default"]
    settings = live if "sqlite" in live["ENGINE"] else {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": {}}
    with alias_of({**settings, "NAME": str(file), "TEST": {}}) as alias:
        yield alias


@contextmanager
def scratch_postgresql(using: str) -> Iterator[str]:
    """Give the alias of an empty database beside `using` on its server, which is dropped at the end.

    It has one name, so the next use removes what a killed process left. Raises DatabaseBusy while another process has
    it, and RestoreFailed where the role may not make databases.
    """
    settings = connections[using].settings_dict
    name = f"{settings['NAME'][:50]}{SCRATCH}"
    quoted = connections[using].ops.quote_name(name)
    with _server(using) as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [name])
        if not cursor.fetchone()[0]:
            raise DatabaseBusy("Another backup is being verified on this server: wait for that, and try again.")
        _make(cursor, quoted)
        try:
            with alias_of({**settings, "NAME": name}) as alias:
                yield alias
        finally:
            cursor.execute(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)")


def _make(cursor: Any, quoted: str) -> None:
    try:
        cursor.execute(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {quoted} TEMPLATE template0")
    except DatabaseError as error:
        message = str(error).splitlines()[0]
        raise RestoreFailed(
            f"The database {quoted} cannot be made ({message}): give the console's role the right with "
            "ALTER ROLE ... CREATEDB, or make it yourself."
        ) from error


@contextmanager
def _server(using: str) -> Iterator[Any]:
    """Give a cursor on the server that is connected to none of our databases."""
    apart = _connection(connections[using].settings_dict, using)
    try:
        with apart._nodb_cursor() as cursor:
            yield cursor
    except DatabaseError as error:
        raise RestoreFailed(f"The server cannot be asked: {str(error).splitlines()[0]}.") from error
    finally:
        apart.close()


def engine_of(target: str) -> str:
    """Return the engine of a file or URL to restore into; raises UnknownTarget for anything else."""
    _settings_of(target)
    return "postgresql" if target.startswith(("postgres://", "postgresql://")) else "sqlite"


def without_password(target: str) -> str:
    """Return a URL without its password."""
    parts = urlsplit(target)
    if parts.password is None:
        return target
    return parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":***@")).geturl()


@contextmanager
def elsewhere(target: str) -> Iterator[str]:
    """Give the alias of a new database at a file or URL; it is removed when the block fails.

    Raises UnknownTarget for anything else, and NotFresh when the target holds data already.
    """
    settings = _settings_of(target)
    if engine_of(target) == "sqlite":
        with _fresh_file(Path(settings["NAME"])) as alias:
            yield alias
        return
    quoted = connections["default"].ops.quote_name(settings["NAME"])
    with alias_of({**settings, "OPTIONS": {"options": "-c jit=off"}}) as alias:
        with _server(alias) as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [settings["NAME"]])
            made = cursor.fetchone() is None
            if made:
                _make(cursor, quoted)
        if connections[alias].introspection.table_names():
            raise NotFresh(f"The database {settings['NAME']} holds tables already: name one that is not there yet.")
        try:
            yield alias
        except BaseException:
            connections[alias].close()
            if made:
                with _server(alias) as cursor:
                    cursor.execute(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)")
            raise


@contextmanager
def _fresh_file(file: Path) -> Iterator[str]:
    if file.exists() and file.stat().st_size:
        raise NotFresh(f"{file} is there already, and nothing is overwritten: name a file that is not there yet.")
    if not file.parent.is_dir():
        raise UnknownTarget(f"There is no folder {file.parent}: make it, or name a file in another one.")
    # It gets its name only when it is complete.
    with tempfile.TemporaryDirectory(prefix=SCRATCH_FOLDER, dir=file.parent) as folder:
        partial = Path(folder) / file.name
        with sqlite_file(partial) as alias:
            yield alias
        partial.rename(file)


def _settings_of(target: str) -> dict[str, Any]:
    if "://" not in target and _FILE.search(target):
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(Path(target).absolute())}
    refusal = UnknownTarget(
        f"{without_password(target)} is no place to restore into: name a file such as restored.sqlite3, or a URL such "
        "as sqlite:////path/to/file.sqlite3 or postgres://user:password@host:5432/name."
    )
    if not target.startswith(_URLS):
        raise refusal
    try:
        settings = environ.Env.db_url_config(target)
    except (ImproperlyConfigured, ValueError, KeyError) as error:
        raise refusal from error
    if not settings.get("NAME") or settings["NAME"] == ":memory:":
        raise refusal
    return settings
