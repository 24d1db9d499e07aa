"""Telling somebody what needs them: by e-mail and by a webhook, each thing once a day for as long as it lasts."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from smtplib import SMTPException

from django.conf import settings
from django.core.cache import BaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.mail import send_mail
from django.db.models import QuerySet

from apps.changesets.errors import BoardUnavailable
from apps.changesets.processes.failures import FAILURES
from apps.changesets.processes.progress import board, entry
from apps.imports.models import ImportRun, RunStatus
from travelmathlite.caching import FileCache
from travelmathlite.health import Part, look_at_parts
from travelmathlite.webhook import NotDelivered, post

SCHEDULED = "update_airports"
AGAIN_SECONDS = 24 * 3600
# A look takes shorter; one that was killed is in the way for so long.
_TURN_SECONDS = 300
_UNUSABLE = (BoardUnavailable, OSError)
logger = logging.getLogger(__name__)


class NotSent(Exception):
    """Somebody could not be told; the text says whom and why."""


@dataclass(frozen=True)
class Alert:
    """One thing that needs somebody; `name` is another one for another thing of the same sort."""

    name: str
    sentence: str


def send_alerts(parts: dict[str, Part] | None = None) -> list[str]:
    """Look at how things are, tell what was not told within a day, and return the sentences of that.

    Raises NotSent when somebody could not be told; the next look tries again.
    """
    channels = _channels()
    memory, turn = _memory(), entry("alerts", "turn")
    # Two looks at once would tell everything twice.
    if not channels or not memory.add(turn, True, _TURN_SECONDS):
        return []
    sent: dict[str, None] = {}
    failures = []
    try:
        alerts = alerts_now(look_at_parts() if parts is None else parts)
        for name, send in channels.items():
            try:
                sent |= dict.fromkeys(alert.sentence for alert in _tell(name, send, alerts, memory))
            except NotSent as failure:
                failures.append(str(failure))
    finally:
        with suppress(*_UNUSABLE):
            memory.delete(turn)
    if failures:
        raise NotSent(" ".join(failures))
    return list(sent)


def alerts_now(parts: dict[str, Part]) -> list[Alert]:
    """Return what needs somebody now: parts that are not well, plans to be reviewed, a scheduled update that failed."""
    if not parts["database"].ok:
        return [Alert("database", parts["database"].message)]
    alerts = [Alert(name, part.message) for name, part in parts.items() if not part.ok]
    try:
        return [*alerts, *_failed_updates(), *_plans_to_review()]
    except FAILURES:
        logger.exception("The imports cannot be looked at")
        return alerts


def _failed_updates() -> list[Alert]:
    run = ImportRun.objects.filter(summary__command=SCHEDULED).order_by("-pk").first()
    if run is None or run.status != RunStatus.FAILED:
        return []
    return [Alert(f"update-{run.pk}", f"The scheduled update failed (import {run.pk}). {run.error}")]


def _plans_to_review() -> list[Alert]:
    planned: QuerySet[ImportRun] = ImportRun.objects.filter(status=RunStatus.PLANNED).order_by("pk")
    sentence = "Import {} of {} by {} is planned, and waits for somebody to review it."
    return [Alert(f"review-{run.pk}", sentence.format(run.pk, run.file_name, run.who)) for run in planned]


def _channels() -> dict[str, Callable[[list[Alert]], None]]:
    channels: dict[str, Callable[[list[Alert]], None]] = {}
    if settings.ALERT_EMAIL:
        channels["e-mail"] = _send_mail
    if settings.ALERT_WEBHOOK:
        channels["webhook"] = _send_webhook
    return channels


def _memory() -> BaseCache:
    """Return where what was told is remembered: the board, without it files of this machine, without them nothing."""
    own = Path(settings.VAR_DIR) / "alerts"
    for make in (board, lambda: FileCache(str(own), {})):
        try:
            memory = make()
            memory.set(entry("alerts", "looked"), time.time())
        except _UNUSABLE as error:
            logger.warning("What was told cannot be remembered where it should: %s", error)
            continue
        if make is board:
            rmtree(own, ignore_errors=True)
        return memory
    return DummyCache("", {})


def _tell(channel: str, send: Callable[[list[Alert]], None], alerts: list[Alert], memory: BaseCache) -> list[Alert]:
    """Send what was not sent within a day, and forget what is over, so that it is told when it comes again."""
    key, now = entry("alerts", channel), time.time()
    told: dict[str, float] = memory.get(key) or {}
    new = [alert for alert in alerts if now - told.get(alert.name, 0) >= AGAIN_SECONDS]
    if new:
        send(new)
    times = {**told, **{alert.name: now for alert in new}}
    with suppress(*_UNUSABLE):
        memory.set(key, {alert.name: times[alert.name] for alert in alerts}, timeout=None)
    return new


def _send_mail(alerts: list[Alert]) -> None:
    first, *others = [alert.sentence for alert in alerts]
    subject = " ".join(first.split())[:120] + (f" (and {len(others)} more)" if others else "")
    text = "\n\n".join([*(alert.sentence for alert in alerts), "`python manage.py health` says how all parts are."])
    try:
        send_mail(f"TravelMathLite: {subject}", text, None, settings.ALERT_EMAIL)
    except (OSError, SMTPException) as error:
        raise NotSent(f"No e-mail could be sent: {error}. Check EMAIL_URL.") from error


def _send_webhook(alerts: list[Alert]) -> None:
    body = {
        # What chats such as Slack and Mattermost show.
        "text": "\n".join(alert.sentence for alert in alerts),
        "alerts": [{"name": alert.name, "message": alert.sentence} for alert in alerts],
    }
    try:
        post(settings.ALERT_WEBHOOK, body)
    except NotDelivered as error:
        raise NotSent(str(error)) from error
