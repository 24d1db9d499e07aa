"""What a changeset did on balance is what the rows before and after tell, whatever came and went in between."""

from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.history.diff import changes_of
from apps.changesets.history.net_changes import net_objects, net_table
from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_for

IDENTS = ("AAA", "BBB", "CCC")
# Each step is (what, which ident, which number or other ident); what cannot be done does nothing.
Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["create", "recode", "delete"]), st.integers(0, 2), st.integers(0, 2)),
    min_size=1,
    max_size=6,
)
Pair = tuple[str | None, str | None]


def work(steps: list[Step]) -> None:
    """Do the steps to airports with OurAirports' numbers 1 and 2, and with none."""
    for what, which, value in steps:
        ident, number, other = IDENTS[which], value or None, IDENTS[value]
        here = Airport.objects.filter(pk=ident)
        taken = number is not None and Airport.objects.filter(source_id=number).exists()
        if what == "create" and not here.exists() and not taken:
            Airport.objects.create(ident=ident, source_id=number, name=f"{which}{value}", airport_type="closed")
        elif what == "recode" and not Airport.objects.filter(pk=other).exists():
            here.update(ident=other)
        elif what == "delete":
            here.delete()


def state() -> dict[str, int | None]:
    """Return the number of each airport by its ident."""
    return dict(Airport.objects.values_list("ident", "source_id"))


def expected(before: dict[str, int | None], after: dict[str, int | None]) -> set[Pair]:
    """Pair what was with what is: first by number, then by ident where one of the two has no number."""
    now = {number: ident for ident, number in after.items() if number}
    pairs = {(ident, now[number]) for ident, number in before.items() if number in now}
    was, became = ({pair[side] for pair in pairs} for side in (0, 1))
    pairs |= {
        (ident, ident)
        for ident in (set(before) - was) & (set(after) - became)
        if before[ident] is None or after[ident] is None
    }
    was, became = ({pair[side] for pair in pairs} for side in (0, 1))
    return pairs | {(ident, None) for ident in set(before) - was} | {(None, ident) for ident in set(after) - became}


class Netting(TestCase):
    """Each example is rolled back by itself."""

    @given(before=STEPS, steps=STEPS)
    # An airport takes the ident of one without a number.
    @example(before=[], steps=[("delete", 1, 0), ("recode", 0, 1)])
    def test_objects_are_paired_by_number_then_by_ident(self, before: list[Step], steps: list[Step]) -> None:
        with changeset(kind="import", actor=None):
            work([("create", 0, 1), ("create", 1, 0), *before])
        was = state()
        with changeset(kind="import", actor=None) as made:
            work(steps)
        if made.pk is None:
            return

        # Pages read the SELECT, reverts the table.
        shown = {
            (
                None if change.operation == "created" else change.old_pk,
                None if change.operation == "deleted" else change.pk,
            )
            for change in changes_of(made)
        }
        sql, airports = Sql(), tracked_for(Airport)
        net_objects(sql, airports, made.pk)
        table = set(sql.rows(f"SELECT before_pk, after_pk FROM {sql.temp(net_table(airports))}"))

        touched = {ident for pair in shown for ident in pair if ident}
        assert shown == table
        assert shown == {pair for pair in expected(was, state()) if touched.intersection(pair)}
        # What was not touched is as it was.
        assert all(one == other for one, other in expected(was, state()) - shown)
