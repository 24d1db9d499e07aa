"""GPS, ICAO and local codes, scheduled service and keywords: taken where a file has them, left alone where not."""

import pytest

from apps.airports.models import Airport
from tests.imports.files import COLUMNS

pytestmark = pytest.mark.django_db
CODES = ("gps_code", "icao_code", "local_code", "scheduled_service", "keywords")
NEWER = [*COLUMNS, "icao_code"]
WITHOUT = [column for column in COLUMNS if column not in CODES]
DENVER = {"gps_code": "KDEN", "local_code": "DEN", "scheduled_service": "yes", "keywords": "Stapleton,\tDIA"}


def codes() -> list:
    return [getattr(Airport.objects.get(), field) for field in CODES]


def test_a_snapshot_fills_them_and_what_its_header_lacks_is_unknown(import_file):
    import_file(DENVER)

    assert codes() == ["KDEN", None, "DEN", True, "Stapleton, DIA"]
    assert Airport.objects.get().upstream["scheduled_service"] is True


def test_an_empty_cell_is_null(import_file):
    import_file({**DENVER, "icao_code": "KDEN"}, columns=NEWER)

    import_file({"scheduled_service": ""}, columns=NEWER)

    assert codes() == [None] * 5


def test_a_newer_header_that_says_nothing_new_changes_nothing(import_file):
    import_file(DENVER)

    result = import_file(DENVER, columns=NEWER)

    assert (result["updated"], result["changeset"]) == (0, None)


def test_an_older_file_leaves_the_values_and_what_upstream_said_alone(import_file):
    import_file({**DENVER, "icao_code": "KDEN"}, columns=NEWER)
    before = Airport.objects.get().upstream

    results = [import_file({}, columns=WITHOUT), import_file({}, columns=WITHOUT)]

    assert codes() == ["KDEN", "KDEN", "DEN", True, "Stapleton, DIA"]
    assert Airport.objects.get().upstream == before
    assert [result["updated"] for result in results] == [0, 0]


def test_an_airport_that_was_imported_before_there_were_such_columns_takes_them_without_corrections(import_file):
    import_file({}, columns=WITHOUT)
    airport = Airport.objects.get()
    upstream = {field: value for field, value in airport.upstream.items() if field not in CODES}
    Airport.objects.update(upstream=upstream)

    result = import_file({**DENVER, "icao_code": "KDEN"}, columns=NEWER)

    assert (result["updated"], result["kept"]) == (1, 0)
    assert codes() == ["KDEN", "KDEN", "DEN", True, "Stapleton, DIA"]


def test_a_value_without_a_base_gives_way_to_the_file(import_file):
    import_file({}, columns=WITHOUT)
    upstream = {field: value for field, value in Airport.objects.get().upstream.items() if field not in CODES}
    Airport.objects.update(upstream=upstream, gps_code="HAND", icao_code="HAND")

    result = import_file(DENVER)

    assert (result["kept"], codes()[:2]) == (0, ["KDEN", "HAND"])
    assert "icao_code" not in Airport.objects.get().upstream


def test_a_correction_of_a_code_is_kept_against_upstream(import_file):
    import_file(DENVER)
    Airport.objects.update(gps_code="XDEN", icao_code="XDEN")

    result = import_file({**DENVER, "gps_code": "KDNV", "icao_code": "KDEN"}, columns=NEWER)

    assert (result["kept"], codes()[:2]) == (1, ["XDEN", "XDEN"])


@pytest.mark.parametrize(
    ("field", "value"),
    [("gps_code", "KD"), ("icao_code", "kden"), ("local_code", "a b"), ("scheduled_service", "perhaps")],
)
def test_a_correction_that_is_no_code_is_refused(import_file, field, value):
    import_file(DENVER)

    result = import_file({"ident": "K001", field: value}, columns=["ident", field], options=("--source", "corrections"))

    assert (result["refused"], result["updated"]) == (1, 0)
