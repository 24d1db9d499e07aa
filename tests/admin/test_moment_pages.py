"""The read-only pages of a table and of an object at a moment, and of what changed between two."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.airports.models import Airport
from apps.changesets.context import changeset

pytestmark = pytest.mark.django_db
LIST = "/admin/airports/airport/as-of/"
BETWEEN = "/admin/airports/airport/between/"
OBJECT = "/admin/airports/airport/KDEN/as-of/"


def test_the_list_before_a_changeset_shows_the_old_values(places, viewer, browse_as, edit):
    made = edit("KDEN", name="Denver Intl")
    client = browse_as(viewer)

    before = client.get(LIST, {"at": f"before-{made.pk}"}).content.decode()
    after = client.get(LIST, {"at": f"after-{made.pk}"}).content.decode()

    assert "Denver International Airport" in before
    assert "Denver Intl<" in after
    assert "<strong>3</strong> airports" in before


@pytest.mark.parametrize(("term", "found"), [("munich", ["EDDM"]), ("kden", ["KDEN"]), ("nowhere", [])])
def test_the_list_at_a_moment_is_searched_as_the_list_is(places, viewer, browse_as, term, found):
    page = browse_as(viewer).get(LIST, {"q": term}).context["page"]

    assert [row.ident for row in page.object_list] == found


def test_a_date_before_everything_says_what_to_do(places, viewer, browse_as):
    page = browse_as(viewer).get(LIST, {"at": "1999-01-01"}).content.decode()

    assert "There were no airports yet. Choose a later moment." in page


@pytest.mark.parametrize("path", [LIST, OBJECT])
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"at": "soon"}, "“soon” is not a date"),
        ({"changeset": "99999"}, "There is no changeset #99999."),
        ({"changeset": "x"}, "is not the number of a changeset"),
    ],
)
def test_a_moment_that_is_none_gets_a_sentence(places, viewer, browse_as, path, query, sentence):
    response = browse_as(viewer).get(path, query)

    assert response.status_code == 200
    assert sentence in response.content.decode()


def test_the_table_of_a_moment_is_downloaded(places, viewer, browse_as, edit):
    made = edit("KDEN", name="=HYPERLINK(1)")

    response = browse_as(viewer).get(LIST, {"at": f"after-{made.pk}", "format": "csv"})
    text = b"".join(response.streaming_content).decode()

    assert response["Content-Disposition"] == f'attachment; filename="airports-after-{made.pk}.csv"'
    assert text.count("\r\n") == 4
    assert "'=HYPERLINK(1)" in text


def test_an_object_then_has_all_values_and_the_difference_to_now(places, viewer, browse_as, edit):
    edit("KDEN", name="Denver Intl")

    page = browse_as(viewer).get(OBJECT, {"at": f"after-{places['import'].pk}"}).content.decode()

    assert "<del>Denver International Airport</del>" in page
    assert "<ins>Denver Intl</ins>" in page
    assert "<dt>Elevation (ft)</dt><dd>5431</dd>" in page


def test_an_object_that_was_not_there_then_is_said_to_be_absent(places, viewer, browse_as):
    page = browse_as(viewer).get(OBJECT, {"at": f"before-{places['import'].pk}"}).content.decode()

    assert "did not exist before" in page


def test_what_changed_between_two_moments_is_counted_and_filtered(places, viewer, browse_as, edit):
    edit("KDEN", name="Denver Intl")
    with changeset(kind="delete", actor=None):
        Airport.objects.filter(pk="KBKF").delete()
    client = browse_as(viewer)

    response = client.get(BETWEEN, {"from": f"after-{places['import'].pk}", "to": "now"})
    deleted = client.get(BETWEEN, {"from": f"after-{places['import'].pk}", "operation": "deleted"})

    assert response.context["counts"] == {"changed": 1, "deleted": 1}
    assert [change.pk for change, _ in deleted.context["rows"]] == ["KBKF"]


def test_the_same_moment_twice_is_no_change(places, viewer, browse_as):
    page = browse_as(viewer).get(BETWEEN, {"from": "now", "to": "now"}).content.decode()

    assert "no net change" in page


@pytest.mark.parametrize("path", [LIST, LIST + "?q=a", BETWEEN + "?from=1999-01-01", OBJECT])
def test_more_rows_take_no_more_queries(path, places, viewer, browse_as):
    client = browse_as(viewer)
    client.get(path)
    with CaptureQueriesContext(connection) as few:
        client.get(path)
    for number in range(40):
        Airport.objects.create(ident=f"A{number}", name=f"Airport {number}", country=places["usa"])

    with CaptureQueriesContext(connection) as many:
        client.get(path)

    assert len(many) <= len(few)


def test_the_pages_of_a_moment_follow_each_other_without_gaps(places, viewer, browse_as):
    Airport.objects.bulk_create(Airport(ident=f"A{number:03}", name="An airport") for number in range(120))
    client = browse_as(viewer)

    idents = [row.ident for page in (1, 2) for row in client.get(LIST, {"p": page}).context["page"].object_list]

    assert len(idents) == 123
    assert idents == sorted(set(idents))


def test_the_list_the_history_and_the_changeset_lead_there(places, viewer, browse_as):
    client, number = browse_as(viewer), places["import"].pk

    assert f'href="{LIST}"' in client.get("/admin/airports/airport/").content.decode()
    assert f"{OBJECT}?at=after-{number}" in client.get("/admin/airports/airport/KDEN/history/").content.decode()
    page = client.get(f"/admin/changesets/changeset/{number}/change/").content.decode()
    assert f"{LIST}?at=before-{number}" in page
    assert f"{LIST}?at=after-{number}" in page
