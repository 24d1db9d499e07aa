"""Pages wait a few seconds for others who write; what fails is a page of ours with a number that stands in the log.

What cannot be understood, is not there or is not allowed is a page of ours, too.
"""

import logging
import secrets
import sys
from collections.abc import Callable

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import (
    BadRequest,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string

from apps.changesets.errors import BoardUnavailable, Busy, ChangesetError, NotPermitted
from apps.changesets.processes.failures import FAILURES, cause_of, refusal_of, sentence_of
from apps.changesets.processes.locking import PagePatience

logger = logging.getLogger(__name__)
NOT_UNDERSTOOD = (
    "The console does not understand what was sent, so nothing was changed: go back, reload the page and try again."
)
# So many administrators are named.
FEW = 3
TOO_MUCH = "More was sent than the console accepts at once, so nothing was changed: send less."
UNEXPECTED = "An unexpected error occurred. Everything that was started was undone: nothing is half done."


class FailureMiddleware:
    """Bounds how long a page waits for others who write, and answers when the database fails."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        patience = PagePatience(settings.PAGES_WAIT_SECONDS)
        try:
            with connections[DEFAULT_DB_ALIAS].execute_wrapper(patience):
                return self.get_response(request)
        finally:
            patience.give_back()

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a failure of the database, or a refusal that no page of its own shows, also while developing."""
        if isinstance(error, NotPermitted):
            return None  # Django answers 403 with its sentence.
        if isinstance(error, (BadRequest, SuspiciousOperation)):
            return bad_request(request, error)
        if isinstance(error, OverflowError) and "SQLite INTEGER" in str(error):
            # PostgreSQL compares with any number.
            return bad_request(request, BadRequest("A number in the request is too large, so nothing was changed."))
        return answer(request, error) if isinstance(error, (*FAILURES, ChangesetError)) else None


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what cannot be understood, in place of Django's page that says only "Bad Request (400)"."""
    sentence = (
        TOO_MUCH if isinstance(exception, (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)) else NOT_UNDERSTOOD
    )
    context = {**_names(), "sentence": str(exception) if isinstance(exception, BadRequest) else sentence}
    return HttpResponse(render_to_string("400.html", context), status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer any other failure, in place of Django's page that says only "Server Error (500)"."""
    return answer(request, sys.exc_info()[1])


def answer(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    """Return the page of a failure, which needs no database, and write its number to the log."""
    error = refusal_of(error) if error is not None else None
    cause, number = cause_of(error), secrets.token_hex(4)
    status = 503 if cause.passes or isinstance(error, (Busy, BoardUnavailable)) else 500
    if isinstance(error, FAILURES):
        sentence = sentence_of(error, cause=cause)
    else:
        sentence = str(error) if isinstance(error, ChangesetError) else UNEXPECTED
    # Django itself logs the trace of what is no failure of the database.
    trace = error if status == 500 and isinstance(error, FAILURES) else None
    logger.error(
        "%s %s ended in %s, number %s: %s", request.method, request.path, status, number, error, exc_info=trace
    )
    context = {**_names(), "number": number, "sentence": sentence, **(_sent_again(request) if status == 503 else {})}
    response = HttpResponse(render_to_string(f"{status}.html", context), status=status)
    if status == 503:
        response["Retry-After"] = str(settings.PAGES_WAIT_SECONDS)
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that leads nowhere, under the head of the console."""
    return HttpResponse(render_to_string("404.html", _head(request), request), status=404)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer who may not do something with why, and whom to ask."""
    context = {**_head(request), "exception": str(exception), "administrators": _administrators(request)}
    return HttpResponse(render_to_string("403.html", context, request), status=403)


def _head(request: HttpRequest) -> dict[str, object]:
    """Return what the head of a page shows: that of any page of the console to who may enter it."""
    user = getattr(request, "user", None)
    if user is None or not admin.site.has_permission(request):
        return _names()
    return {**_names(), **admin.site.each_context(request), "is_nav_sidebar_enabled": False}


def _administrators(request: HttpRequest) -> list[str]:
    """Return a few of the people who give permissions, for who is known here."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    people = get_user_model().objects.filter(is_active=True, is_superuser=True).exclude(pk=user.pk)
    return [person.get_full_name() or person.get_username() for person in people.order_by("pk")[:FEW]]


def _names() -> dict[str, object]:
    return {"site_header": admin.site.site_header, "site_title": admin.site.site_title}


def _sent_again(request: HttpRequest) -> dict[str, object]:
    """Return what the page needs to send the same again: what was typed is kept in it, files and passwords are not."""
    again: dict[str, object] = {"address": request.get_full_path(), "method": request.method}
    if request.method != "POST" or request.FILES or any("password" in name for name in request.POST):
        return again
    fields = [(name, value) for name, values in request.POST.lists() for value in values]
    kept = [field for field in fields if field[0] != "csrfmiddlewaretoken"]
    return {**again, "fields": kept, "csrf_token": get_token(request)}
