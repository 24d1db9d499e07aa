"""The rows of a stored plan by bucket, model, field, place and text."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from apps.changesets.models import StoredPlan, StoredRow

PARTLY = "partly"


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


def rows_of(plan: StoredPlan, wanted: Wanted) -> QuerySet[StoredRow]:
    """Return the rows asked for, in the order of the plan."""
    rows = StoredRow.objects.using("default").filter(plan=plan)
    if wanted.bucket:
        rows = rows.filter(partly=True) if wanted.bucket == PARTLY else rows.filter(bucket=wanted.bucket)
    if wanted.model:
        rows = rows.filter(model=wanted.model)
    for column, value in (("fields", wanted.field), ("places", wanted.place)):
        if value:
            rows = rows.filter(**{f"{column}__contains": f"|{value}|"})
    if wanted.text:
        rows = rows.filter(Q(object_pk__icontains=wanted.text) | Q(label__icontains=wanted.text))
    return rows.order_by("id")


def page_of(plan: StoredPlan, wanted: Wanted, *, start: int, limit: int, number: int) -> tuple[list[StoredRow], int]:
    """Return some of the rows asked for, and how many there are; `number` is what the plan's numbers say of the bucket.

    The keys of the page are found first, so that the rows before it are not read.
    """
    rows = rows_of(plan, wanted)
    if wanted.filtered:
        number = rows.count()
    if start >= number:
        return [], number
    keys = rows.values("pk")[start : start + limit]
    return list(StoredRow.objects.using("default").filter(pk__in=keys).order_by("id")), number


def keys_of(plan: StoredPlan, wanted: Wanted) -> list[str]:
    """Return the keys of all rows asked for, as a scope takes them: `airports.airport:KDEN`."""
    pairs = rows_of(plan, wanted).values_list("model", "object_pk")
    return [f"{model}:{pk}" for model, pk in pairs]
