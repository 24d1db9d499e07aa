"""Fixtures: with history they come back as they were, without history they are recorded like any other write."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from apps.base.models import Country
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from apps.changesets.recording import install_recording, uninstall_recording
from apps.changesets.recording.audit import find_drift
from tests.changesets.conftest import tables

pytestmark = pytest.mark.django_db

HISTORY = ("changesets", "base.country", "base.historicalcountry")


@pytest.fixture
def fixture(tmp_path: Path) -> Path:
    """A country that was changed once, with its history; it is gone from the database."""
    with changeset(kind="edit", actor=None):
        country = Country.objects.create(iso_code="CH", name="Schweiz")
    with changeset(kind="edit", actor=None):
        Country.objects.filter(pk=country.pk).update(name="Switzerland")
    file = tmp_path / "countries.json"
    call_command("dumpdata", *HISTORY, output=str(file))
    connection.check_constraints()
    uninstall_recording()
    for model in (Country, Country.history.model, Changeset):
        model._base_manager.all().delete()
    connection.check_constraints()
    install_recording()
    return file


def test_a_fixture_with_history_is_not_recorded_a_second_time(fixture: Path) -> None:
    call_command("loaddata", str(fixture), verbosity=0)

    assert [row.history_type for row in Country.history.order_by("history_id")] == ["+", "~"]
    assert Changeset.objects.count() == 2
    assert find_drift() == (1, [])


def test_a_fixture_with_history_can_come_from_standard_input(fixture: Path, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(fixture.read_text()))

    call_command("loaddata", "-", format="json", verbosity=0)

    assert Country.history.count() == 2


def test_after_a_fixture_with_history_changes_are_recorded_again(fixture: Path) -> None:
    call_command("loaddata", str(fixture), verbosity=0)

    Country.objects.update(name="Suisse")

    assert Country.history.count() == 3


def test_what_a_fixture_lacks_the_history_of_is_recorded(fixture: Path) -> None:
    rows = json.loads(fixture.read_text())
    newest = max(row["pk"] for row in rows if row["model"] == "base.historicalcountry")
    fixture.write_text(json.dumps([row for row in rows if row["pk"] != newest or "historical" not in row["model"]]))

    call_command("loaddata", str(fixture), verbosity=0)

    assert find_drift() == (1, [])
    assert Changeset.objects.latest("pk").reason == "Loaded from a fixture."


def test_a_fixture_without_history_is_recorded_as_one_direct_change(fixture: Path) -> None:
    rows = [row for row in json.loads(fixture.read_text()) if row["model"] == "base.country"]
    fixture.write_text(json.dumps(rows))

    call_command("loaddata", str(fixture), verbosity=0)

    assert Country.history.get().history_type == "+"
    assert Changeset.objects.get().kind == "direct"


def test_a_bad_fixture_with_history_leaves_everything_as_it_was(fixture: Path) -> None:
    rows = json.loads(fixture.read_text())
    fixture.write_text(json.dumps([*rows, {"model": "base.country", "pk": 2, "fields": {"name": None}}]))
    before = tables()

    with pytest.raises(Exception, match="Could not load base"):
        call_command("loaddata", str(fixture), verbosity=0)

    assert tables() == before
    Country.objects.create(iso_code="US", name="United States")
    assert Country.history.count() == 1
