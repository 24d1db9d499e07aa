"""The bulk actions of a list: a page that says what would change, and only after it, with a reason, the change."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IS_POPUP_VAR, IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from apps.changesets.bulk.operations import Outcome, apply_bulk, plan_bulk
from apps.changesets.bulk.plans import LEFT, BulkPlan
from apps.changesets.errors import ChangesetError, NothingSelected
from apps.changesets.history.counts import total
from apps.changesets.numbers import counted, plural
from apps.changesets.pages.bulk_registry import BulkAction, OptionsForm, actions_of
from apps.changesets.pages.links import VIEW, list_url, object_url, outcome_message, result_url

NO_REASON = "Say why: others will read it beside the change."
NOTHING_TICKED = "Nothing was selected, so nothing was changed: tick the rows you mean, then choose the action again."
LONGEST_REASON = 1000


@dataclass(frozen=True)
class Door:
    """Where an action was asked for: on a list, for one object, or on a page of its own; and where Back leads."""

    list_url: str
    back_url: str
    one: models.Model | None = None


class _RowsOnly(ChangeList):
    """A list of which only the queryset is wanted: no page of it is read, nothing is counted."""

    def get_results(self, request: HttpRequest) -> None:
        self.result_list, self.result_count, self.full_result_count = self.queryset.none(), 0, 0
        self.show_full_result_count = self.show_admin_actions = self.can_show_all = self.multi_page = False
        self.paginator = None


class BulkActingAdmin(admin.ModelAdmin):
    """The part of a tracked model's admin that acts on many objects; what a person may not do answers 403."""

    bulk_confirm_template = "admin/changesets/bulk_confirm.html"

    def get_actions(self, request: HttpRequest) -> dict:
        actions = super().get_actions(request)
        if IS_POPUP_VAR in request.GET:
            return actions
        mine = actions_of(self.opts.label_lower)
        others = {name: action for name, action in actions.items() if name not in mine}
        return others | {
            name: (partial(_act, action), name, action.label)
            for name, action in mine.items()
            if request.user.has_perm(action.permission)
        }

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        name = _chosen_action(request)
        if name in actions_of(self.opts.label_lower):
            if not self.has_view_or_change_permission(request) or name not in self.get_actions(request):
                raise PermissionDenied
            if request.POST.get("select_across") == "1":
                # All rows are meant: Django would only look whether some are ticked.
                request.POST = request.POST.copy()
                request.POST.setdefault(ACTION_CHECKBOX_NAME, "all")
            elif not self._keys_can_be(request.POST.getlist(ACTION_CHECKBOX_NAME)):
                self.message_user(request, NOTHING_TICKED, messages.WARNING)
                return HttpResponseRedirect(request.get_full_path())
            return self._act_on_list(request)
        return super().changelist_view(request, extra_context)

    def _act_on_list(self, request: HttpRequest) -> HttpResponse:
        """Act on what the list's filter and search leave, without listing it."""
        request.acts_only = True
        try:
            rows = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")
        return self.response_action(request, queryset=rows) or HttpResponseRedirect(request.get_full_path())

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        kind = super().get_changelist(request, **kwargs)
        return type("RowsOnly", (_RowsOnly, kind), {}) if getattr(request, "acts_only", False) else kind

    def _keys_can_be(self, posted: list[str]) -> bool:
        try:
            return bool([self.opts.pk.to_python(key) for key in posted])
        except ValidationError:
            return False


def _chosen_action(request: HttpRequest) -> str:
    """Return the name of the action whose button was pressed, as Django finds it; empty when none was."""
    if request.method != "POST":
        return ""
    names, index = request.POST.getlist("action"), request.POST.get("index", "0")
    place = int(index) if index.isdecimal() and len(index) < 3 else 0
    return names[place] if place < len(names) else ""


def _act(action: BulkAction, model_admin: Any, request: HttpRequest, objects: QuerySet) -> HttpResponse | None:
    """Answer an action of the list; None leads back to the list."""
    # Django's own page of a deletion confirms by `post`.
    asked = "yes" in (request.POST.get("confirm"), request.POST.get("post"))
    refused = _gone(request, objects) if asked else ""
    door = Door(request.get_full_path(), request.get_full_path())
    return _answer(action, model_admin, request, objects, asked=asked, refused=refused, door=door)


def act_on_one(name: str, model_admin: Any, request: HttpRequest, obj: models.Model) -> HttpResponse | None:
    """Answer an action on one object, on a page of its own: any POST there confirms; None where there is no object."""
    objects = type(obj)._base_manager.filter(pk=obj.pk)
    door = Door(list_url(model_admin.model), object_url(model_admin.model, obj.pk), obj)
    action = actions_of(model_admin.opts.label_lower)[name]
    return _answer(action, model_admin, request, objects, asked=request.method == "POST", refused="", door=door)


def act_on_rows(name: str, model_admin: Any, request: HttpRequest, objects: QuerySet) -> HttpResponse | None:
    """Answer an action on certain objects, on a page of its own: any POST there confirms; None where there are none."""
    door = Door(list_url(model_admin.model), list_url(model_admin.model))
    action = actions_of(model_admin.opts.label_lower)[name]
    return _answer(action, model_admin, request, objects, asked=request.method == "POST", refused="", door=door)


def posted_reason(request: HttpRequest) -> str:
    """Return why somebody does what is posted; empty where it is not said."""
    return (request.POST.get("reason") or request.POST.get("change_reason") or "").strip()[:LONGEST_REASON]


def _answer(
    action: BulkAction,
    model_admin: Any,
    request: HttpRequest,
    objects: QuerySet,
    *,
    asked: bool,
    refused: str,
    door: Door,
) -> HttpResponse | None:
    """Answer with the page that shows the plan or, once it is confirmed, by doing it."""
    form = action.form(None, objects=objects)
    form.take(request.POST)
    reason = posted_reason(request)
    try:
        if asked and not refused and reason and (not form.is_bound or form.is_valid()):
            try:
                return _do(action, model_admin, request, objects, form=form, reason=reason, door=door)
            except NothingSelected:
                raise
            except ChangesetError as refusal:
                refused = str(refusal)
        plan = plan_bulk(action.operation, objects, form.options())
    except NothingSelected as nothing:
        model_admin.message_user(request, str(nothing), messages.WARNING)
        return None
    errors = {"refused": refused, "reason_error": NO_REASON if asked and not reason else "", "reason": reason}
    return _page(action, model_admin, request, plan, form=form, door=door, **errors)


def _gone(request: HttpRequest, objects: QuerySet) -> str:
    """Say that ticked objects are not there any more, which a list that is filtered again would pass over."""
    if request.POST.get("select_across") == "1":
        return ""
    ticked, there = len(set(request.POST.getlist(ACTION_CHECKBOX_NAME))), objects.count()
    if there == ticked or not there:
        return ""
    gone = plural(ticked - there, "is gone, or no longer fits", "are gone, or no longer fit")
    return (
        f"The selection is no longer what you were shown: of {counted(ticked, objects.model)} {ticked - there:,} "
        f"{gone} the filter. Nothing was changed; look again and confirm."
    )


def _do(
    action: BulkAction,
    model_admin: Any,
    request: HttpRequest,
    objects: QuerySet,
    *,
    form: OptionsForm,
    reason: str,
    door: Door,
) -> HttpResponse:
    outcome = apply_bulk(
        action.operation,
        objects,
        actor=request.user,
        reason=reason,
        seen=request.POST.get("seen", ""),
        options=form.options(),
    )
    return _done(model_admin, request, outcome, objects, door=door)


def _done(model_admin: Any, request: HttpRequest, outcome: Outcome, objects: QuerySet, *, door: Door) -> HttpResponse:
    """Lead to the page of what was done; or, where that is little or nothing, back with a sentence."""
    made, one, back = outcome.changeset, door.one, door.back_url
    if one is not None and not objects.exists():
        back = door.list_url
    if made is None:
        model_admin.message_user(request, _nothing(outcome.plan), messages.INFO)
        return HttpResponseRedirect(back)
    sentence, alone = _sentence(outcome.plan, one), one is not None and total(made.counts) == 1
    if alone or not request.user.has_perm(VIEW):
        model_admin.message_user(request, outcome_message(request.user, made, sentence), messages.SUCCESS)
        return HttpResponseRedirect(back)
    if one is not None:
        model_admin.message_user(request, sentence, messages.SUCCESS)
    return HttpResponseRedirect(result_url(made.pk, back=back.partition("?")[2]))


def _nothing(plan: BulkPlan) -> str:
    left = "; ".join(f"{line.number:,} {line.words}" for line in plan.lines if line.sign in LEFT)
    return f"Nothing was to be changed, and nothing was: {left}." if left else "Nothing was to be changed."


def _sentence(plan: BulkPlan, one: models.Model | None) -> str:
    """Say what was done; where it was done to one object, by its name."""
    if one is None or plan.what != counted(1, type(one)):
        return plan.done
    return plan.done.replace(plan.what, str(one), 1)


def _page(
    action: BulkAction,
    model_admin: Any,
    request: HttpRequest,
    plan: BulkPlan,
    *,
    form: OptionsForm,
    door: Door,
    **errors: str,
) -> HttpResponse:
    across, one = request.POST.get("select_across") == "1", door.one
    ways = model_admin.get_actions(request)
    context = {
        **model_admin.admin_site.each_context(request),
        **errors,
        "title": action.title.format(what=plan.what if one is None else one),
        "one": one,
        "post_url": request.get_full_path(),
        "opts": model_admin.opts,
        "action": action,
        "plan": plan,
        "form": form,
        "way_out": actions_of(model_admin.opts.label_lower).get(plan.way_out) if plan.way_out in ways else None,
        "across": across,
        "keys": [str(one.pk)] if one else ["all"] if across else request.POST.getlist(ACTION_CHECKBOX_NAME),
        "list_url": door.list_url,
        "back_url": door.back_url,
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, model_admin.bulk_confirm_template, context)
