"""`changesets since ID`: what happened after a changeset on balance, for those who hold a copy."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from apps.changesets.recording.audit import record_drift
from apps.changesets.revert import plan_revert, revert
from tests.changesets.conftest import World


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("changesets", "since", *arguments, stdout=out)
    return out.getvalue()


def since(pk: int, *arguments: str) -> list[dict]:
    return json.loads(run(str(pk), *arguments, "--json"))["changes"]


def write(**values: object) -> Changeset:
    with changeset(kind="edit", actor=None) as made:
        Airport.objects.filter(pk="KDEN").update(**values)
    return made


def test_several_changes_of_an_object_are_one(world: World) -> None:
    write(name="a", elevation_ft=1)
    write(name="b")

    assert since(world.made_by.pk) == [
        {
            "model": "airports.airport",
            "operation": "changed",
            "pk": "KDEN",
            "old_pk": "KDEN",
            "fields": {"name": ["Airport KDEN", "b"], "elevation_ft": [None, 1]},
        }
    ]


def test_only_what_came_later_counts(world: World) -> None:
    first = write(name="a")
    write(elevation_ft=1)

    assert since(first.pk)[0]["fields"] == {"elevation_ft": [None, 1]}


def test_creations_renamings_and_deletions_are_told(world: World) -> None:
    with changeset(kind="import", actor=None):
        airport = Airport.objects.get(pk="KAPA")
        airport.delete()
        airport.pk = "KAPB"
        airport.save(force_insert=True)
        Airport.objects.create(ident="KBJC", name="Rocky", airport_type="small_airport")
    with changeset(kind="delete", actor=None):
        Airport.objects.filter(pk="KBDU").delete()

    told = [(change["operation"], change["old_pk"], change["pk"]) for change in since(world.made_by.pk)]

    assert told == [("renamed", "KAPA", "KAPB"), ("deleted", "KBDU", "KBDU"), ("created", "KBJC", "KBJC")]


def test_links_are_given_by_key(world: World) -> None:
    write(city=world.boulder)

    assert since(world.made_by.pk)[0]["fields"] == {"city": [world.denver.pk, world.boulder.pk]}


def test_what_was_taken_back_is_no_change(world: World) -> None:
    made = write(name="a")
    revert(plan_revert([made]), actor=None, reason="no")

    assert since(world.made_by.pk) == []
    assert run(str(world.made_by.pk)) == f"Nothing changed since #{world.made_by.pk} Import.\n"


def test_what_failed_is_no_change(world: World) -> None:
    with pytest.raises(ZeroDivisionError), changeset(kind="import", actor=None):
        Airport.objects.update(name=str(1 / 0))

    assert since(world.made_by.pk) == []


def test_a_baseline_is_a_state_and_no_change(world: World) -> None:
    Airport.history.filter(ident="KDEN").delete()
    record_drift(kind="direct", reason="found without history")
    assert Changeset.objects.filter(kind="baseline").exists()

    assert since(world.made_by.pk) == []
    write(name="a")
    assert since(world.made_by.pk)[0]["fields"] == {"name": ["Airport KDEN", "a"]}


def test_one_model_can_be_asked_for(world: World) -> None:
    write(name="a")
    with changeset(kind="edit", actor=None):
        world.boulder.delete()

    assert {change["model"] for change in since(world.made_by.pk, "--model", "city")} == {"base.city"}


def test_without_json_it_is_for_reading(world: World) -> None:
    write(name="a")

    assert run(str(world.made_by.pk)) == "changed  airports.airport KDEN a\n           name: Airport KDEN -> a\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["99"], "There is no changeset #99"), (["{id}", "--model", "planet"], "There is no model 'planet'")],
)
def test_what_does_not_exist_gets_a_sentence(world: World, arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        run(*[argument.format(id=world.made_by.pk) for argument in arguments])
