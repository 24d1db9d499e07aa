"""Newest and previous go by history_id, since equal dates happen."""

from apps.airports.models import Airport
from apps.changesets.context import changeset
from tests.changesets.conftest import World


def changed_twice_at_one_moment() -> None:
    with changeset(kind="edit", actor=None):
        Airport.objects.filter(pk="KDEN").update(name="first")
        Airport.objects.filter(pk="KDEN").update(name="second")


def test_as_of_a_moment_gives_each_object_once(world: World) -> None:
    changed_twice_at_one_moment()
    moment = Airport.history.first().history_date

    found = Airport.history.as_of(moment)

    assert sorted(airport.ident for airport in found) == ["KAPA", "KBDU", "KDEN"]
    assert found.get(ident="KDEN").name == "second"


def test_as_of_an_earlier_moment_gives_the_earlier_values(world: World) -> None:
    changed_twice_at_one_moment()

    assert Airport.objects.get(pk="KDEN").history.as_of(world.made_by.created_at).name == "Airport KDEN"


def test_previous_and_next_are_the_neighbours_at_equal_dates(world: World) -> None:
    changed_twice_at_one_moment()
    newest = Airport.history.filter(ident="KDEN").first()

    assert newest.prev_record.name == "first"
    assert newest.prev_record.next_record == newest
    assert newest.next_record is None


def test_saving_a_model_calls_no_receiver_of_simple_history(world: World) -> None:
    from django.db.models.signals import post_delete, post_save, pre_delete

    for signal in (post_save, post_delete, pre_delete):
        assert not signal.has_listeners(Airport)
