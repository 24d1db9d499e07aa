"""An object that was renamed: its old addresses lead to it, its history is whole, and its origins stay true."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.history.origins import origins_of
from apps.changesets.history.renames import KeyHistory
from apps.changesets.revert import plan_revert, revert
from apps.changesets.tracking import tracked_for
from apps.imports.models import PlannedRow, RowKind
from apps.imports.pages.plan_rows import shown_rows
from tests.admin.runs import make_run

pytestmark = pytest.mark.django_db
OLD, NEW = "/admin/airports/airport/KDEN/", "/admin/airports/airport/KDNX/"


@pytest.fixture
def renamed(places, rename):
    return rename("KDEN", "KDNX")


def undo(made, actor=None):
    return revert(plan_revert([made]), actor=actor, reason="undo")


@pytest.mark.parametrize("page", ["change", "history", "as-of"])
def test_an_old_address_leads_to_the_living_object_and_says_so(renamed, steward, browse_as, page):
    response = browse_as(steward).get(f"{OLD}{page}/", follow=True)

    assert response.redirect_chain == [(f"{NEW}{page}/", 302)]
    text = response.content.decode()
    assert f"KDEN is now KDNX · Denver International Airport: #{renamed.pk} Import renamed it." in text
    assert "is deleted" not in text


def test_an_old_address_with_a_moment_keeps_the_moment(renamed, places, viewer, browse_as):
    response = browse_as(viewer).get(f"{OLD}as-of/", {"at": f"after-{places['import'].pk}"}, follow=True)

    assert response.redirect_chain == [(f"{NEW}as-of/?at=after-{places['import'].pk}", 302)]
    assert "KDEN · Denver International Airport" in response.context["title"]


@pytest.mark.parametrize("page", ["change", "delete", "actions/relink", "actions/undo_last_change"])
def test_what_is_posted_to_an_old_address_does_nothing_and_says_so(renamed, steward, browse_as, page):
    before = Airport.objects.values().get(pk="KDNX")

    response = browse_as(steward).post(f"{OLD}{page}/", {"reason": "x", "name": "x"}, follow=True)

    assert f"{NEW}change/" in response.redirect_chain[0][0]
    assert "Nothing was done." in response.content.decode()
    assert Airport.objects.values().get(pk="KDNX") == before


def test_who_may_not_look_learns_nothing_from_an_old_address(renamed, outsider, browse_as):
    for page in ("change", "history", "as-of"):
        assert browse_as(outsider).get(f"{OLD}{page}/").status_code == 403


def test_what_is_really_deleted_is_still_called_so(renamed, viewer, browse_as):
    Airport.objects.get(pk="KDNX").delete()

    for address in (OLD, NEW):
        assert "is deleted" in browse_as(viewer).get(f"{address}change/", follow=True).content.decode()


def test_the_history_is_that_of_the_object_under_all_its_keys(places, viewer, browse_as, edit, rename):
    first = edit("KDEN", name="Mile High")
    renaming = rename("KDEN", "KDNX")
    later = edit("KDNX", name="Denver")

    page = browse_as(viewer).get(f"{NEW}history/")

    entries = [(row.changeset_id, row.entry.operation) for row in page.context["page_obj"]]
    imported = places["import"].pk
    assert entries == [(later.pk, "changed"), (renaming.pk, "renamed"), (first.pk, "changed"), (imported, "created")]
    assert f"{OLD}history/" in page.content.decode()  # Its versions stand at the key that they had.


def test_versions_under_the_old_key_are_shown_and_can_be_gone_back_to(places, steward, browse_as, edit, rename):
    edit("KDEN", name="Mile High")
    rename("KDEN", "KDNX")
    version = Airport.history.filter(ident="KDEN", name="Denver International Airport").earliest("history_id")
    client = browse_as(steward)

    assert client.get(f"{OLD}history/{version.pk}/").status_code == 200
    plan = client.get(f"{OLD}go-back/{version.pk}/")
    answer = {"seen": plan.context["token"], "reason": "better", "field": ["name"]}
    client.post(f"{OLD}go-back/{version.pk}/", answer)

    assert Airport.objects.get(pk="KDNX").name == "Denver International Airport"


def test_a_key_that_another_object_has_now_tells_of_the_one_that_had_it(places, viewer, browse_as, rename):
    made = rename("KDEN", "KDNX")
    rename("KBKF", "KDEN")
    client = browse_as(viewer)

    for page in ("change", "history"):
        text = client.get(f"{OLD}{page}/").content.decode()
        assert f"Until #{made.pk} Import the ident KDEN was that of" in text
        assert 'href="/admin/airports/airport/KDNX/change/">KDNX · Denver International Airport</a>' in text
    entries = client.get(f"{OLD}history/").context["page_obj"]
    assert {row.source_id for row in entries} == {3410}


def test_a_result_links_to_the_object_that_had_the_key_then(places, viewer, browse_as, edit, rename):
    made = edit("KDEN", name="Mile High")
    rename("KDEN", "KDNX")
    rename("KBKF", "KDEN")

    page = browse_as(viewer).get(f"/admin/changesets/changeset/{made.pk}/change/").content.decode()

    assert f'href="{NEW}change/"' in page
    assert f'href="{OLD}change/"' not in page


def test_a_result_links_to_the_living_object_in_one_step(places, viewer, browse_as, edit, rename):
    made = edit("KDEN", name="Mile High")
    rename("KDEN", "KDX")
    rename("KDX", "KDNX")

    page = browse_as(viewer).get(f"/admin/changesets/changeset/{made.pk}/change/").content.decode()

    assert f'href="{NEW}change/"' in page
    assert OLD not in page


def test_a_map_names_and_links_what_moved_farthest_as_the_object_that_had_the_key_then(
    places, viewer, browse_as, edit, rename
):
    edit("KDEN", latitude_deg=50, longitude_deg=8)
    moved = edit("KDEN", latitude_deg=10, longitude_deg=8)
    rename("KDEN", "KDNX")
    rename("KBKF", "KDEN")

    shown = browse_as(viewer).get(f"/admin/changesets/changeset/{moved.pk}/map/").context["farthest"]

    assert [(move.name, move.url) for move in shown] == [("KDEN · Denver International Airport", f"{NEW}change/")]


def test_the_history_of_a_renamed_object_takes_no_more_queries_for_more_rows(renamed, viewer, browse_as, edit):
    client = browse_as(viewer)
    edit("KDNX", actor=viewer, name="one")
    client.get(f"{NEW}history/")
    with CaptureQueriesContext(connection) as few:
        client.get(f"{NEW}history/")
    for number in range(20):
        edit("KDNX", actor=viewer, name=f"name {number}")

    with CaptureQueriesContext(connection) as many:
        client.get(f"{NEW}history/")

    assert len(many) <= len(few)
    # One reads the whole history for the keys that the object had, where the count and the page each read it before.
    assert len(many) <= 15


def test_the_history_of_a_renamed_object_is_found_by_one_reading_of_all_history(renamed):
    of_key = KeyHistory(tracked_for(Airport), "KDNX")

    with CaptureQueriesContext(connection) as queries:
        rows = of_key.rows()
        found = (rows.count(), [(row.ident, row.history_type) for row in rows])

    # The index of history is of primary keys.
    all_read = [
        query["sql"] for query in queries if '"ident" =' not in query["sql"] and '"ident" IN' not in query["sql"]
    ]
    assert len(all_read) == 1
    assert found == (2, [("KDNX", "+"), ("KDEN", "+")])


def test_an_origin_survives_revert_and_redo(places, steward, browse_as, edit):
    with changeset(kind="import", actor=None) as update:
        Airport.objects.filter(pk="KDEN").update(name="Upstream")
    undone = undo(update)
    back = origins_of(Airport.objects.get(pk="KDEN"))["name"]
    redone = undo(undone)
    again = origins_of(Airport.objects.get(pk="KDEN"))["name"]

    assert (back.changeset, back.brought_back) == (places["import"], undone)
    assert (again.changeset, again.brought_back) == (update, redone)
    line = f"#{update.pk}</a>"
    page = browse_as(steward).get(f"{OLD}change/").content.decode()
    assert line in page
    assert f'brought back by <a href="/admin/changesets/changeset/{redone.pk}/change/">#{redone.pk}</a>' in page


def test_a_deleted_object_that_comes_back_keeps_the_origins_of_its_values(places, edit):
    made = edit("KDEN", name="Mile High")
    with changeset(kind="delete", actor=None) as deletion:
        Airport.objects.get(pk="KDEN").delete()
    back = undo(deletion)

    origins = origins_of(Airport.objects.get(pk="KDEN"))

    assert (origins["name"].changeset, origins["name"].brought_back) == (made, back)
    assert (origins["elevation_ft"].changeset, origins["elevation_ft"].brought_back) == (places["import"], back)


def test_a_value_that_a_person_sets_again_is_that_persons(places, edit):
    edit("KDEN", name="Mile High")
    again = edit("KDEN", name="Denver International Airport")

    origin = origins_of(Airport.objects.get(pk="KDEN"))["name"]

    assert (origin.changeset, origin.brought_back) == (again, None)


def test_a_row_of_an_import_links_to_its_object_under_the_key_that_it_has_now(places, viewer, rename):
    run = make_run(viewer, status="applied", changeset=rename("KDEN", "KDVX"))
    row = PlannedRow(run=run, kind=RowKind.CHANGED, line=2, old_pk="KDEN", new_pk="KDVX", label="Denver")
    assert shown_rows(run, [row], missing="report", user=viewer)[0].url == "/admin/airports/airport/KDVX/change/"

    rename("KDVX", "KDEX")
    rename("KBKF", "KDVX")

    assert shown_rows(run, [row], missing="report", user=viewer)[0].url == "/admin/airports/airport/KDEX/change/"
