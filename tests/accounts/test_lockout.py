"""Passwords cannot be guessed at full speed: a name is locked out at an address, with a sentence and an end."""

import re
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.test import Client

from tests.accounts.conftest import LOGIN, log_in
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
SENTENCE = r"Too many wrong passwords for this name: log in after \d\d:\d\d UTC \(in 15 minutes\), or ask a superuser"


def fail(client: Client, times: int, username: str = "olga", **headers: str) -> None:
    for _ in range(times):
        last = log_in(client, username, "wrong", **headers)
    assert last.status_code == (429 if times >= 5 else 200)


def test_five_wrong_passwords_lock_the_name_at_the_address_and_the_page_says_until_when(client, operator):
    fail(client, 4)
    fifth = log_in(client, "olga", "wrong")

    assert fifth.status_code == 429
    assert re.search(SENTENCE, fifth.content.decode())
    right = log_in(client, "olga")
    assert right.status_code == 429
    assert "_auth_user_id" not in client.session
    assert right.content.decode().count("Too many wrong passwords") == 1


def test_others_log_in_from_there_and_the_person_from_elsewhere(client, operator, steward):
    fail(client, 5)

    assert log_in(Client(), "stan").status_code == 302
    assert log_in(Client(), "olga", REMOTE_ADDR="10.1.2.3").status_code == 302


def test_another_program_at_the_same_address_does_not_begin_anew(client, operator):
    for number in range(5):
        log_in(client, "olga", "wrong", HTTP_USER_AGENT=f"browser {number}")

    assert log_in(client, "olga", HTTP_USER_AGENT="yet another").status_code == 429


def test_a_lockout_ends_by_itself_and_trying_meanwhile_does_not_move_the_end(client, operator):
    fail(client, 5)
    AccessAttempt.objects.update(attempt_time=AccessAttempt.objects.get().attempt_time - timedelta(minutes=14))
    assert log_in(client, "olga").status_code == 429
    AccessAttempt.objects.update(attempt_time=AccessAttempt.objects.get().attempt_time - timedelta(minutes=2))

    assert log_in(client, "olga").status_code == 302


def test_a_login_that_works_begins_to_count_anew(client, operator):
    fail(client, 4)
    log_in(client, "olga")

    fail(Client(), 4)

    assert log_in(Client(), "olga").status_code == 302


def test_a_name_that_nobody_has_is_locked_like_any_other(client, db):
    fail(client, 5, "nobody")

    assert re.search(SENTENCE, log_in(client, "nobody").content.decode())


def test_a_superuser_unlocks_in_the_admin(client, operator, as_superuser, events):
    fail(client, 5)
    page = as_superuser.get("/admin/axes/accessattempt/").content.decode()
    assert "locked until" in page
    events()

    answer = as_superuser.post(
        "/admin/axes/accessattempt/",
        {"action": "unlock", "_selected_action": [AccessAttempt.objects.get().pk]},
        follow=True,
    )

    assert "Unlocked olga at 127.0.0.1." in answer.content.decode()
    assert events() == [
        {"event": "login_unlocked", "user": "olga", "address": "127.0.0.1", "of": "127.0.0.1", "by": "sue"}
    ]
    assert log_in(client, "olga").status_code == 302


def test_unlocking_takes_all_programs_of_the_name_at_the_address(client, operator, as_superuser):
    for number in range(5):
        log_in(client, "olga", "wrong", HTTP_USER_AGENT=f"browser {number}")

    first = AccessAttempt.objects.first().pk
    as_superuser.post("/admin/axes/accessattempt/", {"action": "unlock", "_selected_action": [first]})

    assert log_in(client, "olga").status_code == 302


@pytest.mark.parametrize("command", [["axes_reset"], ["axes_reset_username", "olga"], ["axes_reset_ip", "127.0.0.1"]])
def test_a_command_unlocks(client, operator, command, capsys):
    fail(client, 5)

    call_command(*command)

    assert log_in(client, "olga").status_code == 302


@pytest.mark.parametrize("model", ["accessattempt", "accesslog", "accessfailurelog"])
def test_the_lists_of_logins_are_for_superusers_and_only_read(
    model, client, operator, as_superuser, browse_as, make_person
):
    log_in(client, "olga")
    log_in(client, "olga", "a-wrong-one")
    approver = browse_as(make_person("anna", group="approver"))

    listed = as_superuser.get(f"/admin/axes/{model}/").content.decode()

    assert "olga" in listed
    assert "a-wrong-one" not in listed
    assert "delete_selected" not in listed
    assert as_superuser.get(f"/admin/axes/{model}/add/").status_code == 403
    key = apps.get_model("axes", model).objects.first().pk
    for verb in ("change", "delete"):
        assert as_superuser.post(f"/admin/axes/{model}/{key}/{verb}/", {"post": "yes"}).status_code == 403
    assert approver.get(f"/admin/axes/{model}/").status_code == 403


def test_the_password_is_written_down_nowhere(client, operator):
    log_in(client, "olga", "a-wrong-but-telling-password")

    assert "telling" not in str(AccessAttempt.objects.values_list())


def test_logins_stand_in_the_log_with_event_name_and_address(client, operator, events):
    fail(client, 4)
    log_in(client, "olga")
    client.post("/admin/logout/")
    fail(client, 5)

    names = [line["event"] for line in events()]
    assert names == ["login_failed"] * 4 + ["login", "logout"] + ["login_failed"] * 4 + ["login_locked", "login_failed"]


def test_a_line_of_the_log_stays_one_line_whatever_name_is_typed(client, db, events):
    log_in(client, 'x","event":"login', "wrong")

    assert events() == [{"event": "login_failed", "user": 'x","event":"login', "address": "127.0.0.1"}]


def test_the_login_page_without_a_lockout_says_nothing_of_it(client, db):
    assert "Too many" not in client.get(LOGIN).content.decode()


def test_a_test_that_logs_in_without_a_request_is_let_in(client, operator):
    assert client.login(username="olga", password=PASSWORD)
    assert authenticate(username="olga", password=PASSWORD) == operator
    assert authenticate(username="olga", password="wrong") is None
