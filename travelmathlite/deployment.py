"""System checks of deployments: one cache for all machines, and enough connections for all processes."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError, InterfaceError, connections

# A worker, the jobs of the timers, the three connections of a backup, and somebody at a terminal.
CONNECTIONS_OF_OTHERS = 10
# What psycopg's pool opens where its size is not set, and a process of the web server where there is no pool.
CONNECTIONS_BY_DEFAULT = 4
_HERE = ("", "localhost", "127.0.0.1", "::1")
_HINT = "Set CACHE_URL to a Redis server that all machines reach, or silence this where there is one machine."


@register(deploy=True)
def check_shared_cache(**kwargs: Any) -> list[CheckMessage]:
    """Report deployment.W001 for a cache in files beside a PostgreSQL that other machines may use, too.

    And for one in the memory of a process, whatever the database is: a web server and a worker are two.
    """
    host = str(settings.DATABASES["default"].get("HOST") or "")
    if _progress_in("LocMemCache", "DummyCache"):
        hint = "Leave CACHES as the settings make it, or set CACHE_URL to a Redis server."
        return [Warning("Progress is told in the memory of each process alone.", hint=hint, id="deployment.W001")]
    if not _progress_in("FileCache", "FileBasedCache") or _is_here(host) or not _on_postgresql():
        return []
    sentence = f"PostgreSQL is on another machine ({host}), and progress is told in files of this one."
    return [Warning(sentence, hint=_HINT, id="deployment.W001")]


@register(Tags.database, deploy=True)
def check_other_machines(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Report deployment.W003 for a cache in files where another machine uses the PostgreSQL of this one right now."""
    host = str(settings.DATABASES["default"].get("HOST") or "")
    if "default" not in (databases or ()) or not _on_postgresql() or not _is_here(host):
        return []
    if not _progress_in("FileCache", "FileBasedCache") or not (others := _other_machines()):
        return []
    sentence = f"Other machines use this database ({', '.join(others)}), and progress is told in files of this one."
    return [Warning(sentence, hint=_HINT, id="deployment.W003")]


@register(Tags.database, deploy=True)
def check_connections(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Report deployment.W002 where this machine alone may ask PostgreSQL for more connections than it allows."""
    connection = connections["default"]
    if "default" not in (databases or ()) or connection.vendor != "postgresql":
        return []
    needed, allowed = connections_needed(), _connections_allowed()
    if allowed is None or needed <= allowed:
        return []
    return [
        Warning(
            f"This machine may ask for {needed} connections, and PostgreSQL allows {allowed}.",
            hint="Lower WEB_CONCURRENCY, raise max_connections, or put PgBouncer between (docs/deploying.md).",
            id="deployment.W002",
        )
    ]


def _progress_in(*backends: str) -> bool:
    return str(settings.CACHES["progress"]["BACKEND"]).endswith(backends)


def _is_here(host: str) -> bool:
    return host in _HERE or host.startswith("/")


def _on_postgresql() -> bool:
    return str(settings.DATABASES["default"]["ENGINE"]).endswith("postgresql")


def _other_machines() -> list[str]:
    """Return the addresses of other machines with sessions of this role in this database; none if nobody answers."""
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute(
                """
                SELECT DISTINCT host(client_addr) FROM pg_stat_activity
                WHERE datname = current_database() AND usename = current_user
                    AND NOT client_addr <<= ANY ('{127.0.0.0/8,::1/128}'::inet[])
                ORDER BY 1
                """
            )
            return [str(address) for (address,) in cursor.fetchall()]
    except (DatabaseError, InterfaceError):
        return []


def connections_needed() -> int:
    """Return how many connections the processes of this machine may have open at once."""
    pool = settings.DATABASES["default"].get("OPTIONS", {}).get("pool")
    size = pool.get("max_size") if isinstance(pool, dict) else None
    return int(settings.WEB_PROCESSES) * int(size or CONNECTIONS_BY_DEFAULT) + CONNECTIONS_OF_OTHERS


def _connections_allowed() -> int | None:
    """Return how many connections PostgreSQL allows roles that are no superusers; None where it does not answer."""
    kept = "current_setting('superuser_reserved_connections')::int"
    # Since PostgreSQL 16.
    reserved = "coalesce(current_setting('reserved_connections', true), '0')::int"
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute(f"SELECT current_setting('max_connections')::int - {kept} - {reserved}")
            return int(cursor.fetchone()[0])
    except (DatabaseError, InterfaceError):
        return None  # Django says so itself.
