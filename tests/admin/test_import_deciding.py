"""What people do on the page of a plan: decide about rows, plan again, confirm, cancel, start again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.airports.models import Airport
from apps.imports.models import ImportRun, PlannedRow
from apps.imports.pages import confirm as confirm_page
from apps.imports.results import ImportOptions
from tests.admin.runs import act, make_run, page, plan_rows, seen_on, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def started(monkeypatch) -> list[ImportRun]:
    """The runs whose applying a page began; what applying does has tests of its own."""
    runs: list[ImportRun] = []
    monkeypatch.setattr(confirm_page, "start_applying", runs.append)
    return runs


@pytest.fixture
def run(places, operator) -> ImportRun:
    made = make_run(operator)
    made.planned = plan_rows(made)
    return made


def decisions(run: ImportRun) -> dict[str, str]:
    return dict(PlannedRow.objects.filter(run=run).exclude(decision="").values_list("new_pk", "decision"))


def confirm(client, run: ImportRun, **posted):
    return act(client, run, "confirm", **{"seen": seen_on(client, run), "reason": "spring refresh", **posted})


@pytest.mark.parametrize(
    ("name", "decision", "recorded", "sentence"),
    [
        ("kept", "take", {"KDEN": "take"}, "1 row takes the file's value."),
        ("kept", "keep", {"KDEN": "keep"}, "1 row keeps our value."),
        ("changed", "leave", {"EDDM": "leave"}, "1 row is left alone."),
        ("new", "leave", {"EDDF": "leave"}, "1 row is left alone."),
        ("missing", "leave", {"OLD1": "leave"}, "1 row is left alone."),
        ("changed", "take", {}, "1 ticked row has nothing to decide like this."),
        ("refused", "leave", {}, "1 ticked row has nothing to decide like this."),
        ("changed", "nonsense", {}, "That is no decision: choose one of the buttons below the rows."),
    ],
)
def test_a_decision_is_recorded_where_it_means_something(run, operator, browse_as, name, decision, recorded, sentence):
    response = act(browse_as(operator), run, "decide", tick=run.planned[name].pk, decision=decision)

    assert decisions(run) == recorded
    assert told(response) == [sentence]


def test_a_decision_can_be_taken_back(run, operator, browse_as):
    client = browse_as(operator)
    act(client, run, "decide", tick=run.planned["kept"].pk, decision="take")

    response = act(client, run, "decide", tick=run.planned["kept"].pk, decision="")

    assert decisions(run) == {}
    assert told(response) == ["1 row is as planned again."]


def test_deciding_leads_back_to_the_same_rows(run, operator, browse_as):
    client = browse_as(operator)

    response = act(
        client, run, "decide", tick=run.planned["kept"].pk, decision="take", bucket="changed", q="denver", start="0"
    )

    assert response.redirect_chain[-1][0].endswith("/change/?bucket=changed&q=denver#rows-title")
    assert [row.decided for row in response.context["rows"]] == ["Take the file's values (by olga)"]


def test_rows_of_another_plan_cannot_be_decided_about(run, operator, browse_as):
    other = make_run(operator)

    act(browse_as(operator), other, "decide", tick=run.planned["kept"].pk, decision="take")

    assert decisions(run) == {}


@pytest.mark.parametrize("tick", ["x", "9" * 30, ""])
def test_ticks_that_are_none_are_left_out(run, operator, browse_as, tick):
    assert told(act(browse_as(operator), run, "decide", tick=tick, decision="take")) == [
        "No row was ticked: tick those that you decide about."
    ]


def test_what_is_left_alone_is_not_counted_as_a_change(run, operator, browse_as):
    client = browse_as(operator)
    before = page(client, run).context["number"]

    response = act(client, run, "decide", tick=run.planned["changed"].pk, decision="leave")

    assert (before, response.context["number"]) == (6, 5)
    assert "Import 5 changes" in response.content.decode()


def test_a_confirmed_plan_is_started(run, operator, browse_as, started):
    confirm(browse_as(operator), run, reason="as agreed")

    run.refresh_from_db()
    assert (run.status, run.confirmed_by, run.reason, run.start_at) == ("approved", operator, "as agreed", None)
    assert [each.pk for each in started] == [run.pk]


def test_the_form_that_confirms_a_plan_asks_when_to_start(browse_as, operator, run):
    page = browse_as(operator).get(f"/admin/imports/importrun/{run.pk}/change/").content.decode()

    assert 'name="start_at"' in page


def test_it_can_start_tonight(run, operator, browse_as, started):
    tonight = timezone.localtime() + timedelta(hours=9)

    response = confirm(browse_as(operator), run, start_at=f"{tonight:%Y-%m-%dT%H:%M}")

    run.refresh_from_db()
    assert run.start_at == tonight.replace(second=0, microsecond=0)
    assert f"Confirmed, to start on {tonight:%d %B at %H:%M}" in response.content.decode()
    assert "db_worker" not in response.content.decode()


@pytest.mark.parametrize(
    ("posted", "sentence"),
    [
        ({"seen": "of another plan"}, "was not shown on this page"),
        ({"seen": ""}, "was not shown on this page"),
        ({"reason": ""}, "Say why: others will read it beside the change."),
        ({"start_at": "2020-01-01T02:00"}, "That time has passed"),
        ({"start_at": "tonight"}, "Give day and time, or leave it empty to start at once."),
    ],
)
def test_a_confirmation_that_is_not_right_says_why(run, operator, browse_as, started, posted, sentence):
    response = confirm(browse_as(operator), run, **posted)

    run.refresh_from_db()
    assert sentence in told(response)[0]
    assert run.status == "planned"
    assert not started


def test_a_plan_is_confirmed_once(run, operator, browse_as, started):
    client = browse_as(operator)
    confirm(client, run)

    assert "there is no plan to confirm" in told(confirm(client, run))[0]
    assert len(started) == 1


def test_nothing_is_confirmed_above_the_limit_of_missing_ones(run, operator, browse_as, started):
    run.summary = {
        **(run.summary or {}),
        "missing_above_limit": "The file lacks 90 of 100 airports. Is it the whole file?",
    }
    run.save()
    client = browse_as(operator)

    assert "The file lacks 90 of 100 airports." in page(client, run).content.decode()
    assert told(confirm(client, run)) == ["The file lacks 90 of 100 airports. Is it the whole file?"]
    assert not started


def test_a_large_plan_needs_a_second_person(run, operator, make_person, browse_as, settings, started):
    settings.IMPORTS_SECOND_PERSON_ABOVE = 3
    approver = make_person("alma", group="approver")
    own = browse_as(operator)

    assert "somebody else who may approve imports" in page(own, run).content.decode()
    assert "somebody else who may approve imports" in told(confirm(own, run))[0]
    confirm(browse_as(approver), run)

    run.refresh_from_db()
    assert (run.status, run.confirmed_by) == ("approved", approver)


def test_it_is_planned_again_with_other_options(run, operator, browse_as, planned):
    act(browse_as(operator), run, "plan-again", source="snapshot", columns=["name"], blank="keep", missing="report")

    run.refresh_from_db()
    options = ImportOptions.from_json(run.options)
    assert (options.columns, options.blank, options.skip_links) == ({"name"}, "keep", {"country", "city"})
    assert (run.status, run.counts, run.rows.count()) == ("uploaded", None, 0)
    assert [each.pk for each in planned] == [run.pk]


def test_all_columns_ticked_means_all_that_the_file_has(run, operator, browse_as, planned):
    client = browse_as(operator)
    columns = [value for value, _title in page(client, run).context["again_form"].fields["columns"].choices]

    act(client, run, "plan-again", source="snapshot", columns=columns)

    run.refresh_from_db()
    assert run.options["columns"] is None


@pytest.mark.parametrize(
    ("posted", "sentence"),
    [
        ({"source": "snapshot"}, "Tick at least one column."),
        ({"columns": ["name"]}, "This field is required."),
        ({"source": "corrections", "columns": ["name"], "missing": "delete"}, "Corrections by hand do not list"),
    ],
)
def test_options_that_cannot_be_are_refused(run, operator, browse_as, planned, posted, sentence):
    assert sentence in told(act(browse_as(operator), run, "plan-again", **posted))[0]
    assert not planned
    assert run.rows.exists()


def test_a_snapshot_that_lacks_columns_is_not_planned(operator, browse_as, planned):
    run = make_run(operator, header=["ident", "name"], options=ImportOptions(corrections=True))

    response = act(browse_as(operator), run, "plan-again", source="snapshot", columns=["name"])

    assert "The file has no column id, type" in told(response)[0]
    assert not planned


@pytest.mark.parametrize("status", ["approved", "running", "applied"])
def test_what_is_confirmed_is_not_planned_again(run, operator, browse_as, planned, status):
    ImportRun.objects.update(status=status)

    response = act(browse_as(operator), run, "plan-again", source="snapshot", columns=["name"])

    assert "it cannot be planned again" in told(response)[0]
    assert run.rows.exists()


def test_a_plan_is_cancelled(run, operator, browse_as):
    response = act(browse_as(operator), run, "cancel")

    run.refresh_from_db()
    assert run.status == "cancelled"
    assert told(response) == ["Cancelled: nothing was written."]
    assert "Start again" in response.content.decode()


def test_a_failed_run_says_why_and_starts_again(places, operator, browse_as, planned):
    run = make_run(operator, status="failed", error="The disk is full. Nothing was written.")
    client = browse_as(operator)

    assert "The disk is full. Nothing was written." in page(client, run).content.decode()
    act(client, run, "start-again")

    run.refresh_from_db()
    assert run.status == "uploaded"
    assert [each.pk for each in planned] == [run.pk]


def test_looking_and_deciding_write_no_airport(run, operator, browse_as):
    before = list(Airport.objects.order_by("pk").values())
    client = browse_as(operator)

    page(client, run)
    act(client, run, "decide", tick=run.planned["kept"].pk, decision="take")

    assert list(Airport.objects.order_by("pk").values()) == before


def decide_all(client, run: ImportRun, **posted):
    run.summary = {**(run.summary or {}), "planned_at": "2026-11-30"}
    run.save()
    return act(client, run, "decide", **{"every": "2026-11-30", **posted})


def test_all_rows_of_a_filter_are_decided_about_at_once(run, operator, browse_as):
    response = decide_all(browse_as(operator), run, decision="leave", bucket="new")

    assert decisions(run) == {"EDDF": "leave", "EDDT": "leave"}
    assert told(response) == ["2 rows are left alone."]


def test_the_filter_in_the_address_narrows_what_is_decided(run, operator, browse_as):
    decide_all(browse_as(operator), run, decision="leave", bucket="changed", field="elevation_ft")

    assert decisions(run) == {"EDDM": "leave"}


def test_all_rows_of_another_plan_are_not_decided_about(run, operator, browse_as):
    response = decide_all(browse_as(operator), run, decision="leave", bucket="new", every="of another plan")

    assert decisions(run) == {}
    assert told(response) == ["The plan was made again since then: look at its rows again. Nothing was decided."]


def test_who_may_not_decide_decides_about_no_filter(run, viewer, browse_as):
    decide_all(browse_as(viewer), run, decision="leave", bucket="new")

    assert decisions(run) == {}
