"""Who may do what with a run, and what confirming, cancelling and starting again do."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from apps.airports.models import Airport
from apps.changesets.errors import PlanMoved
from apps.changesets.models import Changeset
from apps.changesets.processes.watched import ask_to_stop, is_asked_to_stop, report
from apps.imports.errors import RunRefused
from apps.imports.models import Decision, ImportRun, RunStatus
from apps.imports.results import ImportOptions
from apps.imports.runs.confirming import (
    cancel_run,
    confirm_run,
    mark_of,
    start_again,
    why_not_confirm,
    why_not_decide,
    why_not_see,
)
from apps.imports.runs.engine import apply_run, plan_run
from apps.imports.runs.opening import set_options
from apps.imports.runs.rows import decide
from tests.imports.runs import put

pytestmark = pytest.mark.django_db
NOT_THEIRS = "Only the person who uploaded the file, or somebody who may approve imports, can do that."
NO_IMPORT = "You need the permission to import airports."


@pytest.fixture
def people(make_person: Callable[..., User]) -> dict[str, User]:
    """One person of each kind, and `uploader`, an importer whose runs are looked at."""
    kinds = ("viewer", "editor", "importer", "approver", None)
    found = {str(kind): make_person(str(kind), group=kind) for kind in kinds}
    found["superuser"] = User.objects.create_superuser("root")
    found["uploader"] = make_person("uma", group="importer")
    return found


def confirmed(run: ImportRun, actor: User, **more: object) -> ImportRun:
    return confirm_run(run, actor=actor, **{"seen": mark_of(run), **more})


@pytest.mark.parametrize(
    ("who", "see", "decide"),
    [
        ("None", "You need the permission to view imports.", NO_IMPORT),
        ("viewer", None, NO_IMPORT),
        ("editor", None, NO_IMPORT),
        ("importer", None, NOT_THEIRS),
        ("approver", None, None),
        ("superuser", None, None),
        ("uploader", None, None),
    ],
)
def test_who_may_see_and_decide(opened, people, who, see, decide):
    run = opened(actor=people["uploader"])

    assert why_not_see(people[who], run) == see
    assert why_not_decide(people[who], run) == why_not_confirm(people[who], run) == decide


@pytest.mark.parametrize("who", ["None", "viewer", "editor", "importer"])
def test_who_may_not_is_refused_at_every_step(planned, people, who):
    run, person = planned(actor=people["uploader"]), people[who]

    for step in (confirmed, lambda run, actor: cancel_run(run, actor=actor)):
        with pytest.raises(RunRefused):
            step(run, person)
    put(run, RunStatus.FAILED)
    with pytest.raises(RunRefused):
        start_again(run, actor=person)

    assert ImportRun.objects.get().status == RunStatus.FAILED


@pytest.mark.parametrize("who", ["uploader", "approver", "superuser"])
def test_who_may_confirms_and_is_remembered(planned, people, who):
    run = confirmed(planned(actor=people["uploader"]), people[who])

    assert run.status == RunStatus.APPROVED
    assert (run.confirmed_by, run.confirmed_by_name) == (people[who], people[who].username)
    assert run.confirmed_at is not None


def test_the_changeset_says_who_uploaded_and_who_confirmed(planned, people):
    confirmed(planned({}, actor=people["uploader"]), people["approver"])

    made = Changeset.objects.get(pk=apply_run(ImportRun.objects.get()).pk)

    assert (made.actor, made.actor_name) == (people["approver"], "approver")
    assert (made.asked_by, made.asked_by_name) == (people["uploader"], "uma")


def test_who_confirms_their_own_file_asked_nobody(planned, people):
    confirmed(planned({}, actor=people["uploader"]), people["uploader"])

    made = Changeset.objects.get(pk=apply_run(ImportRun.objects.get()).pk)

    assert (made.actor_name, made.asked_by, made.asked_by_name) == ("uma", None, "")


def test_the_uploader_who_lost_the_permission_confirms_nothing(planned, people):
    run = planned(actor=people["uploader"])
    people["uploader"].groups.clear()

    with pytest.raises(RunRefused, match="permission to import airports"):
        confirmed(run, User.objects.get(username="uma"))


@pytest.mark.parametrize(("who", "above"), [("uploader", 1), ("own_superuser", 1)])
def test_above_the_limit_nobody_confirms_their_own_file(planned, people, settings, who, above):
    settings.IMPORTS_SECOND_PERSON_ABOVE = above
    person = people["uploader"] if who == "uploader" else people["superuser"]

    with pytest.raises(RunRefused, match="More than 1 row would change: somebody else who may approve"):
        confirmed(planned({}, {}, actor=person), person)


def test_above_the_limit_a_second_person_confirms(planned, people, settings):
    settings.IMPORTS_SECOND_PERSON_ABOVE = 1

    assert confirmed(planned({}, {}, actor=people["uploader"]), people["approver"]).status == RunStatus.APPROVED


def test_a_file_that_lacks_too_many_objects_is_confirmed_by_nobody(planned, people):
    run = planned(actor=people["uploader"])
    run.summary |= {"missing_above_limit": "The file lacks 90 of 100 airports."}
    run.save(update_fields=["summary"])

    with pytest.raises(RunRefused, match="lacks 90 of 100"):
        confirmed(run, people["superuser"])


def test_up_to_the_limit_one_person_is_enough(planned, people, settings):
    settings.IMPORTS_SECOND_PERSON_ABOVE = 2

    assert confirmed(planned({}, {}, actor=people["uploader"]), people["uploader"]).status == RunStatus.APPROVED


def test_rows_that_people_decided_to_take_count_for_the_limit(planned, people, settings):
    settings.IMPORTS_SECOND_PERSON_ABOVE = 1
    put(planned({}, actor=None), RunStatus.APPROVED)
    apply_run(ImportRun.objects.get())
    run = planned({}, {}, actor=people["uploader"])
    assert why_not_confirm(people["uploader"], run) is None

    run.rows.filter(kind="unchanged").update(decision=Decision.TAKE)

    assert why_not_confirm(people["uploader"], run).startswith("More than 1 row would")


def test_the_plan_of_another_file_is_not_confirmed(planned, people):
    run = planned(actor=people["uploader"])

    with pytest.raises(PlanMoved, match="made again, or rows were decided about, since"):
        confirmed(run, people["uploader"], seen=mark_of(run).replace(run.file_sha256, "0" * 64))

    assert ImportRun.objects.get().status == RunStatus.PLANNED


def test_a_plan_that_was_made_anew_since_is_not_confirmed(planned, people):
    run = planned(actor=people["uploader"])
    seen = mark_of(run)
    plan_run(set_options(run, ImportOptions(missing="delete"), actor=people["uploader"]))

    with pytest.raises(PlanMoved, match="made again, or rows were decided about, since"):
        confirmed(run, people["approver"], seen=seen)

    assert confirmed(run, people["approver"]).status == RunStatus.APPROVED


def test_a_plan_whose_rows_were_decided_about_since_is_not_confirmed(planned, people):
    run = planned({}, actor=people["uploader"])
    seen = mark_of(run)
    decide(run, run.rows.values_list("pk", flat=True), Decision.LEAVE, actor=people["uploader"])

    with pytest.raises(PlanMoved, match="made again, or rows were decided about, since"):
        confirmed(run, people["approver"], seen=seen)


@pytest.mark.parametrize("status", [s for s in RunStatus if s != RunStatus.PLANNED])
def test_only_a_planned_run_is_confirmed(planned, people, status):
    run = put(planned(actor=people["uploader"]), status)

    with pytest.raises(RunRefused, match="there is no plan to confirm"):
        confirmed(run, people["uploader"])

    assert ImportRun.objects.get().status == status


def test_a_reason_is_needed_once(planned, people):
    run = planned(actor=people["uploader"], reason="")

    with pytest.raises(RunRefused, match="Say why"):
        confirmed(run, people["uploader"], reason="  ")

    assert confirmed(run, people["uploader"], reason=" spring ").reason == "spring"


@pytest.mark.parametrize("status", [RunStatus.UPLOADED, RunStatus.PLANNED, RunStatus.APPROVED])
def test_a_run_that_waits_is_cancelled_at_once(planned, people, status):
    later = timezone.now() + timedelta(hours=5)
    run = put(planned(actor=people["uploader"]), status, lock="one", start_at=later)

    cancelled = cancel_run(run, actor=people["uploader"])

    assert (cancelled.status, cancelled.lock, cancelled.error) == (RunStatus.CANCELLED, None, "Cancelled by uma.")
    assert not is_asked_to_stop(run.pk)
    with pytest.raises(RunRefused):
        apply_run(cancelled)


def test_a_run_that_a_worker_has_is_asked_to_stop(planned, people, django_assert_num_queries):
    run = put(planned(actor=people["uploader"]), RunStatus.RUNNING, started_at=timezone.now())
    report(run.pk, "write", 1)
    assert people["approver"].has_perm("airports.import_airport")

    with django_assert_num_queries(2) as queries:
        cancel_run(run, actor=people["approver"])

    assert is_asked_to_stop(run.pk)
    assert all(query["sql"].startswith("SELECT") for query in queries.captured_queries)


def test_a_cancel_that_comes_too_late_leads_to_revert(planned, people):
    run = put(planned(actor=people["uploader"]), RunStatus.APPROVED)
    made = apply_run(run)

    with pytest.raises(RunRefused, match=f"was applied already: revert changeset {made.pk} to take it back"):
        cancel_run(run, actor=people["uploader"])

    assert Airport.objects.count() == 1


def test_cancelling_twice_is_refused(planned, people):
    run = cancel_run(planned(actor=people["uploader"]), actor=None)
    assert run.error == "Cancelled by somebody at the command line."

    with pytest.raises(RunRefused, match="is cancelled already: there is nothing to cancel"):
        cancel_run(run, actor=None)


def test_cancelling_a_run_whose_worker_died_says_what_became_of_it(planned, people):
    run = put(planned(actor=people["uploader"]), RunStatus.RUNNING, started_at=timezone.now() - timedelta(hours=1))

    cancelled = cancel_run(run, actor=None)

    assert cancelled.status == RunStatus.FAILED
    assert "worker" in cancelled.error


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.CANCELLED])
def test_a_run_is_started_again_and_works(planned, people, status):
    run = put(planned(actor=people["uploader"]), status, error="It rained.", start_at=timezone.now())
    ask_to_stop(run.pk)

    again = start_again(run, actor=people["uploader"])

    assert (again.status, again.error, again.counts, again.start_at) == (RunStatus.UPLOADED, "", None, None)
    assert not is_asked_to_stop(run.pk)
    plan_run(again)
    apply_run(confirmed(again, people["uploader"]))
    assert Changeset.objects.get().status == "applied"


@pytest.mark.parametrize("status", [s for s in RunStatus if s not in (RunStatus.FAILED, RunStatus.CANCELLED)])
def test_a_run_that_did_not_end_badly_is_not_started_again(planned, people, status):
    run = put(planned(actor=people["uploader"]), status, started_at=timezone.now())

    with pytest.raises(RunRefused, match="only a failed or cancelled import is started again"):
        start_again(run, actor=people["uploader"])


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"kept_as": ""}, "is not kept any more: upload it again"),
        ({"summary": {"command": "update_airports"}}, "started by the command update_airports: run the command again"),
    ],
)
def test_what_cannot_be_started_again_says_why(planned, people, values, sentence):
    run = put(planned(actor=people["uploader"]), RunStatus.FAILED, **values)

    with pytest.raises(RunRefused, match=sentence):
        start_again(run, actor=people["uploader"])
