"""Replaying an increment onto its base: history first, and then the live rows from history, all in sets."""

from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from django.apps import apps

from apps.backups.portable.base import read_heading, require_base
from apps.backups.portable.cutting import Upto, cut_of
from apps.backups.portable.loading import ROWS_AT_ONCE, Loader, all_or_nothing, empty
from apps.backups.portable.reading import Numbered, damaged, read_lines
from apps.backups.portable.untracked import write_touched
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_models

# The kinds of lines of an increment.
_KINDS = ("increment", "replaced", "model", "touched", "end")


def replay(source: Path, using: str, *, upto: Upto | None = None) -> None:
    """Bring a database from the base of an increment to its end, or to a changeset or moment in it; all or nothing.

    The recording is removed. Raises BackupUnreadable, ChainBroken, NotReached, OtherSchema or RestoreFailed.
    """
    heading = read_heading(source)
    with all_or_nothing(using, source):
        require_base(heading, source, using)
        lines = read_lines(source)
        if upto is not None:
            lines = cut_of(source, heading, upto).keep(lines)
        for tracked in tracked_models():
            sql = _of(using, tracked)
            later = sql.fill("FROM {history} WHERE changeset_id > {after}", after=str(int(heading.after)))
            sql.run("CREATE TEMP TABLE {replayed} AS SELECT {pk} {later}", later=later)
            # Rows that the increment has as well, unless it was cut before them.
            sql.run("DELETE {later}", later=later)
        try:
            _write(using, source, lines, heading.after)
        except (KeyError, TypeError, AttributeError) as error:
            raise damaged(source, f"a line of it is not complete ({error})") from error


def _write(using: str, source: Path, lines: Iterable[Numbered], after: int) -> None:
    loader, ended, replayed = Loader(using, source), False, False
    for kind, of_kind in groupby(lines, key=lambda numbered: _what(numbered[1])):
        if kind not in _KINDS:
            raise damaged(source, f"nobody knows what {kind!r} is")
        if kind == "touched" and not replayed:
            _replay_all(using, after)
            replayed = True
        if kind == "replaced":
            for _, line in of_kind:
                empty(using, [_model(source, line["replaced"])])
        elif kind == "touched":
            _touch(using, of_kind)
        elif kind == "model":
            loader.load(of_kind)
        ended = kind == "end"
    if not ended:
        raise damaged(source, "its last line is missing")
    if not replayed:
        _replay_all(using, after)


def _what(line: dict[str, Any]) -> str:
    return next(kind for kind in (*_KINDS, *line) if kind in line)


def _model(source: Path, label: Any) -> Any:
    try:
        return apps.get_model(label)
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise damaged(source, f"there is no table of {label!r}") from error


def _touch(using: str, lines: Iterator[Numbered]) -> None:
    for label, of_table in groupby((line for _, line in lines), key=lambda line: line["touched"]):
        while part := list(islice(of_table, ROWS_AT_ONCE * 10)):
            write_touched(using, label, part)


def _replay_all(using: str, after: int) -> None:
    for tracked in reversed(tracked_models()):
        _replay_table(_of(using, tracked), tracked, after)


def _replay_table(sql: Sql, tracked: Tracked, after: int) -> None:
    """Make the live rows of objects with later history, here or in the base, equal to their newest history row."""
    sql.run("INSERT INTO {replayed} SELECT {pk} FROM {history} WHERE changeset_id > %s", [after])
    # All are deleted first, so that unique values can swap.
    sql.run("DELETE FROM {live} WHERE {pk} IN (SELECT {pk} FROM {replayed})")
    # Objects that are not deleted are inserted; links are checked at the end.
    sql.run(
        """
        INSERT INTO {live} ({columns}) SELECT {values} FROM {history} h
        JOIN (
            SELECT max(history_id) AS id FROM {history} WHERE {pk} IN (SELECT {pk} FROM {replayed}) GROUP BY {pk}
        ) n ON n.id = h.history_id WHERE h.history_type <> '-'
        """,
        values=sql.names(tracked.columns, of="h"),
    )
    sql.run("DROP TABLE {replayed}")


def _of(using: str, tracked: Tracked) -> Sql:
    return Sql(using).with_model(tracked).with_names(replayed=f"replayed_{tracked.name}")
