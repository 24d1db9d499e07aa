"""The three-way merge: what somebody corrected here stands against upstream, until upstream catches up."""

import json

import pytest
from django.core.management import CommandError
from django.db import connection

from apps.airports.models import Airport
from apps.changesets.models import Changeset
from apps.changesets.revert.plan import plan_revert

pytestmark = pytest.mark.django_db


def correct(**values) -> None:
    Airport.objects.update(**values)


def test_correction_is_left_alone_while_upstream_says_the_same(import_file):
    import_file({})
    correct(name="Corrected")

    result = import_file({})

    assert (result["updated"], result["kept"], result["changeset"]) == (0, 0, None)
    assert Airport.objects.get().name == "Corrected"


def test_correction_is_kept_and_listed_when_upstream_changes_the_same_field(import_file):
    import_file({})
    correct(name="Corrected")

    result = import_file({"name": "Upstream's new name"})

    assert result["kept"] == 1
    assert Airport.objects.get().name == "Corrected"
    kept = Changeset.objects.get(pk=result["changeset"]).summary["kept"]
    assert [(each["field"], each["base"], each["new"], each["current"]) for each in kept] == [
        ("name", "Denver International Airport", "Upstream's new name", "Corrected")
    ]


def test_other_fields_of_a_corrected_airport_follow_upstream(import_file):
    import_file({})
    correct(name="Corrected", search_name="corrected")

    import_file({"name": "New", "elevation_ft": "5500"})

    airport = Airport.objects.get()
    assert (airport.name, airport.search_name, airport.elevation_ft) == ("Corrected", "corrected", 5500)


def test_the_same_file_again_finds_a_kept_correction_in_place(import_file):
    import_file({})
    correct(name="Corrected")
    import_file({"name": "New"})

    assert import_file({"name": "New"})["changeset"] is None


def test_correction_ends_when_upstream_catches_up(import_file):
    import_file({})
    correct(name="Better")
    import_file({"name": "Better"})

    import_file({"name": "Better still"})

    assert Airport.objects.get().name == "Better still"


def test_overwrite_takes_the_file_s_value(import_file):
    import_file({})
    correct(name="Corrected")

    result = import_file({"name": "New"}, options=("--on-local-edit", "overwrite"))

    assert (result["kept"], Airport.objects.get().name) == (0, "New")


def test_abort_changes_nothing_and_names_the_correction(import_file):
    import_file({})
    correct(name="Corrected")

    with pytest.raises(CommandError, match="such as K001 \\(name: ours 'Corrected', theirs 'New'\\)"):
        import_file({"name": "New"}, options=("--on-local-edit", "abort"))

    assert Airport.objects.get().name == "Corrected"


@pytest.mark.parametrize(
    ("field", "ours", "theirs"),
    [
        ("latitude_deg", 1.5, "2.5"),
        ("elevation_ft", 7, "8"),
        ("elevation_ft", None, "8"),
        ("iata_code", None, "XXX"),
        ("iata_code", "YYY", ""),
        ("municipality", "Aurora", "Boulder"),
        ("iso_region", "", "US-WY"),
    ],
)
def test_corrections_of_every_type_are_kept(import_file, field, ours, theirs):
    import_file({})
    correct(**{field: ours})

    result = import_file({field: theirs})

    assert result["kept"] == 1
    assert getattr(Airport.objects.get(), field) == ours


def test_corrected_ident_is_kept(import_file):
    import_file({"ident": "KDEN"})
    correct(ident="KDNV")

    result = import_file({"ident": "KDEX"})

    assert (result["kept"], result["renamed"]) == (1, 0)
    assert Airport.objects.get().ident == "KDNV"


def test_correction_travels_with_a_renamed_airport(import_file):
    import_file({"ident": "OLD"})
    correct(name="Corrected")

    import_file({"ident": "NEW", "name": "Upstream's"})

    assert Airport.objects.get(ident="NEW").name == "Corrected"


def test_closing_upstream_deactivates(import_file):
    import_file({})

    import_file({"type": "closed"})

    assert Airport.objects.get().active is False


def test_corrected_type_keeps_active_too(import_file):
    import_file({})
    correct(airport_type="medium_airport")

    import_file({"type": "closed"})

    airport = Airport.objects.get()
    assert (airport.airport_type, airport.active) == ("medium_airport", True)


def test_airport_deactivated_by_hand_stays_so(import_file):
    import_file({})
    correct(active=False)

    import_file({"type": "medium_airport"})

    airport = Airport.objects.get()
    assert (airport.airport_type, airport.active) == ("medium_airport", False)


def test_upstream_values_read_back_as_the_airport_s(import_file):
    import_file({"longitude_deg": "-74.93360137939453", "name": 'Zürich "quoted"'})

    airport = Airport.objects.get()
    for field, value in airport.upstream.items():
        assert getattr(airport, field) == value


def test_saving_an_airport_again_does_not_rewrite_its_upstream_values(import_file):
    import_file({"name": 'Zürich "quoted"', "elevation_ft": ""})
    with connection.cursor() as cursor:
        cursor.execute("SELECT CAST(upstream AS text) FROM airports_airport")
        stored = cursor.fetchone()[0]
    rows = Airport.history.count()

    Airport.objects.get().save()

    assert json.loads(stored) == Airport.objects.get().upstream
    assert Airport.history.count() == rows


def test_file_without_a_column_leaves_it_and_its_upstream_value_alone(import_file):
    import_file({})
    columns = ["id", "ident", "type", "name", "latitude_deg", "longitude_deg", "iso_country"]

    result = import_file({"name": "New"}, columns=columns)

    airport = Airport.objects.get()
    assert (result["updated"], airport.iata_code, airport.upstream["iata_code"]) == (1, "DEN", "DEN")
    assert import_file({"name": "New"}, columns=columns)["changeset"] is None
    assert import_file({"name": "New"})["changeset"] is None


def test_corrections_file_applies_filled_cells_and_leaves_upstream_values(import_file):
    import_file({"ident": "KDEN"}, {})
    columns = ["ident", "name", "elevation_ft"]

    result = import_file(
        {"ident": "KDEN", "name": "By hand", "elevation_ft": ""}, columns=columns, options=("--source", "corrections")
    )

    airport = Airport.objects.get(ident="KDEN")
    assert (result["updated"], result["missing"]) == (1, 0)
    assert (airport.name, airport.search_name, airport.elevation_ft) == ("By hand", "by hand", 5431)
    assert airport.upstream["name"] == "Denver International Airport"
    assert import_file({"ident": "KDEN", "name": "Upstream"}, {})["kept"] == 1


def test_correction_of_an_unknown_airport_is_refused(import_file):
    result = import_file({"ident": "NONE", "name": "x"}, columns=["ident", "name"], options=("--source", "corrections"))

    assert (result["refused"], result["created"]) == (1, 0)


def test_corrections_file_with_all_columns_makes_a_new_airport_without_upstream_values(import_file):
    columns = ["ident", "type", "name", "latitude_deg", "longitude_deg", "iso_country", "municipality"]

    result = import_file({"ident": "NEW"}, columns=columns, options=("--source", "corrections"))

    airport = Airport.objects.get()
    assert result["created"] == 1
    assert (airport.source_id, airport.upstream, airport.city.name) == (None, None, "Denver")


def test_reverting_an_import_explains_that_a_later_one_moved_what_upstream_said(import_file):
    import_file({"municipality": "Denver"})
    second = import_file({"municipality": "Boulder"})
    import_file({"municipality": "Boulder", "name": "New"})

    verdicts = plan_revert(Changeset.objects.filter(pk=second["changeset"])).verdicts

    told = {field.label for verdict in verdicts for field in verdict.fields}
    assert "last upstream values" in told


def test_overwrite_leaves_a_correction_that_upstream_says_nothing_new_about(import_file):
    import_file({})
    correct(name="Corrected")

    import_file({"elevation_ft": "5500"}, options=("--on-local-edit", "overwrite"))

    airport = Airport.objects.get()
    assert (airport.name, airport.elevation_ft) == ("Corrected", 5500)


def test_a_correction_is_not_told_of_again_when_another_field_changes(import_file):
    import_file({})
    correct(name="Corrected")
    import_file({"name": "New"})

    assert import_file({"name": "New", "elevation_ft": "5500"})["kept"] == 0
