"""The page of what hangs on a changeset, and reverting all of it together."""

import pytest
from django.contrib.auth.models import Permission

from apps.airports.models import Airport
from apps.changesets.models import Changeset

pytestmark = pytest.mark.django_db
LIST = "/admin/changesets/changeset/"


@pytest.fixture
def chain(places, operator, edit) -> list[Changeset]:
    """Three changes of one airport, each of which built on the one before."""
    return [
        edit("KDEN", name="one"),
        edit("KDEN", actor=operator, name="two", elevation_ft=7),
        edit("KDEN", name="three"),
    ]


def test_the_page_lists_later_changesets_with_reasons_and_draws_them(chain, viewer, browse_as):
    first, second, third = chain

    page = browse_as(viewer).get(f"{LIST}{first.pk}/hanging/").content.decode()

    assert "2 later changesets build on" in page
    assert f"changed name of 1 airport after #{first.pk}" in page
    assert f"changed name of 1 airport after #{second.pk}" in page
    assert page.count('<path class="arc"') == 3
    assert page.count("<circle") == 3
    assert "together…" not in page
    assert f"#{third.pk} Edit" in page


def test_they_are_reverted_together_as_one_act(chain, steward, browse_as):
    client = browse_as(steward)
    address = client.get(f"{LIST}{chain[0].pk}/hanging/").context["together_url"]
    page = client.get(address)

    client.post(address, {"seen": page.context["token"], "reason": "all wrong"})

    assert page.context["plan"].counts == {"restored": 1}
    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"
    assert set(Changeset.objects.get(kind="revert").reverts.all()) == set(chain)


def test_nothing_hangs_on_the_newest(chain, viewer, browse_as):
    assert "Nothing depends on" in browse_as(viewer).get(f"{LIST}{chain[-1].pk}/hanging/").content.decode()


def test_the_page_of_a_changeset_leads_there(chain, viewer, browse_as):
    page = browse_as(viewer).get(f"{LIST}{chain[0].pk}/change/").content.decode()

    assert f'<a href="{LIST}{chain[0].pk}/hanging/">What depends on it</a>' in page


def test_who_may_not_see_the_objects_is_told_no_names_and_fields(chain, outsider, browse_as):
    outsider.user_permissions.add(Permission.objects.get(codename="view_changeset"))

    page = browse_as(outsider).get(f"{LIST}{chain[0].pk}/hanging/").content.decode()

    assert "objects that you may not see" in page
    assert "changed name" not in page
