"""Mails of what people follow: once, nothing where nothing is new, again where sending failed."""

import json
from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.changesets.acts.comments import say
from apps.changesets.acts.following import follow, unfollow
from apps.changesets.follow_models import Digest, Follow
from apps.changesets.models import Changeset, Comment
from tests.admin.conftest import edit, places  # noqa: F401 - fixtures
from travelmathlite.digests import send_digests

# Only what is committed is news.
pytestmark = pytest.mark.django_db(transaction=True)
SITE = "https://console.example.org"


@pytest.fixture
def vera(viewer, places):  # noqa: F811 - a fixture that is imported
    """Vera follows the United States."""
    viewer.email = "vera@example.org"
    viewer.save()
    follow(viewer, f"base.country/pk:{places['usa'].pk}", site=SITE)
    return viewer


def subjects() -> list[str]:
    return [message.subject for message in mail.outbox]


def test_what_is_new_is_sent_once(vera, edit):  # noqa: F811
    made = edit("KDEN", name="Denver Intl", reason="as signed")

    first, second = send_digests(), send_digests()

    assert (first.sent, second.sent) == (1, 0)
    [message] = mail.outbox
    assert message.to == ["vera@example.org"]
    assert message.subject == "TravelMathLite: 1 thing new of what you follow"
    assert f"{SITE}/admin/changesets/changeset/{made.pk}/change/" in message.body
    assert "1 changed. as signed" in message.body


def test_nothing_is_sent_where_nothing_happened(vera, edit):  # noqa: F811
    edit("EDDM", name="Another country")

    assert send_digests().sent == 0
    assert mail.outbox == []


def test_what_was_before_the_follow_is_no_news(vera, places):  # noqa: F811
    assert send_digests().quiet == 1
    assert mail.outbox == []


def test_a_mail_that_failed_is_sent_the_next_time(vera, edit, monkeypatch):  # noqa: F811
    edit("KDEN", name="Denver Intl")

    def refuse(*_args: object, **_named: object) -> None:
        raise ConnectionRefusedError("no server")

    with monkeypatch.context() as broken:
        broken.setattr("travelmathlite.digests.send_mail", refuse)
        assert send_digests().failed == ("vera",)
        with pytest.raises(CommandError, match="No mail could be sent to vera: check EMAIL_URL"):
            call_command("send_digests")

    assert send_digests().sent == 1
    assert len(mail.outbox) == 1


class Killed(BaseException):
    """What ends the process."""


def test_what_was_not_sent_before_the_process_was_killed_is_sent_next_and_the_rest_once(
    vera,
    edit,  # noqa: F811
    places,  # noqa: F811
    make_person,
    monkeypatch,
):
    stan = make_person("stan", group="steward")
    type(stan).objects.filter(pk=stan.pk).update(email="stan@example.org")
    follow(stan, f"base.country/pk:{places['usa'].pk}", site=SITE)
    edit("KDEN", name="Denver Intl")
    from travelmathlite import digests

    send = digests.send_mail

    def die_at_the_second(*args: object, **named: object) -> None:
        if mail.outbox:
            raise Killed
        send(*args, **named)

    with monkeypatch.context() as dying:
        dying.setattr(digests, "send_mail", die_at_the_second)
        with pytest.raises(Killed):
            send_digests()
    send_digests()

    assert [message.to for message in mail.outbox] == [["vera@example.org"], ["stan@example.org"]]


def test_two_that_run_at_once_send_one_mail(vera, edit, monkeypatch):  # noqa: F811
    edit("KDEN", name="Denver Intl")
    from travelmathlite import digests

    send, ran = digests.send_mail, []

    def send_and_run_again(*args: object, **named: object) -> None:
        if not ran:
            ran.append(True)
            ran.append(send_digests().sent)
        send(*args, **named)

    monkeypatch.setattr(digests, "send_mail", send_and_run_again)
    send_digests()

    assert ran == [True, 0]
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("change", [{"email": ""}, {"is_active": False}])
def test_who_has_no_address_or_no_account_is_sent_nothing(vera, edit, change):  # noqa: F811
    type(vera).objects.filter(pk=vera.pk).update(**change)
    edit("KDEN", name="Denver Intl")

    send_digests()

    assert mail.outbox == []


def test_only_what_a_person_may_see_now_is_told(vera, edit):  # noqa: F811
    vera.groups.clear()
    edit("KDEN", name="Denver Intl")

    send_digests()

    assert mail.outbox == []


def test_who_unfollows_is_told_nothing(vera, edit, places):  # noqa: F811
    unfollow(vera, f"base.country/pk:{places['usa'].pk}")
    edit("KDEN", name="Denver Intl")

    send_digests()

    assert mail.outbox == []


def test_a_followed_changeset_tells_comments_and_its_review(vera, steward, places):  # noqa: F811
    made = places["import"]
    follow(vera, f"changeset:{made.pk}", site=SITE)
    say(made, "Is this the file of May?", author=steward)
    # What is older than a minute is committed by now.
    past = timezone.now() - timedelta(minutes=2)
    Follow.objects.update(created_at=past - timedelta(minutes=1))
    Digest.objects.update(told_until=past - timedelta(minutes=1))
    Comment.objects.update(created_at=past)
    Changeset.objects.filter(pk=made.pk).update(
        reviewed_by_name="stan", reviewed_at=past, review_verdict="questionable"
    )

    assert (send_digests().sent, send_digests().sent) == (1, 0)
    body = mail.outbox[0].body
    assert "Is this the file of May?" in body
    assert "is reviewed: questionable" in body


def test_after_a_restore_it_goes_on_from_the_time(vera, edit):  # noqa: F811
    Digest.objects.update(cursor="c1.of-another-database")
    edit("KDEN", name="Denver Intl")

    assert (send_digests().sent, send_digests().sent) == (1, 0)


def test_the_command_prints_numbers(vera, edit, capsys):  # noqa: F811
    edit("KDEN", name="Denver Intl")

    call_command("send_digests", "--json")

    assert json.loads(capsys.readouterr().out) == {"sent": 1, "quiet": 0, "failed": []}


def test_deleting_a_user_deletes_what_they_follow(vera):
    vera.delete()

    assert not Follow.objects.exists()
    assert not Digest.objects.exists()
