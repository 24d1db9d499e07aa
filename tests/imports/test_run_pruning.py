"""What is kept of runs for a time only."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.imports.models import OPEN, ImportRun, PlannedRow, RefusedCell, RunStatus
from apps.imports.runs.files import storage
from apps.imports.runs.pruning import prune_runs
from tests.imports.runs import put

pytestmark = pytest.mark.django_db
ENDED = [status for status in RunStatus if status not in OPEN]


@pytest.fixture(autouse=True)
def days(settings) -> None:
    settings.IMPORTS_KEEP_FILES_DAYS, settings.IMPORTS_KEEP_PLANS_DAYS = 100, 10


def days_ago(days: float):
    return timezone.now() - timedelta(days=days)


@pytest.mark.parametrize("status", ENDED)
def test_plans_of_runs_that_ended_long_ago_go_and_their_files_stay(planned, status):
    run = put(planned({}, {"latitude_deg": "91"}), status, finished_at=days_ago(11))

    assert prune_runs() == {"files": 0, "plans": 1}

    assert not PlannedRow.objects.exists()
    assert not RefusedCell.objects.exists()
    run.refresh_from_db()
    assert run.counts["created"] == 1
    assert storage().exists(run.kept_as)


def test_files_go_later(planned):
    run = put(planned(), RunStatus.APPLIED, finished_at=days_ago(101))
    name = run.kept_as

    assert prune_runs() == {"files": 1, "plans": 1}

    assert ImportRun.objects.get().kept_as == ""
    assert not storage().exists(name)


def test_a_file_that_a_newer_run_has_stays(opened):
    old, new = opened(), opened()
    put(old, RunStatus.APPLIED, finished_at=days_ago(101))
    assert old.kept_as == new.kept_as

    prune_runs()

    assert storage().exists(new.kept_as)


@pytest.mark.parametrize("status", ENDED)
def test_runs_that_ended_just_now_keep_everything(planned, status):
    put(planned(), status, finished_at=days_ago(9))

    assert prune_runs() == {"files": 0, "plans": 0}

    assert PlannedRow.objects.count() == 1


@pytest.mark.parametrize("status", OPEN)
def test_runs_that_are_open_keep_everything_for_ever(planned, status):
    put(planned(), status, created_at=days_ago(1000), finished_at=days_ago(1000))

    assert prune_runs() == {"files": 0, "plans": 0}

    assert PlannedRow.objects.count() == 1


def test_nothing_is_written_when_nothing_is_to_go(planned, django_assert_num_queries):
    put(planned(), RunStatus.APPLIED, finished_at=days_ago(1))

    with django_assert_num_queries(4):
        prune_runs()


@pytest.mark.parametrize(("status", "ended"), [("uploaded", True), ("planned", True), ("approved", False)])
def test_what_nobody_confirmed_for_long_ends(planned, status, ended):
    run = put(planned({}), RunStatus(status), created_at=days_ago(20), started_at=days_ago(11))
    young = put(planned({}), RunStatus(status), created_at=days_ago(20), started_at=days_ago(9))

    prune_runs()

    run.refresh_from_db()
    young.refresh_from_db()
    assert (run.status == "cancelled", run.error) == (ended, "Nobody confirmed it for 10 days." if ended else "")
    assert young.status == status
