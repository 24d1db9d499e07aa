"""Read replicas: which database a query goes to, where DATABASES names any beside the primary.

A replica is a database whose alias begins with `replica`. Only pages that read (GET, HEAD) read from one, and only what
the console shows: airports, places, their history and changesets. Whatever writes or decides reads from the primary:
forms that are posted, commands, workers, anything inside a transaction, and who wrote what the replica lacks: a cookie
holds the place in the log of the primary after it. What a replica does not have yet, or fails to answer, is asked of
the primary.
"""

import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from travelmathlite.replicas import PREFIX, leave_out, place_written, replicas, usable_replicas

COOKIE = "primary"
_PLACE = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}")
# How long a replica may lack what somebody wrote, and they still read it.
_A_DAY = 24 * 3600
APPS = frozenset({"airports", "base", "changesets"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Statements that change nothing, or only begin or end something.
_READS = ("SELECT", "BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "SHOW", "PRAGMA", "EXPLAIN")


@dataclass
class Reader:
    """The reader of one page: it reads from one replica until it writes; a pinned reader uses the primary.

    `after` is the place in the log of the primary that the replica must have reached.
    """

    pinned: bool = False
    after: str = ""
    wrote: bool = False
    _replica: str = ""

    @property
    def replica(self) -> str:
        """The alias to read from, chosen once: replicas lag differently, and a page must show one moment."""
        if not self._replica:
            self._replica = random.choice(usable_replicas(self.after) or [DEFAULT_DB_ALIAS])  # noqa: S311 - no secret is made of it
        return self._replica

    @property
    def used(self) -> str:
        """The replica that was read from, or nothing."""
        return self._replica if self._replica != DEFAULT_DB_ALIAS else ""

    def watch(self, execute: Callable, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """Run one statement on the primary, and note whether it writes."""
        if not str(sql).lstrip("( \n").upper().startswith(_READS):
            self.wrote = True
        return execute(sql, params, many, context)


_reader: ContextVar[Reader | None] = ContextVar("reader of replicas", default=None)


@contextmanager
def reading_from_replicas(*, pinned: bool = False, after: str = "") -> Iterator[Reader]:
    """Let reads within the block use a replica; when pinned, and after the first write, the primary."""
    reader = Reader(pinned=pinned, after=after)
    before = _reader.set(reader)
    try:
        with connections[DEFAULT_DB_ALIAS].execute_wrapper(reader.watch):
            yield reader
    finally:
        _reader.reset(before)


class ReplicaRouter:
    """Sends reads to a replica where that is safe, and everything else to the primary."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        """Return a replica if the present reader may use one."""
        reader = _reader.get()
        if reader is None or reader.pinned or reader.wrote or model._meta.app_label not in APPS:
            return self._primary(hints)
        # Uncommitted writes, such as a changeset in progress, are only on the primary.
        if connections[DEFAULT_DB_ALIAS].in_atomic_block:
            return DEFAULT_DB_ALIAS
        return reader.replica

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        """Return the primary, also for an object that was read from a replica."""
        return self._primary(hints)

    def allow_relation(self, obj1: Model, obj2: Model, **hints: Any) -> bool | None:
        """Let objects of the primary and of its replicas refer to each other: they are the same rows."""
        same = {DEFAULT_DB_ALIAS, *replicas()}
        return True if {obj1._state.db, obj2._state.db} <= same else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        """Migrate the primary only: its replicas follow by themselves."""
        return False if db.startswith(PREFIX) else None

    def _primary(self, hints: dict[str, Any]) -> str | None:
        """Return the primary for an object of a replica, and leave others where Django would look for them."""
        instance = hints.get("instance")
        return DEFAULT_DB_ALIAS if instance is not None and str(instance._state.db).startswith(PREFIX) else None


class ReplicaMiddleware:
    """Lets pages read from a replica; a person who has written does so once it has that.

    Where there is no log to compare with, they read from the primary for some seconds.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not replicas():
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        after = request.COOKIES.get(COOKIE, "")
        pinned = request.method not in _SAFE or (after != "" and not _PLACE.fullmatch(after))
        with reading_from_replicas(pinned=pinned, after=after) as reader:
            response = self.get_response(request)
        if reader.used and not reader.wrote and _may_be_stale(response):
            if response.status_code >= 500:
                leave_out(reader.used, f"{request.path} failed with it.")
            with reading_from_replicas(pinned=True) as reader:
                response = self.get_response(request)
        if reader.wrote:
            place = place_written()
            response.set_cookie(
                COOKIE,
                place or "1",
                max_age=_A_DAY if place else settings.REPLICA_LAG_SECONDS,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response


def _may_be_stale(response: HttpResponse) -> bool:
    """Whether a page failed, leads elsewhere or is not there: the replica may have failed, or lack what it is about."""
    return response.status_code >= 500 or response.status_code in (302, 404)
