"""The trials: one page, command, file or document each. Nothing fails, and what is refused changes nothing."""

import io
import logging
import random
import re
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.fuzz import commands, documents, files
from tests.fuzz.pages import MORE_CONTENT_TYPES, Pages
from tests.torture.frame import Trial
from tests.torture.processes import Crashed, Fork, Steps, run
from tests.torture.world import FIRST, Databases, Place, enter, make_world

LONGEST_SECONDS = 20
# Temporary tables, and what Django keeps of its own.
_NOT_OURS = re.compile(r"temp\.|django_session|django_content_type|imports_\w+_\d|pg_temp")
_WRITES = ("INSERT", "UPDATE", "DELETE")


class Arena:
    """The world on one database, and the trials in it."""

    last: dict[str, Callable[[], Trial]] = {}

    def __init__(self, databases: Databases, world: Place, open_world: Place) -> None:
        # PostgreSQL copies only what nobody is connected to; this process is to the open one.
        self.databases, self.world, self.open_world = databases, world, open_world
        self.kinds = {"pages": self.page, "commands": self.command, "files": self.file, "documents": self.document}
        self._opened: dict[str, str] = {}
        # Before any trial: what one writes is taken back.
        self.client.get("/admin/")
        self._cookies = dict(self.client.cookies)
        self.good_files = files.good_files(self.client)

    @cached_property
    def client(self) -> Any:
        """The browser of a person who may do everything."""
        from django.contrib.auth.models import User
        from django.test import Client

        client = Client(raise_request_exception=False)
        client.force_login(User.objects.get(username="tess"))
        return client

    @cached_property
    def pages(self) -> Pages:
        return Pages()

    # -- pages ---------------------------------------------------------------------------------------------------

    def page(self, draw: random.Random) -> Trial:
        """Ask or send something."""
        address = self.pages.address(draw)
        if address not in self._opened:
            with self._taken_back():
                answer = self.client.get(address)
                self._opened[address] = "" if answer.streaming else answer.content.decode("utf-8", "replace")
        query = self.pages.query(draw, self._opened[address])
        method = draw.choice(["GET", "GET", "GET", "POST", "POST", "HEAD", "PUT"])
        more: dict[str, Any] = {"QUERY_STRING": query}
        if draw.random() < 0.02:
            more["HTTP_HOST"] = draw.choice(["evil.example.com", "a b", "[::1", "x:99999"])
        if draw.random() < 0.03:
            more["CONTENT_TYPE"] = draw.choice(MORE_CONTENT_TYPES)
        data: Any = {}
        if method == "POST":
            data = _by_name(self.pages.sent(draw, self._opened[address]))
        trial = Trial(
            f"pages: {method} {address}?{query} {str(data)[:1500] if data else ''} {more.get('CONTENT_TYPE', '')}"
        )
        with self._taken_back() as written:
            self._ask(trial, method, address, data, more, written)
        return trial

    def _ask(
        self, trial: Trial, method: str, address: str, data: Any, more: dict[str, Any], written: list[str]
    ) -> None:
        started = time.monotonic()
        self.client.cookies.clear()
        self.client.cookies.update(self._cookies)
        try:
            if method == "POST" and "CONTENT_TYPE" not in more:
                answer = self.client.post(address, data, **more)
            else:
                answer = self.client.generic(
                    method,
                    address,
                    "a=%ff&b=%00" if method == "POST" else "",
                    **{"content_type": more.pop("CONTENT_TYPE", "text/html"), **more},
                )
            if answer.streaming:
                b"".join(answer.streaming_content)
        except Exception:
            trial.complaints.append(traceback.format_exc()[-3000:])
            return
        if answer.status_code >= 500:
            trial.complaints.append(f"{answer.status_code}: {_why(answer)}")
        trial.require(method == "POST" or not written, f"{method} wrote: {written[:3]}")
        trial.require(not 400 <= answer.status_code < 500 or not written, f"refused, and wrote: {written[:3]}")
        trial.require(time.monotonic() - started < LONGEST_SECONDS, f"took {time.monotonic() - started:.1f} s")

    # -- files ---------------------------------------------------------------------------------------------------

    def file(self, draw: random.Random) -> Trial:
        """Upload a file, and open the page that it leads to."""
        from django.core.files.uploadedfile import SimpleUploadedFile

        from apps.imports.models import ImportRun

        name, content = files.bad_file(draw, self.good_files)
        trial = Trial(f"files: {name[:50]!r}, {len(content)} bytes that begin with {content[:40]!r}")
        model = draw.choice(["airports/airport", "airports/airport", "base/city", "base/country"])
        upload = SimpleUploadedFile(name or "x", content)
        data = {
            "import_file": upload,
            "reason": "a fuzz",
            "source": draw.choice(["corrections", "snapshot"]),
            "resource": "",
        }
        with self._taken_back() as written:
            before = _tracked()
            self._ask(trial, "POST", f"/admin/{model}/import/", data, {}, [])
            runs = list(ImportRun.objects.filter(reason="a fuzz"))
            for run_ in runs:
                for page in ("change", "mapping", "refused.csv", "map.json", "file"):
                    self._ask(
                        trial,
                        "GET",
                        f"/admin/imports/importrun/{run_.pk}/{page}{'' if '.' in page else '/'}",
                        {},
                        {},
                        [],
                    )
                trial.require("rror:" not in run_.error, run_.error)
            trial.require(_tracked() == before, f"a plan changed the tables: {written[:3]}")
        return trial

    # -- documents -----------------------------------------------------------------------------------------------

    def document(self, draw: random.Random) -> Trial:
        """Alter a manifest or a backup of an object, and open the pages that read it."""
        folder = self.open_world.folder / "backups"
        path = draw.choice(sorted([*folder.glob("*.json"), *folder.glob("objects/*.json")]))
        before = path.read_bytes()
        path.write_bytes(documents.altered(draw, before.decode()))
        trial = Trial(f"documents: {path.name} as {path.read_bytes()[:1500]!r}")
        try:
            with self._taken_back():
                if path.parent == folder:
                    addresses = [
                        "backup/",
                        f"backup/{path.stem}/restore/",
                        f"backup/{path.stem}/restore/?what=everything",
                        f"backup/{path.stem}/restore/?what=upto&upto=3",
                    ]
                    for address in [f"/admin/backups/{address}" for address in addresses] + ["/admin/"]:
                        self._ask(trial, "GET", *_split(address), [])
                else:
                    tool = "/admin/airports/airport/X0009/actions/restore/"
                    for address in (
                        tool,
                        f"{tool}?backup={path.name}",
                        f"{tool}?backup={path.name}&download=1",
                        "/admin/airports/airport/X0009/change/",
                    ):
                        self._ask(trial, "GET", *_split(address), [])
                    self._ask(
                        trial,
                        "POST",
                        tool,
                        {"backup": path.name, "field": ["name", "elevation_ft", "country", "city"], "reason": "x"},
                        {},
                        [],
                    )
        finally:
            path.write_bytes(before)
        return trial

    # -- commands ------------------------------------------------------------------------------------------------

    def command(self, draw: random.Random) -> Trial:
        """Run a command on a copy of the world."""
        name = draw.choice(commands.command_names())
        backups = [file.stem for file in (self.world.folder / "backups").glob("*.json")]
        known = [
            str(self.world.folder / FIRST),
            "3",
            "X0005",
            "airports.airport",
            "airport",
            "name",
            "2026-01-01",
            *backups,
        ]
        words = commands.arguments(draw, name, known)
        trial = Trial(f"commands: {name} {' '.join(map(repr, words))[:1500]}")
        with self.databases.place(self.world) as place:

            def work() -> Steps:
                yield
                return _run(place, name, [word.replace(str(self.world.folder), str(place.folder)) for word in words])

            fork = Fork(work, log=place.log)
            fork.go()
            _status, answer = fork.end()
            if answer is None or isinstance(answer, Crashed):
                trial.complaints.append(f"{str(answer)[-3000:]}")
            else:
                told, changed, seconds = answer
                trial.require(told is None or not changed, f"it said {told!r}, and changed the tables")
                trial.require(told is None or 0 < len(told) < 3000, f"it said {told!r}")
                trial.require(seconds < LONGEST_SECONDS or "--bundled" in words, f"took {seconds:.1f} s")
        return trial

    # -- between -------------------------------------------------------------------------------------------------

    @contextmanager
    def _taken_back(self) -> Iterator[list[str]]:
        """Take back what the block writes, and tell what it wrote and did not take back itself."""
        from django.db import connection, transaction

        written: list[str] = []

        def watch(execute: Callable, sql: str, *rest: Any) -> Any:
            if sql.split(None, 1)[0] in _WRITES and not _NOT_OURS.search(sql):
                written.append(sql[:300])
            elif sql.startswith("ROLLBACK"):
                written.clear()
            return execute(sql, *rest)

        outermost = transaction.atomic()
        # As in tests: what wants to be outermost is inside this.
        outermost._from_testcase = True
        with outermost:
            with connection.execute_wrapper(watch):
                yield written
            transaction.set_rollback(True)


def _split(address: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    path, _, query = address.partition("?")
    return path, {}, {"QUERY_STRING": query}


def _by_name(fields: list[tuple[str, str]]) -> dict[str, list[str]]:
    data: dict[str, list[str]] = {}
    for name, value in fields:
        data.setdefault(name, []).append(value)
    return data


def _why(answer: Any) -> str:
    error = (getattr(answer, "exc_info", None) or (None, None, None))[1]
    if error is not None:
        return "".join(traceback.format_exception(error))[-3000:]
    text = re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", answer.content.decode("utf-8", "replace")))
    return f"{text[:600]} ... {''.join(_logged[-1:])}"


_logged: list[str] = []


class _Keep(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _logged.append(self.format(record)[-3000:])


def _tracked() -> list[list[tuple]]:
    from apps.changesets.models import Changeset
    from apps.changesets.tracking import tracked_models

    models = [*(tracked.model for tracked in tracked_models()), Changeset]
    return [list(model._base_manager.order_by("pk").values_list()) for model in models]


def _run(place: Place, name: str, words: list[str]) -> tuple[str | None, bool, float]:
    from django.core.management import CommandError, call_command
    from django.db import connection

    enter(place)
    before, started, told = _tracked(), time.monotonic(), None
    try:
        call_command(name, *words, stdout=io.StringIO(), stderr=io.StringIO())
    except CommandError as error:
        told = str(error) or repr(error)
    except SystemExit as error:
        told = f"exit {error.code}" if error.code else None
    seconds = time.monotonic() - started
    connection.close()
    return told, _tracked() != before, seconds


def _fill_more() -> None:
    from django.core.management import call_command

    call_command("backup", "create", verbosity=0)


@contextmanager
def arena(url: str, folder: Path) -> Iterator[Arena]:
    """Make the world on a database, and give the trials in it."""
    with Databases(url, folder) as databases, databases.place() as world:
        make_world(world)

        def more() -> None:
            enter(world)
            _fill_more()

        run(more, log=world.log)
        databases.until_alone(world)
        with databases.place(world) as open_world:
            enter(open_world)
            logging.getLogger().handlers[:] = [_Keep(level=logging.ERROR)]
            from apps.backups.work import work_of

            # A backup that a page begins is never made.
            with patch("apps.backups.work.carry_out", work_of):
                yield Arena(databases, world, open_world)
            _close(databases)


def _close(databases: Databases) -> None:
    from django.db import connections

    connections.close_all()
    if not databases.is_sqlite:
        connections["default"].close_pool()
