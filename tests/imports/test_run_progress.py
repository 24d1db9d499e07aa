"""Progress of runs: what a worker says of itself, read by others without the database."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.changesets import identity
from apps.changesets.processes.progress import entry
from apps.changesets.processes.watched import (
    Snapshot,
    ask_to_stop,
    forget,
    is_asked_to_stop,
    progress_of,
    report,
)

pytestmark = pytest.mark.django_db


def test_of_a_run_nobody_spoke_of_nothing_is_known():
    assert progress_of(7) is None
    assert not is_asked_to_stop(7)


def test_what_is_reported_is_read_by_number():
    report(7, "read", 1200, 5000)

    seen = progress_of(7)
    assert (seen.phase, seen.done, seen.total) == ("read", 1200, 5000)
    assert time.time() - seen.beat < 5
    assert progress_of(8) is None


def test_a_phase_keeps_its_start_and_the_next_one_gets_its_own():
    report(7, "read", 0)
    first = progress_of(7)
    time.sleep(0.01)
    report(7, "read", 10)
    second = progress_of(7)
    time.sleep(0.01)
    report(7, "store", 0)
    third = progress_of(7)

    assert first.started == second.started == third.started
    assert first.phase_started == second.phase_started < second.beat
    assert third.phase_started > second.beat


def test_rate_and_time_left_are_those_of_the_phase():
    seen = Snapshot("read", 1000, 4000, started=0.0, phase_started=50.0, beat=60.0)

    assert seen.rate == 100
    assert seen.seconds_left == 30


@pytest.mark.parametrize("seen", [Snapshot("read", 0, 10, 0, 0, 5), Snapshot("read", 5, None, 0, 0, 5)])
def test_time_left_is_not_guessed(seen: Snapshot):
    assert seen.seconds_left is None


def test_more_rows_than_expected_leave_no_time():
    assert Snapshot("read", 12, 10, 0, 0, 5).seconds_left == 0


def test_the_wish_to_stop_lasts_until_it_is_forgotten():
    ask_to_stop(7)
    report(7, "read", 1)
    assert is_asked_to_stop(7)

    forget(7)

    assert not is_asked_to_stop(7)
    assert progress_of(7) is None


def test_two_databases_of_one_folder_do_not_mix_their_runs(monkeypatch):
    report(7, "read", 1)
    ask_to_stop(7)

    monkeypatch.setattr(identity, "_shared", {})
    identity.set_identity("another")

    assert progress_of(7) is None
    assert not is_asked_to_stop(7)


def test_none_of_it_asks_the_database_but_for_its_identity_once():
    entry(7)
    with CaptureQueriesContext(connection) as queries:
        report(7, "read", 1)
        ask_to_stop(7)
        progress_of(7), is_asked_to_stop(7)
        forget(7)

    assert not queries.captured_queries
