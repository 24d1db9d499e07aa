"""The small pages where a field is pinned or unpinned, and where a deleted object is kept deleted."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.text import capfirst

from apps.changesets.history.origins import origins_of
from apps.changesets.history.recycle_bin import still_deleted
from apps.changesets.history.stable_key import object_key_of
from apps.changesets.pages import links
from apps.changesets.pages.origins import origin_line
from apps.changesets.tracking import tracked_for
from apps.imports.errors import PinFailure
from apps.imports.models import Pin
from apps.imports.pages.pin_words import ADD, DELETE, VIEW, shown_value
from apps.imports.plan.corrections import upstream_of
from apps.imports.plan.pins import (
    pin,
    pin_deletion,
    pinnable_fields,
    pinned_by,
    pinned_deletions,
    pins_of,
    unpin,
    unpin_deletion,
)


class NoteForm(forms.Form):
    """Why something is pinned."""

    note = forms.CharField(
        max_length=1000,
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        error_messages={"required": "Say why: others will read it beside the pin."},
    )


def pin_page(model_admin: Any, request: HttpRequest, key: str, field: str) -> HttpResponse:
    """GET shows a field with upstream's value and its pin; POST pins it with a note, or unpins it."""
    _check_seeing(model_admin, request)
    if field not in pinnable_fields(model_admin.model):
        raise Http404(f"{field} cannot be pinned.")
    obj = model_admin.model._base_manager.filter(pk=model_admin._key_or_404(key)).first()
    if obj is None:
        return model_admin._get_obj_does_not_exist_redirect(request, model_admin.opts, key)
    name = capfirst(obj._meta.get_field(field).verbose_name)
    here = links.object_url(type(obj), obj.pk)

    def put(note: str) -> str:
        pin(obj, field, note=note, actor=request.user)
        return f"{name} of {obj} is pinned: imports leave it as it is."

    def take(_: str) -> str:
        unpin(obj, field)
        return f"{name} of {obj} is not pinned any more: imports may change it."

    may_change = model_admin.has_change_permission(request, obj)
    form = NoteForm()
    if request.method == "POST":
        form = NoteForm(request.POST)
        if _done(request, form, may_change=may_change, put=put, take=take):
            return HttpResponseRedirect(here)
    said, upstream = upstream_of(obj, field)
    origin = origins_of(obj).get(field) if request.user.has_perm(links.VIEW) else None
    context = {
        "title": f"Pin: {name} of {obj}",
        "object": obj,
        "object_url": here,
        "name": name,
        "value": shown_value(obj._meta.get_field(field), getattr(obj, field)),
        "origin": origin_line(origin) if origin else "",
        "said": said,
        "upstream": shown_value(obj._meta.get_field(field), upstream),
        "differs": said and upstream != getattr(obj, field),
    }
    return _render(model_admin, request, "pin", context, form, pins_of(obj).get(field), may_change=may_change)


def deletion_page(model_admin: Any, request: HttpRequest, row: int) -> HttpResponse:
    """GET shows a deleted object and whether imports may bring it back; POST decides that."""
    _check_seeing(model_admin, request)
    tracked = tracked_for(model_admin.model)
    gone = still_deleted(tracked, [row]).first() if 0 < row < 2**63 else None
    if gone is None:
        raise Http404("That object is not in the recycle bin.")
    model, obj = model_admin.model, gone.instance
    key = object_key_of(obj)

    def put(note: str) -> str:
        pin_deletion(model, key, note=note, actor=request.user)
        return f"{obj} stays deleted: imports do not bring it back."

    def take(_: str) -> str:
        unpin_deletion(model, key)
        return f"Imports may bring {obj} back again."

    may_change = model_admin.has_delete_permission(request)
    form = NoteForm()
    if request.method == "POST":
        form = NoteForm(request.POST)
        if _done(request, form, may_change=may_change, put=put, take=take):
            return HttpResponseRedirect(links.object_url(model, obj.pk, page="history"))
    context = {
        "title": f"Keep deleted: {obj}",
        "object": obj,
        "object_url": links.object_url(model, obj.pk, page="history"),
        "gone": gone,
    }
    return _render(model_admin, request, "keep_deleted", context, form, pinned_deletions(model).get(key),
                   may_change=may_change)  # fmt: skip


def _check_seeing(model_admin: Any, request: HttpRequest) -> None:
    if request.method not in ("GET", "HEAD", "POST"):
        raise PermissionDenied
    if not (model_admin.has_view_permission(request) and request.user.has_perm(VIEW)):
        raise PermissionDenied


def _done(
    request: HttpRequest,
    form: NoteForm,
    *,
    may_change: bool,
    put: Callable[[str], str],
    take: Callable[[str], str],
) -> bool:
    """Do what was asked for, and say so; False where the form has to come back."""
    unpins = request.POST.get("action") == "unpin"
    if not (may_change and request.user.has_perm(DELETE if unpins else ADD)):
        raise PermissionDenied
    try:
        if unpins:
            # The note is not asked for; without this the form would miss it.
            form.errors.clear()
            messages.success(request, take(""))
            return True
        if form.is_valid():
            messages.success(request, put(form.cleaned_data["note"]))
            return True
    except PinFailure as failure:
        form.add_error(None, str(failure))
    return False


def _render(
    model_admin: Any,
    request: HttpRequest,
    page: str,
    context: dict[str, Any],
    form: NoteForm,
    made: Pin | None,
    *,
    may_change: bool,
) -> HttpResponse:
    meta = model_admin.opts
    if made is not None and not form.is_bound:
        form.initial["note"] = made.note
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": meta,
        "plural": capfirst(meta.verbose_name_plural),
        "changelist_url": links.list_url(model_admin.model),
        "history_url": links.object_url(model_admin.model, context["object"].pk, page="history"),
        "form": form,
        "pin": made,
        "pinned_by": pinned_by(made) if made else "",
        "may_pin": may_change and request.user.has_perm(ADD),
        "may_unpin": may_change and request.user.has_perm(DELETE),
        **context,
    }
    return TemplateResponse(request, f"admin/imports/{page}.html", context)
