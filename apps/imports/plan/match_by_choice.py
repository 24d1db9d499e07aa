"""Matching by the key that a person chose: the rows' other keys are not believed, and nothing is renamed.

A key that several live objects share refuses the row and names them. A match by name checks the distance, where row and
object both have a position.
"""

from functools import partial

from django.db import models

from apps.changesets.fields import column_of, field_of
from apps.changesets.tracking import tracked_for
from apps.imports.plan.distance import haversine, refuse_far
from apps.imports.results import REFUSALS_LISTED, Refusal, RefusedRows
from apps.imports.spec import MatchChoice, MatchStep
from apps.imports.staging.tables import Staging

_NAMED = 3
_CANDIDATES = "imports_candidates"


def chosen_steps(staging: Staging) -> list[MatchStep]:
    """Return the steps that match by what a person chose: a key, or the primary key in any case."""
    choice, spec = staging.layout.match, staging.spec
    if choice is None:
        ignored = staging.options.ignore_case and spec.pk in staging.layout.fields
        return [partial(match_by_choice, choice=MatchChoice(spec.pk, (spec.pk,)))] if ignored else []
    steps: list[MatchStep] = [partial(match_by_choice, choice=choice)]
    if not staging.layout.corrections and spec.stable_key not in choice.fields:
        steps += [_refuse_blank, keep_keys_free]
    return steps


def match_by_choice(staging: Staging, choice: MatchChoice) -> RefusedRows:
    """Match each staged row not matched so far by this key; refuse it where several live objects have the key."""
    staging.fresh_temp(
        _CANDIDATES, staging.fill("line integer, old_pk {type}", type=staging.column_type(staging.spec.pk))
    )
    staging.run(
        "INSERT INTO {candidates} (line, old_pk) {pairs}",
        candidates=_CANDIDATES,
        pairs=_together(staging, choice) if choice.together else _any_of(staging, choice),
    )
    staging.index_temp(_CANDIDATES, ["line"])
    number, refusals = _refuse_shared(staging, choice)
    # Rows whose key exactly one object has.
    staging.run(
        """
        INSERT INTO {matched} (line, old_pk) SELECT c.line, c.old_pk FROM {candidates} c
        WHERE EXISTS (SELECT 1 FROM {staged} s WHERE s.line = c.line)
        """,
        candidates=_CANDIDATES,
    )
    staging.drop_temps([_CANDIDATES])
    far, listed = _refuse_far(staging) if choice.together else RefusedRows(0, [])
    return RefusedRows(number + far, [*refusals, *listed])


def _refuse_blank(staging: Staging) -> RefusedRows:
    """Refuse rows of a snapshot whose key is blank: nothing says whether they are about a live object."""
    columns = [c for c in staging.spec.columns if c.field in {*staging.layout.alone, *staging.layout.together}]
    present = [column for column in columns if column.field in staging.layout.fields]
    blank = [staging.fill("COALESCE(CAST({cell} AS text), '') = ''", cell=staging.quote(c.field)) for c in present]
    staging.empty("imports_blocked")
    staging.run(
        "INSERT INTO {blocked} (line, holder) SELECT line, NULL FROM {staged} WHERE {blank}",
        blank=(" OR " if staging.layout.together else " AND ").join(blank),
    )
    lines = staging.firsts("SELECT line FROM {blocked} ORDER BY line LIMIT {limit}", limit=str(REFUSALS_LISTED))
    header = " and ".join(column.header for column in present)
    refusals = [Refusal(line, header, "", "required", "rows are matched by this, and it is blank") for line in lines]
    return RefusedRows(staging.refuse_blocked(), refusals)


def keep_keys_free(staging: Staging) -> RefusedRows:
    """Let new objects take no key of a live one: the stable key is left out, a row with a taken primary key refused."""
    spec, fields = staging.spec, staging.layout.fields
    new = "NOT EXISTS (SELECT 1 FROM {matched} m WHERE m.line = {staged}.line)"
    if spec.stable_key in fields:
        # New objects whose stable key a live one has.
        staging.run(
            """
            UPDATE {staged} SET {new_stable_key} = NULL
            WHERE {new} AND {new_stable_key} IN (SELECT l.{stable_key} FROM {live} l WHERE l.{stable_key} IS NOT NULL)
            """,
            new=staging.fill(new),
        )
    staging.empty("imports_blocked")
    if spec.pk in fields:
        # New objects whose primary key a live one has.
        staging.run(
            """
            INSERT INTO {blocked} (line, holder) SELECT line, {new_pk} FROM {staged}
            WHERE {new} AND {new_pk} IN (SELECT l.{pk} FROM {live} l)
            """,
            new=staging.fill(new),
        )
    rows = staging.rows("SELECT line, holder FROM {blocked} ORDER BY line LIMIT {limit}", limit=str(REFUSALS_LISTED))
    header = next(column.header for column in spec.columns if column.field == spec.pk)
    hint = "another key was chosen to match by, and one that has this key lives already"
    refusals = [Refusal(line, header, str(pk), "held", hint) for line, pk in rows]
    return RefusedRows(staging.refuse_blocked(), refusals)


def _any_of(staging: Staging, choice: MatchChoice) -> str:
    """Return a SELECT of lines and the live objects that have one of the row's values in one of the fields."""
    given = [field for field in choice.fields if field in staging.layout.fields]
    pairs = [(f"s.{staging.quote(theirs)}", _code(staging, ours)) for theirs in given for ours in choice.fields]
    selects = [
        staging.fill(
            "SELECT s.line, l.{pk} FROM {staged} s JOIN {live} l ON {ours} = {theirs} WHERE {unmatched}",
            ours=ours,
            theirs=theirs,
            unmatched=staging.fill("NOT EXISTS (SELECT 1 FROM {matched} m WHERE m.line = s.line)"),
        )
        for theirs, ours in pairs
    ]
    return " UNION ".join(selects)


def _code(staging: Staging, field: str) -> str:
    """Return the SQL for a code of the live row, in capital letters where those of the file are made so."""
    is_text = isinstance(field_of(staging.spec.model, field), models.CharField)
    live = f"l.{staging.column(field)}"
    return f"UPPER({live})" if staging.options.ignore_case and is_text else live


def _together(staging: Staging, choice: MatchChoice) -> str:
    """Return a SELECT of lines and the live objects that have all of the row's values."""
    same = " AND ".join(f"l.{staging.column(field)} = {staging.staged(field)}" for field in choice.fields)
    return staging.fill("SELECT s.line, l.{pk} FROM {staged} s JOIN {live} l ON {same}", same=same)


def _refuse_shared(staging: Staging, choice: MatchChoice) -> RefusedRows:
    staging.empty("imports_blocked")
    # Rows whose key several live objects have.
    staging.run(
        """
        INSERT INTO {blocked} (line, holder)
        SELECT line, CAST(COUNT(*) AS text) FROM {candidates} GROUP BY line HAVING COUNT(*) > 1
        """,
        candidates=_CANDIDATES,
    )
    columns = [c for c in staging.spec.columns if c.field in choice.columns(staging.spec) & staging.layout.fields]
    # Which objects these are, the first ones of each row.
    rows = staging.rows(
        """
        SELECT line, old_pk, label, {cells} FROM (
            SELECT c.line, c.old_pk, l.{label} AS label, {staged_cells},
                   ROW_NUMBER() OVER (PARTITION BY c.line ORDER BY c.old_pk) AS place
            FROM {candidates} c JOIN {blocked} b ON b.line = c.line
            JOIN {staged} s ON s.line = c.line JOIN {live} l ON l.{pk} = c.old_pk
        ) r WHERE place <= {few} ORDER BY line, place LIMIT {limit}
        """,
        candidates=_CANDIDATES,
        label=staging.column(staging.spec.label),
        cells=", ".join(f"cell{place}" for place in range(len(columns))),
        staged_cells=", ".join(f"s.{staging.quote(c.field)} AS cell{place}" for place, c in enumerate(columns)),
        few=str(_NAMED + 1),
        limit=str(REFUSALS_LISTED),
    )
    sharing: dict[tuple[int, str], list[str]] = {}
    for line, pk, label, *cells in rows:
        value = ", ".join(str(cell) for cell in cells if cell not in (None, ""))
        sharing.setdefault((line, value), []).append(f"{staging.pk_in_words(pk)} ({label})")
    header = " and ".join(column.header for column in columns)
    refusals = [
        Refusal(line, header, value, "ambiguous", f"{_some(names)} share this {choice.title}: name one by another key")
        for (line, value), names in sharing.items()
    ]
    return RefusedRows(staging.refuse_blocked(), refusals)


def _some(names: list[str]) -> str:
    if len(names) > _NAMED:
        names = [*names[:_NAMED], "others"]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _refuse_far(staging: Staging) -> RefusedRows:
    """Refuse matches by name of a row that is far from its object, where both have a position."""
    tracked = tracked_for(staging.spec.model)
    point = [tracked.fields_by_column[column].name for column in tracked.point or ()]
    if len(point) != 2 or not set(point) <= staging.layout.fields:
        return RefusedRows(0, [])
    ours = [f"l.{staging.quote(column_of(field_of(staging.spec.model, field)))}" for field in point]
    theirs = [f"s.{staging.quote(field)}" for field in point]
    pairs = staging.fill(
        """
        SELECT m.line, {haversine} AS haversine FROM {matched} m
        JOIN {staged} s ON s.line = m.line JOIN {live} l ON l.{pk} = m.old_pk WHERE {known}
        """,
        haversine=haversine(*theirs, *ours),
        known=" AND ".join(f"{value} IS NOT NULL" for value in (*ours, *theirs)),
    )
    name = staging.spec.model._meta.verbose_name
    hint = f"{{km}} from the {name} of this name: it is another one, or name it by another key"
    return refuse_far(staging, pairs, point=(point[0], point[1]), hint=hint)
