"""Cursors: places in the order of commits, from which a feed or an increment goes on.

PostgreSQL hands out the numbers of changesets and history rows before it commits. There a cursor names transactions: it
has all that ended before the oldest one still running (settled), or all that its snapshot sees. SQLite's writers come
one after the other: a cursor has all rows up to the newest.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from django.db.models import Q, QuerySet

from apps.changesets.errors import CursorRefused
from apps.changesets.history.net_changes import Rows
from apps.changesets.identity import TABLE as IDENTITY
from apps.changesets.models import Changeset, ChangesetTransaction, Kind
from apps.changesets.sql import Row, Sql
from apps.changesets.tracking import Tracked, tracked_models

Fetch = Callable[[str], list[Row]]

_BEGINNING = "c1."


@dataclass(frozen=True)
class Cursor:
    """Which rows of history are known: those of ended transactions on PostgreSQL, those up to the newest on SQLite."""

    # The identifier of PostgreSQL's cluster: transactions of others say nothing.
    server: int
    # By model label: the newest history row.
    rows: dict[str, int]
    # All transactions below `ended` are known but those `running`; of the reader's own, the rows up to the newest.
    ended: int
    running: tuple[int, ...]
    own: int
    changeset: int
    # What the database says of all that is known; a restored one says something else.
    proof: str = ""
    # The model that a feed is about; empty for all.
    model: str = ""

    @property
    def text(self) -> str:
        """The cursor as one word."""
        packed = json.dumps(asdict(self), separators=(",", ":")).encode()
        return _BEGINNING + urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """Return the cursor that a word is; raises CursorRefused for any other text."""
    try:
        packed = text.split(_BEGINNING, 1)[1].encode()
        fields = json.loads(urlsafe_b64decode(packed + b"=" * (-len(packed) % 4)))
        numbers = {name: int(fields[name]) for name in ("server", "ended", "own", "changeset")}
        # The numbers become part of statements: nothing but numbers may.
        rows = {str(label): int(row) for label, row in fields["rows"].items()}
        running = tuple(int(xid) for xid in fields["running"])
        return Cursor(**numbers, rows=rows, running=running, proof=str(fields["proof"]), model=str(fields["model"]))
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise CursorRefused(
            f"“{text[:40]}” is neither the number of a changeset nor a cursor: write 41, or the `cursor` of "
            "`changesets since 41 --json`."
        ) from error


def require_cursor(text: str, *, model: str = "", using: str = "default") -> Cursor:
    """Return the cursor from which a feed about a model (empty: about all) goes on; raises CursorRefused."""
    cursor = read_cursor(text)
    if cursor.model != model:
        raise CursorRefused(
            f"The cursor is of the changes of {cursor.model or 'all models'}: go on with the same --model, or without."
        )
    if not is_of(cursor, using):
        raise CursorRefused(
            "The cursor is of another database, or of this one before a restore or a pruning: copy the tables anew, "
            "and go on from there."
        )
    return cursor


def cursor_now(using: str = "default", *, settled: bool = True, fetch: Fetch | None = None) -> Cursor:
    """Return the place up to which everything is known now; `fetch` runs a query on another connection.

    Settled, nothing is known that a transaction wrote which is younger than the oldest one still running; otherwise
    everything is that is committed. What the reader's own transaction wrote is known.
    """
    sql = Sql(using)
    fetch = fetch or _fetch(sql)
    # The newest history row of each model, and the newest changeset.
    newest = [
        sql.with_model(tracked).fill("SELECT {place}, coalesce(max(history_id), 0) FROM {history}", place=str(place))
        for place, tracked in enumerate(tracked_models())
    ]
    newest.append(_of_changesets(sql).fill("SELECT -1, coalesce(max(id), 0) FROM {changesets}"))
    numbers: dict[int, int] = dict(fetch(" UNION ALL ".join(newest)))
    rows = {tracked.label: numbers[place] for place, tracked in enumerate(tracked_models())}
    cursor = Cursor(0, rows, ended=0, running=(), own=0, changeset=numbers[-1])
    if sql.postgresql:
        # Within a transaction, PostgreSQL would say who is active as it was when first asked.
        fetch("SELECT pg_stat_clear_snapshot()")
        server, oldest, following, running, own = fetch(sql.fill(_SNAPSHOT, here=_HERE))[0]
        running = (own or 0, *([] if settled else running))
        cursor = replace(cursor, server=server, ended=oldest if settled else following, running=running, own=own or 0)
    return replace(cursor, proof=_proof(fetch, sql, cursor))


# PostgreSQL's cluster, database and snapshot.
_HERE = "FROM pg_control_system() c, pg_database d, pg_current_snapshot() s WHERE d.datname = current_database()"
# The cluster, the oldest transaction running in this database, the next one, all those running, and the reader's own.
# Who has ended since the snapshot was taken is seen by the next query. (Who is active is named without the epoch; a
# standby does not know it.)
_SNAPSHOT = """
    SELECT c.system_identifier,
           CASE WHEN pg_is_in_recovery() THEN pg_snapshot_xmin(s)::text::bigint ELSE coalesce(
               (SELECT min(x::text::bigint) FROM pg_snapshot_xip(s) x WHERE x::text::bigint & 4294967295 IN (
                   SELECT backend_xid::text::bigint FROM pg_stat_activity WHERE datid = d.oid
                   UNION ALL
                   SELECT transaction::text::bigint FROM pg_prepared_xacts WHERE database = d.datname
               )), pg_snapshot_xmax(s)::text::bigint
           ) END,
           pg_snapshot_xmax(s)::text::bigint, ARRAY(SELECT x::text::bigint FROM pg_snapshot_xip(s) x),
           pg_current_xact_id_if_assigned()::text::bigint
    {here}
"""


def is_of(cursor: Cursor, using: str = "default") -> bool:
    """Whether the cursor is of this database, and all that it knows is still there."""
    sql = Sql(using)
    return cursor.proof == _proof(_fetch(sql), sql, cursor)


def lacking(sql: Sql, tracked: Tracked, cursor: Cursor, *, of: str = "h") -> str:
    """Return the condition that the cursor does not know a history row (alias `of`).

    What stands under no transaction of this server, because it was written before those were noted or was restored, was
    there before all others.
    """
    newest = str(cursor.rows.get(tracked.label, 0))
    if not sql.postgresql:
        return sql.fill("{of}.history_id > {newest}", of=of, newest=newest)
    # A transaction that joined a changeset wrote the rows of one date; others wrote all of the changeset.
    return _of_changesets(sql).fill(
        """
        EXISTS (
            SELECT 1 FROM {transactions} t WHERE t.changeset_id = {of}.changeset_id
            AND (t.joined_at IS NULL OR t.joined_at = {of}.history_date)
            AND {late} AND (t.xid <> {own} OR {of}.history_id > {newest})
        )
        """,
        of=of,
        newest=newest,
        late=_late(cursor),
        own=str(cursor.own),
    )


def knows_all(sql: Sql, tracked: Tracked, cursor: Cursor) -> bool:
    """Whether a model has no row of history that the cursor does not know."""
    late = lacking(sql, tracked, cursor)
    if sql.postgresql:
        # Mostly the reader's own changeset alone, of which an index finds the rows.
        numbers = changesets_after(cursor, sql.using).values_list("pk", flat=True)
        late = f"h.changeset_id IN ({', '.join(map(str, numbers)) or 'NULL'}) AND {late}"
    return not sql.with_model(tracked).value("SELECT EXISTS (SELECT 1 FROM {history} h WHERE {late})", late=late)


def rows_between(sql: Sql, tracked: Tracked, start: int | Cursor, end: Cursor) -> Rows:
    """Return the rows after a changeset by number, or after a cursor, that the later cursor knows.

    A baseline is a state, not a change. Where a row that was known has a higher number than a new row of the same
    object, the object is as the known one says.
    """

    def is_new(of: str) -> str:
        return f"{of}.changeset_id > {start}" if isinstance(start, int) else lacking(sql, tracked, start, of=of)

    condition = """
        {new} AND NOT ({late}) AND h.changeset_id NOT IN (SELECT c.id FROM {changesets} c WHERE c.kind = '{baseline}')
    """
    before = ""
    if sql.postgresql:
        condition += """
            AND NOT EXISTS (
                SELECT 1 FROM {history} k WHERE k.{pk} = h.{pk} AND k.history_id > h.history_id AND NOT ({newer})
            )
        """
        before = f"AND NOT ({lacking(sql, tracked, end, of='p')})"
    filled = _of_changesets(sql.with_model(tracked)).fill(
        condition, new=is_new("h"), late=lacking(sql, tracked, end), newer=is_new("k"), baseline=Kind.BASELINE
    )
    return Rows(filled, (), before)


def changesets_after(start: int | Cursor, using: str = "default") -> QuerySet[Changeset]:
    """Return the changesets after one by number, or those of which a cursor does not know everything."""
    changesets = Changeset.objects.using(using)
    if isinstance(start, int):
        return changesets.filter(pk__gt=start)
    if not start.server:
        return changesets.filter(pk__gt=start.changeset)
    late = Q(xid__gte=start.ended) | Q(xid__in=start.running)
    written = ChangesetTransaction.objects.using(using).filter(late, server=start.server)
    return changesets.filter(pk__in=written.values("changeset"))


def _late(cursor: Cursor) -> str:
    running = ", ".join(map(str, cursor.running)) or "NULL"
    return f"t.server = {cursor.server} AND (t.xid >= {cursor.ended} OR t.xid IN ({running}))"


def _proof(fetch: Fetch, sql: Sql, cursor: Cursor) -> str:
    """Return what the database says of all that a cursor knows; a restored one, or another one, says something else.

    It is the name of the database, and on SQLite what the newest rows are. On PostgreSQL it is where this is, since a
    copy has transactions of its own, how many changesets and joined transactions are known, which can only become less,
    and whether the transactions have come so far.
    """
    if sql.postgresql:
        statement = _of_changesets(sql).fill(
            """
            SELECT (SELECT name FROM {identity}), c.system_identifier, d.oid::bigint,
                   pg_snapshot_xmax(s)::text::bigint >= {ended},
                   (SELECT count(*) FROM {changesets}) - (SELECT count(*) FROM {transactions} t WHERE {late})
                   + (SELECT count(*) FROM {transactions} t WHERE joined_at IS NOT NULL)
            {here}
            """,
            ended=str(cursor.ended),
            late=_late(cursor),
            here=_HERE,
        )
    else:
        newest = [
            sql.with_model(tracked).fill(
                "SELECT history_id, changeset_id, CAST(history_date AS text) FROM {history} WHERE history_id = {row}",
                row=str(cursor.rows.get(tracked.label, 0)),
            )
            for tracked in tracked_models()
        ]
        newest.append(_of_changesets(sql).fill("SELECT 0, 0, name FROM {identity}"))
        statement = " UNION ALL ".join(newest)
    return json.dumps(sorted(list(row) for row in fetch(statement)), default=str)


def _fetch(sql: Sql) -> Fetch:
    return lambda statement: sql.rows("{statement}", statement=statement)


def _of_changesets(sql: Sql) -> Sql:
    tables = {"changesets": Changeset, "transactions": ChangesetTransaction}
    return sql.with_names(identity=IDENTITY, **{hole: model._meta.db_table for hole, model in tables.items()})
