"""Random imports, edits and plain SQL over the three models, taken back in any order: the invariants hold."""

import tempfile
from pathlib import Path

from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.airports.models import Airport
from apps.airports.ourairports import OURAIRPORTS
from apps.base.models import City, Country
from apps.changesets.models import Changeset
from apps.changesets.revert import plan_revert, revert
from apps.imports.applying import apply_import
from apps.imports.planning import plan_import
from apps.imports.sources import from_path
from tests.changesets.conftest import tables
from tests.changesets.test_properties import IDENTS, NAMES, PROPERTY, STEPS, Step, assert_recorded, work
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


class ImportProperties(TestCase):
    """Each example is rolled back by itself."""

    @PROPERTY
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

        undone = revert(plan_revert([made]), actor=None)
        assert tables() == state
        assert_recorded()

        if undone is not None:
            revert(plan_revert([undone]), actor=None)
        assert tables() == after
        assert_recorded()

    @PROPERTY
    @given(before=st.lists(ACTS, max_size=2), act=ACTS, since=st.lists(ACTS, min_size=1, max_size=2))
    def test_what_was_changed_since_stays_to_the_last_value(
        self, before: list, act: list | tuple, since: list[list[Step] | tuple]
    ) -> None:
        for one in before:
            do(one)
        made = do(act)
        left = snapshot()
        for one in since:
            do(one)
        now = snapshot()
        if made is None or isinstance(act, tuple):
            return

        revert(plan_revert([made]), actor=None)

        assert_recorded()
        found = snapshot()
        for key, row in now.items():
            changed = {
                name: value for name, value in row.items() if name in left.get(key, {}) and left[key][name] != value
            }
            assert {name: found.get(key, {}).get(name) for name in changed} == changed
            # What came since is no business of this revert.
            assert key in left or key in found

    @PROPERTY
    @given(acts=st.lists(ACTS, min_size=1, max_size=4))
    def test_every_history_row_belongs_to_a_changeset_of_a_kind(self, acts: list) -> None:
        made = {one.pk for one in map(do, acts) if one is not None}

        known = set(Changeset.objects.values_list("pk", flat=True))
        for model in (Country, City, Airport):
            assert set(model.history.values_list("changeset_id", flat=True)) <= known
        assert made <= known
        assert_recorded()
