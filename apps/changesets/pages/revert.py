"""The page of a revert: its plan, the choice of scope and policy, the reason, and the outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import urlencode

from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.frame import answer
from apps.changesets.acts.lines import Line
from apps.changesets.acts.methods import ASKS, proof_first, turned_away
from apps.changesets.acts.planned import Crumb, Message, Outcome, Page, PlannedAct
from apps.changesets.errors import ChangesetError, NotPermitted, PlanUnderWay, UnknownChangeset
from apps.changesets.history.words import person
from apps.changesets.models import Changeset, Kind, StoredPlan, StoredRow
from apps.changesets.pages import links
from apps.changesets.pages.plan_query import MANY, PlanQuery, choices_of, read_plan_query
from apps.changesets.pages.plan_rows import rows_of
from apps.changesets.pages.stored_rows import RowBucket, read_rows_query, rows_context, shown_changes
from apps.changesets.plans.rows import PARTLY
from apps.changesets.revert import Bucket, OnConflict, RevertPlan, Scope, carry_out, changesets_since
from apps.changesets.revert.apart import is_large, leave_planning, leave_revert, refuse_under_way
from apps.changesets.revert.listing import explain
from apps.changesets.revert.plan import refuse_unless_all_revertable
from apps.changesets.revert.reasons import MOVED_WORDS
from apps.changesets.revert.rows import as_planned
from apps.changesets.revert.stored import ShownPlan, asked_of, planned_revert, scope_numbered
from apps.changesets.revert.wording import counts_words, objects_words, scope_words, whole_numbers
from apps.changesets.rights import Need, eyes_of, needs_of, within_rights
from apps.changesets.tasks import work_on_plan
from apps.changesets.text import plural, whole_number
from apps.changesets.tracking import tracked_by_label

# The order of the page: what is written, then what is left alone. Sign and colour as everywhere.
BUCKETS = (
    (Bucket.RESTORED, "changed", "objects get their old values back", "object gets its old values back"),
    (
        PARTLY,
        "changed",
        "objects go back except for values changed since",
        "object goes back except for values changed since",
    ),
    (Bucket.DELETED, "deleted", "objects that it added are deleted", "object that it added is deleted"),
    (Bucket.RECREATED, "created", "objects that it deleted come back", "object that it deleted comes back"),
    (Bucket.KEPT, "kept", "objects are kept as they are: changed since", "object is kept as it is: changed since"),
    (Bucket.BLOCKED, "blocked", "objects are blocked", "object is blocked"),
    (Bucket.ALREADY, "already", "objects are as they were already", "object is as it was already"),
)
CHIPS = [RowBucket(str(bucket), sign, str(bucket)) for bucket, sign, _many, _one in BUCKETS]
# A scope of more rows stays with the stored plan, and out of the token.
MOST_IN_TOKEN = 200
NAMED = 5


def revert_page(model_admin: admin.ModelAdmin, request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Show the plan, which changes nothing, or revert and lead to the new changeset.

    Without `pk` it is about several changesets: `ids` or `since` in the address name them.
    """
    act = RevertAct(model_admin, request, pk)
    if (refused := turned_away(request, ASKS, may=act.may())) is not None:
        return refused
    if "ticked" in request.GET or "since" in request.GET:
        try:
            return HttpResponseRedirect(request.path + act.query.address())
        except ChangesetError:
            pass  # The page says what is wrong with it.
    forced = request.GET.get("on_conflict") == OnConflict.FORCE
    return (proof_first(request) if forced else None) or answer(act)


def reverted(
    request: HttpRequest,
    chosen: Sequence[Changeset],
    scope: Scope,
    *,
    reason: str,
    on_conflict: OnConflict = OnConflict.KEEP,
    seen: Mapping[str, int] | None = None,
) -> Outcome:
    """Revert this part of the changesets; return the outcome, which leads to the new changeset."""
    with within_rights(actor_of(request)):
        made, done = carry_out(
            [changeset.pk for changeset in chosen],
            scope=scope,
            on_conflict=on_conflict,
            actor=actor_of(request),
            reason=reason,
            seen=seen,
        )
    moved = [f"{verdict.label} ({verdict.by})" for verdict in done.verdicts if verdict.why == MOVED_WORDS]
    named = ", ".join(moved[:NAMED]) + (" and others" if len(moved) > NAMED else "")
    warned = (
        (Message(f"Changed after the plan was shown, and left alone: {named}.", messages.WARNING),) if moved else ()
    )
    name = str(chosen[0]) if len(chosen) == 1 else f"{len(chosen)} changesets"
    part = "" if scope.is_everything and not done.left_alone else "partly "
    sentence = f"{name} {plural(len(chosen), 'is', 'are')} {part}reverted: {counts_words(done.counts)}."
    if made is None:
        sentence = f"Nothing was changed: the rest of {name} is already as it was before, or was kept."
    back = links.changeset_url(chosen[0].pk), f"Back to {chosen[0]}"
    outcome = links.lead_to(request.user, made, sentence, back=back, undo="Undo this revert…")
    return replace(outcome, messages=(*warned, *outcome.messages))


class RevertAct(PlannedAct[ShownPlan]):
    """Reverting one changeset, or several at once."""

    name = "revert"
    template = "admin/acts/revert.html"

    def __init__(self, model_admin: admin.ModelAdmin, request: HttpRequest, pk: int | None) -> None:
        super().__init__(model_admin, request)
        self.pk, self.sees = pk, eyes_of(request.user)

    @cached_property
    def chosen(self) -> list[Changeset]:
        """The changesets of the page, newest first; raises UnknownChangeset, and where there are none or too many."""
        chosen = _chosen(self.request, self.pk)
        if not chosen or len(chosen) > MANY:
            raise ChangesetError(_wrong_number(len(chosen)))
        return chosen

    @cached_property
    def query(self) -> PlanQuery:
        """The query of the address; raises EmptyScope."""
        return read_plan_query(self.request, self.chosen, many=self.pk is None)

    def may(self) -> bool:
        return self.request.user.has_perm(links.REVERT) and self.model_admin.has_view_permission(self.request)

    def subject(self) -> list[int]:
        return sorted(changeset.pk for changeset in self.chosen)

    def plan(self) -> ShownPlan:
        query = self.query
        leave = self._leave if is_large(self.chosen, query.scope) else None
        plan = planned_revert(
            self.chosen, scope=query.scope, on_conflict=query.on_conflict, actor=self.actor, leave=leave
        )
        refuse_under_way(plan.stored)
        return plan

    def _address(self) -> str:
        return (self.request.path + self.query.address()).removesuffix("?")

    def _leave(self, plan: StoredPlan) -> bool:
        address = self._address()
        again = "again" in self.request.GET
        return leave_planning(plan, address=address, enqueue=work_on_plan.enqueue, again=again)

    def needs(self, plan: ShownPlan) -> set[Need]:
        models = plan.head.models
        return needs_of(models) | {(tracked_by_label(label).model, "view") for label in models}

    def state(self, plan: ShownPlan) -> dict[str, Any]:
        """Return scope, policy and newest history rows, so that what was shown is what is applied."""
        scope, policy = plan.head.scope, str(plan.head.on_conflict)
        large = len(scope.pks) + len(scope.leave) > MOST_IN_TOKEN
        part = {"plan": plan.stored.pk} if large else {"scope": [scope.models, scope.pks, scope.fields, scope.leave]}
        return {**part, "policy": policy, "seen": plan.seen}

    def apply(self, *, reason: str, seen: Any) -> Outcome:
        if "plan" in seen:
            scope = scope_numbered(seen["plan"], self.chosen, actor=self.actor)
        else:
            models, pks, fields, leave = map(tuple, seen["scope"])
            scope = Scope(models=models, pks=pks, fields=fields, leave=leave)
        policy = OnConflict(seen["policy"])
        if is_large(self.chosen, scope):
            return self._revert_apart(scope, policy, reason=reason, seen=seen["seen"])
        return reverted(self.request, self.chosen, scope, reason=reason, on_conflict=policy, seen=seen["seen"])

    def _revert_apart(self, scope: Scope, policy: OnConflict, *, reason: str, seen: Any) -> Outcome:
        """Leave the revert to a worker, and lead to the page that shows how far it is."""
        plan = asked_of(self.chosen, scope=scope, on_conflict=policy, actor=self.actor)
        refuse_unless_all_revertable(self.chosen)
        address = self._address()
        left = leave_revert(plan, address=address, enqueue=work_on_plan.enqueue, reason=reason, confirmed=seen)
        return Outcome(links.plan_work_url(left.pk))

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
            "was_stale": plan.was_stale,
            "again_url": "?" + urlencode([*query.parameters(), ("again", "1")]) if plan.is_stale else "",
            "ended": plan.stored.error,
            "scope_words": scope_words(query.scope, sees=self.sees),
            "stopped": stopped,
            **self._rows(plan),
            **choices_of(query, self.chosen),
        }
        page = replace(
            _empty_page(self.chosen),
            heading=heading if head.counts else "",
            lines=_lines(head, redo=undoes),
            context=context,
        )
        verb = f"{'Undo the revert of' if undoes else 'Revert'} {objects_words(head)}"
        return replace(page, verb=verb, back="Back") if possible else page

    def without_plan(self, refusal: Exception) -> HttpResponse | Page:
        if isinstance(refusal, PlanUnderWay):
            return HttpResponseRedirect(links.plan_work_url(refusal.plan.pk))
        page = _empty_page(self.__dict__.get("chosen", []))
        if not isinstance(refusal, NotPermitted):
            return page
        # A part may be what the person may revert.
        return replace(page, context={"query": self.query, **choices_of(self.query, self.chosen)})

    def _rows(self, plan: ShownPlan) -> dict[str, Any]:
        """Return the rows of the window, with the ways to the others."""
        rows_query = read_rows_query(self.request.GET, self.query.parameters())
        context = rows_context(plan.stored, rows_query, CHIPS, self.sees)
        stored: list[StoredRow] = context["rows"]
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


def _chosen(request: HttpRequest, pk: int | None) -> list[Changeset]:
    if pk is not None:
        return _found([pk])
    since = whole_number(request.GET.get("since", ""))
    if since is not None:
        return changesets_since(_found([since])[0].created_at)
    # A number that no changeset can have is told as such, if it can be read out at all.
    numbers = [whole_number(text, digits=40) for text in request.GET.get("ids", "").split(",")]
    return _found([number for number in numbers if number is not None])


def _found(pks: Sequence[int]) -> list[Changeset]:
    wanted = [pk for pk in dict.fromkeys(pks) if pk < 2**63]
    changesets = list(Changeset.objects.select_related("actor").filter(pk__in=wanted[: MANY + 1]).order_by("-pk"))
    for missing in {*pks[: MANY + 1]} - {changeset.pk for changeset in changesets}:
        raise UnknownChangeset(f"There is no changeset #{missing}: the list shows those that there are.")
    return changesets


def _wrong_number(number: int) -> str:
    if not number:
        return "No changeset is chosen: tick those to revert in the list of changesets."
    return f"At most {MANY} changesets can be reverted at once: begin with the newest ones."


def _lines(plan: RevertPlan, *, redo: bool) -> list[Line]:
    numbers = whole_numbers(plan.counts, plan.partly)
    return [
        Line(operation, numbers[bucket], _sentence(plan, plural(numbers[bucket], one, many), redo=redo))
        for bucket, operation, many, one in BUCKETS
        if numbers.get(bucket)
    ]


def _sentence(plan: RevertPlan, words: str, *, redo: bool) -> str:
    words = words.replace("old values", "newer values") if redo else words
    return words.replace("that it", "that they") if len(plan.changesets) > 1 else words
