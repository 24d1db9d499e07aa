"""The button of the list of airports that relinks all airports without a link."""

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern

from apps.airports.pages.bulk_actions import RELINK
from apps.changesets.acts.methods import ASKS, page_at, turned_away
from apps.changesets.pages import links
from apps.changesets.pages.bulk import act_on_rows
from apps.changesets.pages.recorded import RecordedModelAdmin

LACKING = Q(country__isnull=True) | Q(city__isnull=True)


class RelinkingMixin(RecordedModelAdmin):
    """Relink everything missing; stands before RecordedModelAdmin among the bases."""

    def get_urls(self) -> list[URLPattern]:
        page = page_at("relink-missing/", self, RelinkingMixin.relink_missing_view, "relink_missing")
        return [page, *super().get_urls()]

    def list_tools(self, request: HttpRequest) -> list[tuple[str, str]]:
        tools = super().list_tools(request)
        if request.user.has_perm(RELINK):
            tools.append((links.model_url(self.model, "relink_missing"), "Relink everything missing…"))
        return tools

    def relink_missing_view(self, request: HttpRequest) -> HttpResponse:
        """Show what relinking the airports that lack a country or a city would do (GET); do it (POST)."""
        may = self.has_view_permission(request) and request.user.has_perm(RELINK)
        if (refused := turned_away(request, ASKS, may=may)) is not None:
            return refused
        lacking = self.model._base_manager.filter(LACKING)
        if not lacking.exists():
            self.message_user(request, "Every airport has a country and a city: nothing is missing.", messages.INFO)
            return HttpResponseRedirect(links.list_url(self.model))
        return act_on_rows("relink", self, request, lacking)
