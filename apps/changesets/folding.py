"""Text as people search it and lists sort it: without accents, and the same in either case of every script.

Python, SQLite and PostgreSQL fold alike. Most text is ASCII, which the databases fold at once; only the rest costs.
"""

import unicodedata
from functools import lru_cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, CharField, Func, TextField, Transform

# Accents of Latin, Greek and Cyrillic, and points of Hebrew and Arabic.
_MARKS = (("\u0300", "\u036f"), ("\u0591", "\u05c7"), ("\u064b", "\u065f"))
# Letters that have no accent to take away, and signs that keyboards do not have.
_SINGLE = dict(zip("øđðłıħŧŋəςʻʼ‘’′‐–—", "oddlihtne\u03c3'''''---", strict=True))  # noqa: RUF001 - look alike
_SEVERAL = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}
_LETTERS = str.maketrans({**_SINGLE, **_SEVERAL}) | {
    mark: None for first, last in _MARKS for mark in range(ord(first), ord(last) + 1)
}
_ON_SQLITE = "console_folded"


def folded(text: str) -> str:
    """Return `text` without accents and in lower case: `SÃO Paulo` is `sao paulo`."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKD", text).lower().translate(_LETTERS)


# SQLite asks for each text that is not ASCII in each search, which costs as much again as reading the table.
_remembered = lru_cache(2**15)(folded)


def folded_sql(column: str, connection: Any) -> str:
    """Return the expression by which this database compares and sorts a column of text as `folded` does."""
    if connection.vendor != "postgresql":
        # Letters that are ASCII are compared and sorted whatever their case.
        return (
            f"(CASE WHEN length(CAST({column} AS blob)) <> length({column}) THEN {_ON_SQLITE}({column}) "
            f"ELSE {column} END COLLATE NOCASE)"
        )
    marks = "".join(f"{first}-{last}" for first, last in _MARKS)
    plain = f"regexp_replace(normalize({column}, NFKD), '[{marks}]', '', 'g')"
    letters, signs = ("".join(some).replace("'", "''") for some in (_SINGLE, _SINGLE.values()))
    folding = f"translate(lower({plain} COLLATE \"{lower_case(connection)}\"), '{letters}', '{signs}')"
    for letter, several in _SEVERAL.items():
        folding = f"replace({folding}, '{letter}', '{several}')"
    return (
        f'(CASE WHEN octet_length({column}) <> char_length({column}) THEN {folding} COLLATE "C" '
        f'ELSE lower({column} COLLATE "C") END)'
    )


def lower_case(connection: Any) -> str:
    """Return the collation that lowers letters of all scripts, whatever the locale that a database was made with.

    A PostgreSQL may be built without ICU; from 17 on it has a collation of its own.
    """
    return "pg_c_utf8" if connection.pg_version >= 170000 else "und-x-icu"


def teach_sqlite(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Give a new connection to SQLite the function that folds."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(_ON_SQLITE, 1, _remembered, deterministic=True)


@CharField.register_lookup
@TextField.register_lookup
class Folded(Transform):
    """A column of text folded: `name__folded__contains`."""

    lookup_name = "folded"
    output_field = TextField()

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **extra: Any) -> Any:
        column, params = compiler.compile(self.lhs)
        sql = folded_sql(column, connection)
        return sql, [*params] * sql.count(column)


class IsCode(Func):
    """Whether one of some columns of codes, which are ASCII, is this text, whatever its case.

    All columns are compared at once, which takes a third of the time.
    """

    output_field = BooleanField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        text, *columns = self.source_expressions
        return _in(compiler, text, columns, "{} COLLATE NOCASE", "{}")

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        text, *columns = self.source_expressions
        return _in(compiler, text, columns, "CAST({} AS text)", 'lower({} COLLATE "C")')


def _in(compiler: Any, text: Any, columns: list[Any], left: str, right: str) -> tuple[str, list[Any]]:
    sql, params = compiler.compile(text)
    compiled = [compiler.compile(column) for column in columns]
    names = ", ".join(right.format(name) for name, _ in compiled)
    return f"{left.format(sql)} IN ({names})", [*params, *(value for _, values in compiled for value in values)]
