"""Files to upload: small good ones of every format, and what becomes of them when bytes, parts or values are wrong."""

import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable

from tests.fuzz.values import HUGE, damaged, nasty
from tests.imports.files import csv_text


def good_files(client: object) -> dict[str, bytes]:
    """Return a file of each format, as the console exports them, and a snapshot."""
    from apps.imports.export.formats import FORMATS

    files = {"snapshot.csv": csv_text({}, {"id": "2", "ident": "X2"}).encode()}
    for number, kind in enumerate(FORMATS):
        address = "/admin/airports/airport/export/?q=X000"
        answer = client.post(address, {"format": str(number)})  # type: ignore[attr-defined]
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code == 200, content
        assert "attachment" in answer.get("Content-Disposition", ""), content[:2000]
        files[f"airports.{kind().get_title()}"] = content
    return files


def bad_file(draw: random.Random, files: dict[str, bytes]) -> tuple[str, bytes]:
    """Return the name and the bytes of one that is bad in some way."""
    name = draw.choice(sorted(files))
    content = files[name]
    ways: list[Callable[[], bytes]] = [lambda: damaged(draw, content)] * 3
    if content.startswith(b"PK"):
        ways += [lambda: _other_part(draw, content)] * 4
    else:
        ways += [lambda: _other_cell(draw, content)] * 3
        ways += [
            lambda: _other_encoding(draw, content),
            lambda: damaged(draw, gzip.compress(content)),
            lambda: gzip.compress(damaged(draw, content)),
        ]
    if name.endswith("json"):
        ways += [lambda: _nested(draw)] * 2
    if draw.random() < 0.1:
        name = draw.choice(
            [
                "a.csv",
                "a.json",
                "a.xlsx",
                "",
                "\x00.csv",
                "a/b.csv",
                "a" * 600 + ".csv",
                "\U0001f600",
                "a.csv.gz",
                "é.tsv",
            ]
        )
    return name, draw.choice(ways)()


def _other_part(draw: random.Random, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        chosen = draw.choice(before.namelist())
        way = draw.randrange(4)
        for part in before.namelist():
            data = before.read(part)
            if part == chosen and way == 0:
                continue
            if part == chosen and way == 1:
                data = b"<a>" * 5000
            elif part == chosen:
                data = damaged(draw, data) if way == 2 else _other_number(draw, data)
            after.writestr(part, data)
    return out.getvalue()


def _other_number(draw: random.Random, data: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    places = [place for place, letter in enumerate(text) if letter.isdigit() or letter == '"']
    place = draw.choice(places or [0])
    return (text[:place] + draw.choice([HUGE, "-1", "1e999", "nan", '"', "", nasty(draw)]) + text[place + 1 :]).encode(
        "utf-8", "replace"
    )


def _other_cell(draw: random.Random, content: bytes) -> bytes:
    rows = [line.split(b",") for line in content.split(b"\n")]
    row = draw.choice(rows)
    row[draw.randrange(len(row))] = nasty(draw).encode("utf-8", "surrogatepass")
    return b"\n".join(map(b",".join, rows))


def _other_encoding(draw: random.Random, content: bytes) -> bytes:
    text = content.decode("utf-8", "replace")
    return draw.choice([b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00"]) + text.encode(
        draw.choice(["utf-16", "utf-16-le", "cp1252", "utf-32", "utf-7", "utf-8"]), "replace"
    )


def _nested(draw: random.Random) -> bytes:
    deep = draw.choice([10, 500, 100_000])
    mixed = [{"ident": nasty(draw), "name": {"a": [nasty(draw)]}}, nasty(draw), None, 1e308]
    return draw.choice(
        [
            b"[" * deep,
            b'{"a":' * deep,
            b'[{"ident":' + b"[" * deep + b"]" * deep + b"}]",
            json.dumps(mixed).encode(),
            b'[{"ident": 1e999, "name": NaN, "id": ' + HUGE.encode() * 300 + b"}]",
            b'{"X1": {"ident": "\\ud800"}, "X1": []}',
        ]
    )
