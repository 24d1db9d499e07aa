"""Rows are saved while a revert, an import or a bulk action takes its locks: nobody is thrown out, nothing is lost."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection, connections, transaction

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.bulk.apply import apply_bulk
from apps.changesets.bulk.setting import SET_INACTIVE
from apps.changesets.context import changeset
from apps.changesets.history.versions import lock_row
from apps.changesets.models import Changeset
from apps.changesets.processes.locking import PagePatience, is_busy, lock_tables
from apps.changesets.revert import plan_revert, revert
from apps.imports.models import ImportRun, RunStatus
from apps.imports.runs.engine import apply_run
from tests.changesets.conftest import World
from tests.imports.files import airports_file  # noqa: F401
from tests.imports.runs import opened, planned, put  # noqa: F401

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one lock, so no two can be in two orders"),
]


class Elsewhere(threading.Thread):
    """Work on a connection of its own; `join` raises what it raised."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__()
        self.work, self.error = work, None
        self.start()

    def run(self) -> None:
        try:
            self.work()
        except BaseException as error:
            self.error = error
        finally:
            connections.close_all()

    def join(self, timeout: float | None = None) -> None:
        super().join(timeout)
        if self.error:
            raise self.error


def until_somebody_waits() -> None:
    """Return as soon as a connection waits for a lock, or after a few seconds."""
    with connections["default"].cursor() as cursor:
        for _ in range(100):
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.05)


def a_form_is_saved(begun: threading.Event) -> None:
    """Lock a row as the form does, and save it only when somebody else has begun to take locks."""
    with transaction.atomic():
        airport = lock_row(Airport(pk="KAPA"))
        begun.set()
        until_somebody_waits()
        airport.municipality = "Typed"
        with changeset(kind="edit", actor=None):
            airport.save()


def an_airport_moves_to_a_new_city(begun: threading.Event) -> None:
    """Write the children first, then their parent, in the opposite order of a shell that makes both."""
    with transaction.atomic():
        Airport.objects.filter(pk="KAPA").update(municipality="Typed")
        begun.set()
        until_somebody_waits()
        City.objects.filter(name="Boulder").update(population=1)


def a_country_is_made(begun: threading.Event) -> None:
    """Write the parents first, then an airport."""
    with transaction.atomic():
        country = Country.objects.create(iso_code="FR", name="France")
        begun.set()
        until_somebody_waits()
        Airport.objects.filter(pk="KAPA").update(municipality="Typed", country=country)


@pytest.fixture
def whole_table_writers(world: World, planned: Callable) -> dict[str, Callable[[], object]]:  # noqa: F811
    """Return what writes whole tables, ready to be done."""
    with changeset(kind="bulk_action", actor=None) as renamed:
        Airport.objects.update(name="x")
    run = planned({"id": "1", "ident": "KDEN", "name": "Imported"}, {"id": "2", "ident": "KAPA", "name": "Imported"})

    def import_it() -> None:
        assert apply_run(put(run, RunStatus.APPROVED)) is not None
        assert ImportRun.objects.get(pk=run.pk).status == RunStatus.APPLIED

    return {
        "import": import_it,
        "revert": lambda: revert(plan_revert([renamed]), actor=None),
        "bulk": lambda: apply_bulk(SET_INACTIVE, Airport.objects.all(), actor=None, reason=""),
    }


def holding(table: str, until: threading.Event) -> Elsewhere:
    """Lock a table until then; return the thread when it has it."""
    begun = threading.Event()

    def hold() -> None:
        with transaction.atomic():
            lock_tables([table])
            begun.set()
            until.wait(30)

    thread = Elsewhere(hold)
    assert begun.wait(10)
    return thread


def test_all_statements_of_one_save_wait_together_as_long_as_one_may(world: World) -> None:
    soon, over = threading.Event(), threading.Event()
    others = [holding("base_country", soon), holding("base_city", over)]
    waits: list[float] = []

    def save() -> None:
        with connection.execute_wrapper(PagePatience(2)), transaction.atomic():
            for model in (Country, City):
                began = time.monotonic()
                try:
                    model.objects.update(active=True)
                finally:
                    waits.append(time.monotonic() - began)

    threading.Timer(1.5, soon.set).start()
    with pytest.raises(OperationalError) as raised:
        save()
    over.set()
    for thread in others:
        thread.join()

    assert is_busy(raised.value)
    assert waits[0] > 1.4
    assert sum(waits) < 2 + 0.8


def test_what_one_transaction_waited_another_has_again(world: World) -> None:
    patience = PagePatience(2)
    with connection.execute_wrapper(patience):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.5)")
            cursor.execute("SELECT extract(epoch FROM current_setting('lock_timeout')::interval)")
            [less] = cursor.fetchone()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM current_setting('lock_timeout')::interval)")
            [whole] = cursor.fetchone()
    patience.give_back()

    assert 1 < less <= 1.5
    assert whole == 2


@pytest.mark.parametrize("saved", [a_form_is_saved, an_airport_moves_to_a_new_city, a_country_is_made])
@pytest.mark.parametrize("writer", ["import", "revert", "bulk"])
def test_who_saves_rows_and_who_writes_whole_tables_both_come_through(
    writer: str, saved: Callable, whole_table_writers: dict, caplog: pytest.LogCaptureFixture, no_drift: Callable
) -> None:
    begun = threading.Event()
    both = [Elsewhere(lambda: saved(begun))]
    assert begun.wait(10)

    both.append(Elsewhere(whole_table_writers[writer]))
    for thread in both:
        thread.join()

    assert Airport.objects.get(pk="KAPA").municipality == "Typed"
    assert not Changeset.objects.filter(status="failed").exists()
    assert "thrown" not in caplog.text
    assert "tried again" not in caplog.text
    no_drift()
