"""One name cannot be guessed from many addresses without an end, and who logged in before is not locked out by that."""

import re
from datetime import timedelta

import pytest
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.core.management import call_command
from django.db.models import F
from django.test import Client

from tests.accounts.conftest import log_in

pytestmark = pytest.mark.django_db
SENTENCE = r"wrong passwords for this name from several addresses: log in after \d\d:\d\d UTC \(in 15 minutes\)"


def guess(times: int, username: str = "olga") -> list[int]:
    """Guess the password of a name from as many addresses as it takes, and return what was answered."""
    return [log_in(Client(), username, "wrong", REMOTE_ADDR=f"10.1.{n // 4}.9").status_code for n in range(times)]


def test_guessing_from_many_addresses_comes_to_an_end(operator, events):
    answers = guess(settings.LOCKOUT_NAME_LIMIT + 8)

    right = log_in(Client(), "olga", REMOTE_ADDR="10.9.9.9")

    assert answers == [200] * (settings.LOCKOUT_NAME_LIMIT - 1) + [429] * 9
    assert right.status_code == 429
    assert re.search(SENTENCE, right.content.decode())
    assert [line["event"] for line in events()].count("login_locked") == 10


def test_where_somebody_logged_in_lately_they_log_in_all_the_same(operator):
    log_in(Client(), "olga")
    log_in(Client(), "olga", REMOTE_ADDR="2001:db8:1:2::7")
    guess(settings.LOCKOUT_NAME_LIMIT)

    assert log_in(Client(), "olga").status_code == 302
    # Who has a network of their own has another address in it each day.
    assert log_in(Client(), "olga", REMOTE_ADDR="2001:db8:1:2:ffff::8").status_code == 302
    assert log_in(Client(), "olga", REMOTE_ADDR="2001:db8:1:3::7").status_code == 429


def test_an_address_of_long_ago_is_known_no_more(operator):
    log_in(Client(), "olga")
    AccessLog.objects.update(attempt_time=F("attempt_time") - timedelta(days=31))
    guess(settings.LOCKOUT_NAME_LIMIT)

    assert log_in(Client(), "olga").status_code == 429


def test_an_address_that_is_known_for_one_name_is_not_for_another(operator, steward):
    log_in(Client(), "stan")
    guess(settings.LOCKOUT_NAME_LIMIT)

    assert log_in(Client(), "olga").status_code == 429
    assert log_in(Client(), "stan").status_code == 302


def test_at_a_known_address_five_wrong_passwords_still_lock(client, operator):
    log_in(client, "olga")
    guess(settings.LOCKOUT_NAME_LIMIT)
    client.logout()

    answers = [log_in(client, "olga", "wrong").status_code for _ in range(5)]

    assert answers == [200] * 4 + [429]


def test_the_lockout_of_a_name_ends_by_itself(operator):
    guess(settings.LOCKOUT_NAME_LIMIT)
    oldest = AccessAttempt.objects.order_by("pk").first()

    AccessAttempt.objects.filter(pk=oldest.pk).update(attempt_time=F("attempt_time") - timedelta(minutes=16))

    assert log_in(Client(), "olga", REMOTE_ADDR="10.9.9.9").status_code == 302


def test_a_superuser_sees_and_unlocks_the_name_everywhere(operator, as_superuser, events):
    guess(settings.LOCKOUT_NAME_LIMIT)
    page = as_superuser.get("/admin/axes/accessattempt/").content.decode()
    assert "locked at new addresses until" in page
    first = AccessAttempt.objects.first().pk
    events()

    answer = as_superuser.post(
        "/admin/axes/accessattempt/", {"action": "unlock", "_selected_action": [first]}, follow=True
    )

    assert "Unlocked olga at all addresses." in answer.content.decode()
    assert [line["of"] for line in events()] == ["all addresses"]
    assert log_in(Client(), "olga", REMOTE_ADDR="10.9.9.9").status_code == 302


def test_a_command_unlocks_the_name_everywhere(operator, capsys):
    guess(settings.LOCKOUT_NAME_LIMIT)

    call_command("axes_reset_username", "olga")

    assert log_in(Client(), "olga", REMOTE_ADDR="10.9.9.9").status_code == 302
