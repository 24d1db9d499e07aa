"""A revert of very many objects is planned and carried out by a worker, with progress, and can be cancelled."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.models import Changeset, PlanWork, StoredPlan
from apps.changesets.pages.watching import NO_WORKER, WORKER_GONE
from apps.changesets.processes.watched import ask_to_stop, is_asked_to_stop, report
from apps.changesets.revert import apart, stored
from apps.changesets.revert.apart import do_work, key_of

pytestmark = pytest.mark.django_db
NUMBER = 320


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch) -> None:
    monkeypatch.setattr(stored, "FEW", 5)
    monkeypatch.setattr(apart, "AT_ONCE", 10)


@pytest.fixture
def made(places) -> Changeset:
    with changeset(kind="import", actor=None, reason="many") as opened:
        Airport.objects.bulk_create(
            Airport(ident=f"X{n:03}", name=f"Strip {n}", airport_type="closed") for n in range(NUMBER)
        )
    return opened


@pytest.fixture
def client(steward, browse_as):
    return browse_as(steward)


def address_of(made: Changeset) -> str:
    return f"/admin/changesets/changeset/{made.pk}/revert/"


def work_address(page: str = "work") -> str:
    return f"/admin/changesets/changeset/plan/{StoredPlan.objects.get().pk}/{page}/"


def ask(client, address: str, **more):
    """Ask for a plan, as the buttons do."""
    return client.post(address, {"show": "plan"}, **more)


def planned(client, made: Changeset):
    """Return the page of the plan that a worker made."""
    ask(client, address_of(made))
    do_work(StoredPlan.objects.get().pk)
    return client.get(address_of(made))


def confirm(client, made: Changeset, **more):
    token = planned(client, made).context["token"]
    return client.post(address_of(made), {"seen": token, "reason": "wrong file"}, **more)


def test_the_page_leads_to_progress_while_a_worker_plans(made, client):
    page = ask(client, address_of(made), follow=True)

    assert page.redirect_chain == [(address_of(made), 302), (work_address(), 302)]
    assert "Waiting to be planned" in page.content.decode()
    assert client.get(address_of(made))["Location"] == work_address()
    assert client.get(work_address("progress")).json()["status"] == "to_plan"


def test_the_plan_that_a_worker_made_is_shown(made, client):
    page = planned(client, made)

    assert page.context["plan"].counts == {"deleted": NUMBER}
    assert len(page.context["rows"]) == 100
    progress = client.get(work_address("progress")).json()
    assert (progress["status"], progress["next"]) == ("", address_of(made))


def test_a_worker_carries_the_revert_out_as_the_person_who_confirmed_it(made, client, steward):
    page = confirm(client, made, follow=True)
    before = Airport.objects.filter(name__startswith="Strip").count()
    do_work(StoredPlan.objects.get().pk)

    undone = Changeset.objects.get(kind="revert")
    assert (before, Airport.objects.filter(name__startswith="Strip").count()) == (NUMBER, 0)
    assert (undone.actor, undone.reason, list(undone.reverts.all())) == (steward, "wrong file", [made])
    assert page.redirect_chain == [(work_address(), 302)]
    assert client.get(work_address())["Location"] == f"/admin/changesets/changeset/{undone.pk}/change/"
    assert client.get(work_address("progress")).json()["next"] == f"/admin/changesets/changeset/{undone.pk}/change/"


def test_the_task_of_a_worker_does_both(made, client, work):
    ask(client, address_of(made))
    work()
    token = client.get(address_of(made)).context["token"]
    client.post(address_of(made), {"seen": token, "reason": "wrong file"})
    work()

    assert not Airport.objects.filter(name__startswith="Strip").exists()


def test_what_changed_after_the_plan_was_shown_is_left_alone(made, client, edit):
    confirm(client, made)
    edit("X200", name="by hand")
    do_work(StoredPlan.objects.get().pk)

    assert list(Airport.objects.filter(pk__startswith="X").values_list("pk", flat=True)) == ["X200"]


def test_a_plan_that_is_out_of_date_is_shown_as_such_and_planned_again_when_asked(made, client, edit):
    planned(client, made)
    edit("X200", name="by hand")

    page = client.get(address_of(made))
    again = ask(client, page.context["again_url"], follow=True)

    assert "Something changed since this plan was made: what changed is left alone." in page.content.decode()
    assert again.redirect_chain[-1] == (work_address(), 302)
    do_work(StoredPlan.objects.get().pk)
    assert client.get(address_of(made)).context["plan"].counts == {"deleted": NUMBER - 1, "kept": 1}


@pytest.mark.parametrize("waits", [True, False])
def test_planning_can_be_cancelled(waits, made, client, monkeypatch):
    ask(client, address_of(made))
    plan = StoredPlan.objects.get()
    if waits:
        client.post(work_address("stop"))
    else:
        monkeypatch.setattr(
            apart, "_plan", lambda plan, changesets, heart: (ask_to_stop(key_of(plan)), heart.beat(), heart("x", 1))
        )
        do_work(plan.pk)

    plan.refresh_from_db()
    page = client.get(work_address()).content.decode()
    assert plan.work == PlanWork.CANCELLED
    assert "nothing was written" in page
    assert f'formaction="{address_of(made)}"' in page
    assert client.get(address_of(made))["Location"] == work_address()


def test_a_revert_that_is_stopped_writes_nothing(made, client, monkeypatch):
    confirm(client, made)
    original = apart.carry_out

    def stopped(*args, progress, **more):
        def told(phase: str, done: int) -> None:
            if phase == "record":  # Everything is written by now, and not committed.
                client.post(work_address("stop"))
                progress.beat()
            progress(phase, done)

        return original(*args, progress=told, **more)

    monkeypatch.setattr(apart, "carry_out", stopped)
    do_work(StoredPlan.objects.get().pk)

    assert StoredPlan.objects.get().work == PlanWork.CANCELLED
    assert Airport.objects.filter(name__startswith="Strip").count() == NUMBER
    assert not Changeset.objects.filter(kind="revert").exists()
    assert client.get(address_of(made)).status_code == 200


def test_who_may_not_revert_any_more_reverts_nothing(made, client, steward):
    confirm(client, made)
    steward.groups.clear()
    do_work(StoredPlan.objects.get().pk)

    plan = StoredPlan.objects.get()
    assert (plan.work, "may not revert any more" in plan.error) == (PlanWork.FAILED, True)
    assert Airport.objects.filter(name__startswith="Strip").count() == NUMBER


def test_a_second_confirmation_is_refused_while_a_worker_is_busy(made, client):
    token = planned(client, made).context["token"]
    other = client.get(address_of(made)).context["token"]
    client.post(address_of(made), {"seen": token, "reason": "wrong file"})

    page = client.post(address_of(made), {"seen": other, "reason": "wrong file"})

    assert page["Location"] == work_address()
    do_work(StoredPlan.objects.get().pk)
    assert Changeset.objects.filter(kind="revert").count() == 1


def test_a_dead_worker_is_told_and_can_be_failed(made, client):
    ask(client, address_of(made))
    long_ago = timezone.now() - timedelta(hours=1)
    StoredPlan.objects.update(work=PlanWork.PLANNING, begun_at=long_ago)

    progress = client.get(work_address("progress")).json()
    client.post(work_address("stop"))

    assert (progress["status"], progress["warning"]) == ("gone", WORKER_GONE)
    assert StoredPlan.objects.get().work == PlanWork.FAILED


def test_a_plan_that_no_worker_takes_up_says_so(made, client):
    ask(client, address_of(made))
    StoredPlan.objects.update(begun_at=timezone.now() - timedelta(minutes=1))

    assert client.get(work_address("progress")).json()["warning"] == NO_WORKER


def test_progress_is_shown_in_numbers(made, client):
    ask(client, address_of(made))
    StoredPlan.objects.update(work=PlanWork.PLANNING)
    report(key_of(StoredPlan.objects.get()), "compare", 80, NUMBER)

    progress = client.get(work_address("progress")).json()

    assert (progress["words"], progress["percent"]) == ("Comparing with the present data", 25)
    assert progress["numbers"].startswith("80 of 320 rows")


def test_the_work_of_somebody_else_is_not_found(made, client, make_person, browse_as):
    ask(client, address_of(made))
    sue = browse_as(make_person("sue", group="steward"))

    answers = [sue.get(work_address()), sue.get(work_address("progress")), sue.post(work_address("stop"))]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert not is_asked_to_stop(key_of(StoredPlan.objects.get()))


def test_a_few_rows_of_a_large_changeset_are_reverted_at_once(made, client):
    address = f"{address_of(made)}?only=airports.airport:X200"
    page = client.get(address)
    client.post(address, {"seen": page.context["token"], "reason": "closed"})

    assert Airport.objects.filter(name__startswith="Strip").count() == NUMBER - 1


def test_a_small_part_by_another_choice_is_planned_by_a_worker_once(made, client):
    address = f"{address_of(made)}?not=airports.airport%3AX200"
    ask(client, address)
    do_work(StoredPlan.objects.get().pk)
    page = client.get(address)

    assert (page.context["plan"].counts, page.context["again_url"]) == ({"deleted": NUMBER - 1}, "")
