"""The page that ends the corrections of one source: upstream's last values come back, as one changeset."""

from typing import Any

from django.contrib.auth import get_permission_codename
from django.http import Http404, HttpRequest, HttpResponse

from apps.changesets.acts.frame import answer
from apps.changesets.acts.methods import ASKS, turned_away
from apps.changesets.pages import links
from apps.changesets.pages.bulk_act import BulkAct, Door
from apps.changesets.pages.bulk_registry import BulkAction
from apps.imports.pages.corrections import ReportPart, read_part
from apps.imports.plan.correction_end import ending, pairs_of_source
from apps.imports.registry import has_spec


def end_corrections_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show what ending the corrections of a source would do (GET); do it (POST)."""
    may = model_admin.has_view_permission(request) and model_admin.has_change_permission(request)
    if (refused := turned_away(request, ASKS, may=may)) is not None:
        return refused
    model, part = model_admin.model, read_part(model_admin, request)
    if not has_spec(model) or not part.source:
        raise Http404("Say of which source the corrections are to end.")
    objects = {pk for pk, _field in pairs_of_source(model, part.source, part.field)[1]}
    report = links.model_url(model, "corrections")
    door = Door(links.list_url(model), report + part.query())
    return answer(
        BulkAct(model_admin, request, _action(model_admin, part), model._base_manager.filter(pk__in=objects), door)
    )


def _action(model_admin: Any, part: ReportPart) -> BulkAction:
    opts = model_admin.opts
    change = f"{opts.app_label}.{get_permission_codename('change', opts)}"
    # Its name holds what it is about: the token of one source is none for another.
    name = f"end_corrections {part.source} {part.field}"
    return BulkAction(name, "End corrections", "End {what}", change, ending(part.source, part.field), danger=True)
