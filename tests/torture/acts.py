"""What is done in a trial, by the doors that people use: a page or a command. Each yields once, when it is ready."""

import html
import io
import re
import threading
from collections.abc import Callable
from typing import Any

from tests.torture.processes import Steps
from tests.torture.world import SECOND, Place, enter

AIRPORTS = "/admin/airports/airport/"
_SENTENCE = re.compile(r'class="(?:[^"]* )?(?:errornote|errorlist|refusal|error|warning)[^"]*"[^>]*>(.*?)</', re.S)


class Told(Exception):
    """Who did it was told in a sentence that it was not done."""


def command(*arguments: str) -> None:
    """Run a command of manage.py; raises Told."""
    from django.core.management import CommandError, call_command

    try:
        call_command(*arguments, stdout=io.StringIO())
    except CommandError as error:
        raise Told(str(error)) from error


def client_of_tess() -> Any:
    """Return the browser of a person who may do everything."""
    from django.contrib.auth.models import User
    from django.test import Client

    # What fails in a middleware reaches people as a page, too.
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(username="tess"))
    return client


def post(client: Any, address: str, values: dict[str, Any]) -> None:
    """Send a form; raises Told where a page comes back, and RuntimeError where something else failed."""
    from apps.changesets.processes.failures import FAILURES

    response = client.post(address, values)
    failure = response.exc_info[1] if response.exc_info else None
    if failure is not None and not isinstance(failure, FAILURES):
        raise RuntimeError(_words(response.content.decode())) from failure
    if response.status_code != 302:
        raise Told(f"{response.status_code}: {_words(response.content.decode())}")


def _words(page: str) -> str:
    """Return what a page says of a failure, or the page where it says nothing."""
    main = page.partition("<main")[2].partition("</main>")[0] or page
    texts = _SENTENCE.findall(main) or [main]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", " ".join(texts))).split())[:2000]


def form_of(client: Any, address: str) -> dict[str, Any]:
    """Open a page with a form, and return what a browser would send back."""
    form = client.get(address).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in values.items() if value is not False}


def import_file(place: Place) -> Steps:
    """Import the later snapshot by command."""
    yield
    command("import_airports", "--file", str(place.folder / SECOND))


def update(place: Place) -> Steps:
    """Import the later snapshot as cron does, airports that it lacks deactivated."""
    yield
    command("update_airports", "--file", str(place.folder / SECOND), "--missing", "deactivate")


def apply_plan(place: Place) -> Steps:
    """Confirm the stored plan on its page; one that failed is planned again, and a worker takes up a confirmed one."""
    from django.conf import settings

    from apps.imports.models import ImportRun, RunStatus
    from apps.imports.runs.confirming import start_again
    from apps.imports.runs.engine import plan_run
    from tests.admin.runs import IMPORTS, seen_on

    client = client_of_tess()
    run = ImportRun.objects.get(actor__isnull=False)
    if run.status == RunStatus.APPROVED:
        yield
        settings.IMPORTS_LEASE_SECONDS = 0
        command("db_worker", "--batch", "--no-reload", "--no-startup-delay")
        return
    if run.status == RunStatus.FAILED:
        plan_run(start_again(run, actor=run.actor))
        run.refresh_from_db()
    seen = seen_on(client, run)
    yield
    post(client, f"{IMPORTS}{run.pk}/confirm/", {"seen": seen, "reason": "as planned"})
    run.refresh_from_db()
    if run.status != RunStatus.APPLIED:
        raise Told(f"{run.status}: {run.error}")


def edit(place: Place, **typed: str) -> Steps:
    """Save a form."""
    client, address = client_of_tess(), f"{AIRPORTS}X0005/change/"
    values = form_of(client, address)
    yield
    post(client, address, values | (typed or {"name": "Typed by hand"}))


def edit_too(place: Place) -> Steps:
    """Save the same form with the same field, typed by somebody else."""
    return edit(place, name="Typed by another hand")


def edit_beside(place: Place) -> Steps:
    """Save the same form with another field."""
    return edit(place, municipality="Golden", elevation_ft="99")


def revert(place: Place) -> Steps:
    """Revert the bulk action by command."""
    from apps.changesets.models import Changeset

    made = Changeset.objects.get(reason="closed for the winter")
    yield
    command("changesets", "revert", str(made.pk))


def redo(place: Place) -> Steps:
    """Revert a revert on its page."""
    from apps.changesets.models import Changeset

    client = client_of_tess()
    address = f"/admin/changesets/changeset/{Changeset.objects.get(reason='it was one').pk}/revert/"
    token = client.get(address).context["token"]
    yield
    post(client, address, {"seen": token, "reason": "it was none"})


def bulk(place: Place) -> Steps:
    """Set airports inactive in the list, some of which are so already."""
    client = client_of_tess()
    ticked = {"action": "set_inactive", "_selected_action": [f"X{number:04}" for number in range(101, 150)]}
    token = client.post(AIRPORTS, ticked).context["token"]
    yield
    post(client, AIRPORTS, {**ticked, "confirm": "yes", "reason": "tidying", "seen": token})


def restore(place: Place) -> Steps:
    """Restore an airport from its backup on its page."""
    client, address = client_of_tess(), f"{AIRPORTS}X0009/actions/restore/"
    (backup,) = [file.name for file in (place.folder / "backups" / "objects").iterdir()]
    token = client.get(f"{address}?backup={backup}").context["token"]
    yield
    post(client, address, {"backup": backup, "field": ["name", "elevation_ft"], "reason": "was right", "seen": token})


def bring_back(place: Place) -> Steps:
    """Bring an airport back from the recycle bin."""
    from apps.airports.models import Airport

    client, address = client_of_tess(), "/admin/changesets/changeset/recycle-bin/restore/"
    pick = f"airports.airport:{Airport.history.get(ident='X0007', history_type='-').history_id}"
    token = client.get(address, {"pick": pick}).context["token"]
    yield
    post(client, address, {"pick": pick, "reason": "it is open", "seen": token})


# The object that is pinned, as a state knows it.
PINNED = ("airport", "11")


def pin(place: Place) -> Steps:
    """Pin a field on its page."""
    client, address = client_of_tess(), f"{AIRPORTS}X0011/pin/elevation_ft/"
    yield
    post(client, address, {"action": "pin", "note": "surveyed"})


def backup(place: Place) -> Steps:
    """Make a backup by command."""
    yield
    command("backup", "create")


ACTS: dict[str, Callable[[Place], Steps]] = {
    "import": import_file,
    "update": update,
    "apply a plan": apply_plan,
    "edit": edit,
    "revert": revert,
    "redo": redo,
    "bulk action": bulk,
    "restore": restore,
    "bring back": bring_back,
    "pin": pin,
    "backup": backup,
    "edit too": edit_too,
    "edit beside": edit_beside,
}


class Counter:
    """Counts the statements and the ends of transactions of the work, and strikes at the one it is asked to."""

    def __init__(self, at: int | None, strike: Callable[[], None]) -> None:
        self.at, self.strike, self.number, self.thread = at, strike, 0, threading.get_ident()

    def step(self) -> None:
        """Count, and strike when it is time."""
        if threading.get_ident() != self.thread:
            return
        self.number += 1
        if self.number == self.at:
            self.strike()

    def __call__(self, execute: Callable, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        self.step()
        return execute(sql, params, many, context)

    def around(self, commit: Callable[[], None]) -> Callable[[], None]:
        """Return a commit with a step before and a step after."""

        def counted() -> None:
            self.step()
            commit()
            self.step()

        return counted


def acting(name: str, place: Place, *, at: int | None = None, strike: Callable[[], None] = lambda: None) -> Callable:
    """Return the work of a process that does the act; its answer is the number of steps, and what it was told."""

    def work() -> Steps:
        from django.db import connection

        enter(place)
        steps = ACTS[name](place)
        next(steps)
        yield
        counter = Counter(at, strike)
        connection._commit = counter.around(connection._commit)
        told = None
        with connection.execute_wrapper(counter):
            try:
                next(steps, None)
            except Told as words:
                told = str(words)
        return counter.number, told

    return work
