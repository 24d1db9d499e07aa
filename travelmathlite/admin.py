"""The admin site of the console."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.db.models import Model
from django.http import HttpRequest, HttpResponse


class TellingChoices(AutocompleteJsonView):
    """Choices named as their admin wants them told apart: of 30 Springfields, which one?"""

    def serialize_result(self, obj: Model, to_field_name: str) -> dict[str, str]:
        label = getattr(self.model_admin, "label_in_choices", str)
        return {**super().serialize_result(obj, to_field_name), "text": label(obj)}


class ConsoleAdminSite(AdminSite):
    site_header = "TravelMathLite console"
    site_title = "TravelMathLite"
    index_title = "Operations"
    # The root leads here: there is no other site to view.
    site_url = None

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the dashboard above the list of apps."""
        # The site is made before the models that the dashboard knows are.
        from travelmathlite.dashboard import dashboard_of

        return super().index(request, {"dashboard": dashboard_of(request), **(extra_context or {})})

    def autocomplete_view(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return TellingChoices.as_view(admin_site=self)(request)
