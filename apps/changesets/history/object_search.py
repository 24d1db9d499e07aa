"""The search for rows, of tracked models as they are or as they were at a moment too: what fits, and what fits best."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.admin.utils import get_fields_from_path
from django.db.models import Case, CharField, F, Model, Q, QuerySet, TextField, Value, When

from apps.changesets.folding import IsCode, folded
from apps.changesets.tracking import Tracked

# How Django's `search_fields` says how a field is searched; without a sign, any part of it.
_EXACT, _BEGINNING = "=", "^"


def search(rows: QuerySet[Any], fields: Iterable[str], text: str, *, tracked: Tracked | None = None) -> QuerySet[Any]:
    """Keep the rows that have each word in any of the fields; accents and case are of no matter.

    Fields are named as in an admin's `search_fields`. Rows of a tracked model, or of its history, are also found by a
    primary key that the object once had.
    """
    words, searched, formerly = folded(text).split(), Searched(rows.model, fields), Q()
    if words and tracked and tracked.stable_field is not None and (keys := stable_keys_of(tracked, text)):
        formerly = Q(**{f"{tracked.stable_field.attname}__in": keys})
    for word in words:
        rows = rows.filter(searched.having(word) | formerly)
    return rows


def stable_keys_of(tracked: Tracked, text: str) -> list[object]:
    """Return the stable keys of all objects that have, or once had, the text as their primary key."""
    pk = tracked.model._meta.pk
    if tracked.stable_field is None or not isinstance(pk, CharField):
        return []
    text = text.strip()
    history = tracked.history_model._base_manager.filter(**{f"{pk.attname}__in": {text, text.upper()}})
    keys = history.exclude(**{tracked.stable_field.attname: None}).order_by()
    return list(keys.values_list(tracked.stable_field.attname, flat=True).distinct())


def best_first(model: type[Model], fields: Iterable[str], text: str) -> Case:
    """Return the order in which a search shows what it found: what is the text, what begins with it, all the rest."""
    text, searched = " ".join(folded(text).split()), Searched(model, fields)
    # What is the text begins with it, too: most rows are asked once.
    begins = Case(*_when(searched.being(text), Value(0)), default=Value(1))
    return Case(*_when(searched.is_code(text), Value(0)), *_when(searched.beginning(text), begins), default=Value(2))


class Searched:
    """The fields of a model that are searched, by how: codes, beginnings of codes, texts, and what is no text."""

    def __init__(self, model: type[Model], fields: Iterable[str]) -> None:
        self.codes: list[str] = []
        self.beginnings: list[str] = []
        self.texts: list[str] = []
        self.others: list[str] = []
        for field in fields:
            name = field.lstrip(_EXACT + _BEGINNING)
            if not isinstance(get_fields_from_path(model, name)[-1], CharField | TextField):
                self.others.append(name)
            else:
                {_EXACT: self.codes, _BEGINNING: self.beginnings}.get(field[0], self.texts).append(name)

    def having(self, word: str) -> Q:
        """A code, the beginning of one, or a part of a text."""
        return self._is_code(word, self.codes) | self._begins(word) | self._either("folded__contains", word)

    def is_code(self, text: str) -> Q:
        return self._is_code(text, [*self.codes, *self.beginnings])

    def being(self, text: str) -> Q:
        return self._either("folded__exact", text)

    def beginning(self, text: str) -> Q:
        return self._begins(text) | self._either("folded__startswith", text)

    def _is_code(self, text: str, names: list[str]) -> Q:
        return Q(IsCode(Value(text), *map(F, names))) if names else Q()

    def _begins(self, text: str) -> Q:
        return _any([Q(**{f"{name}__istartswith": text}) for name in self.beginnings])

    def _either(self, lookup: str, text: str) -> Q:
        others = [Q(**{f"{name}__icontains": text}) for name in self.others]
        return _any([*(Q(**{f"{name}__{lookup}": text}) for name in self.texts), *others])


def _when(condition: Q, then: Case | Value) -> list[When]:
    return [When(condition, then=then)] if condition else []


def _any(conditions: Iterable[Q]) -> Q:
    return reduce(or_, conditions, Q())
