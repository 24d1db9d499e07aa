"""The base of the admin of tracked models: every write is a changeset of the person who made it."""

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.contrib.admin.views.main import ALL_VAR, ORDER_VAR, PAGE_VAR, SEARCH_VAR
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import QuerySet
from django.forms import Form, ModelChoiceField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern
from django.utils.formats import localize
from django.utils.functional import SimpleLazyObject
from django.utils.timezone import localtime
from simple_history.admin import SimpleHistoryAdmin

from apps.changesets.acts import edit
from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.methods import READS, page_at, turned_away
from apps.changesets.errors import Busy
from apps.changesets.fields import target_of
from apps.changesets.history import versions
from apps.changesets.history.recycle_bin import deleted_objects
from apps.changesets.history.renames import KeyHistory
from apps.changesets.history.timeline import entries_of
from apps.changesets.models import Kind
from apps.changesets.pages import as_of, links
from apps.changesets.pages.bulk import BulkActingAdmin, act_on_one
from apps.changesets.pages.changed_by import ChangedByFilter
from apps.changesets.pages.forms import OWN_FIELDS, RecordedForm
from apps.changesets.pages.links import VIEW, outcome_message
from apps.changesets.pages.list_views import ListViewsAdmin
from apps.changesets.pages.moved_on import had_this_key, lead_on
from apps.changesets.pages.nearby import NearFilter
from apps.changesets.pages.object_page import ObjectPageAdmin
from apps.changesets.pages.origins import show_origins
from apps.changesets.pages.searching import SearchingAdmin
from apps.changesets.pages.version import may_go_back, version_page
from apps.changesets.processes.locking import busy_in_words
from apps.changesets.revert import newest_revertable
from apps.changesets.rights import eyes_of, may_view
from apps.changesets.text import whole_number
from apps.changesets.tracking import tracked_for

# The sentence about the object that a request wrote.
_outcomes: WeakKeyDictionary[HttpRequest, str] = WeakKeyDictionary()
# Why a request could not write.
_refusals: WeakKeyDictionary[HttpRequest, str] = WeakKeyDictionary()


class RecordedModelAdmin(BulkActingAdmin, ListViewsAdmin, SearchingAdmin, ObjectPageAdmin, SimpleHistoryAdmin):
    """Admin of a tracked model; a form of its own is a RecordedForm."""

    form = RecordedForm
    show_full_result_count = False
    # Counting every choice of every filter takes seconds at this size.
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    change_list_template = "admin/changesets/recorded_list.html"
    object_history_template = "admin/changesets/object_history.html"
    object_history_list_template = "admin/changesets/object_history_list.html"
    object_history_form_template = "admin/changesets/object_version.html"
    history_list_per_page = 50

    def get_urls(self) -> list[URLPattern]:
        return [
            page_at("as-of/", self, as_of.table_page, "as_of_list"),
            page_at("between/", self, as_of.between_page, "between"),
            page_at("<path:object_id>/as-of/", self, as_of.object_page, "as_of"),
            page_at("<path:object_id>/go-back/<int:row>/", self, version_page, "go_back"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        title = str(self.opts.verbose_name_plural).capitalize()
        # Looked for where they are shown: the page of an action has none of them.
        context = {"title": title, "list_tools": SimpleLazyObject(lambda: self.list_tools(request))}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def list_tools(self, request: HttpRequest) -> list[tuple[str, str]]:
        """Return further pages about the whole list, address and words each; other apps' mixins add theirs."""
        if not (request.user.has_perm(links.REVERT) and request.user.has_perm(VIEW)):
            return []
        newest = newest_revertable(kind=Kind.IMPORT, model=self.opts.label_lower)
        return [(links.revert_url(newest.pk), "Undo the newest import…")] if newest else []

    # -- links are for those who may see what they point to ---------------------------------------------------

    def hidden_links(self, request: HttpRequest) -> dict[str, models.ForeignKey]:
        """Return the links of the model, by name, that point to what the person may not see."""
        links_of = tracked_for(self.model).links
        return {field.name: field for field in links_of if not may_view(request.user, target_of(field))}

    def more_columns(self, request: HttpRequest) -> list[str]:
        hidden = self.hidden_links(request)
        return [field.name for field in tracked_for(self.model).news if field.name not in hidden]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        hidden = self.hidden_links(request)
        return [name for name in super().get_list_display(request) if name not in hidden]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever may not see what a new object has to be linked to cannot add one."""
        required = any(not field.null for field in self.hidden_links(request).values())
        return super().has_add_permission(request) and not required

    def get_list_filter(self, request: HttpRequest) -> list:
        if getattr(request, "acts_only", False) and not set(request.GET) - {SEARCH_VAR, ORDER_VAR, PAGE_VAR, ALL_VAR}:
            return []  # Nothing is filtered, and no choice is shown.
        near = [NearFilter] if tracked_for(self.model).point else []
        hidden = self.hidden_links(request)
        return [
            ChangedByFilter,
            *near,
            *(name for name in super().get_list_filter(request) if name not in hidden),
        ]

    # -- adding and changing ---------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> list:
        fieldsets = _without(list(super().get_fieldsets(request, obj)), self.hidden_links(request))
        may_write = self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)
        if may_write and not _is_version_page(request):
            fieldsets.append(("This change", {"fields": OWN_FIELDS}))
        return fieldsets

    def get_form(self, request: HttpRequest, obj: models.Model | None = None, change: bool = False, **kw: Any) -> Any:
        """Add the origin of its present value to the help of each field."""
        form: Any = super().get_form(request, obj, change=change, **kw)
        if change and obj is not None and not _is_version_page(request) and request.user.has_perm(VIEW):
            show_origins(form, obj)
        form.refusal = _refusals.get(request, "")
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> tuple:
        readonly = tuple(super().get_readonly_fields(request, obj))
        return (*self._all_fields(), *readonly) if _is_version_page(request) else readonly

    def _all_fields(self) -> list[str]:
        """Return the fields of the form, whether the admin arranges them or not."""
        if self.fieldsets:
            return flatten_fieldsets(self.fieldsets)
        return [field.name for field in self.opts.concrete_fields if field.editable and not field.auto_created]

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field, ModelChoiceField):
            # Deleting the country of an airport is not one click away from the airport.
            field.widget.can_delete_related = False
        return field

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        """Show the form again with what was typed where somebody else writes for too long: saving again may work."""
        try:
            with busy_in_words():
                return super().changeform_view(request, object_id, form_url, extra_context)
        except Busy as busy:
            if request.method != "POST":
                raise
            _refusals[request] = str(busy)
        # In no transaction, which would wait again: the form refuses itself, so nothing is written.
        response = super()._changeform_view(request, object_id, form_url, extra_context or {})  # type: ignore[misc]  # not in the stubs
        if response.status_code == 200:
            response.status_code = Busy.status
        return response

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> models.Model | None:
        obj = super().get_object(request, object_id, from_field)
        if obj is None or request.method != "POST" or request in _refusals:
            return obj
        return versions.lock_row(obj)

    def save_model(self, request: HttpRequest, obj: models.Model, form: Form, change: bool) -> None:
        reason = form.cleaned_data.get("change_reason", "")
        if change:
            made = edit.change_object(obj, fields=form.changed_data, actor=actor_of(request), reason=reason)
        else:
            made = edit.add_object(obj, actor=actor_of(request), reason=reason)
        done = ("changed" if change else "added") if made else ""
        sentence = f"{obj} {done}." if made else f"Nothing was changed on {obj}."
        _outcomes[request] = outcome_message(request.user, made, sentence)

    def message_user(
        self, request: HttpRequest, message: Any, level: Any = messages.INFO, *args: Any, **kw: Any
    ) -> None:
        """Show our sentence with links to review and undo, instead of Django's."""
        super().message_user(request, _outcomes.get(request, message), level, *args, **kw)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Lead to the object under its new key, or to the history of a deleted one: it can be brought back there."""
        key = self.key_or_404(object_id)
        if (moved := lead_on(self, request, key, page="change")) is not None:
            return moved
        if tracked_for(self.model).history_model.objects.filter(**{opts.pk.attname: key}).exists():
            return HttpResponseRedirect(links.object_url(opts.model, key, page="history"))
        return super()._get_obj_does_not_exist_redirect(request, opts, object_id)  # type: ignore[misc]  # not in the stubs

    # -- deleting --------------------------------------------------------------------------------------------

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict | None = None) -> HttpResponse:
        """Show what the deletion would delete and clear, or what forbids it; delete once it is confirmed."""
        obj = self.get_object(request, unquote(object_id))
        if not self.has_delete_permission(request, obj):
            raise PermissionDenied
        page = act_on_one("delete_selected", self, request, obj) if obj is not None else None
        return page or self._get_obj_does_not_exist_redirect(request, self.opts, object_id)

    # -- history ---------------------------------------------------------------------------------------------

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict | None = None) -> HttpResponse:
        key = self.key_or_404(object_id)
        tracked, may_look = tracked_for(self.model), self.has_view_or_change_permission(request)
        of_key = vars(request)["of_key"] = KeyHistory(tracked, key)
        lives = of_key.in_use
        if not lives and may_look and (moved := lead_on(self, request, key, page="history")) is not None:
            return moved
        gone = [] if lives else list(deleted_objects(tracked).filter(**{self.opts.pk.attname: key})[:1])
        context = {
            "lives": lives,
            "had_this_key": had_this_key(of_key) if may_look else "",
            "remark": next(iter(self.remarks_on_deleted(request, gone).values()), ""),
            "tracked_label": self.opts.label_lower,
            "subtitle": None,
            "may_go_back": may_go_back(self, request, lives=lives),
        }
        return super().history_view(request, object_id, {**context, **(extra_context or {})})

    def remarks_on_deleted(self, request: HttpRequest, rows: Sequence[Any]) -> dict[int, str]:
        """Return remarks of other apps' mixins on deleted objects, as safe HTML by the history_id of the deletion."""
        return {}

    def history_view_title(self, request: HttpRequest, obj: models.Model) -> str:
        return f"History of {obj}"

    def get_history_queryset(
        self, request: HttpRequest, history_manager: Any, pk_name: str, object_id: Any
    ) -> QuerySet:
        rows: QuerySet = vars(request)["of_key"].rows()
        return rows.select_related("changeset", "changeset__actor")

    def set_history_delta_changes(self, request: HttpRequest, historical_records: Any, *args: Any, **kw: Any) -> None:
        """Attach our entries instead: the last row of a page has its differences too, and links have names."""
        rows = list(historical_records)
        for row, entry in zip(rows, entries_of(tracked_for(self.model), rows, sees=eyes_of(request.user)), strict=True):
            row.entry, row.key = entry, getattr(row, self.opts.pk.attname)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict | None = None
    ) -> HttpResponse:
        """Show an old version to read; simple-history's own page would save whatever is posted to it."""
        if (refused := turned_away(request, READS, may=self.has_view_permission(request))) is not None:
            return refused
        if whole_number(version_id) is None:
            raise Http404
        vars(request)["is_version_page"] = True
        row = (
            tracked_for(self.model)
            .history_model.objects.filter(history_id=version_id)
            .select_related("changeset")
            .first()
        )
        context = {
            "subtitle": f"Version of {localize(localtime(row.history_date))}, by {row.changeset}" if row else None
        }
        key = self.key_or_404(object_id)
        return super().history_form_view(request, key, version_id, {**context, **(extra_context or {})})

    def history_form_view_title(self, request: HttpRequest, obj: models.Model) -> str:
        return f"{obj} as it was"

    def key_or_404(self, object_id: str) -> Any:
        """Return the key of an object as an address has it; raises Http404 for what can be none."""
        try:
            return self.opts.pk.to_python(unquote(object_id))
        except ValidationError as error:
            raise Http404 from error


def _without(fieldsets: list[Any], names: Container[str]) -> list[Any]:
    """Return the fieldsets without these fields, which stand alone or in a row of several."""

    def kept(fields: Iterable[Any]) -> Iterator[Any]:
        for field in fields:
            row = [name for name in field if name not in names] if isinstance(field, list | tuple) else field
            if row and not (isinstance(row, str) and row in names):
                yield row

    return [(title, {**options, "fields": tuple(kept(options["fields"]))}) for title, options in fieldsets]


def _is_version_page(request: HttpRequest) -> bool:
    return getattr(request, "is_version_page", False)
