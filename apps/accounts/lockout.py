"""The lock-out of a name at an address, after wrong passwords: until when, in a sentence, and its end before that."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from axes.backends import AxesStandaloneBackend
from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import F, Max, QuerySet, Sum, Window
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from apps.accounts.addresses import address_of
from apps.changesets.text import counted


class LockoutBackend(AxesStandaloneBackend):
    """Lets nobody in who is locked out."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        # Without a request nobody guesses from elsewhere: it is a command, or a test that logs in.
        if request is not None:
            super().authenticate(request, **credentials)


def living_attempts() -> "QuerySet[AccessAttempt]":
    """Return the failed logins that count, each with how many of its name and address there are."""
    since = timezone.now() - get_cool_off()
    pair = [F("username"), F("ip_address")]
    return AccessAttempt.objects.filter(attempt_time__gte=since).annotate(
        together=Window(Sum("failures_since_start"), partition_by=pair),
        newest=Window(Max("attempt_time"), partition_by=pair),
    )


def locked_until(attempt: Any) -> datetime | None:
    """Return when the lock-out ends that a living attempt belongs to; None where there is none."""
    if attempt.together < settings.AXES_FAILURE_LIMIT:
        return None
    return timezone.localtime(attempt.newest + get_cool_off())


def sentence(request: HttpRequest, username: str) -> str:
    """Return what the login page says to who is locked out."""
    attempt = living_attempts().filter(username=username, ip_address=address_of(request)).first()
    until = (attempt and locked_until(attempt)) or timezone.localtime()
    minutes = max(1, -int((timezone.now() - until).total_seconds() // 60))
    return (
        f"Too many wrong passwords for this name: log in after {until:%H:%M %Z} "
        f"(in {counted(minutes, 'minute')}), or ask a superuser to unlock it."
    )


def unlock(attempts: "QuerySet[AccessAttempt]") -> list[tuple[str, str]]:
    """Let the names of these attempts log in again from their addresses; return both."""
    pairs = sorted({(attempt.username or "", attempt.ip_address or "") for attempt in attempts})
    for username, address in pairs:
        AccessAttempt.objects.filter(username=username or None, ip_address=address or None).delete()
    return pairs


def answer(request: HttpRequest, response: HttpResponse, credentials: dict[str, Any] | None = None) -> HttpResponse:
    """Answer who is locked out with the page that says so; only its status tells programs."""
    if response.status_code == HTTPStatus.OK:
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
    return response
