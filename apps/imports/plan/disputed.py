"""Disputed rows: refused until a person says which key counts; too many of them, and so is a whole snapshot.

The key that counts is the first one of the row (`id`), or its others (`ident`). Where the others count, the first one
is read as if the row said what their object has there, or nothing if they name none: the row makes a new object then.
"""

from apps.changesets.history.moves import in_words
from apps.imports.errors import NumbersContradicted
from apps.imports.plan.disputed_rows import UNSETTLED, keep_disputed
from apps.imports.plan.evidence import Suspect, Values, find_disputed, keys_of, kilometres, suspects_of, titles
from apps.imports.results import Refusal, RefusedRows
from apps.imports.spec import Evidence
from apps.imports.staging.tables import Staging

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
