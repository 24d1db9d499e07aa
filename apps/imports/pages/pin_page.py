"""The small pages where a field is pinned or unpinned, and where a deleted object is kept deleted."""

from abc import abstractmethod
from typing import Any, ClassVar

from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.text import capfirst

from apps.changesets.acts.frame import answer
from apps.changesets.acts.methods import ASKS, turned_away
from apps.changesets.acts.planned import Crumb, Message, Outcome, Page, PlannedAct
from apps.changesets.errors import ChangesetError
from apps.changesets.fields import field_of
from apps.changesets.history.origins import origins_of
from apps.changesets.history.recycle_bin import still_deleted
from apps.changesets.history.stable_key import object_key_of
from apps.changesets.pages import links
from apps.changesets.pages.origins import origin_line
from apps.changesets.rights import require
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


def pin_page(model_admin: Any, request: HttpRequest, object_id: str, field: str) -> HttpResponse:
    """Show a field with upstream's value and its pin; pin it with a note, or unpin it."""
    if (refused := turned_away(request, ASKS, may=_may_see(model_admin, request))) is not None:
        return refused
    if field not in pinnable_fields(model_admin.model):
        raise Http404(f"{field} cannot be pinned.")
    obj = model_admin.model._base_manager.filter(pk=model_admin.key_or_404(object_id)).first()
    if obj is None:
        return model_admin._get_obj_does_not_exist_redirect(request, model_admin.opts, object_id)
    if target := field_of(type(obj), field).related_model:
        require(request.user, [(target, "view")])
    return answer(PinField(model_admin, request, obj, field))


def deletion_page(model_admin: Any, request: HttpRequest, row: int) -> HttpResponse:
    """Show a deleted object and whether imports may bring it back; decide that."""
    if (refused := turned_away(request, ASKS, may=_may_see(model_admin, request))) is not None:
        return refused
    gone = still_deleted(tracked_for(model_admin.model), [row]).first() if 0 < row < 2**63 else None
    if gone is None:
        raise Http404("That object is not in the recycle bin.")
    return answer(KeepDeleted(model_admin, request, gone))


def _may_see(model_admin: Any, request: HttpRequest) -> bool:
    return model_admin.has_view_permission(request) and request.user.has_perm(VIEW)


class Pinning(PlannedAct[Pin | str]):
    """Pinning something with a note, or unpinning it; the plan is the present pin, empty for none."""

    needs_token = False
    refusals = (ChangesetError, PinFailure)
    # The labels of the two buttons, the text beside them, and the text for those who may press neither.
    words: ClassVar[dict[str, str]]
    # The title of the page, the way to it, and the address that it leads back to.
    title: str
    crumbs: tuple[Crumb, ...]
    here: str

    def __init__(self, model_admin: Any, request: HttpRequest) -> None:
        super().__init__(model_admin, request)
        self.unpins = request.POST.get("action") == "unpin"

    @abstractmethod
    def may_decide(self) -> bool:
        """Whether the person may change what the pin is about."""

    @abstractmethod
    def put(self, note: str) -> str:
        """Pin it; return the message."""

    @abstractmethod
    def take(self) -> str:
        """Unpin it; return the message."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """Return the facts that the page shows."""

    def may(self) -> bool:
        if not self.is_confirmed():
            return True
        return self.may_decide() and self.request.user.has_perm(DELETE if self.unpins else ADD)

    def wants_reason(self) -> bool:
        return not self.unpins

    def proposed_reason(self) -> str:
        made = self.plan()
        return made.note if isinstance(made, Pin) else ""

    def state(self, plan: Pin | str) -> None:
        """No state: the last pin wins, and nothing is lost."""

    def page(self, plan: Pin | str) -> Page:
        made = plan if isinstance(plan, Pin) else None
        decides, user = self.may_decide(), self.request.user
        may_pin, may_unpin = decides and user.has_perm(ADD), decides and user.has_perm(DELETE)
        return Page(
            title=self.title,
            crumbs=self.crumbs,
            verb=("Save the note" if made else self.words["pin"]) if may_pin else "",
            asks=may_unpin and made is not None,
            back_url=self.here,
            note=self.words["why"],
            context={
                "pin": made,
                "pinned_by": pinned_by(made) if made else "",
                "unpin_words": self.words["unpin"] if may_unpin and made else "",
                "lacking": "" if may_pin or may_unpin else self.words["lacking"],
                **self.facts(),
            },
        )

    def apply(self, *, reason: str, seen: Any) -> Outcome:
        return Outcome(self.here, (Message(self.take() if self.unpins else self.put(reason)),))


class PinField(Pinning):
    """Pinning a field of an object: imports leave it as it is."""

    name = "pin"
    template = "admin/acts/pin.html"
    words = {
        "pin": "Pin this field",
        "unpin": "Unpin this field",
        "why": "A pinned field is left alone by every import, also by one that overwrites corrections, until somebody "
        "unpins it. People can still change it.",
        "lacking": "To pin a field you need the permission to change this object, and that for pins.",
    }

    def __init__(self, model_admin: Any, request: HttpRequest, obj: models.Model, field: str) -> None:
        super().__init__(model_admin, request)
        self.obj, self.field = obj, field_of(type(obj), field)
        self.label = capfirst(self.field.verbose_name)
        self.title, self.here = f"Pin: {self.label} of {obj}", links.object_url(type(obj), obj.pk)
        meta = model_admin.opts
        plural = Crumb(capfirst(str(meta.verbose_name_plural)), links.list_url(meta.model))
        self.crumbs = plural, Crumb(str(obj), self.here), Crumb("Pin")

    def subject(self) -> list[str]:
        return [self.obj._meta.label_lower, str(self.obj.pk), self.field.name]

    def plan(self) -> Pin | str:
        return pins_of(self.obj).get(self.field.name, "")

    def may_decide(self) -> bool:
        return self.model_admin.has_change_permission(self.request, self.obj)

    def put(self, note: str) -> str:
        pin(self.obj, self.field.name, note=note, actor=self.actor)
        return f"{self.label} of {self.obj} is pinned: imports leave it as it is."

    def take(self) -> str:
        unpin(self.obj, self.field.name)
        return f"{self.label} of {self.obj} is not pinned any more: imports may change it."

    def facts(self) -> dict[str, Any]:
        known, upstream = upstream_of(self.obj, self.field.name)
        value = getattr(self.obj, self.field.name)
        origin = origins_of(self.obj).get(self.field.name) if self.request.user.has_perm(links.VIEW) else None
        return {
            "name": self.label,
            "value": shown_value(self.field, value),
            "origin": origin_line(origin) if origin else "",
            "known": known,
            "upstream": shown_value(self.field, upstream),
            "differs": known and upstream != value,
        }


class KeepDeleted(Pinning):
    """Pinning that an object is deleted: imports do not bring it back."""

    name = "keep-deleted"
    template = "admin/acts/keep_deleted.html"
    words = {
        "pin": "Keep it deleted",
        "unpin": "Let imports bring it back",
        "why": "People can still bring it back from the recycle bin.",
        "lacking": "To decide this you need the permission to delete this object, and that for pins.",
    }

    def __init__(self, model_admin: Any, request: HttpRequest, gone: Any) -> None:
        super().__init__(model_admin, request)
        self.gone, self.obj = gone, gone.instance
        self.key = object_key_of(self.obj)
        self.title, self.here = (
            f"Keep deleted: {self.obj}",
            links.object_url(model_admin.model, self.obj.pk, page="history"),
        )
        bin_url = f"{reverse('admin:changesets_recycle_bin')}?model={model_admin.opts.label_lower}"
        self.crumbs = Crumb("Recycle bin", bin_url), Crumb(str(self.obj), self.here), Crumb("Keep it deleted")

    def subject(self) -> list[Any]:
        return [self.model_admin.opts.label_lower, self.gone.history_id]

    def plan(self) -> Pin | str:
        return pinned_deletions(self.model_admin.model).get(self.key, "")

    def may_decide(self) -> bool:
        return self.model_admin.has_delete_permission(self.request)

    def put(self, note: str) -> str:
        pin_deletion(self.model_admin.model, self.key, note=note, actor=self.actor)
        return f"{self.obj} stays deleted: imports do not bring it back."

    def take(self) -> str:
        unpin_deletion(self.model_admin.model, self.key)
        return f"Imports may bring {self.obj} back again."

    def facts(self) -> dict[str, Any]:
        return {"gone": self.gone}
