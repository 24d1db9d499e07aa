"""The page of a revert: the plan to read, its scope and policy to choose, the reason to give, and the doing of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse

from apps.changesets.errors import BadToken, ChangesetError, UnknownChangeset
from apps.changesets.history.counts import counts_of_many
from apps.changesets.history.words import person
from apps.changesets.models import Changeset, Kind
from apps.changesets.numbers import plural, whole_number
from apps.changesets.pages import links
from apps.changesets.pages.forms import RevertForm
from apps.changesets.pages.plan_query import A_PAGE, MANY, AskedPlan, read_asked, read_signed, sign
from apps.changesets.pages.plan_rows import rows_of
from apps.changesets.revert import (
    Bucket,
    OnConflict,
    RevertPlan,
    Scope,
    Window,
    carry_out,
    changesets_since,
    newest_seen,
    plan_revert,
)
from apps.changesets.revert.reasons import MOVED_WORDS
from apps.changesets.revert.wording import counts_words, scope_words
from apps.changesets.tracking import tracked_models

# The order of the page: what is written, then what is left alone. Sign and colour as everywhere.
BUCKETS = (
    (Bucket.RESTORED, "changed", "get their old values back", "gets its old values back"),
    (Bucket.DELETED, "deleted", "that it added are deleted", "that it added is deleted"),
    (Bucket.RECREATED, "created", "that it deleted come back", "that it deleted comes back"),
    (Bucket.KEPT, "kept", "are kept as they are: changed since", "is kept as it is: changed since"),
    (Bucket.BLOCKED, "blocked", "are blocked", "is blocked"),
    (Bucket.ALREADY, "already", "are as they were already", "is as it was already"),
)
# What a person must know of is shown first.
FIRST = (Bucket.BLOCKED, Bucket.KEPT, Bucket.RESTORED, Bucket.DELETED, Bucket.RECREATED, Bucket.ALREADY)
POLICIES = (
    (OnConflict.KEEP, "Keep what others changed since.", "Their values stay; the rest goes back."),
    (OnConflict.FORCE, "Overwrite what others changed since.", "Their values stay in history only."),
    (OnConflict.ABORT, "All or nothing.", "If anything would be kept or blocked, nothing is reverted."),
)


@dataclass(frozen=True)
class PlannedBucket:
    """One bucket of the plan: how many objects, what becomes of them, and the address of its rows."""

    name: str
    operation: str
    number: int
    sentence: str
    url: str
    chosen: bool


def revert_page(model_admin: admin.ModelAdmin, request: HttpRequest, pk: int | None) -> HttpResponse:
    """GET shows the plan and changes nothing; POST with a reason reverts, and lands on the new changeset.

    Without `pk` it is about several changesets: `ids` or `since` in the address name them.
    """
    if not (request.user.has_perm(links.REVERT) and model_admin.has_view_permission(request)):
        raise PermissionDenied
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    chosen: list[Changeset] = []
    status = 200
    form = RevertForm(request.POST) if request.method == "POST" else RevertForm()
    try:
        chosen = _chosen(request, pk)
        if not chosen or len(chosen) > MANY:
            raise ChangesetError(_wrong_number(len(chosen)))
        asked = read_asked(request, tuple(changeset.pk for changeset in chosen), many=pk is None)
        if "ticked" in request.GET or "since" in request.GET:
            return HttpResponseRedirect(request.path + asked.query())
        if form.is_bound and form.is_valid():
            try:
                return _do(request, chosen, asked, form.cleaned_data["reason"])
            except BadToken as error:
                form.add_error(None, str(error))
        context = _plan_context(request, asked, chosen, form)
    except ChangesetError as error:
        context, status = {"refusal": str(error)}, 404 if isinstance(error, UnknownChangeset) else 200
    return _render(model_admin, request, chosen, context, status)


def _chosen(request: HttpRequest, pk: int | None) -> list[Changeset]:
    """The changesets of the page, newest first; raises UnknownChangeset."""
    if pk is not None:
        return _found([pk])
    since = whole_number(request.GET.get("since", ""))
    if since is not None:
        return changesets_since(_found([since])[0].created_at)
    # A number that no changeset can have is told as such, if it can be read out at all.
    asked = [whole_number(text, digits=40) for text in request.GET.get("ids", "").split(",")]
    return _found([number for number in asked if number is not None])


def _found(pks: Sequence[int]) -> list[Changeset]:
    wanted = [pk for pk in dict.fromkeys(pks) if pk < 2**63]
    found = list(Changeset.objects.select_related("actor").filter(pk__in=wanted[: MANY + 1]).order_by("-pk"))
    for missing in {*pks[: MANY + 1]} - {changeset.pk for changeset in found}:
        raise UnknownChangeset(f"There is no changeset #{missing}: the list shows those that there are.")
    return found


def _wrong_number(number: int) -> str:
    if not number:
        return "No changeset is chosen: tick those to revert in the list of changesets."
    return f"At most {MANY} changesets can be reverted at once: begin with the newest ones."


def _do(request: HttpRequest, chosen: list[Changeset], asked: AskedPlan, reason: str) -> HttpResponse:
    """Revert what was shown, but for rows that somebody changed after it was; raises BadToken for any other plan."""
    token = request.POST.get("plan", "")
    shown, seen = read_signed(token, user_id=request.user.pk, changesets=asked.changesets)
    return revert_and_tell(request, chosen, shown.scope, reason=reason, on_conflict=shown.on_conflict, seen=seen)


def revert_and_tell(
    request: HttpRequest,
    chosen: Sequence[Changeset],
    scope: Scope,
    *,
    reason: str,
    on_conflict: OnConflict = OnConflict.KEEP,
    seen: Mapping[str, int] | None = None,
) -> HttpResponse:
    """Revert this part of the changesets, say what became of it, and lead to the new changeset."""
    made, done = carry_out(
        [changeset.pk for changeset in chosen],
        scope=scope,
        on_conflict=on_conflict,
        actor=request.user,
        reason=reason,
        seen=seen,
    )
    moved = [f"{verdict.label} ({verdict.by})" for verdict in done.verdicts if verdict.why == MOVED_WORDS]
    if moved:
        named = ", ".join(moved[:5]) + (" and others" if len(moved) > 5 else "")
        messages.warning(request, f"Changed after the plan was shown, and left alone: {named}.")
    name = str(chosen[0]) if len(chosen) == 1 else f"{len(chosen)} changesets"
    if made is None:
        messages.info(request, f"Nothing was changed: what is left of {name} is as it was already, or was left alone.")
        return HttpResponseRedirect(links.changeset_url(chosen[0].pk))
    part = "" if scope.is_everything and not done.left_alone else "partly "
    sentence = f"{name} {plural(len(chosen), 'is', 'are')} {part}reverted: {counts_words(done.counts)}."
    messages.success(request, links.outcome_message(request.user, made, sentence, undo="Undo this revert…"))
    return HttpResponseRedirect(links.changeset_url(made.pk))


def _plan_context(request: HttpRequest, asked: AskedPlan, chosen: list[Changeset], form: RevertForm) -> dict[str, Any]:
    # Read before the plan is made: what is written meanwhile counts as moved, never as seen.
    seen = newest_seen()
    plan = plan_revert(asked.changesets, scope=asked.scope, on_conflict=asked.on_conflict, window=asked.window)
    there = [bucket for bucket in FIRST if plan.number(bucket)] or [Bucket.RESTORED]
    bucket = asked.window.bucket if asked.window.bucket in there else there[0]
    rows = [verdict for verdict in plan.verdicts if verdict.bucket == bucket]
    start, number = asked.window.start, plan.number(bucket)
    if not rows and number:
        # Asked for nothing, or for what is not there: then the bucket's first rows, which were not listed.
        start, rows = 0, list(_listed(asked, bucket).verdicts)
    return {
        "plan": plan,
        "form": form,
        "token": sign(plan, user_id=request.user.pk, seen=seen),
        "asked": asked,
        "buckets": _buckets(plan, asked, bucket),
        "bucket": bucket,
        "rows": rows_of(rows),
        "row_number": number,
        "first": start + 1,
        "last": start + len(rows),
        "before_url": asked.query(window=Window(bucket, max(0, start - A_PAGE))) if start else "",
        "after_url": asked.query(window=Window(bucket, start + A_PAGE)) if start + len(rows) < number else "",
        "whole_url": asked.query(scope=Scope(), window=Window()),
        "keep_url": asked.query(on_conflict=OnConflict.KEEP, window=Window()),
        "force_url": asked.query(on_conflict=OnConflict.FORCE, window=Window()),
        "scope_words": scope_words(asked.scope),
        "stopped": plan.on_conflict == OnConflict.ABORT and plan.left_alone,
        **_choices(asked, chosen),
    }


def _listed(asked: AskedPlan, bucket: Bucket) -> RevertPlan:
    window = Window(bucket)
    return plan_revert(asked.changesets, scope=asked.scope, on_conflict=asked.on_conflict, window=window)


def _buckets(plan: RevertPlan, asked: AskedPlan, chosen: Bucket) -> list[PlannedBucket]:
    return [
        PlannedBucket(
            name=bucket.value,
            operation=operation,
            number=plan.number(bucket),
            sentence=_sentence(plan, plural(plan.number(bucket), one, many)),
            url=asked.query(window=Window(bucket)),
            chosen=bucket == chosen,
        )
        for bucket, operation, many, one in BUCKETS
        if plan.number(bucket)
    ]


def _sentence(plan: RevertPlan, words: str) -> str:
    return words.replace("that it", "that they") if len(plan.changesets) > 1 else words


def _choices(asked: AskedPlan, chosen: list[Changeset]) -> dict[str, Any]:
    """The models, fields and policies that the form of the scope offers."""
    counts = counts_of_many(chosen)
    touched = [tracked for tracked in tracked_models() if any(tracked.label in counts[one.pk] for one in chosen)]
    changed: set[str] | None = set()
    for one in chosen:
        if one.field_counts is None or changed is None:
            changed = None
        else:
            changed |= {name for of_model in one.field_counts.values() for name in of_model}
    fields: dict[str, str] = {}
    for tracked in touched:
        for field in tracked.model._meta.concrete_fields:
            if (field.editable and changed is None) or (changed and field.name in changed):
                fields.setdefault(field.name, str(field.verbose_name))
    return {
        "model_choices": [
            (tracked.label, str(tracked.model._meta.verbose_name_plural), tracked.label in asked.scope.models)
            for tracked in touched
        ],
        "field_choices": [(name, label, name in asked.scope.fields) for name, label in fields.items()],
        "policy_choices": [(str(p), label, help_text, p == asked.on_conflict) for p, label, help_text in POLICIES],
    }


def _render(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    chosen: list[Changeset],
    context: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    one = chosen[0] if len(chosen) == 1 else None
    verb = "Undo" if one and one.kind == Kind.REVERT else "Revert"
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"{verb} {one}" if one else f"Revert {len(chosen)} changesets" if chosen else "Revert",
        "opts": model_admin.opts,
        "changeset": one,
        "changesets": [(each, person(each)) for each in chosen],
        "back_url": links.changeset_url(one.pk) if one else links.changesets_url(),
        **context,
    }
    return TemplateResponse(request, "admin/changesets/changeset/revert.html", context, status=status)
