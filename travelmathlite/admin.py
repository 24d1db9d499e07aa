"""The admin site of the console."""

from typing import Any, cast

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.contenttypes.views import shortcut
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.decorators import method_decorator
from django.utils.module_loading import autodiscover_modules
from django.views.decorators.http import require_safe

from travelmathlite.version import version


class TellingChoices(AutocompleteJsonView):
    """A choice of objects with names that tell homonyms apart: there are 30 Springfields."""

    def serialize_result(self, obj: Model, to_field_name: str) -> dict[str, str]:
        label = getattr(self.model_admin, "label_in_choices", str)
        return {**super().serialize_result(obj, to_field_name), "text": label(obj)}


class ConsoleAdminSite(AdminSite):
    site_header = "TravelMathLite console"
    site_title = "TravelMathLite"
    index_title = "Operations"
    # The root leads here: there is no other site to view.
    site_url = None
    _discovered = False

    @property
    def _registry(self) -> dict[type[Model], ModelAdmin]:
        """The admins of the models; the first who asks has them imported, so commands do without all pages."""
        if not self._discovered:
            self._discovered = True
            autodiscover_modules("admin")
        return self._models

    @_registry.setter
    def _registry(self, models: dict[type[Model], ModelAdmin]) -> None:
        self._models = models

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show the dashboard above the list of apps."""
        # Imported late, because the site is made before the models of the dashboard.
        from travelmathlite.dashboard import dashboard_of

        return super().index(request, {"dashboard": dashboard_of(request), **(extra_context or {})})

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "release": version()}

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [
            path("looked-for/", self.admin_view(self.looked_for_view), name="looked_for"),
            path("r/<path:content_type_id>/<path:object_id>/", self.admin_view(self.on_site_view), name="view_on_site"),
            *super().get_urls(),
        ]

    def on_site_view(self, request: HttpRequest, content_type_id: str, object_id: str) -> HttpResponse:
        """Lead to an object's own page, as Django does, which answers 500 to what is no UUID."""
        try:
            return shortcut(request, content_type_id, object_id)
        except ValidationError as error:
            raise Http404 from error

    @method_decorator(require_safe)
    def looked_for_view(self, request: HttpRequest) -> HttpResponse:
        """Answer with those cards of the dashboard that take seconds after a change."""
        from travelmathlite.dashboard import cards_looked_for

        request.current_app = self.name
        return TemplateResponse(request, "admin/dashboard/looked_for.html", {"dashboard": cards_looked_for(request)})

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        return cast(HttpResponse, TellingChoices.as_view(admin_site=self)(request))
