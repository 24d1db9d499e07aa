"""Properties of round trips: whatever three small tables hold, an import of their export changes nothing."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.airports.models import Airport, AirportType
from apps.base.models import City, Country
from apps.base.text import search_form
from apps.changesets.models import Changeset
from apps.imports.export.formats import FORMATS
from apps.imports.export.tables import ExportResource, resource_of
from apps.imports.plain import plain
from apps.imports.plan.apply import apply_import
from apps.imports.plan.plan import ImportPlan, plan_import
from apps.imports.reading.sources import from_path
from apps.imports.registry import spec_for
from apps.imports.results import ImportOptions

# Each example is written and read in every format.
FEW = settings(max_examples=settings.default.max_examples // 4)
RESOURCES = tuple(map(resource_of, (Airport, City, Country)))
CODES = ("NA", "CI", "US")
ODD = ["=1+1", "'=1", "''", "-", "@a", "1E4", "007", "NA", "a  b", "_x0041_", 'a"b', "a,b;c\td", "\u202ea", "\u200b"]
ODD += ["a;=1", "a; -b", ";'=1", "a;''@b", "\uff1d1", "\uff20", "a;\uff0b1", "'\uff0d"]

# What a rule of the import, or a sheet, does not take as it is.
ANYTHING = st.sampled_from([*ODD, " a ", "\u00a0a", "a\nb", "\x0b", "a\ufffeb", "\ufffd", ""]) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8
)
CLEAN = (
    (
        st.sampled_from([each for each in ODD if "\t" not in each])
        | st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffd\ufffe\uffff"), max_size=8)
    )
    .map(lambda value: plain(value).strip())
    .filter(bool)
)
KEYS = st.sampled_from(["1E4", "007", "NA", "-", "-1"]) | st.from_regex("[A-Za-z0-9_-]{1,8}", fullmatch=True)
CODE = st.sampled_from(["0", "NAN", "1E4", "007"]) | st.from_regex("[A-Z0-9]{3}", fullmatch=True)


def tables(
    text: st.SearchStrategy[str], types: list[str], most: float, *, key: Any, code: Any
) -> st.SearchStrategy[dict[str, list[dict]]]:
    """Return tables of places: `key` as ident, `code` as IATA code, `text` in every other column of text, and
    coordinates up to `most` times what is allowed."""

    def point(x: str, y: str) -> dict[str, st.SearchStrategy]:
        return {x: st.floats(-90 * most, 90 * most), y: st.floats(-180 * most, 180 * most)}

    def maybe(x: str, y: str) -> dict[str, st.SearchStrategy]:
        return {name: st.none() | degrees for name, degrees in point(x, y).items()}

    ident = key.map(str.strip).filter(bool).filter(lambda value: not set(".+") & set(value))
    airports = st.fixed_dictionaries(
        {"ident": ident, "source_id": st.none() | st.integers(1, 2**63 - 1), "iata_code": st.none() | code,
         "name": text, "airport_type": st.sampled_from(types), "iso_country": st.sampled_from(CODES),
         "elevation_ft": st.none() | st.integers(-1500, 30_000), "municipality": text,
         **(point if most == 1 else maybe)("latitude_deg", "longitude_deg")}
    )  # fmt: skip
    cities = st.fixed_dictionaries(
        {"code": st.sampled_from(CODES), "name": text, "ascii_name": text, "active": st.booleans(),
         "population": st.none() | st.integers(0, 2**63 - 1), **maybe("latitude", "longitude")}
    )  # fmt: skip
    return st.fixed_dictionaries(
        {"airports": st.lists(airports, max_size=4, unique_by=(lambda row: row["ident"], lambda row: row["source_id"])),
         "cities": st.lists(cities, max_size=4, unique_by=lambda row: (row["code"], search_form(row["name"]))),
         "names": st.lists(text, min_size=3, max_size=3)}
    )  # fmt: skip


def make(drawn: dict[str, list]) -> None:
    countries = {}
    for code, name in zip(CODES, drawn["names"], strict=True):
        countries[code] = Country.objects.create(iso_code=code, name=name)
    for row in drawn["cities"]:
        City.objects.create(country=countries[row["code"]], **{k: v for k, v in row.items() if k != "code"})
    for row in drawn["airports"]:
        Airport.objects.create(**row)


def plan_of(resource: type[ExportResource], form: Any, **options: Any) -> ImportPlan:
    """Export a table into a file and plan its import."""
    model = resource._meta.model
    spec = spec_for(model)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"table.{form().get_extension()}"
        with path.open("wb") as out:
            form().write(resource().table(model.objects.order_by("pk")), out)
        asked = ImportOptions(corrections=spec.upstream is None, **options)
        return plan_import(from_path(path), spec=spec, options=asked)


def recorded() -> list[int]:
    return [resource._meta.model.history.count() for resource in RESOURCES] + [Changeset.objects.count()]


class RoundTripProperties(TestCase):
    @FEW
    @given(tables(CLEAN, AirportType.values, 1, key=KEYS, code=CODE))
    def test_good_values_are_all_unchanged(self, drawn: dict[str, list]):
        make(drawn)
        before = recorded()

        for resource in RESOURCES:
            rows = resource._meta.model.objects.count()
            for form in FORMATS if rows else ():
                plan = plan_of(resource, form)
                assert (plan.counts.unchanged, plan.counts.refused) == (rows, 0), (form, plan.refusals)
                assert apply_import(plan, actor=None) is None
        assert recorded() == before

    @FEW
    @given(
        tables(ANYTHING, [*AirportType.values, "spaceport"], 1.1, key=ANYTHING, code=ANYTHING),
        st.sampled_from(["", "clear"]),
    )
    def test_whatever_they_hold_nothing_changes(self, drawn: dict[str, list], blank: str):
        make(drawn)
        before = recorded()

        for resource in RESOURCES:
            for form in FORMATS if resource._meta.model.objects.exists() else ():
                plan = plan_of(resource, form, blank=blank)
                assert not plan.to_write, (form, drawn)
                assert apply_import(plan, actor=None) is None
        assert recorded() == before
