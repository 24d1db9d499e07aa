"""The list of imports and the page of each, in the admin."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from apps.changesets.acts.frame import offer
from apps.changesets.acts.lines import LEFT
from apps.changesets.acts.methods import READS, turned_away
from apps.changesets.history.object_search import search
from apps.changesets.hooks import REMARKS
from apps.changesets.models import Changeset, Kind
from apps.changesets.pages import show
from apps.changesets.pages.list_views import ListViewsAdmin
from apps.changesets.pages.read_only import ReadOnlyAdmin
from apps.changesets.rights import require
from apps.changesets.text import whole_number
from apps.imports.errors import ImportFailure
from apps.imports.models import ImportRun, RunStatus
from apps.imports.pages import acting, downloads
from apps.imports.pages.addresses import run_url
from apps.imports.pages.confirm import ConfirmImport, confirm_page
from apps.imports.pages.plan_map import map_of_run_url, plan_map_context, plan_map_data
from apps.imports.pages.plan_words import left_lines
from apps.imports.pages.reading import reading_page
from apps.imports.pages.run import import_links, page_context
from apps.imports.pages.status import WATCHED, counts, next_step, state, state_of
from apps.imports.registry import all_specs, spec_for, spec_named
from apps.imports.runs.confirming import may_decide, why_not_see


def link_to_import(changeset: Changeset) -> str:
    """Return the way from a changeset to the import that made it: its plan, what was left alone, its file."""
    number = (changeset.summary or {}).get("run")
    if changeset.kind != Kind.IMPORT or not number:
        return ""
    address = reverse("admin:imports_importrun_change", args=[number])
    return format_html('<a href="{}">The import</a>: its plan, what was left alone, its file', address)


REMARKS.add(link_to_import)
LEFT.add(left_lines)


class WhatFilter(admin.SimpleListFilter):
    title = "what"
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        firsts = [spec for spec in all_specs() if spec is spec_for(spec.model)]
        return [(spec.name, str(spec.model._meta.verbose_name_plural).capitalize()) for spec in firsts]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen = next((spec.model for spec in all_specs() if spec.name == self.value()), None)
        # A model may have several specs.
        same = [spec.name for spec in all_specs() if spec.model is chosen]
        return queryset.filter(spec__in=same) if chosen else queryset


class WhoFilter(admin.SimpleListFilter):
    title = "person"
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        names = ImportRun.objects.exclude(actor_name="").order_by("actor_name").values_list("actor_name", flat=True)
        return [(name, name) for name in names.distinct()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(actor_name=self.value()) if self.value() else queryset


@admin.register(ImportRun)
class ImportRunAdmin(ListViewsAdmin, ReadOnlyAdmin):
    list_display = ("what", "why", "who", "when", "state", "next_steps")
    list_display_links = ("what",)
    list_filter = ("status", WhatFilter, WhoFilter)
    list_select_related = ("actor", "changeset")
    list_per_page = 50
    search_fields = ("file_name", "reason")
    search_help_text = "Search file names and reasons"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()

    # -- the list --------------------------------------------------------------------------------------------

    @admin.display(description="Import")
    def what(self, run: ImportRun) -> str:
        plural = _plural(run)
        return format_html('{} <span class="subject">{}</span>', f"{plural.capitalize()} from", run.file_name)

    @admin.display(description="Why", empty_value="")
    def why(self, run: ImportRun) -> str:
        return show.quoted(run.reason)

    @admin.display(description="Who")
    def who(self, run: ImportRun) -> str:
        return run.who

    @admin.display(description="When")
    def when(self, run: ImportRun) -> str:
        return show.moment(run.created_at)

    @admin.display(description="State")
    def state(self, run: ImportRun) -> str:
        return format_html("{} {}", state(run), counts(run))

    @admin.display(description="Next")
    def next_steps(self, run: ImportRun) -> str:
        return next_step(run)

    def more_columns(self, request: HttpRequest) -> list[str]:
        return ["started_at", "finished_at"]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, term: str) -> tuple[QuerySet, bool]:
        return search(queryset, self.search_fields, term), False

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        context = {"title": "Imports", "import_links": import_links(request)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    # -- one import ------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable, name: str, *, cacheable: bool = False) -> URLPattern:
            guarded = self.admin_site.admin_view(view, cacheable=cacheable)
            return path(f"<int:pk>/{route}", guarded, name=f"imports_importrun_{name}")

        return [
            page("progress/", self.progress_view, "progress"),
            page("mapping/", self.mapping_view, "mapping"),
            page("plan-again/", self._acting(acting.plan_with_options), "plan_again"),
            page("decide/", self._acting(acting.decide_rows), "decide"),
            page("confirm/", self.confirm_view, "confirm"),
            page("cancel/", self._acting(acting.cancel), "cancel"),
            page("start-again/", self._acting(acting.begin_again), "start_again"),
            page("refused.csv", self._giving(downloads.refused_rows), "refused"),
            page("map/", self.map_view, "map"),
            page("map.json", self.map_data_view, "map_data", cacheable=True),
            page("file/", self._giving(downloads.source_file), "file"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        number = whole_number(object_id)
        run = None if number is None else self._run_if_there(request, number)
        if run is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]  # not in the stubs
        if (refused := turned_away(request, READS)) is not None:
            return refused
        context = page_context(request, run) | {"map_url": map_of_run_url(run)}
        if run.status == RunStatus.PLANNED and context["sees"]:
            context |= offer(ConfirmImport(self, request, run))
        if run.status in WATCHED:
            context["progress"] = state_of(run, waits_for_mapping=context["waits_for_mapping"])
        return self._page(request, "admin/imports/importrun/run.html", context)

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = self._run(request, pk)
        if (refused := turned_away(request, READS)) is not None:
            return refused
        return JsonResponse(state_of(run))

    @method_decorator(require_safe)
    def map_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = self._run(request, pk)
        require(request.user, [(spec_named(run.spec).model, "view")])
        return self._page(request, "admin/imports/importrun/map.html", plan_map_context(run))

    @method_decorator(require_safe)
    def map_data_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = self._run(request, pk)
        require(request.user, [(spec_named(run.spec).model, "view")])
        return plan_map_data(request, run)

    def mapping_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = self._run(request, pk)
        open_to_mapping = run.status in (RunStatus.UPLOADED, RunStatus.PLANNED, RunStatus.FAILED, RunStatus.CANCELLED)
        if not open_to_mapping and may_decide(request.user, run):
            messages.info(request, "Which column is which is settled: the import has gone on.")
            return HttpResponseRedirect(run_url(run))
        return reading_page(request, run, self._context(request))

    def confirm_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return confirm_page(self, request, self._run(request, pk))

    def _acting(self, do: Callable[[HttpRequest, ImportRun], HttpResponse]) -> Callable:
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            return acting.act(request, self._run(request, pk), do)

        return view

    def _giving(self, give: Callable[[ImportRun], FileResponse]) -> Callable[..., HttpResponseBase]:
        """Return a view that gives a file of a run to who may import such files."""

        def view(request: HttpRequest, pk: int) -> HttpResponseBase:
            run = self._run(request, pk)
            if (refused := turned_away(request, READS, may=may_decide(request.user, run))) is not None:
                return refused
            try:
                return give(run)
            except ImportFailure as refusal:
                messages.error(request, str(refusal))
                return HttpResponseRedirect(run_url(run))

        return view

    def _run(self, request: HttpRequest, pk: int) -> ImportRun:
        """Return a run to who may see it; the others get 403, and 404 where there is none."""
        run = self._run_if_there(request, pk)
        if run is None:
            raise Http404
        return run

    def _run_if_there(self, request: HttpRequest, pk: int) -> ImportRun | None:
        """Return a run, or None, to who may see it; the others get 403."""
        run = ImportRun.objects.select_related("actor", "confirmed_by", "changeset").filter(pk=pk).first()
        if run is None and not self.has_view_permission(request):
            raise PermissionDenied
        if run is not None and why_not_see(request.user, run):
            raise PermissionDenied
        return run

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        request.current_app = self.admin_site.name
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "list_url": reverse("admin:imports_importrun_changelist"),
        }

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(request, template, {**self._context(request), **context})

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict | None = None) -> HttpResponse:
        """Lead to the import's page, which tells all there is."""
        return HttpResponseRedirect(reverse("admin:imports_importrun_change", args=[object_id]))


def _plural(run: ImportRun) -> str:
    return str(spec_named(run.spec).model._meta.verbose_name_plural)
