"""The values of planned rows as people read them; plans store them as JSON has them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models

from apps.changesets.fields import field_of, target_of
from apps.changesets.history.diff import FieldChange
from apps.changesets.history.values import EMPTY, field_label, names_of, value_label
from apps.changesets.rights import Sees

# Values by the name of their field: now and after, or what else a plan keeps of a field.
Planned = Mapping[str, Sequence[Any]]


class PlannedValues:
    """Names values of a model's planned rows; what links point to is looked up once for all rows, for who `sees` it.

    `known` has the labels of all objects of some models, where the caller has read them anyway.
    """

    def __init__(
        self,
        model: type[models.Model],
        planned: Iterable[Planned | None],
        *,
        sees: Sees,
        known: Mapping[type[models.Model], dict[Any, str]] | None = None,
    ) -> None:
        self.model = model
        self.names: dict[str, dict[Any, str]] = {}
        keys: dict[str, set[Any]] = {}
        for of_row in planned:
            for name, values in (of_row or {}).items():
                if self._is_link(name):
                    keys.setdefault(name, set()).update(self._python(name, value) for value in values)
        for name, wanted in keys.items():
            target = target_of(field_of(model, name))
            names = (known or {}).get(target, {})
            self.names[name] = {**names, **names_of(target, wanted - set(names), sees=sees)}

    def changes(self, planned: Planned | None) -> list[FieldChange]:
        """Return what changes on an object, now and after; what is empty on both sides is no change."""
        return [
            FieldChange(name, field_label(self.model, name), self.named(name, old), self.named(name, new))
            for name, (old, new) in (planned or {}).items()
            if not (old in EMPTY and new in EMPTY)
        ]

    def named(self, name: str, value: Any) -> Any:
        """Return what people call a value of a field."""
        try:
            field = field_of(self.model, name)
        except FieldDoesNotExist:
            return value
        return value_label(field, self._python(name, value), self.names.get(name))

    def _is_link(self, name: str) -> bool:
        try:
            return field_of(self.model, name).is_relation
        except FieldDoesNotExist:
            return False

    def _python(self, name: str, value: Any) -> Any:
        try:
            return value if isinstance(value, dict | list) else field_of(self.model, name).to_python(value)
        except (ValidationError, ValueError, TypeError):
            return value
