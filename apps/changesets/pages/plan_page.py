"""All rows of a bulk action's plan, on a page of their own beside the one that asks."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.text import capfirst

from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.methods import READS, show_page, turned_away
from apps.changesets.bulk.apply import ACT
from apps.changesets.bulk.rehearsal import BLOCKED, CHANGED, DELETED
from apps.changesets.errors import PlanMoved
from apps.changesets.history.cache import state_of_tables
from apps.changesets.pages.stored_rows import RowBucket, plain_rows, read_rows_query, rows_context
from apps.changesets.plans.storing import plan_numbered
from apps.changesets.rights import eyes_of
from apps.changesets.tracking import tracked_by_label, tracked_by_name

BUCKETS = tuple(RowBucket(bucket, bucket, bucket) for bucket in (CHANGED, DELETED, BLOCKED))


def plan_page(model_admin: admin.ModelAdmin[Any], request: HttpRequest, pk: int) -> HttpResponse:
    """Show the rows of a plan to the person whose it is, as far as they may see the models; reads only."""
    if (refused := turned_away(request, READS)) is not None:
        return refused
    sees = eyes_of(request.user)
    try:
        plan = plan_numbered(pk, actor=actor_of(request), act=ACT)
    except PlanMoved as gone:
        raise Http404(str(gone)) from gone
    label, title, obj, list_url = plan.about
    tracked = tracked_by_name(label)
    if tracked is None or not all(sees(tracked_by_label(of).model) for of in plan.head["by_model"]):
        raise PermissionDenied
    context = rows_context(plan, read_rows_query(request.GET), BUCKETS, sees)
    return show_page(
        model_admin,
        request,
        "admin/acts/all_rows.html",
        {
            **context,
            "opts": tracked.model._meta,
            "title": title.format(what=obj or plan.head["objects"]),
            "list_url": list_url,
            "list_words": capfirst(str(tracked.model._meta.verbose_name_plural)),
            "made_at": plan.made_at,
            "is_stale": plan.state != state_of_tables(),
            "rows": plain_rows(context, {bucket.name: bucket.sign for bucket in BUCKETS}, sees),
        },
    )
