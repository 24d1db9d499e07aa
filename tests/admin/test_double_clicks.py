"""The same button pressed twice at once: it is done once, and both clicks lead to what was done."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client

from apps.airports.models import Airport
from apps.changesets.models import Changeset
from tests.admin.bulk import LISTS, act

pytestmark = pytest.mark.django_db(transaction=True)


def click_twice(client: Client, address: str, posted: dict) -> list[str]:
    """Post the same form twice at once; return where each answer leads."""

    def click(_: int) -> str:
        own = Client()
        own.cookies = client.cookies
        try:
            return own.post(address, posted).url
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as clicks:
        return list(clicks.map(click, range(2)))


def test_a_revert_is_done_once(places, steward, browse_as, edit):
    made = edit("KDEN", name="Denver Intl")
    client, address = browse_as(steward), f"/admin/changesets/changeset/{made.pk}/revert/"
    token = client.get(address).context["token"]

    led_to = click_twice(client, address, {"seen": token, "reason": "it was right"})

    undone = Changeset.objects.get(kind="revert")
    assert led_to == [f"/admin/changesets/changeset/{undone.pk}/change/"] * 2
    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"


def test_a_bulk_action_is_done_once(places, steward, browse_as):
    client = browse_as(steward)
    token = act(client, LISTS["airport"], "delete_selected", ["KBKF", "KDEN"]).context["token"]
    posted = {"action": "delete_selected", "_selected_action": ["KBKF", "KDEN"], "confirm": "yes", "reason": "closed"}

    led_to = click_twice(client, LISTS["airport"], {**posted, "seen": token})

    deletion = Changeset.objects.get(kind="delete")
    assert led_to == [f"/admin/changesets/changeset/{deletion.pk}/change/"] * 2
    assert list(Airport.objects.values_list("pk", flat=True)) == ["EDDM"]


@pytest.mark.parametrize("broken", ["add", "set"])
def test_an_act_is_answered_where_the_board_cannot_be_written(places, steward, browse_as, edit, monkeypatch, broken):
    made = edit("KDEN", name="Denver Intl")
    client, address = browse_as(steward), f"/admin/changesets/changeset/{made.pk}/revert/"
    token = client.get(address).context["token"]

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(caches["progress"]), broken, full)

    answer = client.post(address, {"seen": token, "reason": "it was right"})

    assert answer.url == f"/admin/changesets/changeset/{Changeset.objects.get(kind='revert').pk}/change/"
