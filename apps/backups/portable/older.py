"""A portable backup that was made before migrations: compared by the columns that it had, and what it names follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from apps.backups.catalogue.facts import Facts
from apps.backups.portable.carried import Model, carried_models
from apps.backups.portable.facts import facts_of
from apps.backups.portable.reading import fields_in
from apps.backups.portable.writing import write_rows
from apps.changesets.names import Renaming, carry
from apps.changesets.recording.renaming import former_names
from apps.changesets.tracking import tracked_models


@dataclass(frozen=True)
class _Older:
    """A table of the backup: what its fields are called now, by how the backup calls them; None where one is gone."""

    model: Model
    now: dict[str, str | None]

    @property
    def dropped(self) -> bool:
        return None in self.now.values()


def facts_as_in(sources: Sequence[Path], using: str) -> Facts:
    """Return the facts of a database, its rows hashed by the columns, and under the names, that the files have.

    An increment has no lines of a table that is as in the files before it. A table that lost a column since has no
    hash: its rows are counted.
    """
    older = {table.model: table for table in _tables(sources)}
    sums = {}
    for model in carried_models():
        table = older.get(model)
        if table is None or not table.dropped:
            names = None if table is None else {new: old for old, new in table.now.items() if new is not None}
            sums[model._meta.db_table] = write_rows(using, model, None, names=names)
    return facts_of(using, sums)


def carry_names(using: str) -> None:
    """Let what the restored rows keep under former names of fields follow the renames since.

    Of all tracked tables: an increment has pins of a table also where it has no row of it.
    """
    for tracked in tracked_models():
        for old, new in former_names(tracked.model).items():
            if new is not None:
                carry(Renaming(tracked.label, old, new, using, tracked.model, tracked.history_model))


def dropped_in(sources: Sequence[Path]) -> list[str]:
    """Return the columns that the files have and that migrations dropped since: `base.city.area`."""
    return [f"{t.model._meta.label_lower}.{old}" for t in _tables(sources) for old, new in t.now.items() if new is None]


def _tables(sources: Sequence[Path]) -> list[_Older]:
    by_label: dict[str, list[str]] = {}
    for source in sources:
        by_label |= fields_in(source)
    tables = []
    for model in carried_models():
        names = by_label.get(model._meta.label_lower)
        if names is not None:
            former = former_names(model)
            tables.append(_Older(model, {name: former.get(name, name) for name in names}))
    return tables
