"""Evidence: rows whose name, country and position contradict the object that their key names.

SQL finds the few rows that may be disputed: one of their other keys names another object, or their name, country and
position differ from those of their object. Python judges these, since it knows names and distances better. A row is
disputed when everything that is known contradicts its object, or when two of its keys name two objects and more of its
values agree with the other one, which no undisputed row is about.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from apps.changesets.history.maps import distance_km
from apps.imports.spec import Evidence
from apps.imports.staging.tables import Staging

FAR_KM = 100
# Farther than this in latitude or longitude is what may be farther than FAR_KM, whatever the latitude is.
_FAR_DEGREES = 0.6
_PAGE = 5000
# How many disputed rows a sentence names.
_EXAMPLES = 3
Values = dict[str, Any]


@dataclass(frozen=True)
class Suspect:
    """A row with the objects that its first key and its other keys name, and the values of the three.

    The row is matched with one of the two.
    """

    line: int
    matched_pk: Any
    id_pk: Any
    other_pk: Any
    row: Values
    by_id: Values
    by_other: Values

    @property
    def matched(self) -> Values:
        """The values of the object that the row is matched with."""
        return self.by_id if self.matched_pk == self.id_pk else self.by_other

    @property
    def rival(self) -> Values | None:
        """The values of the other object that a key of the row names, where there is one."""
        if self.id_pk is None or self.other_pk is None:
            return None
        return self.by_other if self.matched_pk == self.id_pk else self.by_id


def keys_of(staging: Staging) -> list[tuple[str, ...]]:
    """Return the groups of fields of the file of which each names an object, the one that counts first in front."""
    spec, evidence = staging.spec, staging.spec.evidence
    named = [(field,) for field in evidence.keys] if evidence else []
    groups = [*((field,) for field in spec.key_fields), spec.match_by, *spec.unique, *named]
    # What a row was matched by names an object, too, though several may share it.
    groups += [(field,) for field in staging.layout.alone]
    filled = set(staging.layout.staged) & set(staging.stored)
    return [group for group in dict.fromkeys(groups) if group and set(group) <= filled]


def titles(staging: Staging) -> tuple[str, str]:
    """Return what files call the first key, and its others."""
    headers = {column.field: column.header for column in staging.spec.columns}
    groups = [
        " and ".join(headers[staging.spec.follows.get(field, field)] for field in group) for group in keys_of(staging)
    ]
    return groups[0], " or ".join(dict.fromkeys(groups[1:])) or "other values"


def find_disputed(staging: Staging, evidence: Evidence) -> list[Suspect]:
    """Fill the table of disputed rows and return the first of them."""
    groups = keys_of(staging)
    if not groups:
        return []
    for group in groups if staging.options.match else groups[1:]:
        _suspect_by_key(staging, group)
    if differs := _may_contradict(staging, evidence):
        # Rows whose name is another one, and whose country and position are others, or are not known.
        staging.run(
            """
            INSERT INTO {disputed} (line, id_pk)
            SELECT m.line, m.old_pk FROM {matched} m
            JOIN {staged} s ON s.line = m.line JOIN {live} l ON l.{pk} = m.old_pk
            WHERE {differs} ON CONFLICT (line) DO NOTHING
            """,
            differs=differs,
        )
    _turn_what_was_matched_by_other_keys(staging, groups[0])
    return _acquit(staging, evidence)


def _suspect_by_key(staging: Staging, group: tuple[str, ...]) -> None:
    """Suspect the rows of which another key names another object than the one that they are matched with."""
    moved = "s.{new_pk} <> m.old_pk AND" if group == (staging.spec.pk,) else ""
    staging.run(
        """
        INSERT INTO {disputed} (line, id_pk, other_pk)
        SELECT m.line, m.old_pk, b.{pk} FROM {matched} m JOIN {staged} s ON s.line = m.line JOIN {live} b ON {named}
        WHERE {moved} b.{pk} <> m.old_pk ON CONFLICT (line) DO NOTHING
        """,
        named=" AND ".join(f"b.{staging.column(field)} = {staging.staged(field)}" for field in group),
        moved=staging.fill(moved),
    )


def _turn_what_was_matched_by_other_keys(staging: Staging, first: tuple[str, ...]) -> None:
    """Say of the few suspects which key names which object: so far they stand as if the first key had matched them."""
    staging.run(
        """
        UPDATE {disputed} SET id_pk = other_pk, other_pk = id_pk WHERE NOT EXISTS (
            SELECT 1 FROM {staged} s JOIN {live} l ON {by_first}
            WHERE s.line = {disputed}.line AND l.{pk} = {disputed}.id_pk
        )
        """,
        by_first=" AND ".join(
            f"l.{staging.column(field)} IS NOT DISTINCT FROM {staging.staged(field)}" for field in first
        ),
    )


def _may_contradict(staging: Staging, evidence: Evidence) -> str:
    """Return the SQL condition that a row may contradict its object; nothing where the file says too little."""
    filled = set(staging.layout.staged)
    others = []
    if evidence.country in filled:
        # Cheapest first: most rows are done with then.
        others.append(_differs(staging, evidence.country))
    if evidence.position and set(evidence.position) <= filled:
        far = " OR ".join(
            f"ABS(s.{staging.quote(f)} - l.{staging.column(f)}) > {_FAR_DEGREES}" for f in evidence.position
        )
        others.append(f"COALESCE({far}, TRUE)")
    if evidence.name not in filled or not others:
        return ""
    return " AND ".join([*others, _differs(staging, evidence.name)])


def _differs(staging: Staging, field: str) -> str:
    return f"{staging.staged(field)} IS DISTINCT FROM l.{staging.column(field)}"


def _acquit(staging: Staging, evidence: Evidence) -> list[Suspect]:
    """Take the suspects that are not disputed out of the table, and return the first of those that are."""
    contradicting: list[int] = []
    innocent: list[int] = []
    for suspect in chain.from_iterable(suspects_of(staging)):
        if _contradicts(suspect.row, suspect.matched, evidence):
            contradicting.append(suspect.line)
        elif suspect.rival is None or not _speaks_for(suspect.row, suspect.rival, suspect.matched, evidence):
            innocent.append(suspect.line)
    staging.run_many("UPDATE {disputed} SET contradicts = TRUE WHERE line = %s", ((line,) for line in contradicting))
    staging.run_many("DELETE FROM {disputed} WHERE line = %s", ((line,) for line in innocent))
    _acquit_where_the_rival_is_another_rows(staging)
    return next(suspects_of(staging, size=_EXAMPLES), [])


def _acquit_where_the_rival_is_another_rows(staging: Staging) -> None:
    """Take the rows out whose rival is the object of an undisputed row: upstream knows that it has two, and which.

    Where A takes the key of B, and B that of C, B has to be taken out first: so on, until none is.
    """
    while staging.value("SELECT COUNT(*) FROM {disputed} WHERE contradicts IS NULL"):
        acquitted = staging.run(
            """
            DELETE FROM {disputed} WHERE contradicts IS NULL AND EXISTS (
                SELECT 1 FROM {matched} m JOIN {matched} t ON t.old_pk = CASE m.old_pk
                    WHEN {disputed}.id_pk THEN {disputed}.other_pk ELSE {disputed}.id_pk END
                WHERE m.line = {disputed}.line AND NOT EXISTS (SELECT 1 FROM {disputed} e WHERE e.line = t.line)
            )
            """
        )
        if not acquitted:
            return


def suspects_of(staging: Staging, which: str = "TRUE", *, size: int = _PAGE) -> Iterator[list[Suspect]]:
    """Yield the rows in the table of disputed ones with what is to be compared, some at a time."""
    fields = telling_fields(staging)
    filled = set(staging.layout.staged)
    # The rows, with their values and those of the two objects that their keys name.
    pages = staging.pages(
        """
        SELECT d.line, m.old_pk, d.id_pk, d.other_pk, {row}, {by_id}, {by_other}
        FROM {disputed} d JOIN {matched} m ON m.line = d.line JOIN {staged} s ON s.line = d.line
        LEFT JOIN {live} i ON i.{pk} = d.id_pk LEFT JOIN {live} o ON o.{pk} = d.other_pk
        WHERE {which} AND {after} ORDER BY d.line LIMIT {limit}
        """,
        by="d.line",
        which=which,
        size=size,
        row=", ".join(staging.staged(field) if field in filled else "NULL" for field in fields),
        by_id=", ".join(f"i.{staging.column(field)}" for field in fields),
        by_other=", ".join(f"o.{staging.column(field)}" for field in fields),
    )
    for page in pages:
        yield [_suspect(fields, row) for row in page]


def _suspect(fields: list[str], columns: Sequence[Any]) -> Suspect:
    (line, matched_pk, id_pk, other_pk), values, width = columns[:4], columns[4:], len(fields)
    row, by_id, by_other = (dict(zip(fields, values[at:], strict=False)) for at in (0, width, 2 * width))
    return Suspect(line, matched_pk, id_pk, other_pk, row, by_id, by_other)


def telling_fields(staging: Staging) -> list[str]:
    """Return the fields by which people tell objects apart: keys, label, and evidence."""
    spec = staging.spec
    keys = [field for group in keys_of(staging) for field in group]
    fields = [*keys, spec.pk, spec.label, *(spec.evidence.fields if spec.evidence else ())]
    known = {*staging.stored, spec.pk}
    return [field for field in dict.fromkeys(fields) if field in known]


def _contradicts(row: Values, live: Values, evidence: Evidence) -> bool:
    """Whether the name and whatever else is known, at least one thing more, say that the object is another one."""
    others = {_same_country(row, live, evidence), _near(row, live, evidence)} - {None}
    return others == {False} and _same_name(row, live, evidence) is False


def _speaks_for(row: Values, rival: Values, live: Values, evidence: Evidence) -> bool:
    """Whether more values of the row agree with the rival only than with the live object only."""
    votes = 0
    for agrees in (_same_country, _near, _same_name, _same_code):
        votes += (agrees(row, rival, evidence) is True) - (agrees(row, live, evidence) is True)
    return votes > 0


def _same_country(row: Values, live: Values, evidence: Evidence) -> bool | None:
    return _same(row, live, evidence.country)


def _same(row: Values, live: Values, field: str) -> bool | None:
    value, theirs = row.get(field), live.get(field)
    return None if value in (None, "") or theirs in (None, "") else value == theirs


def _near(row: Values, live: Values, evidence: Evidence) -> bool | None:
    far = kilometres(row, live, evidence)
    return None if far is None else far <= FAR_KM


def _same_name(row: Values, live: Values, evidence: Evidence) -> bool | None:
    """Whether one name has the other in it: `Fiumicino` is `Rome-Fiumicino International Airport`, too."""
    name, theirs = (str(values.get(evidence.name) or "").casefold() for values in (row, live))
    return (name in theirs or theirs in name) if name and theirs else None


def _same_code(row: Values, live: Values, evidence: Evidence) -> bool | None:
    return any(_same(row, live, code) for code in evidence.codes)


def kilometres(row: Values, live: Values, evidence: Evidence) -> float | None:
    """Return how far the place in a row is from that of an object; None where either is not known."""
    if not evidence.position:
        return None
    here, there = (_place(values, *evidence.position) for values in (row, live))
    return None if here is None or there is None else distance_km(here, there)


def _place(values: Values, latitude: str, longitude: str) -> tuple[float, float] | None:
    lat, lon = values.get(latitude), values.get(longitude)
    return None if lat is None or lon is None else (float(lat), float(lon))
