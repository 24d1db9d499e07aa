"""All rows of a bulk action's plan: what is shown is what is then done, row by row and value by value."""

import pytest

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.bulk import rehearsal
from apps.changesets.context import changeset
from apps.changesets.history.diff import changes_of
from apps.changesets.models import Changeset, StoredPlan, StoredRow
from tests.admin.bulk import LISTS, act, all_rows, confirm, newest

pytestmark = pytest.mark.django_db


@pytest.fixture
def untidy(places) -> dict:
    """Airports without links, two with one code, and a second Denver."""
    with changeset(kind="edit", actor=None):
        Airport.objects.filter(pk="KBKF").update(city=None, country=None, iata_code="DEN")
        Airport.objects.filter(pk="KDEN").update(iata_code="DEN")
        City.objects.create(country=places["usa"], name="Denver City", search_name="denver city")
    return places


def stored() -> dict[tuple[str, str], tuple[str, set[str]]]:
    """Return what is stored of each object: what becomes of it, and which fields get another value."""
    return {(row.model, row.object_pk): (row.bucket, set(row.changes or {})) for row in StoredRow.objects.all()}


def done(made: Changeset) -> dict[tuple[str, str], tuple[str, set[str]]]:
    """Return the same of what a changeset did."""
    return {
        (change.model, change.pk): (
            change.operation,
            {field.name for field in change.fields if not field.derived} if change.operation == "changed" else set(),
        )
        for change in changes_of(made)
    }


@pytest.mark.parametrize(
    ("table", "action", "posted"),
    [
        ("airport", "set_inactive", {}),
        ("airport", "clear_city", {}),
        ("airport", "clear_iata", {}),
        ("airport", "relink", {}),
        ("airport", "resolve_duplicates", {"rule": "clear"}),
        ("airport", "resolve_duplicates", {"rule": "delete"}),
        ("airport", "delete_selected", {}),
        ("airport", "set_field", {"field": "name", "value": "Denver"}),
        ("city", "set_field", {"field": "name", "how": "upper"}),
        ("city", "merge_city", {"target": "Denver"}),
        ("city", "clear_city", {}),
        ("city", "delete_selected", {}),
        ("country", "clear_country", {}),
    ],
)
def test_the_rows_shown_are_what_is_done(table, action, posted, untidy, admin_client):
    keys = [row.pk for row in {"airport": Airport, "city": City, "country": Country}[table].objects.all()]
    if action == "merge_city":
        keys = City.objects.filter(name__startswith="Denver").values_list("pk", flat=True)
    before = [all_rows(model) for model in (Airport, City, Country)]

    answer = act(admin_client, LISTS[table], action, keys, rows="all", **posted)
    shown, unwritten = stored(), [all_rows(model) for model in (Airport, City, Country)]
    page = admin_client.get(answer["Location"])
    number = Changeset.objects.count()
    confirm(admin_client, LISTS[table], action, keys, **posted)

    assert (unwritten, page.status_code, shown != {}) == (before, 200, True)
    assert Changeset.objects.count() == number + 1
    assert shown == done(newest())


def test_the_page_shows_values_now_and_after_and_filters(untidy, admin_client):
    answer = act(admin_client, LISTS["airport"], "clear_iata", ["KDEN", "KBKF", "EDDM"], rows="all")

    page = admin_client.get(answer["Location"], {"in": "iata_code", "q": "buckley"})

    (row,) = page.context["rows"]
    assert [(change.label, change.old, change.new) for change in row.changes] == [("IATA code", "DEN", None)]
    assert [(bar.label, bar.number) for _title, bars in page.context["bars"] for bar in bars] == [("IATA code", 3)]
    assert "Nothing is written yet" in page.content.decode()


def test_the_page_of_a_plan_says_that_something_changed_since(untidy, admin_client, edit):
    answer = act(admin_client, LISTS["airport"], "clear_city", ["KDEN"], rows="all")
    edit("KDEN", name="Denver by Olga")

    assert "Something changed since this plan was made" in admin_client.get(answer["Location"]).content.decode()


def test_a_plan_of_somebody_else_is_not_found(untidy, admin_client, steward, browse_as):
    answer = act(admin_client, LISTS["airport"], "clear_city", ["KDEN"], rows="all")

    assert browse_as(steward).get(answer["Location"]).status_code == 404


def test_rows_are_shown_to_nobody_who_may_not_see_them_any_more(untidy, steward, browse_as):
    client = browse_as(steward)
    answer = act(client, LISTS["airport"], "clear_city", ["KDEN"], rows="all")
    steward.groups.clear()

    assert client.get(answer["Location"]).status_code == 403


def test_a_refused_plan_leads_back_with_its_sentence(untidy, admin_client):
    page = act(admin_client, LISTS["country"], "delete_selected", [untidy["usa"].pk], rows="all")

    assert page.status_code == 302
    assert not StoredPlan.objects.exists()
    assert "Nothing was deleted" in admin_client.get(page["Location"]).content.decode()


def test_an_action_that_would_write_in_a_rehearsal_is_stopped(untidy, steward):
    plan = StoredPlan.objects.create(actor=steward, act="bulk", key="x", about=[], asked={})

    with pytest.raises(rehearsal.WritesAllTheSame), rehearsal.rehearsing(rehearsal.Rehearsal(plan)):
        Airport.objects.filter(pk="KDEN").update(name="x")
