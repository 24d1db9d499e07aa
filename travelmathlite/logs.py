"""The log: lines of text or of JSON, each with the id of the request or the task that wrote it."""

import logging
import re
import secrets
from collections.abc import Callable
from typing import Any

from django.core.signals import request_finished
from django.db import DatabaseError, InterfaceError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django_tasks import TaskResult
from django_tasks.signals import task_finished, task_started
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from apps.changesets.processes.request_id import MOST_CHARACTERS, request_id

HEADER = "X-Request-ID"
_ACCEPTED = re.compile(rf"[A-Za-z0-9._:-]{{1,{MOST_CHARACTERS}}}")


class RequestIdMiddleware:
    """Gives each request the id that the proxy sends, or one of its own, and answers with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sent = request.headers.get(HEADER, "")
        made = sent if _ACCEPTED.fullmatch(sent) else secrets.token_hex(16)
        # It stands until the request is finished: Django writes to the log after this has returned.
        request_id.set(made)
        response = self.get_response(request)
        response[HEADER] = made
        return response


class WithRequestId(logging.Filter):
    """Gives each line the id, and leaves out Django's trace of a failing database: our page of it has told that."""

    def filter(self, record: logging.LogRecord) -> bool:
        here = request_id.get()
        vars(record).update(request_id=here, bracketed=f" [{here}]" if here else "")
        error = record.exc_info[1] if record.exc_info else None
        return not (record.name == "django.request" and isinstance(error, DatabaseError | InterfaceError))


class JsonLines(JsonFormatter):
    """Writes one JSON object a line, without the objects that Django puts beside it."""

    def __init__(self, **options: Any) -> None:
        left_out = [*RESERVED_ATTRS, "request", "bracketed", "server_time"]
        names = {"asctime": "time", "levelname": "level", "name": "logger"}
        fields = ["asctime", "levelname", "name", "message", "request_id"]
        super().__init__(fields, rename_fields=names, reserved_attrs=left_out, **options)

    default_msec_format = "%s.%03d"


@receiver(request_finished)
def forget_request(**kwargs: Any) -> None:
    """Forget the id when the request is over."""
    request_id.set("")


@receiver(task_started)
def remember_task(task_result: TaskResult, **kwargs: Any) -> None:
    """Let what a worker writes carry the id of the task."""
    request_id.set(task_result.id)


@receiver(task_finished)
def forget_task(**kwargs: Any) -> None:
    """Forget the id when the task is over."""
    request_id.set("")
