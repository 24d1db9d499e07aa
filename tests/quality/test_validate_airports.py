"""validate_airports: sections, coverage and examples for people, one object for programs, an exit status for cron."""

import json

import pytest
from django.core.management import CommandError, call_command

from apps.airports.models import Airport
from apps.quality.models import Tally
from apps.quality.rules import all_rules

pytestmark = pytest.mark.django_db


@pytest.fixture
def validate(capsys):
    def run(*options: str) -> str:
        call_command("validate_airports", *options)
        return capsys.readouterr().out

    return run


def spoil(number: int) -> None:
    """Give so many airports the code 0."""
    Airport.objects.bulk_create(
        Airport(
            ident=f"Z{n}", name=f"Field {n}", airport_type="heliport", iata_code="0", latitude_deg=n, longitude_deg=9
        )
        for n in range(1, number + 1)
    )


def test_the_sections_of_the_runbook_have_counts_coverage_and_examples(places, validate):
    spoil(5)

    said = validate()

    headings = [line for line in said.splitlines() if line and not line.startswith(" ")]
    assert headings[0] == "8 airports"
    wanted = {
        "Normalized Country links",
        "Normalized City links",
        "Required fields",
        "Coordinates",
        "Codes",
        "Duplicates",
    }
    assert wanted <= {*headings}
    assert "3 of 8 linked (37.50 %)" in said
    assert "Z1 · Field 1 · IATA code 0 · municipality empty" in said
    assert "... and 2 more" in said
    assert "Z5" not in said


def test_verbose_names_every_finding(places, validate):
    spoil(5)

    assert "Z5 · Field 5" in validate("--verbose")


def test_json_is_one_object_and_each_run_leaves_a_tally(places, validate):
    spoil(1)

    result = json.loads(validate("--json"))

    assert (result["airports"], result["findings"]["iata_zero"]) == (4, 1)
    assert (result["country_coverage"], result["city_coverage"]) == (75.0, 75.0)
    assert result["findings"].keys() == {rule.code for rule in all_rules()}
    assert Tally.objects.get().counts == result["findings"]


def test_the_exit_status_says_how_bad_it_is(places, validate):
    Airport.objects.update(latitude_deg=47.0, longitude_deg=8.0, iata_code=None, iso_country="CH")
    Airport.objects.update(country=None, city=None, municipality="", iso_country="")
    Airport.objects.update(airport_type="closed", iso_country="DE")
    Airport.objects.update(country=places["germany"], active=True, latitude_deg=50.0)

    validate("--fail-on", "error", "--json")
    with pytest.raises(CommandError, match="findings are errors and warnings: mend them"):
        validate("--fail-on", "warning", "--json")


def test_without_airports_nothing_is_wrong(validate):
    result = json.loads(validate("--json", "--fail-on", "warning"))

    assert (result["airports"], result["city_coverage"]) == (0, 100.0)
    assert not any(result["findings"].values())
