"""Deleting what the newest import created: those of the selected objects, as far as nothing refers to them."""

from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q

from apps.changesets.acts.lines import Line
from apps.changesets.bulk.apply import BulkWork
from apps.changesets.bulk.deleting import delete_rows, relations_to
from apps.changesets.bulk.plans import BulkPlan, Listed, Options, sample_of
from apps.changesets.bulk.selection import Selection
from apps.changesets.models import Changeset, Kind, Status
from apps.changesets.text import counted, plural
from apps.changesets.tracking import tracked_for

CREATED = "bulk_created"


def newest_import(model: type[models.Model]) -> Changeset | None:
    """Return the newest import that changed objects of the model and is not reverted."""
    standing = [Status.APPLIED, Status.PARTLY_REVERTED]
    imports = Changeset.objects.filter(kind=Kind.IMPORT, status__in=standing, pruned_at=None)
    return imports.filter(counts__has_key=model._meta.label_lower).order_by("-pk").first()


def created_in(made: Changeset, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """Keep the rows that the changeset created; one that it renamed was there before."""
    tracked = tracked_for(rows.model)
    stable = tracked.stable_field.name if tracked.stable_field else None
    history = tracked.history_model.objects.filter(changeset=made).order_by()
    created, pk = history.filter(history_type="+"), tracked.model._meta.pk.name
    if stable is None:
        return rows.filter(pk__in=created.values(pk))
    gone = history.filter(history_type="-", **{f"{stable}__isnull": False})
    arrived = created.filter(**{f"{stable}__isnull": False}).exclude(**{f"{stable}__in": gone.values(stable)})
    keyless = created.filter(**{f"{stable}__isnull": True})
    return rows.filter(
        Q(**{f"{stable}__in": arrived.values(stable)}) | Q(**{f"{stable}__isnull": True, "pk__in": keyless.values(pk)})
    )


def _referred(model: type[models.Model]) -> Q:
    """Return the condition that something points to a row."""
    condition = Q(pk__in=[])
    for relation in relations_to(model):
        rows = relation.related_model._base_manager.filter(**{relation.field.name: OuterRef("pk")})
        condition |= Q(Exists(rows))
    return condition


def _plan(selection: Selection, options: Options) -> BulkPlan:
    made, model = newest_import(selection.model), selection.model
    if made is None:
        refusal = f"No import of {model._meta.verbose_name_plural} stands: there is nothing of it to delete."
        return BulkPlan(0, counted(0, model), "", refusal=refusal)
    created = selection.subset(CREATED, created_in(made, selection.rows()))
    held = created.filter(_referred(model)) if relations_to(model) else created.none()
    free = created.exclude(pk__in=held.values("pk")) if relations_to(model) else created
    number, blocked = free.count(), held.count()
    tracked = tracked_for(model)
    later = tracked.history_model.objects.filter(changeset_id__gt=made.pk, **{model._meta.pk.name: OuterRef("pk")})
    changed = free.filter(Exists(later.order_by()))
    moved = changed.count()
    source = f"#{made.pk}" + (f", {made.source_name}," if made.source_name else "")
    name = f"the newest import ({source.strip(',')})"
    by, imported = (f"{name},", name) if not number else ("it too,", "it")
    lines = [
        Line("deleted", number, f"{plural(number, model)} that {name} created"),
        Line("blocked", blocked, f"created by {by} but other objects point to {plural(blocked, 'it', 'them')}"),
        Line("kept", selection.number - number - blocked, f"not created by {imported}"),
    ]
    listed = [
        Listed(
            plural(blocked, "stays, since other objects point to it", "stay, since other objects point to them"),
            blocked,
            sample_of(held) if blocked else (),
        ),
        Listed(
            plural(moved, "was changed since, and is deleted too", "were changed since, and are deleted too"),
            moved,
            sample_of(changed) if moved else (),
        ),
    ]
    objects = counted(number, model)
    return BulkPlan(
        number,
        objects,
        f"{objects} of import #{made.pk} deleted.",
        tuple(line for line in lines if line.number),
        sample_of(free) if number else (),
        tuple(names for names in listed if names.number),
        facts={"free": free},
    )


def _write(selection: Selection, plan: BulkPlan, options: Options) -> None:
    delete_rows(plan.facts["free"])


DELETE_RECENT_IMPORT = BulkWork(Kind.DELETE, _plan, _write, deletes=lambda options: True)
