"""The page of a revert: its plan, the choice of scope and policy, the reason, and the outcome."""

from dataclasses import replace
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apps.changesets.acts.frame import answer
from apps.changesets.acts.methods import ASKS, proof_first, turned_away
from apps.changesets.acts.planned import Crumb, Outcome, Page, PlannedAct
from apps.changesets.errors import Busy, ChangesetError, NotPermitted, NotPlanned, PlanUnderWay
from apps.changesets.history.words import person
from apps.changesets.models import Changeset, Kind, PlanRow
from apps.changesets.pages import links
from apps.changesets.pages.plan_query import (
    MOST_IN_ADDRESS,
    PlanQuery,
    choices_of,
    chosen_changesets,
    narrowed,
    read_plan_query,
)
from apps.changesets.pages.plan_rows import rows_of
from apps.changesets.pages.revert_lines import BUCKETS, CHIPS, lines_of
from apps.changesets.pages.reverted import reverted
from apps.changesets.pages.stored_rows import read_rows_query, rows_context, shown_changes
from apps.changesets.plans.storing import ask
from apps.changesets.revert import OnConflict, Scope
from apps.changesets.revert.apart import is_large, leave_planning, leave_revert, refuse_under_way
from apps.changesets.revert.listing import explain
from apps.changesets.revert.rows import as_planned
from apps.changesets.revert.stored import (
    ShownPlan,
    asked_of,
    planned_revert,
    same_revert,
    scope_numbered,
    shown_revert,
    size_of,
)
from apps.changesets.revert.wording import objects_words, scope_words
from apps.changesets.rights import Need, eyes_of, needs_of
from apps.changesets.tasks import work_on_plan
from apps.changesets.tracking import tracked_by_label

# A scope of more rows stays with the stored plan, and out of the token.
MOST_IN_TOKEN = 200


def revert_page(model_admin: admin.ModelAdmin, request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Show the plan, which changes nothing, have it made and stored, or revert and lead to the new changeset.

    Without `pk` it is about several changesets: `ids` or `since` in the address name them.
    """
    act = RevertAct(model_admin, request, pk)
    if (refused := turned_away(request, ASKS, may=act.may())) is not None:
        return refused
    if (made := act.make()) is not None:
        return made
    if "ticked" in request.GET or "since" in request.GET:
        try:
            return HttpResponseRedirect(act.address())
        except ChangesetError:
            pass  # The page says what is wrong with it.
    forced = request.GET.get("on_conflict") == OnConflict.FORCE
    return (proof_first(request) if forced else None) or answer(act)


class RevertAct(PlannedAct[ShownPlan]):
    """Reverting one changeset, or several at once."""

    name = "revert"
    template = "admin/acts/revert.html"

    def __init__(self, model_admin: admin.ModelAdmin, request: HttpRequest, pk: int | None) -> None:
        super().__init__(model_admin, request)
        self.pk, self.sees = pk, eyes_of(request.user)
        # Buttons and forms that ask for a plan, unlike the one that confirms it, post this; actions of the list have it
        # in the address that they lead to.
        self.asks_for_plan = request.method == "POST" and ("show" in request.POST or "show" in request.GET)
        self.asked = request.GET.copy()
        if self.asks_for_plan:
            self.asked.update(request.POST)

    @cached_property
    def chosen(self) -> list[Changeset]:
        """The changesets of the page, newest first; raises UnknownChangeset, and where there are none or too many."""
        return chosen_changesets(self.asked, self.pk)

    @cached_property
    def query(self) -> PlanQuery:
        """Which plan is asked for; raises EmptyScope."""
        query = read_plan_query(self.asked, self.chosen, actor=self.actor, many=self.pk is None)
        return narrowed(query, self.asked, self.chosen, actor=self.actor, stores=self.asks_for_plan)

    def may(self) -> bool:
        return self.request.user.has_perm(links.REVERT) and self.model_admin.has_view_permission(self.request)

    def subject(self) -> list[int]:
        return sorted(changeset.pk for changeset in self.chosen)

    def is_confirmed(self) -> bool:
        return super().is_confirmed() and not self.asks_for_plan

    def plan(self) -> ShownPlan:
        scope, policy = self.query.scope, self.query.on_conflict
        try:
            plan = shown_revert(self.chosen, scope=scope, on_conflict=policy, actor=self.actor)
        except NotPlanned as unmade:
            refuse_under_way(unmade.plan)
            raise
        refuse_under_way(plan.stored)
        return plan

    def make(self) -> HttpResponse | None:
        """Have the plan made and stored that is asked for, and lead to its page; None where that says why not."""
        if not self.asks_for_plan:
            return None
        try:
            scope, policy, address = self.query.scope, self.query.on_conflict, self.address()
            if is_large(self.chosen, scope):
                plan = asked_of(self.chosen, scope=scope, on_conflict=policy, actor=self.actor)
                leave_planning(plan, address=address, enqueue=work_on_plan.enqueue)
            else:
                planned_revert(self.chosen, scope=scope, on_conflict=policy, actor=self.actor, address=address)
        except Busy:
            raise
        except ChangesetError:
            return None
        return HttpResponseRedirect(address)

    def address(self) -> str:
        """Return the address that shows the plan."""
        return (self.request.path + self.query.address()).removesuffix("?")

    def needs(self, plan: ShownPlan) -> set[Need]:
        models = plan.head.models
        return needs_of(models) | {(tracked_by_label(label).model, "view") for label in models}

    def state(self, plan: ShownPlan) -> dict[str, Any]:
        """Return scope, policy and newest history rows, so that what was shown is what is applied."""
        scope, policy = plan.head.scope, str(plan.head.on_conflict)
        large = plan.stored.pk and len(scope.pks) + len(scope.leave) > MOST_IN_TOKEN
        part = {"plan": plan.stored.pk} if large else {"scope": [scope.models, scope.pks, scope.fields, scope.leave]}
        return {**part, "policy": policy, "seen": plan.seen}

    def apply(self, *, reason: str, seen: Any) -> Outcome:
        scope, policy = self._confirmed(seen)
        if is_large(self.chosen, scope):
            return self._revert_apart(scope, policy, reason=reason, seen=seen["seen"])
        return reverted(self.request, self.chosen, scope, reason=reason, on_conflict=policy, seen=seen["seen"])

    def _confirmed(self, seen: Any) -> tuple[Scope, OnConflict]:
        """Return the scope and the policy of the plan that was shown."""
        if "plan" in seen:
            scope = scope_numbered(seen["plan"], self.chosen, actor=self.actor)
        else:
            models, pks, fields, leave = map(tuple, seen["scope"])
            scope = Scope(models=models, pks=pks, fields=fields, leave=leave)
        return scope, OnConflict(seen["policy"])

    def _revert_apart(self, scope: Scope, policy: OnConflict, *, reason: str, seen: Any) -> Outcome:
        """Leave the revert to a worker, and lead to the page that shows how far it is."""
        plan = asked_of(self.chosen, scope=scope, on_conflict=policy, actor=self.actor)
        enqueue = work_on_plan.enqueue
        left = leave_revert(plan, address=self.address(), enqueue=enqueue, reason=reason, confirmed=seen)
        return Outcome(links.plan_work_url(left.pk), is_left=True)

    def size(self, plan: ShownPlan) -> int:
        return plan.head.writes

    def plan_to_confirm(self, seen: Any) -> ShownPlan:
        scope, policy = self._confirmed(seen)
        return shown_revert(self.chosen, scope=scope, on_conflict=policy, actor=self.actor)

    def same(self, plan: ShownPlan) -> list[Any]:
        return same_revert(plan.stored)

    def way(self, plan: ShownPlan) -> dict[str, Any]:
        scope, stored = plan.head.scope, None
        if len(scope.pks) + len(scope.leave) > MOST_IN_ADDRESS:
            stored = ask(plan.stored).pk
        query = replace(self.query, scope=scope, on_conflict=plan.head.on_conflict, stored=stored)
        return {
            "title": _empty_page(self.chosen).title,
            "permission": links.REVERT,
            "model": "",
            "address": (self.request.path + query.address()).removesuffix("?"),
            "posted": {"show": ["plan"]},
            "stored_plan": stored,
        }

    def page(self, plan: ShownPlan) -> Page:
        head, query, single = plan.head, self.query, _single(self.chosen)
        stopped = bool(head.on_conflict == OnConflict.ABORT and head.left_alone)
        possible = bool(head.writes and not stopped)
        undoes = single is not None and single.kind == Kind.REVERT
        heading = f"{'Undoing' if undoes else 'Reverting'} {f'#{single.pk}' if single else 'them'} will mean"
        context = {
            "plan": head,
            "changeset": single,
            "changesets": [(changeset, person(changeset)) for changeset in self.chosen],
            "query": query,
            "whole_url": query.address(scope=Scope()),
            "keep_url": query.address(on_conflict=OnConflict.KEEP),
            "force_url": query.address(on_conflict=OnConflict.FORCE),
            "again_url": self.address() if plan.is_stale else "",
            "ended": plan.stored.error,
            "scope_words": scope_words(query.scope, sees=self.sees),
            "stopped": stopped,
            **self._rows(plan),
            **choices_of(query, self.chosen),
        }
        page = replace(
            _empty_page(self.chosen),
            heading=heading if head.counts else "",
            lines=lines_of(head, redo=undoes),
            context=context,
        )
        verb = f"{'Undo the revert of' if undoes else 'Revert'} {objects_words(head)}"
        return replace(page, verb=verb, back="Back") if possible else page

    def without_plan(self, refusal: Exception) -> HttpResponse | Page:
        if isinstance(refusal, PlanUnderWay):
            return HttpResponseRedirect(links.plan_work_url(refusal.plan.pk))
        page = _empty_page(self.__dict__.get("chosen", []))
        if not isinstance(refusal, NotPermitted | NotPlanned) or "query" not in vars(self):
            return page
        # A part may be what the person may revert, or means.
        context = {"query": self.query, **choices_of(self.query, self.chosen)}
        if isinstance(refusal, NotPlanned):
            part = scope_words(self.query.scope, sees=self.sees)
            number = size_of(self.chosen, self.query.scope)
            context |= {"refusal": "", "unplanned": number, "scope_words": part, "again_url": self.address()}
        return replace(page, context=context)

    def _rows(self, plan: ShownPlan) -> dict[str, Any]:
        """Return the rows of the window, with the ways to the others."""
        rows_query = read_rows_query(self.request.GET, self.query.parameters())
        context = rows_context(plan.stored, rows_query, CHIPS, self.sees)
        stored: list[PlanRow] = context["rows"]
        changes = shown_changes(context, self.sees)
        verdicts = explain([as_planned(row) for row in stored], chosen=set(plan.head.changesets))
        signs = {str(bucket): sign for bucket, sign, _many, _one in BUCKETS}
        shown = rows_of(verdicts, self.sees)
        if len(shown) == len(stored):
            shown = [
                replace(row, sign=signs[of.bucket], changes=changes[of.pk])
                for row, of in zip(shown, stored, strict=True)
            ]
        return {**context, "rows": shown, "rest": self.query.parameters()}


def _single(chosen: list[Changeset]) -> Changeset | None:
    return chosen[0] if len(chosen) == 1 else None


def _empty_page(chosen: list[Changeset]) -> Page:
    """Return the page without a plan: title, crumbs and the way back."""
    single = _single(chosen)
    verb = "Undo" if single and single.kind == Kind.REVERT else "Revert"
    several = f"Revert {len(chosen)} changesets" if chosen else "Revert"
    own = [Crumb(str(single), links.changeset_url(single.pk))] if single else []
    return Page(
        title=f"{verb} {single}" if single else several,
        crumbs=[Crumb("Changesets", links.changesets_url()), *own, Crumb(verb)],
        verb="",
        danger=True,
        back_url=links.changeset_url(single.pk) if single else links.changesets_url(),
        back=f"Back to {single or 'the changesets'}",
    )
