"""The bulk actions of a list: a page that says what would change, and only after it, with a reason, the change."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IS_POPUP_VAR, IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apps.changesets.acts.frame import answer, lead
from apps.changesets.acts.planned import Message, Outcome
from apps.changesets.errors import Busy, ChangesetError, NotPermitted
from apps.changesets.pages.bulk_act import BulkAct, Door
from apps.changesets.pages.bulk_registry import BulkAction, actions_of
from apps.changesets.pages.links import list_url, object_url

NOTHING_TICKED = "Nothing was selected, so nothing was changed: tick rows, then choose the action again."


class _RowsOnly(ChangeList):
    """A list of which only the queryset is wanted: no page of it is read, nothing is counted."""

    def get_results(self, request: HttpRequest) -> None:
        self.result_list, self.result_count, self.full_result_count = self.queryset.none(), 0, 0
        self.show_full_result_count = self.show_admin_actions = self.can_show_all = self.multi_page = False
        self.paginator = None


class BulkActingAdmin(admin.ModelAdmin):
    """The part of a tracked model's admin that acts on many objects; what a person may not do answers 403."""

    def get_actions(self, request: HttpRequest) -> dict:
        actions = super().get_actions(request)
        if IS_POPUP_VAR in request.GET:
            return actions
        bulk_actions = actions_of(self.opts.label_lower)
        stock_actions = {name: action for name, action in actions.items() if name not in bulk_actions}
        return stock_actions | {
            name: (partial(_act, action), name, action.label)
            for name, action in bulk_actions.items()
            if request.user.has_perm(action.permission)
        }

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        name = _chosen_action(request)
        if name in actions_of(self.opts.label_lower):
            if not self.has_view_or_change_permission(request) or name not in self.get_actions(request):
                raise PermissionDenied
            if request.POST.get("select_across") == "1":
                # All rows are meant: Django would only look whether some are ticked.
                posted = request.POST.copy()
                posted.setdefault(ACTION_CHECKBOX_NAME, "all")
                request.POST = posted  # type: ignore[assignment]  # the stubs want one that cannot be changed
            elif not request.POST.getlist(ACTION_CHECKBOX_NAME):
                self.message_user(request, NOTHING_TICKED, messages.WARNING)
                return HttpResponseRedirect(request.get_full_path())
            return self._act_on_list(request)
        return super().changelist_view(request, extra_context)

    def _act_on_list(self, request: HttpRequest) -> HttpResponse:
        """Act on what the list's filter and search leave, without listing it."""
        vars(request)["acts_only"] = True
        try:
            rows = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")
        return self.response_action(request, queryset=rows) or HttpResponseRedirect(request.get_full_path())

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        kind = super().get_changelist(request, **kwargs)
        return type("RowsOnly", (_RowsOnly, kind), {}) if getattr(request, "acts_only", False) else kind


def _chosen_action(request: HttpRequest) -> str:
    """Return the name of the action whose button was pressed, as Django finds it; empty when none was."""
    if request.method != "POST":
        return ""
    names, index = request.POST.getlist("action"), request.POST.get("index", "0")
    place = int(index) if index.isdecimal() and len(index) < 3 else 0
    return names[place] if place < len(names) else ""


def _act(action: BulkAction, model_admin: Any, request: HttpRequest, objects: QuerySet) -> HttpResponse:
    """Answer an action of the list."""
    door = Door(list_url=request.get_full_path(), back_url=request.get_full_path(), on_list=True)
    return _answer(BulkAct(model_admin, request, action, objects, door))


def _answer(act: BulkAct) -> HttpResponse:
    """Show the plan, do it, or show all its rows on a page of their own."""
    try:
        return act.show_rows() if act.wants_rows() else answer(act)
    except ChangesetError as refusal:
        if not act.wants_rows() or isinstance(refusal, Busy | NotPermitted):
            raise
        return lead(act.request, Outcome(act.door.back_url, (Message(str(refusal), messages.WARNING),)))


def act_on_one(name: str, model_admin: Any, request: HttpRequest, obj: models.Model) -> HttpResponse:
    """Answer an action on one object, on a page of its own: any POST there confirms."""
    door = Door(list_url(model_admin.model), object_url(model_admin.model, obj.pk), obj)
    return act_on_rows(name, model_admin, request, type(obj)._base_manager.filter(pk=obj.pk), door=door)


def act_on_rows(
    name: str, model_admin: Any, request: HttpRequest, objects: QuerySet, *, door: Door | None = None
) -> HttpResponse:
    """Answer an action on certain objects, on a page of its own: any POST there confirms."""
    door = door or Door(list_url(model_admin.model), list_url(model_admin.model))
    action = actions_of(model_admin.opts.label_lower)[name]
    return _answer(BulkAct(model_admin, request, action, objects, door))
