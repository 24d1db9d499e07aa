"""Random work, recorded and taken back: the invariants hold whatever the order of events."""

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.audit import find_drift
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from apps.changesets.revert import plan_revert, revert
from tests.changesets.conftest import tables

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
PROPERTY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


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


class Properties(TestCase):
    """Each example is rolled back by itself."""

    @PROPERTY
    @given(before=STEPS, steps=STEPS)
    def test_revert_with_nothing_after_it_is_exact_and_so_is_redo(self, before: list[Step], steps: list[Step]) -> None:
        work(before)
        state = tables()
        made = work(steps)
        after = tables()
        if made is None:
            assert after == state
            return

        undone = revert(plan_revert([made]), actor=None)
        assert tables() == state
        assert_recorded()

        if undone is not None:
            revert(plan_revert([undone]), actor=None)
        assert tables() == after
        assert_recorded()

    @PROPERTY
    @given(steps=st.lists(STEPS, min_size=1, max_size=4))
    def test_everything_since_a_moment_is_undone_exactly_in_one_go(self, steps: list[list[Step]]) -> None:
        work([("place", 0, 0), ("create", 0, 0), ("create", 1, 1), ("link", 0, 0)])
        state = tables()
        made = [opened for opened in map(work, steps) if opened is not None]

        if made:
            revert(plan_revert(made), actor=None)

        assert tables() == state
        assert_recorded()

    @PROPERTY
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
