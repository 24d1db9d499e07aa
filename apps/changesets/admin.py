"""The list of changesets, a changeset's page, and its revert, in the admin."""

from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from django.contrib import admin
from django.db.models import Exists, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, re_path
from django.utils.html import format_html

from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.methods import READS, for_viewers, page_at, turned_away
from apps.changesets.follow_models import Follow
from apps.changesets.history.counts import counts_of_many
from apps.changesets.history.object_search import search
from apps.changesets.history.words import asked_for, is_open_to_revert, person, subjects_of
from apps.changesets.models import Changeset
from apps.changesets.pages import links, show
from apps.changesets.pages.changeset import download_page, page_of
from apps.changesets.pages.changeset_map import changeset_map, changeset_map_data, map_page_url
from apps.changesets.pages.comments import comment_page, row_page
from apps.changesets.pages.following import follow_page, following_page, token_page
from apps.changesets.pages.hanging import hanging_page, hanging_url
from apps.changesets.pages.list_views import ChosenColumns, ListViewsAdmin
from apps.changesets.pages.maps import name_page
from apps.changesets.pages.own_edit import undo_page
from apps.changesets.pages.plan_page import plan_page
from apps.changesets.pages.plan_work import progress_view, stop_view, work_page
from apps.changesets.pages.proposal import proposal_page
from apps.changesets.pages.read_only import ReadOnlyAdmin
from apps.changesets.pages.recycle_bin import bin_urls
from apps.changesets.pages.revert import revert_page
from apps.changesets.pages.review import ActingAdmin, ReviewedFilter
from apps.changesets.pages.search import TouchedFilter, search_form
from apps.changesets.rights import eyes_of
from apps.changesets.text import whole_number

# Who did it and who asked for it: names as text, and those that people have now.
_NAMES = ("actor_name", "asked_by_name")
_PEOPLE = (*_NAMES, *(f"{who}__{name}_name" for who in ("actor", "asked_by") for name in ("first", "last")))
# The changeset that a page shows, under the number that was asked for.
_shown: WeakKeyDictionary[HttpRequest, tuple[str, Changeset | None]] = WeakKeyDictionary()


class ChangesetList(ChosenColumns):
    """A page of changesets, each with its counts and subject, in a few queries for all."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        counts = counts_of_many(self.result_list)
        subjects = subjects_of(self.result_list, counts, sees=eyes_of(request.user))
        for changeset in self.result_list:
            changeset.shown_counts = counts[changeset.pk]
            changeset.subject = subjects.get(changeset.pk, "")
            changeset.may_revert = request.user.has_perm(links.REVERT) and is_open_to_revert(changeset)


class PersonFilter(admin.SimpleListFilter):
    """Who did it, or asked for it."""

    title = "person"
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        acted, asked = (Changeset.objects.order_by().values_list(name, flat=True) for name in _NAMES)
        return [(name, name) for name in sorted(acted.union(asked).order_by()) if name]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        name = self.value()
        return queryset.filter(Q(actor_name=name) | Q(asked_by_name=name)) if name else queryset


@admin.register(Changeset)
class ChangesetAdmin(ListViewsAdmin, ReadOnlyAdmin, ActingAdmin):
    list_display = ("what", "why", "who", "when", "objects", "next_steps")
    list_display_links = ("what",)
    list_filter = (ReviewedFilter, "kind", "status", PersonFilter, TouchedFilter)
    list_select_related = ("actor",)
    list_per_page = 50
    search_fields = ("reason", "source_name", "request_id", *_PEOPLE)
    search_help_text = "Search reasons, people, file names and request ids, or a number such as #41"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()

    # -- the list --------------------------------------------------------------------------------------------

    @admin.display(description="Changeset")
    def what(self, changeset: Any) -> str:
        title = format_html("#{} {}", changeset.pk, changeset.get_kind_display())
        return format_html('{} <span class="subject">{}</span>', title, changeset.subject)

    @admin.display(description="Why", empty_value="")
    def why(self, changeset: Changeset) -> str:
        return show.quoted(changeset.reason)

    @admin.display(description="Who")
    def who(self, changeset: Changeset) -> str:
        if not changeset.asked_by_name:
            return person(changeset)
        return format_html('{} <span class="quiet">{}</span>', person(changeset), asked_for(changeset))

    @admin.display(description="When")
    def when(self, changeset: Changeset) -> str:
        return show.moment(changeset.created_at)

    @admin.display(description="Objects")
    def objects(self, changeset: Any) -> str:
        state, reviewed = show.state(changeset), show.reviewed(changeset)
        return format_html("{} {} {}", show.counts(changeset.shown_counts), state, reviewed)

    @admin.display(description="Next")
    def next_steps(self, changeset: Any) -> str:
        return show.next_steps(changeset, may_revert=changeset.may_revert)

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        context = {"title": "Changesets", "find": search_form(request)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def more_columns(self, request: HttpRequest) -> list[str]:
        return ["finished_at", "request_id"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangesetList]:
        return ChangesetList

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("reverted_by", "reverts")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, term: str) -> tuple[QuerySet, bool]:
        number = whole_number(term.strip().removeprefix("#"))
        if number is not None:
            return queryset.filter(pk=number), False
        return search(queryset, self.search_fields, term), False

    # -- one changeset ---------------------------------------------------------------------------------------

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Changeset | None:
        """Read a changeset once for each request, without the joins of the list."""
        shown = _shown.get(request)
        if shown is None or shown[0] != object_id:
            pk = whole_number(object_id) or 0
            followed = Exists(Follow.objects.filter(user=actor_of(request), about=f"changeset:{pk}"))
            changesets = Changeset.objects.select_related("actor", "reviewed_by").filter(pk=pk)
            changesets = changesets.annotate(followed=followed)
            shown = _shown[request] = object_id, next(iter(changesets), None)
        return shown[1]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        if (refused := turned_away(request, READS, may=self.has_view_permission(request))) is not None:
            return refused
        changeset = self.get_object(request, object_id)
        if changeset is not None:
            shown = page_of(changeset, request)
            on_map = {
                "map_url": map_page_url(changeset, request, shown["counts"]),
                "hanging_url": hanging_url(changeset.pk),
            }
            extra_context = {**shown, **on_map, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra_context)

    def get_urls(self) -> list[URLPattern]:
        download = self.admin_site.admin_view(partial(download_page, self))
        return [
            page_at("<int:pk>/revert/", self, revert_page, "revert"),
            re_path(r"^(?P<pk>\d{1,18})/changes\.(?P<form>csv|json)$", download, name="changesets_changeset_changes"),
            # Where the result of a bulk action once stood: old links lead on.
            page_at("<int:object_id>/result/", self, for_viewers(ChangesetAdmin.history_view), "result"),
            page_at("<int:pk>/row/<str:model>/<path:key>/", self, row_page, "row"),
            page_at("following/", self, following_page, "following"),
            page_at("follow/", self, follow_page, "follow"),
            page_at("feed-token/", self, token_page, "feed_token"),
            page_at("<int:pk>/undo/", self, undo_page, "undo"),
            page_at("<int:pk>/comment/", self, comment_page, "comment"),
            page_at("<int:pk>/map/", self, changeset_map, "map"),
            page_at("<int:pk>/map.json", self, changeset_map_data, "map_data", cacheable=True),
            page_at("<int:pk>/hanging/", self, hanging_page, "hanging"),
            page_at("proposals/<int:pk>/", self, proposal_page, "proposal"),
            page_at("plan/<int:pk>/", self, plan_page, "plan"),
            page_at("plan/<int:pk>/work/", self, work_page, "plan_work"),
            page_at("plan/<int:pk>/progress/", self, progress_view, "plan_progress"),
            page_at("plan/<int:pk>/stop/", self, stop_view, "plan_stop"),
            path("name/", self.admin_site.admin_view(name_page), name="changesets_changeset_name_of"),
            *bin_urls(self),
            *super().get_urls(),
        ]

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict | None = None) -> HttpResponse:
        """Lead to the changeset's page: a changeset is never changed, so that page tells all there is."""
        return redirect("admin:changesets_changeset_change", object_id)
