"""Values of a line as the database takes them: plain types directly, all others by Django's fields."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.backups.portable.carried import REBUILT, Model, numbers
from apps.changesets.fields import AnyField

Take = Callable[[Any], Any]

# Values of these types go to both databases unchanged.
_PLAIN: dict[type[AnyField], type] = {
    models.BooleanField: bool,
    models.IntegerField: int,
    models.FloatField: float,
    models.CharField: str,
    models.TextField: str,
}


def taker_for(field: AnyField, connection: BaseDatabaseWrapper) -> Take:
    """Return the function that makes a value of a line one for the database.

    It raises ValueError or ValidationError for a wrong value.
    """
    if isinstance(field, models.ForeignKey):
        target = field.related_model
        if target in REBUILT:
            return _by_natural_key(target, connection.alias)
        return taker_for(field.target_field, connection)
    if isinstance(field, models.DateTimeField):
        return _moment_of_sqlite if connection.vendor == "sqlite" else _moment
    return _usual(field, connection)


def _usual(field: AnyField, connection: BaseDatabaseWrapper) -> Take:
    plain = next((known for kind, known in _PLAIN.items() if isinstance(field, kind)), None)

    def take(value: Any) -> Any:
        if value is None or type(value) is plain:
            return value
        return field.get_db_prep_save(field.to_python(value), connection)

    return take


def _moment(value: Any) -> Any:
    return None if value is None else datetime.fromisoformat(value)


def _moment_of_sqlite(value: Any) -> Any:
    if value is None:
        return None
    moment = datetime.fromisoformat(value)
    # As Django writes it: in UTC, without a time zone.
    return str(moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment)


def _by_natural_key(model: Model, using: str) -> Take:
    known: dict[tuple[str, ...], int] = {}

    def take(value: Any) -> Any:
        if value is None:
            return None
        if not known:
            known.update(numbers(model, using))
        key = tuple(value)
        if key not in known:
            # Its table is gone; without this row the line would lose its link.
            known[key] = _make(model, key, using)
        return known[key]

    return take


def _make(model: Model, key: tuple[str, ...], using: str) -> int:
    table = ContentType.objects.db_manager(using).get_or_create(app_label=key[-2], model=key[-1])[0]
    if model is ContentType:
        return table.pk
    rows = model._base_manager.using(using)
    return rows.get_or_create(content_type=table, codename=key[0], defaults={"name": key[0].replace("_", " ")})[0].pk
