"""Pages wait a few seconds for others who write; then they say who writes, and keep what was typed."""

import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from apps.airports.models import Airport
from apps.base.models import Country
from apps.changesets.models import Changeset, Kind
from apps.changesets.processes.locking import alone
from apps.changesets.processes.watched import report
from apps.imports.models import ImportRun, Pin, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)
KDEN = "/admin/airports/airport/KDEN/change/"


@pytest.fixture(autouse=True)
def short_patience(settings) -> None:
    settings.PAGES_WAIT_SECONDS = 0.2


@pytest.fixture
def others_write() -> Iterator[Callable[..., None]]:
    """Return a function that lets somebody else write whole tables, until it is called again or the test ends."""
    begun, over = threading.Event(), threading.Event()

    def write() -> None:
        try:
            with transaction.atomic(), alone(Changeset(kind=Kind.REVERT, actor_name="stan")):
                begun.set()
                over.wait(60)
        finally:
            connections.close_all()

    thread = threading.Thread(target=write)

    def toggle() -> None:
        if thread.ident is None:
            thread.start()
            begun.wait(10)
        else:
            over.set()
            thread.join()

    yield toggle
    over.set()
    if thread.ident is not None:
        thread.join()


@pytest.fixture
def import_at_work() -> ImportRun:
    run = ImportRun.objects.create(
        spec="ourairports", status=RunStatus.RUNNING, actor_name="ida", file_size=1, started_at=timezone.now()
    )
    report(run.pk, "write", 61, 100)
    return run


def test_a_form_comes_back_with_what_was_typed_and_who_writes(
    places, operator, browse_as, open_form, others_write, import_at_work
) -> None:
    client = browse_as(operator)
    values = {**open_form(client, KDEN), "name": "Typed", "change_reason": "as signed"}
    others_write()

    response = client.post(KDEN, values)

    page = response.content.decode()
    assert response.status_code == 503
    assert "Somebody else is writing right now, an import by ida since" in page
    assert ", 61 %: nothing was changed." in page
    assert 'value="Typed"' in page
    assert 'value="as signed"' in page


def test_saving_again_works(places, operator, browse_as, open_form, others_write) -> None:
    client = browse_as(operator)
    others_write()
    refused = client.post(KDEN, {**open_form(client, KDEN), "name": "Typed"})
    others_write()

    form = refused.context["adminform"].form
    response = client.post(KDEN, {n: form[n].value() for n in form.fields if form[n].value() not in (None, False)})

    assert response.status_code == 302
    assert Airport.objects.get(pk="KDEN").name == "Typed"
    assert Changeset.objects.filter(status="failed").count() == 0


def test_adding_keeps_what_was_typed_too(places, operator, browse_as, others_write) -> None:
    client = browse_as(operator)
    others_write()

    response = client.post("/admin/base/country/add/", {"name": "France", "iso_code": "FR", "active": "on"})

    assert response.status_code == 503
    assert 'value="France"' in response.content.decode()
    assert not Country.objects.filter(iso_code="FR").exists()


def test_an_act_says_who_reverts_and_keeps_the_reason(places, steward, browse_as, others_write) -> None:
    client = browse_as(steward)
    address = "/admin/airports/airport/KDEN/delete/"
    token = client.get(address).context["token"]
    others_write()

    response = client.post(address, {"seen": token, "confirm": "yes", "reason": "closed for good"})

    page = response.content.decode()
    assert response.status_code == 503
    assert "a revert by stan since" in page
    assert "closed for good" in page


def test_what_cannot_be_shown_again_is_kept_on_the_page_that_says_so(
    places, steward, browse_as, others_write, edit
) -> None:
    client = browse_as(steward)
    made = edit("KDEN", name="Denver Intl")
    address = f"/admin/changesets/changeset/{made.pk}/revert/"
    token = client.get(address).context["token"]
    others_write()

    response = client.post(address, {"seen": token, "reason": "<wrong>"})

    page = response.content.decode()
    assert response.status_code == 503
    assert "&lt;wrong&gt;" in page
    assert Airport.objects.get(pk="KDEN").name == "Denver Intl"


@pytest.mark.skipif(connection.vendor == "postgresql", reason="only SQLite lets nobody pin while others write tables")
def test_pinning_says_so_and_keeps_the_note(places, steward, browse_as, others_write) -> None:
    client = browse_as(steward)
    address = "/admin/airports/airport/KDEN/pin/name/"
    token = client.get(address).context["token"]
    others_write()

    response = client.post(address, {"seen": token, "reason": "painted so"})

    assert response.status_code == 503
    assert "painted so" in response.content.decode()
    assert not Pin.objects.exists()


def test_reading_waits_for_nobody(places, viewer, browse_as, others_write) -> None:
    client = browse_as(viewer)
    others_write()

    pages = [client.get(address) for address in (KDEN, "/admin/airports/airport/", "/admin/")]

    assert [page.status_code for page in pages] == [200] * 3


def test_the_patience_of_a_page_ends_with_it(places, viewer, browse_as) -> None:
    ask = "PRAGMA busy_timeout" if connection.vendor == "sqlite" else "SHOW lock_timeout"
    with connection.cursor() as cursor:
        before = cursor.execute(ask).fetchone()

        browse_as(viewer).get(KDEN)

        assert cursor.execute(ask).fetchone() == before
