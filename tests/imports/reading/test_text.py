"""Delimiters and encodings of text files are found out, in the end as a person would say."""

import gzip

import pytest

from apps.imports.errors import ChoiceContradicts, EncodingRefused, NotATable
from apps.imports.reading.rows import Reading, read
from tests.imports.reading.conftest import rows_of, table_of

pytestmark = pytest.mark.once

TABLE = [["id", "name"], ["1", "Zürich"], ["2", "Łódź"]]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("id,name\n1,a\n", ","),
        ("id;name\n1;a\n", ";"),
        ("id\tname\n1\ta\n", "\t"),
        ("id|name\n1|a\n", "|"),
        ("id;name, full;city\n1;a;b\n", ";"),
        ('id,"a;b;c;d"\n1,a\n', ","),
        ("id,a;b;c;d\n1,x\n2,y\n", ","),
        ("name\nfirst, second\n", ","),
        ("id;lat;lon\n1;1,5;2,5\n", ";"),
        ("lat;lon;name\n1,5;2,5;x,y\n1,5;2,5;x,y\n1,5;2,5;x,y\n", ";"),
        ("of, by and for airports\n\nid;lat;lon\n1;1,5;2,5\n2;1,5;2,5\n", ";"),
        ("id,name\nragged\n1,2,3\n", ","),
    ],
)
def test_the_delimiter_is_the_one_that_fits_header_and_rows(source, text, delimiter):
    assert read(source(text)).how.delimiter == delimiter


def test_tabs_are_called_tsv(source):
    assert read(source("id\tname\n1\ta\n")).how == Reading("tsv", "utf-8", "\t", header=1)


def test_the_name_decides_when_the_content_does_not(source):
    assert read(source("id\n1\n", "one.tsv")).how.format == "tsv"


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"format": "tsv"}, "is separated by semicolons, not tabs"),
        ({"delimiter": ","}, "is separated by semicolons, not commas"),
        ({"format": "xlsx"}, "is CSV, not XLSX"),
        ({"format": "json"}, "is CSV, not JSON"),
        ({"encoding": "utf-16"}, "is not encoded as utf-16"),
    ],
)
def test_a_choice_that_contradicts_the_content_is_refused(refusal, how, sentence):
    error = refusal("id;name\n1;a\n2;b\n", **how)

    assert isinstance(error, ChoiceContradicts)
    assert sentence in str(error)


def test_a_delimiter_that_no_one_can_guess_can_be_chosen(source):
    assert table_of(source("id^name\n1^a\n"), delimiter="^") == [["id", "name"], ["1", "a"]]


@pytest.mark.parametrize(
    ("codec", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16"),
        ("utf-16-be", "utf-16"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_unicode_is_found_out_with_a_mark_or_without(source, codec, found, pack):
    text = "\n".join(",".join(row) for row in TABLE)

    file = source(pack(text.encode(codec)))

    assert read(file).how.encoding == found
    assert table_of(file) == TABLE


def test_a_letter_of_windows_late_in_the_file_decides_for_all_of_it(source):
    file = source(b"id,name\n" + b"1,plain\n" * 200_000 + "2,Zürich \u2013 “Kloten”\n".encode("cp1252"))

    assert read(file).how.encoding == "cp1252"
    assert rows_of(file)[-1] == (200_002, ["2", "Zürich \u2013 “Kloten”"])


def test_utf8_with_one_damaged_place_is_refused_there_and_not_taken_for_windows_letters(refusal):
    error = refusal("id,name\n1,Łódź\n2,Gdańsk\n".encode() + b"3,Krak\xf3w\n")

    assert isinstance(error, EncodingRefused)
    assert "is not UTF-8 from line 4 on" in str(error)
    assert "choose the encoding" in str(error)


def test_bytes_that_windows_lacks_are_refused(refusal):
    assert "is not CP1252 from line 2 on" in str(refusal(b"id,name\n1,\xe9\x81\xfc\n", encoding="cp1252"))


def test_a_chosen_encoding_is_held_against_the_mark(refusal):
    assert "is encoded as utf-16, not utf-8" in str(refusal("id,name\n1,a\n".encode("utf-16"), encoding="utf-8"))


def test_binary_data_are_refused(refusal):
    assert isinstance(refusal(b"id,name\n" + bytes(500) + b"\x01\x02"), NotATable)


def test_a_stray_nul_is_left_to_the_rules_of_rows(source):
    assert rows_of(source("id,name\n1,a\x00b\n")) == [(2, ["1", "a\x00b"])]


def test_characters_that_cannot_be_seen_stay_in_cells_and_go_from_the_ends_of_titles(source):
    cell = "\u200b\u05de\u05d8\u05d4\u200f \u202eabc"

    assert table_of(source(f"\ufeff\u200bid\u200b, \u200fna\u200cme \n1,{cell}\n")) == [
        ["id", "na\u200cme"],
        ["1", cell],
    ]


def test_lines_are_counted_as_editors_count_them(source):
    assert [line for line, _row in rows_of(source('id,name\n1,"a\r\nb\u2028c"\n\n2,b\n'))] == [2, 5]
