"""`python -m benchmarks.sheets FOLDER SNAPSHOT`: write the files that readers are measured on, and print their paths.

A process of its own, so that the one that measures stays small. Large ones hold the airports of the packed CSV file,
odd ones a cell of each kind; hostile ones are small and ask for much.
"""

import csv
import gzip
import json
import sys
import zipfile
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import django
from openpyxl import Workbook

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
ODF = "urn:oasis:names:tc:opendocument:xmlns"
NUMBERS = ("id", "latitude_deg", "longitude_deg", "elevation_ft")
LAUGHS = "<!DOCTYPE x [<!ENTITY a0 'ha'>{}]>".format(
    "".join(f"<!ENTITY a{level} '{f'&a{level - 1};' * 10}'>" for level in range(1, 10))
)
# Styles 1 to 6: percent, date, time, date and time, duration, two digits after the point.
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts count="1"><numFmt numFmtId="170" formatCode="[h]:mm:ss"/></numFmts>'
    '<fonts count="1"><font/></fonts><fills count="1"><fill><patternFill/></fill></fills>'
    '<borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="7"><xf numFmtId="0"/><xf numFmtId="9"/>'
    '<xf numFmtId="14"/><xf numFmtId="21"/><xf numFmtId="22"/><xf numFmtId="170"/><xf numFmtId="2"/></cellXfs>'
    "</styleSheet>"
)
# What a cell holds, by what it is called.
ODD = {
    "whole number": "<c><v>11</v></c>",
    "17 digits": "<c><v>34.305599212646484</v></c>",
    "2 digits shown of 17": '<c s="6"><v>34.305599212646484</v></c>',
    "beyond 2^53": "<c><v>12345678901234567890</v></c>",
    "1E400": "<c><v>1E400</v></c>",
    "percent": '<c s="1"><v>0.125</v></c>',
    "date": '<c s="2"><v>46113</v></c>',
    "time": '<c s="3"><v>0.25</v></c>',
    "date and time": '<c s="4"><v>46113.52083333334</v></c>',
    "duration": '<c s="5"><v>1.25</v></c>',
    "true": '<c t="b"><v>1</v></c>',
    "text 007": '<c t="inlineStr"><is><t>007</t></is></c>',
    "spaces": '<c t="inlineStr"><is><t xml:space="preserve"> two  spaces </t></is></c>',
    "escaped": '<c t="inlineStr"><is><t>a_x0041_b</t></is></c>',
    "pronounced": '<c t="s"><v>0</v></c>',
    "formula": "<c><f>1+1</f><v>2</v></c>",
    "formula without value": "<c><f>1+1</f></c>",
    "formula that failed": '<c t="e"><f>A0</f><v>#REF!</v></c>',
}


def xlsx(path: Path, sheet: Iterable[str], *, strings: Iterable[str] = (), head: str = "", after: str = "") -> None:
    """Write an XLSX file whose one sheet has these rows, as XML, in flat memory."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in _PARTS.items():
            archive.writestr(name, content)
        _part(archive, "xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">', strings, "</sst>")
        start = f'{head}<worksheet xmlns="{MAIN}">' if head.startswith("<!") else f'<worksheet xmlns="{MAIN}">{head}'
        _part(archive, "xl/worksheets/sheet1.xml", f"{start}<sheetData>", sheet, f"</sheetData>{after}</worksheet>")


def ods(path: Path, rows: Iterable[str], *, head: str = "") -> None:
    """Write an ODS file whose one table has these rows, as XML."""
    names = " ".join(f'xmlns:{name}="{ODF}:{name}:1.0"' for name in ("office", "table", "text"))
    start = f'{head}<office:document-content {names} office:version="1.2"><office:body><office:spreadsheet>'
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("mimetype", kind, zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", f'<manifest:manifest xmlns:manifest="{ODF}:manifest:1.0"/>')
        end = "</table:table></office:spreadsheet></office:body></office:document-content>"
        _part(archive, "content.xml", f'{start}<table:table table:name="one">', rows, end)


def _part(archive: zipfile.ZipFile, name: str, start: str, content: Iterable[str], end: str) -> None:
    with archive.open(name, "w", force_zip64=True) as part:
        for text in chain((start,), content, (end,)):
            part.write(text.encode())


_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/'
    'vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{KIND}.worksheet+xml"/>'
    f'<Override PartName="/xl/sharedStrings.xml" ContentType="{KIND}.sharedStrings+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{KIND}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets>'
    '<sheet name="Airports" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{LINKS}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{LINKS}/sharedStrings" Target="sharedStrings.xml"/>'
    f'<Relationship Id="rId3" Type="{LINKS}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": STYLES,
}


def write_large(folder: Path, snapshot: Path) -> dict[str, str]:
    """Write the airports as our exporter does, and as XLSX with shared texts, as Excel does."""
    from apps.imports.export.formats import Json
    from apps.imports.export.spreadsheets import write_ods, write_xlsx
    from apps.imports.export.tables import ExportColumn, Table

    with gzip.open(snapshot, "rt", encoding="utf-8", newline="") as stream:
        header, *lines = csv.reader(stream)
    rows = [[_typed(name, text) for name, text in zip(header, line, strict=True)] for line in lines]
    columns = tuple(ExportColumn(name, name not in NUMBERS) for name in header)
    writers = {"XLSX of ours": write_xlsx, "ODS of ours": write_ods, "JSON of ours": Json().write}
    paths = {}
    for name, write in writers.items():
        paths[name] = folder / f"airports.{name[:4].strip().lower()}"
        with paths[name].open("wb") as out:
            write(Table("airports", columns, iter(rows)), out)
    book = Workbook(write_only=True)
    sheet = book.create_sheet("airports")
    for row in (header, *rows):
        sheet.append(row)
    paths["XLSX with shared texts"] = folder / "shared.xlsx"
    book.save(paths["XLSX with shared texts"])
    return {name: str(path) for name, path in paths.items()}


def _typed(name: str, text: str) -> Any:
    return (float(text) if "." in text else int(text)) if text and name in NUMBERS else text


def write_odd(folder: Path) -> dict[str, str]:
    """Write a file for each kind of cell, and those of a few shapes of sheets."""
    text = '<c t="inlineStr"><is><t>{}</t></is></c>'
    header = f"<row>{text.format('id')}{text.format('value')}</row>"
    sound = "<si><t>Tokyo</t><rPh sb='0' eb='1'><t>TOKYO</t></rPh></si>"
    paths = {}
    for number, (name, cell) in enumerate(ODD.items()):
        paths[name] = folder / f"odd{number}.xlsx"
        xlsx(paths[name], [header, f"<row><c><v>1</v></c>{cell}</row>"], strings=[sound])
    second, fifth, sixth = (f'<row r="{r}"><c r="A{r}"><v>{r}</v></c><c r="B{r}"><v>5</v></c></row>' for r in (2, 5, 6))
    paths["blank rows between"] = folder / "blank.xlsx"
    xlsx(paths["blank rows between"], [header, second, sixth])
    paths["merged cells"] = folder / "merged.xlsx"
    xlsx(paths["merged cells"], [header, fifth], after='<mergeCells count="1"><mergeCell ref="A5:B6"/></mergeCells>')
    paths["a dimension of one cell"] = folder / "dimension.xlsx"
    xlsx(paths["a dimension of one cell"], [header, second], head='<dimension ref="A1"/>')
    return {name: str(path) for name, path in paths.items()}


def write_hostile(folder: Path) -> dict[str, str]:
    """Write small files that ask for much memory or time, or are damaged."""
    cell = "<c><v>1</v></c>"
    header = '<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c></row>'
    bomb = ["<row></row>" * 100_000]
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    repeated = (
        '<table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384" '
        'office:value-type="float" office:value="1"/></table:table-row>'
    )
    sheets: dict[str, dict[str, Any]] = {
        "700 MB of empty rows": {"sheet": bomb * 640},
        "8,000,000 shared texts": {
            "sheet": [header, f"<row>{cell}</row>"],
            "strings": (
                "".join(f"<si><t>{at}</t></si>" for at in range(start, start + 10_000))
                for start in range(0, 8_000_000, 10_000)
            ),
        },
        "a text of 300 MB": {"sheet": [header, "<row><c t='str'><v>", *["x" * 1_000_000] * 300, "</v></c></row>"]},
        "one cell in the last corner": {"sheet": [header, far]},
        "a dimension of the whole sheet": {"sheet": [header, *[f"<row>{cell}</row>"] * 2000],
                                           "head": '<dimension ref="A1:XFD1048576"/>'},
        "entities that grow": {"sheet": [header, "<row><c t='str'><v>&a9;</v></c></row>"], "head": LAUGHS},
        "nested 1,000,000 deep": {"sheet": [header, "<row>", *["<a>" * 100_000] * 10]},
    }  # fmt: skip
    paths = {}
    for number, (name, parts) in enumerate(sheets.items()):
        paths[f"XLSX: {name}"] = folder / f"hostile{number}.xlsx"
        xlsx(paths[f"XLSX: {name}"], **parts)
    tables = {
        "17 billion repeated cells": ([repeated], ""),
        "entities that grow": (["<table:table-row><table:table-cell><text:p>&a9;</text:p></table:table-cell>"
                                "</table:table-row>"], LAUGHS),
    }  # fmt: skip
    for number, (name, (rows, head)) in enumerate(tables.items()):
        paths[f"ODS: {name}"] = folder / f"hostile{number}.ods"
        ods(paths[f"ODS: {name}"], rows, head=head)
    whole = (folder / "shared.xlsx").read_bytes()
    paths["XLSX: cut off in the middle"] = folder / "cut.xlsx"
    paths["XLSX: cut off in the middle"].write_bytes(whole[: len(whole) // 2])
    paths["XLSX: its directory lies"] = folder / "lie.xlsx"
    paths["XLSX: its directory lies"].write_bytes(_lying((folder / "hostile0.xlsx").read_bytes()))
    paths["JSON: nested 1,000,000 deep"] = folder / "deep.json"
    paths["JSON: nested 1,000,000 deep"].write_text('[{"id": ' + "[" * 1_000_000, encoding="utf-8")
    return {name: str(path) for name, path in paths.items()}


def _lying(content: bytes) -> bytes:
    """Let the directory say that the sheet is 1,000 bytes long."""
    changed = bytearray(content)
    place = changed.rindex(b"PK\x01\x02", 0, changed.rindex(b"xl/worksheets/sheet1.xml"))
    changed[place + 24 : place + 28] = (1000).to_bytes(4, "little")
    return bytes(changed)


if __name__ == "__main__":
    django.setup()
    where, airports = map(Path, sys.argv[1:])
    print(json.dumps({"large": write_large(where, airports), "odd": write_odd(where), "hostile": write_hostile(where)}))
