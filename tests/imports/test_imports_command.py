"""imports: the runs as a person, or a script, sees them."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.changesets.processes import watched as progress
from apps.imports.models import ImportRun, RunStatus
from tests.imports.runs import put

pytestmark = pytest.mark.django_db


def imports(*arguments: str) -> str:
    out = StringIO()
    call_command("imports", *arguments, stdout=out)
    return out.getvalue()


def test_without_runs_it_says_so():
    assert imports("status") == "No imports yet.\n"
    assert imports("status", "--json") == "[]\n"


def test_the_newest_run_comes_first_and_the_list_can_be_cut(opened):
    first, second = opened(), opened()

    assert [each["id"] for each in json.loads(imports("status", "--json"))] == [second.pk, first.pk]
    assert [each["id"] for each in json.loads(imports("status", "--json", "--limit", "1"))] == [second.pk]


def test_a_run_that_works_shows_how_far_it_is(opened, make_person, monkeypatch):
    run = put(opened(actor=make_person("uma", group="importer")), RunStatus.PLANNING, started_at=timezone.now())
    now = run.started_at.timestamp()
    monkeypatch.setattr(progress.time, "time", lambda: now)
    progress.report(run.pk, "read", 0, 4000)
    monkeypatch.setattr(progress.time, "time", lambda: now + 10)
    progress.report(run.pk, "read", 1000, 4000)

    line, [told] = imports("status"), json.loads(imports("status", "--json"))

    assert "Planning       uma" in line
    assert "read: 1,000 of 4,000 rows, 100 a second, 30 s left; heard of 0 s ago" in line
    assert (told["phase"], told["done"], told["total"]) == ("read", 1000, 4000)
    assert (told["rate"], told["seconds_left"], told["actor"]) == (100, 30, "uma")


def test_json_has_the_same_keys_for_every_run(opened):
    put(opened(), RunStatus.FAILED, error="It rained.")

    [told] = json.loads(imports("status", "--json"))

    assert list(told) == [
        *("id", "spec", "status", "actor", "file", "phase", "done", "total", "rate", "seconds_left", "error"),
        *("changeset", "created_at"),
    ]
    assert (told["spec"], told["status"], told["error"]) == ("ourairports", "failed", "It rained.")


def test_looking_is_enough_to_find_a_dead_worker(opened):
    put(opened(), RunStatus.RUNNING, started_at=timezone.now() - timedelta(hours=1))

    assert "Failed" in imports("status")
    assert "The worker stopped unexpectedly" in imports("status")


def test_a_waiting_run_is_cancelled(opened):
    run = opened()

    assert imports("cancel", str(run.pk)).endswith(f"\n{run} is cancelled; nothing was written.\n")

    assert ImportRun.objects.get().status == RunStatus.CANCELLED


def test_cancel_tells_the_run_as_json(opened):
    run = opened()

    told = json.loads(imports("cancel", str(run.pk), "--json"))

    assert [(each["id"], each["status"]) for each in told] == [(run.pk, "cancelled")]


def test_a_busy_run_is_asked_to_stop(opened):
    run = put(opened(), RunStatus.RUNNING, started_at=timezone.now())

    assert "was asked to stop" in imports("cancel", str(run.pk))

    assert progress.is_asked_to_stop(run.pk)


def test_an_unknown_number_is_told():
    with pytest.raises(CommandError, match=r"There is no import 7: `manage.py imports status` shows"):
        imports("cancel", "7")


def test_what_is_over_is_not_cancelled(opened):
    run = put(opened(), RunStatus.APPLIED)

    with pytest.raises(CommandError, match="was applied already, and changed nothing"):
        imports("cancel", str(run.pk))
