"""Rows found again by the line on which they begin."""

import pytest

from apps.imports.reading.rows import Reading, read, rows_at
from tests.imports.reading.conftest import rows_of

pytestmark = pytest.mark.once


def test_rows_are_found_again_by_their_lines(source):
    file = source('id;name\n1;"a\nb"\n2;Zürich\n3;c\n'.encode("cp1252"))

    assert list(rows_at(file, read(file).how, {2, 4})) == [(2, ["1", "a\nb"]), (4, ["2", "Zürich"])]


def test_every_row_is_found_across_chunks(source):
    file = source("id,name\n" + "".join(f"{number},x\n" for number in range(5000)))
    lines = range(2, 5002, 7)

    assert list(rows_at(file, Reading(), lines)) == rows_of(file)[::7]


def test_no_lines_read_nothing(source):
    assert list(rows_at(source(b"%PDF"), Reading(), [])) == []
