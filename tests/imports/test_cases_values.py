"""Values of real files by other people that were believed once: each is checked, and said to be wrong in words."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.imports.pages.addresses import run_url
from apps.imports.plan.apply import apply_import
from apps.imports.plan.plan import ImportPlan, plan_import
from apps.imports.reading.sources import from_path
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions, blanks_in_words

CASES = Path(__file__).parent / "cases"
CORRECTIONS = ImportOptions(corrections=True)
PLACES = {
    "KDEN": ("US", "US-CO", "DEN", "Denver"),
    "LSZH": ("CH", "CH-ZH", "ZRH", "Zurich"),
    "LSGG": ("CH", "CH-GE", "GVA", "Geneva"),
    "LFPG": ("FR", "FR-IDF", "CDG", "Paris"),
    "KCLT": ("US", "US-NC", "CLT", "Charlotte"),
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def base(import_file: Callable[..., dict]) -> None:
    """Import the airports that the cases are about, as a snapshot."""
    rows = [
        {"ident": ident, "name": f"{town} Airport", "iso_country": country, "iso_region": region, "iata_code": iata,
         "municipality": town, "latitude_deg": "47.458056", "longitude_deg": "8.548056"}
        for ident, (country, region, iata, town) in PLACES.items()
    ]  # fmt: skip
    assert import_file(*rows)["refused"] == 0


def imported(name: str, spec: str = "ourairports", options: ImportOptions = CORRECTIONS) -> ImportPlan:
    """Import the file of a case and return the plan that it had."""
    (path,) = CASES.glob(f"{name}-*")
    plan = plan_import(from_path(path), spec=spec_named(spec), options=options)
    apply_import(plan, actor=None, reason="a test")
    return plan


def refused(plan: ImportPlan) -> list[tuple[int, str, str]]:
    return [(each.line, each.column, each.rule) for each in plan.refusals]


def test_05_thousands_with_a_point_are_ambiguous(base):
    plan = imported("05")

    assert refused(plan) == [(2, "elevation_ft", "ambiguous_number"), (3, "elevation_ft", "ambiguous_number")]
    assert "three digits after a point or comma are ambiguous" in plan.refusals[0].hint
    assert set(Airport.objects.values_list("elevation_ft", flat=True)) == {5431}


def test_06_thousands_of_a_population_are_ambiguous():
    City.objects.create(country=Country.objects.create(iso_code="CH", name="Switzerland"), name="Zurich", population=7)

    assert refused(imported("06", "cities")) == [(2, "population", "ambiguous_number")]
    assert City.objects.get().population == 7


def test_08_an_iata_code_is_three_capital_letters_or_digits(base):
    plan = imported("08")

    assert refused(plan) == [(line, "iata_code", "unknown") for line in (2, 3, 4)]
    assert plan.refusals[0].hint.endswith("did you mean DEN?")
    assert set(Airport.objects.values_list("iata_code", flat=True)) == {"DEN", "ZRH", "GVA", "CDG", "CLT"}


def test_08_the_zero_of_upstream_is_taken_and_comes_back(import_file):
    assert import_file({"iata_code": "0"})["refused"] == 0
    again = import_file(
        {"ident": "K001", "iata_code": "0"}, columns=["ident", "iata_code"], options=("--source", "corrections")
    )

    assert (again["unchanged"], Airport.objects.get().iata_code) == (1, "0")


def test_09_a_name_is_no_region(base):
    mapping = {"ident": "icao", "name": "name", "iso_region": "subd"}

    plan = imported("09", options=ImportOptions(corrections=True, mapping=mapping))

    assert [row for row in refused(plan) if row[1] == "iso_region"] == [(2, "iso_region", "unknown"),
                                                                        (3, "iso_region", "unknown")]  # fmt: skip
    assert Airport.objects.get(pk="KDEN").iso_region == "US-CO"


def test_09_a_region_begins_with_the_country_of_its_row(base, import_file):
    said = import_file(
        {"ident": "KDEN", "iso_country": "US", "iso_region": "CA-ON"},
        columns=["ident", "iso_country", "iso_region"],
        options=("--source", "corrections"),
    )

    assert said["changeset"] is None
    assert Airport.objects.get(pk="KDEN").iso_region == "US-CO"


def test_12_a_point_that_differs_by_less_than_a_centimetre_is_the_same(base):
    plan = imported("12")

    assert (plan.counts.updated, plan.counts.unchanged) == (0, 1)
    assert Airport.objects.get(pk="LSZH").latitude_deg == 47.458056


def test_12_a_point_that_moves_is_stored_as_given(base, import_file):
    row = {"ident": "LSZH", "latitude_deg": "47.4580570012"}
    import_file(row, columns=["ident", "latitude_deg"], options=("--source", "corrections"))

    assert Airport.objects.get(pk="LSZH").latitude_deg == 47.4580570012


def test_16_look_alike_idents_are_refused_by_the_name_of_the_character(base):
    plan = imported("16")

    assert refused(plan) == [(2, "ident", "character"), (3, "ident", "character")]
    assert "character 5 is ZERO WIDTH SPACE (U+200B)" in plan.refusals[0].hint
    assert "character 4 is CYRILLIC CAPITAL LETTER ES (U+0421)" in plan.refusals[1].hint
    assert Airport.objects.count() == len(PLACES)


def test_17_text_is_stored_and_compared_composed(base, tmp_path):
    counts = [imported("17").counts.updated, imported("17").counts.updated]
    (path,) = CASES.glob("17-*")
    composed = tmp_path / "composed.csv"
    composed.write_text(unicodedata.normalize("NFC", path.read_text(encoding="utf-8")), encoding="utf-8")
    plan = plan_import(from_path(composed), spec=spec_named("ourairports"), options=CORRECTIONS)

    assert [*counts, plan.counts.updated] == [1, 0, 0]
    plan.discard()
    assert Airport.objects.get(pk="LSGG").name == "Gen\u00e8ve Cointrin Airport"


@pytest.mark.parametrize("name", ["Gene\u0300ve", "Gen\u200b\u00e8ve", "\u202eGen\u00e8ve"])
def test_17_older_text_that_is_not_plain_is_the_same_as_the_plain_one(base, import_file, name):
    Airport.objects.filter(pk="LSGG").update(name=name)

    for given in (name, "Gen\u00e8ve"):
        said = import_file(
            {"ident": "LSGG", "name": given}, columns=["ident", "name"], options=("--source", "corrections")
        )
        assert (said["changeset"], said["unchanged"]) == (None, 1)


def test_17_upstream_s_invisible_characters_are_left_out(import_file):
    import_file({"name": "\u200bIsla de Desecheo G\u00fceppi\u00ad"})

    assert Airport.objects.get().name == "Isla de Desecheo G\u00fceppi"


def test_31_lower_case_keys_are_refused_with_the_key_that_was_meant(base):
    hints = " ".join(refusal.hint for refusal in imported("31").refusals)

    assert "did you mean US?" in hints
    assert Airport.objects.count() == len(PLACES)


def test_31_a_lower_case_ident_is_refused_with_the_one_that_was_meant(base, airports_file):
    plan = plan_import(
        from_path(airports_file(raw="ident,elevation_ft\nkden,1\nxxxx,2\n")),
        spec=spec_named("ourairports"),
        options=CORRECTIONS,
    )
    plan.discard()

    hint = "no such object, and too few values to make a new one"
    assert [each.hint for each in plan.refusals] == [f"{hint}; did you mean KDEN?", hint]


def test_32_html_is_no_ident_of_a_snapshot_either(base):
    plan = imported("32", options=ImportOptions())

    assert refused(plan) == [(2, "ident", "character")]
    assert "LESS-THAN SIGN" in plan.refusals[0].hint
    assert not Airport.objects.filter(pk__contains="<").exists()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("latitude_deg", "95", "It is not between -90 and 90."),
        ("longitude_deg", "-181", "It is not between -180 and 180."),
        ("iata_code", "jfk", "Not three capital letters or digits; did you mean JFK?"),
        ("iso_country", "XX", "Not a country code in two capital letters that ISO 3166-1 has."),
        ("iso_region", "Colorado", "Not a region code such as CH-ZH, but perhaps a name."),
        ("iso_region", "CA-ON", "A region of US begins with US-."),
    ],
)
def test_the_form_has_the_rules_of_the_files(base, admin_client: Client, field, value, said):
    before = Airport.objects.filter(pk="KDEN").values().get()

    answer = edit(admin_client, **{field: value})

    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors == {field: [said]}
    assert Airport.objects.filter(pk="KDEN").values().get() == before


def test_the_form_stores_plain_text(base, admin_client: Client):
    assert edit(admin_client, name="Gene\u0300ve\u200b").status_code == 302
    assert Airport.objects.get(pk="KDEN").name == "Gen\u00e8ve"


def test_the_form_leaves_older_faults_that_nobody_touched(base, admin_client: Client):
    Airport.objects.filter(pk="KDEN").update(iata_code="0x", iso_region="Colorado")

    assert edit(admin_client, name="Denver").status_code == 302
    assert Airport.objects.get(pk="KDEN").iata_code == "0x"


def edit(client: Client, **values: str):
    """Post the form of KDEN as it comes, with these values changed."""
    address = "/admin/airports/airport/KDEN/change/"
    form = client.get(address).context["adminform"].form
    posted = {name: form[name].value() for name in form.fields}
    return client.post(address, {key: each for key, each in {**posted, **values}.items() if each not in (None, False)})


def test_11_a_bad_cell_is_refused_alone_in_corrections(base):
    Airport.objects.filter(pk="LSZH").update(name="Kloten")

    plan = imported("11")

    assert refused(plan) == [(2, "elevation_ft", "not_integer")]
    assert (plan.counts.updated, plan.counts.refused, plan.counts.cells_refused) == (1, 0, 1)
    airport = Airport.objects.get(pk="LSZH")
    assert (airport.name, airport.elevation_ft) == ("Zurich Airport", 5431)


def test_11_a_bad_cell_refuses_its_row_where_the_person_says_so(base):
    Airport.objects.filter(pk="LSZH").update(name="Kloten")

    plan = imported("11", options=ImportOptions(corrections=True, bad_cell="row"))

    assert (plan.counts.updated, plan.counts.refused, plan.counts.cells_refused) == (0, 1, 0)
    assert Airport.objects.get(pk="LSZH").name == "Kloten"


def test_11_a_snapshot_refuses_the_row_and_with_the_option_only_the_cell(base, import_file):
    row = {"id": "1", "ident": "KDEN", "name": "Denver Intl", "elevation_ft": "1.5"}

    assert import_file(row)["refused"] == 1
    said = import_file(row, options=("--bad-cell", "cell", "--blank", "keep"))
    airport = Airport.objects.get(pk="KDEN")

    assert (said["refused"], said["cells_refused"], said["updated"]) == (0, 1, 1)
    assert (airport.name, airport.elevation_ft, airport.upstream["elevation_ft"]) == ("Denver Intl", 5431, 5431)


def test_11_a_refused_cell_never_clears_a_value(base, import_file):
    with pytest.raises(CommandError, match="--bad-cell cell needs --blank keep"):
        import_file({"ident": "KDEN"}, options=("--bad-cell", "cell"))


def test_11_a_row_whose_key_is_bad_or_that_has_nothing_else_is_refused(base, airports_file):
    text = "ident,name,elevation_ft\nKD\u00c9N,Denver,1\nLSZH,,x\nLFPG,Paris CDG,x\n"
    plan = plan_import(from_path(airports_file(raw=text)), spec=spec_named("ourairports"), options=CORRECTIONS)
    plan.discard()

    assert (plan.counts.refused, plan.counts.cells_refused, plan.counts.updated) == (2, 1, 1)


def test_07_words_for_no_value_are_blank_and_told(base):
    plan = imported("07")

    assert (plan.counts.refused, plan.counts.updated, plan.counts.unchanged) == (0, 0, 2)
    assert blanks_in_words(plan.figures()["read_as_blank"]) == "4 cells read as blank: #N/A, N/A, \\N, null"
    assert not City.objects.filter(name__in=["\\N", "#N/A"]).exists()


def test_07_the_command_says_what_it_read_as_blank_and_takes_other_words(base, airports_file, capsys):
    path = airports_file(raw="ident,municipality\nKDEN,null\nLSZH,nada\n")
    asked = ["import_airports", "--file", str(path), "--source", "corrections"]

    call_command(*asked, "--dry-run")
    assert "1 cell read as blank: null\n" in capsys.readouterr().out
    call_command(*asked, "--null", "nada")
    assert "1 cell read as blank: nada\n" in capsys.readouterr().out

    assert Airport.objects.get(pk="KDEN").municipality == "null"
    assert Airport.objects.get(pk="LSZH").municipality == "Zurich"


def test_07_the_iata_code_of_nadi_and_a_name_are_no_words_for_nothing(import_file):
    import_file({"iata_code": "NAN", "name": "null"})

    assert Airport.objects.values_list("iata_code", "name").get() == ("NAN", "null")


def test_07_the_plan_s_page_says_what_was_read_as_blank(base, planned, admin_client):
    run = planned({"id": "1", "ident": "KDEN", "municipality": "n/a"})

    assert "1 cell read as blank: n/a." in admin_client.get(run_url(run)).content.decode()
