"""The report of corrections: found in SQL as plain Python finds them, told with who and when, in few queries."""

import pytest
from django.core.cache import cache
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.airports.columns import OURAIRPORTS
from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.context import changeset
from apps.imports.plan.corrections import (
    corrections_of,
    merged_fields,
    read_corrections,
    stream_corrections,
    upstream_of,
)
from apps.imports.plan.pins import pin

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_remembered():
    cache.clear()


def correct(ident: str, *, actor=None, reason: str = "", **values) -> None:
    with changeset(kind="edit", actor=actor, reason=reason):
        Airport.objects.filter(pk=ident).update(**values)


def report() -> list[tuple]:
    found = corrections_of(Airport)
    return [(c.obj.pk, c.field.name, c.value, c.upstream) for c in stream_corrections(found)]


def test_nothing_is_corrected_after_an_import(import_file):
    import_file({}, {"iata_code": "", "elevation_ft": "", "municipality": "", "iso_region": ""}, {"type": "closed"})

    assert report() == []


def test_a_correction_is_told_with_who_when_why_and_what_upstream_says(import_file, steward):
    import_file({})
    correct("K001", actor=steward, reason="as surveyed", elevation_ft=5433)

    (correction,) = stream_corrections(corrections_of(Airport))

    assert (correction.stable_key, correction.header) == (1, "elevation_ft")
    assert (correction.value, correction.upstream, correction.differs) == (5433, 5431, True)
    assert (correction.origin.words, correction.origin.changeset.reason) == ("stan", "as surveyed")
    assert correction.pin is None


def test_a_correction_leaves_the_report_when_upstream_catches_up(import_file):
    import_file({})
    correct("K001", name="Better")
    assert report() == [("K001", "name", "Better", "Denver International Airport")]

    import_file({"name": "Better"})

    assert report() == []


def test_a_kept_correction_shows_what_upstream_says_now(import_file):
    import_file({})
    correct("K001", name="Ours")
    import_file({"name": "Theirs, new"})

    assert report() == [("K001", "name", "Ours", "Theirs, new")]


def test_a_pinned_field_is_in_the_report_though_upstream_agrees(import_file, steward):
    import_file({})
    kden = Airport.objects.get()
    pin(kden, "name", note="as signed", actor=steward)
    pin(kden, "city", note="not there", actor=steward)

    by_field = {c.field.name: c for c in stream_corrections(corrections_of(Airport))}

    assert {name: (c.differs, c.known, c.pin.note) for name, c in by_field.items()} == {
        "name": (False, True, "as signed"),
        "city": (False, False, "not there"),
    }


def test_what_a_person_made_is_no_correction():
    Airport.objects.create(ident="MINE", name="Mine", airport_type="heliport")

    assert report() == []


def test_a_model_without_upstream_reports_its_pins():
    city = City.objects.create(country=Country.objects.create(iso_code="US", name="USA"), name="Denver")
    pin(city, "name", note="why", actor=None)

    (correction,) = stream_corrections(corrections_of(City))

    assert (correction.obj, correction.field.name, correction.stable_key, correction.known) == (
        *(city, "name", None),
        False,
    )


def test_fields_are_counted_the_most_first(import_file):
    import_file({}, {}, {})
    Airport.objects.update(name="x")
    correct("K001", elevation_ft=1)

    found = corrections_of(Airport)

    assert found.counts == [("name", 3), ("elevation_ft", 1)]
    assert found.of("elevation_ft").pairs == (("K001", "elevation_ft"),)


def test_the_report_moves_with_the_table(import_file):
    import_file({})
    assert report() == []

    Airport.objects.update(name="x")

    assert [field for _, field, *_ in report()] == ["name"]


def test_more_corrections_take_no_more_queries(import_file, django_assert_num_queries):
    import_file(*[{}] * 60)
    Airport.objects.update(name="x")
    found = corrections_of(Airport)

    with django_assert_num_queries(2):
        assert len(read_corrections(found, found.pairs)) == 60


def test_an_object_that_is_gone_meanwhile_is_left_out(import_file):
    import_file({})
    Airport.objects.update(name="x")
    found = corrections_of(Airport)
    Airport.objects.all().delete()

    assert read_corrections(found, found.pairs) == []


VALUES = {
    "name": st.sampled_from(["a", "b", "é", ""]),
    "iata_code": st.sampled_from([None, "", "AAA"]),
    "latitude_deg": st.sampled_from([None, 0.0, 1.5, -104.672996521, 39.861698150635]),
    "elevation_ft": st.sampled_from([None, 0, 1, -5]),
    "active": st.booleans(),
}
ROWS = st.lists(
    st.tuples(
        st.fixed_dictionaries(VALUES),
        st.one_of(st.none(), st.fixed_dictionaries({}, optional=VALUES)),
    ),
    max_size=4,
)


class TestFinding(TestCase):
    """SQL finds the corrections that a plain comparison in Python finds."""

    @given(ROWS)
    def test_sql_finds_what_python_finds(self, rows):
        cache.clear()
        for number, (values, upstream) in enumerate(rows):
            Airport.objects.create(ident=f"K{number}", airport_type="closed", upstream=upstream, **values)

        expected = [
            (obj.pk, field.name)
            for obj in Airport.objects.order_by("pk")
            for field in Airport._meta.concrete_fields
            if field.name in merged_fields(OURAIRPORTS)
            if upstream_of(obj, field.name)[0] and obj.upstream[field.name] != getattr(obj, field.name)
        ]

        assert list(corrections_of(Airport).pairs) == expected
