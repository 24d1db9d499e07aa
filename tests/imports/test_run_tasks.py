"""Work at once and in the background: small files in the request, larger ones and later ones by a worker."""

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from apps.airports.models import Airport
from apps.changesets.models import Changeset
from apps.changesets.processes.watched import ask_to_stop, is_asked_to_stop, progress_of
from apps.imports import tasks
from apps.imports.models import ImportRun, PlannedRow, RunStatus
from apps.imports.plan import apply
from apps.imports.runs import engine
from apps.imports.runs.confirming import cancel_run
from apps.imports.tasks import start_applying, start_lost_runs, start_planning
from tests.imports.runs import put

pytestmark = pytest.mark.django_db


@pytest.fixture
def everything_is_large(settings) -> None:
    settings.IMPORTS_AT_ONCE_BYTES = 0


def until_the_worker_looks() -> None:
    """Run statement after statement: the first one after the worker has seen that it is to stop does not come back."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        connection.cursor().execute("SELECT 1")
        time.sleep(0.01)


def approved(run: ImportRun, **values: object) -> ImportRun:
    return put(run, RunStatus.APPROVED, **{"confirmed_at": timezone.now(), **values})


def test_a_small_file_is_planned_and_applied_at_once(opened):
    run = opened()

    assert start_planning(run) is True
    assert run.status == RunStatus.PLANNED
    assert start_applying(approved(run)) is True

    assert ImportRun.objects.get().status == RunStatus.APPLIED
    assert Airport.objects.count() == 1
    assert not DBTaskResult.objects.exists()


def test_a_large_file_waits_for_a_worker(opened, everything_is_large, work):
    run = opened()

    assert start_planning(run) is False
    assert ImportRun.objects.get().status == RunStatus.UPLOADED
    work()
    run.refresh_from_db()
    assert run.status == RunStatus.PLANNED
    assert start_applying(approved(run)) is False
    work()

    assert ImportRun.objects.get().status == RunStatus.APPLIED
    assert set(DBTaskResult.objects.values_list("status", flat=True)) == {TaskResultStatus.SUCCESSFUL}


def test_nothing_of_the_progress_is_left_when_a_run_is_over(opened):
    run = opened()

    start_planning(run)

    assert progress_of(run.pk) is None


def test_a_run_with_a_time_waits_for_it(planned, work):
    later = timezone.now() + timedelta(hours=5)

    assert start_applying(approved(planned(), start_at=later)) is False
    work()

    assert ImportRun.objects.get().status == RunStatus.APPROVED
    assert DBTaskResult.objects.get().run_after == later


def test_a_run_whose_time_has_passed_starts_when_a_worker_comes(planned, work):
    start_applying(approved(planned(), start_at=timezone.now() + timedelta(hours=5)))
    past = timezone.now() - timedelta(minutes=1)
    DBTaskResult.objects.update(run_after=past)
    ImportRun.objects.update(start_at=past)

    work()

    assert ImportRun.objects.get().status == RunStatus.APPLIED


def test_a_run_cancelled_while_it_waits_is_not_started(planned, everything_is_large, work):
    run = approved(planned())
    start_applying(run)

    cancel_run(run, actor=None)
    work()

    assert ImportRun.objects.get().status == RunStatus.CANCELLED
    assert not Airport.objects.exists()


def test_an_older_task_does_not_start_a_run_before_its_time(planned, everything_is_large, work):
    run = approved(planned())
    start_applying(run)
    put(run, RunStatus.APPROVED, start_at=timezone.now() + timedelta(hours=5))

    work()

    assert ImportRun.objects.get().status == RunStatus.APPROVED


def test_a_run_of_which_two_tasks_speak_is_applied_once(planned, everything_is_large, work):
    run = approved(planned())
    start_applying(run)
    start_applying(run)

    work()

    assert Changeset.objects.count() == 1
    assert ImportRun.objects.get().status == RunStatus.APPLIED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("module", "step"), [(engine, "load_plan"), (apply, "skip_moved"), (apply, "write")])
def test_a_run_asked_to_stop_is_cancelled_and_leaves_no_changeset(planned, monkeypatch, module, step):
    run, does = approved(planned(lock="one")), getattr(module, step)

    def asked_meanwhile(*args: object, **more: object) -> object:
        ask_to_stop(run.pk)
        until_the_worker_looks()
        return does(*args, **more)

    monkeypatch.setattr(module, step, asked_meanwhile)

    start_applying(run)

    run.refresh_from_db()
    assert (run.status, run.lock) == (RunStatus.CANCELLED, None)
    assert not Airport.objects.exists()
    assert not Changeset.objects.exists()
    assert not is_asked_to_stop(run.pk)


@pytest.mark.django_db(transaction=True)
def test_planning_is_cancelled_too(opened, monkeypatch):
    run, does = opened(), engine.store_plan

    def asked_meanwhile(*args: object, **more: object) -> object:
        ask_to_stop(run.pk)
        until_the_worker_looks()
        return does(*args, **more)

    monkeypatch.setattr(engine, "store_plan", asked_meanwhile)

    start_planning(run)

    assert ImportRun.objects.get().status == RunStatus.CANCELLED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.RUNNING], ids=["given up", "taken up by another"])
def test_a_worker_that_woke_up_too_late_writes_nothing(planned, monkeypatch, status):
    run, does = approved(planned()), engine.load_plan

    def slept_meanwhile(*args: object) -> object:
        started_at = timezone.now() + timedelta(minutes=5)
        ImportRun.objects.update(status=status, started_at=started_at, error="What the other one says.")
        return does(*args)

    monkeypatch.setattr(engine, "load_plan", slept_meanwhile)

    start_applying(run)

    assert not Airport.objects.exists()
    kept = ImportRun.objects.get()
    assert (kept.status, kept.error) == (status, "What the other one says.")


def test_a_planner_that_woke_up_too_late_stores_no_row(opened, monkeypatch):
    run, does = opened(), engine.store_plan

    def slept_meanwhile(*args: object, **more: object) -> object:
        ImportRun.objects.update(started_at=timezone.now() + timedelta(minutes=5))
        return does(*args, **more)

    monkeypatch.setattr(engine, "store_plan", slept_meanwhile)

    start_planning(run)

    assert not PlannedRow.objects.exists()
    assert ImportRun.objects.get().status == RunStatus.PLANNING


def test_an_old_wish_to_stop_does_not_stop_a_new_start(opened):
    run = opened()
    ask_to_stop(run.pk)

    start_planning(run)

    assert run.status == RunStatus.PLANNED
    assert not is_asked_to_stop(run.pk)


def test_work_that_breaks_leaves_the_run_failed(planned, monkeypatch):
    run = approved(planned())

    def breaks(run: ImportRun, *, progress) -> None:
        put(run, RunStatus.RUNNING)
        raise MemoryError("too much")

    monkeypatch.setattr(tasks, "apply_run", breaks)

    with pytest.raises(MemoryError):
        start_applying(run)

    run.refresh_from_db()
    assert (run.status, run.error) == (RunStatus.FAILED, "MemoryError: too much Nothing was written.")


@pytest.mark.parametrize("task", ["none", "taken by a worker that died"])
def test_a_confirmed_run_that_no_worker_will_take_up_is_given_to_them_again(planned, everything_is_large, work, task):
    long_ago = timezone.now() - timedelta(hours=1)
    run = approved(planned(), confirmed_at=long_ago)
    if task != "none":
        start_applying(run)
        DBTaskResult.objects.update(status=TaskResultStatus.RUNNING, started_at=long_ago)

    assert start_lost_runs() == [run]
    work()

    assert ImportRun.objects.get().status == RunStatus.APPLIED


def test_an_uploaded_run_whose_worker_died_before_it_was_its_own_is_given_to_them_again(
    opened, everything_is_large, work
):
    long_ago = timezone.now() - timedelta(hours=1)
    run = put(opened(), RunStatus.UPLOADED, created_at=long_ago)
    start_planning(run)
    DBTaskResult.objects.update(status=TaskResultStatus.RUNNING, started_at=long_ago)

    assert start_lost_runs() == [run]
    assert start_lost_runs() == []
    work()

    assert ImportRun.objects.get().status == RunStatus.PLANNED


def test_an_uploaded_run_that_waits_for_a_person_is_left_alone(opened):
    put(opened(), RunStatus.UPLOADED, created_at=timezone.now() - timedelta(hours=1))

    assert start_lost_runs() == []


def test_a_page_that_shows_a_lost_run_does_nothing_and_a_worker_that_waits_takes_it_up(
    planned, everything_is_large, client, operator, monkeypatch
):
    run = approved(planned(), confirmed_at=timezone.now() - timedelta(hours=1))
    client.force_login(operator)

    client.get(f"/admin/imports/importrun/{run.pk}/progress/")

    assert not DBTaskResult.objects.exists()

    # What the thread beside a worker does, here without a connection of its own.
    monkeypatch.setattr(tasks.connections, "close_all", lambda: None)
    tasks.take_up_runs()

    assert DBTaskResult.objects.get().args_kwargs["args"] == [run.pk]


@pytest.mark.parametrize("when", ["just confirmed", "later", "with a task"])
def test_a_confirmed_run_that_is_not_lost_is_left_alone(planned, everything_is_large, when):
    now = timezone.now()
    start_at = now + timedelta(hours=1) if when == "later" else None
    run = approved(
        planned(), start_at=start_at, confirmed_at=now if when == "just confirmed" else now - timedelta(hours=1)
    )
    if when == "with a task":
        start_applying(run)

    assert start_lost_runs() == []


def test_a_worker_sees_after_the_runs_of_dead_ones(planned, opened, everything_is_large, work):
    dead = put(planned(), RunStatus.RUNNING, started_at=timezone.now() - timedelta(hours=1))
    start_planning(opened())

    work()

    dead.refresh_from_db()
    assert dead.status == RunStatus.FAILED
