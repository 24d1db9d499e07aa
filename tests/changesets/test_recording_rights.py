"""One writer of history on PostgreSQL: who may connect, or runs the console, files nothing under what others did."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from apps.airports.models import Airport
from apps.changesets.acts.review import mark_reviewed
from apps.changesets.context import changeset
from apps.changesets.history.pruning import prune_history
from apps.changesets.models import Changeset, ChangesetTransaction
from apps.changesets.recording import install_recording, recording_problems
from apps.changesets.revert import plan_revert, revert
from tests.changesets.conftest import World

CLERK, CONSOLE = "console_test_clerk", "console_runtime"
OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"
INSERT = "record_airports_airport_insert"
FIRED = f"REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION {INSERT}()"


@pytest.fixture(autouse=True)
def postgresql(db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("it is about PostgreSQL")


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextmanager
def acting_as(role: str) -> Iterator[None]:
    """Run statements as a role; one that fails is taken back."""
    with transaction.atomic():
        execute(f"SET LOCAL ROLE {role}")
        yield
        execute("RESET ROLE")


@pytest.fixture
def clerk(world: World) -> str:
    """Return a role that may change airports, and has a schema of its own."""
    execute(
        f"CREATE ROLE {CLERK}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON airports_airport TO {CLERK}",
        f"CREATE SCHEMA AUTHORIZATION {CLERK}",
    )
    return CLERK


def test_nobody_else_may_fire_the_functions(clerk: str) -> None:
    with pytest.raises(DatabaseError, match="permission denied for function"), acting_as(clerk):
        execute(
            f"CREATE TABLE {clerk}.own (LIKE airports_airport)",
            f"CREATE TRIGGER forged AFTER INSERT ON {clerk}.own {FIRED}",
        )


def test_a_function_records_its_own_table_only(clerk: str) -> None:
    execute(
        f"CREATE TABLE {clerk}.own (LIKE airports_airport)",
        f"CREATE TRIGGER forged AFTER INSERT ON {clerk}.own {FIRED}",
        f"GRANT ALL ON {clerk}.own TO {clerk}",
    )

    with pytest.raises(DatabaseError, match="records airports_airport only"), acting_as(clerk):
        execute(f"INSERT INTO {clerk}.own SELECT * FROM airports_airport")


def forged(setting: str, made: Changeset, user: User | None = None) -> str:
    mark = f"{made.pk}|{user.pk if user else ''}|{made.created_at.isoformat()}"
    return f"SELECT set_config('changesets.{setting}', '{mark}', true)"


WRITES = {
    "update": "UPDATE airports_airport SET name = 'x' WHERE ident = 'KDEN'",
    "insert": "INSERT INTO airports_airport SELECT (jsonb_populate_record(a, "
    """'{"ident": "KNEW", "source_id": 99}')).* FROM airports_airport a WHERE ident = 'KDEN'""",
    "delete": "DELETE FROM airports_airport WHERE ident = 'KDEN'",
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("setting", ["open", "direct"])
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_a_mark_of_another_transaction_does_not_count(world: World, setting: str, write: str) -> None:
    rows = Airport.history.filter(changeset=world.made_by)
    before = rows.count()

    with transaction.atomic():
        execute(forged(setting, world.made_by), write)

    assert rows.count() == before
    newest = Airport.history.first().changeset
    assert (newest.kind, newest.actor) == ("direct", None)


@pytest.mark.parametrize("mark", ["nonsense", "99999999999999999999|1|x", "|||"])
def test_a_mark_that_is_none_does_not_count(world: World, mark: str) -> None:
    execute(f"SELECT set_config('changesets.open', '{mark}', true)", WRITES["update"])

    assert Airport.history.first().changeset.kind == "direct"


@pytest.mark.django_db(transaction=True)
def test_a_mark_that_a_statement_sets_while_it_runs_is_refused(world: World) -> None:
    trick = forged("open", world.made_by).replace("SELECT ", "UPDATE airports_airport SET name = ")

    with pytest.raises(DatabaseError, match=r"changesets.open names a changeset that this transaction did not open"):
        execute(trick)

    assert not Airport.history.filter(history_type="~").exists()


def test_a_mark_that_names_another_user_does_not_count(world: World, django_user_model) -> None:
    ana, ben = (django_user_model.objects.create(username=name) for name in ("ana", "ben"))

    with changeset(kind="edit", actor=ana) as opened:
        Airport.objects.filter(pk="KAPA").update(name="x")
        execute(forged("open", opened, ben), WRITES["update"])

    row = Airport.history.filter(ident="KDEN").first()
    assert (row.changeset.kind, row.history_user) == ("direct", None)
    assert Airport.history.filter(changeset=opened).get().history_user == ana


RIGHTS = {
    "execute": f"GRANT EXECUTE ON FUNCTION {INSERT}() TO PUBLIC",
    "invoker": f"ALTER FUNCTION {INSERT}() SECURITY INVOKER",
    "path": f"ALTER FUNCTION {INSERT}() SET search_path = public",
    "pruning": "GRANT EXECUTE ON FUNCTION changesets_prune(bigint[]) TO PUBLIC",
}


@pytest.mark.parametrize("statement", RIGHTS.values(), ids=RIGHTS.keys())
def test_other_rights_than_those_installed_are_a_problem(world: World, statement: str) -> None:
    execute(statement)
    assert len(recording_problems()) == 1

    install_recording()

    assert recording_problems() == []


@pytest.fixture
def console(world: World) -> str:
    """Return a role with the rights that docs/operating.md gives to the one that the console runs as."""
    block = re.search(rf"```sql\n(CREATE ROLE {CONSOLE} .*?)```", OPERATING.read_text(encoding="utf-8"), re.DOTALL)
    execute(block[1])
    return CONSOLE


def test_the_runtime_role_changes_and_reverts(console: str, django_user_model) -> None:
    ana = django_user_model.objects.create(username="ana")

    with acting_as(console):
        with changeset(kind="edit", actor=ana) as made:
            Airport.objects.filter(pk="KDEN").update(name="x")
        with changeset(kind="edit", actor=ana) as nothing:
            pass
        revert(plan_revert([made]), actor=ana, reason="no")

    assert nothing.pk is None
    assert Airport.objects.get(pk="KDEN").name == "Airport KDEN"
    assert Changeset.objects.get(pk=made.pk).status == "reverted"
    assert Airport.history.filter(changeset=made).get().history_user == ana


def test_the_runtime_role_reviews(world: World, console: str) -> None:
    ana = User.objects.create(username="ana")

    with acting_as(console):
        mark_reviewed(world.made_by.pk, actor=ana, verdict="harmful")

    assert Changeset.objects.get(pk=world.made_by.pk).verdict == "harmful"


REFUSED: dict[str, Callable[[World], object]] = {
    "row changed": lambda world: Airport.history.update(name="x"),
    "row deleted": lambda world: Airport.history.all().delete(),
    "changeset asked for by another": lambda world: Changeset.objects.update(asked_by_name="ben"),
    "changeset renamed": lambda world: Changeset.objects.update(actor_name="ben"),
    "changeset of another kind": lambda world: Changeset.objects.update(kind="edit"),
    "changeset marked pruned": lambda world: Changeset.objects.update(pruned_at=timezone.now()),
    "changeset deleted": lambda world: world.made_by.delete(),
    "transaction forged": lambda world: ChangesetTransaction.objects.create(changeset=world.made_by, server=1, xid=1),
    "transaction deleted": lambda world: ChangesetTransaction.objects.all().delete(),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("deed", REFUSED.values(), ids=REFUSED.keys())
def test_the_runtime_role_changes_no_history(world: World, committed_console: str, deed: Callable) -> None:
    with pytest.raises(DatabaseError, match=r"permission denied|is history"), acting_as(committed_console):
        deed(world)


@pytest.fixture
def committed_console(console: str) -> Iterator[str]:
    """Return the runtime role while changesets are committed; it goes afterwards."""
    yield console
    execute(f"DROP OWNED BY {console}", f"DROP ROLE {console}")


@pytest.mark.django_db(transaction=True)
def test_the_runtime_role_prunes_by_the_function(world: World, committed_console: str, settings) -> None:
    settings.BACKUPS_AUTOMATIC = False
    with changeset(kind="edit", actor=None):
        Airport.objects.filter(pk="KDEN").update(name="x")

    with acting_as(committed_console):
        done = prune_history(timezone.now() + timedelta(minutes=5))

    assert (done.rows, done.changesets) == (1, 2)
    assert Airport.history.filter(ident="KDEN").get().name == "x"
    assert not Changeset.objects.filter(pruned_at=None).exists()
    call_command("audit_history", verbosity=0)
