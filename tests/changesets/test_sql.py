"""One toolkit for SQL: named holes, quoted names, bound values."""

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection, transaction

from apps.base.models import Country
from apps.changesets.models import Changeset
from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def numbers() -> Iterator[Sql]:
    """A temporary table {numbers} of five numbers with a text each."""
    sql = Sql().with_temps(numbers="numbers")
    sql.fresh_temp("numbers", "number integer, text text")
    sql.load(sql.temp("numbers"), ["number", "text"], ((number, f"n{number}") for number in range(1, 6)))
    yield sql
    sql.drop_temps(["numbers"])


def test_names_are_quoted_and_several_stand_with_commas() -> None:
    sql = Sql(live="order", columns=["a", "b"])

    assert sql.fill("SELECT {columns} FROM {live}") == 'SELECT "a", "b" FROM "order"'


def test_a_part_stands_as_it_is_and_its_own_braces_are_no_holes() -> None:
    sql = Sql().with_parts(condition="text = '{no hole}'")

    assert sql.fill("WHERE {condition} AND {more}", more="{neither}") == "WHERE text = '{no hole}' AND {neither}"


def test_what_is_absent_is_none_of_some_keys(numbers) -> None:
    odd = numbers.absent("n.number", "SELECT number FROM {numbers} WHERE number <> 2 AND number <> 4")

    assert numbers.rows(f"SELECT number FROM {{numbers}} n WHERE {odd} ORDER BY number") == [(2,), (4,)]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite looks each key up")
def test_keys_are_read_once_however_little_memory_there_is_for_them(numbers) -> None:
    numbers.load(numbers.temp("numbers"), ["number"], ((number,) for number in range(6, 40_000)))
    numbers.run("SET LOCAL work_mem = '64kB'")
    absent = numbers.absent("n.number", "SELECT number FROM {numbers}")

    plan = " ".join(line for (line,) in numbers.rows(f"EXPLAIN SELECT 1 FROM {{numbers}} n WHERE {absent}"))

    assert "Anti Join" in plan
    assert "SubPlan" not in plan


def test_a_hole_that_nothing_fills_is_an_error_before_the_database_is_asked() -> None:
    with pytest.raises(KeyError, match="live"):
        Sql().rows("SELECT 1 FROM {live}")


def test_one_that_knows_more_leaves_the_first_as_it_was() -> None:
    sql = Sql(live="a")

    assert sql.with_names(live="b").fill("{live}") == '"b"'
    assert sql.fill("{live}") == '"a"'


def test_a_model_gives_its_tables_its_keys_and_its_columns() -> None:
    tracked = tracked_for(Country)

    sql = Sql().with_model(tracked)

    assert sql.fill("{live} {history} {pk}") == " ".join(
        map(sql.quote, (tracked.table, tracked.history_table, tracked.pk))
    )
    assert sql.fill("{columns}") == sql.names(tracked.columns)


def test_values_are_bound_and_a_percent_sign_beside_them_is_written_twice(numbers: Sql) -> None:
    found = numbers.firsts("SELECT number FROM {numbers} WHERE number > %s AND text LIKE 'n%%' ORDER BY number", [3])

    assert found == [4, 5]
    assert numbers.value("SELECT count(*) FROM {numbers} WHERE text LIKE 'n%'") == 5


def test_a_statement_tells_how_many_rows_it_touched(numbers: Sql) -> None:
    assert numbers.run("UPDATE {numbers} SET text = '' WHERE number > %s", [3]) == 2
    assert numbers.run("CREATE TEMPORARY TABLE none (a integer)") == 0


def test_pages_and_chunks_give_all_rows_in_order(numbers: Sql) -> None:
    pages = numbers.pages(
        "SELECT number FROM {numbers} WHERE {after} ORDER BY number LIMIT {limit}", by="number", size=2
    )
    chunks = numbers.chunks("SELECT number FROM {numbers} ORDER BY number", size=3)

    assert [[number for (number,) in page] for page in pages] == [[1, 2], [3, 4], [5]]
    assert [[number for (number,) in chunk] for chunk in chunks] == [[1, 2, 3], [4, 5]]


def test_tables_are_counted_asked_and_emptied() -> None:
    Country.objects.create(iso_code="CH", name="Switzerland", slug="switzerland")
    sql, table = Sql(), Country._meta.db_table

    assert sql.count_rows([table, Changeset._meta.db_table])[table] == 1
    assert sql.has_rows(table)
    sql.empty(table)
    assert not sql.has_rows(table)
    assert sql.count_rows([]) == {}


def test_a_connection_of_ones_own_is_spoken_through() -> None:
    assert Sql(connection).value("SELECT 1") == 1
    assert Sql(connection).using == "default"


def test_what_fails_while_rows_are_loaded_is_an_error_as_of_any_statement(numbers: Sql) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        numbers.load("no_such_table", ["number"], [[1]])
