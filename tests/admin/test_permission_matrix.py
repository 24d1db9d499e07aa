"""Who may do what: every address of the admin, by GET and by POST, as everybody; and that reading changes nothing.

A page that is new fails here until it has its line in `permission_table.py`.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from apps.airports.groups import GROUPS
from apps.changesets.admin import ChangesetAdmin
from apps.changesets.models import Changeset
from apps.changesets.pages.bulk_registry import actions_of
from tests.admin.bulk import act, confirm, list_of
from tests.admin.everywhere import MODELS, addresses, clients, everything  # noqa: F401 - two are fixtures
from tests.admin.permission_table import ACTIONS, PAGES, PEOPLE, expected, line_of, may

# ruff: noqa: F811 - fixtures are imported
# Who may what is asked of the admin alone; on both databases tests/matrix asks, and compares every table.
pytestmark = [pytest.mark.django_db, pytest.mark.once]
TEMPORARY = "temp."


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Write no log of all the refusals, each with its traceback: that takes longer than the refusals."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def ask(client: Client, method: str, address: str) -> int:
    """Return the status of an answer, all of which is read."""
    answer = getattr(client, method)(address)
    if answer.streaming:
        b"".join(answer)
    return answer.status_code


def test_every_page_has_its_line_and_every_line_its_page(addresses):
    assert {line_of(page) for page in addresses} == set(PAGES)


def test_reading_is_for_those_who_may_and_writes_nothing(addresses, clients):
    before, written = everything(), []

    def watch(execute: Callable, sql: str, *rest: Any) -> Any:
        if sql.split()[0] in ("INSERT", "UPDATE", "DELETE") and TEMPORARY not in sql:
            written.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        answers = {
            (page, who): ask(client, "get", address)
            for page, address in addresses.items()
            for who, client in clients.items()
        }

    assert answers == expected(addresses, "get")
    assert written == []
    assert everything() == before


def test_asking_for_the_head_is_answered_like_reading(addresses, clients):
    client = clients["approver"]

    answers = {page: ask(client, "head", address) for page, address in addresses.items()}

    assert answers == {page: status for (page, who), status in expected(addresses, "get").items() if who == "approver"}


def test_posting_is_for_those_who_may(addresses, clients):
    before, answers = everything(), {}

    for page, address in addresses.items():
        for who, client in clients.items():
            with transaction.atomic():
                answers[page, who] = ask(client, "post", address)
                # What was refused must have left nothing to take back.
                transaction.set_rollback(answers[page, who] not in (403, 405))

    assert answers == expected(addresses, "post")
    assert everything() == before


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_answered_with_405_on_every_page(method, addresses, clients):
    before, answers = everything(), {}

    for page, address in addresses.items():
        response = getattr(clients["approver"], method)(address)
        answers[page] = response.status_code if response.status_code == 403 else response.get("Allow", "")

    allowed = {403, "POST", "GET, HEAD", "GET, HEAD, POST", "GET, POST"}
    assert {page: answer for page, answer in answers.items() if answer not in allowed} == {}
    assert everything() == before


def test_every_action_of_every_list_is_for_those_who_may(clients, addresses):
    before, answers = everything(), {}

    for model in MODELS:
        for name in actions_of(model._meta.label_lower):
            for who, client in clients.items():
                # A confirmation without a reason shows the page again, and is no way around the permission.
                answer = confirm(client, list_of(model), name, [model.objects.first().pk], reason="")
                answers[model._meta.model_name, name, who] = answer.status_code

    assert answers == {
        (model, name, who): 302 if who == "anonymous" else 200 if may(who, least) else 403
        for model, actions in ACTIONS.items()
        for name, least in actions.items()
        for who in PEOPLE
    }
    assert everything() == before


@pytest.mark.parametrize("name", ChangesetAdmin.actions)
def test_changesets_are_reverted_from_their_list_by_those_who_may(name, clients, places):
    before, keys = everything(), [places["import"].pk]

    answers = {who: act(client, list_of(Changeset), name, keys) for who, client in clients.items()}

    assert {who for who, answer in answers.items() if "/revert/?" in getattr(answer, "url", "")} == {
        "steward",
        "approver",
    }
    assert everything() == before


def test_pages_show_what_a_person_may_do(addresses, clients):
    buttons = [page for page in addresses if page.startswith("<model>_actions")]
    for who in GROUPS:
        shown = "".join(
            clients[who].get(address).content.decode()
            for page, address in addresses.items()
            if page.startswith(("<model>_changelist", "<model>_change "))
        )

        assert {page for page in buttons if f'"{addresses[page]}"' in shown} == {
            page for page in buttons if may(who, PAGES[line_of(page)][0].split()[0])
        }
        actions = {name: least for of in ACTIONS.values() for name, least in of.items()}
        assert {name for name in actions if f'<option value="{name}">' in shown} == {
            name for name, least in actions.items() if may(who, least)
        }
