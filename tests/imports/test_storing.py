"""Storing a plan in chunks: each row of the file is stored once, wherever a chunk ends."""

import pytest

from apps.imports.models import PlannedRow, RowKind
from apps.imports.runs import stored_plan, storing
from apps.imports.runs.engine import apply_run
from tests.imports.runs import put

pytestmark = pytest.mark.django_db
ROWS = [{"id": f"{n + 1}", "ident": f"X{n:03}", "name": f"Field {n}", "iata_code": ""} for n in range(9)]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_each_row_is_stored_once_wherever_chunks_end(planned, monkeypatch, size):
    apply_run(put(planned(*ROWS), "approved"))
    monkeypatch.setattr(storing, "_CHUNK", size)
    changed = [{**row, "name": "Other"} if row["ident"] in ("X002", "X003", "X008") else row for row in ROWS]

    run = planned(*changed, {"id": "99", "ident": "X099", "iata_code": ""})

    rows = PlannedRow.objects.filter(run=run).order_by("line")
    assert list(rows.values_list("line", flat=True)) == list(range(2, 12))
    unchanged = rows.filter(kind=RowKind.UNCHANGED)
    assert list(unchanged.values_list("line", "old_pk", "new_pk", "label", "payload", "left_alone")) == [
        (number + 2, f"X{number:03}", f"X{number:03}", f"Field {number}", None, "") for number in (0, 1, 4, 5, 6, 7)
    ]


@pytest.mark.parametrize("size", [1, 3])
def test_all_stored_rows_are_applied_wherever_chunks_end(planned, monkeypatch, size):
    monkeypatch.setattr(stored_plan, "_CHUNK", size)

    changeset = apply_run(put(planned(*ROWS), "approved"))

    assert changeset.summary["counts"]["created"] == 9
