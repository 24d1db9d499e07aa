"""Two people at once, or a revert while an import writes: one wins, the other gets a sentence, nothing is lost."""

import threading
from collections.abc import Callable

import pytest
from django.db import OperationalError, close_old_connections, connection, transaction

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.errors import Busy, ChangesetError, NothingToRevert
from apps.changesets.models import Changeset, Kind
from apps.changesets.processes import locking
from apps.changesets.revert import newest_seen, plan_revert, revert, stored
from apps.changesets.revert import run as running
from tests.changesets.conftest import World, tables


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list]:
    """Run on a connection of its own; what it returns or raises is put into the list."""
    outcome: list = []

    def run() -> None:
        close_old_connections()
        try:
            outcome.append(work())
        except ChangesetError as error:
            outcome.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_revert_the_same_changeset_one_is_told(world: World, no_drift: Callable) -> None:
    with changeset(kind="bulk_action", actor=None) as made:
        Airport.objects.update(name="x")
    plan = plan_revert([made])

    both = [in_thread(lambda: revert(plan, actor=None)) for _ in range(2)]
    for thread, _ in both:
        thread.join()

    outcomes = [outcome[0] for _, outcome in both]
    (told,) = [outcome for outcome in outcomes if isinstance(outcome, NothingToRevert)]
    (undone,) = [outcome for outcome in outcomes if isinstance(outcome, Changeset)]
    assert f"is reverted already, by #{undone.pk}" in str(told)
    assert Changeset.objects.filter(kind=Kind.REVERT).count() == 1
    no_drift()


@pytest.mark.django_db(transaction=True)
def test_a_revert_while_an_import_writes_waits_and_then_says_so(world: World, monkeypatch) -> None:
    monkeypatch.setattr(running, "PATIENCE_SECONDS", 1)
    with changeset(kind="edit", actor=None) as made:
        Airport.objects.filter(pk="KDEN").update(name="x")
    state = tables()

    with transaction.atomic():
        Airport.objects.filter(pk="KAPA").update(name="being imported")
        thread, outcome = in_thread(lambda: revert(plan_revert([made]), actor=None))
        thread.join()
        transaction.set_rollback(True)

    assert isinstance(outcome[0], Busy)
    assert "Somebody else is writing right now" in str(outcome[0])
    assert tables() == state
    assert not Changeset.objects.filter(status="failed").exists()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite's readers see what is committed and wait for nobody")
@pytest.mark.django_db(transaction=True)
def test_a_plan_never_counts_as_seen_what_is_being_written(world: World, monkeypatch) -> None:
    monkeypatch.setattr(stored, "PATIENCE_SECONDS", 1)

    with transaction.atomic():
        Airport.objects.filter(pk="KAPA").update(name="not committed")
        thread, outcome = in_thread(newest_seen)
        thread.join()
        transaction.set_rollback(True)

    assert isinstance(outcome[0], Busy)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_stays_locked_is_one_sentence_and_leaves_nothing(world: World, monkeypatch) -> None:
    with changeset(kind="edit", actor=None) as made:
        Airport.objects.filter(pk="KDEN").update(name="x")
    changesets = Changeset.objects.count()

    def locked(using: str = "default") -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(locking, "lock_tracked_tables", locked)
    with pytest.raises(Busy, match="perhaps an import is running: nothing was changed"):
        revert(plan_revert([made]), actor=None)

    assert Airport.objects.get(pk="KDEN").name == "x"
    assert Changeset.objects.count() == changesets


@pytest.mark.django_db(transaction=True)
def test_patience_is_given_back(world: World) -> None:
    ask = "PRAGMA busy_timeout" if connection.vendor == "sqlite" else "SHOW lock_timeout"
    sql = locking.Sql("default")
    before = sql.value(ask)

    with locking.patience(7):
        within = sql.value(ask)

    assert within in (7000, "7s")
    assert sql.value(ask) == before
