"""Origins of many objects at once: what is said of each alone, in few queries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.airports.models import Airport
from apps.base.models import City
from apps.changesets.context import changeset
from apps.changesets.history.origins import origins_of, origins_of_many
from tests.changesets.test_properties import STEPS, work

pytestmark = pytest.mark.django_db


def rename(old: str, new: str) -> None:
    with changeset(kind="import", actor=None):
        Airport.objects.filter(pk=old).update(ident=new)


def test_many_objects_take_two_queries_renamed_ones_included(world, django_assert_num_queries):
    rename("KDEN", "KDVX")
    rename("KAPA", "KAPX")
    airports = list(Airport.objects.all())

    with django_assert_num_queries(2):
        origins = origins_of_many(airports)

    assert {*origins} == {"KDVX", "KAPX", "KBDU"}
    assert {of["name"].changeset for of in origins.values()} == {world.made_by}
    assert origins["KDVX"]["ident"].changeset != world.made_by


def test_idents_that_swap_keep_their_origins_apart(world):
    with changeset(kind="edit", actor=None) as made:
        Airport.objects.filter(pk="KDEN").update(name="Denver Intl")
    for old, new in (("KDEN", "X"), ("KAPA", "KDEN"), ("X", "KAPA")):
        rename(old, new)

    origins = origins_of_many(list(Airport.objects.all()))

    assert origins["KAPA"]["name"].changeset == made
    assert origins["KDEN"]["name"].changeset == world.made_by


def test_models_without_a_stable_key_and_no_objects_at_all(world):
    assert {*origins_of_many(list(City.objects.all()))} == {world.denver.pk, world.boulder.pk}
    assert origins_of_many([]) == {}


class TestMany(TestCase):
    """Whatever was done, many at once are what each is alone."""

    @given(st.lists(STEPS, max_size=3))
    def test_many_are_what_each_is_alone(self, acts):
        for steps in acts:
            work(steps)
        for model in (Airport, City):
            objects = list(model.objects.all())

            assert origins_of_many(objects) == {obj.pk: origins_of(obj) for obj in objects}
