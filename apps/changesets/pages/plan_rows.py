"""The rows of a plan as its page shows them: with addresses, and the changesets that they name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from apps.changesets.models import Changeset
from apps.changesets.pages import links
from apps.changesets.revert.verdicts import Cause, KeptField, Verdict


@dataclass(frozen=True)
class ShownCause:
    """A cause with its address and its changeset."""

    cause: Cause
    url: str
    since: Changeset | None


@dataclass(frozen=True)
class ShownRow:
    """A verdict with addresses; `key` is what ticking it sends."""

    verdict: Verdict
    key: str
    url: str
    since: Changeset | None
    fields: list[tuple[KeptField, Changeset | None]]
    causes: list[ShownCause]


def rows_of(verdicts: Sequence[Verdict]) -> list[ShownRow]:
    """Return the verdicts as rows; one query a model, and one for all changesets."""
    shown: list[Verdict | Cause] = [*verdicts, *(cause for verdict in verdicts for cause in verdict.causes)]
    urls = _urls([(item.model, item.pk) for item in shown])
    named = {item.since for item in shown} | {field.since for verdict in verdicts for field in verdict.fields}
    since = Changeset.objects.select_related("actor").in_bulk(named - {None})
    return [
        ShownRow(
            verdict=verdict,
            key=f"{verdict.model}:{verdict.pk}",
            url=urls.get((verdict.model, verdict.pk), ""),
            since=since.get(verdict.since or 0),
            fields=[(field, since.get(field.since or 0)) for field in verdict.fields],
            causes=[
                ShownCause(cause, urls.get((cause.model, cause.pk), ""), since.get(cause.since or 0))
                for cause in verdict.causes
            ],
        )
        for verdict in verdicts
    ]


def verdicts_in_summary(summary: dict | None) -> list[Verdict]:
    """Return what a revert left alone, as its changeset has it written down."""
    stored = (summary or {}).get("left_alone") or []
    return [
        Verdict(
            **{name: value for name, value in entry.items() if name not in ("fields", "causes")},
            fields=tuple(KeptField(**field) for field in entry.get("fields", ())),
            causes=tuple(Cause(**cause) for cause in entry.get("causes", ())),
        )
        for entry in stored
        if "bucket" in entry
    ]


def _urls(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    by_model: dict[str, set[str]] = {}
    for label, pk in keys:
        by_model.setdefault(label, set()).add(pk)
    return {
        (label, pk): url
        for label, pks in by_model.items()
        if label
        for pk, url in links.urls_of(label, sorted(pks)).items()
    }
