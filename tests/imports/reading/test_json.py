"""JSON: a list of objects, as import-export writes it, objects by their keys, or one on each line; nothing else."""

import gzip
import json

import pytest

from apps.imports import errors
from apps.imports.reading import json_table
from apps.imports.reading.rows import read
from tests.imports.reading.conftest import rows_of, table_of

pytestmark = pytest.mark.once


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_a_list_of_objects_is_a_table_whose_first_row_reads_as_line_2(source, pack, codec):
    text = '[{"id": 1, "lat": -12.50, "name": "Łódź","on": true, "no": null}, {"id": 12345678901234567, "name": "b"}]'

    file = source(pack(text.encode(codec)), "table.json")

    assert read(file).how.format == "json"
    assert read(file).header == ["id", "lat", "name", "on", "no"]
    assert rows_of(file) == [(2, ["1", "-12.50", "Łódź", "true", ""]), (3, ["12345678901234567", "", "b", "", ""])]


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ('{"id": 1}', errors.NotATable, "is JSON but no list of objects"),
        ("12", errors.NotATable, "is JSON but no list of objects"),
        ("[1, 2]", errors.NotATable, "object 1 is text or a number, not an object"),
        ('[{"id": 1}, [2]]', errors.NotATable, "object 2 is a list, not an object"),
        ('[{"id": 1}, {"id": {"a": 1}}]', errors.NotATable, "object 2, id holds an object"),
        ('[{"id": [1]}]', errors.NotATable, "object 1, id holds a list"),
        ('[{"id": 1}, {"id": NaN}]', errors.NotATable, "object 2: NaN is no value: write null"),
        ('[{"id": -Infinity}]', errors.NotATable, "object 1: -Infinity is no value"),
        ('[{"id": 1, "id": 2}]', errors.NotATable, "object 1: the key id stands there twice"),
        ('[{"id": ' + "[" * 100_000, errors.FileRefused, "object 1"),
        ('[{"id": "\\ud800"}]', errors.EncodingRefused, "object 1, id holds half of a character"),
        ("[]", errors.NoRows, "is a list without objects"),
        ('[{"id": 1}, {"id": ', errors.FileDamaged, "is not JSON at object 2 or so"),
        ('[{"id": 1} {"id": 2}]', errors.FileDamaged, "a comma or the closing ] is missing"),
        ('[{"id": 1}]]', errors.FileDamaged, "something stands behind the closing ]"),
        ('[{"id": 1},]', errors.FileDamaged, "is not JSON at object 2"),
        ('{"a": {"id": 1}, "b": 2}', errors.NotATable, "object 2 is text or a number, not an object"),
        ('{"a": {"id": 1}, 2: {}}', errors.FileDamaged, "a key is missing"),
        ('{"a": {"id": 1}', errors.FileDamaged, "a comma or the closing } is missing"),
        ('{"a": {"id": 1}} x', errors.FileDamaged, "something stands behind the closing }"),
        ('{"data": [{"id": 1}], "more": [{"id": 1}]}', errors.NotATable, "has more beside its list of objects"),
        ('{"data": [{"id": 1}]', errors.NotATable, "has more beside its list of objects"),
        ('{"id": 1}\n{"id": 2}\nid,name', errors.FileDamaged, "is not JSON at object 3"),
        ('{"id": 1}\n{"id": 2', errors.FileDamaged, "is not JSON at object 2"),
        ('{"id": 1}\n{"id": ' + "[" * 100_000, errors.FileRefused, "object 2"),
        ('{"a": ' * 100_000, errors.FileRefused, "object 1"),
        ('[{"id": "' + "x" * 5_000_000, errors.CellRefused, "object 1 is longer than"),
    ],
)
def test_json_that_is_no_table_is_refused_by_object_and_key(refusal, text, error, sentence):
    caught = refusal(text, "table.json")

    assert isinstance(caught, error)
    assert sentence in str(caught)


def test_objects_across_the_blocks_of_reading_are_whole(source):
    rows = [{"id": str(number), "text": "x" * (number * 37 % 5000)} for number in range(300)]

    assert table_of(source(json.dumps(rows), "table.json"))[1:] == [list(row.values()) for row in rows]


def test_columns_are_the_keys_of_all_objects_in_the_order_in_which_they_come_up(source):
    text = '[{"id": 1, "name": "a"}, {"name": "b", "elevation": 3}, {"id": 2}]'

    assert table_of(source(text, "table.json")) == [
        ["id", "name", "elevation"],
        *(["1", "a", ""], ["", "b", "3"], ["2", "", ""]),
    ]


@pytest.mark.parametrize("between", [",", "\n"])
def test_a_key_that_comes_up_late_is_noted_and_refuses_nothing(source, monkeypatch, between):
    monkeypatch.setattr(json_table, "BEGINNING_CHARACTERS", 1000)
    rows = [{"id": str(number), **({"late": "x"} if number > 9000 else {})} for number in range(9100)]
    text = between.join(map(json.dumps, rows))

    file = read(source(f"[{text}]" if between == "," else text, "table.json"))

    assert file.header == ["id"]
    chunks = list(file.chunks)
    assert [chunk.later_titles for chunk in chunks] == [*[()] * (len(chunks) - 1), ("late",)]
    assert sum(len(chunk.rows) for chunk in chunks) == 9100


def test_columns_and_late_keys_are_not_without_end(source, monkeypatch):
    monkeypatch.setattr(json_table, "COLUMNS", 3)

    file = read(source(json.dumps([{f"k{number}": 1} for number in range(100)]), "table.json"))

    assert file.header == ["k0", "k1", "k2"]
    assert len(next(file.chunks).later_titles) == json_table.LATER_TITLES


def test_small_objects_in_a_row_are_columns_and_two_numbers_are_a_position(source):
    many = {f"language {number}": "x" for number in range(9)}
    row = {
        "name": {"common": "Aruba", "native": {"nld": "Aruba"}},
        "latlng": [12.5, -69.97],
        "many": many,
        "tld": [".aw"],
    }
    rows = [row, {"name": {"common": "Chile"}, "latlng": [1, 2, 3], "many": {}}, {"name": None}]

    file = read(source(json.dumps(rows), "table.json"))

    assert file.header == ["name.common", "name.native", "latlng", "many", "tld"]
    assert [row for chunk in file.chunks for row in chunk.rows] == [
        ["Aruba", "{...}", "12.5, -69.97", "{...}", "[...]"],
        ["Chile", "", "[...]", "{...}", ""],
        ["", "", "", "", ""],
    ]


@pytest.mark.parametrize("before", ["", '"status": "ok, {[", "total": 2, '])
def test_a_list_under_a_key_is_the_table(source, before):
    text = f'{{{before}"data": [{{"id": 1}}, {{"id": 2}}]\n}}\n'

    assert table_of(source(text, "table.json")) == [["id"], ["1"], ["2"]]


def test_objects_by_their_keys_across_the_blocks_of_reading_are_whole(source):
    rows = {f"k\u00e9{number}" * (number % 9 + 1): {"key": "x" * (number * 37 % 5000)} for number in range(300)}

    assert table_of(source(json.dumps(rows), "table.json")) == [
        ["(key)", "key"],
        *([key, row["key"]] for key, row in rows.items()),
    ]


def test_objects_on_lines_leave_out_what_they_do_not_know(source):
    rows = [{"id": str(number), **({"late": "x" * 500} if number == 50 else {})} for number in range(300)]

    table = table_of(source("\r\n".join(map(json.dumps, rows)), "table.ndjson"))

    assert table == [["id", "late"], *([row["id"], row.get("late", "")] for row in rows)]
