"""A disputed row as the page of its plan shows it: its values beside those of the two objects that its keys name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models

from apps.changesets.fields import field_of, target_of
from apps.changesets.history.moves import in_words
from apps.changesets.history.values import field_label, names_of
from apps.changesets.pages import links
from apps.changesets.rights import Sees
from apps.imports.models import ImportRun, PlannedRow
from apps.imports.spec import ImportSpec


@dataclass(frozen=True)
class Candidate:
    """An object that a key of the row names: by which key, where its page is, how far away it is."""

    key_title: str
    pk: str
    name: str
    url: str
    distance: str


@dataclass(frozen=True)
class ComparedField:
    """A field with its value in the file and, for each candidate, its value and whether that is the same."""

    label: str
    row: Any
    candidates: tuple[tuple[Any, bool], ...]


@dataclass(frozen=True)
class ShownDispute:
    """What a disputed row says, beside its candidates, and which keys can count."""

    candidates: tuple[Candidate, ...]
    fields: tuple[ComparedField, ...]
    why_not: str


def shown_disputes(spec: ImportSpec, rows: Sequence[PlannedRow], sees: Sees) -> dict[int, ShownDispute]:
    """Return the disputed ones of the rows of a plan by their keys, in a few queries for all."""
    told = {row.pk: row.disputed for row in rows if row.disputed}
    keys = {told_row[name]["pk"] for told_row in told.values() for name in ("id", "ident") if told_row[name]}
    urls = links.urls_of(spec.model._meta.label_lower, keys)
    names = _names(spec.model, list(told.values()), sees)
    return {key: _shown(spec, told_row, urls, names) for key, told_row in told.items()}


def key_titles(run: ImportRun) -> tuple[str, str]:
    """Return what the file calls the first key, and its others, of the disputed rows of a run."""
    first = run.rows.filter(disputed__isnull=False).values_list("disputed", flat=True).first()
    by_id, by_others = first["titles"] if first else ("first key", "other keys")
    return by_id, by_others


def _shown(spec: ImportSpec, told: dict[str, Any], urls: dict[str, str], names: dict[str, Any]) -> ShownDispute:
    sides = [(place, told[name]) for place, name in enumerate(("id", "ident")) if told[name]]
    candidates = tuple(
        Candidate(
            key_title=told["titles"][place],
            pk=side["pk"],
            name=side["name"],
            url=urls.get(side["pk"], ""),
            distance="" if side["km"] is None else in_words(side["km"]),
        )
        for place, side in sides
    )
    hidden = {spec.evidence.name} - {spec.label} if spec.evidence else set()
    fields = []
    for name, (value, *theirs) in told["values"].items():
        if name in hidden:
            continue
        named = names.get(name, {})
        compared = tuple((named.get(theirs[place], theirs[place]), theirs[place] == value) for place, _side in sides)
        fields.append(ComparedField(field_label(spec.model, name), named.get(value, value), compared))
    return ShownDispute(candidates, tuple(fields), _why_not(told))


def _why_not(told: dict[str, Any]) -> str:
    """Return which keys cannot count, in a sentence; nothing where both can."""
    unable = [title for title, may in zip(told["titles"], (told["may_id"], told["may_ident"]), strict=True) if not may]
    return f"Its {' and '.join(unable)} cannot count here: no object is free for it." if unable else ""


def _names(model: type[models.Model], told: Sequence[dict[str, Any]], sees: Sees) -> dict[str, Any]:
    """Return, for each field that refers to other objects, what these are called by their keys."""
    references = [name for name in (told[0]["values"] if told else ()) if field_of(model, name).related_model]
    return {
        name: names_of(
            target_of(field_of(model, name)),
            {value for row in told for value in row["values"][name] if value is not None},
            sees=sees,
        )
        for name in references
    }
