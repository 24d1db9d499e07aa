"""What an incremental backup goes on from: which backup that is, and the first line of the file that names it."""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from django.db import connections

from apps.backups.catalogue.journal import read_journal
from apps.backups.catalogue.manifests import Backup, chain_of, own_backups
from apps.backups.errors import ChainBroken, NoBase, OtherSchema
from apps.backups.portable.carried import history_models
from apps.backups.portable.facts import migrations_of
from apps.backups.portable.reading import damaged, read_lines
from apps.backups.portable.writing import encode
from apps.changesets.history.cursors import is_of, lacking, read_cursor
from apps.changesets.identity import identity_of
from apps.changesets.models import Changeset, Kind
from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_models

KINDS = ("full", "data", "incremental")


def find_base(using: str) -> Backup:
    """Return the newest backup that the present database goes on from; raises NoBase."""
    backups = own_backups(using)
    by_id = {backup.id: backup for backup in backups}
    for backup in backups:
        if goes_on_from(backup, using) and _is_sound(backup, by_id):
            return backup
    raise NoBase(
        "There is no full backup of this database as it is now that an incremental one could go on from (after a "
        "restore, a migration or a pruning, a new one is needed): make it with `manage.py backup create`."
    )


def number_after(using: str, base: Backup) -> int:
    """Return the number of the changeset after which everything must be written: the base knows all up to it.

    On PostgreSQL a changeset that was open when the base was made may have a lower number than the newest of the base;
    and a direct one may have grown. What is written again replaces what the base has of it.
    """
    numbers = [base.newest_changeset or 0]
    for tracked in tracked_models():
        sql = Sql(using).with_model(tracked)
        lacking_rows = lacking(sql, tracked, read_cursor(base.cursor))
        first = sql.value("SELECT min(h.changeset_id) FROM {history} h WHERE {lacking}", lacking=lacking_rows)
        numbers += [] if first is None else [first - 1]
    return min(numbers)


def require_whole(using: str, base: Backup, after: int, written: dict[str, int]) -> None:
    """Raise NoBase unless the rows of the base, less those replaced, plus those written are the history there is."""
    for tracked in tracked_models():
        sql = Sql(using).with_model(tracked)
        # All rows, and those that the base has as well and that are written again.
        rows, replaced = sql.rows(
            """
            SELECT count(*), count(CASE WHEN h.changeset_id > {after} AND NOT ({lacking}) THEN 1 END) FROM {history} h
            """,
            after=str(after),
            lacking=lacking(sql, tracked, read_cursor(base.cursor)),
        )[0]
        table = tracked.history_table
        if base.row_counts[table] - replaced + written[table] != rows:
            raise NoBase(
                f"An increment on {base.id} would not hold all of {table}: {base.row_counts[table]:,} rows less "
                f"{replaced:,} plus {written[table]:,} are not the {rows:,} that are there. No backup was made; make a "
                "full one with `manage.py backup create`."
            )


def goes_on_from(backup: Backup, using: str) -> bool:
    """Whether the present database goes on from this backup, and not from another one that was restored."""
    if backup.kind not in KINDS or backup.tables or backup.is_bad or backup.engine != connections[using].vendor:
        return False
    if set(backup.migrations) != set(migrations_of(using)):
        return False
    if any(moment > backup.created_at for moment in _replaced(identity_of(using))):
        return False
    if Changeset.objects.using(using).filter(pruned_at__gte=backup.created_at).exists():
        return False
    return bool(backup.cursor) and is_of(read_cursor(backup.cursor), using)


def _replaced(database: str) -> list[datetime]:
    """Return when a restore replaced this database; only then the journal has a safety backup and no tables.

    Restores of before databases had names may have been of this one.
    """
    return [
        datetime.fromisoformat(entry["at"])
        for entry in read_journal()
        if entry.get("result") == "restored"
        and entry.get("safety")
        and not entry.get("tables")
        and entry.get("database", database) == database
    ]


def _is_sound(backup: Backup, by_id: dict[str, Backup]) -> bool:
    """Whether all backups under this one are there and not known to be bad."""
    try:
        return not any(link.is_bad for link in chain_of(backup, by_id.get)[:-1])
    except ChainBroken:
        return False


@dataclass(frozen=True)
class Heading:
    """The base of an increment, and the numbers by which a database that holds exactly that base is recognised."""

    base: str
    migrations: tuple[str, ...]
    # All changesets with a higher number are in the increment.
    after: int
    # The newest changeset of the base, its time, and the number of rows of the history tables.
    base_newest: int | None
    base_newest_at: str | None
    base_rows: dict[str, int]

    @property
    def line(self) -> bytes:
        """The line of the file."""
        return f"{encode({'increment': asdict(self)})}\n".encode()


def read_heading(source: Path) -> Heading:
    """Return the first line of an increment; raises BackupUnreadable for a file that has none."""
    for _, line in read_lines(source):
        try:
            heading = Heading(**line["increment"])
            return Heading(**{**vars(heading), "migrations": tuple(heading.migrations)})
        except (KeyError, TypeError) as error:
            raise damaged(source, "it does not begin as an incremental backup does") from error
    raise damaged(source, "it is empty")


def require_base(heading: Heading, source: Path, using: str) -> None:
    """Raise ChainBroken or OtherSchema unless the database holds the base of the increment, and nothing else.

    What migrations recorded that have run since does not count: the increment replaces it.
    """
    there = set(migrations_of(using))
    if not there.issuperset(heading.migrations):
        raise OtherSchema(
            f"The incremental backup {source.name} is of tables as other migrations made them: nothing was restored. "
            "Restore it with the version of the console that made it."
        )
    changesets = Changeset.objects.using(using).order_by("-pk")
    since = changesets.filter(pk__gt=heading.base_newest or 0, kind__in=(Kind.MIGRATION, Kind.BASELINE))
    recorded = list(since.values_list("pk", flat=True)) if there.difference(heading.migrations) else []
    newest = changesets.exclude(pk__in=recorded).first()
    rows = {
        model._meta.db_table: model._base_manager.using(using).exclude(changeset_id__in=recorded).count()
        for model in history_models()
    }
    state = (newest.pk, newest.created_at.isoformat()) if newest else (None, None)
    if state != (heading.base_newest, heading.base_newest_at) or rows != heading.base_rows:
        raise ChainBroken(
            f"The incremental backup {source.name} goes on from {heading.base}, up to changeset "
            f"{_number(heading.base_newest)}, and not from what is there (up to {_number(state[0])}): nothing was "
            "restored. Restore the backups of one chain, all of them and in order."
        )


def _number(pk: int | None) -> str:
    return "none" if pk is None else f"#{pk}"
