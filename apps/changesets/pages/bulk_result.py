"""The page after a bulk action: what it did in numbers, what it left alone and why, and the way to undo it.

What was done is counted with every changeset; what was left alone is in no table, so the changeset keeps it.
"""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from apps.changesets.acts.lines import Line
from apps.changesets.acts.methods import for_viewers
from apps.changesets.bulk.plans import Listed
from apps.changesets.history.words import person, standing_revert
from apps.changesets.models import Changeset, Status
from apps.changesets.pages import links
from apps.changesets.pages.changeset import lines_of, revert_offer
from apps.changesets.tracking import tracked_by_name


@for_viewers
def result_page(model_admin: admin.ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """Show what the changeset of a bulk action did; those that are none have no such page."""
    made = Changeset.objects.select_related("actor").filter(pk=pk).first() if pk < 2**63 else None
    bulk: dict[str, Any] | None = (made.summary or {}).get("bulk") if made else None
    tracked = tracked_by_name(bulk["model"]) if bulk else None
    if made is None or bulk is None or tracked is None:
        raise Http404("There is no bulk action of this number.")
    meta, query = tracked.model._meta, request.GET.get(links.PRESERVED, "")
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"#{made.pk} {made.get_kind_display()}",
        "opts": meta,
        "changeset": made,
        "who": person(made),
        "bulk": bulk,
        "lines": list(lines_of(made, made.counts or {})),
        "left": [Line(*line) for line in bulk["left"]],
        "listed": [Listed(*listed) for listed in bulk["listed"]],
        "standing_revert": None if made.status == Status.APPLIED else standing_revert(made),
        "changeset_url": links.changeset_url(made.pk),
        "back_url": links.list_url(tracked.model) + (f"?{query}" if query else ""),
        **revert_offer(made, request),
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "admin/changesets/bulk_result.html", context)
