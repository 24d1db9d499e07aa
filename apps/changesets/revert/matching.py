"""Which rows of the working copy stand for the objects that a changeset touched, whatever their keys are now."""

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.db.models.sql import Query

from apps.changesets.fields import stored_value
from apps.changesets.history.net_changes import net_table
from apps.changesets.revert.verdicts import Bucket
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked

_ROUND = "revert_round"
# The rows of the working copy that stand for an object already.
_STANDING = "SELECT w_id FROM {round} WHERE w_id IS NOT NULL"


def working_table(tracked: Tracked) -> str:
    """Return the name of a model's working copy."""
    return f"revert_{tracked.name}"


def copy_of(sql: Sql, tracked: Tracked) -> Sql:
    """Return one that also knows a model, its {working} copy, its {net} table, the {round} and verdicts ({deleted})."""
    copy = sql.with_model(tracked).with_temps(working=working_table(tracked), net=net_table(tracked), round=_ROUND)
    return copy.with_parts(**{bucket.name.lower(): f"'{bucket}'" for bucket in Bucket})


def stored_key(sql: Sql, tracked: Tracked, key: str) -> str:
    """Return a primary key, written as people know it, as the database writes it; what can be none stays as it is."""
    try:
        return str(stored_value(tracked.model._meta.pk, key, sql.connection))
    except ValidationError:
        return key


def condition_in_sql(sql: Sql, tracked: Tracked, condition: Q) -> str:
    """Return the condition of a constraint as SQL about the columns of the model, to stand beside bound values."""
    query = Query(tracked.model, alias_cols=False)
    compiler = query.get_compiler(connection=sql.connection)
    text, values = compiler.compile(query.build_where(condition))
    quoted = sql.connection.schema_editor().quote_value
    condition_text: str = text % tuple(map(quoted, values))
    return condition_text.replace("%", "%%")


def load_touched(sql: Sql, tracked: Tracked) -> None:
    """Copy the live rows of the touched objects, whatever their keys are now, that are not in the working copy yet."""
    copy = copy_of(sql, tracked)
    keys = """
        SELECT after_pk FROM {net} WHERE after_pk IS NOT NULL
        UNION SELECT before_pk FROM {net} WHERE before_pk IS NOT NULL
    """
    if tracked.stable_key:
        keys += """
            UNION SELECT s.{pk} FROM {net} n JOIN {live} s ON s.{stable} = n.after_stable
            UNION SELECT s.{pk} FROM {net} n JOIN {live} s ON s.{stable} = n.before_stable
        """
    copy.run(
        """
        INSERT INTO {working} (w_live, w_present, {columns})
        SELECT l.{pk}, TRUE, {values} FROM {live} l WHERE l.{pk} IN ({keys})
        AND NOT EXISTS (SELECT 1 FROM {working} w WHERE w.w_live = l.{pk})
        """,
        values=sql.names(tracked.columns, of="l"),
        keys=copy.fill(keys),
    )
    sql.analyze(working_table(tracked), ["w_id", "w_live", tracked.pk])


def match_touched(sql: Sql, tracked: Tracked) -> None:
    """List for each touched object the row of the working copy that stands for it now (NULL: none does).

    A row with the same stable key does, under whatever primary key. One under the same primary key does only where one
    of the two has no stable key: else it is another object, to which the primary key was given since.
    """
    sql.fresh_temp(_ROUND, "before_id bigint, after_id bigint, w_id bigint")
    if tracked.stable_key:
        sql.index_temp(working_table(tracked), [tracked.stable_key])
    for side, condition in (("after", "n.after_id IS NOT NULL"), ("before", "n.after_id IS NULL")):
        same_key = "w.{pk} = n.{side}_pk"
        if tracked.stable_key:
            _match_by(sql, tracked, "w.{stable} = n.{side}_stable", condition, side=side)
            same_key += " AND (n.{side}_stable IS NULL OR w.{stable} IS NULL)"
        unmatched = sql.absent("n.{side}_id", "SELECT {side}_id FROM {round} WHERE {side}_id IS NOT NULL")
        _match_by(sql, tracked, same_key, f"{condition} AND {unmatched}", side=side, join="LEFT JOIN")
    sql.index_temp(_ROUND, ["w_id"])
    sql.analyze(_ROUND)


def drop_bystanders(sql: Sql, tracked: Tracked, newest: int) -> None:
    """Take rows loaded after the row `newest` out again that only share a key with a touched object."""
    copy = copy_of(sql, tracked)
    bystander = copy.fill(copy.absent("{working}.w_id", _STANDING))
    copy.run("DELETE FROM {working} WHERE w_id > %s AND {bystander}", [newest], bystander=bystander)


def _match_by(sql: Sql, tracked: Tracked, condition: str, touched: str, *, side: str, join: str = "JOIN") -> None:
    """Add the objects that fit `touched` with their row by `condition`; with a LEFT JOIN also those that have none."""
    copy = copy_of(sql, tracked).with_parts(side=side)
    # A row that stands for one object already stands for no other.
    copy.run(
        """
        INSERT INTO {round} (before_id, after_id, w_id)
        SELECT n.before_id, n.after_id, w.w_id FROM {net} n
        {join} {working} w ON {condition} AND w.w_present AND {free}
        WHERE {touched}
        """,
        join=join,
        free=copy.fill(copy.absent("w.w_id", _STANDING)),
        condition=copy.fill(condition),
        touched=copy.fill(touched),
    )
