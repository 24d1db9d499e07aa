"""Tallies: kept for the trend, taken after what may have moved many, and used as long as nothing moved."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.db.models import Q
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.tracking import tracked_models
from apps.quality import rules
from apps.quality.figures import newest_tallies
from apps.quality.models import Tally
from apps.quality.tallies import earlier_tally, known_counted, newest_counted, take_tally


def change(kind: str, code: str | None, ident: str = "KDEN") -> None:
    with changeset(kind=kind, actor=None):
        Airport.objects.filter(pk=ident).update(iata_code=code)


@pytest.mark.django_db
def test_one_tally_is_kept_for_each_newest_changeset_and_day(places):
    first = take_tally()
    again = take_tally()
    change("edit", "0")
    second = take_tally()

    assert again.pk == first.pk
    assert (first.counts["iata_zero"], second.counts["iata_zero"]) == (0, 1)
    assert earlier_tally(newest_counted()).pk == first.pk
    assert second.coverage["airports.airport.city"] == [3, 3]


@pytest.mark.django_db
def test_a_stale_tally_says_so_where_nothing_is_to_be_counted(places):
    assert known_counted() is None

    take_tally()
    fresh = known_counted()
    change("edit", "0")
    stale = known_counted()

    assert (fresh.stale, stale.stale, stale.counts["iata_zero"]) == (False, True, 0)
    assert newest_counted().counts["iata_zero"] == 1


@pytest.mark.django_db
def test_a_rule_that_was_mended_is_counted_anew(places, monkeypatch):
    take_tally()
    monkeypatch.setitem(rules._rules, "iata_zero", replace(rules.rule_named("iata_zero"), broken=Q(iata_code="DEN")))

    assert newest_counted().counts["iata_zero"] == 1


@pytest.mark.django_db
def test_who_only_looks_at_pages_has_a_trend(browse_as, viewer, operator, places, django_assert_max_num_queries):
    client, keep = browse_as(operator), "/admin/quality/finding/keep/"
    assert f'action="{keep}"' in client.get("/admin/quality/finding/").content.decode()
    client.post(keep)
    first = Tally.objects.get()
    change("edit", "0")
    client.get("/admin/looked-for/")

    assert f'action="{keep}"' in client.get("/admin/").content.decode()
    # What the page has counted is not counted again.
    with django_assert_max_num_queries(17 + len(tracked_models())):
        client.post(keep)

    assert Tally.objects.latest("pk").counts["iata_zero"] == first.counts["iata_zero"] + 1
    assert f'action="{keep}"' not in client.get("/admin/").content.decode()
    assert f'action="{keep}"' not in browse_as(viewer).get("/admin/quality/finding/").content.decode()


@pytest.mark.django_db
def test_of_earlier_days_the_trend_shows_the_last_tally(places):
    days = [timedelta(days=2), timedelta(days=2), timedelta(days=1), timedelta(0), timedelta(0)]
    kept = [Tally.objects.create(counts={}, taken_at=timezone.now() - ago).pk for ago in days]

    assert [tally.pk for tally in newest_tallies()] == kept[1:]


@pytest.mark.django_db
def test_very_old_tallies_go(places):
    Tally.objects.create(counts={}, taken_at=timezone.now() - timedelta(days=401))

    take_tally()

    assert Tally.objects.count() == 1


def paths() -> list[tuple[str, str]]:
    return list(DBTaskResult.objects.values_list("task_path", "status"))


@pytest.mark.django_db(transaction=True)
def test_a_worker_counts_again_after_a_bulk_action_and_not_after_an_edit(places):
    caches["figures"].clear()
    waiting = ("apps.quality.tasks.count_in_background", TaskResultStatus.READY)
    DBTaskResult.objects.all().delete()

    change("edit", "0")
    assert paths() == []
    change("bulk_action", "DEN")
    change("bulk_action", "0")
    assert paths() == [waiting]
    call_command("db_worker", "--batch", "--no-startup-delay", verbosity=0)

    assert Tally.objects.get().counts["iata_zero"] == 1
