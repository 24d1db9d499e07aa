"""The changes that a changeset's page shows, as a file."""

from django.contrib.admin import ModelAdmin
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from apps.changesets.acts.methods import for_viewers
from apps.changesets.history.counts import counts_of_many
from apps.changesets.history.diff import changes_of
from apps.changesets.history.download import as_csv, as_json
from apps.changesets.models import Changeset
from apps.changesets.pages.changes_query import read_changes_query

FORMATS = {"csv": (as_csv, "text/csv; charset=utf-8"), "json": (as_json, "application/json")}


@method_decorator(require_safe)
@for_viewers
def download_page(model_admin: ModelAdmin, request: HttpRequest, pk: str, form: str) -> StreamingHttpResponse:
    """Stream the changes that the address asks for; without any query, those of all models."""
    changeset = Changeset.objects.filter(pk=pk).first()
    if changeset is None:
        raise Http404(f"There is no changeset #{pk}.")
    if changeset.pruned_at is not None:
        raise Http404(f"The history of changeset #{pk} was pruned.")
    query = read_changes_query(request, counts_of_many([changeset])[changeset.pk]) if request.GET else None
    write, content_type = FORMATS[form]
    chosen = changes_of(changeset, model=query.tracked.label, filters=query.filters) if query else changes_of(changeset)
    response = StreamingHttpResponse(write(chosen), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="changeset-{pk}.{form}"'
    return response
