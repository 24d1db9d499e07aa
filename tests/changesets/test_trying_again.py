"""What the database throws out for somebody else's sake is tried again once by itself, and says so."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, transaction

from apps.airports.models import Airport
from apps.changesets.bulk import apply as bulk
from apps.changesets.bulk.setting import SET_INACTIVE
from apps.changesets.context import changeset
from apps.changesets.errors import Busy
from apps.changesets.models import Changeset
from apps.changesets.pages.links import outcome_message
from apps.changesets.processes.locking import again_once
from apps.changesets.revert import plan_revert, revert
from apps.changesets.revert import run as reverting
from apps.imports.models import ImportRun, RunStatus
from apps.imports.plan import apply as importing
from apps.imports.runs.engine import apply_run
from tests.changesets.conftest import World
from tests.imports.files import airports_file  # noqa: F401
from tests.imports.runs import opened, planned, put  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


def thrown_out() -> OperationalError:
    """Return the error of a transaction that PostgreSQL chose among those in a deadlock."""
    driver, error = Exception("deadlock detected"), OperationalError("deadlock detected\nDETAIL: none")
    driver.sqlstate = "40P01"  # type: ignore[attr-defined]
    error.__cause__ = driver
    return error


@pytest.fixture
def throws_out(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that lets a statement fail so many times."""

    def arrange(module: Any, name: str, times: int = 1) -> None:
        original, left = getattr(module, name), [thrown_out() for _ in range(times)]

        def work(*args: Any, **named: Any) -> Any:
            result = original(*args, **named)
            if left:
                raise left.pop()
            return result

        monkeypatch.setattr(module, name, work)

    return arrange


@pytest.fixture
def renamed(world: World) -> Changeset:
    with changeset(kind="bulk_action", actor=None) as made:
        Airport.objects.update(name="x")
    return made


def test_a_revert_is_tried_again(renamed: Changeset, throws_out: Callable, no_drift: Callable) -> None:
    throws_out(reverting, "write_copies")

    made = revert(plan_revert([renamed]), actor=None)

    assert made is not None
    assert made.summary["tried_again"]
    assert Airport.objects.get(pk="KDEN").name == "Airport KDEN"
    no_drift()


def test_a_bulk_action_is_tried_again(world: World, throws_out: Callable, no_drift: Callable) -> None:
    throws_out(bulk, "summary_of")

    done = bulk.apply_bulk(SET_INACTIVE, Airport.objects.all(), actor=None, reason="")

    assert done.changeset is not None
    assert done.changeset.summary["tried_again"]
    assert not Airport.objects.filter(active=True).exists()
    no_drift()


def test_an_import_is_tried_again(world: World, planned: Callable, throws_out: Callable, no_drift) -> None:  # noqa: F811
    run = planned({"id": "1", "ident": "KDEN", "name": "Imported"}, {"ident": "KNEW", "id": "9"})
    throws_out(importing, "write")

    made = apply_run(put(run, RunStatus.APPROVED))

    assert made is not None
    assert made.summary["tried_again"]
    assert ImportRun.objects.get(pk=run.pk).status == RunStatus.APPLIED
    assert set(Airport.objects.filter(pk__in=["KDEN", "KNEW"]).values_list("name", flat=True)) >= {"Imported"}
    assert Changeset.objects.filter(kind="import").count() == 2
    no_drift()


def test_the_second_time_it_is_a_sentence_and_nothing_is_left(renamed: Changeset, throws_out: Callable) -> None:
    throws_out(reverting, "write_copies", times=2)
    before = Changeset.objects.count()

    with pytest.raises(Busy, match="Somebody else was writing and came first"):
        revert(plan_revert([renamed]), actor=None)

    assert Changeset.objects.count() == before
    assert Airport.objects.get(pk="KDEN").name == "x"


def test_inside_a_transaction_of_the_caller_nothing_is_tried_again() -> None:
    attempts: list[dict] = []

    def work(remarks: dict) -> None:
        attempts.append(remarks)
        raise thrown_out()

    with pytest.raises(OperationalError), transaction.atomic():
        again_once(work)

    assert attempts == [{}]


def test_the_message_says_so(renamed: Changeset, throws_out: Callable, steward) -> None:
    throws_out(reverting, "write_copies")

    made = revert(plan_revert([renamed]), actor=steward)

    assert "tried again by itself" in outcome_message(steward, made, "Reverted.")
