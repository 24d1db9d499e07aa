"""What is unusual about a plan beside the last imports of its source, from stored counts; and whether it takes back."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Model

from apps.changesets.history.values import field_label
from apps.changesets.models import Changeset, Status
from apps.changesets.text import counted, plural
from apps.changesets.tracking import tracked_for
from apps.imports.models import ImportRun, RunStatus
from apps.imports.plan.plan import ImportPlan
from apps.imports.registry import spec_named
from apps.imports.results import source_title
from apps.imports.runs.repeats import Repeat
from apps.imports.spec import ImportSpec
from apps.imports.staging.tables import Staging

# So many earlier imports are looked at, and fewer than so many say nothing.
MOST, FEWEST = 5, 2
# A share is unusual above so many percent, if it is more than so many times the highest of before.
PERCENT, TIMES = 1.0, 3.0
# Shares of the rows of a file.
_OF_ROWS = ("created", "missing", "kept", "refused", "cells_refused", "renamed")
Counts = Mapping[str, int]
# What is said of the rows of a count.
COUNTS_IN_WORDS = {
    "created": "of the rows are new",
    "missing": "as many as that are missing",
    "kept": "of the rows meet corrections made here",
    "refused": "of the rows are refused",
    "cells_refused": "as many as that have refused cells",
    "renamed": "of the rows get another key",
}


def beside_earlier(plan: ImportPlan | Repeat, run: ImportRun, fields: Counts | None = None) -> dict[str, Any]:
    """Return what a run remembers of its plan beside the earlier imports of the same source.

    `fields` says how many objects the plan changes in each field, where that was counted already.
    """
    earlier = _earlier(plan, run)
    snapshot = earlier and plan.spec.upstream and not plan.options.corrections
    # A repetition changes no object, and so takes nothing back.
    back = _takes_back(plan.staging, earlier[0]) if snapshot and isinstance(plan, ImportPlan) else None
    return {
        "compared": len(earlier),
        "unusual": _unusual(plan, fields, earlier),
        "same_file": _same_file(run, earlier),
        "takes_back": back,
    }


def _earlier(plan: ImportPlan | Repeat, run: ImportRun) -> list[ImportRun]:
    """Return the last imports of the same source that changed something and were not reverted, the newest first."""
    applied = ImportRun.objects.filter(spec=run.spec, status=RunStatus.APPLIED, changeset__isnull=False)
    runs = applied.exclude(pk=run.pk).exclude(changeset__status=Status.REVERTED).select_related("changeset")
    slim = runs.defer("summary", "header", "changeset__summary").order_by("-changeset_id")
    same = slim.filter(changeset__source_title=source_title(plan.options, run.file_name))
    return list(same[:MOST])


def _unusual(plan: ImportPlan | Repeat, fields: Counts | None, earlier: list[ImportRun]) -> list[dict[str, Any]]:
    """Return the shares that are unusual, each with its number and the lowest and highest share of before."""
    before = [_shares(run.counts or {}, _fields_of(run)) for run in earlier if _compared(run.counts or {})]
    if len(before) < FEWEST:
        return []
    counts = plan.counts.as_dict()
    if fields is None:
        fields = _changed_fields(plan.staging) if isinstance(plan, ImportPlan) else {}
    now = _shares(counts, fields)
    numbers = {**counts, **{f"field:{name}": number for name, number in fields.items()}}
    unusual = []
    for name, share in now.items():
        shares = [run.get(name, 0.0) for run in before]
        if share >= PERCENT and share > TIMES * max(shares):
            values = {"share": share, "lowest": min(shares), "highest": max(shares)}
            unusual.append({"name": name, "number": numbers[name]} | {key: round(n, 1) for key, n in values.items()})
    return sorted(unusual, key=lambda row: -row["share"])


def _changed_fields(staging: Staging) -> Counts:
    """Return how many objects a plan changes in each field; fields that stay are left out."""
    fields = staging.shown
    differing = [f"x.{staging.quote(field)} IS DISTINCT FROM l.{staging.column(field)}" for field in fields]
    # Of the objects that change, how many differ in each field.
    [numbers] = staging.rows(
        "SELECT {counts} FROM {changed} x JOIN {live} l ON l.{pk} = x.old_pk",
        counts=", ".join(f"COUNT(CASE WHEN {differs} THEN 1 END)" for differs in differing),
    )
    return {field: number for field, number in zip(fields, numbers, strict=True) if number}


def earlier_in_words(earlier: Mapping[str, Any], spec: ImportSpec) -> Iterator[str]:
    """Yield the same in sentences, as a command says it."""
    if earlier["same_file"]:
        yield f"This file is older than what was imported last: import {earlier['same_file']} imported the same file."
    if back := earlier["takes_back"]:
        yield (
            f"{back['number']:,} of {counted(back['of'], 'changed object')} would get their upstream "
            f"values back from before import {back['run']}: is the file older than that one?"
        )
    if earlier["unusual"]:
        yield f"Unusual beside the last {counted(earlier['compared'], 'import')} of this source:"
    for row in earlier["unusual"]:
        what = COUNTS_IN_WORDS.get(row["name"]) or words_of_field(spec.model, row["name"].removeprefix("field:"))
        before = " to ".join(dict.fromkeys(f"{row[end]:g}" for end in ("lowest", "highest")))
        yield f"  {row['share']:g} % {what} ({row['number']:,}; before {before} %)"


def words_of_field(model: type[Model], name: str) -> str:
    """Return what is said of the objects that change in a field."""
    return f"of the {plural(2, model)} that are here change in {field_label(model, name)}"


def _compared(counts: Counts) -> int:
    """How many rows had an object to be compared with."""
    return counts.get("updated", 0) + counts.get("unchanged", 0)


def _shares(counts: Counts, fields: Counts) -> dict[str, float]:
    """Return shares in percent: of the rows of the file, and for each field of the objects that were compared."""
    total, compared = counts.get("total", 0), _compared(counts)
    rows = {name: 100 * counts.get(name, 0) / total for name in _OF_ROWS} if total else {}
    return rows | ({f"field:{name}": 100 * number / compared for name, number in fields.items()} if compared else {})


def _fields_of(run: ImportRun) -> Counts:
    """Return how many objects an applied import changed in each field, as its changeset has counted."""
    made: Changeset | None = run.changeset
    counted = (made.field_counts if made else None) or {}
    fields: Counts = counted.get(spec_named(run.spec).model._meta.label_lower, {})
    return fields


def _same_file(run: ImportRun, earlier: list[ImportRun]) -> int | None:
    """Return the earlier import of just this file, unless it is the last one."""
    if not earlier or earlier[0].file_sha256 == run.file_sha256:
        return None
    return next((made.pk for made in earlier if made.file_sha256 == run.file_sha256), None)


def _takes_back(staging: Staging, last: ImportRun) -> dict[str, Any] | None:
    """Return how many of the objects whose values of upstream change get those from before the last import again.

    None where no more than half of them do: upstream takes back a value now and then.
    """
    sql = staging.with_names(history=tracked_for(staging.spec.model).history_table)
    # The objects that the last import changed, as far as they kept their key, and what upstream said of them before.
    back = sql.value(
        """
        SELECT COUNT(*) FROM {history} h JOIN {changed} x ON x.old_pk = h.{pk} JOIN {live} l ON l.{pk} = x.old_pk
        WHERE h.changeset_id = %s AND h.history_type = '~' AND x.{upstream} IS DISTINCT FROM l.{upstream}
        AND x.{upstream} = (
            SELECT p.{upstream} FROM {history} p WHERE p.{pk} = h.{pk} AND p.history_id < h.history_id
            ORDER BY p.history_id DESC LIMIT 1
        )
        """,
        [last.changeset_id],
    )
    changed = back and sql.value(
        """
        SELECT COUNT(*) FROM {changed} x JOIN {live} l ON l.{pk} = x.old_pk
        WHERE x.{upstream} IS DISTINCT FROM l.{upstream}
        """
    )
    if not back or back * 2 <= changed:
        return None
    return {"number": back, "of": changed, "run": last.pk, "changeset": last.changeset_id}
