"""XLSX and ODS written row by row, in flat memory and with every digit.

openpyxl writes numbers with 16 digits, one too few to give a float back, and odfpy and tablib hold the whole table as
objects. A table of text and numbers needs little of either format.
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import IO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from apps.changesets.text import NOT_XML
from apps.imports.export.tables import Cell, Table

ROWS_OF_A_SHEET = 1_048_576
# A spreadsheet has floats only: a whole number beyond this loses digits, so it goes as text.
EXACT = 2**53
PART = 1000
# Excel reads `_x0041_` as the character of that number, so an underscore that would begin one is written as such.
_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def write_xlsx(table: Table, out: IO[bytes]) -> None:
    """Write the table as a workbook of one sheet; columns of text are formatted as text."""
    with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=4) as archive:
        for name, content in _XLSX_PARTS.items():
            archive.writestr(name, _XML + content.format(name=escape(table.name)))
        letters = [_letters(number) for number in range(len(table.columns))]
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write((_XML + _xlsx_head(table)).encode())
            _write_rows(table, sheet, lambda number, row: _xlsx_row(number, row, letters))
            sheet.write(b"</sheetData></worksheet>")


def write_ods(table: Table, out: IO[bytes]) -> None:
    """Write the table as an OpenDocument spreadsheet of one sheet; columns of text are formatted as text."""
    with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=4) as archive:
        # The kind of a document is read from these first bytes, uncompressed.
        archive.writestr("mimetype", _ODS_KIND, ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", _XML + _ODS_MANIFEST)
        with archive.open("content.xml", "w") as sheet:
            sheet.write((_XML + _ODS_HEAD + _ods_columns(table)).encode())
            _write_rows(table, sheet, lambda _number, row: _ods_row(row))
            sheet.write(b"</table:table></office:spreadsheet></office:body></office:document-content>")


def _write_rows(table: Table, sheet: IO[bytes], as_xml: Callable[[int, list[Cell]], str]) -> None:
    lines = _lines(table, as_xml)
    while part := list(islice(lines, PART)):
        sheet.write("".join(part).encode())


def _lines(table: Table, as_xml: Callable[[int, list[Cell]], str]) -> Iterator[str]:
    yield as_xml(1, list(table.header))
    for number, row in enumerate(table.rows, start=2):
        yield as_xml(number, row)


def _letters(number: int) -> str:
    name = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, 26)
        name = chr(ord("A") + digit) + name
    return name


def _text(value: str) -> str:
    """Return the text as XML holds it; what XML cannot hold becomes the mark of a character that was lost."""
    return escape(NOT_XML.sub("\N{REPLACEMENT CHARACTER}", value))


def _is_number(value: Cell) -> bool:
    return isinstance(value, float) or (isinstance(value, int) and abs(value) <= EXACT)


# -- XLSX --------------------------------------------------------------------------------------------------------


def _xlsx_head(table: Table) -> str:
    columns = "".join(
        f'<col min="{number}" max="{number}" width="{20 if column.is_text else 14}" customWidth="1"'
        f' style="{int(column.is_text)}"/>'
        for number, column in enumerate(table.columns, start=1)
    )
    return (
        f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2"'
        f' activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>{columns}</cols><sheetData>'
    )


def _xlsx_row(number: int, row: list[Cell], letters: list[str]) -> str:
    cells = []
    for letter, value in zip(letters, row, strict=True):
        if value in (None, ""):
            continue
        if isinstance(value, bool):
            cells.append(f'<c r="{letter}{number}" t="b"><v>{int(value)}</v></c>')
        elif _is_number(value):
            cells.append(f'<c r="{letter}{number}"><v>{value!r}</v></c>')
        else:
            text = _ESCAPE.sub("_x005F_", _text(str(value))).replace("\r", "&#13;")
            cells.append(f'<c r="{letter}{number}" s="1" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>')
    return f'<row r="{number}">{"".join(cells)}</row>'


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XLSX_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        '<sheets><sheet name="{name}" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    # Style 1 is text (number format 49), so that what somebody types into such a column stays as typed.
    "xl/styles.xml": (
        f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    ),
}


# -- ODS ---------------------------------------------------------------------------------------------------------

_SPACES = re.compile("^ | $| {2,}|[\t\r\n]")


def _ods_columns(table: Table) -> str:
    columns = "".join(
        f'<table:table-column table:default-cell-style-name="{"text" if column.is_text else "plain"}"/>'
        for column in table.columns
    )
    return f'<table:table table:name="{escape(table.name)}">{columns}'


def _ods_row(row: list[Cell]) -> str:
    cells = []
    for value in row:
        if value in (None, ""):
            cells.append("<table:table-cell/>")
        elif isinstance(value, bool):
            cells.append(
                f'<table:table-cell office:value-type="boolean" office:boolean-value="{"true" if value else "false"}"/>'
            )
        elif _is_number(value):
            cells.append(f'<table:table-cell office:value-type="float" office:value="{value!r}"/>')
        else:
            text = _SPACES.sub(_space, _text(str(value)))
            cells.append(f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>')
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


def _space(match: re.Match) -> str:
    """Return white space as OpenDocument writes it, since a reader folds what stands in the text itself."""
    if match[0] == "\t":
        return "<text:tab/>"
    return f'<text:s text:c="{len(match[0])}"/>' if match[0][0] == " " else "<text:line-break/>"


_ODS_KIND = "application/vnd.oasis.opendocument.spreadsheet"
_ODF = "urn:oasis:names:tc:opendocument:xmlns"
_ODS_MANIFEST = (
    f'<manifest:manifest xmlns:manifest="{_ODF}:manifest:1.0" manifest:version="1.2">'
    f'<manifest:file-entry manifest:full-path="/" manifest:version="1.2" manifest:media-type="{_ODS_KIND}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)
_ODS_HEAD = (
    f'<office:document-content xmlns:office="{_ODF}:office:1.0" xmlns:style="{_ODF}:style:1.0"'
    f' xmlns:text="{_ODF}:text:1.0" xmlns:table="{_ODF}:table:1.0" xmlns:number="{_ODF}:datastyle:1.0"'
    ' office:version="1.2"><office:automatic-styles>'
    '<number:text-style style:name="N100"><number:text-content/></number:text-style>'
    '<style:style style:name="plain" style:family="table-cell"/>'
    '<style:style style:name="text" style:family="table-cell" style:data-style-name="N100"/>'
    "</office:automatic-styles><office:body><office:spreadsheet>"
)
