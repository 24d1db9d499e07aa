"""Buttons of one object (django-object-actions): reading shows what would be done, posting does it.

The package checks neither permission nor method, and finds no object that is gone: `object_tool` and `tool_view` do.
"""

from collections.abc import Callable
from functools import wraps
from types import MethodType
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, re_path, reverse
from django_object_actions import BaseDjangoObjectActions
from django_object_actions import action as tool_action

from apps.changesets.acts.forms import posted_reason
from apps.changesets.acts.frame import lead
from apps.changesets.acts.methods import ASKS, turned_away
from apps.changesets.errors import ChangesetError
from apps.changesets.history.counts import total
from apps.changesets.history.recycle_bin import deleted_objects
from apps.changesets.history.words import is_open_to_revert
from apps.changesets.pages import links
from apps.changesets.pages.bulk import act_on_one
from apps.changesets.pages.bulk_registry import BulkAction, Tool, actions_of
from apps.changesets.pages.moved_on import lead_on
from apps.changesets.pages.recorded import RecordedModelAdmin
from apps.changesets.pages.reverted import reverted
from apps.changesets.revert import Scope
from apps.changesets.tracking import tracked_for

# The first button of a group stands a little apart from the one before it.
NEW_GROUP = "new-group"


def object_tool(
    *,
    label: str,
    permissions: tuple[str | Callable, ...],
    words: str = "",
    new_group: bool = False,
    of_gone: bool = False,
) -> Callable[[Callable], Callable]:
    """Return a decorator that makes a method a button of the object's page, for those who have all the permissions.

    Each permission is asked of `has_<permission>_permission`, or is a function of the admin and the request; it is
    asked in the action itself and whatever the method. Only a tool that is `of_gone` is called for a deleted object,
    with the object as it was.
    """

    def decorate(method: Callable) -> Callable:
        @wraps(method)
        def guarded(self: Any, request: HttpRequest, obj: models.Model) -> HttpResponse:
            return turned_away(request, ASKS, may=may_use(self, request, guarded)) or method(self, request, obj)

        vars(guarded)["of_gone"] = of_gone
        look = tool_action(
            permissions=permissions,
            description=words,
            label=label,
            attrs={"class": NEW_GROUP} if new_group else {},
            methods=ASKS,
            button_type="a",
        )
        return look(guarded)

    return decorate


def may_use(model_admin: Any, request: HttpRequest, tool: Any) -> bool:
    """Whether the person has the permissions of a tool, and may view the objects."""
    return all(
        permission(model_admin, request)
        if callable(permission)
        else getattr(model_admin, f"has_{permission}_permission")(request)
        for permission in ("view", *tool.allowed_permissions)
    )


def bulk_tool(bulk: BulkAction, tool: Tool) -> Callable:
    """Return the button that does a bulk action of the model's list to the one object, for who may do it and change."""

    def permitted(model_admin: Any, request: HttpRequest) -> bool:
        return request.user.has_perm(bulk.permission)

    def act(self: Any, request: HttpRequest, obj: models.Model) -> HttpResponse:
        return act_on_one(bulk.name, self, request, obj)

    act.__name__ = bulk.name
    return object_tool(label=tool.label, permissions=("change", permitted), words=tool.words)(act)


def tool_url(model: type[models.Model], pk: Any, tool: str) -> str:
    """Return the address of a button of an object's page."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_actions"
    return reverse(name, kwargs={"pk": quote(pk), "tool": tool})


class ObjectTools(BaseDjangoObjectActions, RecordedModelAdmin):
    """The buttons that `change_actions` names, and before them those of the bulk actions that have one; stands right
    before RecordedModelAdmin among the bases.

    The package's other base would put its own template in place of our lists'.
    """

    change_form_template = "admin/changesets/object_page.html"
    change_actions: tuple[str, ...] = ("undo_last_change",)

    def get_urls(self) -> list[URLPattern]:
        """Replace the package's two addresses of a tool with ours, which also serves deleted objects.

        Its second one would call the tools of one object with all rows of the table. By now all apps have added their
        bulk actions.
        """
        bulk = [(action, action.tool) for action in actions_of(self.opts.label_lower).values() if action.tool]
        self.change_actions = (*(action.name for action, _ in bulk), *type(self).change_actions)
        for action, tool in bulk:
            setattr(self, action.name, MethodType(bulk_tool(action, tool), self))
        name = f"{self.opts.app_label}_{self.opts.model_name}_actions"
        view = self.admin_site.admin_view(self.tool_view)
        urls = [url for url in super().get_urls() if url.name != name]
        return [re_path(r"^(?P<pk>.+)/actions/(?P<tool>\w+)/$", view, name=name), *urls]

    def get_change_actions(self, request: HttpRequest, object_id: str, form_url: str) -> list[str]:
        return [name for name in self.change_actions if may_use(self, request, getattr(self, name))]

    def tool_view(self, request: HttpRequest, pk: str, tool: str) -> HttpResponse:
        """Call the tool of this name with the object, as it is or, for tools that take what is gone, as it was."""
        if tool not in self.change_actions:
            raise Http404("There is no such button.")
        method = getattr(self, tool)
        if not may_use(self, request, method):
            raise PermissionDenied
        key = self.key_or_404(pk)
        there = self.get_object(request, str(key))
        if there is None and (moved := lead_on(self, request, key, page="change")) is not None:
            return moved
        obj = there or self._as_it_was(key, tool=method)
        if not isinstance(obj, HttpResponse):
            return method(request, obj)
        messages.error(request, f"{links.name_of(self.opts.label_lower, str(key))} is deleted: nothing was done.")
        return obj

    def has_undo_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(links.REVERT)

    @object_tool(
        label="Undo the last change…",
        permissions=("undo",),
        words="See what undoing its newest change would do",
        new_group=True,
        of_gone=True,
    )
    def undo_last_change(self, request: HttpRequest, obj: models.Model) -> HttpResponse:
        """Lead to the plan of undoing the object's newest change, for it alone; a POST with a reason does it."""
        rows = self.model.history.filter(**{self.opts.pk.attname: obj.pk}).order_by("-history_id")
        newest = rows.select_related("changeset").first()
        if newest is None or not is_open_to_revert(newest.changeset):
            refusal_words = (
                f"Its newest change, {newest.changeset}, cannot be undone" if newest else "It has no history"
            )
            messages.warning(request, f"{refusal_words}: nothing was done.")
            return HttpResponseRedirect(links.object_url(self.model, obj.pk, page="history"))
        # A changeset of this object alone is reverted whole, and not only partly.
        alone = total(newest.changeset.counts) == 1
        only, reason = () if alone else (f"{self.opts.label_lower}:{obj.pk}",), posted_reason(request)
        if reason:
            try:
                return lead(request, reverted(request, [newest.changeset], Scope(pks=only), reason=reason))
            except ChangesetError as refusal:
                messages.error(request, str(refusal))
        part = "?" + urlencode({"only": only}, doseq=True) if only else ""
        return HttpResponseRedirect(links.revert_url(newest.changeset_id) + part)

    def _as_it_was(self, key: Any, *, tool: Any) -> models.Model | HttpResponse:
        """Return a deleted object as it was, or the way to its history for a tool that wants it to be there."""
        row = deleted_objects(tracked_for(self.model)).filter(**{self.opts.pk.attname: key}).first()
        if row is not None and tool.of_gone:
            return row.instance
        if not self.model.history.filter(**{self.opts.pk.attname: key}).exists():
            raise Http404("There is no such object.")
        return HttpResponseRedirect(links.object_url(self.model, key, page="history"))
