"""How many objects a plan is about: as many as applying it writes."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from apps.imports.models import Decision, ImportRun, RowKind, RunStatus
from apps.imports.results import ImportOptions
from apps.imports.runs.engine import apply_run
from apps.imports.runs.rows import changes_of, decide
from apps.imports.runs.states import changed_rows
from tests.imports.runs import put

pytestmark = pytest.mark.django_db
GIVEN_AWAY = {"id": "9", "ident": "K001"}
RENAMED = {"id": "2", "ident": "K002", "name": "Other"}


def written(run: ImportRun) -> int:
    """Apply the plan, and return how many objects its changeset says it created, changed and deleted."""
    made = apply_run(put(run, RunStatus.APPROVED))
    return sum(made.counts["airports.airport"].values())


@pytest.fixture
def three_airports(planned: Callable[..., ImportRun]) -> None:
    written(planned({}, {}, {}))


@pytest.mark.parametrize("missing", ["report", "deactivate", "delete"])
def test_a_superseded_object_counts_once_among_those_that_a_plan_changes(planned, three_airports, missing):
    options = ImportOptions(missing=missing, missing_limit=1.0)
    # K001 is given to another airport, K002 has another name, and K003 is in the file no more.
    run = planned(GIVEN_AWAY, RENAMED, options=options)
    gone = 1 if missing == "report" else 2

    assert run.counts["superseded"] == 1
    assert changed_rows(run) == 1 + 1 + gone == written(run)


@pytest.mark.parametrize("missing", ["report", "deactivate", "delete"])
def test_a_missing_row_left_alone_is_one_change_less_only_where_it_would_have_changed(
    planned, three_airports, operator: User, missing
):
    options = ImportOptions(missing=missing, missing_limit=1.0)
    run = planned({"name": "A"}, {"name": "B"}, options=options, actor=operator)
    before = changes_of(run)

    leave(run, operator)

    assert (before, changes_of(run)) == (2 if missing == "report" else 3, 2)


def test_a_superseded_row_left_alone_is_one_change_less(planned, three_airports, operator: User):
    run = planned(GIVEN_AWAY, RENAMED, options=ImportOptions(missing="report"), actor=operator)
    before = changes_of(run)

    leave(run, operator)

    assert (before, changes_of(run)) == (3, 2)


def leave(run: ImportRun, person: User) -> None:
    """Decide that every missing row of the plan is left alone."""
    rows = run.rows.filter(kind=RowKind.MISSING).values_list("pk", flat=True)
    decide(run, rows, Decision.LEAVE, actor=person)
