"""Random work, recorded and taken back: the invariants hold whatever the order of events."""

from collections.abc import Callable
from contextlib import suppress

from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.context import changeset
from apps.changesets.errors import EmptyScope
from apps.changesets.models import Changeset
from apps.changesets.recording.audit import find_drift
from apps.changesets.revert import Scope, newest_seen, plan_revert, revert
from tests.changesets.conftest import State, tables

IDENTS = ("AAA", "BBB", "CCC")
NAMES = ("one", "two", "three")
CODES = ("AA", "BB")

# Each step is (what, which object, which value); what makes no sense in the state it meets does nothing.
Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["create", "rename", "recode", "delete", "place", "link", "unlink", "remove city"]),
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=5,
)


def create(which: int, value: int) -> None:
    ident = IDENTS[which]
    if not Airport.objects.filter(pk=ident).exists() and not Airport.objects.filter(source_id=value).exists():
        Airport.objects.create(ident=ident, source_id=value, name=NAMES[value], airport_type="closed")


def recode(which: int, value: int) -> None:
    if not Airport.objects.filter(pk=IDENTS[value]).exists():
        Airport.objects.filter(pk=IDENTS[which]).update(ident=IDENTS[value])


def place(which: int, value: int) -> None:
    country, _ = Country.objects.get_or_create(iso_code=CODES[which % 2], defaults={"name": CODES[which % 2]})
    City.objects.get_or_create(country=country, search_name=NAMES[value], defaults={"name": NAMES[value]})


def link(which: int, value: int) -> None:
    city = City.objects.filter(name=NAMES[value]).first()
    if city:
        Airport.objects.filter(pk=IDENTS[which]).update(city=city, country=city.country)


DO: dict[str, Callable[[int, int], object]] = {
    "create": create,
    "rename": lambda which, value: Airport.objects.filter(pk=IDENTS[which]).update(name=NAMES[value]),
    "recode": recode,
    "delete": lambda which, value: Airport.objects.filter(pk=IDENTS[which]).delete(),
    "place": place,
    "link": link,
    "unlink": lambda which, value: Airport.objects.filter(pk=IDENTS[which]).update(city=None, country=None),
    "remove city": lambda which, value: City.objects.filter(name=NAMES[value]).delete(),
}


def work(steps: list[Step]) -> Changeset | None:
    """Do the steps as one changeset; return it, or None when they changed nothing."""
    with changeset(kind="bulk_action", actor=None) as opened:
        for what, which, value in steps:
            DO[what](which, value)
    return opened if opened.pk else None


def names() -> dict[int, str]:
    """Return each airport's name by the key that stays when its ident changes."""
    return dict(Airport.objects.values_list("source_id", "name"))


def assert_recorded() -> None:
    assert find_drift()[1] == []


def assert_taken_back_and_redone(made: Changeset, before: State, after: State) -> None:
    """Revert a changeset that nothing came after, and revert that revert: each gives every table back exactly."""
    undone = revert(plan_revert([made]), actor=None)
    assert tables() == before
    assert_recorded()

    if undone is not None:
        revert(plan_revert([undone]), actor=None)
    assert tables() == after
    assert_recorded()


class Properties(TestCase):
    """Each example is rolled back by itself."""

    @given(before=STEPS, steps=STEPS)
    def test_revert_with_nothing_after_it_is_exact_and_so_is_redo(self, before: list[Step], steps: list[Step]) -> None:
        work(before)
        state = tables()
        made = work(steps)
        after = tables()
        if made is None:
            assert after == state
            return

        assert_taken_back_and_redone(made, state, after)

    @given(steps=st.lists(STEPS, min_size=1, max_size=4))
    def test_everything_since_a_moment_is_undone_exactly_in_one_go(self, steps: list[list[Step]]) -> None:
        work([("place", 0, 0), ("create", 0, 0), ("create", 1, 1), ("link", 0, 0)])
        state = tables()
        made = [opened for opened in map(work, steps) if opened is not None]

        if made:
            revert(plan_revert(made), actor=None)

        assert tables() == state
        assert_recorded()

    @given(steps=STEPS, since=STEPS)
    def test_what_was_changed_since_is_never_overwritten(self, steps: list[Step], since: list[Step]) -> None:
        work([("place", 0, 0), ("create", 0, 0), ("create", 1, 1), ("link", 0, 0)])
        made = work(steps)
        left = names()
        work(since)
        now = names()
        if made is None:
            return

        revert(plan_revert([made]), actor=None)

        assert_recorded()
        changed_since = {key: name for key, name in now.items() if key in left and left[key] != name}
        found = names()
        assert {key: found.get(key) for key in changed_since} == changed_since


# -- the same work in plain Python: what should be there --------------------------------------------------------------

Table = dict[str, dict[str, object]]
FIELDS = ("name", "elevation_ft")
EDITS = st.lists(st.tuples(st.sampled_from(IDENTS), st.sampled_from(FIELDS), st.integers(0, 2)), min_size=1, max_size=4)
VALUES = {"name": NAMES, "elevation_ft": (None, 10, 20)}


def three_airports() -> None:
    """Make the airports of one example."""
    with changeset(kind="import", actor=None):
        for number, ident in enumerate(IDENTS):
            Airport.objects.create(ident=ident, source_id=number, name="zero", airport_type="closed")


def airports() -> Table:
    """Return the airports' values as they are."""
    return {
        ident: dict(zip(FIELDS, values, strict=True))
        for ident, *values in Airport.objects.values_list("ident", *FIELDS)
    }


def edit(edits: list[tuple[str, str, int]], *, by_sql: bool) -> tuple[Changeset | None, Table, Table]:
    """Change fields as one changeset, or directly in SQL; return it with the tables before and after."""
    before = airports()
    newest = Changeset.objects.order_by("-pk").values_list("pk", flat=True).first()
    if by_sql:
        with connection.cursor() as cursor:
            for ident, field, value in edits:
                cursor.execute(
                    f"UPDATE airports_airport SET {field} = %s WHERE ident = %s", [VALUES[field][value], ident]
                )
    else:
        with changeset(kind="bulk_action", actor=None):
            for ident, field, value in edits:
                Airport.objects.filter(pk=ident).update(**{field: VALUES[field][value]})
    made = Changeset.objects.order_by("-pk").first()
    return (made if made.pk != newest else None), before, airports()


def reverted(now: Table, before: Table, after: Table, *, fields: tuple[str, ...], idents: tuple[str, ...]) -> Table:
    """Return what a revert of before -> after should make of `now`: the merge of the design, in a few lines."""
    return {
        ident: {
            field: before[ident][field]
            if (field in fields and ident in idents and value == after[ident][field])
            else value
            for field, value in row.items()
        }
        for ident, row in now.items()
    }


class AgainstAModel(TestCase):
    """Partial reverts, redo chains and plain SQL do what a dictionary does."""

    @given(
        edits=EDITS,
        since=EDITS,
        sql_first=st.booleans(),
        fields=st.sets(st.sampled_from(FIELDS)),
        idents=st.sets(st.sampled_from(IDENTS)),
    )
    def test_a_partial_revert_is_the_merge_of_three_values(
        self, edits: list, since: list, sql_first: bool, fields: set[str], idents: set[str]
    ) -> None:
        three_airports()
        made, before, after = edit(edits, by_sql=sql_first)
        # Direct writes that follow each other within seconds are one changeset: the later work is not direct then.
        _since, _, now = edit(since, by_sql=not sql_first)
        if made is None:
            return

        with suppress(EmptyScope):
            revert(plan_revert([made], scope=Scope(fields=tuple(fields), pks=tuple(idents))), actor=None)

        chosen = tuple(fields) or FIELDS, tuple(idents) or IDENTS
        assert airports() == reverted(now, before, after, fields=chosen[0], idents=chosen[1])
        assert_recorded()

    @given(edits=EDITS, fields=st.sets(st.sampled_from(FIELDS)), links=st.integers(1, 5))
    def test_a_chain_of_redos_goes_to_and_fro(self, edits: list, fields: set[str], links: int) -> None:
        three_airports()
        made, before, after = edit(edits, by_sql=False)
        if made is None:
            return
        try:
            undone = revert(plan_revert([made], scope=Scope(fields=tuple(fields))), actor=None)
        except EmptyScope:
            return
        states = [airports(), after]
        assert states[0] == reverted(after, before, after, fields=tuple(fields) or FIELDS, idents=IDENTS)

        for number in range(links):
            undone = revert(plan_revert([undone]), actor=None) if undone else None
            if undone:
                assert airports() == states[(number + 1) % 2]
        assert_recorded()

    @given(edits=EDITS, since=EDITS)
    def test_what_was_written_after_a_plan_was_seen_stays_to_the_last_value(self, edits: list, since: list) -> None:
        three_airports()
        made, before, after = edit(edits, by_sql=False)
        if made is None:
            return
        plan, seen = plan_revert([made], on_conflict="force"), newest_seen()
        _since, _, now = edit(since, by_sql=True)
        moved = {ident for ident in now if now[ident] != after[ident]}
        # A row that went to and fro moved as well.
        wrote = {ident for ident, _, _ in since}

        revert(plan, actor=None, seen=seen)

        found = airports()
        assert {ident: found[ident] for ident in moved} == {ident: now[ident] for ident in moved}
        for ident in set(found) - wrote:
            assert found[ident] == before[ident]
        assert_recorded()
