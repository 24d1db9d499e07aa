"""The commands know models and keys of the second domain by the names that people type."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from tests.second_domain.models import Operator, Station

pytestmark = pytest.mark.django_db


def say(*words: object, **options: object) -> str:
    """Call a command and return what it printed."""
    out = StringIO()
    call_command(*map(str, words), stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def made(world) -> Changeset:
    """A changeset that changed both operators, and a station."""
    with changeset(kind="edit", actor=None) as made:
        Operator.objects.filter(code="SBB").update(name="CFF")
        Operator.objects.filter(code="DB").update(name="Bahn")
        Station.objects.filter(code="UL").update(opened="1850-06-01")
    return made


def test_one_operator_is_reverted_by_its_uuid(world, made):
    say("changesets", "revert", made.pk, "--model", "operator", "--pk", world["SBB"].pk, "--reason", "a test")

    assert set(Operator.objects.values_list("name", flat=True)) == {"Swiss Federal Railways", "Bahn"}


def test_what_it_did_is_told_as_json(world, made):
    changes = json.loads(say("changesets", "diff", made.pk, "--format", "json"))

    keys = {change["pk"] for change in changes if change["model"] == "second_domain.operator"}
    assert keys == {str(world["SBB"].pk), str(world["DB"].pk)}
    assert "1850-06-01" in json.dumps(changes)
    assert str(world["SBB"].pk) in say("changesets", "since", made.pk - 1, "--json")
    assert "second_domain.operator ~2" in say("changesets", "show", made.pk)


def test_an_operator_is_backed_up_by_its_uuid(world):
    asked = ("--kind", "object", "--model", "operator", "--pk", world["SBB"].pk)

    made = json.loads(say("backup", "create", *asked, json=True))

    document = json.loads(Path(made["path"]).read_text(encoding="utf-8"))
    assert (document["key"], document["name"]) == (str(world["SBB"].pk), "Swiss Federal Railways (SBB)")


def test_history_is_whole(world, made):
    assert json.loads(say("audit_history", json=True))["drift"] == 0
