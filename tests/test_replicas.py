"""Replicas that are down, lag or lack something: their pages go to the primary."""

from collections.abc import Iterator

import pytest
from django.db import OperationalError, connections
from django.http import HttpRequest, HttpResponse
from django.test import Client

from apps.base.models import Country
from tests.test_routing import LIST, asked, root  # noqa: F401 - fixtures
from travelmathlite import replicas
from travelmathlite.replicas import forget_replicas, usable_replicas
from travelmathlite.routing import ReplicaMiddleware

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    forget_replicas()
    yield
    forget_replicas()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """How far the log of the primary is, and how far the replica has replayed it."""
    places = {"primary": "1", "replica": "1"}

    def ask(alias: str, question: str, *params: str) -> object:
        return places["replica"] >= params[0] if params else places["primary"]

    monkeypatch.setattr(replicas, "_ask", ask)
    monkeypatch.setattr(replicas, "_follows_a_log", lambda alias: True)
    return places


def fails(*args: object) -> None:
    raise OperationalError("the server closed the connection unexpectedly")


def test_a_page_whose_replica_fails_is_read_from_the_primary_and_so_are_the_next(root: Client, asked: list[str]):  # noqa: F811
    root.raise_request_exception = False
    with connections["replica"].execute_wrapper(fails):
        page = root.get(LIST)
        assert usable_replicas() == []

    assert page.status_code == 200
    assert "Switzerland" in page.content.decode()


def test_a_replica_that_cannot_be_asked_is_left_out_for_a_while(asked: list[str], monkeypatch):  # noqa: F811
    monkeypatch.setattr(replicas, "_seconds_behind", fails)
    assert usable_replicas() == []

    monkeypatch.setattr(replicas, "_seconds_behind", lambda alias, state: 0)
    assert usable_replicas() == []
    monkeypatch.setattr(replicas, "OUT_SECONDS", 0)
    replicas.leave_out("replica", "a test")

    assert usable_replicas() == ["replica"]


def test_a_replica_that_does_not_get_where_the_primary_was_is_left_out(asked: list[str], log, monkeypatch):  # noqa: F811
    now = 1000.0
    monkeypatch.setattr(replicas.time, "monotonic", lambda: now)
    log["primary"] = "2"
    assert usable_replicas() == ["replica"]

    now += 20
    log["primary"] = "3"
    assert usable_replicas() == []

    log["replica"] = "3"
    now += 20
    assert usable_replicas() == ["replica"]


def test_a_replica_that_is_always_a_little_behind_is_read_from(asked: list[str], log, monkeypatch):  # noqa: F811
    now = 1000.0
    monkeypatch.setattr(replicas.time, "monotonic", lambda: now)
    for step in range(2, 8):
        log["primary"], log["replica"] = str(step), str(step - 1)
        assert usable_replicas() == ["replica"]
        now += 10


@pytest.mark.parametrize("status", [404, 302, 500, 503])
def test_what_the_replica_does_not_have_is_asked_of_the_primary(asked: list[str], status: int):  # noqa: F811
    def page(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=status if Country.objects.all().db == "replica" else 200)

    request = HttpRequest()
    request.method = "GET"

    assert ReplicaMiddleware(page)(request).status_code == 200
