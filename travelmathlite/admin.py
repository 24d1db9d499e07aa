"""The admin site of the console."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.conf import settings
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.contenttypes.views import shortcut
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.decorators import method_decorator
from django.utils.module_loading import autodiscover_modules
from django.views.decorators.http import require_safe

from apps.changesets.acts.methods import ASKS, turned_away
from travelmathlite.version import version

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class TellingChoices(AutocompleteJsonView):
    """A choice of objects with names that tell homonyms apart."""

    def serialize_result(self, obj: Model, to_field_name: str) -> dict[str, str]:
        # Imported late, because the site is made before the models.
        from travelmathlite.search import telling_label

        text = telling_label(self.model_admin, self.request.user, obj)
        return {**super().serialize_result(obj, to_field_name), "text": text}


class ConsoleAdminSite(AdminSite):
    site_header = "TravelMathLite console"
    site_title = "TravelMathLite"
    index_title = "Operations"
    # The root leads here: there is no other site to view.
    site_url = None
    _discovered = False

    def register(self, model_or_iterable: Any, admin_class: type[ModelAdmin] | None = None, **options: Any) -> None:
        """Register models, each with an admin that bounds what it is asked."""
        # Imported late, because the site is made before the models.
        from travelmathlite.bounds import BoundedAdmin

        kind = admin_class or ModelAdmin
        bounded = type(kind.__name__, (BoundedAdmin, kind), {"__module__": kind.__module__, "__doc__": kind.__doc__})
        super().register(model_or_iterable, bounded, **options)

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

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Show a page only to who has shown the second factor, where that is due, and only by the methods of pages."""
        inner, free = super().admin_view(view, cacheable), view in (self.logout, self.second_factor_check_view)

        @wraps(inner)
        def page(request: HttpRequest, *about: Any, **named: Any) -> HttpResponseBase:
            from apps.accounts.second_factor import where_to_show

            if refusal := turned_away(request, ASKS):
                return refusal
            address = "" if free else where_to_show(request)
            return HttpResponseRedirect(address) if address else inner(request, *about, **named)

        return cast(View, page)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        # Imported late, because the site is made before the models.
        from travelmathlite.search import searchable

        said: dict[str, Any] = {"second_factor": settings.SECOND_FACTOR != "off", "release": version()}
        said["searchable"] = searchable(request)
        return {**super().each_context(request), **said}

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the login page, with what else there is to say."""
        # Imported late, as everything that imports models.
        from apps.accounts.forms import LoginForm
        from apps.accounts.idle import idle_time

        self.login_form = LoginForm
        said = {
            "idle_time": idle_time(),
            "single_sign_on": settings.SINGLE_SIGN_ON,
            "single_sign_on_failed": "single-sign-on" in request.GET,
        }
        return super().login(request, {**said, **(extra_context or {})})

    def second_factor_setup_view(self, request: HttpRequest) -> HttpResponse:
        from apps.accounts.pages.second_factor import setup_page

        return setup_page(self, request)

    def second_factor_check_view(self, request: HttpRequest) -> HttpResponse:
        from apps.accounts.pages.second_factor import check_page

        return check_page(self, request)

    @method_decorator(require_safe)
    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show the dashboard above the list of apps."""
        # Imported late, because the site is made before the models of the dashboard.
        from travelmathlite.dashboard import dashboard_of

        return super().index(request, {"dashboard": dashboard_of(request), **(extra_context or {})})

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [
            path("looked-for/", self.admin_view(self.looked_for_view), name="looked_for"),
            path("search/", self.admin_view(self.search_view), name="search"),
            path("r/<path:content_type_id>/<path:object_id>/", self.admin_view(self.on_site_view), name="view_on_site"),
            path("second-factor/", self.admin_view(self.second_factor_setup_view), name="second_factor_setup"),
            path("second-factor/check/", self.admin_view(self.second_factor_check_view), name="second_factor_check"),
            *super().get_urls(),
        ]

    @method_decorator(require_safe)
    def app_index(self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Show the models of an app."""
        return super().app_index(request, app_label, extra_context)

    @method_decorator(require_safe)
    def password_change_done(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Say that the password was changed."""
        return super().password_change_done(request, extra_context)

    @method_decorator(require_safe)
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

    @method_decorator(require_safe)
    def search_view(self, request: HttpRequest) -> HttpResponse:
        """Show what all tables have of what was typed into the header."""
        from travelmathlite.search import search_page

        request.current_app = self.name
        context = {**self.each_context(request), **search_page(self, request)}
        return TemplateResponse(request, "admin/search.html", context)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        return cast(HttpResponse, TellingChoices.as_view(admin_site=self)(request))
