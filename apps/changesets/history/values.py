"""Values in words: what a field is called, what a value of it is called, and what the targets of links are called."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from apps.changesets.fields import AnyField, field_of
from apps.changesets.rights import Sees, all_seen

EMPTY = (None, "")


def field_label(model: type[models.Model], name: str) -> str:
    """Return what people call a field; a name that is no field's is made readable."""
    try:
        return str(field_of(model, name).verbose_name)
    except FieldDoesNotExist:
        return name.replace("_", " ")


def value_label(field: AnyField, value: Any, names: Mapping[Any, str] | None = None) -> Any:
    """Return what people call a value: a choice by its word, a link by what `names` calls its key; others stay."""
    if isinstance(value, models.Model):
        return str(value)
    if field.is_relation:
        return None if value is None else (names or {}).get(value, f"#{value}")
    return dict(field.flatchoices).get(value, value) if field.choices else value


def in_words(value: Any, *, empty: str = "empty") -> str:
    """Return a value to read: what is empty, yes and no in words, numbers as they are."""
    if value in EMPTY:
        return empty
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def names_of(
    model: type[models.Model], keys: Iterable[Any], *, using: str = "default", sees: Sees = all_seen
) -> dict[Any, str]:
    """Return what the objects with these keys are called; what is gone is named from its history, and told as such.

    Who may not see the model is told no name: its objects are numbers then.
    """
    wanted = set(keys) - {None} if sees(model) else set()
    objects = model._base_manager.using(using).in_bulk(wanted) if wanted else {}
    names = {key: str(target) for key, target in objects.items()}
    gone = wanted - set(names)
    return names | _names_of_gone(model, gone, using) if gone else names


def _names_of_gone(model: type[models.Model], keys: set[Any], using: str) -> dict[Any, str]:
    attribute = getattr(model._meta, "simple_history_manager_attribute", None)
    if attribute is None:
        return {}
    pk = model._meta.pk.attname
    history = getattr(model, attribute).using(using).filter(**{f"{pk}__in": keys})
    return {getattr(row, pk): f"{row.instance} (deleted)" for row in history.latest_of_each()}
