"""The frame of everything that a person confirms, on a small act of its own."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core.cache import caches
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from apps.changesets.acts import repeats, tokens
from apps.changesets.acts.forms import NO_REASON
from apps.changesets.acts.frame import answer
from apps.changesets.acts.lines import Line
from apps.changesets.acts.planned import Crumb, Message, Outcome, Page, PlannedAct
from apps.changesets.errors import BulkRefused, PlanMoved
from apps.changesets.models import Changeset

pytestmark = pytest.mark.django_db
DONE = "/admin/done/"


class Kettle:
    """What the act is about: how often it boiled."""

    def __init__(self) -> None:
        self.boiled = 0
        self.empty = False


class Boil(PlannedAct[int]):
    """Boiling the water in a kettle."""

    name = "boil"

    def __init__(self, request: HttpRequest, kettle: Kettle, *, which: str = "mine", allowed: bool = True) -> None:
        super().__init__(admin.site.get_model_admin(Changeset), request)
        self.kettle, self.which, self.allowed = kettle, which, allowed

    def may(self) -> bool:
        return self.allowed

    def subject(self) -> str:
        return self.which

    def plan(self) -> int:
        return self.kettle.boiled

    def state(self, plan: int) -> int:
        return plan

    def page(self, plan: int) -> Page:
        return Page("Boil", [Crumb("Boil")], "Boil it", "/admin/", lines=[Line("changed", 1, "kettle will boil")])

    def apply(self, *, reason: str, seen: Any) -> Outcome:
        if self.kettle.empty:
            raise BulkRefused("There is no water in it.")
        if seen is not None and seen != self.kettle.boiled:
            raise PlanMoved("it boiled meanwhile", "kettle")
        self.kettle.boiled += 1
        return Outcome(DONE, (Message(f"Boiled: {reason}."),))


class BoilUnseen(Boil):
    """Boiling that programs may ask for, too."""

    needs_token = False


@pytest.fixture
def kettle() -> Kettle:
    return Kettle()


def ask(user: User, method: str = "get", **posted: Any) -> HttpRequest:
    request = getattr(RequestFactory(), method)("/admin/boil/", posted if method == "post" else None)
    request.user, request.session = user, {}
    request._messages = FallbackStorage(request)
    return request


def show(act: Boil) -> HttpResponse:
    return answer(act).render()


def token_for(user: User, kettle: Kettle, **more: Any) -> str:
    return answer(Boil(ask(user), kettle, **more)).context_data["token"]


def confirm(user: User, kettle: Kettle, token: str, reason: str = "tea", **more: Any) -> HttpResponse:
    return answer(Boil(ask(user, "post", seen=token, reason=reason), kettle, **more))


def refusal_of(response: HttpResponse) -> str:
    assert response.status_code == 200
    return response.context_data["refusal"]


def test_reading_shows_the_plan_and_does_nothing(steward, kettle):
    page = show(Boil(ask(steward), kettle)).content.decode()

    assert "<strong>1</strong> kettle will boil" in page
    assert "Boil it</button>" in page
    assert kettle.boiled == 0


def test_a_confirmed_plan_is_done_and_leads_to_what_it_did(steward, kettle):
    request = ask(steward, "post", seen=token_for(steward, kettle), reason=" tea ")

    response = answer(Boil(request, kettle))

    assert (response.status_code, response.url, kettle.boiled) == (302, DONE, 1)
    assert [str(message) for message in get_messages(request)] == ["Boiled: tea."]


@pytest.mark.parametrize("method", ["get", "post", "put"])
def test_who_may_not_is_told_so_by_any_method(method, outsider, kettle):
    with pytest.raises(PermissionDenied):
        answer(Boil(ask(outsider, method), kettle, allowed=False))


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_other_methods_are_not_allowed_and_the_answer_says_which_are(method, steward, kettle):
    response = answer(Boil(ask(steward, method), kettle))

    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, POST")


def test_without_a_reason_nothing_is_done_and_one_sentence_says_so(steward, kettle):
    response = confirm(steward, kettle, token_for(steward, kettle), reason="  ")

    assert response.render().content.decode().count(NO_REASON) == 1
    assert (refusal_of(response), kettle.boiled) == ("", 0)


def test_a_plan_that_moved_is_shown_anew_and_can_be_confirmed_then(steward, kettle):
    token = token_for(steward, kettle)
    kettle.boiled = 7

    response = confirm(steward, kettle, token)

    assert refusal_of(response) == (
        "The kettle is no longer what you were shown: it boiled meanwhile. Nothing was changed; look again and confirm."
    )
    assert confirm(steward, kettle, response.context_data["token"]).url == DONE
    assert kettle.boiled == 8


def test_a_token_is_good_for_a_day(steward, kettle, monkeypatch):
    token = token_for(steward, kettle)
    monkeypatch.setattr(tokens, "A_DAY", -1)

    assert "is older than a day" in refusal_of(confirm(steward, kettle, token))
    assert kettle.boiled == 0


@pytest.mark.parametrize("token", ["", "x", "a:b:c"])
def test_what_is_no_token_does_nothing(token, steward, kettle):
    assert "was not shown on this page" in refusal_of(confirm(steward, kettle, token))
    assert kettle.boiled == 0


def test_a_token_of_somebody_else_of_another_kettle_or_act_does_nothing(steward, operator, kettle, monkeypatch):
    foreign = [token_for(operator, kettle), token_for(steward, kettle, which="yours")]
    monkeypatch.setattr(Boil, "name", "cool")
    foreign.append(token_for(steward, kettle))
    monkeypatch.setattr(Boil, "name", "boil")

    for token in foreign:
        assert "was shown to somebody else, or elsewhere" in refusal_of(confirm(steward, kettle, token))
    assert kettle.boiled == 0


def test_a_double_click_does_it_once_and_leads_to_the_same_place(steward, kettle):
    token = token_for(steward, kettle)
    confirm(steward, kettle, token)
    again = ask(steward, "post", seen=token, reason="tea")

    response = answer(Boil(again, kettle))

    assert (response.url, kettle.boiled) == (DONE, 1)
    assert [str(message) for message in get_messages(again)] == ["That was done already: this is what it did."]


def test_what_was_refused_can_be_confirmed_again(steward, kettle):
    token = token_for(steward, kettle)
    kettle.empty = True
    refused = refusal_of(confirm(steward, kettle, token))
    kettle.empty = False

    assert refused == "There is no water in it."
    assert confirm(steward, kettle, token).url == DONE


def test_who_clicks_while_it_is_being_done_waits_for_what_it_did(kettle):
    with repeats.taking_turns("token") as first:
        first.done(DONE)
        with repeats.taking_turns("token") as second:
            assert second.led_to == DONE


def test_of_many_who_ask_at_once_one_has_the_turn(kettle):
    with ThreadPoolExecutor(8) as clicks:
        for turn in range(20):
            won = list(clicks.map(lambda _, turn=turn: caches["progress"].add(f"turn-{turn}", "x"), range(8)))
            assert won.count(True) == 1


def test_a_turn_ends_by_itself(kettle):
    caches["progress"].add("turn", "x", -1)

    assert caches["progress"].add("turn", "y")
    assert not caches["progress"].add("turn", "z")
    assert caches["progress"].get("turn") == "y"


def test_who_died_while_doing_it_is_in_nobodys_way_for_long(kettle, monkeypatch):
    monkeypatch.setattr(repeats, "PATIENCE_SECONDS", 0)

    with repeats.taking_turns("token"), repeats.taking_turns("token") as second:
        assert second.led_to == ""


def test_an_act_that_programs_ask_for_is_done_without_a_token_but_never_with_a_wrong_one(steward, kettle):
    done = answer(BoilUnseen(ask(steward, "post", reason="tea"), kettle))
    wrong = answer(BoilUnseen(ask(steward, "post", reason="tea", seen="x"), kettle))

    assert (done.url, kettle.boiled) == (DONE, 1)
    assert "was not shown on this page" in refusal_of(wrong)
