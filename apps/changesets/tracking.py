"""Which tables are tracked, how a model declares that it is, and what the columns of its table are."""

from dataclasses import dataclass
from functools import cache, cached_property

from django.apps import apps
from django.db import models

from apps.changesets.fields import AnyField, AnyLink, column_of, field_of
from apps.changesets.history_models import ChangesetHistory, HistoryRow

# What people may be allowed to do with the objects of a tracked model, each as `<verb>_<model>`.
VERBS = ("add", "change", "delete", "view", "import", "export", "backup", "restore")


@dataclass(frozen=True)
class Tracking:
    """The declaration of a tracked model; names are those of its fields.

    `stable_key` is a unique field that stays when the object is renamed; `untracked` are fields whose change alone is
    no change, where the model has them; `filter_by` is the foreign key, or the primary key itself, by which people
    filter changes (an airport's country); `point` are the latitude and longitude that put an object on a map.
    """

    stable_key: str | None = None
    untracked: tuple[str, ...] = ("updated_at",)
    filter_by: str | None = None
    point: tuple[str, str] | None = None


class TrackedModel(models.Model):
    """A model whose rows the database records: each change is part of a changeset, and can be reverted.

    Its `Meta` inherits from this one's, so that it has all permissions.
    """

    tracking = Tracking()
    history = ChangesetHistory()

    class Meta:
        abstract = True
        default_permissions = VERBS


@dataclass(frozen=True)
class Tracked:
    """A model whose rows the database records, and the history model that they are recorded in."""

    model: type[models.Model]
    history_model: type[HistoryRow]
    stable_key: str | None
    untracked: frozenset[str]
    filter_by: str | None
    # The columns of latitude and longitude of what stands on a map, or None.
    point: tuple[str, str] | None
    # The columns that the tables really have while they are not as the model is (`tables.py`); None: as the model.
    there: tuple[str, ...] | None = None

    @property
    def label(self) -> str:
        return self.model._meta.label_lower

    @property
    def name(self) -> str:
        """The short name that commands and temporary tables use: `airport`."""
        return self.label.rpartition(".")[2]

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def history_table(self) -> str:
        return self.history_model._meta.db_table

    @property
    def pk(self) -> str:
        return column_of(self.model._meta.pk)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """All columns of the table, in the model's order."""
        return self.there or tuple(map(column_of, self.model._meta.concrete_fields))

    @cached_property
    def compared(self) -> tuple[str, ...]:
        """The columns whose difference is a change."""
        return tuple(column for column in self.columns if column not in self.untracked)

    @cached_property
    def fields_by_column(self) -> dict[str, AnyField]:
        return {column_of(field): field for field in self.model._meta.concrete_fields}

    @property
    def stable_field(self) -> AnyField | None:
        """The field that stays when the primary key of an object changes, or None."""
        return None if self.stable_key is None else self.fields_by_column[self.stable_key]

    @cached_property
    def news(self) -> tuple[AnyField, ...]:
        """The fields whose change is told; those that follow others, or only say when, are left out."""
        return tuple(
            field
            for field in self.model._meta.concrete_fields
            if field.column in self.compared and field.editable and not getattr(field, "auto_now_add", False)
        )

    @property
    def links(self) -> list[AnyLink]:
        """The foreign keys of the model."""
        return [field for field in self.model._meta.concrete_fields if isinstance(field, models.ForeignKey)]

    @property
    def filter_model(self) -> type[models.Model] | None:
        """The model whose objects changes are filtered by, or None."""
        if self.filter_by is None:
            return None
        return field_of(self.model, self.filter_by).related_model or self.model

    @property
    def point_columns(self) -> tuple[str, str]:
        """The columns of latitude and longitude; raises LookupError where the model stands on no map."""
        if self.point is None:
            raise LookupError(f"{self.label} stands on no map.")
        return self.point

    @cached_property
    def unique_sets(self) -> tuple[tuple[str, ...], ...]:
        """The sets of columns that are unique together, the primary key first."""
        meta = self.model._meta
        single = [(column_of(field),) for field in meta.concrete_fields if field.unique and not field.primary_key]
        together = [
            tuple(column_of(field_of(self.model, name)) for name in constraint.fields)
            for constraint in meta.total_unique_constraints
        ]
        return ((self.pk,), *single, *together)

    @cached_property
    def conditional_sets(self) -> tuple[tuple[tuple[str, ...], models.Q], ...]:
        """The sets of columns that are unique together among the rows that meet a condition, each with it."""
        meta = self.model._meta
        return tuple(
            (tuple(column_of(field_of(self.model, name)) for name in constraint.fields), constraint.condition)
            for constraint in meta.constraints
            if isinstance(constraint, models.UniqueConstraint) and constraint.fields and constraint.condition
        )


@cache
def tracked_models() -> tuple[Tracked, ...]:
    """Return what is tracked, each after the models it points to: countries, cities, airports."""
    recorded = [model for model in apps.get_models() if hasattr(model._meta, "simple_history_manager_attribute")]
    by_model: dict[type[models.Model], Tracked] = {
        model: _describe(model) for model in recorded if issubclass(model, TrackedModel)
    }
    ordered: list[type[models.Model]] = []

    def place(model: type[models.Model]) -> None:
        if model in ordered:
            return
        for field in model._meta.concrete_fields:
            target = field.related_model
            if target is not None and target in by_model and target is not model:
                place(target)
        ordered.append(model)

    for model in sorted(by_model, key=lambda model: model._meta.label_lower):
        place(model)
    return tuple(by_model[model] for model in ordered)


def tracked_by_name(name: str) -> Tracked | None:
    """Return the tracked model called `name` (`airport` or `airports.airport`), or None."""
    wanted = name.lower()
    return next((tracked for tracked in tracked_models() if wanted in (tracked.name, tracked.label)), None)


def tracked_by_label(label: str) -> Tracked:
    """Return the tracked model with this label, as we keep labels; raises LookupError where there is none any more."""
    for tracked in tracked_models():
        if tracked.label == label:
            return tracked
    raise LookupError(f"No tracked model has the label {label!r}.")


def is_tracked(model: type[models.Model]) -> bool:
    """Whether the database records what happens to the rows of a model."""
    return any(tracked.model is model for tracked in tracked_models())


def tracked_for(model: type[models.Model]) -> Tracked:
    """Return the description of a tracked model; raises LookupError for one that is not."""
    for tracked in tracked_models():
        if tracked.model is model:
            return tracked
    raise LookupError(f"{model._meta.label} is not tracked.")


def _describe(model: type[TrackedModel]) -> Tracked:
    # A name that is no field's is reported by a system check, which needs this description, too.
    declared = model.tracking
    columns = {field.name: column_of(field) for field in model._meta.concrete_fields}
    return Tracked(
        model=model,
        history_model=getattr(model, vars(model._meta)["simple_history_manager_attribute"]).model,
        stable_key=columns.get(declared.stable_key or ""),
        untracked=frozenset(columns[name] for name in declared.untracked if name in columns),
        filter_by=declared.filter_by,
        point=(columns.get(declared.point[0], ""), columns.get(declared.point[1], "")) if declared.point else None,
    )
