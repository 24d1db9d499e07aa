"""The pages of findings: what they show, where they lead, and what accepting does."""

from datetime import timedelta

import pytest
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from apps.quality.models import AcceptedFinding, Tally
from apps.quality.tallies import newest_counted, take_tally

pytestmark = pytest.mark.django_db
FINDINGS = "/admin/quality/finding/"


@pytest.fixture
def zeros(places) -> None:
    """Two airports with the code 0, and no other findings of their rule."""
    Airport.objects.filter(pk__in=["KDEN", "EDDM"]).update(iata_code="0")


def recount() -> None:
    """Take a code away as a changeset of its own."""
    with changeset(kind="edit", actor=None):
        Airport.objects.filter(pk="EDDM").update(iata_code=None)


def test_the_page_shows_each_rule_with_findings_its_count_and_its_trend(zeros, steward, browse_as):
    take_tally()
    recount()

    response = browse_as(steward).get(FINDINGS)

    row = next(row for row in response.context["found"] if row["rule"].code == "iata_zero")
    assert (row["number"], row["trend"].sign, row["trend"].words) == (1, "↓", "1 fewer")
    assert reverse("admin:quality_findings") == FINDINGS
    assert row["list_url"] == "/admin/airports/airport/?finding=iata_zero"
    assertContains(response, "1 fewer")


def test_without_findings_the_page_says_so(steward, browse_as):
    assertContains(browse_as(steward).get(FINDINGS), "No findings: the data breaks none of the rules.")


def test_the_page_takes_few_queries_and_counts_nothing_where_a_tally_is_fresh(
    zeros, steward, browse_as, django_assert_max_num_queries
):
    browser = browse_as(steward)
    take_tally()
    caches["figures"].clear()
    browser.get(FINDINGS)

    with django_assert_max_num_queries(14), CaptureQueriesContext(connection) as asked:
        browser.get(FINDINGS)

    assert not [query for query in asked if 'FROM "airports_airport"' in query["sql"]]


def test_mend_shows_the_plan_of_the_fitting_action_for_all_findings(zeros, steward, browse_as):
    browser = browse_as(steward)
    row = next(r for r in browser.get(FINDINGS).context["found"] if r["rule"].code == "iata_zero")
    mend = {"action": row["action"].name, "select_across": "1", "_selected_action": "all"}

    plan = browser.post(row["list_url"], mend)
    browser.post(row["list_url"], {**mend, "confirm": "yes", "reason": "none is a code", "seen": plan.context["token"]})

    assert plan.context["title"] == "Clear the IATA code of 2 airports"
    assert not Airport.objects.filter(iata_code="0").exists()
    assert Changeset.objects.first().reason == "none is a code"


def test_mend_is_offered_to_those_only_who_may(zeros, viewer, browse_as):
    row = browse_as(viewer).get(FINDINGS).context["found"][0]

    assert "action" not in row
    assert row["list_url"]


def test_the_list_of_airports_keeps_the_findings_of_a_rule(zeros, viewer, browse_as):
    listed = browse_as(viewer).get("/admin/airports/airport/?finding=iata_zero")
    unknown = browse_as(viewer).get("/admin/airports/airport/?finding=nonsense")
    other = browse_as(viewer).get("/admin/airports/airport/?finding=city_unused")

    assert [airport.pk for airport in listed.context["cl"].result_list] == ["EDDM", "KDEN"]
    assert not unknown.context["cl"].result_list
    assert not other.context["cl"].result_list


def test_a_rule_shows_its_rows_with_what_is_told_of_each(zeros, viewer, browse_as, django_assert_max_num_queries):
    browser = browse_as(viewer)
    browser.get(f"{FINDINGS}iata_zero/")

    with django_assert_max_num_queries(12):
        response = browser.get(f"{FINDINGS}iata_zero/")

    assert [row["name"] for row in response.context["rows"]] == [
        "EDDM · Munich Airport",
        "KDEN · Denver International Airport",
    ]
    assert response.context["rows"][0]["values"] == [("IATA code", "0"), ("municipality", "München")]
    assert not response.context["may_accept"]
    assert browser.get(f"{FINDINGS}nonsense/").status_code == 404


def test_a_rule_without_findings_says_so(places, viewer, browse_as):
    assertContains(browse_as(viewer).get(f"{FINDINGS}iata_zero/"), "No findings: no airport breaks this rule")


def test_the_files_are_safe_for_spreadsheets(zeros, viewer, browse_as):
    Airport.objects.filter(pk="KDEN").update(name="=1+1", municipality="@x")

    everything = b"".join(browse_as(viewer).get(f"{FINDINGS}findings.csv").streaming_content).decode()
    rows = b"".join(browse_as(viewer).get(f"{FINDINGS}iata_zero/findings.csv").streaming_content).decode()

    assert "iata_zero,error,airports.airport,KDEN,'=1+1,IATA code 0; municipality @x\n" in rows
    assert len(rows.splitlines()) == 3
    assert rows.splitlines()[1] in everything


ACCEPT = {"tick": ["KDEN"], "reason": "upstream knows", "until": ""}


def test_an_accepted_finding_is_counted_apart_and_changes_no_data(zeros, operator, browse_as):
    changesets = Changeset.objects.count()

    response = browse_as(operator).post(f"{FINDINGS}iata_zero/accept/", ACCEPT, follow=True)

    accepted = AcceptedFinding.objects.get()
    assert (accepted.object_key, accepted.actor, accepted.reason) == ("id:3486", operator, "upstream knows")
    assert [row["key"] for row in response.context["rows"]] == ["EDDM"]
    assertContains(response, "1 accepted as known")
    counted = newest_counted()
    assert (counted.counts["iata_zero"], counted.accepted) == (1, {"iata_zero": 1})
    assert Changeset.objects.count() == changesets


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"reason": " "}, "Say why: others will read it beside the change."),
        ({"tick": []}, "Tick the findings that are known."),
        ({"tick": ["KBKF"]}, "None of these is a finding of iata_zero any more"),
        ({"until": "2020-01-01"}, "2020-01-01 is over"),
    ],
)
def test_what_cannot_be_accepted_is_said_and_nothing_is_kept(zeros, operator, browse_as, changed, sentence):
    response = browse_as(operator).post(f"{FINDINGS}iata_zero/accept/", {**ACCEPT, **changed})

    assertContains(response, sentence)
    assert not AcceptedFinding.objects.exists()


def test_what_breaks_a_rule_together_stands_together(places, steward, browse_as):
    for ident, code in (("A1", "MUC"), ("Z1", "DEN")):
        Airport.objects.create(ident=ident, name=ident, airport_type="closed", iata_code=code)
    browser, expected = browse_as(steward), ["KDEN", "Z1", "A1", "EDDM"]

    assert [row["key"] for row in browser.get(f"{FINDINGS}iata_shared/").context["rows"]] == expected
    listed = browser.get("/admin/airports/airport/?finding=iata_shared").context["cl"].result_list
    assert [airport.pk for airport in listed] == expected
    file = b"".join(browser.get(f"{FINDINGS}iata_shared/findings.csv").streaming_content).decode()
    assert [line.split(",")[3] for line in file.splitlines()[1:]] == expected


def test_an_acceptance_ends_on_its_day_and_can_be_taken_back(zeros, operator, browse_as):
    browser = browse_as(operator)
    browser.post(f"{FINDINGS}iata_zero/accept/", {**ACCEPT, "tick": ["KDEN", "EDDM"]})
    one, other = AcceptedFinding.objects.order_by("object_key")
    AcceptedFinding.objects.filter(pk=other.pk).update(until=timezone.localdate() - timedelta(days=1))

    browser.post(f"{FINDINGS}accepted/{one.pk}/withdraw/")
    again = browser.post(f"{FINDINGS}accepted/{one.pk}/withdraw/", follow=True)

    assertContains(again, "is no longer accepted")
    assert len(again.context["rows"]) == 2
    assert [each.pk for each in again.context["over"]] == [other.pk, one.pk]
    assertContains(again, "taken back by olga")
    one.refresh_from_db()
    assert (one.withdrawn_by_name, one.reason) == ("olga", "upstream knows")


WRITES = ("iata_zero/accept/", "accepted/1/withdraw/")


@pytest.mark.parametrize("address", ["", "iata_zero/", "findings.csv", "iata_zero/findings.csv", *WRITES])
def test_each_address_asks_for_its_permission_and_reading_never_writes(
    zeros, viewer, outsider, operator, browse_as, address
):
    url = f"{FINDINGS}{address}"

    assert browse_as(outsider).get(url).status_code == browse_as(outsider).post(url).status_code == 403
    if address in WRITES:
        assert browse_as(viewer).post(url).status_code == 403
        assert browse_as(operator).get(url).status_code == 405
    else:
        assert browse_as(viewer).get(url).status_code == 200
        assert browse_as(viewer).post(url).status_code == 405
    assert not AcceptedFinding.objects.exists()
    assert not Tally.objects.exists()
