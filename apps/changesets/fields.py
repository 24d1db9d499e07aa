"""Fields, columns and targets of models, where Django's own answer may also be that there is none."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    AnyField = models.Field[Any, Any]
    AnyLink = models.ForeignKey[Any, Any]
    AnyManyToMany = models.ManyToManyField[Any, Any]
else:  # Django's fields take no parameters when they run.
    AnyField = models.Field
    AnyLink = models.ForeignKey
    AnyManyToMany = models.ManyToManyField


def field_of(model: type[models.Model], name: str) -> AnyField:
    """Return the model's own field called `name`; raises FieldDoesNotExist, also for a link from another model."""
    field = model._meta.get_field(name)
    if not isinstance(field, models.Field):
        raise FieldDoesNotExist(f"{model._meta.label} has no field {name!r} of its own.")
    return field


def column_of(field: AnyField) -> str:
    """Return the column of a field; raises FieldDoesNotExist for one that the table has no column for."""
    if field.column is None:
        raise FieldDoesNotExist(f"{field} has no column.")
    return field.column


def target_of(field: AnyField) -> type[models.Model]:
    """Return the model that a link points to; raises LookupError for a field that is no link."""
    if field.related_model is None:
        raise LookupError(f"{field} points to no other model.")
    return field.related_model


def stored_value(field: AnyField, value: Any, connection: BaseDatabaseWrapper) -> Any:
    """Return a value of a field, as people or files write it, as the database takes it; raises ValidationError."""
    return field.get_db_prep_value(field.to_python(value), connection)
