"""Counting findings: what breaks a rule, by code and severity, and how many links are made."""

import pytest
from django.utils import timezone

from apps.airports.models import Airport
from apps.base.models import Country
from apps.quality.accepting import accept
from apps.quality.coverage import link_coverage
from apps.quality.findings import by_severity, count_findings
from apps.quality.rules import Severity, rule_named

pytestmark = pytest.mark.django_db


def test_findings_are_counted_by_rule_and_by_severity():
    Airport.objects.create(ident="A1", name="One", airport_type="closed", iata_code="0", iso_country="US")

    counts = count_findings()

    assert (counts["iata_zero"], counts["closed_active"], counts["iata_shared"]) == (1, 1, 0)
    assert by_severity({"iata_zero": 1, "closed_active": 2}) == {
        Severity.ERROR: 1,
        Severity.WARNING: 2,
        Severity.INFO: 0,
    }


def test_coverage_is_never_rounded_up_to_the_whole():
    usa = Country.objects.create(iso_code="US", name="United States")
    Airport.objects.bulk_create(
        Airport(ident=f"A{n}", name="A", airport_type="heliport", country=usa if n else None) for n in range(3)
    )

    country, city = link_coverage()

    assert (country.field, country.linked, country.total, country.percent) == ("country", 2, 3, 66.67)
    assert (city.percent, city.unlinked) == (0.0, 3)


def test_what_is_accepted_for_today_is_no_finding_today():
    Airport.objects.create(ident="A1", name="One", airport_type="heliport", iata_code="0")
    rule = rule_named("iata_zero")

    accept(rule, Airport.objects.all(), reason="it is one", until=timezone.localdate(), actor=None)

    assert count_findings([rule]) == {"iata_zero": 0}
