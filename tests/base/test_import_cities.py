"""import_cities: what a file of GeoNames knows better of the cities that we have."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.base.models import City, Country
from apps.changesets.models import Changeset

pytestmark = pytest.mark.django_db
SAMPLE = Path(__file__).parents[2] / "data" / "cities-sample.tsv"
JSON_KEYS = [
    *("changeset", "total", "created", "updated", "renamed", "unchanged", "skipped", "refused", "kept", "missing"),
    *("country_links", "countries_created", "city_links", "cities_created", "cells_refused"),
    *("disputed", "corrections", "duration_s", "unusual", "same_file", "takes_back", "run"),
]


def place(name: str, ascii_name: str = "", **other: str) -> str:
    """Return a line as GeoNames writes it."""
    cells = {"country": "CH", "class": "P", "latitude": "47.36667", "longitude": "8.55", "population": "341730"}
    cells |= {"timezone": "Europe/Zurich", "alternatenames": 'Zurigo,"Turicum', **other}
    return "\t".join(
        [
            *("2657896", name, ascii_name or name, cells["alternatenames"], cells["latitude"], cells["longitude"]),
            *(cells["class"], "PPLA", cells["country"], "", "ZH", "112", "261", "", cells["population"], "", "429"),
            *(cells["timezone"], "2023-06-29"),
        ]
    )


@pytest.fixture
def import_places(tmp_path: Path, capsys: pytest.CaptureFixture) -> Callable[..., dict]:
    """Return a function that runs `import_cities --json` over a file and returns what it prints."""

    def run(*lines: str, options: tuple[str, ...] = (), name: str = "places.txt") -> dict:
        path = tmp_path / name
        content = "".join(f"{line}\n" for line in lines).encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        call_command("import_cities", "--file", str(path), "--json", *options)
        return json.loads(capsys.readouterr().out)

    return run


def refused(result: dict) -> list[tuple[int, str, str, str]]:
    listed = Changeset.objects.get(pk=result["changeset"]).summary["refused"]
    return [(each["line"], each["value"], each["rule"], each["hint"]) for each in listed]


def test_city_takes_what_the_file_knows_and_keeps_its_name(import_places, zurich):
    result = import_places(place("ZÜRICH", "Zurich"), options=("--reason", "better places"))

    zurich.refresh_from_db()
    assert (zurich.name, zurich.ascii_name, zurich.slug) == ("Zürich", "Zurich", "zurich")
    assert (zurich.latitude, zurich.longitude, zurich.population) == (47.36667, 8.55, 341730)
    assert zurich.timezone == "Europe/Zurich"
    changeset = Changeset.objects.get(pk=result["changeset"])
    assert (changeset.kind, changeset.reason, changeset.source_name) == ("import", "better places", "places.txt")


def test_json_has_exactly_the_promised_keys(import_places, zurich):
    result = import_places(place("Zürich"), place("Elsewhere"))

    assert list(result) == JSON_KEYS
    assert (result["total"], result["updated"], result["skipped"], result["created"]) == (2, 1, 1, 0)


def test_dry_run_counts_and_writes_nothing(import_places, zurich):
    result = import_places(place("Zürich"), options=("--dry-run",))

    zurich.refresh_from_db()
    assert (result["changeset"], result["updated"], zurich.population) == (None, 1, None)


def test_same_file_again_changes_nothing(import_places, zurich):
    import_places(place("Zürich"))
    history = City.history.count()

    result = import_places(place("Zürich"))

    assert (result["changeset"], result["unchanged"], City.history.count()) == (None, 1, history)


def test_city_is_found_by_its_ascii_name(import_places, switzerland):
    plain = City.objects.create(country=switzerland, name="Geneva")
    accented = City.objects.create(country=switzerland, name="Delémont")

    import_places(place("Genève", "Geneva", population="1"), place("Delemont", population="2"))

    assert dict(City.objects.values_list("pk", "population")) == {plain.pk: 1, accented.pk: 2}


def test_name_decides_before_the_ascii_name(import_places, zurich):
    result = import_places(place("Zurich", population="1"), place("Zürich", "Zurich", population="2"))

    zurich.refresh_from_db()
    assert (zurich.population, result["skipped"], result["refused"]) == (2, 1, 0)


def test_city_of_another_country_is_not_touched(import_places, zurich):
    result = import_places(place("Zürich", country="US"), place("Zürich", country="QQ"))

    assert (result["changeset"], result["skipped"], Country.objects.count()) == (None, 2, 1)


def test_places_that_share_a_city_are_named_and_left_alone(import_places, zurich, switzerland):
    City.objects.create(country=switzerland, name="Bern")

    result = import_places(place("Zürich", population="1"), place("Bern"), place("zürich", population="2"))

    hint = f"lines 1 and 3 may each be Zürich (id {zurich.pk}); which is not guessed: leave one in the file"
    assert refused(result) == [(1, "Zürich", "ambiguous", hint), (3, "zürich", "ambiguous", hint)]
    assert (result["refused"], result["updated"]) == (2, 1)
    zurich.refresh_from_db()
    assert zurich.population is None


def test_place_that_fits_two_cities_is_named_and_left_alone(import_places, switzerland):
    one, two = (City.objects.create(country=switzerland, name=name) for name in ("Wïl", "Wíl"))
    City.objects.create(country=switzerland, name="Bern")

    result = import_places(place("Wil"), place("Bern"))

    hint = f"it may be Wïl (id {one.pk}) and Wíl (id {two.pk}); which is not guessed"
    assert refused(result) == [(1, "Wil", "ambiguous", hint)]


def test_only_populated_places_count(import_places, zurich):
    result = import_places(place("Zürich", **{"class": "A"}), place("Zürich"))

    assert (result["total"], result["skipped"], result["updated"], result["refused"]) == (2, 1, 1, 0)


def test_population_0_means_that_it_is_not_known(import_places, zurich):
    City.objects.update(population=5)

    import_places(place("Zürich", population="0"))

    zurich.refresh_from_db()
    assert (zurich.population, zurich.timezone) == (5, "Europe/Zurich")


@pytest.mark.parametrize("separator", [",", "\t", ";"])
@pytest.mark.parametrize("country", ["country_code", "country"])
def test_table_with_titles_is_read(import_places, zurich, separator, country):
    header = f"geonameid,name,asciiname,latitude,longitude,{country},population,timezone"
    row = "1,Zürich,Zurich,47.5,8.6,CH,7,Europe/Zurich"

    result = import_places(header.replace(",", separator), row.replace(",", separator), name="places.csv")

    zurich.refresh_from_db()
    assert (result["updated"], zurich.latitude, zurich.population) == (1, 47.5, 7)


def test_table_that_only_names_cities_changes_nothing(import_places, zurich):
    result = import_places("name,country code", "Zürich,CH", name="places.csv")

    assert (result["changeset"], result["total"], result["unchanged"]) == (None, 1, 1)


def test_packed_file_is_read(import_places, zurich):
    assert import_places(place("Zürich"), name="places.txt.gz")["updated"] == 1


def test_bad_cell_is_refused_at_its_line(import_places, zurich, switzerland):
    for name in ("Bern", "Genf"):
        City.objects.create(country=switzerland, name=name)

    result = import_places(place("Bern"), "", place("Zürich", latitude="97"), place("Genf", timezone="Mars"))

    assert [(line, value, rule) for line, value, rule, _hint in refused(result)] == [
        (3, "97", "out_of_range"),
        (4, "Mars", "unknown"),
    ]


def test_ragged_line_is_refused(import_places, zurich):
    result = import_places(place("Zürich"), place("Bern") + "\tmore")

    assert [(line, rule) for line, _value, rule, _hint in refused(result)] == [(2, "ragged")]


def test_table_without_names_is_refused_with_a_sentence(import_places):
    with pytest.raises(CommandError, match="lacks the columns name and country code"):
        import_places("asciiname,population", "Zurich,5")


def test_file_that_is_not_there_is_a_sentence():
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_cities", "--file", "nowhere.txt")


def test_people_are_told_what_was_not_guessed(tmp_path, zurich, capsys):
    path = tmp_path / "places.txt"
    path.write_text(f"{place('Zürich')}\n{place('ZÜRICH')}\n", encoding="utf-8")

    with pytest.raises(CommandError, match=r"Every row of places\.txt is refused"):
        call_command("import_cities", "--file", str(path))

    assert "line 1, name: 'Zürich': lines 1 and 2 may each be Zürich" in capsys.readouterr().out


def test_people_are_told_how_to_take_it_back(tmp_path, zurich, capsys):
    path = tmp_path / "places.txt"
    path.write_text(f"{place('Zürich')}\n", encoding="utf-8")

    call_command("import_cities", "--file", str(path))

    made = Changeset.objects.latest("pk").pk
    assert f"Undo it: manage.py changesets revert {made}" in capsys.readouterr().out


def test_the_sample_fits_cities_as_the_snapshot_spells_them(switzerland, capsys):
    others = {code: Country.objects.create(iso_code=code, name=code) for code in ("FR", "DE", "US")}
    City.objects.create(country=switzerland, name="Zurich")
    City.objects.create(country=switzerland, name="Geneva")
    for code, name in (("FR", "Paris"), ("DE", "Frankfurt am Main"), ("US", "Springfield")):
        City.objects.create(country=others[code], name=name)

    call_command("import_cities", "--file", str(SAMPLE), "--json")

    result = json.loads(capsys.readouterr().out)
    assert [result[key] for key in ("total", "updated", "skipped", "refused")] == [9, 3, 4, 2]
    assert City.objects.get(name="Zurich").timezone == "Europe/Zurich"
