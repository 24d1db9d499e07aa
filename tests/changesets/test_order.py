"""The order of commits: whatever commits when, feeds tell each change exactly once, and no old figure is remembered."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from apps.airports.models import Airport
from apps.backups.aliases import alias_of
from apps.changesets.context import changeset
from apps.changesets.history.cache import state_of_tables
from apps.changesets.models import Changeset, ChangesetTransaction
from tests.changesets.conftest import World

ON_POSTGRESQL = connection.vendor == "postgresql"
two_writers = pytest.mark.skipif(not ON_POSTGRESQL, reason="SQLite has one writer at a time")
Told = list[tuple[str, dict]]


@pytest.fixture
def small_world(transactional_db: None, world: World) -> World:
    """The world, committed."""
    return world


@pytest.fixture
def begin(small_world: World) -> Iterator[Callable[[], tuple[str, ExitStack]]]:
    """Return a function that opens a transaction on a connection of its own, and what closes it: its commit."""
    with ExitStack() as connections:

        def begin() -> tuple[str, ExitStack]:
            alias = connections.enter_context(alias_of(connection.settings_dict))
            opened = connections.enter_context(ExitStack())
            opened.enter_context(transaction.atomic(using=alias))
            return alias, opened

        yield begin


def since(start: object, *arguments: str) -> tuple[Told, str]:
    """Return what changed, by key and field, and the cursor."""
    out = StringIO()
    call_command("changesets", "since", str(start), *arguments, "--json", stdout=out)
    answer = json.loads(out.getvalue())
    return [(change["pk"], change["fields"]) for change in answer["changes"]], answer["cursor"]


def write(pk: str, name: str, using: str = "default") -> None:
    with changeset(kind="edit", actor=None, using=using):
        Airport.objects.using(using).filter(pk=pk).update(name=name)


def change(pk: str, name: str, old: str | None = None) -> Told:
    return [(pk, {"name": [old or f"Airport {pk}", name]})]


def test_a_feed_goes_on_from_the_cursor_of_the_answer_before(small_world: World) -> None:
    write("KDEN", "a")
    first, cursor = since(small_world.made_by.pk)
    write("KDEN", "b")
    write("KAPA", "c")

    second, cursor = since(cursor)

    assert first == change("KDEN", "a")
    assert second == change("KAPA", "c") + change("KDEN", "b", old="a")
    assert since(cursor)[0] == []


def test_a_direct_write_that_joins_an_earlier_one_is_told_once(small_world: World) -> None:
    Airport.objects.filter(pk="KDEN").update(name="a")
    first, cursor = since(small_world.made_by.pk)
    Airport.objects.filter(pk="KAPA").update(name="b")

    assert Changeset.objects.filter(kind="direct").count() == 1
    assert (first, since(cursor)[0]) == (change("KDEN", "a"), change("KAPA", "b"))


@two_writers
@pytest.mark.parametrize("direct", [False, True])
def test_what_commits_later_with_a_lower_number_is_told_once(begin: Callable, small_world: World, direct: bool) -> None:
    slow, commit = begin()
    if not direct:
        commit.enter_context(changeset(kind="edit", actor=None, using=slow))
    Airport.objects.using(slow).filter(pk="KDEN").update(name="slow")
    write("KAPA", "quick")
    told, cursor = since(small_world.made_by.pk)
    commit.close()

    later, cursor = since(cursor)

    assert told == []
    assert later == change("KAPA", "quick") + change("KDEN", "slow")
    assert since(cursor)[0] == []


@two_writers
def test_a_row_that_a_later_transaction_changed_first_is_told_as_it_is(begin: Callable, small_world: World) -> None:
    early, commit_early = begin()
    write("KBDU", "early", using=early)
    middle, commit_middle = begin()
    write("KAPA", "middle", using=middle)
    with changeset(kind="edit", actor=None):
        Airport.objects.filter(pk="KDEN").update(name="late", elevation_ft=5)
    write("KDEN", "early", using=early)
    commit_early.close()

    first, cursor = since(small_world.made_by.pk)
    commit_middle.close()
    second, cursor = since(cursor)

    assert first == [*change("KBDU", "early"), ("KDEN", {"name": ["Airport KDEN", "early"], "elevation_ft": [None, 5]})]
    assert second == change("KAPA", "middle")
    assert since(cursor)[0] == []


@two_writers
def test_a_row_that_went_and_came_in_that_order_was_there_all_the_time(begin: Callable, small_world: World) -> None:
    early, commit_early = begin()
    write("KBDU", "early", using=early)
    middle, commit_middle = begin()
    write("KAPA", "middle", using=middle)
    gone = Airport.objects.get(pk="KDEN")
    Airport.objects.filter(pk="KDEN").delete()
    gone.elevation_ft = 5
    Airport.objects.using(early).bulk_create([gone])
    commit_early.close()

    first, cursor = since(small_world.made_by.pk)
    commit_middle.close()

    assert first == [*change("KBDU", "early"), ("KDEN", {"elevation_ft": [None, 5]})]
    assert since(cursor)[0] == change("KAPA", "middle")


@two_writers
def test_a_remembered_figure_ends_when_an_older_row_is_committed(begin: Callable, small_world: World) -> None:
    slow, commit = begin()
    commit.close()
    Airport.objects.using(slow).filter(pk="KDEN").update(name="first")
    with transaction.atomic(using=slow):
        # It joins the direct changeset, so that no changeset comes with its commit.
        Airport.objects.using(slow).filter(pk="KDEN").update(name="slow")
        write("KAPA", "quick")
        before = state_of_tables()

    assert Changeset.objects.filter(kind="direct").count() == 1
    assert state_of_tables() != before


@two_writers
def test_rows_from_another_cluster_were_there_before_all_others(small_world: World) -> None:
    write("KDEN", "restored")
    # As `pg_restore` leaves them in a cluster that has not come so far.
    ChangesetTransaction.objects.update(server=1, xid=2**40)

    told, cursor = since(small_world.made_by.pk)
    write("KAPA", "new")

    assert told == change("KDEN", "restored")
    assert since(cursor)[0] == change("KAPA", "new")


@two_writers
def test_changesets_of_before_the_upgrade_were_there_before_all_others(small_world: World) -> None:
    write("KDEN", "old")
    ChangesetTransaction.objects.all().delete()

    told, cursor = since(small_world.made_by.pk)
    write("KAPA", "new")

    assert (told, since(cursor)[0]) == (change("KDEN", "old"), change("KAPA", "new"))


def test_on_sqlite_no_transaction_is_noted(small_world: World) -> None:
    assert ChangesetTransaction.objects.exists() is ON_POSTGRESQL


def test_a_cursor_of_history_that_is_no_longer_there_is_refused(small_world: World) -> None:
    write("KDEN", "a")
    _, cursor = since(small_world.made_by.pk)
    Airport.history.filter(name="a").delete()
    Changeset.objects.filter(kind="edit").delete()

    with pytest.raises(CommandError, match="of another database, or of this one before a restore"):
        since(cursor)


def test_a_cursor_of_one_model_is_refused_for_all(small_world: World) -> None:
    _, cursor = since(small_world.made_by.pk, "--model", "airport")
    write("KDEN", "a")

    with pytest.raises(CommandError, match=r"is of the changes of airports.airport: go on with the same --model"):
        since(cursor)
    assert since(cursor, "--model", "airport")[0] == change("KDEN", "a")


@pytest.mark.parametrize("text", ["then", "c1.", "c1.e30", "c1.bnVsbA", "c1.ÿ", "-1"])
def test_what_is_no_cursor_gets_a_sentence(db: None, text: str) -> None:
    with pytest.raises(CommandError, match="is neither the number of a changeset nor a cursor: write 41"):
        call_command("changesets", "since", "--", text)
