"""The buttons of an object's page: by which methods, for what is there; and undoing the last change."""

import pytest

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.models import Changeset

pytestmark = pytest.mark.django_db
OBJECTS = {"airports/airport": "KDEN", "base/city": "denver", "base/country": "usa"}


@pytest.fixture
def pages(places) -> list[str]:
    """The address of one object of each table."""
    return [f"/admin/{table}/{places[key].pk}" for table, key in OBJECTS.items()]


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
    with changeset(kind="edit", actor=None) as newest:
        Airport.objects.filter(pk__in=("KDEN", "KBKF")).update(name="second")
    edit("EDDM", name="another")

    answer = browse_as(steward).post("/admin/airports/airport/KDEN/actions/undo_last_change/")

    assert answer.url == f"/admin/changesets/changeset/{newest.pk}/revert/?only=airports.airport%3AKDEN"
    assert "Only airport KDEN · second</strong>;" in browse_as(steward).get(answer.url).content.decode()
    assert Airport.objects.get(pk="KDEN").name == "second"


def test_undo_is_done_by_a_post_with_a_reason_and_to_this_object_alone(places, steward, browse_as, edit):
    with changeset(kind="edit", actor=None) as both:
        Airport.objects.filter(pk__in=("KDEN", "EDDM")).update(name="wrong")

    answer = browse_as(steward).post(
        "/admin/airports/airport/KDEN/actions/undo_last_change/", {"confirm": "yes", "reason": "it was right"}
    )

    made = Changeset.objects.first()
    assert answer.url == f"/admin/changesets/changeset/{made.pk}/change/"
    assert (made.kind, made.actor, made.reason, list(made.reverts.all())) == ("revert", steward, "it was right", [both])
    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"
    assert Airport.objects.get(pk="EDDM").name == "wrong"


def test_undo_of_a_change_of_this_object_alone_reverts_all_of_it(places, steward, browse_as, edit):
    newest = edit("KDEN", name="wrong")

    browse_as(steward).post("/admin/airports/airport/KDEN/actions/undo_last_change/", {"reason": "x"})

    newest.refresh_from_db()
    assert newest.status == "reverted"


def test_undo_of_a_deletion_leads_to_its_plan_too(places, steward, browse_as):
    with changeset(kind="delete", actor=steward) as deletion:
        Airport.objects.filter(pk="KDEN").delete()

    answer = browse_as(steward).get("/admin/airports/airport/KDEN/actions/undo_last_change/")

    assert answer.url.startswith(f"/admin/changesets/changeset/{deletion.pk}/revert/")


def test_what_cannot_be_undone_is_told(places, steward, browse_as):
    Changeset.objects.filter(pk=places["import"].pk).update(kind="baseline")

    answer = browse_as(steward).get("/admin/airports/airport/KDEN/actions/undo_last_change/", follow=True)

    assert f"Its newest change, #{places['import'].pk} Baseline, cannot be undone" in answer.content.decode()
