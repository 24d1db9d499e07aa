"""A run in the admin, whatever its state: the list, the page while it is busy, and its progress."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.changesets.models import Changeset
from apps.changesets.processes.watched import Snapshot
from apps.imports.models import ImportRun
from apps.imports.pages.status import NO_WORKER, WORKER_GONE
from apps.quality.models import Tally
from tests.admin.runs import IMPORTS, act, make_run, page, told

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(minutes=5)


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


@pytest.mark.parametrize(
    ("status", "word", "step"),
    [
        ("uploaded", "Uploaded", "Watch"),
        ("planned", "To be reviewed", "Review"),
        ("running", "Running", "Watch"),
        ("failed", "Failed", "See why"),
        ("cancelled", "Cancelled", "Look"),
    ],
)
def test_the_list_shows_state_counts_person_file_and_the_next_step(operator, browse_as, status, word, step):
    run = make_run(operator, status=status, counts={"created": 1200, "refused": 3})

    text = text_of(browse_as(operator).get(IMPORTS))

    for part in ("Airports from", "airports.csv", "spring refresh", "olga", word, "</b>1,200 added", "</b>3 refused"):
        assert part in text
    assert f'<a href="{IMPORTS}{run.pk}/change/" aria-label="{step} Import {run.pk} of airports.csv">{step}</a>' in text


def test_an_applied_import_leads_from_the_list_to_its_changeset(operator, places, browse_as):
    make_run(operator, status="applied", changeset=places["import"])

    assert f'href="/admin/changesets/changeset/{places["import"].pk}/change/"' in text_of(
        browse_as(operator).get(IMPORTS)
    )


@pytest.mark.parametrize("query", [{"status__exact": "failed"}, {"what": "cities"}, {"person": "nobody"}, {"q": "zz"}])
def test_the_list_is_filtered(operator, browse_as, query):
    make_run(operator)

    assert not browse_as(operator).get(IMPORTS, query).context["cl"].result_count


def test_the_list_takes_no_query_more_for_more_imports(operator, browse_as, django_assert_max_num_queries):
    for _ in range(20):
        make_run(operator)

    client = browse_as(operator)

    with django_assert_max_num_queries(12):
        client.get(IMPORTS)


@pytest.mark.parametrize("status", ["uploaded", "planning", "approved", "running"])
def test_a_busy_run_is_watched_and_may_be_left(operator, browse_as, status):
    run = make_run(operator, status=status, started_at=timezone.now())

    text = text_of(page(browse_as(operator), run))

    assert f'data-progress="{IMPORTS}{run.pk}/progress/" data-status="{status}"' in text
    assert '<script type="module" src="/static/console/progress.js"></script>' in text
    assert "You may close this page" in text
    assert f'action="{IMPORTS}{run.pk}/cancel/"' in text


def test_progress_is_told_as_phase_rows_rate_and_time_left(operator, browse_as, monkeypatch):
    run = make_run(operator, status="planning", started_at=timezone.now())
    snapshot = Snapshot("read", 40_000, 80_000, started=1000.0, phase_started=1000.0, beat=1004.0)
    monkeypatch.setattr("apps.imports.pages.status.progress_of", lambda run_id: snapshot)

    state = browse_as(operator).get(f"{IMPORTS}{run.pk}/progress/").json()

    assert state == {
        "status": "planning",
        "words": "Reading the file",
        "numbers": "40,000 of 80,000 rows · 10,000 a second · 4 s left",
        "next": "",
        "percent": 50,
        "warning": "",
    }


@pytest.mark.parametrize(
    ("status", "when", "warned"),
    [
        ("uploaded", {"created_at": -LONG_AGO}, True),
        ("uploaded", {}, False),
        ("approved", {"confirmed_at": -LONG_AGO}, True),
        ("approved", {"confirmed_at": -LONG_AGO, "start_at": LONG_AGO}, False),
        ("running", {"created_at": -LONG_AGO, "started_at": timedelta()}, False),
    ],
)
def test_where_no_worker_comes_it_is_said(operator, browse_as, status, when, warned):
    # Counted from now: when the tests are collected may be minutes ago.
    moments = {name: timezone.now() + after for name, after in {"created_at": timedelta(), **when}.items()}
    run = make_run(operator, status=status, **moments)

    warning = browse_as(operator).get(f"{IMPORTS}{run.pk}/progress/").json()["warning"]

    assert warning == (NO_WORKER if warned else "")


def test_of_a_run_whose_worker_has_gone_the_page_says_so_and_a_button_fails_it(operator, browse_as):
    run, client = make_run(operator, status="running", started_at=timezone.now() - LONG_AGO), browse_as(operator)

    state, text = client.get(f"{IMPORTS}{run.pk}/progress/").json(), text_of(page(client, run))

    assert (state["status"], state["warning"]) == ("gone", WORKER_GONE)
    assert 'data-status="gone"' in text
    assert ">Mark as failed</button>" in text
    assert ImportRun.objects.get().status == "running"

    answer = act(client, run, "cancel")

    assert told(answer) == ["Its worker had stopped, so it failed: nothing was written."]
    assert ImportRun.objects.get().status == "failed"
    assert "Start again" in text_of(answer)


def test_an_applied_import_leads_on(operator, steward, places, browse_as):
    run = make_run(operator, status="applied", changeset=places["import"], counts={"created": 3})
    number = places["import"].pk

    text = text_of(page(browse_as(steward), run))

    assert f'<a class="button" href="/admin/changesets/changeset/{number}/change/">Review #{number} Import</a>' in text
    assert f'href="/admin/airports/airport/?changeset={number}"' in text
    assert f'formaction="/admin/changesets/changeset/{number}/revert/"' in text


def test_the_script_of_the_progress_is_no_inline_one(operator, browse_as):
    run = make_run(operator, status="running", started_at=timezone.now())

    text = page(browse_as(operator), run).content.decode()

    assert " style=" not in text
    assert "http-equiv" not in text


def test_what_a_command_started_is_started_again_by_that_command(operator, browse_as):
    run = make_run(operator, status="failed", error="No network.", summary={"command": "update_airports"})

    text = text_of(page(browse_as(operator), run))

    assert "It was started by the command update_airports: run the command again." in text
    assert "/start-again/" not in text


def test_where_nothing_was_imported_it_says_where_to_begin(operator, viewer, browse_as):
    empty = text_of(browse_as(operator).get(IMPORTS))

    assert '<a href="/admin/airports/airport/import/">airports</a>' in empty
    assert "/import/" not in text_of(browse_as(viewer).get(IMPORTS))


def test_where_nothing_fits_the_way_back_is_shown(operator, browse_as):
    make_run(operator)

    assert '<a href="?_view=all">Show all imports</a>' in text_of(browse_as(operator).get(IMPORTS, {"q": "zz"}))


def test_a_file_that_was_uploaded_twice_is_told_of_and_so_is_what_comes_first(operator, browse_as):
    run = make_run(operator)
    twice = make_run(operator, status="uploaded")
    first = make_run(operator, status="approved", file_sha256="cd" * 32, file_name="other.csv")
    make_run(operator, file_sha256="cd" * 32)

    text = text_of(page(browse_as(operator), run))

    assert f'The same file was uploaded twice: <a href="{IMPORTS}{twice.pk}/change/">' in text
    assert f">Import {first.pk} of other.csv</a> is confirmed and runs first" in text
    assert text.count("callout") == 3


def test_an_import_of_which_everything_was_left_alone_says_so(operator, browse_as):
    run = make_run(operator, status="applied", counts={"updated": 2, "left_alone": 2})

    text = text_of(page(browse_as(operator), run))

    assert "Nothing was imported: everything that it would have changed was changed by others" in text
    assert "Upload the file again</a>" in text


def test_some_rows_that_were_left_alone_are_told_of(operator, places, browse_as):
    run = make_run(operator, status="applied", changeset=places["import"], counts={"updated": 2, "left_alone": 1})

    assert "1 row was skipped, because something changed" in text_of(page(browse_as(operator), run))


def test_a_cancelled_import_says_who_cancelled_it(operator, browse_as):
    run = make_run(operator, status="cancelled", error="Cancelled by uma.", summary={"decisions": 2})

    text = text_of(page(browse_as(operator), run))

    assert "nothing was written. Cancelled by uma." in text
    assert "Decisions about rows are discarded when it starts again." in text


@pytest.mark.parametrize(("spec", "what"), [("ourairports", "Airports from"), ("geonames", "Cities from")])
def test_what_a_command_imported_is_there_by_the_command_with_what_it_skipped(operator, places, browse_as, spec, what):
    left_alone = [{"line": 7, "object_id": "KDEN", "why": "somebody changed it after the plan was made"}]
    run = make_run(
        None,
        spec=spec,
        status="applied",
        changeset=places["import"],
        counts={"created": 3, "updated": 1, "refused": 1, "left_alone": 1},
        summary={"command": "a_command", "left_alone": left_alone},
    )
    client = browse_as(operator)

    listed, text = text_of(client.get(IMPORTS)), text_of(page(client, run))

    assert what in listed
    assert "the command a_command" in listed
    assert "by the command a_command" in text
    assert "line 7, KDEN: somebody changed it after the plan was made" in text
    assert "?bucket=created" not in text
    assert "/start-again/" not in text
    assert "Download the refused rows" not in text


def test_the_list_finds_all_sorts_of_files_of_a_model(operator, browse_as):
    made = [make_run(operator, spec=spec).pk for spec in ("cities", "geonames", "countries")]

    shown = browse_as(operator).get(IMPORTS, {"what": "cities"}).context["cl"].result_list

    assert sorted(run.pk for run in shown) == made[:2]


def applied(operator, places, **summary) -> ImportRun:
    """Return an applied run that planned more than it wrote: one row was skipped."""
    Changeset.objects.filter(pk=places["import"].pk).update(
        summary={"counts": {"created": 2, "updated": 1, "unchanged": 4, "skipped": 1, "cities_created": 2}}
    )
    places["import"].refresh_from_db()
    started = timezone.now() - timedelta(seconds=4)
    counts = {"created": 3, "updated": 1, "unchanged": 4, "left_alone": 1}
    more = {"started_at": started, "finished_at": started + timedelta(seconds=3.2), "summary": summary}
    return make_run(operator, status="applied", changeset=places["import"], counts=counts, **more)


def test_an_applied_import_says_what_was_done_not_what_was_planned(operator, steward, places, browse_as):
    run = applied(operator, places)
    changes = f"/admin/changesets/changeset/{places['import'].pk}/change/"

    response = page(browse_as(steward), run)

    assert [(line.number, line.words) for line in response.context["lines"]] == [
        (2, "airports were added"),
        (1, "airport was changed"),
        (4, "rows said what was here already"),
        (1, "row was skipped, since its object changed after the plan was made, or something blocked it"),
        (2, "cities were added, to link to"),
    ]
    assert response.context["lines"][0].url == f"{changes}?model=airports.airport&op=created#changes-title"
    assert ", in 3.2 s." in text_of(response)
    assert "What was done" in text_of(response)


def test_an_applied_import_has_the_findings_before_and_after(operator, steward, places, edit, browse_as):
    made = edit("KDEN", elevation_ft=1)
    run = make_run(operator, status="applied", changeset=made, counts={"updated": 1})
    for changeset, number in ((places["import"], 2), (made, 5)):
        Tally.objects.create(taken_at=timezone.now(), changeset=changeset, stamp="", counts={"iata_zero": number})

    text = text_of(page(browse_as(steward), run))

    assert "3 more" in text
    assert "before 2, after 5" in text


def test_findings_that_were_not_counted_since_are_those_that_the_plan_expected(operator, steward, places, browse_as):
    run = applied(operator, places, checks={"findings": {"iata_zero": {"today": 2, "then": 4}}})

    text = text_of(page(browse_as(steward), run))

    assert "before 2, after 4" in text
    assert "They have not been counted since then: these are the numbers that the plan had" in text
