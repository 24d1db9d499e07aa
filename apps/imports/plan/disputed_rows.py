"""What a stored plan keeps of a disputed row: its values beside those of the two objects, and what may be decided."""

import json
from typing import Any

from apps.imports.plan.evidence import Suspect, Values, keys_of, kilometres, suspects_of, titles
from apps.imports.spec import Evidence
from apps.imports.staging.tables import Staging

UNSETTLED = "d.settled IS NOT TRUE"
_PAGE = 5000


def keep_disputed(staging: Staging, evidence: Evidence, *, by_id: str, by_others: str) -> None:
    """Write down each row that waits for a decision; the two conditions say which keys of the row `d` can count."""
    fields = staging.layout.staged
    # What the rows say, whether their keys can count, and the newest history rows of the objects that these name.
    pages = staging.pages(
        """
        SELECT d.line, {by_id}, {by_others}, {lone}, {id_history}, {other_history}, s.{upstream}, {fields}
        FROM {disputed} d JOIN {staged} s ON s.line = d.line WHERE {unsettled} AND {after} ORDER BY d.line LIMIT {limit}
        """,
        by="d.line",
        size=_PAGE,
        by_id=by_id,
        by_others=by_others,
        lone=_lone(staging),
        id_history=staging.newest_history("d.id_pk"),
        other_history=staging.newest_history("d.other_pk"),
        fields=staging.names(fields, of="s"),
        unsettled=UNSETTLED,
    )
    for suspects, rows in zip(suspects_of(staging, UNSETTLED, size=_PAGE), pages, strict=True):
        kept = []
        for suspect, (line, may_id, may_ident, lone, *history, upstream, values) in zip(
            suspects, ((*row[:7], row[7:]) for row in rows), strict=True
        ):
            told = _told(staging, suspect, evidence, history) | {
                "may_id": bool(may_id),
                "may_ident": bool(may_ident),
                "lone": bool(lone),
            }
            known = json.loads(upstream) if isinstance(upstream, str) else upstream
            staged = dict(zip(fields, values, strict=True))
            kept.append((json.dumps({"told": told, "staged": staged, "upstream": known}), line))
        staging.run_many("UPDATE {disputed} SET kept = %s WHERE line = %s", kept)


def _told(staging: Staging, suspect: Suspect, evidence: Evidence, history: list[int | None]) -> dict[str, Any]:
    id_history, other_history = history
    row, by_id, by_other = suspect.row, suspect.by_id, suspect.by_other
    return {
        "values": {field: [row[field], by_id[field], by_other[field]] for field in row},
        "id": _candidate(staging, by_id, suspect, evidence, id_history),
        "ident": _candidate(staging, by_other, suspect, evidence, other_history),
        "keys": _keys(staging, suspect),
        "titles": titles(staging),
    }


def _lone(staging: Staging) -> str:
    """Return the SQL condition: nothing else in a snapshot is about the object of the other keys, so that it is
    superseded where the first key counts."""
    if staging.spec.stable_key is None or staging.layout.corrections:
        return "FALSE"
    return staging.fill(
        """
        EXISTS (SELECT 1 FROM {live} l WHERE l.{pk} = d.other_pk AND l.{stable_key} IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM {matched} t WHERE t.old_pk = l.{pk} AND t.line <> d.line)
                AND NOT EXISTS (SELECT 1 FROM {seen} e WHERE e.stable_value = l.{stable_key}))
        """
    )


def _candidate(
    staging: Staging, live: Values, suspect: Suspect, evidence: Evidence, history_id: int | None
) -> dict[str, Any] | None:
    pk = live[staging.spec.pk]
    if pk is None:
        return None
    return {
        "pk": staging.pk_in_words(pk),
        "name": live[staging.spec.label],
        "km": kilometres(suspect.row, live, evidence),
        "history_id": history_id,
    }


def _keys(staging: Staging, suspect: Suspect) -> dict[str, Any]:
    """Return what is taken for the first key where the others count: a key of another object is not."""
    return {} if suspect.id_pk is None else {field: suspect.by_other[field] for field in keys_of(staging)[0]}
