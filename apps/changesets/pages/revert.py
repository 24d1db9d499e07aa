"""The page of a revert: the plan to read, the reason to give, and the doing of it."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse

from apps.changesets.errors import ChangesetError
from apps.changesets.models import Changeset, Kind
from apps.changesets.pages import links
from apps.changesets.pages.forms import RevertForm
from apps.changesets.revert import Bucket, RevertPlan, Scope, Verdict, plan_revert
from apps.changesets.revert.run import revert
from apps.changesets.revert.verdicts import OnConflict
from apps.changesets.tracking import tracked_by_name

# The order of the page: what is written, then what is left alone. Sign and colour as everywhere.
BUCKETS = (
    (Bucket.RESTORED, "changed", "get their old values back", "gets its old values back"),
    (Bucket.DELETED, "deleted", "that it added are deleted", "that it added is deleted"),
    (Bucket.RECREATED, "created", "that it deleted come back", "that it deleted comes back"),
    (Bucket.KEPT, "kept", "are kept as they are: changed since", "is kept as it is: changed since"),
    (Bucket.BLOCKED, "blocked", "are blocked", "is blocked"),
    (Bucket.ALREADY, "already", "are as they were already", "is as it was already"),
)
DONE = {
    Bucket.RESTORED: "{:,} restored",
    Bucket.DELETED: "{:,} deleted",
    Bucket.RECREATED: "{:,} brought back",
    Bucket.KEPT: "{:,} kept",
    Bucket.BLOCKED: "{:,} blocked",
}


@dataclass(frozen=True)
class PlannedBucket:
    """One bucket of the plan: how many objects, what becomes of them, and the first of them with their addresses."""

    name: str
    operation: str
    number: int
    sentence: str
    rows: list[tuple[Verdict, str]]


def revert_page(model_admin: admin.ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """GET shows the plan and changes nothing; POST with a reason reverts, and lands on the new changeset."""
    if not (request.user.has_perm(links.REVERT) and model_admin.has_view_permission(request)):
        raise PermissionDenied
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    changeset = Changeset.objects.filter(pk=pk).first()
    if changeset is None:
        raise Http404(f"There is no changeset #{pk}.")
    scope = _scope(request)
    form = RevertForm(request.POST) if request.method == "POST" else RevertForm(initial=_asked(request))
    try:
        if form.is_bound and form.is_valid():
            return _do(request, changeset, scope, form)
        plan = plan_revert([changeset], scope=scope, on_conflict=_policy(form))
    except ChangesetError as error:
        return _render(model_admin, request, changeset, {"refusal": str(error)})
    return _render(model_admin, request, changeset, _plan_context(plan, form))


def _do(request: HttpRequest, changeset: Changeset, scope: Scope, form: RevertForm) -> HttpResponse:
    """Revert exactly what was shown; raises PlanMoved when that is no longer what would happen."""
    policy = OnConflict(form.cleaned_data["on_conflict"] or OnConflict.KEEP)
    seen = RevertPlan((changeset.pk,), scope, policy, counts=_seen_counts(request))
    made = revert(seen, actor=request.user, reason=form.cleaned_data["reason"])
    if made is None:
        messages.info(request, f"Everything in {changeset} is as it was already: nothing was changed.")
        return HttpResponseRedirect(links.changeset_url(changeset.pk))
    counts = made.summary["revert"]
    parts = ", ".join(text.format(counts[bucket]) for bucket, text in DONE.items() if counts.get(bucket))
    whole = scope.is_everything and not (counts.get(Bucket.KEPT) or counts.get(Bucket.BLOCKED))
    sentence = f"{changeset} is {'' if whole else 'partly '}reverted: {parts}."
    messages.success(request, links.outcome_message(request.user, made, sentence, undo="Undo this revert…"))
    return HttpResponseRedirect(links.changeset_url(made.pk))


def _plan_context(plan: RevertPlan, form: RevertForm) -> dict[str, Any]:
    urls: dict[tuple[str, str], str] = {}
    for label in {verdict.model for verdict in plan.verdicts}:
        found = links.urls_of(label, [verdict.pk for verdict in plan.verdicts if verdict.model == label])
        urls |= {(label, pk): url for pk, url in found.items()}
    buckets = [
        PlannedBucket(
            name=bucket.value,
            operation=operation,
            number=plan.number(bucket),
            sentence=one if plan.number(bucket) == 1 else many,
            rows=[(v, urls.get((v.model, v.pk), "")) for v in plan.verdicts if v.bucket == bucket],
        )
        for bucket, operation, many, one in BUCKETS
        if plan.number(bucket)
    ]
    seen = ",".join(f"{bucket}:{number}" for bucket, number in sorted(plan.counts.items()))
    forced = plan.on_conflict == OnConflict.FORCE
    return {"plan": plan, "buckets": buckets, "form": form, "seen": seen, "forced": forced}


def _render(
    model_admin: admin.ModelAdmin, request: HttpRequest, changeset: Changeset, context: dict[str, Any]
) -> HttpResponse:
    asked = request.POST if request.method == "POST" else request.GET
    tracked = tracked_by_name(asked.get("model", ""))
    scope_model, scope_pk = (tracked.label, asked.get("pk", "")) if tracked else ("", "")
    verb = "Undo" if changeset.kind == Kind.REVERT else "Revert"
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"{verb} {changeset}",
        "opts": model_admin.opts,
        "changeset": changeset,
        "scope_model": scope_model,
        "scope_pk": scope_pk,
        "scope_name": links.name_of(scope_model, scope_pk) if scope_pk else "",
        **context,
    }
    return TemplateResponse(request, "admin/changesets/changeset/revert.html", context)


def _scope(request: HttpRequest) -> Scope:
    """One object, where the address or the form names one; everything otherwise."""
    asked = request.POST if request.method == "POST" else request.GET
    tracked = tracked_by_name(asked.get("model", ""))
    if tracked is None:
        return Scope()
    return Scope(models=(tracked.label,), pks=(asked["pk"],) if asked.get("pk") else ())


def _asked(request: HttpRequest) -> dict[str, str]:
    force = request.GET.get("on_conflict") == OnConflict.FORCE
    return {"on_conflict": (OnConflict.FORCE if force else OnConflict.KEEP).value}


def _policy(form: RevertForm) -> str:
    value = form["on_conflict"].value()
    return OnConflict.FORCE if value == OnConflict.FORCE else OnConflict.KEEP


def _seen_counts(request: HttpRequest) -> dict[str, int]:
    """The numbers of the plan that the person saw."""
    pairs = (part.partition(":") for part in request.POST.get("seen", "").split(",") if part)
    return {bucket: int(number) for bucket, _, number in pairs if number.isdecimal()}
