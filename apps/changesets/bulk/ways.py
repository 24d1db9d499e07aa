"""Ways to change a field of many objects: what each is called, what it asks for, and what it makes of a value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models

from apps.changesets.fields import AnyField

SET, CLEAR, REPLACE, UPPER, TRIM, ROUND, COPY = "set", "clear", "replace", "upper", "trim", "round", "copy"
# What the inputs of a way are called: Python makes a function of them.
Inputs = Mapping[str, Any]
Make = Callable[[Any], Any]


def is_text(field: AnyField) -> bool:
    """Whether a field holds text that people write freely."""
    return isinstance(field, models.CharField | models.TextField) and not field.choices


def is_number(field: AnyField) -> bool:
    """Whether a field holds numbers."""
    return isinstance(field, models.IntegerField | models.FloatField | models.DecimalField)


@dataclass(frozen=True)
class Way:
    """One way: its words, the inputs that it asks for, the fields that it is for (`kind` in words), what it makes."""

    label: str
    inputs: tuple[str, ...] = ()
    fits: Callable[[AnyField], bool] = lambda field: True
    kind: str = ""
    make: Callable[[Inputs], Make] = lambda inputs: lambda value: inputs["value"]


def _of_text(change: Callable[[str], str]) -> Make:
    return lambda value: change(value) if isinstance(value, str) else value


WAYS: dict[str, Way] = {
    SET: Way("Set it to", ("value",)),
    CLEAR: Way("Clear it"),
    REPLACE: Way(
        "Find and replace in it",
        ("find", "replacement"),
        is_text,
        "text",
        lambda inputs: _of_text(lambda text: text.replace(inputs["find"], inputs["replacement"])),
    ),
    UPPER: Way("Write it in capitals", (), is_text, "text", lambda inputs: _of_text(str.upper)),
    TRIM: Way(
        "Take out needless spaces", (), is_text, "text", lambda inputs: _of_text(lambda text: " ".join(text.split()))
    ),
    ROUND: Way(
        "Round it",
        ("places",),
        is_number,
        "a number",
        lambda inputs: lambda value: None if value is None else round(value, inputs["places"]),
    ),
    COPY: Way("Copy it from", ("source",), make=lambda inputs: lambda value: value),
}


def may_copy(source: AnyField, target: AnyField) -> bool:
    """Whether values of a field can be taken for those of another one."""
    if source.name == target.name or isinstance(source, models.JSONField):
        return False
    if isinstance(target, models.BooleanField):
        return isinstance(source, models.BooleanField)
    return source.related_model == target.related_model if source.is_relation or target.is_relation else True
