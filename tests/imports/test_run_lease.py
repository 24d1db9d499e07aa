"""The lease of a run: a heartbeat while a worker lives, an end when it does not, and a stop when somebody wants it."""

import socket
import threading
import time
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.changesets.processes.holding import holding
from apps.changesets.processes.progress import board, entry
from apps.changesets.processes.watched import Snapshot, ask_to_stop, progress_of, report
from apps.imports.errors import RunCancelled
from apps.imports.models import RunStatus
from apps.imports.runs import lease
from apps.imports.runs.lease import fail_dead_runs, working
from tests.imports.runs import put

pytestmark = pytest.mark.django_db
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000000)"
# Both take a minute at least, which is longer than any test waits.
LONG = {
    "sqlite": f"{NUMBERS} SELECT COUNT(*) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}


@pytest.fixture
def quick(monkeypatch) -> None:
    monkeypatch.setattr(lease, "_BEAT_SECONDS", 0.02)


def beating() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("import-")]


def wait_until(true, seconds: float = 5) -> bool:
    """Wait for something to become true, and return whether it did."""
    until = time.monotonic() + seconds
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    return true()


def silent(run, *, seconds: int):
    """Make a run look as if its worker had fallen silent so long ago."""
    ago = timezone.now() - timedelta(seconds=seconds)
    return put(run, RunStatus.RUNNING, started_at=ago, lock="one at a time")


def beat_at(run, beat: float, *, host: str) -> None:
    """Make a beat as a machine had it at that time."""
    board().set(entry(run.pk, "progress"), Snapshot("read", 1, None, beat, beat, beat, host))


def test_a_worker_beats_without_saying_anything(opened, quick):
    run = opened()

    with working(run):
        first = progress_of(run.pk).beat
        assert wait_until(lambda: progress_of(run.pk).beat > first)


def test_what_the_work_says_is_told_with_the_beat(opened, quick):
    run = opened()

    with working(run) as progress:
        progress("read", 40, 80)
        assert wait_until(lambda: progress_of(run.pk).done == 40)

    assert (progress_of(run.pk).phase, progress_of(run.pk).total) == ("read", 80)


def test_beating_does_not_ask_the_database(opened, quick):
    run = opened()

    with working(run), CaptureQueriesContext(connection) as queries:
        first = progress_of(run.pk).beat
        wait_until(lambda: progress_of(run.pk).beat > first)

    assert not queries.captured_queries


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_the_heart_stops_with_the_work_however_it_ends(opened, quick, error):
    run = opened()

    def work() -> None:
        with working(run):
            assert beating()
            raise error

    with pytest.raises(error):
        work()

    assert not beating()


def test_a_cache_that_takes_nothing_does_not_stop_the_work(opened, quick, monkeypatch, caplog):
    def full(*args: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("apps.changesets.processes.heart.report", full)

    with working(opened()) as progress:
        progress("read", 1)
        assert wait_until(lambda: "No space left" in caplog.text)
        assert beating()


def test_a_wish_to_stop_ends_the_work_at_its_next_word(opened, quick):
    run = opened()

    with working(run) as progress:
        ask_to_stop(run.pk)
        assert wait_until(progress.asked.is_set)
        with pytest.raises(RunCancelled):
            progress("read", 1)


def test_a_wish_to_stop_ends_the_work_at_its_next_statement(opened, quick):
    run = opened()

    with working(run) as progress:
        ask_to_stop(run.pk)
        assert wait_until(progress.asked.is_set)
        with pytest.raises(RunCancelled):
            connection.cursor().execute("SELECT 1")


def test_a_wish_to_stop_interrupts_a_long_statement(opened, quick):
    run = opened()
    started = time.monotonic()
    ask_to_stop(run.pk)

    with pytest.raises(RunCancelled), transaction.atomic(), working(run):
        connection.cursor().execute(LONG[connection.vendor])

    assert time.monotonic() - started < 30


def test_once_it_is_told_the_work_can_clean_up(opened, quick):
    run = opened()

    with working(run) as progress:
        ask_to_stop(run.pk)
        assert wait_until(progress.asked.is_set)
        with pytest.raises(RunCancelled), transaction.atomic():
            put(run, RunStatus.FAILED)
        put(run, RunStatus.CANCELLED)
        time.sleep(0.1)
        put(run, RunStatus.CANCELLED)

    assert run.status == RunStatus.CANCELLED


def test_an_error_of_the_database_is_no_wish_to_stop(opened, quick):
    with pytest.raises(DatabaseError), transaction.atomic(), working(opened()):
        connection.cursor().execute("SELECT nothing FROM nowhere")


def test_a_run_whose_worker_fell_silent_has_failed(opened, settings):
    run = silent(opened(), seconds=settings.IMPORTS_LEASE_SECONDS + 5)

    assert fail_dead_runs() == [run]

    run.refresh_from_db()
    assert (run.status, run.lock) == (RunStatus.FAILED, None)
    assert run.error.startswith("The worker stopped unexpectedly: its last sign of life was at ")
    assert run.error.endswith("Nothing was written. Start it again.")
    assert run.finished_at is not None


def test_a_run_that_beats_is_left_alone(opened, settings):
    run = silent(opened(), seconds=settings.IMPORTS_LEASE_SECONDS + 5)
    report(run.pk, "read", 1)

    assert fail_dead_runs() == []

    run.refresh_from_db()
    assert (run.status, run.lock) == (RunStatus.RUNNING, "one at a time")


def test_a_worker_that_lives_elsewhere_is_believed_though_its_beats_are_not_seen_here(opened, settings):
    run = silent(opened(), seconds=settings.IMPORTS_LEASE_SECONDS + 5)

    with holding(f"import-{run.pk}"):
        assert fail_dead_runs() == []

    assert fail_dead_runs() == [run]


def test_a_worker_of_this_machine_that_hangs_is_dead_though_it_holds_its_run(opened, settings):
    run = silent(opened(), seconds=settings.IMPORTS_LEASE_SECONDS + 5)
    beat_at(run, time.time() - settings.IMPORTS_LEASE_SECONDS - 5, host=socket.gethostname())

    with holding(f"import-{run.pk}"):
        assert fail_dead_runs() == [run]


def test_the_clock_of_another_machine_kills_no_run(opened, settings):
    run = silent(opened(), seconds=settings.IMPORTS_LEASE_SECONDS + 5)
    beat_at(run, time.time() - 3600, host="another")

    with holding(f"import-{run.pk}"):
        assert fail_dead_runs() == []


def test_a_clock_that_was_set_back_keeps_no_dead_run_alive(opened):
    run = silent(opened(), seconds=-7200)
    beat_at(run, time.time() + 7200, host=socket.gethostname())

    assert fail_dead_runs() == [run]


def test_a_run_taken_up_just_now_has_time_for_its_first_beat(opened):
    silent(opened(), seconds=1)

    assert fail_dead_runs() == []


@pytest.mark.parametrize("status", [s for s in RunStatus if s not in (RunStatus.PLANNING, RunStatus.RUNNING)])
def test_a_run_that_no_worker_has_needs_no_heartbeat(opened, status):
    put(opened(), status, started_at=timezone.now() - timedelta(days=3))

    assert fail_dead_runs() == []


def test_a_run_that_was_taken_up_again_meanwhile_is_not_failed(opened, settings, monkeypatch):
    run = silent(opened(), seconds=settings.IMPORTS_LEASE_SECONDS + 5)
    heard = lease.last_heard_of

    def taken_up(read):
        put(run, RunStatus.RUNNING, started_at=timezone.now())
        return heard(read)

    monkeypatch.setattr(lease, "last_heard_of", taken_up)

    assert fail_dead_runs() == []
