"""XLSX and ODS: what stands in a cell becomes the text that would stand in a CSV."""

import datetime
import io

import pytest
import tablib
from openpyxl import Workbook

from apps.imports.errors import CellRefused, ChoiceContradicts, FileLocked, TooManyRows
from apps.imports.reading import ods as ods_format
from apps.imports.reading.rows import read
from tests.imports.reading.conftest import ods, ods_row, rows_of, table_of, xlsx

pytestmark = pytest.mark.once


def book(*rows: list, title: str = "Sheet") -> Workbook:
    made = Workbook()
    made.active.title = title
    for row in rows:
        made.active.append(row)
    return made


def saved(made: Workbook) -> bytes:
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (11.0, "11"),
        (-12.5, "-12.5"),
        (0.1, "0.1"),
        (1e20, "1e+20"),
        (-7, "-7"),
        (0, "0"),
        (True, "true"),
        (False, "false"),
        (None, ""),
        ("  two  spaces ", "  two  spaces "),
        ("007", "007"),
        ("a\nb", "a\nb"),
        (datetime.date(2026, 4, 1), "2026-04-01"),
        (datetime.datetime(2026, 4, 1, 12, 30), "2026-04-01T12:30:00"),
        (datetime.time(6, 5), "06:05:00"),
        (datetime.timedelta(hours=30), "1 day, 6:00:00"),
    ],
)
def test_a_cell_of_excel_becomes_text_exactly(source, value, text):
    file = source(saved(book(["id", "value"], ["1", value])), "table.xlsx")

    assert table_of(file)[1] == ["1", text]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("34.305599212646484", "34.305599212646484"),
        ("0.30000000000000004", "0.30000000000000004"),
        ("1E400", "1E400"),
        ("1.2E1", "12"),
        ("-0", "0"),
    ],
)
def test_numbers_of_excel_keep_every_digit(source, written, text):
    sheet = f'<row><c t="str"><v>id</v></c></row><row><c><v>{written}</v></c></row>'

    assert table_of(source(xlsx(sheet), "table.xlsx"))[1] == [text]


def test_years_counted_from_1904_are_the_right_ones(source):
    made = book(["id"], [datetime.date(2026, 4, 1)])
    made.epoch = datetime.datetime(1904, 1, 1)

    assert table_of(source(saved(made), "mac.xlsx"))[1] == ["2026-04-01"]


def test_shared_texts_are_read_with_their_runs_and_without_their_pronunciation(source):
    strings = "<si><r><t>To</t></r><r><t>kyo </t></r><rPh><t>x</t></rPh></si><si><t>a_x000D_b</t></si>"
    sheet = '<row><c t="s"><v>0</v></c></row><row><c t="s"><v>1</v></c></row>'

    assert table_of(source(xlsx(sheet, strings=strings), "table.xlsx")) == [["Tokyo"], ["a\rb"]]


def test_short_rows_are_filled_long_empty_ones_cut_and_blank_ones_left_out(source):
    made = book(["id", "name", "code", None], ["1"], [None, None], ["2", "b", "c", None, ""], ["3", "b", "c", "extra"])

    assert rows_of(source(saved(made), "table.xlsx")) == [
        (2, ["1", "", ""]),
        (4, ["2", "b", "c"]),
        (5, ["3", "b", "c", "extra"]),
    ]


def test_the_first_shown_sheet_with_content_is_read(source):
    made = book(title="blank")
    hidden = made.create_sheet("hidden")
    hidden.append(["no"])
    hidden.sheet_state = "hidden"
    made.create_sheet("data").append(["id"])
    made["data"].append(["1"])

    assert table_of(source(saved(made), "table.xlsx")) == [["id"], ["1"]]


def test_a_formula_that_was_never_worked_out_is_refused_with_its_place(refusal):
    error = refusal(saved(book(["id", "sum"], ["1", "=1+1"], title="Data")), "formula.xlsx")

    assert isinstance(error, CellRefused)
    assert "Data, cell B2 is a formula without a value" in str(error)


def test_the_value_of_a_formula_is_read(source):
    header = '<row><c t="str"><v>id</v></c></row>'
    sheet = f'{header}<row><c><f>1+1</f><v>2</v></c></row><row><c t="str"><f>A9</f><v>x</v></c></row>'

    assert table_of(source(xlsx(sheet), "table.xlsx")) == [["id"], ["2"], ["x"]]


def test_a_formula_that_failed_is_refused_with_its_place(refusal):
    sheet = '<row r="1"><c r="A1" t="str"><v>id</v></c></row><row r="7"><c r="C7" t="e"><v>#REF!</v></c></row>'

    assert "cell C7 holds the error #REF!" in str(refusal(xlsx(sheet), "error.xlsx"))


@pytest.mark.parametrize(
    "sheet",
    [
        '<row r="x"><c><v>1</v></c></row>',
        '<row><c r="XFE1"><v>1</v></c></row>',
        '<row><c r="é1"><v>1</v></c></row>',
        '<row><c t="s"><v>5</v></c></row>',
        "<row><c><v>abc</v></c></row>",
        "<row><c>",
        "<a>" * 500,
        "".join(f"<a{number}/>" for number in range(11_000)),
    ],
)
def test_a_sheet_that_breaks_its_format_is_refused(refusal, sheet):
    assert "save it again" in str(refusal(xlsx(sheet), "odd.xlsx"))


def test_a_sheet_is_recognised_by_content_whatever_its_name(source, refusal):
    content = saved(book(["id"], ["1"]))

    assert read(source(content, "table.csv")).how.format == "xlsx"
    assert isinstance(refusal(content, "table.csv", format="csv"), ChoiceContradicts)


def test_libreoffice_cells_become_the_same_text(source):
    data = tablib.Dataset(
        ["1", 11.5, -7, True, datetime.date(2026, 4, 1), datetime.datetime(2026, 4, 1, 12, 30), datetime.time(6, 5)],
        headers=["text", "float", "int", "bool", "date", "moment", "time"],
    )

    assert table_of(source(data.export("ods"), "table.ods"))[1] == [
        *("1", "11.5", "-7", "true", "2026-04-01", "2026-04-01T12:30:00", "06:05:00")
    ]


def test_spaces_lines_and_notes_of_libreoffice_are_told_apart(source):
    cell = (
        '<table:table-cell office:value-type="string"><office:annotation><text:p>note</text:p></office:annotation>'
        '<text:p>a<text:s text:c="3"/>b<text:tab/><text:span>c</text:span></text:p><text:p>d</text:p>'
        "</table:table-cell>"
    )
    rows = ods_row("id") + f"<table:table-row>{cell}</table:table-row>"

    assert table_of(source(ods(rows), "table.ods"))[1] == ["a   b\tc\nd"]


def test_repeated_cells_and_rows_are_laid_out_and_empty_ones_cost_nothing(source):
    rows = (
        ods_row("id", "name", "code") + '<table:table-row table:number-rows-repeated="900000000"><table:table-cell '
        'table:number-columns-repeated="16384"/></table:table-row>'
        + '<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="2" '
        'office:value-type="float" office:value="5.0"/><table:table-cell table:number-columns-repeated="900000000"/>'
        "</table:table-row>"
    )

    assert rows_of(source(ods(rows), "table.ods")) == [(900000002, ["5", "5", ""]), (900000003, ["5", "5", ""])]


def test_a_row_repeated_without_end_meets_the_row_limit(refusal):
    error = refusal(ods(ods_row("id") + ods_row("x", more=' table:number-rows-repeated="900000000"')), "bomb.ods")

    assert isinstance(error, TooManyRows)
    assert "more than 20,000 rows" in str(error)
    assert "save the table as CSV" in str(error)


def test_ods_is_read_up_to_its_row_limit(source, monkeypatch):
    monkeypatch.setattr(ods_format, "ROW_LIMIT", 2)

    assert len(rows_of(source(ods(ods_row("id") + ods_row("1") * 2), "table.ods"))) == 2


def test_a_filled_cell_repeated_without_end_is_refused(refusal):
    cell = '<table:table-cell table:number-columns-repeated="900000000" office:value-type="float" office:value="1"/>'

    assert "is beyond column" in str(refusal(ods(f"<table:table-row>{cell}</table:table-row>"), "wide.ods"))


def test_an_ods_with_a_password_is_refused(refusal):
    content = ods("", manifest="<manifest><encryption-data/></manifest>")

    assert isinstance(refusal(content, "locked.ods"), FileLocked)
