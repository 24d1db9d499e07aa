"""What a manifest tells about a database: read from the copy itself, or from the snapshot that is dumped."""

from collections.abc import Callable
from dataclasses import dataclass

from apps.changesets.models import Changeset

Fetch = Callable[[str], list[tuple]]
Quote = Callable[[str], str]

MIGRATIONS = "django_migrations"


@dataclass(frozen=True)
class Facts:
    """The state of a database at one moment, in numbers and names."""

    engine: str
    server_version: str
    migrations: tuple[str, ...]
    newest_changeset: int | None
    row_counts: dict[str, int]


def read_facts(fetch: Fetch, quote: Quote, *, engine: str, server_version: str, tables: list[str]) -> Facts:
    """Return the facts of a database whose tables are these; `fetch` runs a query and returns its rows."""
    return Facts(
        engine=engine,
        server_version=server_version,
        migrations=_migrations(fetch, quote) if MIGRATIONS in tables else (),
        newest_changeset=_newest_changeset(fetch, quote) if Changeset._meta.db_table in tables else None,
        # How many rows each table has.
        row_counts={table: fetch(f"SELECT COUNT(*) FROM {quote(table)}")[0][0] for table in sorted(tables)},
    )


def _migrations(fetch: Fetch, quote: Quote) -> tuple[str, ...]:
    # The applied migrations, each once, by app and name.
    rows = fetch(f"SELECT DISTINCT app, name FROM {quote(MIGRATIONS)} ORDER BY app, name")
    return tuple(f"{app}.{name}" for app, name in rows)


def _newest_changeset(fetch: Fetch, quote: Quote) -> int | None:
    # The number of the newest changeset, or nothing where there is none.
    return fetch(f"SELECT MAX(id) FROM {quote(Changeset._meta.db_table)}")[0][0]
