"""The plan of a large revert is made and stored when a person asks for it, and its pages are read from there."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.models import Changeset, StoredPlan, StoredRow
from apps.changesets.revert import stored

pytestmark = pytest.mark.django_db
MOST = 15
NUMBER = 420


@pytest.fixture
def made(places) -> Changeset:
    """An import of many airports, of which some were renamed since."""
    with changeset(kind="import", actor=None, reason="many") as opened:
        Airport.objects.bulk_create(
            Airport(ident=f"X{n:03}", name=f"Strip {n}", airport_type="closed", city=places["denver"])
            for n in range(NUMBER)
        )
    with changeset(kind="edit", actor=None):
        Airport.objects.filter(pk__lt="X100", pk__startswith="X").update(name="by hand", city=places["munich"])
    return opened


@pytest.fixture
def changed(made, places) -> Changeset:
    """A bulk action that changed two fields of most of them, one of which was changed again on a few."""
    with changeset(kind="bulk_action", actor=None, reason="closed by mistake") as opened:
        Airport.objects.filter(pk__startswith="X").update(elevation_ft=7, country=places["usa"])
    with changeset(kind="edit", actor=None):
        Airport.objects.filter(pk__in=["X001", "X002", "X003"]).update(elevation_ft=8)
        Airport.objects.filter(pk="X004").delete()
    return opened


def address_of(made: Changeset) -> str:
    return f"/admin/changesets/changeset/{made.pk}/revert/"


@pytest.fixture(autouse=True)
def many_are_not_few(monkeypatch) -> None:
    monkeypatch.setattr(stored, "FEW", 300)


def plan(client, made: Changeset, asked: dict | None = None):
    """Have the plan made, and return the page that shows it."""
    client.post(address_of(made), {"show": "plan"})
    return client.get(address_of(made), asked or {})


def plans_made(monkeypatch) -> list:
    made, original = [], stored.merge_copies
    monkeypatch.setattr(stored, "merge_copies", lambda *args, **more: made.append(1) or original(*args, **more))
    return made


def keys_of(page) -> list[str]:
    return [row.verdict.pk for row in page.context["rows"]]


def changes_on(page) -> dict[str, tuple]:
    return {change.name: (change.old, change.new) for change in page.context["rows"][0].changes}


# -- stored once ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked", ["start=100", "bucket=deleted&start=300", "bucket=kept", "bucket=deleted&q=strip&kind=airports.airport"]
)
def test_further_pages_take_few_queries_and_make_no_plan(asked, made, steward, browse_as, monkeypatch):
    client, plans = browse_as(steward), plans_made(monkeypatch)
    plan(client, made)

    with CaptureQueriesContext(connection) as queries:
        client.get(f"{address_of(made)}?{asked}")

    assert len(queries) <= MOST, [query["sql"][:150] for query in queries]
    assert len(plans) == 1


@pytest.mark.parametrize("asked", ["bucket=restored&start=100", "bucket=partly", "bucket=restored&in=elevation_ft"])
def test_pages_with_values_take_few_queries(asked, changed, steward, browse_as):
    client = browse_as(steward)
    plan(client, changed)

    with CaptureQueriesContext(connection) as queries:
        page = client.get(f"{address_of(changed)}?{asked}")

    assert page.context["rows"]
    assert len(queries) <= MOST, [query["sql"][:150] for query in queries]


def test_all_pages_together_are_the_plan(made, steward, browse_as):
    client = browse_as(steward)

    plan(client, made)
    pages = [client.get(address_of(made), {"bucket": "deleted", "start": start}) for start in (0, 100, 200, 300)]

    assert [len(keys_of(page)) for page in pages] == [100, 100, 100, 20]
    assert [key for page in pages for key in keys_of(page)] == [f"X{n}" for n in range(100, NUMBER)]
    assert "Page 4 of 4" in pages[-1].content.decode()
    assert "301 to 320 of 320" in pages[-1].content.decode()


def test_a_kept_row_names_who_changed_it_on_every_page(made, steward, browse_as):
    client = browse_as(steward)
    plan(client, made)

    again = client.get(address_of(made), {"bucket": "kept"})

    since = Changeset.objects.get(kind="edit")
    verdict = again.context["rows"][0].verdict
    assert (verdict.pk, verdict.since, verdict.by) == ("X000", since.pk, str(since))
    assert {field.name: (field.left, field.now) for field in verdict.fields} == {
        "name": ("Strip 0", "by hand"),
        "city": ("Denver", "München"),
    }


def test_a_plan_that_is_out_of_date_is_told_and_made_again_when_asked(made, steward, browse_as, edit):
    client = browse_as(steward)
    plan(client, made)
    edit("X200", name="by hand")

    page = client.get(address_of(made))
    again = client.post(page.context["again_url"], {"show": "plan"}, follow=True)

    assert page.context["plan"].counts == {"deleted": 320, "kept": 100}
    assert "Something changed since this plan was made: what changed is left alone." in page.content.decode()
    assert again.context["plan"].counts == {"deleted": 319, "kept": 101}
    assert "Something changed" not in again.content.decode()


def test_another_person_has_a_plan_of_their_own(made, steward, make_person, browse_as):
    plan(browse_as(steward), made)
    plan(browse_as(make_person("sue", group="steward")), made)

    assert StoredPlan.objects.count() == 2
    assert StoredRow.objects.count() == 2 * NUMBER


def test_plans_go_after_a_day(made, steward, browse_as, edit):
    plan(browse_as(steward), made)
    StoredPlan.objects.update(made_at=timezone.now() - timedelta(days=2))

    plan(browse_as(steward), edit("X200", name="by hand"))

    assert StoredRow.objects.count() == 1


def test_what_is_reverted_by_now_has_no_plan_whatever_is_stored(made, steward, browse_as):
    client = browse_as(steward)
    plan(client, made)
    Changeset.objects.filter(pk=made.pk).update(status="reverted")

    assert "is reverted already" in client.get(address_of(made)).content.decode()


def test_a_stored_plan_is_confirmed_under_the_lock_as_any_other(made, steward, browse_as, edit):
    client = browse_as(steward)
    plan(client, made)
    token = client.get(address_of(made), {"bucket": "deleted", "start": 100}).context["token"]
    edit("X200", name="by hand")

    client.post(address_of(made), {"seen": token, "reason": "wrong file"})

    assert Airport.objects.filter(pk__startswith="X").count() == 101
    assert Airport.objects.filter(pk="X200").exists()


def test_paging_writes_nothing_to_the_database(made, steward, browse_as):
    client = browse_as(steward)
    plan(client, made)

    with CaptureQueriesContext(connection) as queries:
        client.get(address_of(made), {"bucket": "deleted", "start": 100})

    assert all(query["sql"].startswith("SELECT") for query in queries)


# -- values, counts and filters ------------------------------------------------------------------------------------


def test_a_restored_row_shows_its_values_now_and_after(changed, steward, browse_as):
    page = plan(browse_as(steward), changed, {"bucket": "restored", "q": "X200"})

    assert changes_on(page) == {"elevation_ft": (7, None), "country": ("United States (US)", None)}


def test_a_row_that_goes_shows_the_values_that_it_has(made, steward, browse_as):
    page = plan(browse_as(steward), made, {"bucket": "deleted", "q": "X200"})

    assert changes_on(page)["name"] == ("Strip 200", None)
    assert changes_on(page)["city"] == ("Denver", None)


def test_a_row_that_comes_back_shows_the_values_that_it_gets(changed, steward, browse_as):
    deletion = Changeset.objects.order_by("-pk").first()

    page = plan(browse_as(steward), deletion, {"bucket": "recreated"})

    assert changes_on(page)["country"] == (None, "United States (US)")


def test_what_goes_back_but_for_some_values_is_told_apart_from_what_stays(changed, steward, browse_as):
    client = browse_as(steward)

    page = plan(client, changed).content.decode()
    rows = client.get(address_of(changed), {"bucket": "partly"})

    assert "<strong>416</strong> objects get their old values back" in page
    assert "<strong>3</strong> objects go back except for values changed since" in page
    assert "<strong>1</strong> object is kept as it is: changed since" in page
    assert keys_of(rows) == ["X001", "X002", "X003"]
    assert changes_on(rows) == {"country": ("United States (US)", None)}
    assert [(field.name, field.now) for field in rows.context["rows"][0].verdict.fields] == [("elevation_ft", "8")]


def test_the_result_tells_the_same_apart(changed, steward, browse_as):
    client = browse_as(steward)
    token = plan(client, changed).context["token"]

    page = client.post(address_of(changed), {"seen": token, "reason": "it was open"}, follow=True).content.decode()

    assert "<strong>3</strong> objects went back except for values changed since" in page
    assert "<strong>1</strong> object was kept: changed since" in page


def test_bars_count_by_field_and_lead_to_the_rows(changed, steward, browse_as):
    page = plan(browse_as(steward), changed, {"bucket": "restored"})

    bars = {bar.label: (bar.number, bar.query) for _title, bars in page.context["bars"] for bar in bars}
    assert bars == {
        "elevation (ft)": (416, "?bucket=restored&kind=airports.airport&in=elevation_ft"),
        "country": (419, "?bucket=restored&kind=airports.airport&in=country"),
    }


def test_bars_count_by_kind_where_there_are_several(places, steward, browse_as):
    page = browse_as(steward).get(address_of(places["import"]), {"bucket": "deleted"})

    numbers = {bar.label: bar.number for _title, bars in page.context["bars"] for bar in bars}
    assert numbers == {"Airports": 3, "Cities": 2, "Countries": 2}


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ({"in": "elevation_ft"}, 419),
        ({"in": "name"}, 0),
        ({"q": "strip 20"}, 10),
        ({"kind": "base.city"}, 0),
        ({"place": "usa"}, 419),
        ({"place": "germany"}, 0),
    ],
)
def test_rows_are_filtered(asked, number, changed, places, steward, browse_as):
    asked = {name: places[value].pk if name == "place" else value for name, value in asked.items()}

    page = plan(browse_as(steward), changed, {"bucket": "restored", **asked})

    assert page.context["row_number"] == number


@pytest.mark.parametrize("asked", ["in=nonsense", "place=abc", "kind=planet", "q=%25_|", "plan=4711"])
def test_a_wrong_filter_is_no_traceback(asked, changed, steward, browse_as):
    assert browse_as(steward).get(f"{address_of(changed)}?{asked}").status_code == 200


# -- all rows of a filter ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", ["not", "only"])
def test_all_rows_of_a_filter_are_left_out_or_in(choice, changed, steward, browse_as):
    client = browse_as(steward)
    filtered = {"bucket": "restored", "q": "x20"}
    shown = plan(client, changed, filtered).context["row_number"]

    page = client.post(address_of(changed), {**filtered, "ticked": choice, "every": "1", "show": "plan"}, follow=True)
    client.post(address_of(changed), {"seen": page.context["token"], "reason": "only so"})

    assert shown == 10
    number = NUMBER - 1 - shown if choice == "not" else shown
    assert page.context["plan"].number("restored") == number
    assert Airport.objects.filter(country__isnull=True, pk__startswith="X").count() == number


def leave_all(client, changed: Changeset):
    """Leave all rows of a filter out of the plan."""
    plan(client, changed)
    asked = {"bucket": "restored", "q": "strip", "ticked": "not", "every": 1, "show": "plan"}
    return client.post(address_of(changed), asked, follow=True)


def test_a_choice_of_many_rows_stays_with_the_plan_and_narrows_further(changed, steward, browse_as):
    client = browse_as(steward)

    page = leave_all(client, changed)
    ticked = {"tick": "airports.airport:X010", "ticked": "not", "show": "plan"}
    again = client.post(page.redirect_chain[-1][0], ticked)

    assert f"?plan={page.context['query'].stored}" in page.redirect_chain[-1][0]
    assert page.context["plan"].number("restored") == 99
    assert client.get(again["Location"]).context["plan"].number("restored") == 98


def test_a_choice_of_somebody_else_is_refused_with_a_sentence(changed, steward, make_person, browse_as):
    number = leave_all(browse_as(steward), changed).context["query"].stored

    page = browse_as(make_person("sue", group="steward")).get(address_of(changed), {"plan": number})

    assert "made more than a day ago, or for somebody else" in page.content.decode()


# -- reading -------------------------------------------------------------------------------------------------------


def written_by(client, *address: Any) -> list[str]:
    """Return what reading a page writes to other tables than temporary ones."""
    with CaptureQueriesContext(connection) as queries:
        client.get(*address)
    written = [query["sql"] for query in queries if query["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")]
    return [sql for sql in written if "temp." not in sql]


def test_a_plan_that_is_not_made_is_offered_and_reading_writes_nothing(changed, steward, browse_as):
    client = browse_as(steward)

    page = client.get(address_of(changed))

    assert written_by(client, address_of(changed)) == []
    assert "At most 420 objects would go back." in page.content.decode()
    assert "Show what would be reverted" in page.content.decode()
    assert {label for label, *_ in page.context["model_choices"]} == {"airports.airport"}
    assert (page.context["plan"], StoredPlan.objects.count()) == (None, 0)


def test_a_small_plan_is_shown_whole_and_stored_nowhere(places, steward, browse_as, edit):
    made, client = edit("KDEN", name="Denver Intl"), browse_as(steward)

    page = client.get(address_of(made))
    written = written_by(client, address_of(made))
    client.post(address_of(made), {"seen": page.context["token"], "reason": "wrong"})

    assert keys_of(page) == ["KDEN"]
    assert (written, StoredPlan.objects.count()) == ([], 0)
    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"


def test_a_small_plan_that_was_asked_for_is_stored(places, steward, browse_as, edit):
    made = edit("KDEN", name="Denver Intl")

    page = browse_as(steward).post(address_of(made), {"show": "plan"}, follow=True)

    assert page.redirect_chain == [(address_of(made), 302)]
    assert keys_of(page) == ["KDEN"]
    assert (StoredPlan.objects.get().about, StoredRow.objects.get().object_pk) == ([made.pk], "KDEN")


def test_all_rows_of_a_plan_that_is_gone_are_those_of_a_new_one_or_none(changed, steward, browse_as):
    client, asked = browse_as(steward), {"q": "x20", "ticked": "not", "every": 1}

    looked = client.get(address_of(changed), asked)
    page = client.post(address_of(changed), {**asked, "show": "plan"}, follow=True)

    assert "This is not planned yet." in looked.content.decode()
    assert len(page.context["plan"].scope.leave) == 10


@pytest.mark.parametrize("action", ["revert_selected", "revert_since"])
def test_an_action_of_the_list_leads_straight_to_the_plan(action, made, steward, browse_as):
    chosen = {"action": action, "_selected_action": [str(made.pk)]}

    page = browse_as(steward).post("/admin/changesets/changeset/", chosen, follow=True)

    assert made.pk in page.context["plan"].changesets
    assert StoredPlan.objects.count() == 1


@pytest.mark.parametrize("group", ["viewer", "importer"])
def test_who_may_not_revert_has_nothing_planned(group, made, make_person, browse_as):
    answer = browse_as(make_person("ann", group=group)).post(address_of(made), {"show": "plan"})

    assert (answer.status_code, StoredPlan.objects.count()) == (403, 0)


def test_rows_that_no_address_can_name_are_not_chosen_by_one(changed, steward, browse_as):
    client = browse_as(steward)
    plan(client, changed)

    page = client.get(address_of(changed), {"q": "strip", "ticked": "not", "every": 1})

    assert "choose them by the buttons under the rows" in page.content.decode()
    assert StoredPlan.objects.count() == 1
