"""The buttons of an object's page: who sees and may use them, by page and by address; and undoing the last change."""

import pytest

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.models import Changeset

pytestmark = pytest.mark.django_db
GROUPS = ("viewer", "editor", "importer", "steward", "approver")
EDITORS = {"editor", "importer", "steward", "approver"}
STEWARDS = {"steward", "approver"}
# tool -> the groups that may use it.
TOOLS = {"backup": EDITORS, "restore": STEWARDS, "undo_last_change": STEWARDS}
IMPORTERS = EDITORS - {"editor"}
LINK_TOOLS = {
    "KDEN": {"relink": IMPORTERS, "clear_country": STEWARDS, "clear_city": STEWARDS},
    "denver": {"relink": IMPORTERS, "clear_city": STEWARDS},
    "usa": {"relink": IMPORTERS, "clear_country": STEWARDS},
}
OBJECTS = {"airports/airport": "KDEN", "base/city": "denver", "base/country": "usa"}
ADDRESSES = {
    f"/admin/{table}/{{{key}}}/actions/{tool}/": may
    for table, key in OBJECTS.items()
    for tool, may in (TOOLS | LINK_TOOLS[key]).items()
}


@pytest.fixture
def pages(places) -> list[str]:
    """The address of one object of each table."""
    return [f"/admin/{table}/{places[key].pk}" for table, key in OBJECTS.items()]


@pytest.mark.parametrize("group", [*GROUPS, None])
def test_buttons_answer_those_who_may_and_nobody_else(group, places, make_person, browse_as):
    client = browse_as(make_person("somebody", group=group))
    keys = {key: places[key].pk for key in OBJECTS.values()}
    before = Changeset.objects.count()

    for address, may in ADDRESSES.items():
        answers = {client.get(address.format(**keys)).status_code, client.post(address.format(**keys)).status_code}
        assert answers <= ({200, 302} if group in may else {403}), address
    assert Changeset.objects.count() == before


@pytest.mark.parametrize("group", GROUPS)
def test_the_page_shows_the_buttons_that_the_person_may_use(group, places, pages, make_person, browse_as):
    client = browse_as(make_person("somebody", group=group))
    addresses = {
        address.format(**{key: places[key].pk for key in OBJECTS.values()}): may for address, may in ADDRESSES.items()
    }

    shown = "".join(client.get(f"{page}/change/").content.decode() for page in pages)

    assert {address for address in addresses if f'"{address}"' in shown} == {
        address for address, may in addresses.items() if group in may
    }
    assert all(f"{page}/history/" in shown for page in pages)


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(method, pages, steward, browse_as):
    assert getattr(browse_as(steward), method)(f"{pages[0]}/actions/backup/").status_code == 405


def test_what_is_no_button_or_no_object_is_not_found(places, steward, browse_as):
    client = browse_as(steward)

    assert client.get("/admin/airports/airport/KDEN/actions/save_model/").status_code == 404
    assert client.post("/admin/airports/airport/NONE/actions/backup/").status_code == 404
    assert client.post("/admin/base/city/x/actions/backup/").status_code == 404


def test_a_key_with_strange_characters_has_its_buttons(places, steward, browse_as):
    Airport.objects.filter(pk="KDEN").update(ident="K/D_N")
    client = browse_as(steward)

    page = client.get("/admin/airports/airport/K_2FD_5FN/change/").content.decode()

    assert "/admin/airports/airport/K_2FD_5FN/actions/backup/" in page
    assert client.get("/admin/airports/airport/K_2FD_5FN/actions/backup/").status_code == 200


def test_undo_leads_to_the_plan_of_the_newest_change_of_this_object(places, steward, browse_as, edit):
    edit("KDEN", name="first")
    newest = edit("KDEN", name="second")
    edit("EDDM", name="another")

    answer = browse_as(steward).post("/admin/airports/airport/KDEN/actions/undo_last_change/")

    assert answer.url == f"/admin/changesets/changeset/{newest.pk}/revert/?model=airports.airport&pk=KDEN"
    assert browse_as(steward).get(answer.url).status_code == 200
    assert Airport.objects.get(pk="KDEN").name == "second"


def test_undo_of_a_deletion_leads_to_its_plan_too(places, steward, browse_as):
    with changeset(kind="delete", actor=steward) as deletion:
        Airport.objects.filter(pk="KDEN").delete()

    answer = browse_as(steward).get("/admin/airports/airport/KDEN/actions/undo_last_change/")

    assert answer.url.startswith(f"/admin/changesets/changeset/{deletion.pk}/revert/")


def test_what_cannot_be_undone_is_told(places, steward, browse_as):
    Changeset.objects.filter(pk=places["import"].pk).update(kind="baseline")

    answer = browse_as(steward).get("/admin/airports/airport/KDEN/actions/undo_last_change/", follow=True)

    assert f"Its newest change, #{places['import'].pk} Baseline, cannot be undone" in answer.content.decode()
