"""Files of every kind, written by the programs' own libraries, and a guard that none leaves anything behind."""

import io
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from apps.imports.errors import FileRefused
from apps.imports.reading.rows import Reading, read
from apps.imports.reading.sources import SourceFile, from_path

SHEET_START = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
CONTENT_START = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">'
    '<office:body><office:spreadsheet><table:table table:name="one">'
)


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give each test a folder for temporary files, and fail it when it leaves one there."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., SourceFile]:
    """Return a function that writes a file with the content given."""

    def write(content: str | bytes, name: str = "table.csv") -> SourceFile:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return from_path(path)

    return write


@pytest.fixture
def refusal(source: Callable[..., SourceFile]) -> Callable[..., FileRefused]:
    """Return a function that reads a file to its end and returns the error that stops it."""

    def refuse(content: str | bytes, name: str = "table.csv", **how: str) -> FileRefused:
        file = source(content, name)
        with pytest.raises(FileRefused) as caught:
            rows_of(file, **how)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
        return caught.value

    return refuse


def table_of(file: SourceFile, **how: str) -> list[list[str]]:
    """Return the header and all rows of a file."""
    raw = read(file, Reading(**how))
    return [raw.header, *(row for chunk in raw.taking(range(len(raw.header))) for row in chunk.rows)]


def rows_of(file: SourceFile, **how: str) -> list[tuple[int, list[str]]]:
    """Return all rows of a file with their lines."""
    raw = read(file, Reading(**how))
    chunks = list(raw.taking(range(len(raw.header))))
    return [pair for chunk in chunks for pair in zip(chunk.lines, chunk.rows, strict=True)]


def zipped(**parts: str | bytes) -> bytes:
    """Return a zip archive with the parts given."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def xlsx(sheet: str | bytes, *, strings: str = "") -> bytes:
    """Return an XLSX file with one sheet, its rows given as XML."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    start = SHEET_START.encode()
    return zipped(
        **{
            "[Content_Types].xml": "<Types/>",
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{links}"><sheets>'
            '<sheet name="Airports" sheetId="1" r:id="rId1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships><Relationship Id="rId1" Type="{links}/worksheet"'
            f' Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{links}/sharedStrings"'
            ' Target="sharedStrings.xml"/></Relationships>',
            "xl/worksheets/sheet1.xml": start
            + (sheet.encode() if isinstance(sheet, str) else sheet)
            + b"</sheetData></worksheet>",
            "xl/sharedStrings.xml": f'<sst xmlns="{main}">{strings}</sst>',
        }
    )


def ods(rows: str, *, manifest: str = "<manifest/>") -> bytes:
    """Return an ODS file with one table, its rows given as XML."""
    end = "</table:table></office:spreadsheet></office:body></office:document-content>"
    return zipped(
        **{
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": manifest,
            "content.xml": CONTENT_START + rows + end,
        }
    )


def ods_row(*cells: str, more: str = "") -> str:
    """Return a row of an ODS table with cells of text."""
    made = (
        f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in cells
    )
    return f"<table:table-row{more}>{''.join(made)}</table:table-row>"
