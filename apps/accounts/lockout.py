"""The lock-out of a name after wrong passwords, at one address or wherever it is not known from.

Until when, in a sentence, and its end before that.
"""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from axes.backends import AxesStandaloneBackend
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username, get_cool_off
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.db.models import F, Max, QuerySet, Sum, Window
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from apps.accounts.addresses import address_of, network_of
from apps.changesets.text import counted

EVERYWHERE = "all addresses"


class LockoutBackend(AxesStandaloneBackend):
    """Lets nobody in who is locked out."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        # Without a request nobody guesses from elsewhere: it is a command, or a test that logs in.
        if request is not None:
            super().authenticate(request, **credentials)


class LockoutHandler(AxesDatabaseHandler):
    """Counts wrong passwords for a name at an address, and for the name from all addresses together."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Return how many count, so that AXES_FAILURE_LIMIT of them lock."""
        here: int = super().get_failures(request, credentials)
        username = get_client_username(request, credentials)
        if here < settings.AXES_FAILURE_LIMIT and name_locked_until(username) and not _is_known(username, request):
            return int(settings.AXES_FAILURE_LIMIT)
        return here


def name_locked_until(username: str | None) -> datetime | None:
    """Return when a name that was guessed from many addresses is no longer locked; None where it is not."""
    times = _living().filter(username=username).order_by("attempt_time")
    failures = list(times.values_list("attempt_time", "failures_since_start"))
    number = sum(number for _time, number in failures)
    for time, gone in failures if number >= settings.LOCKOUT_NAME_LIMIT else ():
        number -= gone
        if number < settings.LOCKOUT_NAME_LIMIT:
            return timezone.localtime(time + get_cool_off())
    return None


def _is_known(username: str | None, request: HttpRequest) -> bool:
    """Whether somebody of that name logged in from there lately."""
    since = timezone.now() - timedelta(days=settings.LOCKOUT_KNOWN_DAYS)
    logins = AccessLog.objects.filter(username=username, attempt_time__gte=since)
    addresses = logins.order_by().values_list("ip_address", flat=True).distinct()
    here = address_of(request)
    return here is not None and network_of(here) in {network_of(address) for address in addresses if address}


def living_attempts() -> "QuerySet[AccessAttempt]":
    """Return the failed logins that count, each with how many of its name and address, and of its name, there are."""
    pair = [F("username"), F("ip_address")]
    return _living().annotate(
        of_name=Window(Sum("failures_since_start"), partition_by=[F("username")]),
        together=Window(Sum("failures_since_start"), partition_by=pair),
        newest=Window(Max("attempt_time"), partition_by=pair),
    )


def _living() -> "QuerySet[AccessAttempt]":
    return AccessAttempt.objects.filter(attempt_time__gte=timezone.now() - get_cool_off())


def locked_until(attempt: Any) -> datetime | None:
    """Return when the lock-out ends that a living attempt belongs to; None where there is none."""
    if attempt.together < settings.AXES_FAILURE_LIMIT:
        return None
    return timezone.localtime(attempt.newest + get_cool_off())


def sentence(request: HttpRequest, username: str) -> str:
    """Return what the login page says to who is locked out."""
    attempt = living_attempts().filter(username=username, ip_address=address_of(request)).first()
    here, where = attempt and locked_until(attempt), ""
    until = here or name_locked_until(username) or timezone.localtime()
    if not here:
        where = " from several addresses"
    minutes = max(1, -int((timezone.now() - until).total_seconds() // 60))
    return (
        f"Too many wrong passwords for this name{where}: log in after {until:%H:%M %Z} "
        f"(in {counted(minutes, 'minute')}), or ask a superuser to unlock it."
    )


def unlock(attempts: "QuerySet[AccessAttempt]") -> list[tuple[str, str]]:
    """Let the names of these attempts log in again from their addresses, or from everywhere; return both."""
    pairs = set()
    for attempt in list(attempts):
        everywhere = name_locked_until(attempt.username) is not None
        address = EVERYWHERE if everywhere else attempt.ip_address or ""
        pairs.add((attempt.username or "", address))
    for username, address in pairs:
        of_name = AccessAttempt.objects.filter(username=username or None)
        (of_name if address == EVERYWHERE else of_name.filter(ip_address=address or None)).delete()
    return sorted(pairs)


def answer(request: HttpRequest, response: HttpResponse, credentials: dict[str, Any] | None = None) -> HttpResponse:
    """Answer who is locked out with the page that says so; only its status tells programs."""
    if response.status_code == HTTPStatus.OK:
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
    return response
