"""Mails to those who follow something: what is new of it since the mail before, once; nothing where nothing is."""

import logging
from dataclasses import dataclass
from datetime import datetime
from smtplib import SMTPException

from django.core.mail import send_mail
from django.utils import timezone

from apps.changesets.errors import CursorRefused
from apps.changesets.follow_models import Digest, Follow
from apps.changesets.history.cursors import Cursor, cursor_now, require_cursor
from apps.changesets.pages.following import following_url
from apps.changesets.pages.news import SETTLED, News, news_between
from apps.changesets.processes.holding import holding, is_held
from apps.changesets.text import counted

# A mail names so many things; the page of changesets has all.
MOST = 50
# What is held while mails are sent.
NAME = "digests"
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sent:
    """How many people were told, how many have nothing new or no address, and whom no mail could be sent."""

    sent: int
    quiet: int
    failed: tuple[str, ...]


def send_digests() -> Sent:
    """Send each person what is new of what they follow; who could not be sent a mail gets it the next time.

    How far a person was told is noted as soon as the mail server has taken their mail, before the next person's. Where
    the process is killed before that, they are told by the next run; where it is killed between the two, they are told
    once more: at least once, since a mail that comes twice does less harm than one that never comes. Of two that run at
    once the second sends nothing.
    """
    # Whoever holds it lets go by dying.
    if is_held(NAME):
        return Sent(0, 0, ())
    with holding(NAME) as is_mine:
        return _send_all() if is_mine else Sent(0, 0, ())


def _send_all() -> Sent:
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
    if news:
        _send(digest, news)
    Digest.objects.filter(pk=digest.pk).update(cursor=end.text, told_until=max(until, digest.told_until))
    return bool(news)


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
