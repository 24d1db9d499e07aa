"""Who is told what needs somebody: each thing once a day, and again when it comes back."""

import logging
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from apps.changesets.processes.progress import board, entry
from apps.imports.tasks import see_after_runs
from tests.admin.runs import make_run
from travelmathlite import alerts
from travelmathlite.alerts import NotSent, send_alerts
from travelmathlite.caching import caches_of
from travelmathlite.health import Part
from travelmathlite.webhook import NotDelivered

pytestmark = pytest.mark.django_db
WELL = {"database": Part(True, "It answers."), "backup": Part(True, "It is new.")}
LATE = {**WELL, "backup": Part(False, "The newest verified backup is old.")}


@pytest.fixture(autouse=True)
def told(settings):
    settings.ALERT_EMAIL = ["ops@example.com"]


def test_a_part_that_needs_somebody_is_told_by_mail():
    send_alerts(LATE)

    (sent,) = mail.outbox
    assert sent.to == ["ops@example.com"]
    assert sent.subject == "TravelMathLite: The newest verified backup is old."
    assert "The newest verified backup is old." in sent.body


def test_nothing_is_sent_when_all_is_well():
    assert send_alerts(WELL) == []
    assert not mail.outbox


def test_the_same_is_told_once_a_day(monkeypatch):
    assert [send_alerts(LATE), send_alerts(LATE)] == [["The newest verified backup is old."], []]
    later = alerts.time.time() + alerts.AGAIN_SECONDS + 1
    monkeypatch.setattr(alerts.time, "time", lambda: later)

    assert send_alerts(LATE)


def test_what_was_mended_and_comes_back_is_told_again():
    send_alerts(LATE)
    send_alerts(WELL)

    assert send_alerts(LATE)


def test_of_a_database_that_is_down_only_that_is_told(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert send_alerts({**LATE, "database": Part(False, "It does not answer.")}) == ["It does not answer."]


def test_a_plan_that_waits_for_review_is_told(operator):
    run = make_run(operator)

    assert send_alerts(WELL) == [
        f"Import {run.pk} of airports.csv by olga is planned, and waits for somebody to review it."
    ]


def test_a_scheduled_update_that_failed_is_told_until_one_works():
    make_run(None, status="failed", error="No such host.", summary={"command": "update_airports"})
    assert "No such host." in send_alerts(WELL)[0]
    make_run(None, status="applied", summary={"command": "update_airports"})

    assert send_alerts(WELL) == []


def test_an_import_by_hand_that_failed_is_no_alert(operator):
    make_run(operator, status="failed", error="No such file.", summary={"command": "import_airports"})

    assert send_alerts(WELL) == []


def test_a_scheduled_update_tells_of_its_failure_at_once(tmp_path):
    with pytest.raises(CommandError):
        call_command("update_airports", "--file", str(tmp_path / "missing.csv"))

    assert "The scheduled update failed" in mail.outbox[0].body


def test_a_worker_looks_after_its_work(operator):
    run = make_run(operator)

    see_after_runs()

    assert f"Import {run.pk} of airports.csv" in mail.outbox[0].body


def test_what_fails_in_a_look_is_for_the_log(monkeypatch, caplog):
    monkeypatch.setattr(alerts, "look_at_parts", lambda: {}["parts"])

    with caplog.at_level(logging.ERROR):
        see_after_runs()

    assert "A look at how things are did not work" in caplog.text


def test_who_could_not_be_told_is_told_the_next_time(settings, monkeypatch):
    settings.ALERT_WEBHOOK = "https://hooks.example.com/a"
    answers = [NotDelivered("The webhook did not take it."), None]
    posted = []

    def post(url, body):
        if (error := answers.pop(0)) is not None:
            raise error
        posted.append(body)

    monkeypatch.setattr(alerts, "post", post)
    with pytest.raises(NotSent, match="did not take it"):
        send_alerts(LATE)
    send_alerts(LATE)

    assert len(mail.outbox) == len(posted) == 1
    assert posted[0]["alerts"] == [{"name": "backup", "message": "The newest verified backup is old."}]


def test_a_mail_server_that_is_away_is_one_sentence(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1

    with pytest.raises(NotSent, match=r"No e-mail could be sent: .*Check EMAIL_URL\."):
        send_alerts(LATE)


def test_two_looks_at_once_tell_once():
    board().add(entry("alerts", "turn"), True, 60)

    assert send_alerts(LATE) == []


def test_cron_asks_for_alerts_and_hears_what_was_sent():
    err = StringIO()

    with pytest.raises(CommandError, match="Not as it should be"):
        call_command("health", "--alert", stdout=StringIO(), stderr=err)

    assert "Sent: No worker is running" in err.getvalue()
    assert len(mail.outbox) == 1


def test_cron_hears_that_nobody_is_there_to_be_told(settings):
    settings.ALERT_EMAIL = []

    with pytest.raises(CommandError, match="set ALERT_EMAIL or ALERT_WEBHOOK"):
        call_command("health", "--alert", stdout=StringIO())


@pytest.fixture
def no_redis(settings, tmp_path):
    """A Redis that does not run, for what processes share."""
    settings.VAR_DIR = tmp_path / "var"
    settings.CACHES = caches_of(f"unix://{tmp_path}/no.sock", folder=settings.VAR_DIR)


def test_without_redis_cron_tells_that_it_does_not_answer(no_redis):
    with pytest.raises(CommandError, match="Not as it should be"):
        call_command("health", "--alert", stdout=StringIO(), stderr=StringIO())

    assert "The shared cache does not answer: check Redis" in mail.outbox[0].body


def test_without_redis_the_same_is_told_once_a_day_and_again_when_it_comes_back(no_redis):
    assert [send_alerts(LATE), send_alerts(LATE)] == [["The newest verified backup is old."], []]
    send_alerts(WELL)

    assert send_alerts(LATE)


def test_what_was_told_without_redis_is_forgotten_when_it_answers(no_redis, settings):
    away, here = settings.CACHES, caches_of("", folder=settings.VAR_DIR)
    send_alerts(LATE)
    settings.CACHES = here
    send_alerts(WELL)
    settings.CACHES = away

    assert send_alerts(LATE)


def test_redis_that_goes_while_somebody_is_told_is_no_error(monkeypatch, settings, no_redis):
    away = settings.CACHES
    settings.CACHES = caches_of("", folder=settings.VAR_DIR)

    def send(*arguments):
        settings.CACHES = away

    monkeypatch.setattr(alerts, "send_mail", send)

    assert send_alerts(LATE) == ["The newest verified backup is old."]


def test_where_nothing_can_be_remembered_each_look_tells(no_redis, settings):
    settings.VAR_DIR.write_text("a file where the folder should be")

    assert all([send_alerts(LATE), send_alerts(LATE)])
