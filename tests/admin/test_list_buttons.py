"""The buttons above a list: undo the newest import, relink everything missing, validate."""

import pytest
from django.contrib.auth.models import Permission

from apps.airports.models import Airport
from apps.base.models import Country
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from apps.changesets.revert import plan_revert, revert
from tests.admin.bulk import LISTS, newest

pytestmark = pytest.mark.django_db
MISSING = LISTS["airport"] + "relink-missing/"


def buttons(client, address: str) -> dict[str, str]:
    return {words: url for url, words in client.get(address).context["list_tools"]}


def test_the_newest_import_of_the_list_s_model_can_be_undone(places, steward, browse_as):
    client, first = browse_as(steward), places["import"]
    with changeset(kind="import", actor=None) as second:
        Country.objects.filter(pk=places["usa"].pk).update(name="USA")

    offered = {name: buttons(client, address).get("Undo the newest import…") for name, address in LISTS.items()}

    plans = {made.pk: f"/admin/changesets/changeset/{made.pk}/revert/" for made in (first, second)}
    assert offered == {"country": plans[second.pk], "city": plans[first.pk], "airport": plans[first.pk]}
    assert "Reverting #" in client.get(offered["airport"]).content.decode()


def test_nothing_is_offered_once_every_import_is_undone(places, steward, browse_as):
    revert(plan_revert([places["import"]]), actor=steward, reason="wrong file")

    assert "Undo the newest import…" not in buttons(browse_as(steward), LISTS["airport"])


def test_buttons_are_shown_to_those_who_may(places, viewer, operator, browse_as):
    shown = [set(buttons(browse_as(person), LISTS["airport"])) for person in (viewer, operator)]

    assert shown == [{"Corrections", "Validate"}, {"Corrections", "Validate", "Relink everything missing…"}]


def test_validate_leads_to_the_findings_whoever_may_see_them(places, viewer, outsider, browse_as):
    client = browse_as(viewer)
    outsider.user_permissions.add(Permission.objects.get(codename="view_city"))

    shown = buttons(client, LISTS["city"])

    assert client.get(shown["Validate"]).status_code == 200
    assert "Validate" not in buttons(browse_as(outsider), LISTS["city"])


def test_what_lacks_a_link_is_relinked_after_its_plan(places, operator, browse_as, edit):
    edit("KDEN", city=None)
    edit("EDDM", country=None)
    client, before = browse_as(operator), Changeset.objects.count()

    page = client.get(MISSING).content.decode()
    refused = client.post(MISSING, {"reason": ""}).content.decode()
    unchanged = Changeset.objects.count() == before
    client.post(MISSING, {"confirm": "yes", "reason": "tidying"})

    assert "2 airports are selected" in page
    assert "Say why" in refused
    assert unchanged
    assert not Airport.objects.filter(country=None).exists()
    assert newest().counts == {"airports.airport": {"changed": 2}}


def test_where_nothing_lacks_a_link_it_says_so(places, operator, browse_as):
    answer = browse_as(operator).get(MISSING, follow=True)

    assert "Every airport has a country and a city" in answer.content.decode()
