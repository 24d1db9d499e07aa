"""Sessions end when nothing is done in them for some time.

When somebody was last here is kept in a signed cookie: a session that is written at each page would wait on SQLite for
whoever imports.
"""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

from apps.changesets.text import counted

COOKIE = "last-seen"
SINCE = "logged_in_at"
# The cookie is renewed once a minute, not with each picture.
A_MINUTE = 60


def note_login(sender: Any, request: HttpRequest, **named: Any) -> None:
    """Note in the session when it begins."""
    request.session[SINCE] = int(time.time())


def idle_time() -> str:
    """Return in words how long a session lives without a click; empty where it does not end so."""
    minutes = settings.SESSION_IDLE_MINUTES
    return counted(minutes, "minute") if minutes else ""


class IdleMiddleware:
    """Logs out who has done nothing for the time of the setting, with a sentence."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.SESSION_IDLE_MINUTES:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Who has no session cookie has nobody's session, and costs no look into the database.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or SESSION_KEY not in request.session:
            return self.get_response(request)
        ago = time.time() - _last_seen(request)
        if ago > settings.SESSION_IDLE_MINUTES * A_MINUTE:
            # Left behind rather than deleted: reading a page writes nothing.
            request.session = type(request.session)()
            messages.info(request, f"You were logged out after {idle_time()} without activity.")
        response = self.get_response(request)
        if ago > A_MINUTE and SESSION_KEY in request.session:
            _renew(request, response)
        return response


def _last_seen(request: HttpRequest) -> float:
    """Return the time of the last click in this session, as far as the cookie or the session tell."""
    seen = request.get_signed_cookie(COOKIE, default="", salt=_salt(request))
    return max(float(seen or 0), request.session.get(SINCE, 0))


def _renew(request: HttpRequest, response: HttpResponse) -> None:
    response.set_signed_cookie(
        COOKIE,
        str(int(time.time())),
        salt=_salt(request),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _salt(request: HttpRequest) -> str:
    # The cookie of one session is none for another.
    return f"{COOKIE}:{request.session.session_key}"
