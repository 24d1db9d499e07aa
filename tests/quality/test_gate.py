"""The gate: what a plan would do to the findings is told, and a file that does too much is stopped."""

import pytest
from django.core.management import CommandError, call_command

from apps.airports.columns import OURAIRPORTS
from apps.airports.models import Airport
from apps.changesets.models import Changeset
from apps.imports.models import ImportRun, RunStatus
from apps.imports.reading.sources import from_path
from apps.imports.results import ImportOptions
from apps.imports.runs.engine import apply_run, plan_run
from apps.imports.runs.opening import open_run
from apps.imports.runs.rows import Bucket, Wanted, rows_of
from apps.quality.findings import count_findings
from tests.admin.runs import seen_on
from tests.imports.files import ROW

pytestmark = pytest.mark.django_db


def field(number: int, **changed: str) -> dict[str, str]:
    """Return a row of the file about one of many airports in a line."""
    place = {"latitude_deg": "47.0", "longitude_deg": f"{8 + number / 10}", "municipality": f"Town {number}"}
    return {**ROW, "id": str(number), "ident": f"LS{number:02}", "name": f"Field {number}", "iata_code": "",
            "iso_country": "CH", "iso_region": "CH-ZH", **place, **changed}  # fmt: skip


FIELDS = [field(number) for number in range(10, 20)]
# What makes a file doctored, and the sentence that stops it.
DOCTORED = {
    "closed": ({"type": "closed"}, "3 of 10 airports would be closed (30.0 %), and GATE_CLOSED_PERCENT allows 5 %."),
    "moved": (
        {"longitude_deg": "-8.5"},
        "3 of 10 airports would move by more than 50 km (30.0 %), and GATE_MOVED_PERCENT allows 1 %.",
    ),
    "unlinked": (
        {"municipality": ""},
        "The airports that are linked to a city would fall from 100.0 % to 70.0 %, "
        "and GATE_LINK_POINTS allows 2 points.",
    ),
}


@pytest.fixture
def here(db: None, settings, airports_file) -> None:
    """Ten airports, and a gate that is meant for so few, too."""
    call_command("import_airports", "--file", str(airports_file(*FIELDS)), "--json")
    settings.GATE_ALWAYS_ALLOWED = 2


@pytest.fixture
def plan(here, airports_file):
    def make(*rows: dict[str, str], actor: object = None) -> ImportRun:
        source = from_path(airports_file(*rows))
        run = open_run(source, actor=actor, spec=OURAIRPORTS, options=ImportOptions(), reason="a test")
        plan_run(run)
        run.refresh_from_db()
        return run

    return make


def doctored(sort: str, many: int = 3) -> list[dict[str, str]]:
    return [{**row, **DOCTORED[sort][0]} if place < many else row for place, row in enumerate(FIELDS)]


@pytest.mark.parametrize("sort", DOCTORED)
@pytest.mark.parametrize("command", ["import_airports", "update_airports"])
def test_a_doctored_file_is_stopped_with_the_name_of_the_setting(here, airports_file, command, sort):
    before, changesets = list(Airport.objects.values().order_by("pk")), Changeset.objects.count()
    file = str(airports_file(*doctored(sort)))
    options = ["--no-backup"] if command == "update_airports" else []

    with pytest.raises(CommandError) as stopped:
        call_command(command, "--file", file, *options)

    hint = "If the file is right, --past-limits with a --reason imports it."
    assert str(stopped.value) == f"{DOCTORED[sort][1]} Nothing was imported. {hint}"
    assert (list(Airport.objects.values().order_by("pk")), Changeset.objects.count()) == (before, changesets)


@pytest.mark.parametrize("sort", DOCTORED)
def test_a_few_may_always_and_a_setting_of_none_lets_all_through(here, airports_file, settings, sort):
    call_command("import_airports", "--file", str(airports_file(*doctored(sort, many=2))), "--json")
    settings.GATE_CLOSED_PERCENT = settings.GATE_MOVED_PERCENT = settings.GATE_LINK_POINTS = None

    call_command("import_airports", "--file", str(airports_file(*doctored(sort, many=9))), "--json")

    assert Changeset.objects.count() == 3


def test_links_that_others_get_make_up_for_those_that_are_lost(here, airports_file):
    alone = doctored("unlinked")
    call_command("import_airports", "--file", str(airports_file(*alone)), "--past-limits", "--reason", "so", "--json")
    others = [*FIELDS[:3], *({**row, **DOCTORED["unlinked"][0]} for row in FIELDS[3:6]), *FIELDS[6:]]

    call_command("import_airports", "--file", str(airports_file(*others)), "--json")

    assert Airport.objects.filter(city=None).count() == 3


def test_a_short_move_across_the_date_line_is_no_long_one(here, airports_file):
    far = [{**row, "longitude_deg": "179.9"} for row in FIELDS]
    call_command("import_airports", "--file", str(airports_file(*far)), "--past-limits", "--reason", "Fiji", "--json")

    call_command("import_airports", "--file", str(airports_file(*[{**row, "longitude_deg": "-179.9"} for row in far])))

    assert not Airport.objects.filter(longitude_deg__gt=0).exists()


def test_past_the_limits_goes_only_who_says_why(here, airports_file):
    file = str(airports_file(*doctored("closed")))

    with pytest.raises(CommandError, match="--past-limits needs --reason"):
        call_command("import_airports", "--file", file, "--past-limits")
    call_command("import_airports", "--file", file, "--past-limits", "--reason", "they did close", "--json")

    assert Airport.objects.filter(airport_type="closed").count() == 3


def test_a_dry_run_tells_the_limits(here, airports_file, capsys):
    call_command("import_airports", "--file", str(airports_file(*doctored("closed"))), "--dry-run")

    assert DOCTORED["closed"][1] in capsys.readouterr().out


def test_the_findings_of_a_plan_are_those_there_are_after_it(plan):
    today = count_findings()
    rows = [field(10, iata_code="0"), field(11, iata_code="ABC"), field(12, iata_code="ABC"), *FIELDS[3:]]
    run = plan(*rows, field(20, name="Field 11", municipality="Elsewhere  on Sea", longitude_deg="9.1"))

    told = run.summary["checks"]["findings"]
    ImportRun.objects.filter(pk=run.pk).update(status=RunStatus.APPROVED)
    run.refresh_from_db()
    apply_run(run)

    then = count_findings()
    numbers = {code: (note["today"], note["then"]) for code, note in told.items()}
    assert numbers == {code: (today[code], then[code]) for code in then if then[code] != today[code]}
    assert (numbers["iata_zero"], numbers["iata_shared"], numbers["near_duplicate"]) == ((0, 1), (0, 2), (0, 2))
    assert numbers["name_spaces"] == (0, 1)


def test_the_findings_of_a_plan_lead_to_its_rows(plan):
    run = plan(*FIELDS, field(20, iata_code="ABC"), field(21, iata_code="ABC"))

    shared = rows_of(run, Wanted(Bucket.WRITTEN, check="iata_shared"))

    assert [row.new_pk for row in shared] == ["LS20", "LS21"]


def test_planning_writes_nothing_and_says_which_limit_is_passed(plan):
    before = list(Airport.objects.values().order_by("pk"))

    run = plan(*doctored("closed"))

    assert list(Airport.objects.values().order_by("pk")) == before
    assert run.summary["beyond_limits"] == [DOCTORED["closed"][1]]
    assert count_findings()["closed_active"] == 0


def page_of(run: ImportRun) -> str:
    return f"/admin/imports/importrun/{run.pk}/change/"


def confirm(browser, run: ImportRun, **more: str):
    address = f"/admin/imports/importrun/{run.pk}/confirm/"
    return browser.post(address, {"seen": seen_on(browser, run), "reason": "they did close", **more}, follow=True)


def test_the_page_of_a_plan_shows_the_limit_and_the_findings(plan, operator, browse_as):
    rows = [{**row, "iata_code": "0"} for row in doctored("closed")]
    run = plan(*rows, actor=operator)

    response = browse_as(operator).get(page_of(run))

    content = response.content.decode()
    assert DOCTORED["closed"][1] in content
    assert "10 more" in content
    assert "Airports with the IATA code 0" in content
    assert "now 0, after the import 10" in content
    assert "Only somebody who may approve imports goes past that." in content
    assert "past_limits" not in content


def test_the_page_of_a_plan_says_so_when_no_finding_comes_or_goes(plan, operator, browse_as):
    changing, same = plan(*doctored("closed"), actor=operator), plan(*FIELDS, actor=operator)

    said = "The number of findings would not change for any rule."
    assert said in browse_as(operator).get(page_of(changing)).content.decode()
    assert said not in browse_as(operator).get(page_of(same)).content.decode()


def test_who_may_not_approve_cannot_go_past_the_limits(plan, operator, browse_as):
    run = plan(*doctored("closed"), actor=operator)

    plain, forced = confirm(browse_as(operator), run), confirm(browse_as(operator), run, past_limits="on")

    run.refresh_from_db()
    assert "GATE_CLOSED_PERCENT" in str(next(iter(plain.context["messages"])))
    assert "Only somebody who may approve imports" in str(next(iter(forced.context["messages"])))
    assert (run.status, Airport.objects.filter(airport_type="closed").count()) == (RunStatus.PLANNED, 0)


def test_an_approver_goes_past_the_limits_with_a_reason_and_that_is_kept(plan, make_person, browse_as):
    anna = make_person("anna", group="approver")
    run = plan(*doctored("closed"), actor=anna)

    stopped = confirm(browse_as(anna), run)
    confirm(browse_as(anna), run, past_limits="on")

    run.refresh_from_db()
    assert "GATE_CLOSED_PERCENT" in str(next(iter(stopped.context["messages"])))
    assert (run.status, run.summary["past_limits"]) == (RunStatus.APPLIED, "anna")
    assert Airport.objects.filter(airport_type="closed").count() == 3


def test_the_limits_are_asked_again_when_the_run_is_applied(plan, settings):
    settings.GATE_CLOSED_PERCENT = 50
    run = plan(*doctored("closed"))
    ImportRun.objects.filter(pk=run.pk).update(status=RunStatus.APPROVED)
    settings.GATE_CLOSED_PERCENT = 5

    apply_run(run)

    run.refresh_from_db()
    assert (run.status, run.error) == (RunStatus.FAILED, f"{DOCTORED['closed'][1]} Nothing was imported.")
    assert not Airport.objects.filter(airport_type="closed").exists()
