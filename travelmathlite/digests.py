"""Mails to those who follow something: what is new of it since the mail before, once; nothing where nothing is."""

import logging
from dataclasses import dataclass
from datetime import datetime
from smtplib import SMTPException

from django.core.mail import send_mail
from django.utils import timezone

from apps.changesets.errors import CursorRefused
from apps.changesets.history.cursors import Cursor, cursor_now, require_cursor
from apps.changesets.models import Digest, Follow
from apps.changesets.pages.following import following_url
from apps.changesets.pages.news import SETTLED, News, news_between
from apps.changesets.text import counted

# A mail names so many things; the page of changesets has all.
MOST = 50
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sent:
    """How many people were told, how many have nothing new or no address, and whom no mail could be sent."""

    sent: int
    quiet: int
    failed: tuple[str, ...]


def send_digests() -> Sent:
    """Send each person what is new of what they follow; who could not be sent a mail gets it the next time.

    How far a person was told is noted before the mail is sent, and taken back where sending fails. So nothing is sent
    twice, also by two that run at once; a mail is lost where the process is killed while it sends.
    """
    end, until, numbers = cursor_now(), timezone.now() - SETTLED, {"sent": 0, "quiet": 0}
    failed = []
    for digest in Digest.objects.select_related("user").filter(user__is_active=True).order_by("pk"):
        try:
            numbers["sent" if _tell(digest, end, until) else "quiet"] += 1
        except (OSError, SMTPException) as error:
            logger.warning("No digest could be sent to %s: %s", digest.user.get_username(), error)
            failed.append(digest.user.get_username())
    return Sent(numbers["sent"], numbers["quiet"], tuple(failed))


def _tell(digest: Digest, end: Cursor, until: datetime) -> bool:
    """Tell one person; return whether there was something to tell."""
    news: list[News] = []
    if digest.user.email and Follow.objects.filter(user=digest.user).exists():
        news = news_between(digest.user, _start(digest), end, since=digest.told_until, until=until)
    before = {"cursor": digest.cursor, "told_until": digest.told_until}
    after = {"cursor": end.text, "told_until": max(until, digest.told_until)}
    mine = Digest.objects.filter(pk=digest.pk)
    # Another that runs at the same time has told them.
    if not mine.filter(**before).update(**after) or not news:
        return False
    try:
        _send(digest, news)
    except (OSError, SMTPException):
        mine.filter(**after).update(**before)
        raise
    return True


def _start(digest: Digest) -> Cursor | datetime:
    """Return from where on there is news; a time where the place is of before a restore."""
    try:
        return require_cursor(digest.cursor)
    except CursorRefused:
        return digest.told_until


def _send(digest: Digest, news: list[News]) -> None:
    number = counted(len(news), "thing")
    parts = [
        "\n".join(filter(None, [item.title, f"{item.by}, {_time(item.at)}. {item.words}", digest.site + item.url]))
        for item in news[:MOST]
    ]
    if len(news) > MOST:
        parts.append(f"And {len(news) - MOST:,} more: {digest.site}{following_url()}")
    parts.append(f"What you follow, and how to stop that: {digest.site}{following_url()}")
    subject = f"TravelMathLite: {number} new of what you follow"
    send_mail(subject, "\n\n".join(parts), None, [digest.user.email])


def _time(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"
