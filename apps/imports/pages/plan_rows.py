"""The rows of a plan as its page shows them: what changes, what is kept and why, what is refused; with addresses."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from apps.changesets.history.diff import FieldChange
from apps.changesets.history.moves import in_words
from apps.changesets.history.origins import Origin, origins_of_many
from apps.changesets.history.planned_values import PlannedValues
from apps.changesets.history.values import field_label
from apps.changesets.models import Visitor
from apps.changesets.pages import links
from apps.changesets.rights import eyes_of
from apps.imports.models import Decision, ImportRun, PlannedRow, RefusedCell, RowKind
from apps.imports.pages.disputed_rows import ShownDispute, shown_disputes
from apps.imports.registry import spec_named

# The sign of each kind of row.
SIGNS = {
    RowKind.NEW: "created",
    RowKind.CHANGED: "changed",
    RowKind.UNCHANGED: "already",
    RowKind.REFUSED: "refused",
}


@dataclass(frozen=True)
class KeptField:
    """A value corrected here: the last value of upstream, ours, that of the file, and who set ours."""

    label: str
    base: Any
    current: Any
    new: Any
    origin: Origin | None


@dataclass(frozen=True)
class ShownRow:
    """A planned row with what its line on the page says."""

    row: PlannedRow
    sign: str
    name: str
    key: str
    url: str
    news: list[FieldChange]
    kept: list[KeptField] = field(default_factory=list)
    cells: list[RefusedCell] = field(default_factory=list)
    disputed: ShownDispute | None = None

    @property
    def decided(self) -> str:
        """What a person decided, in words, and who."""
        if self.row.decision == Decision.NONE:
            return ""
        by = f" (by {self.row.decided_by_name})" if self.row.decided_by_name else ""
        words = str(self.row.get_decision_display())
        if self.row.disputed and self.row.decision in (Decision.ID, Decision.IDENT):
            words = f"its {self.row.disputed['titles'][self.row.decision == Decision.IDENT]} counts"
        return f"{words}{by}"

    @property
    def moved(self) -> str:
        """How far the object moves, in words."""
        return "" if self.row.moved_km is None else in_words(self.row.moved_km)

    @property
    def can_be_ticked(self) -> bool:
        """Whether there is anything to decide."""
        return self.row.kept or bool(self.row.disputed) or self.row.kind not in (RowKind.REFUSED, RowKind.UNCHANGED)


def shown_rows(run: ImportRun, rows: Sequence[PlannedRow], *, missing: str, user: Visitor) -> list[ShownRow]:
    """Return the rows as the page shows them, in a few queries for all; `missing` is the option of that name.

    The person who looks may view the objects; what they are linked to is named, and who changed them, as that person
    may see it.
    """
    spec, sees = spec_named(run.spec), eyes_of(user)
    label = spec.model._meta.label_lower
    keys = {row.pk: _key_now(run, row) for row in rows}
    urls = links.urls_of(label, {key for key in keys.values() if key}, changeset=run.changeset_id)
    kept = [row.old_pk for row in rows if row.kept_values] if user.has_perm(links.VIEW) else []
    origins = _origins(spec.model, kept)
    cells = _cells(run, rows)
    disputes = shown_disputes(spec, rows, sees)
    values = PlannedValues(spec.model, [of for row in rows for of in (row.changes, row.kept_values)], sees=sees)
    return [
        ShownRow(
            row=row,
            sign=_sign(row, missing),
            name=row.label or row.new_pk or row.old_pk or f"line {row.line}",
            key=links.telling_key(label, row.new_pk or row.old_pk),
            url=urls.get(keys[row.pk], ""),
            news=values.changes(row.changes),
            kept=_kept_fields(values, row, origins.get(row.old_pk, {})),
            cells=cells.get(row.line, []),
            disputed=disputes.get(row.pk),
        )
        for row in rows
    ]


def _key_now(run: ImportRun, row: PlannedRow) -> str:
    """Return the key of a row's object: what the import gave it, once it is applied."""
    applied = run.changeset_id is not None and not row.left_alone
    return (row.new_pk if applied else "") or row.old_pk


def field_labels(model: type[models.Model], names: Sequence[str]) -> list[tuple[str, str]]:
    """Return fields with what people call them."""
    return [(name, field_label(model, name)) for name in names]


def _origins(model: type[models.Model], keys: list[str]) -> dict[str, dict[str, Origin]]:
    objects = list(model._base_manager.filter(pk__in=keys)) if keys else []
    return {str(key): origins for key, origins in origins_of_many(objects).items()}


def _sign(row: PlannedRow, missing: str) -> str:
    if row.kind == RowKind.MISSING:
        if row.superseded or missing == "delete":
            return "deleted"
        return "changed" if missing == "deactivate" else "missing"
    if row.renamed:
        return "renamed"
    return SIGNS[RowKind(row.kind)]


def _cells(run: ImportRun, rows: Sequence[PlannedRow]) -> dict[int | None, list[RefusedCell]]:
    lines = [row.line for row in rows if row.line is not None]
    cells: dict[int | None, list[RefusedCell]] = {}
    for cell in RefusedCell.objects.filter(run=run, line__in=lines) if lines else ():
        cells.setdefault(cell.line, []).append(cell)
    return cells


def _kept_fields(values: PlannedValues, row: PlannedRow, origins: dict[str, Origin]) -> list[KeptField]:
    """Return the corrections that the row meets, with who made them."""
    return [
        KeptField(
            label=field_label(values.model, name),
            base=values.named(name, base),
            new=values.named(name, new),
            current=values.named(name, current),
            origin=origins.get(name),
        )
        for name, (base, new, current) in (row.kept_values or {}).items()
    ]
