"""What fails is a page of ours with a number that stands in the log, and needs no database itself."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from apps.airports.admin import AirportAdmin
from apps.changesets.admin import ChangesetAdmin
from apps.changesets.errors import RecordingNotInstalled

pytestmark = pytest.mark.django_db
LIST = "/admin/airports/airport/"


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Return a function that lets the list of airports fail, and from then on every statement."""

    def arrange(error: Exception) -> None:
        def refuse(*args: Any) -> None:
            raise error

        def fail(self: Any, request: Any, *args: Any) -> None:
            connection.execute_wrappers.append(refuse)
            raise error

        monkeypatch.setattr(AirportAdmin, "get_queryset", fail)

    yield arrange
    connection.execute_wrappers.clear()


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        ("connection failed: refused", 503, "The database cannot be reached"),
        ("no such table: airports_airport", 500, "lacks a table or column"),
        ("nobody knows", 500, "The database refused what the console asked for"),
    ],
)
def test_a_failure_of_the_database_is_a_page_with_a_number(
    words: str, status: int, sentence: str, debug: bool, viewer, browse_as, fails, settings, caplog
) -> None:
    settings.DEBUG = debug
    client = browse_as(viewer)
    fails(OperationalError(words))

    response = client.get(LIST)

    page = response.content.decode()
    number = re.search(r"number <b>(\w+)</b>", page)
    assert response.status_code == status
    assert sentence in page
    assert words not in page
    assert f"number {number[1]}: {words}" in caplog.text


def test_what_can_be_tried_again_leads_there(viewer, browse_as, fails) -> None:
    client = browse_as(viewer)
    fails(OperationalError("connection failed"))

    response = client.get(f"{LIST}?q=den")

    assert f'href="{LIST}?q=den"' in response.content.decode()
    assert response["Retry-After"] == "5"


def test_any_other_failure_is_a_page_with_a_number_too(viewer, browse_as, fails, caplog) -> None:
    client: Client = browse_as(viewer)
    client.raise_request_exception = False
    fails(ZeroDivisionError("a mistake of ours"))

    response = client.get(LIST)

    page = response.content.decode()
    number = re.search(r"number <b>(\w+)</b>", page)
    assert response.status_code == 500
    assert "unexpected error" in page
    assert f"number {number[1]}: a mistake of ours" in caplog.text


def test_a_refusal_that_no_page_shows_keeps_its_sentence(viewer, browse_as, fails) -> None:
    client = browse_as(viewer)
    fails(RecordingNotInstalled("The database does not record changes of airports_airport."))

    response = client.get(LIST)

    assert response.status_code == 500
    assert "does not record changes of airports_airport." in response.content.decode()


def test_passwords_are_not_kept_on_a_page(operator, browse_as, monkeypatch) -> None:
    def fail(self: Any, request: Any, *args: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(ChangesetAdmin, "get_queryset", fail)
    client = browse_as(operator)

    kept = client.post("/admin/changesets/changeset/", {"note": "typed"}).content.decode()
    secret = client.post("/admin/changesets/changeset/", {"note": "typed", "password1": "x"}).content.decode()

    assert 'value="typed"' in kept
    assert 'value="typed"' not in secret
