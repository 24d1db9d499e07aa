"""Typed readers of environment variables that stop the start with one sentence when a value cannot be read."""

import hashlib
import ipaddress
import os
import secrets
import zoneinfo
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})


def read_bool(name: str, *, default: bool) -> bool:
    """Return the truth of environment variable `name`, or `default` when it is unset or empty.

    Raises ImproperlyConfigured for a word that is neither a yes nor a no.
    """
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in TRUE_WORDS:
        return True
    if value in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name}={os.environ[name]!r} is neither yes nor no: set it to true or false.")


def read_list(name: str) -> list[str]:
    """Return the comma-separated words of environment variable `name`."""
    return [word.strip() for word in os.environ.get(name, "").split(",") if word.strip()]


def read_number(name: str, *, default: int, least: int = 0) -> int:
    """Return the whole number in environment variable `name`; raises ImproperlyConfigured for any other."""
    value = os.environ.get(name, "").strip() or str(default)
    if not (value.isascii() and value.isdecimal() and len(value) <= 9 and int(value) >= least):
        kind = "whole number above zero" if least else "whole number"
        raise ImproperlyConfigured(f"{name}={value!r} is no {kind}: set it to one, such as {default}.")
    return int(value)


def read_limit(name: str) -> int | None:
    """Return the whole number in environment variable `name`, None without one; raises ImproperlyConfigured."""
    return read_number(name, default=0) if os.environ.get(name, "").strip() else None


def read_choice(name: str, *, choices: tuple[str, ...], default: str) -> str:
    """Return the word in environment variable `name`; raises ImproperlyConfigured for one that is no choice."""
    value = os.environ.get(name, "").strip().lower() or default
    if value not in choices:
        words = f"{', '.join(choices[:-1])} or {choices[-1]}"
        raise ImproperlyConfigured(f"{name}={value!r} is not known: set it to {words}.")
    return value


def read_networks(name: str) -> list[str]:
    """Return the addresses and networks in environment variable `name`, and the word `unix` where it is among them.

    Raises ImproperlyConfigured for anything else.
    """
    words = read_list(name)
    for word in words:
        try:
            if word != "unix":
                ipaddress.ip_network(word)
        except ValueError as error:
            hint = "name addresses or networks such as 10.0.0.7 or 10.0.0.0/24, or unix for a socket in a file."
            raise ImproperlyConfigured(f"{name} cannot be read at {word!r}: {hint}") from error
    return words


def read_together(name: str, *others: str) -> dict[str, str]:
    """Return these environment variables as settings, empty where none is set; they are of use only all together.

    Raises ImproperlyConfigured where some are missing.
    """
    values = {key: os.environ.get(key, "").strip() for key in (name, *others)}
    missing = [key for key, value in values.items() if not value]
    if 0 < len(missing) < len(values):
        raise ImproperlyConfigured(f"{', '.join(missing)} must be set, too, or none of {name} and the others.")
    return values


def read_folder(name: str) -> Path | None:
    """Return the folder that environment variable `name` names, None when it is unset."""
    value = os.environ.get(name, "").strip()
    return Path(value) if value else None


def read_redis(name: str) -> str:
    """Return the address of a Redis server in environment variable `name`, empty when unset.

    Raises ImproperlyConfigured for what is none.
    """
    url = os.environ.get(name, "").strip()
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        # It may hold a password, so it is not shown.
        raise ImproperlyConfigured(f"{name} cannot be read: use redis://:password@host:6379/0.")
    return url


def read_time_zone(name: str, *, default: str) -> str:
    """Return the time zone that environment variable `name` names; raises ImproperlyConfigured for an unknown one."""
    value = os.environ.get(name, "").strip() or default
    try:
        zoneinfo.ZoneInfo(value)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError) as error:
        raise ImproperlyConfigured(f"{name}={value!r} is no time zone: use a name such as Europe/Zurich.") from error
    return value


def read_database(name: str, *, default: str) -> dict:
    """Return Django's database dictionary for the URL in environment variable `name`.

    Raises ImproperlyConfigured when the URL names no database that this console supports (SQLite, PostgreSQL). A
    database in memory is none: other connections, and so other threads, cannot reach it.
    """
    url = os.environ.get(name, "").strip() or default
    refusal = ImproperlyConfigured(f"{name} cannot be read: {_DATABASE_HINT}")
    if not url.startswith(_DATABASE_SCHEMES):
        raise refusal
    try:
        database = environ.Env.db_url_config(url)
    except (ImproperlyConfigured, ValueError, KeyError) as error:
        raise refusal from error
    if database.get("NAME") in (None, "", ":memory:"):
        raise refusal
    if url.startswith("sqlite"):
        # Tests use a file, too: a database in memory is one connection that all threads would share.
        database["TEST"] = {"NAME": str(Path(gettempdir()) / f"travelmathlite-test-{os.getpid()}.sqlite3")}
    return database


def read_address(name: str, *, http: bool) -> str:
    """Return the address of a web server in environment variable `name`, empty when unset.

    Raises ImproperlyConfigured for what is none, and for one that is not https unless `http` is allowed too.
    """
    address = os.environ.get(name, "").strip()
    try:
        parts = urlsplit(address)
        known = parts.scheme in (("https", "http") if http else ("https",)) and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if address and not known:
        # It may hold a secret, so it is not shown.
        raise ImproperlyConfigured(f"{name} is no address that begins with https://, such as https://example.com/hook.")
    return address


def read_email(name: str) -> dict[str, Any]:
    """Return Django's settings of e-mail for the URL in environment variable `name`; without it, this machine's server.

    Raises ImproperlyConfigured for what cannot be read.
    """
    url = os.environ.get(name, "").strip() or "smtp://localhost:25"
    try:
        return dict(environ.Env.email_url_config(url))
    except (ImproperlyConfigured, ValueError, KeyError) as error:
        hint = "use smtp://user:password@host:25, smtp+tls://...:587 or smtp+ssl://...:465."
        raise ImproperlyConfigured(f"{name} cannot be read: {hint}") from error


def folder_of(database: dict, *, base: Path) -> Path:
    """Return the folder below `base` for files that belong to one database: each database numbers its runs from one."""
    where = [str(database.get(key, "")) for key in ("ENGINE", "HOST", "PORT", "NAME")]
    return base / hashlib.sha256("\n".join(where).encode()).hexdigest()[:12]


_DATABASE_SCHEMES = ("sqlite://", "postgres://", "postgresql://")
_DATABASE_HINT = "use sqlite:///path/to/file.sqlite3 or postgres://user:password@host:5432/name."


def read_or_make_secret(name: str, *, file: Path) -> str:
    """Return the secret in environment variable `name`, or for development one kept in `file`, made when missing."""
    if secret := os.environ.get(name, "").strip():
        return secret
    if file.exists() and (kept := file.read_text(encoding="ascii").strip()):
        return kept
    made = secrets.token_urlsafe(50)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(made)
    return made
