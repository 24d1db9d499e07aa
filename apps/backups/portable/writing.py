"""Rows as lines of text: what Django's `dumpdata` writes as JSONL, with times to the microsecond."""

import gzip
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from apps.backups.portable.carried import REBUILT, Model, links_of, natural_keys, through_of
from apps.changesets.fields import AnyManyToMany, field_of, target_of

# Filters the rows to write.
Only = Callable[[models.QuerySet[Any]], models.QuerySet[Any]]
# What fields are called in lines, by what they are called now.
Names = dict[str, str]

ROWS_AT_ONCE = 2000
# Twice as fast as the usual 6, and the files are a tenth larger.
COMPRESSION = 4
_HASH_BITS = 128


@dataclass
class RowsSum:
    """The number of rows of a table and a hash over them, in any order, because databases sort texts differently."""

    rows: int = 0
    total: int = 0

    def add(self, line: bytes) -> None:
        """Count a row in."""
        self.rows += 1
        self.total += int.from_bytes(hashlib.blake2b(line, digest_size=_HASH_BITS // 8).digest(), "big")

    @property
    def content(self) -> str:
        """The hash, in hex."""
        return f"{self.total % (1 << _HASH_BITS):032x}"


class _Encoder(DjangoJSONEncoder):
    """Django's encoder, without its cutting of times to milliseconds."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, (datetime, date, time)) else super().default(o)


# Sorted keys, because PostgreSQL keeps no order in JSON; ASCII, because text may hold what UTF-8 cannot encode.
encode = _Encoder(sort_keys=True, separators=(",", ":")).encode


@contextmanager
def packed(target: Path) -> Iterator[gzip.GzipFile]:
    """Give the file to write compressed lines to."""
    with target.open("wb") as file, gzip.GzipFile("", "wb", COMPRESSION, file, mtime=0) as stream:
        yield stream


def write_rows(
    using: str,
    model: Model,
    stream: gzip.GzipFile | None,
    *,
    only: Only | None = None,
    names: Names | None = None,
) -> RowsSum:
    """Write the rows of a table that `only` leaves, and return their sum; without a stream nothing is written."""
    rows_sum = RowsSum()
    for part in _parts(lines_of(using, model, only=only, names=names)):
        for line in part:
            rows_sum.add(line)
        if stream is not None:
            stream.write(b"".join(part))
    return rows_sum


def lines_of(using: str, model: Model, *, only: Only | None = None, names: Names | None = None) -> Iterator[bytes]:
    """Yield one line for each row, as Django's deserializer reads it, ordered by primary key.

    `names` are the fields to write, by their present names, and what they are called in the lines; None: all.
    """
    meta = model._meta
    fields = [f for f in meta.concrete_fields if not f.primary_key and (names is None or f.name in names)]
    titles = [field.name if names is None else names[field.name] for field in fields]
    rebuilt = {
        number: natural_keys(target_of(field), using)
        for number, field in enumerate(fields, 1)
        if field.related_model in REBUILT
    }
    floats = [number for number, field in enumerate(fields, 1) if isinstance(field, models.FloatField)]
    links = {f.name: _linked(using, f) for f in links_of(model) if names is None or f.name in names}
    rows = model._base_manager.using(using).order_by(meta.pk.attname)
    values = (only(rows) if only else rows).values_list(meta.pk.attname, *(field.attname for field in fields))
    for stored in values.iterator(chunk_size=ROWS_AT_ONCE):
        row = _portable(stored, rebuilt, floats) if rebuilt or floats else stored
        fields_by_name = dict(zip(titles, row[1:], strict=True))
        for name, linked in links.items():
            fields_by_name[name] = linked.get(row[0], [])
        yield f"{encode({'model': meta.label_lower, 'pk': row[0], 'fields': fields_by_name})}\n".encode("ascii")


def _portable(stored: Sequence[Any], rebuilt: dict[int, dict[int, list[str]]], floats: list[int]) -> Sequence[Any]:
    row = list(stored)
    for number, keys in rebuilt.items():
        row[number] = keys.get(row[number])
    for number in floats:
        # SQLite does not store a negative zero.
        row[number] = row[number] or (None if row[number] is None else 0.0)
    return row


def _linked(using: str, field: AnyManyToMany) -> dict[Any, list[Any]]:
    """Return the sorted targets of each row: primary keys, or natural keys."""
    source, target = field.m2m_field_name(), field.m2m_reverse_field_name()
    through = through_of(field)
    attnames = [field_of(through, name).attname for name in (source, target)]
    pairs = through._base_manager.using(using).order_by(*attnames).values_list(*attnames).iterator()
    names = natural_keys(target_of(field), using) if field.related_model in REBUILT else None
    return {
        key: sorted(names[target_key] if names else target_key for _, target_key in linked)
        for key, linked in groupby(pairs, key=itemgetter(0))
    }


def _parts(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    part: list[bytes] = []
    for line in lines:
        part.append(line)
        if len(part) == ROWS_AT_ONCE:
            yield part
            part = []
    yield part
