"""Disputed rows: refused until a person says which key counts; too many of them, and so is a whole snapshot.

The key that counts is the first one of the row (`id`), or its others (`ident`). Where the others count, the first one
is read as if the row said what their object has there, or nothing if they name none: the row makes a new object then.
"""

import json
from typing import Any

from apps.changesets.history.moves import in_words
from apps.imports.errors import NumbersContradicted
from apps.imports.plan.evidence import Suspect, Values, find_disputed, keys_of, kilometres, suspects_of, titles
from apps.imports.results import Refusal, RefusedRows
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


# A snapshot with more disputed rows than this, in number and in percent of those with an object, is refused.
ALWAYS_ALLOWED = 2
PERCENT = 1


def settle_disputed(staging: Staging) -> RefusedRows:
    """Find the disputed rows, and refuse those for which the options do not say which key counts.

    Raises NumbersContradicted when so many rows of a snapshot are disputed that its keys are not those of upstream.
    """
    evidence = staging.spec.evidence
    examples = find_disputed(staging, evidence) if evidence else []
    if evidence is None or not examples:
        return RefusedRows(0, [])
    if staging.options.disputed == "refuse":
        _refuse_file(staging, evidence, examples)
    else:
        _settle(staging, by_id=staging.options.disputed == "id")
    refusals = [
        _refusal(staging, suspect, evidence) for suspects in suspects_of(staging, UNSETTLED) for suspect in suspects
    ]
    possible_keys = {"by_id": possible(staging, by_id=True), "by_others": possible(staging, by_id=False)}
    keep_disputed(staging, evidence, **possible_keys)
    staging.empty("imports_blocked")
    # The rows about which a person has to decide.
    staging.run("INSERT INTO {blocked} (line, holder) SELECT line, NULL FROM {disputed} WHERE settled IS NOT TRUE")
    number = staging.refuse_blocked()
    _see_both(staging)
    return RefusedRows(number, refusals)


def possible(staging: Staging, *, by_id: bool) -> str:
    """Return the SQL condition: for the disputed row `d` the first key, or the others, can count.

    They name an object that no other row is about, or (the others only) a new object.
    """
    first = keys_of(staging)[0]
    key, new = ("d.id_pk", "FALSE") if by_id else ("d.other_pk", "TRUE" if _may_lack(staging, first) else "FALSE")
    # What a row says of a reference is a code, and what the object has there is a key.
    replaceable = by_id or not set(first) & set(staging.spec.referred)
    return staging.fill(
        """
        CASE WHEN {key} IS NULL THEN {new} ELSE {replaceable} AND NOT EXISTS (
            SELECT 1 FROM {matched} t WHERE t.old_pk = {key} AND t.line <> d.line
            AND NOT EXISTS (SELECT 1 FROM {disputed} e WHERE e.line = t.line)
        ) END
        """,
        key=key,
        new=new,
        replaceable="TRUE" if replaceable else "FALSE",
    )


def _may_lack(staging: Staging, first: tuple[str, ...]) -> bool:
    """Whether a new object may have no value of the first key, or gets one by itself."""
    spec = staging.spec
    return first == (spec.stable_key,) or (spec.automatic and first == (spec.pk,))


def _refuse_file(staging: Staging, evidence: Evidence, examples: list[Suspect]) -> None:
    number, matched = staging.rows("SELECT (SELECT COUNT(*) FROM {disputed}), COUNT(*) FROM {matched}")[0]
    if staging.layout.corrections or number <= ALWAYS_ALLOWED or number * 100 <= matched * PERCENT:
        return
    first, others = titles(staging)
    choice = f" (--match {staging.spec.pk})" if (staging.spec.pk,) in keys_of(staging)[1:] else ""
    shown = "; ".join(f"line {suspect.line}: {_sentence(staging, suspect, evidence)}" for suspect in examples)
    raise NumbersContradicted(
        f"{number:,} of {matched:,} matched rows ({100 * number / matched:.1f} %) are disputed: their {first} names "
        f"one object, and their other values speak of another one. Such as {shown}. These are not the numbers of "
        f"{staging.spec.upstream_title or 'upstream'}: match by {others}{choice}. Nothing was imported."
    )


def _refusal(staging: Staging, suspect: Suspect, evidence: Evidence) -> Refusal:
    field = keys_of(staging)[0][0]
    header = next(column.header for column in staging.spec.columns if column.field == field)
    hint = f"{_sentence(staging, suspect, evidence)}: say which counts (in a command: --disputed id or ident)"
    value = suspect.row[field]
    return Refusal(suspect.line, header, "" if value is None else str(value), "disputed", hint)


def _sentence(staging: Staging, suspect: Suspect, evidence: Evidence) -> str:
    first, others = titles(staging)
    named = [
        f"its {title} names {_named(staging, live, suspect.row, evidence)}"
        for title, pk, live in ((first, suspect.id_pk, suspect.by_id), (others, suspect.other_pk, suspect.by_other))
        if pk is not None
    ]
    about = suspect.row.get(staging.spec.label) or "another object"
    return f"{', '.join(named)}, and it is about {about}"


def _named(staging: Staging, live: Values, row: Values, evidence: Evidence) -> str:
    km = kilometres(row, live, evidence)
    away = "" if km is None else f", {in_words(km)} away"
    return f"{live[staging.spec.label]} ({staging.pk_in_words(live[staging.spec.pk])}{away})"


def _settle(staging: Staging, *, by_id: bool) -> None:
    """Match the disputed rows by the key that the options name, as far as that can be."""
    staging.run(
        """
        UPDATE {disputed} SET settled = TRUE WHERE line IN (SELECT d.line FROM {disputed} d WHERE {possible})
        """,
        possible=possible(staging, by_id=by_id),
    )
    # The objects that the key names; none is a new one.
    staging.run(
        """
        UPDATE {matched} SET old_pk = (SELECT {key} FROM {disputed} d WHERE d.line = {matched}.line)
        WHERE line IN (SELECT line FROM {disputed} WHERE settled)
        """,
        key="d.id_pk" if by_id else "d.other_pk",
    )
    staging.run("DELETE FROM {matched} WHERE old_pk IS NULL")
    if by_id:
        return
    for field in keys_of(staging)[0]:
        # The first key that the object of the others has, in place of the one that belongs to another object.
        staging.run(
            """
            UPDATE {staged} SET {field} = (
                SELECT l.{column} FROM {disputed} d JOIN {live} l ON l.{pk} = d.other_pk WHERE d.line = {staged}.line
            ) WHERE line IN (SELECT line FROM {disputed} WHERE settled AND id_pk IS NOT NULL)
            """,
            field=staging.quote(field),
            column=staging.column(field),
        )


def _see_both(staging: Staging) -> None:
    """Note that the file has both objects of a disputed row, so that neither of them counts as missing.

    Where the first key counts, the object of the others gives way to the row, as it does without a dispute.
    """
    if staging.spec.stable_key:
        staging.run(
            """
            INSERT INTO {seen} (line, stable_value, pk_value, refused)
            SELECT d.line, l.{stable_key}, l.{pk}, FALSE
            FROM {disputed} d JOIN {live} l ON l.{pk} IN (d.id_pk, d.other_pk) WHERE {unsettled}
            """,
            unsettled="d.settled IS NOT TRUE" if staging.options.disputed == "id" else "TRUE",
        )
