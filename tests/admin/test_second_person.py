"""Bulk actions and reverts above a size: one person asks for them, another one confirms them, and both are named."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.airports.models import Airport
from apps.base.models import City
from apps.changesets.acts.review import mark_reviewed
from apps.changesets.context import changeset
from apps.changesets.errors import NotToReview
from apps.changesets.models import Changeset, PlanWork, Proposal, StoredPlan
from apps.changesets.pages import plan_query, revert
from apps.changesets.revert import apart, stored
from apps.changesets.revert.apart import do_work
from tests.admin.bulk import LISTS, act, all_rows, confirm, newest

pytestmark = pytest.mark.django_db
AIRPORTS, COUNTRIES, CITIES = LISTS["airport"], LISTS["country"], LISTS["city"]
TOLD = (
    "More than 1 object would change: somebody else who may do this has to confirm it. It is on their first page now."
)


@pytest.fixture(autouse=True)
def above_one(settings) -> None:
    settings.ACTS_SECOND_PERSON_ABOVE = 1


@pytest.fixture
def stan(places, steward, browse_as):
    return browse_as(steward)


@pytest.fixture
def sue(make_person, browse_as):
    return browse_as(make_person("sue", group="steward"))


@pytest.fixture
def closed(places) -> Changeset:
    with changeset(kind="bulk_action", actor=None, reason="winter") as made:
        Airport.objects.update(airport_type="closed")
    return made


def address_of(made: Changeset, query: str = "") -> str:
    return f"/admin/changesets/changeset/{made.pk}/revert/{query}"


def page_of_proposal() -> str:
    return f"/admin/changesets/changeset/proposals/{Proposal.objects.get().pk}/"


def undo(client, made: Changeset, query: str = "", reason: str = "spring"):
    """Confirm the revert that the page shows."""
    token = client.get(address_of(made, query)).context["token"]
    return client.post(address_of(made, query), {"seen": token, "reason": reason}, follow=True)


def plan_through_proposal(client):
    """Press the button on the page of what was asked for."""
    proposal = client.get(page_of_proposal()).context["proposal"]
    return client.post(proposal.address, proposal.posted, follow=True)


def set_inactive(client, *keys: str, **posted):
    return confirm(client, AIRPORTS, "set_inactive", keys, **posted)


def active() -> int:
    return Airport.objects.filter(active=True).count()


# -- reverts -----------------------------------------------------------------------------------------------------


def test_above_the_size_a_revert_is_only_asked_for(closed, stan, steward):
    before = Changeset.objects.count()

    page = undo(stan, closed)

    assert TOLD in page.content.decode()
    assert page.redirect_chain == [(page_of_proposal(), 302)]
    assert (Changeset.objects.count(), Airport.objects.filter(airport_type="closed").count()) == (before, 3)
    asked = Proposal.objects.get()
    assert (asked.asked_by, asked.reason, asked.size) == (steward, "spring", 3)


def test_another_person_carries_it_out_and_both_names_stand_on_the_changeset(closed, stan, sue):
    undo(stan, closed)

    undo(sue, closed, reason="looked at it")

    made = newest()
    assert (made.kind, made.reason, made.actor_name, made.asked_by_name) == ("revert", "looked at it", "sue", "stan")
    assert made.asked_by.get_username() == "stan"
    assert not Airport.objects.filter(airport_type="closed").exists()
    assert not Proposal.objects.exists()


def test_who_asked_cannot_confirm_it_and_is_told_the_same_again(closed, stan):
    undo(stan, closed)

    page = undo(stan, closed, reason="really")

    assert TOLD in page.content.decode()
    assert Airport.objects.filter(airport_type="closed").count() == 3
    assert Proposal.objects.get().reason == "really"


def test_the_same_click_twice_is_told_the_same(closed, stan):
    token = stan.get(address_of(closed)).context["token"]

    pages = [stan.post(address_of(closed), {"seen": token, "reason": "x"}, follow=True) for _ in range(2)]

    assert [TOLD in page.content.decode() for page in pages] == [True, True]


def test_another_scope_is_not_the_same(closed, stan, sue):
    undo(stan, closed)

    page = undo(sue, closed, "?not=airports.airport:KDEN")

    assert TOLD in page.content.decode()
    assert Airport.objects.filter(airport_type="closed").count() == 3
    assert set(Proposal.objects.values_list("asked_by_name", "size")) == {("stan", 3), ("sue", 2)}


def test_the_same_rows_in_another_order_are_the_same(closed, stan, sue):
    for client, keys in ((stan, ("KDEN", "EDDM")), (sue, ("EDDM", "KDEN"))):
        undo(client, closed, "?" + "&".join(f"only=airports.airport:{key}" for key in keys))

    assert newest().asked_by_name == "stan"


def test_another_policy_is_not_the_same(closed, stan, sue):
    for client, query in ((stan, ""), (sue, "?on_conflict=force")):
        undo(client, closed, query)

    assert Airport.objects.filter(airport_type="closed").count() == 3


def test_a_reason_is_asked_for_all_the_same(closed, stan):
    page = undo(stan, closed, reason=" ")

    assert "Say why" in page.content.decode()
    assert not Proposal.objects.exists()


def test_the_page_says_beforehand_that_it_will_only_ask(closed, stan):
    page = stan.get(address_of(closed))

    assert page.context["page"].verb == "Ask to revert 3 airports"
    assert TOLD.partition(" It is")[0] in page.content.decode()


def test_the_second_person_reads_who_asked_and_why(closed, stan, sue):
    undo(stan, closed)

    page = plan_through_proposal(sue)

    assert page.context["page"].verb == "Revert 3 airports"
    assert "stan asked for this" in page.content.decode()
    assert page.context["form"]["reason"].value() == "spring"


def test_the_second_person_sees_the_plan_of_many_chosen_rows(closed, stan, sue, monkeypatch):
    for module in (plan_query, revert):
        monkeypatch.setattr(module, "MOST_IN_ADDRESS", 1)
    undo(stan, closed, "?only=airports.airport:KDEN&only=airports.airport:EDDM")

    page = plan_through_proposal(sue)
    sue.post(page.request["PATH_INFO"], {"seen": page.context["token"], "reason": "yes"})

    assert page.context["page"].verb == "Revert 2 airports"
    assert newest().asked_by_name == "stan"
    assert list(Airport.objects.filter(airport_type="closed").values_list("pk", flat=True)) == ["KBKF"]


def test_a_worker_notes_who_asked(closed, stan, sue, monkeypatch):
    monkeypatch.setattr(apart, "AT_ONCE", 1)
    monkeypatch.setattr(stored, "FEW", 1)
    for client, name in ((stan, "stan"), (sue, "sue")):
        client.post(address_of(closed), {"show": "plan"})
        do_work(StoredPlan.objects.get(actor__username=name).pk)
        undo(client, closed)

    do_work(StoredPlan.objects.get(actor__username="sue").pk)

    made = newest()
    assert (made.kind, made.actor_name, made.asked_by_name) == ("revert", "sue", "stan")
    assert not Airport.objects.filter(airport_type="closed").exists()


@pytest.fixture
def left_to_worker(closed, stan, sue, monkeypatch) -> StoredPlan:
    """What stan asked for and sue confirmed waits for a worker."""
    monkeypatch.setattr(apart, "AT_ONCE", 1)
    monkeypatch.setattr(stored, "FEW", 1)
    for client, name in ((stan, "stan"), (sue, "sue")):
        client.post(address_of(closed), {"show": "plan"})
        do_work(StoredPlan.objects.get(actor__username=name).pk)
        undo(client, closed)
    return StoredPlan.objects.get(actor__username="sue")


def fail(*_args: object, **_named: object) -> None:
    raise MemoryError


def test_it_is_asked_for_until_the_worker_has_done_it(left_to_worker):
    before = Proposal.objects.count()

    do_work(left_to_worker.pk)

    assert (before, Proposal.objects.count()) == (1, 0)


def test_after_a_worker_failed_it_is_confirmed_again_and_done_once(left_to_worker, closed, stan, sue, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(apart, "carry_out", fail)
        with pytest.raises(MemoryError):
            do_work(left_to_worker.pk)
    shown = sue.get(page_of_proposal()).status_code

    sue.post(address_of(closed), {"show": "plan"})
    do_work(left_to_worker.pk)
    undo(sue, closed)
    for _once_and_again in range(2):
        do_work(left_to_worker.pk)

    assert (shown, Proposal.objects.count()) == (200, 0)
    assert Changeset.objects.filter(kind="revert", status="applied").count() == 1
    assert (newest().actor_name, newest().asked_by_name) == ("sue", "stan")


def test_what_is_cancelled_is_asked_for_still(left_to_worker, sue):
    apart.stop(left_to_worker)

    assert sue.get(page_of_proposal()).status_code == 200


def test_while_a_worker_does_it_nobody_confirms_it_again(left_to_worker, closed, make_person, browse_as):
    sam = browse_as(make_person("sam", group="steward"))
    sam.post(address_of(closed), {"show": "plan"})
    do_work(StoredPlan.objects.get(actor__username="sam").pk)

    page = undo(sam, closed)

    assert "a worker is busy with it already" in page.content.decode()
    assert StoredPlan.objects.get(actor__username="sam").work == PlanWork.NONE


def test_while_a_worker_does_it_it_is_not_withdrawn(left_to_worker, stan):
    page = stan.post(page_of_proposal(), follow=True)

    assert "it cannot be withdrawn any more" in page.content.decode()
    assert Proposal.objects.count() == 1


def test_up_to_the_size_nothing_is_asked(closed, stan, settings):
    settings.ACTS_SECOND_PERSON_ABOVE = 3

    undo(stan, closed)

    assert (newest().kind, newest().actor_name, newest().asked_by_name) == ("revert", "stan", "")


def test_without_the_setting_nothing_is_asked(closed, stan, settings):
    settings.ACTS_SECOND_PERSON_ABOVE = None

    undo(stan, closed)

    assert newest().kind == "revert"


# -- bulk actions ------------------------------------------------------------------------------------------------


def test_above_the_size_a_bulk_action_is_only_asked_for(stan):
    page = set_inactive(stan, "KDEN", "EDDM")

    assert (page.status_code, page["Location"], active()) == (302, page_of_proposal(), 3)
    assert Proposal.objects.get().title == "Set 2 airports inactive"


def test_a_bulk_action_is_carried_out_by_another_person(stan, sue):
    set_inactive(stan, "KDEN", "EDDM")

    set_inactive(sue, "EDDM", "KDEN", reason="so be it")

    made = newest()
    assert (made.actor_name, made.asked_by_name, made.reason, active()) == ("sue", "stan", "so be it", 1)


def test_a_changed_selection_is_not_the_same(stan, sue):
    set_inactive(stan, "KDEN", "EDDM")

    set_inactive(sue, "KDEN", "KBKF")

    assert (active(), Proposal.objects.count()) == (3, 2)


def test_another_value_is_not_the_same(stan, sue):
    for client, value in ((stan, "Aspen"), (sue, "Vail")):
        confirm(client, AIRPORTS, "set_field", ["KDEN", "EDDM"], field="municipality", value=value)

    assert not Airport.objects.filter(municipality__in=["Aspen", "Vail"]).exists()
    assert Proposal.objects.count() == 2


def test_a_field_is_set_by_two(stan, sue):
    for client in (stan, sue):
        confirm(client, AIRPORTS, "set_field", ["KDEN", "EDDM"], field="municipality", value="Aspen")

    assert Airport.objects.filter(municipality="Aspen").count() == 2
    assert newest().asked_by_name == "stan"


def test_objects_are_deleted_by_two(stan, sue):
    before = all_rows(Airport)
    confirm(stan, AIRPORTS, "delete_selected", ["KDEN", "KBKF"])
    between = all_rows(Airport)
    confirm(sue, AIRPORTS, "delete_selected", ["KDEN", "KBKF"])

    assert (between, [row["ident"] for row in all_rows(Airport)]) == (before, ["EDDM"])


def test_what_follows_a_deletion_counts(stan, places):
    confirm(stan, CITIES, "delete_selected", [places["denver"].pk])

    assert City.objects.filter(pk=places["denver"].pk).exists()
    assert Proposal.objects.get().size == 3


def test_a_button_on_one_object_is_asked_for_and_its_plan_shown_to_the_second_person(stan, sue, places):
    page = stan.get(address := f"{COUNTRIES}{places['usa'].pk}/actions/clear_country/")
    stan.post(address, {"seen": page.context["token"], "reason": "moved"})

    shown = plan_through_proposal(sue)

    assert shown.context["form"]["reason"].value() == "moved"
    assert "Say why" not in shown.content.decode()
    assert Airport.objects.filter(country=places["usa"]).count() == 2


def test_the_button_shows_the_second_person_the_plan_of_a_list(stan, sue):
    set_inactive(stan, "KDEN", "EDDM")

    page = plan_through_proposal(sue)

    assert page.context["page"].verb == "Set 2 airports inactive"
    assert "stan asked for this" in page.content.decode()
    assert active() == 3


def test_what_moved_since_it_was_shown_is_refused_and_not_asked_for(stan, edit):
    token = act(stan, AIRPORTS, "set_inactive", ["KDEN", "EDDM"]).context["token"]
    edit("KDEN", name="Denver")

    page = set_inactive(stan, "KDEN", "EDDM", seen=token)

    assert "no longer what you were shown" in page.content.decode()
    assert not Proposal.objects.exists()


def test_up_to_the_size_a_bulk_action_is_done(stan):
    set_inactive(stan, "KDEN")

    assert (active(), newest().actor_name, newest().asked_by_name) == (2, "stan", "")


# -- who sees it -------------------------------------------------------------------------------------------------


def to_do(client) -> str:
    return " ".join(item.words for item in client.get("/admin/").context["dashboard"]["to_do"])


def test_the_first_page_of_others_who_may_tells_of_it(stan, sue):
    set_inactive(stan, "KDEN", "EDDM")

    assert "stan asks for a second person: Set 2 airports inactive (2 objects)" in to_do(sue)
    assert "asks for" not in to_do(stan)


def test_who_may_not_does_not_see_it(stan, only):
    set_inactive(stan, "KDEN", "EDDM")
    otto = only("view_airport", "view_changeset", "revert_changeset")

    assert "asks for" not in to_do(otto)
    assert otto.get(page_of_proposal()).status_code == 403
    assert otto.post(page_of_proposal()).status_code == 403


def test_who_may_not_view_changesets_sees_no_revert_that_is_asked_for(closed, stan, only):
    undo(stan, closed)

    assert only("revert_changeset").get(page_of_proposal()).status_code == 403


def test_nothing_is_asked_for_any_more_where_the_setting_is_gone(stan, sue, settings):
    set_inactive(stan, "KDEN", "EDDM")
    settings.ACTS_SECOND_PERSON_ABOVE = None

    assert "asks for" not in to_do(sue)
    assert sue.get(page_of_proposal()).status_code == 404


def test_who_asked_withdraws_it(stan, sue):
    set_inactive(stan, "KDEN", "EDDM")
    address = page_of_proposal()

    answers = [sue.post(address).status_code, stan.post(address).status_code, sue.get(address).status_code]

    assert answers == [403, 302, 404]
    assert (Proposal.objects.count(), active()) == (0, 3)


def test_reading_it_changes_nothing_and_other_methods_are_refused(stan, sue):
    set_inactive(stan, "KDEN", "EDDM")
    before = list(Proposal.objects.values())

    answers = [getattr(sue, method)(page_of_proposal()).status_code for method in ("get", "head", "put", "delete")]

    assert (answers, list(Proposal.objects.values())) == ([200, 200, 405, 405], before)


def test_after_a_day_it_is_forgotten(stan, sue):
    set_inactive(stan, "KDEN", "EDDM")
    Proposal.objects.update(made_at=timezone.now() - timedelta(days=2))

    set_inactive(sue, "KDEN", "EDDM")

    assert (active(), Proposal.objects.get().asked_by_name) == (3, "sue")


@pytest.mark.parametrize("name", ["stan", "sue"])
def test_neither_of_both_reviews_it(name, stan, sue, django_user_model):
    for client in (stan, sue):
        set_inactive(client, "KDEN", "EDDM")

    with pytest.raises(NotToReview):
        mark_reviewed(newest().pk, actor=django_user_model.objects.get(username=name))
