"""The rows of a stored plan by bucket, model, field, place and text."""

from dataclasses import dataclass
from typing import Any

from django.apps.registry import Apps
from django.db.models import BigIntegerField, Q, QuerySet

from apps.changesets.fields import column_of
from apps.changesets.models import PlanRow, StoredPlan, StoredRow
from apps.changesets.sql import Sql

PARTLY = "partly"


class PassingRow(PlanRow):
    """A row of a plan that is made to be shown in one request: its table is a temporary one."""

    plan_id = BigIntegerField()

    class Meta:
        # Nobody who goes through all models shall ask for its table.
        apps = Apps()
        app_label = "changesets"
        db_table = "passing_rows"
        managed = False


@dataclass(frozen=True)
class Wanted:
    """Which rows of a plan are asked for; empty is all. `bucket` may also be PARTLY: values inside are left alone."""

    bucket: str = ""
    model: str = ""
    field: str = ""
    place: str = ""
    text: str = ""

    @property
    def filtered(self) -> bool:
        """Whether the plan's own numbers do not tell how many they are."""
        return bool(self.model or self.field or self.place or self.text)


def start_passing_rows(sql: Sql) -> None:
    """Make an empty table for the rows of a plan that is not kept."""
    key, *others = PassingRow._meta.concrete_fields
    columns = ", ".join(f"{sql.quote(column_of(field))} {field.db_type(sql.connection)}" for field in others)
    identity = f"{key.db_type(sql.connection)} PRIMARY KEY {key.db_type_suffix(sql.connection)}"
    sql.fresh_temp(PassingRow._meta.db_table, f"{sql.quote(column_of(key))} {identity}, {columns}")


def all_rows(plan: StoredPlan) -> QuerySet[Any]:
    """Return the rows of a plan, wherever they are, in its order."""
    rows = PassingRow._base_manager.all() if plan.passing else StoredRow._base_manager.filter(plan=plan)
    return rows.using("default").order_by("id")


def rows_of(plan: StoredPlan, wanted: Wanted) -> QuerySet[Any]:
    """Return the rows asked for, in the order of the plan."""
    rows = all_rows(plan)
    if wanted.bucket:
        rows = rows.filter(partly=True) if wanted.bucket == PARTLY else rows.filter(bucket=wanted.bucket)
    if wanted.model:
        rows = rows.filter(model=wanted.model)
    for column, value in (("fields", wanted.field), ("places", wanted.place)):
        if value:
            rows = rows.filter(**{f"{column}__contains": f"|{value}|"})
    if wanted.text:
        rows = rows.filter(Q(object_pk__icontains=wanted.text) | Q(label__icontains=wanted.text))
    return rows


def keys_of(plan: StoredPlan, wanted: Wanted) -> list[str]:
    """Return the keys of all rows asked for, as a scope takes them: `airports.airport:KDEN`."""
    pairs = rows_of(plan, wanted).values_list("model", "object_pk")
    return [f"{model}:{pk}" for model, pk in pairs]
