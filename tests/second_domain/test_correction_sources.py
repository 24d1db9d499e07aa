"""Corrections of another model by source: a reference, a day and a number go back to what its register said."""

import datetime

import pytest
from django.core.cache import cache, caches

from apps.changesets.bulk.apply import apply_bulk
from apps.imports.plan.correction_sources import ending, sources_of
from apps.imports.plan.corrections import corrections_of
from tests.second_domain.conftest import row
from tests.second_domain.models import Station

pytestmark = pytest.mark.django_db


@pytest.fixture
def corrected(world, load):
    cache.clear()
    caches["figures"].clear()
    load(row("85-1", "BN", "Bern", opened="1860-01-02"))
    given = {"register number": "85-1", "name": "Berne", "operator": "DB", "opened": "1861-05-06"}
    return load(given, corrections=True, source_title="Timetable")


def test_the_values_of_a_source_are_found_with_their_title(corrected):
    bern = Station.objects.get(code="BN")

    assert corrected.summary["counts"]["corrections"] == 3
    assert sources_of(corrections_of(Station)) == {
        (bern.pk, field): "Timetable" for field in ("name", "operator", "opened")
    }


def test_they_end_as_their_register_said_last(corrected):
    done = apply_bulk(ending("Timetable"), Station.objects.all(), actor=None, reason="the register is right")
    bern = Station.objects.get(code="BN")

    assert done.changeset.counts == {"second_domain.station": {"changed": 1}}
    assert (bern.name, bern.operator.code, bern.opened) == ("Bern", "SBB", datetime.date(1860, 1, 2))
