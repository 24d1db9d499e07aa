"""Random imports, edits and plain SQL over the three models, taken back in any order: the invariants hold."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.airports.columns import OURAIRPORTS
from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.models import Changeset
from apps.changesets.revert import Bucket, Verdict, plan_revert, revert
from apps.imports.plan.apply import apply_import
from apps.imports.plan.plan import plan_import
from apps.imports.reading.sources import from_path
from tests.changesets.conftest import tables
from tests.changesets.test_properties import (
    IDENTS,
    NAMES,
    STEPS,
    Step,
    assert_recorded,
    assert_taken_back_and_redone,
    work,
)
from tests.imports.files import csv_text

CODES = ("US", "FR")
SMALL = st.integers(0, 2)
FILES = st.lists(
    st.fixed_dictionaries(
        {"id": SMALL, "ident": SMALL, "name": SMALL, "iso_country": st.integers(0, 1), "place": SMALL}
    ),
    min_size=1,
    max_size=3,
    unique_by=(lambda row: row["id"], lambda row: row["ident"]),
)
# An act is an import of a file, some work as one changeset, or a plain SQL statement that renames an airport.
ACTS = st.one_of(FILES, STEPS, st.tuples(SMALL, SMALL))
# What says when, not what: a merged row was changed now.
STAMPS = frozenset({"updated_at"})
Snapshot = dict[tuple[str, object], dict[str, object]]


def do(act: list | tuple) -> Changeset | None:
    """Do one act; return its changeset, or None when it changed nothing."""
    newest = Changeset.objects.first()
    if isinstance(act, tuple):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE airports_airport SET name = %s WHERE ident = %s", [NAMES[act[1]], IDENTS[act[0]]])
    elif isinstance(act[0], dict):
        import_rows(act)
    else:
        work(act)
    made = Changeset.objects.first()
    return None if made == newest else made


def import_rows(rows: list[dict[str, int]]) -> None:
    text = csv_text(
        *(
            {
                "id": str(row["id"] + 1),
                "ident": IDENTS[row["ident"]],
                "name": NAMES[row["name"]],
                "iso_country": CODES[row["iso_country"]],
                "municipality": NAMES[row["place"]],
            }
            for row in rows
        )
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "airports.csv"
        file.write_text(text, encoding="utf-8")
        apply_import(plan_import(from_path(file), spec=OURAIRPORTS), actor=None)


def snapshot() -> Snapshot:
    """Return all rows by the key that stays: an airport's number, the others' primary key."""
    rows: Snapshot = {}
    for model, key in ((Country, "id"), (City, "id"), (Airport, "source_id")):
        for row in model.objects.values():
            rows[model.__name__, row[key]] = {name: row[name] for name in row if name not in STAMPS}
    return rows


def merged(before: dict | None, after: dict | None, now: dict | None) -> dict | None:
    """The plain model of a revert for one object: what it should be, given what it was, was left as, and is now."""
    if before == after:
        return now
    if before is None:
        return None if now == after else now
    if after is None:
        return before if now is None else now
    if now is None:
        return None
    return {name: before[name] if now[name] == after[name] else now[name] for name in now}


def blocked_keys(verdicts: Iterable[Verdict], *snapshots: Snapshot) -> set[tuple[str, object]]:
    """Return the keys of the objects that a plan blocks; an ident can be that of two airports at two times."""
    keys = set()
    for verdict in verdicts:
        if verdict.bucket == Bucket.BLOCKED and verdict.model == "airports.airport":
            keys |= {key for rows in snapshots for key, row in rows.items() if row.get("ident") == verdict.pk}
        elif verdict.bucket == Bucket.BLOCKED:
            keys.add(({"base.city": "City", "base.country": "Country"}[verdict.model], int(verdict.pk)))
    return keys


class ImportProperties(TestCase):
    """Each example is rolled back by itself."""

    @given(before=st.lists(ACTS, max_size=3), act=ACTS)
    def test_the_newest_act_is_taken_back_and_redone_exactly(self, before: list, act: list | tuple) -> None:
        for one in before:
            do(one)
        state = tables()
        made = do(act)
        after = tables()
        if made is None or isinstance(act, tuple):
            # Plain SQL may have joined the direct changeset before it, which is then more than this act.
            return

        assert_taken_back_and_redone(made, state, after)

    @given(before=st.lists(ACTS, max_size=2), act=ACTS, since=st.lists(ACTS, min_size=1, max_size=2))
    def test_a_revert_is_the_merge_of_three_values_but_for_what_it_blocks(
        self, before: list, act: list | tuple, since: list[list[Step] | tuple]
    ) -> None:
        for one in before:
            do(one)
        was = snapshot()
        made = do(act)
        left = snapshot()
        for one in since:
            do(one)
        now = snapshot()
        if made is None or isinstance(act, tuple):
            return

        plan = plan_revert([made])
        revert(plan, actor=None)

        assert_recorded()
        found = snapshot()
        blocked = blocked_keys(plan.verdicts, was, now)
        for key in {*was, *left, *now, *found}:
            expected = now.get(key) if key in blocked else merged(was.get(key), left.get(key), now.get(key))
            assert found.get(key) == expected, key

    @given(acts=st.lists(ACTS, min_size=1, max_size=4))
    def test_every_history_row_belongs_to_a_changeset_of_a_kind(self, acts: list) -> None:
        made = {one.pk for one in map(do, acts) if one is not None}

        known = set(Changeset.objects.values_list("pk", flat=True))
        for model in (Country, City, Airport):
            assert set(model.history.values_list("changeset_id", flat=True)) <= known
        assert made <= known
        assert_recorded()
