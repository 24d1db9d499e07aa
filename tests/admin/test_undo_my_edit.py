"""Who made an edit may undo that own newest edit, without the permission to revert; and nobody else may."""

import pytest
from django.contrib.auth.models import Permission

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.models import Changeset

pytestmark = pytest.mark.django_db
OLD = "Denver International Airport"


@pytest.fixture
def ed(make_person):
    """An editor, who may change airports and may not revert."""
    return make_person("ed", group="editor")


@pytest.fixture
def mine(places, edit, ed) -> Changeset:
    return edit("KDEN", actor=ed, reason="as signed", name="Denver Intl")


def undo_of(made) -> str:
    return f"/admin/changesets/changeset/{made.pk}/undo/"


def undo(client, made, *, reason="a typing error"):
    page = client.get(undo_of(made))
    token = (page.context or {}).get("token", "")
    return client.post(undo_of(made), {"seen": token, "reason": reason}, follow=True)


def refused(client, made, words) -> None:
    """See that the page says why not, and that a post changes nothing."""
    before = Airport.objects.get(pk="KDEN").name
    page, told = client.get(undo_of(made)).content.decode(), undo(client, made).content.decode()
    assert words in page
    assert 'name="reason"' not in page
    assert words in told
    assert Airport.objects.get(pk="KDEN").name == before


def test_the_page_shows_what_goes_back_and_writes_nothing(mine, ed, browse_as):
    page = browse_as(ed).get(undo_of(mine)).content.decode()

    assert "<del>Denver Intl</del>" in page
    assert f"<ins>{OLD}</ins>" in page
    assert Airport.objects.get(pk="KDEN").name == "Denver Intl"


def test_an_editor_undoes_the_own_edit_as_a_changeset_of_its_own(mine, ed, browse_as):
    page = undo(browse_as(ed), mine).content.decode()

    made = Changeset.objects.first()
    assert Airport.objects.get(pk="KDEN").name == OLD
    assert (made.kind, made.actor, made.reason, list(made.reverts.all())) == ("revert", ed, "a typing error", [mine])
    assert Changeset.objects.get(pk=mine.pk).status == "reverted"
    assert f"{mine} is reverted" in page


def test_a_reason_is_asked_for(mine, ed, browse_as):
    page = undo(browse_as(ed), mine, reason="").content.decode()

    assert "Say why: others will read it beside the change." in page
    assert Airport.objects.get(pk="KDEN").name == "Denver Intl"


def test_the_way_stands_where_the_edit_is_seen(mine, ed, browse_as):
    client, way = browse_as(ed), f'href="{undo_of(mine)}"'

    assert way in client.get(f"/admin/changesets/changeset/{mine.pk}/change/").content.decode()
    assert client.get("/admin/airports/airport/KDEN/history/").content.decode().count(way) == 1


def test_the_sentence_after_saving_leads_to_it(places, ed, browse_as, open_form):
    client, address = browse_as(ed), "/admin/airports/airport/KDEN/change/"
    form = open_form(client, address) | {"name": "Denver Intl"}

    page = client.post(address, form, follow=True).content.decode()

    assert f'href="{undo_of(Changeset.objects.first())}">Undo my edit…</a>' in page


def test_who_may_change_and_not_view_changesets_undoes_it_too(places, edit, outsider, only):
    client = only("change_airport")
    made = edit("KDEN", actor=outsider, name="Denver Intl")

    done = undo(client, made)

    assert Airport.objects.get(pk="KDEN").name == OLD
    assert done.redirect_chain[-1][0] == "/admin/airports/airport/KDEN/change/"
    assert done.status_code == 200


def test_an_edit_of_another_is_not_undone(places, edit, ed, viewer, browse_as):
    made = edit("KDEN", actor=viewer, name="Denver Intl")

    assert browse_as(ed).get(undo_of(made)).status_code == 403
    assert browse_as(ed).post(undo_of(made), {"reason": "x"}).status_code == 403
    assert Airport.objects.get(pk="KDEN").name == "Denver Intl"
    assert "Undo my edit" not in browse_as(ed).get("/admin/airports/airport/KDEN/history/").content.decode()


@pytest.mark.parametrize("number", [4711, 0])
def test_what_is_not_there_is_not_undone(ed, browse_as, number):
    assert browse_as(ed).get(f"/admin/changesets/changeset/{number}/undo/").status_code == 403


def test_what_was_changed_since_is_not_undone(mine, ed, edit, viewer, browse_as):
    newer = edit("KDEN", actor=viewer, elevation_ft=1)

    refused(browse_as(ed), mine, f"was changed since, in {newer}: ask somebody who may revert changesets.")


def test_what_was_renamed_since_is_not_undone(mine, ed, rename, browse_as):
    renamed = rename("KDEN", "KDXX")

    page = browse_as(ed).get(undo_of(mine)).content.decode()

    assert f"was changed since, in {renamed}" in page


def test_what_is_undone_is_not_undone_again(mine, ed, browse_as):
    client = browse_as(ed)
    undo(client, mine)

    refused(client, mine, f"{mine} is undone already")


def test_a_changeset_of_another_kind_is_not_undone(places, ed, browse_as):
    with changeset(kind="bulk_action", actor=ed) as made:
        Airport.objects.filter(pk="KDEN").update(name="Denver Intl")

    assert browse_as(ed).post(undo_of(made), {"reason": "x"}).status_code == 403
    assert Airport.objects.get(pk="KDEN").name == "Denver Intl"


def test_an_edit_of_several_objects_is_not_undone(places, ed, browse_as):
    with changeset(kind="edit", actor=ed) as made:
        Airport.objects.filter(pk__in=["KDEN", "KBKF"]).update(name="Denver Intl")

    refused(browse_as(ed), made, f"{made} is no edit of one object.")


def test_who_may_not_change_any_more_undoes_nothing(mine, ed, browse_as):
    client = browse_as(ed)
    token = client.get(undo_of(mine)).context["token"]
    ed.groups.clear()
    ed.user_permissions.set(Permission.objects.filter(codename="view_airport"))

    answers = [client.get(undo_of(mine)), client.post(undo_of(mine), {"seen": token, "reason": "x"})]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert "airports.change_airport" in answers[1].content.decode()
    assert Airport.objects.get(pk="KDEN").name == "Denver Intl"


def test_undoing_what_was_added_takes_the_permission_to_delete(places, ed, steward, browse_as):
    with changeset(kind="edit", actor=ed) as made:
        Airport.objects.create(ident="NEW", source_id=1, name="New", airport_type="heliport")

    assert browse_as(ed).get(undo_of(made)).status_code == 403
    ed.user_permissions.add(Permission.objects.get(codename="delete_airport"))
    undo(browse_as(ed), made)
    assert not Airport.objects.filter(pk="NEW").exists()


def test_a_change_after_the_page_was_shown_is_not_overwritten(mine, ed, edit, viewer, browse_as):
    client = browse_as(ed)
    token = client.get(undo_of(mine)).context["token"]
    edit("KDEN", actor=viewer, name="Denver Metro")

    page = client.post(undo_of(mine), {"seen": token, "reason": "x"}).content.decode()

    assert "was changed since" in page
    assert Airport.objects.get(pk="KDEN").name == "Denver Metro"


def test_a_token_is_asked_for(mine, ed, browse_as):
    browse_as(ed).post(undo_of(mine), {"reason": "x"})

    assert Airport.objects.get(pk="KDEN").name == "Denver Intl"
