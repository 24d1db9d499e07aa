"""The rows of a plan as its page shows them: with addresses, and the changesets that they name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from apps.changesets.fields import field_of
from apps.changesets.history.diff import FieldChange
from apps.changesets.models import Changeset
from apps.changesets.pages import links
from apps.changesets.revert.verdicts import Cause, KeptField, Verdict
from apps.changesets.rights import Sees
from apps.changesets.tracking import tracked_by_name


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
    # What it was, as changesets call it, and its values now and after.
    sign: str = ""
    changes: Sequence[FieldChange] = ()


def rows_of(verdicts: Sequence[Verdict], sees: Sees) -> list[ShownRow]:
    """Return the verdicts as rows, as far as they may be seen; one query a model, and one for all changesets."""
    verdicts = [_as_seen(verdict, sees) for verdict in verdicts if _is_seen(verdict.model, sees)]
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


def _is_seen(label: str, sees: Sees) -> bool:
    tracked = tracked_by_name(label) if label else None
    return tracked is None or sees(tracked.model)


def _as_seen(verdict: Verdict, sees: Sees) -> Verdict:
    """Return the verdict without the values of models that may not be seen: what stands in the way, what links name."""
    return replace(
        verdict,
        causes=tuple(cause if _is_seen(cause.model, sees) else _unnamed(cause) for cause in verdict.causes),
        fields=tuple(field for field in verdict.fields if _names_what_is_seen(verdict.model, field.name, sees)),
    )


def _unnamed(cause: Cause) -> Cause:
    tracked = tracked_by_name(cause.model)
    words = f"an object among the {tracked.model._meta.verbose_name_plural}" if tracked else "an object"
    return replace(cause, model="", pk="", label=words)


def _names_what_is_seen(label: str, name: str, sees: Sees) -> bool:
    tracked = tracked_by_name(label)
    target = field_of(tracked.model, name).related_model if tracked else None
    return not isinstance(target, type) or sees(target)


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
