"""What a changeset did to one object, found by the key that the object keeps when it is renamed."""

from django.core.exceptions import ValidationError

from apps.changesets.fields import column_of, stored_value
from apps.changesets.history.diff import Change, changes_between
from apps.changesets.history.net_changes import Rows
from apps.changesets.history.selection import Selection, pairs_on_page
from apps.changesets.history.stable_key import STABLE
from apps.changesets.models import Changeset
from apps.changesets.rights import Sees, all_seen
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked


def change_of_object(changeset: Changeset, tracked: Tracked, key: str, *, sees: Sees = all_seen) -> Change | None:
    """Return what the changeset did to the object of a key (`id:3486`, `pk:KDEN`); None where it did nothing."""
    kind, _, value = key.partition(":")
    field = tracked.stable_field if f"{kind}:" == STABLE else tracked.model._meta.pk
    if field is None:
        return None
    sql = Sql()
    try:
        field.run_validators(field.to_python(value))
        stored = stored_value(field, value, sql.connection)
    except ValidationError:
        return None
    condition = f"h.changeset_id = %s AND h.{sql.quote(column_of(field))} = %s"
    pairs = pairs_on_page(sql, Selection(tracked, Rows(condition, (changeset.pk, stored))), start=0, limit=1)
    return next(iter(changes_between(tracked, pairs, sees=sees)), None)
