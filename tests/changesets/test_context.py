"""Opening, joining, failing and emptiness of changesets."""

from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.airports.models import Airport
from apps.changesets.context import Source, changeset
from apps.changesets.errors import NothingSelected, RecordingNotInstalled
from apps.changesets.models import Changeset, Status
from apps.changesets.recording import install_recording, uninstall_recording
from tests.changesets.conftest import World, tables


class Broken(Exception):
    """What a test lets go wrong."""


def break_in_a_changeset() -> None:
    with changeset(kind="edit", actor=None, reason="goes wrong"):
        Airport.objects.update(name="lost")
        raise Broken("the disk is full")


def test_a_changeset_tells_who_why_and_from_which_file(world: World, django_user_model) -> None:
    ana = django_user_model.objects.create(username="ana")

    with changeset(kind="import", actor=ana, reason="spring", source=Source("a.csv", "ff", 12)):
        Airport.objects.update(name="x")

    made = Changeset.objects.first()
    assert (made.actor, made.actor_name, made.reason) == (ana, "ana", "spring")
    assert (made.source_name, made.source_sha256, made.source_size) == ("a.csv", "ff", 12)
    assert made.finished_at is not None


def test_the_name_outlives_the_user(world: World, django_user_model) -> None:
    ana = django_user_model.objects.create(username="ana")
    with changeset(kind="edit", actor=ana):
        Airport.objects.update(name="x")

    ana.delete()

    made = Changeset.objects.first()
    assert (made.actor, made.actor_name) == (None, "ana")


def test_a_changeset_that_changes_nothing_leaves_no_trace(world: World) -> None:
    before = Changeset.objects.count()

    with changeset(kind="edit", actor=None) as opened:
        Airport.objects.filter(pk="KDEN").update(name="Airport KDEN")

    assert opened.pk is None
    assert Changeset.objects.count() == before


def test_a_changeset_opened_at_a_whole_second_keeps_a_fraction_in_its_date(world: World) -> None:
    with (
        patch.object(timezone, "now", return_value=datetime(2026, 4, 1, 12, 30, tzinfo=UTC)),
        changeset(kind="edit", actor=None) as opened,
    ):
        Airport.objects.filter(pk="KDEN").update(name="x")

    dates = [opened.created_at, Airport.history.get(changeset=opened).history_date]
    assert dates == [datetime(2026, 4, 1, 12, 30, 0, 1, tzinfo=UTC)] * 2


def test_an_inner_changeset_joins_the_outer_one(world: World) -> None:
    with changeset(kind="import", actor=None, reason="outer") as outer:
        with changeset(kind="edit", actor=None, reason="inner") as inner:
            Airport.objects.filter(pk="KDEN").update(name="x")
        Airport.objects.filter(pk="KAPA").update(name="y")

    assert inner is outer
    assert outer.counts == {"airports.airport": {"changed": 2}}
    assert (outer.kind, outer.reason) == ("import", "outer")


def test_an_inner_failure_that_is_caught_leaves_the_outer_changeset_open(world: World) -> None:
    with changeset(kind="edit", actor=None) as outer:
        with pytest.raises(Broken):
            break_in_a_changeset()
        Airport.objects.filter(pk="KAPA").update(name="kept")

    assert [row.ident for row in Airport.history.filter(changeset=outer)] == ["KAPA"]


def test_a_rolled_back_savepoint_leaves_no_stale_changeset(world: World) -> None:
    with pytest.raises(Broken), transaction.atomic():
        break_in_a_changeset()

    Airport.objects.filter(pk="KDEN").update(name="direct")

    assert Airport.history.filter(ident="KDEN").first().changeset.kind == "direct"


def test_a_failure_in_somebodys_transaction_is_theirs_to_tell(world: World) -> None:
    before = Changeset.objects.count()

    with transaction.atomic(), pytest.raises(Broken):
        break_in_a_changeset()

    assert Changeset.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_a_refusal_leaves_no_failed_changeset() -> None:
    with pytest.raises(NothingSelected), changeset(kind="bulk_action", actor=None):
        raise NothingSelected("Nothing was selected.")

    assert not Changeset.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_failure_leaves_a_failed_changeset_and_nothing_else() -> None:
    Airport.objects.create(ident="KDEN", name="Denver", airport_type="closed")
    before = tables()

    with pytest.raises(Broken):
        break_in_a_changeset()

    failed = Changeset.objects.first()
    assert tables() == before
    assert (failed.status, failed.reason, failed.error) == (Status.FAILED, "goes wrong", "Broken: the disk is full")
    assert Airport.history.count() == 1


def test_a_changeset_is_refused_when_the_database_does_not_record(world: World) -> None:
    uninstall_recording()

    with pytest.raises(RecordingNotInstalled, match="base_country are not recorded"):
        break_in_a_changeset()

    install_recording()


def test_a_changeset_is_refused_when_a_trigger_was_altered(world: World) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute('DROP TRIGGER "record_base_city_delete"')
        else:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE base_city DISABLE TRIGGER record_base_city_delete")

    with pytest.raises(RecordingNotInstalled, match="base_city"), changeset(kind="edit", actor=None):
        pass
