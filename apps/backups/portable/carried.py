"""Which tables a portable backup carries, and in which order they can be loaded."""

from collections.abc import Iterable
from functools import cache

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models

from apps.backups.catalogue.left_out import is_left_out
from apps.changesets.fields import AnyManyToMany
from apps.changesets.tracking import tracked_models

Model = type[models.Model]

# Migrations make these rows again with other numbers, so links to them are written by their natural keys.
REBUILT: tuple[Model, ...] = (ContentType, Permission)
# They belong to one running console.
TASKS = "django_tasks_db.dbtaskresult"


@cache
def carried_models() -> tuple[Model, ...]:
    """Return the models whose rows are carried, each after those that it points to."""
    wanted = {
        model
        for model in apps.get_models()
        if model._meta.managed
        and not model._meta.proxy
        and not model._meta.swapped
        and model not in REBUILT
        and model._meta.label_lower != TASKS
        and not is_left_out(model._meta.db_table)
    }
    ordered: list[Model] = []
    begun: set[Model] = set()

    def place(model: Model) -> None:
        if model in begun or model not in wanted:
            return
        begun.add(model)
        for field in (*model._meta.concrete_fields, *model._meta.local_many_to_many):
            if field.related_model is not None:
                place(field.related_model)
        ordered.append(model)

    for model in sorted(wanted, key=lambda model: model._meta.label_lower):
        place(model)
    return tuple(ordered)


@cache
def history_models() -> tuple[Model, ...]:
    """Return the history models, in the order of their tracked models."""
    return tuple(tracked.history_model for tracked in tracked_models())


@cache
def other_models() -> tuple[Model, ...]:
    """Return the carried models that are neither tracked nor history: changesets, users, runs, pins and others."""
    recorded = {tracked.model for tracked in tracked_models()} | set(history_models())
    return tuple(model for model in carried_models() if model not in recorded)


def links_of(model: Model) -> list[AnyManyToMany]:
    """Return the many-to-many fields whose table has only the two keys."""
    return [field for field in model._meta.local_many_to_many if through_of(field)._meta.auto_created]


def through_of(field: AnyManyToMany) -> Model:
    """Return the model of the pairs of a many-to-many field."""
    through = field.remote_field.through
    if through is None:
        raise LookupError(f"{field} has no table of pairs.")
    return through


def tables_of(chosen: tuple[Model, ...]) -> list[str]:
    """Return the tables of models, those of their many-to-many fields included."""
    own = [model._meta.db_table for model in chosen]
    return own + [field.m2m_db_table() for model in chosen for field in links_of(model)]


def natural_keys(model: Model, using: str) -> dict[int, list[str]]:
    """Return the natural keys of the rows of a rebuilt model, by primary key."""
    rows: Iterable[ContentType | Permission] = ContentType.objects.using(using)
    if model is Permission:
        rows = Permission.objects.using(using).select_related("content_type")
    return {row.pk: list(row.natural_key()) for row in rows}


def numbers(model: Model, using: str) -> dict[tuple[str, ...], int]:
    """Return the primary keys of the rows of a rebuilt model, by natural key."""
    return {tuple(key): number for number, key in natural_keys(model, using).items()}
