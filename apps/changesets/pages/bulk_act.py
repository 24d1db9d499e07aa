"""A bulk action as an act: its plan on a page, what was done with it, and the page after it."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import capfirst

from apps.changesets.acts.forms import NAMES, posted_reason
from apps.changesets.acts.frame import SEEN, lead
from apps.changesets.acts.planned import Crumb, Message, Outcome, Page, PlannedAct
from apps.changesets.bulk.apply import NOUN, BulkResult, apply_bulk, plan_bulk, stored_bulk
from apps.changesets.bulk.plans import LEFT, BulkPlan
from apps.changesets.errors import NothingSelected, PlanMoved
from apps.changesets.pages import links
from apps.changesets.pages.bulk_registry import BulkAction, actions_of
from apps.changesets.rights import Need, require
from apps.changesets.text import counted, plural

# What is posted to confirm, and not to see the plan.
_CONFIRMS = ("csrfmiddlewaretoken", "confirm", "post", "rows", SEEN, *NAMES)


@dataclass(frozen=True)
class Door:
    """The page where an action was chosen: a list, an object's page, or a page of its own; and the address of Back."""

    list_url: str
    back_url: str
    obj: models.Model | None = None
    on_list: bool = False


class BulkAct(PlannedAct[BulkPlan]):
    """A bulk action on what is selected; whoever calls it has asked for the permission."""

    name = "bulk"
    noun = NOUN
    template = "admin/acts/bulk.html"
    # Lists' actions are a contract: they are also posted by programs, which have seen no page.
    needs_token = False

    def __init__(
        self, model_admin: Any, request: HttpRequest, action: BulkAction, objects: QuerySet, door: Door
    ) -> None:
        super().__init__(model_admin, request)
        self.action, self.objects, self.door = action, objects, door
        self.form = action.form(None, objects=objects)
        self.form.stand_on(model_admin, request)
        self.form.take(request.POST)
        # What the plan saw that was asked whether a second person has to confirm it: only that is applied.
        self.asked_of: dict[str, Any] | None = None

    def may(self) -> bool:
        return True

    def subject(self) -> list[Any]:
        obj = self.door.obj
        return [self.model_admin.opts.label_lower, self.action.name, None if obj is None else str(obj.pk)]

    def wants_rows(self) -> bool:
        """Whether all rows of the plan are asked for, instead of the few names on its page."""
        return self.request.method == "POST" and "rows" in self.request.POST

    def show_rows(self) -> HttpResponse:
        """Store the plan with all its rows, and lead to the page that shows them."""
        obj = "" if self.door.obj is None else str(self.door.obj)
        require(self.actor, self._eyes())
        about = [self.model_admin.opts.label_lower, self.action.title, obj, self.door.list_url]
        plan = stored_bulk(self.action.work, self.objects, actor=self.actor, about=about, options=self.form.options())
        return HttpResponseRedirect(links.plan_url(plan.pk))

    def is_confirmed(self) -> bool:
        if not self.door.on_list:
            return super().is_confirmed() and "show" not in self.request.POST
        # Django's own page of a deletion confirms by `post`.
        return "yes" in (self.request.POST.get("confirm"), self.request.POST.get("post"))

    def is_complete(self) -> bool:
        return not self.form.is_bound or self.form.is_valid()

    def plan(self) -> BulkPlan:
        return plan_bulk(self.action.work, self.objects, self.form.options())

    def needs(self, plan: BulkPlan) -> set[Need]:
        return self._eyes()

    def _eyes(self) -> set[Need]:
        return {(model, "view") for model in (self.objects.model, *self.action.work.names)}

    def state(self, plan: BulkPlan) -> Any:
        return plan.seen

    def size(self, plan: BulkPlan) -> int:
        written = [line.number or 0 for line in plan.lines if line.sign not in LEFT and not line.part]
        return max(plan.number, sum(written)) if plan.number and not plan.refusal else 0

    def plan_to_confirm(self, seen: Any) -> BulkPlan | None:
        if self.door.on_list:
            self._refuse_gone()
        plan = self.plan()
        self.asked_of = dict(plan.seen)
        # What moved since it was shown is refused, and not asked for.
        return plan if seen in (None, plan.seen) else None

    def same(self, plan: BulkPlan) -> list[Any]:
        digest = sha256()
        for key in self.objects.order_by("pk").values_list("pk", flat=True).distinct():
            digest.update(f"{key}\n".encode())
        return [self.subject()[0], self.action.name, digest.hexdigest(), plan.seen["chosen"]]

    def way(self, plan: BulkPlan) -> dict[str, Any]:
        posted = {name: values for name, values in self.request.POST.lists() if name not in _CONFIRMS}
        return {
            "title": self.page(plan).title,
            "permission": self.action.permission,
            "model": self.model_admin.opts.label_lower,
            "address": self.request.get_full_path(),
            "posted": {**posted, "show": ["plan"]},
        }

    def page(self, plan: BulkPlan) -> Page:
        opts, door = self.model_admin.opts, self.door
        title = self.action.title.format(what=plan.objects if door.obj is None else door.obj)
        possible = bool(plan.number and not plan.refusal)
        ways = self.model_admin.get_actions(self.request)
        way_out = actions_of(opts.label_lower).get(plan.way_out) if plan.way_out in ways else None
        return Page(
            title=title,
            crumbs=(Crumb(capfirst(str(opts.verbose_name_plural)), door.list_url), Crumb(self.action.label)),
            verb=title if possible else "",
            danger=self.action.danger,
            asks=bool(self.form.fields),
            back_url=door.back_url,
            note="It becomes one changeset, and can be undone.",
            lines=plan.lines,
            context={
                "action": self.action,
                "options": self.form,
                "obj": door.obj,
                "list_url": door.list_url,
                "way_out": way_out,
                "across": self._is_across(),
                "keys": self._keys(),
                "reason": posted_reason(self.request),
            },
        )

    def apply(self, *, reason: str, seen: Any) -> Outcome:
        if seen is None:
            # No page was shown that asked for it.
            require(self.actor, self._eyes())
        if self.door.on_list:
            self._refuse_gone()
        done = apply_bulk(
            self.action.work,
            self.objects,
            actor=self.actor,
            reason=reason,
            seen=self.asked_of if seen is None else seen,
            options=self.form.options(),
        )
        return self._outcome(done)

    def without_plan(self, refusal: Exception) -> HttpResponse:
        if not isinstance(refusal, NothingSelected):
            raise refusal
        return lead(self.request, Outcome(self.door.back_url, (Message(str(refusal), messages.WARNING),)))

    def _is_across(self) -> bool:
        return self.request.POST.get("select_across") == "1"

    def _keys(self) -> list[str]:
        if self.door.obj is not None:
            return [str(self.door.obj.pk)]
        return ["all"] if self._is_across() else self.request.POST.getlist(ACTION_CHECKBOX_NAME)

    def _refuse_gone(self) -> None:
        """Raise PlanMoved when ticked objects are gone or no longer fit the filter of the list."""
        if self._is_across():
            return
        ticked, living = len(set(self._keys())), self.objects.count()
        if living == ticked or not living:
            return
        gone = plural(ticked - living, "is gone, or no longer fits", "are gone, or no longer fit")
        raise PlanMoved(f"of {counted(ticked, self.objects.model)} {ticked - living:,} {gone} the filter", NOUN)

    def _outcome(self, done: BulkResult) -> Outcome:
        """Lead to the page of what was done; the way back leads to the list where the object is gone."""
        obj, back = self.door.obj, (self.door.back_url, f"Back to {self.door.obj}")
        if obj is None or not self.objects.exists():
            url = self.door.back_url if obj is None else self.door.list_url
            back = url, f"Back to the {self.objects.model._meta.verbose_name_plural}"
        sentence = _sentence(done.plan, obj) if done.changeset else _nothing(done.plan)
        if sentence == done.plan.done and self.request.user.has_perm(links.VIEW):
            sentence = "Done."  # The page that it leads to says what.
        return links.lead_to(self.request.user, done.changeset, sentence, back=back)


def _nothing(plan: BulkPlan) -> str:
    left = "; ".join(f"{line.number:,} {line.words}" for line in plan.lines if line.sign in LEFT)
    return f"There was nothing to change: {left}." if left else "There was nothing to change."


def _sentence(plan: BulkPlan, obj: models.Model | None) -> str:
    """Return the sentence of what was done, with the name of the object where there is only one."""
    if obj is None or plan.objects != counted(1, type(obj)):
        return plan.done
    return plan.done.replace(plan.objects, str(obj), 1)
