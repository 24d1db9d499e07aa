"""What happens to files that are not what they should be: refused whole, in one sentence, with nothing written."""

import pytest
from django.core.management import CommandError

from apps.airports.models import Airport
from apps.changesets.models import Changeset
from tests.imports.files import COLUMNS, csv_text, gzipped

pytestmark = pytest.mark.django_db


def refused(import_file, **file) -> str:
    with pytest.raises(CommandError) as caught:
        import_file(**file)
    assert Airport.objects.count() == 0
    assert not Changeset.objects.filter(kind="import").exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_empty_file_is_refused(import_file):
    assert refused(import_file, raw="").endswith("is empty.")


def test_header_without_rows_is_refused(import_file):
    assert "has a header but no rows" in refused(import_file)


def test_missing_required_columns_are_named_and_found_ones_too(import_file):
    sentence = refused(import_file, raw="id,ident,name\n1,KDEN,Denver\n")

    assert "lacks the columns type, latitude_deg, longitude_deg, iso_country" in sentence
    assert "Found: id, ident, name." in sentence


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_recognised(import_file, delimiter):
    assert import_file(raw=csv_text({}).replace(",", delimiter))["created"] == 1


def test_byte_order_mark_is_no_part_of_the_first_column(import_file):
    assert import_file(raw="\ufeff" + csv_text({}))["created"] == 1


def test_gzip_is_recognised_by_its_bytes(import_file):
    assert import_file(raw=gzipped(csv_text({})))["created"] == 1


def test_truncated_gzip_is_refused(import_file):
    whole = gzipped(csv_text(*[{"name": f"Airport {number}"} for number in range(5000)]))

    assert "damaged or cut short" in refused(import_file, raw=whole[: len(whole) // 2])


def test_damaged_gzip_is_refused(import_file):
    whole = bytearray(gzipped(csv_text(*[{"name": f"Airport {number}"} for number in range(500)])))
    whole[-8] ^= 0xFF

    assert "damaged or cut short" in refused(import_file, raw=bytes(whole))


def test_renamed_picture_is_refused(import_file):
    assert "is a PNG picture" in refused(import_file, raw=b"\x89PNG\r\n\x1a\n\x00\x00")


def test_damaged_zip_is_refused(import_file):
    assert "damaged or cut short" in refused(import_file, raw=b"PK\x03\x04rest")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_other_encodings_are_recognised(import_file, encoding):
    assert import_file(raw=csv_text({"name": "Zürich"}).encode(encoding))["created"] == 1
    assert Airport.objects.get().name == "Zürich"


def test_open_quote_is_refused(import_file):
    assert "a quote is left open" in refused(import_file, raw=csv_text({}) + '2,"KX')


def test_gigantic_cell_is_refused(import_file):
    assert "a cell is longer than" in refused(import_file, raw=csv_text({"name": "x" * 200_000}))


def test_file_that_is_not_there_is_refused(tmp_path, import_file):
    from django.core.management import call_command

    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("import_airports", "--file", str(tmp_path / "nowhere.csv"))


def test_ragged_rows_are_refused_by_line_and_the_others_go_in(import_file):
    result = import_file(raw=csv_text({}) + "9,KX,too short\n" + csv_text({}, {}).splitlines()[2] + "\n")

    assert (result["total"], result["created"], result["refused"]) == (3, 2, 1)


def test_blank_lines_are_no_rows(import_file):
    assert import_file(raw=csv_text({}) + "\n\n")["total"] == 1


def test_extra_columns_do_not_matter(import_file):
    assert import_file({"icao_code": "KDEN"}, columns=[*COLUMNS, "icao_code"])["created"] == 1


def test_missing_optional_columns_do_not_matter(import_file):
    result = import_file({}, columns=[name for name in COLUMNS if name not in ("iata_code", "elevation_ft")])

    assert result["created"] == 1
    assert Airport.objects.get().iata_code is None


def test_titles_are_found_in_any_case_and_order(import_file):
    result = import_file(raw="IDENT,ID,Type,Name,Latitude_deg,LONGITUDE_DEG,iso_country\nKDEN,1,closed,Denver,1,2,US\n")

    assert result["created"] == 1
    assert Airport.objects.get().active is False
