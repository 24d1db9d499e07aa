"""What is unusual about a plan beside the last imports of its source, from stored counts; and whether it takes back."""

from collections.abc import Mapping
from typing import Any

from apps.changesets.models import Changeset, Status
from apps.changesets.tracking import tracked_for
from apps.imports.models import ImportRun, RunStatus
from apps.imports.plan.plan import ImportPlan
from apps.imports.registry import spec_named
from apps.imports.results import source_title
from apps.imports.staging.tables import Staging

# So many earlier imports are looked at, and fewer than so many say nothing.
MOST, FEWEST = 5, 2
# A share is unusual above so many percent, if it is more than so many times the highest of before.
PERCENT, TIMES = 1.0, 3.0
# Shares of the rows of a file.
_OF_ROWS = ("created", "missing", "kept", "refused", "cells_refused", "renamed")
Counts = Mapping[str, int]


def beside_earlier(plan: ImportPlan, run: ImportRun, fields: Counts) -> dict[str, Any]:
    """Return what a run remembers of its plan beside the earlier imports of the same source.

    `fields` says how many objects the plan changes in each field.
    """
    earlier = _earlier(plan, run)
    snapshot = earlier and plan.spec.upstream and not plan.options.corrections
    return {
        "compared": len(earlier),
        "unusual": _unusual(plan.counts.as_dict(), fields, earlier),
        "same_file": _same_file(run, earlier),
        "takes_back": _takes_back(plan.staging, earlier[0]) if snapshot else None,
    }


def _earlier(plan: ImportPlan, run: ImportRun) -> list[ImportRun]:
    """Return the last imports of the same source that changed something and were not reverted, the newest first."""
    applied = ImportRun.objects.filter(spec=run.spec, status=RunStatus.APPLIED, changeset__isnull=False)
    runs = applied.exclude(pk=run.pk).exclude(changeset__status=Status.REVERTED).select_related("changeset")
    slim = runs.defer("summary", "header", "changeset__summary").order_by("-changeset_id")
    same = slim.filter(changeset__source_title=source_title(plan.options, run.file_name))
    return list(same[:MOST])


def _unusual(counts: Counts, fields: Counts, earlier: list[ImportRun]) -> list[dict[str, Any]]:
    """Return the shares that are unusual, each with its number and the lowest and highest share of before."""
    now = _shares(counts, fields)
    before = [_shares(run.counts or {}, _fields_of(run)) for run in earlier if _compared(run.counts or {})]
    if len(before) < FEWEST:
        return []
    numbers = {**counts, **{f"field:{name}": number for name, number in fields.items()}}
    unusual = []
    for name, share in now.items():
        shares = [run.get(name, 0.0) for run in before]
        if share >= PERCENT and share > TIMES * max(shares):
            values = {"share": share, "lowest": min(shares), "highest": max(shares)}
            unusual.append({"name": name, "number": numbers[name]} | {key: round(n, 1) for key, n in values.items()})
    return sorted(unusual, key=lambda row: -row["share"])


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
