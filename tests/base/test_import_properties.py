"""Properties of importing cities and countries: the state as it is changes nothing, and no file breaks a constraint."""

import csv
import io
import tempfile
from pathlib import Path

from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.base.models import City, Country
from apps.base.text import ascii_form, search_form
from apps.changesets.models import Changeset
from apps.imports.plan.apply import apply_import
from apps.imports.plan.plan import ImportPlan, plan_import
from apps.imports.reading.sources import from_path
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions

CITY = ("id", "country", "name", "ascii_name", "latitude", "longitude", "timezone", "population", "active")
COUNTRY = ("iso_code", "iso3", "name", "latitude", "longitude", "active")
CODES = ("CH", "DE", "FR")
# Names that are equal for searches, or for slugs, or close to it; and whatever else people write.
names = st.sampled_from(["Wil", "WIL", "Wïl", "Wil!", "Wil 2", "ﬁl", "fil", "=1+1", "-"]) | st.text(
    st.characters(exclude_categories=("Cc", "Cs")), max_size=12
).map(str.strip).filter(lambda text: text and search_form(text))
degrees = st.none() | st.floats(-90, 90)
cities = st.tuples(
    *(st.sampled_from(CODES), names, degrees, degrees, st.sampled_from(["", "Europe/Zurich"])),
    *(st.none() | st.integers(0, 2**63 - 1), st.booleans()),
)


def make_countries() -> dict[str, Country]:
    return {code: Country.objects.create(iso_code=code, name=f"Land {code}") for code in CODES}


def make_cities(drawn: list[tuple]) -> None:
    countries = make_countries()
    unique = {(code, search_form(name)): each for each in drawn for code, name in [each[:2]]}
    for code, name, latitude, longitude, zone, population, active in unique.values():
        City.objects.create(
            country=countries[code],
            name=name,
            latitude=latitude,
            longitude=longitude,
            timezone=zone,
            population=population,
            active=active,
        )


def plan_of(spec: str, header: tuple[str, ...], rows: list[tuple]) -> ImportPlan:
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        path.write_text(out.getvalue(), encoding="utf-8", newline="")
        return plan_import(from_path(path), spec=spec_named(spec), options=ImportOptions(corrections=True))


def table_of(model: type, fields: tuple[str, ...]) -> list[tuple]:
    paths = ["country__iso_code" if field == "country" else field for field in fields]
    return list(model.objects.order_by("pk").values_list(*paths))


class ImportProperties(TestCase):
    @given(st.lists(cities, min_size=1, max_size=8), st.booleans())
    def test_cities_as_they_are_change_nothing(self, drawn: list[tuple], with_id: bool):
        make_cities(drawn)
        rows, history = table_of(City, CITY), City.history.count()
        header, rows = (CITY, rows) if with_id else (CITY[1:], [row[1:] for row in rows])

        plan = plan_of("cities", header, rows)

        assert (plan.counts.unchanged, plan.counts.refused) == (len(rows), 0), plan.refusals
        assert apply_import(plan, actor=None) is None
        assert City.history.count() == history

    @given(st.lists(names, min_size=3, max_size=3), degrees, st.booleans())
    def test_countries_as_they_are_change_nothing(self, drawn: list[str], latitude: float | None, active: bool):
        for country, name in zip(make_countries().values(), drawn, strict=True):
            country.name, country.latitude, country.active = name, latitude, active
            country.save()

        plan = plan_of("countries", COUNTRY, table_of(Country, COUNTRY))

        assert (plan.counts.unchanged, plan.counts.refused) == (3, 0), plan.refusals
        assert apply_import(plan, actor=None) is None

    @given(
        st.lists(cities, min_size=1, max_size=6),
        st.lists(st.tuples(st.integers(-1, 5), st.sampled_from(("", *CODES)), st.just("") | names), max_size=8),
    )
    def test_any_file_does_what_its_plan_says_and_breaks_no_constraint(self, drawn: list[tuple], rows: list[tuple]):
        make_cities(drawn)
        keys, before = list(City.objects.order_by("pk").values_list("pk", flat=True)), City.objects.count()
        rows = [(keys[at] if 0 <= at < len(keys) else "", code, name) for at, code, name in rows]
        # Blank lines are no rows.
        rows = [row for row in rows if any(map(str, row))] or [("", "", "-")]
        plan = plan_of("cities", ("id", "country", "name"), rows)

        with transaction.atomic():
            opened = apply_import(plan, actor=None)

        counts = plan.counts
        assert counts.total == counts.created + counts.updated + counts.unchanged + counts.refused
        assert City.objects.count() == before + counts.created
        assert all(city.search_name == search_form(city.name) for city in City.objects.all())
        assert all(city.slug for city in City.objects.all())
        touched = City.history.filter(changeset=opened).count() if opened else 0
        assert touched == counts.created + counts.updated
        new = City.objects.exclude(pk__in=keys)
        assert all(city.ascii_name == ascii_form(city.name) for city in new)
        assert not Changeset.objects.filter(status="failed").exists()
