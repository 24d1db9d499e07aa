"""The first line of an incremental backup: what it goes on from."""

from dataclasses import asdict, dataclass
from pathlib import Path

from apps.backups.errors import ChainBroken, OtherSchema
from apps.backups.portable.carried import history_models
from apps.backups.portable.facts import migrations_of
from apps.backups.portable.reading import damaged, read_lines
from apps.backups.portable.writing import encode
from apps.changesets.models import Changeset


@dataclass(frozen=True)
class Heading:
    """What an increment goes on from, and how a database is known that holds just that."""

    base: str
    migrations: tuple[str, ...]
    # All changesets with a higher number are in the increment.
    after: int
    # The newest changeset of the base, when it was, and how many rows the history tables had.
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
    """Raise ChainBroken or OtherSchema unless the database holds what the increment goes on from, and nothing else."""
    if set(heading.migrations) != set(migrations_of(using)):
        raise OtherSchema(
            f"The incremental backup {source.name} is of tables as other migrations made them: nothing was restored. "
            "Restore it with the version of the console that made it."
        )
    newest = Changeset.objects.using(using).order_by("-pk").first()
    rows = {model._meta.db_table: model._base_manager.using(using).count() for model in history_models()}
    state = (newest.pk, newest.created_at.isoformat()) if newest else (None, None)
    if state != (heading.base_newest, heading.base_newest_at) or rows != heading.base_rows:
        raise ChainBroken(
            f"The incremental backup {source.name} goes on from {heading.base}, up to changeset "
            f"{_number(heading.base_newest)}, and not from what is there (up to {_number(state[0])}): nothing was "
            "restored. Restore the backups of one chain, all of them and in order."
        )


def _number(pk: int | None) -> str:
    return "none" if pk is None else f"#{pk}"
