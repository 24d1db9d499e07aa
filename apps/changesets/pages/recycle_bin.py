"""The recycle bin: deleted objects, who deleted them and when, and bringing them back through a plan."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from django.contrib import admin
from django.core import paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from apps.changesets.acts.frame import answer
from apps.changesets.acts.lines import Line
from apps.changesets.acts.methods import READS, turned_away
from apps.changesets.acts.planned import Crumb, Outcome, Page, PlannedAct
from apps.changesets.history.diff import changes_between
from apps.changesets.history.recycle_bin import deleted_objects
from apps.changesets.pages import links
from apps.changesets.pages.stored_rows import RowBucket, plain_rows, read_rows_query, rows_context
from apps.changesets.revert.bring_back import ACT, Picked, RestorePlan, restore_deleted, shown_restore
from apps.changesets.revert.verdicts import Bucket
from apps.changesets.rights import Need, Sees, eyes_of, may
from apps.changesets.text import counted, plural, whole_number
from apps.changesets.tracking import Tracked, tracked_by_label, tracked_by_name, tracked_models

PER_PAGE = 50
MOST_PICKED = 500
COMING = (RowBucket(str(Bucket.RECREATED), "created", "comes back"),)


def bin_urls(model_admin: admin.ModelAdmin) -> list[URLPattern]:
    """Return the addresses of the recycle bin and of the plan of bringing things back."""

    def page(view: Callable) -> Callable:
        return model_admin.admin_site.admin_view(partial(view, model_admin))

    return [
        path("recycle-bin/", page(bin_page), name="changesets_recycle_bin"),
        path("recycle-bin/restore/", page(restore_page), name="changesets_recycle_bin_restore"),
    ]


def bin_page(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """The deleted objects of one model, newest first, searched and paged; reads only."""
    sees = eyes_of(request.user)
    visible = [tracked for tracked in tracked_models() if sees(tracked.model)]
    may_look = bool(visible) and model_admin.has_view_permission(request)
    if (refused := turned_away(request, READS, may=may_look)) is not None:
        return refused
    numbers = [(tracked, deleted_objects(tracked).count()) for tracked in visible]
    wanted = tracked_by_name(request.GET.get("model", ""))
    # The model asked for, or the first that has something in the bin.
    chosen = wanted if wanted in visible else next((t for t, number in reversed(numbers) if number), visible[-1])
    search = request.GET.get("q", "")[:200].replace("\x00", "")
    rows: QuerySet[Any] = deleted_objects(chosen)
    its_admin: Any = model_admin.admin_site.get_model_admin(chosen.model)
    if search.strip():
        rows, _ = its_admin.get_search_results(request, rows, search)
    pages = paginator.Paginator(rows.order_by("-history_id"), PER_PAGE)
    if not search.strip():
        pages.count = dict(numbers)[chosen]
    page = pages.get_page(request.GET.get("p"))
    page.object_list = list(page.object_list)
    remarks = its_admin.remarks_on_deleted(request, page.object_list)
    for row in page.object_list:
        row.remark = remarks.get(row.history_id, "")
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "restore_url": reverse("admin:changesets_recycle_bin_restore"),
        "title": "Recycle bin",
        "lines": [
            (tracked.label, tracked.model._meta.verbose_name_plural, number, tracked is chosen)
            for tracked, number in numbers
        ],
        "chosen": chosen,
        "meta": chosen.model._meta,
        "q": search,
        "page": page,
        "rows": _previews(chosen, page, sees),
        "may_restore": request.user.has_perm(links.REVERT) and may(request.user, "add", chosen.model),
    }
    return TemplateResponse(request, "admin/changesets/recycle_bin.html", context)


def restore_page(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show what would come back and what is blocked, or bring it back as one changeset."""
    return answer(BringBack(model_admin, request))


class BringBack(PlannedAct[RestorePlan]):
    """Bringing the ticked objects back from the recycle bin."""

    name = ACT
    template = "admin/acts/bring_back.html"

    def __init__(self, model_admin: admin.ModelAdmin, request: HttpRequest) -> None:
        super().__init__(model_admin, request)
        self.picked = _picked(request)

    def may(self) -> bool:
        return self.model_admin.has_view_permission(self.request) and self.request.user.has_perm(links.REVERT)

    def subject(self) -> list[str]:
        return self._picks()

    def plan(self) -> RestorePlan:
        plan, self.shown = shown_restore(self.picked, actor=self.actor, sees=eyes_of(self.request.user))
        return plan

    def needs(self, plan: RestorePlan) -> set[Need]:
        return {(tracked_by_label(label).model, verb) for label in self.picked for verb in ("view", "add")}

    def without_plan(self, refusal: Exception) -> Page:
        return self._page([], "")

    def state(self, plan: RestorePlan) -> Any:
        return plan.seen

    def page(self, plan: RestorePlan) -> Page:
        page = self._page(_lines(plan), f"Bring back {counted(plan.coming, 'object')}" if plan.coming else "")
        return replace(page, context=self._rows(plan))

    def _page(self, lines: list[Line], verb: str) -> Page:
        bin_url = reverse("admin:changesets_recycle_bin")
        return Page(
            title="Bring back from the recycle bin",
            crumbs=(
                Crumb("Changesets", links.changesets_url()),
                Crumb("Recycle bin", bin_url),
                Crumb("Bring back"),
            ),
            verb=verb,
            back_url=bin_url,
            back="Back" if verb else "Back to the recycle bin",
            heading="This will mean" if self.picked else "",
            lines=lines,
        )

    def apply(self, *, reason: str, seen: Any) -> Outcome:
        made = restore_deleted(self.picked, actor=self.actor, reason=reason, seen=seen)
        done = (made.summary or {})["restore"]
        blocked = f", {done['blocked']:,} blocked" if done["blocked"] else ""
        sentence = f"{done['recreated']:,} brought back{blocked}."
        back = reverse("admin:changesets_recycle_bin"), "Back to the recycle bin"
        return links.lead_to(self.request.user, made, sentence, back=back)

    def _picks(self) -> list[str]:
        return [f"{label}:{row}" for label, rows in self.picked.items() for row in rows]

    def _rows(self, plan: RestorePlan) -> dict[str, Any]:
        sees = eyes_of(self.request.user)
        rows_query = read_rows_query(self.request.GET, [("pick", pick) for pick in self._picks()])
        context = rows_context(self.shown, rows_query, COMING, sees)
        stuck = [returning for returning in plan.objects if not returning.comes_back]
        also = {(o.model, o.row) for returning in stuck for o in returning.obstacles if o.row}
        parts = [f"pick={pick}" for pick in [*self._picks(), *(f"{label}:{row}" for label, row in sorted(also))]]
        return {
            **context,
            "rows": plain_rows(context, {bucket.name: bucket.sign for bucket in COMING}, sees),
            "rest": rows_query.rest,
            "picks": self._picks(),
            "stuck": [
                (returning, links.object_url(type(returning.row.instance), returning.row.instance.pk, page="history"))
                for returning in stuck
            ],
            "also": len(also),
            "also_url": "?" + "&".join(parts),
        }


def _lines(plan: RestorePlan) -> list[Line]:
    comes = plural(plan.coming, "object comes", "objects come")
    stays = plural(plan.blocked, "object is blocked and stays", "objects are blocked and stay")
    lines = [
        Line("created", plan.coming, f"{comes} back with key and every value"),
        Line("blocked", plan.blocked, f"{stays} in the recycle bin"),
        Line("already", plan.gone, f"of the ticked {plural(plan.gone, 'is', 'are')} not in the recycle bin any more"),
    ]
    return [line for line in lines if line.number]


def _previews(tracked: Tracked, page: paginator.Page, sees: Sees) -> list[tuple[Any, Any, str]]:
    """Return each row with all its values and the address of its history."""
    rows = list(page.object_list)
    changes = changes_between(tracked, [(row.history_id, None) for row in rows], sees=sees)
    pk = tracked.model._meta.pk.attname
    return [
        (row, change, links.object_url(tracked.model, getattr(row, pk), page="history"))
        for row, change in zip(rows, changes, strict=True)
    ]


def _picked(request: HttpRequest) -> Picked:
    """Return the ticked rows, each posted as `airports.airport:123`; values of another form are ignored."""
    parameters = request.POST if request.method == "POST" else request.GET
    picked: Picked = {}
    for pick in parameters.getlist("pick")[:MOST_PICKED]:
        label, _, row = pick.rpartition(":")
        tracked = tracked_by_name(label)
        number = whole_number(row)
        if tracked is not None and number is not None:
            picked.setdefault(tracked.label, []).append(number)
    return picked
