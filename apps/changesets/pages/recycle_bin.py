"""The recycle bin: deleted objects, who deleted them and when, and bringing them back through a plan."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from django.contrib import admin, messages
from django.core import paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode

from apps.changesets.acts.frame import answer
from apps.changesets.acts.lines import Line
from apps.changesets.acts.methods import READS, show_page, turned_away
from apps.changesets.acts.planned import Crumb, Outcome, Page, PlannedAct
from apps.changesets.history.diff import changes_between
from apps.changesets.history.recycle_bin import deleted_objects
from apps.changesets.pages import links
from apps.changesets.pages.stored_rows import RowBucket, plain_rows, read_rows_query, rows_context
from apps.changesets.plans.storing import ask, plan_numbered
from apps.changesets.revert.bring_back import (
    ACT,
    Picked,
    RestorePlan,
    number_of,
    restore_asked,
    restore_deleted,
    shown_restore,
)
from apps.changesets.revert.verdicts import Bucket
from apps.changesets.rights import Need, Sees, eyes_of, may
from apps.changesets.text import counted, plural, whole_number
from apps.changesets.tracking import Tracked, tracked_by_label, tracked_by_name, tracked_models

PER_PAGE = 50
# So many rows stand in an address, and so many come back at once.
MOST_IN_ADDRESS = 500
MOST_AT_ONCE = 5_000
TOO_MANY = (
    f"At most {MOST_AT_ONCE:,} objects come back at once: search for some of them, or revert the changeset that "
    "deleted them."
)
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
    search, rows = _searched(model_admin, request, chosen, request.GET)
    its_admin: Any = model_admin.admin_site.get_model_admin(chosen.model)
    pages = paginator.Paginator(rows, PER_PAGE)
    if not search.strip():
        pages.count = dict(numbers)[chosen]
    page = pages.get_page(request.GET.get("p"))
    page.object_list = list(page.object_list)
    remarks = its_admin.remarks_on_deleted(request, page.object_list)
    for row in page.object_list:
        row.remark = remarks.get(row.history_id, "")
    context = {
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
    return show_page(model_admin, request, "admin/changesets/recycle_bin.html", context)


def restore_page(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show what would come back and what is blocked, or bring it back as one changeset."""
    act = BringBack(model_admin, request)
    if (refused := turned_away(request, act.methods, may=act.may())) is not None:
        return refused
    return act.choose() or answer(act)


def _searched(
    model_admin: admin.ModelAdmin, request: HttpRequest, tracked: Tracked, asked: QueryDict
) -> tuple[str, QuerySet[Any]]:
    """Return what is searched for, and the deleted objects of a model that fit, newest first."""
    search = asked.get("q", "")[:200].replace("\x00", "")
    rows: QuerySet[Any] = deleted_objects(tracked)
    if search.strip():
        its_admin: Any = model_admin.admin_site.get_model_admin(tracked.model)
        rows, _ = its_admin.get_search_results(request, rows, search)
    return search, rows.order_by("-history_id")


class BringBack(PlannedAct[RestorePlan]):
    """Bringing the ticked objects back from the recycle bin, or all that a search finds there.

    More of them than fit into an address stay with a plan that is stored.
    """

    name = ACT
    template = "admin/acts/bring_back.html"

    def __init__(self, model_admin: admin.ModelAdmin, request: HttpRequest) -> None:
        super().__init__(model_admin, request)
        asked = request.POST if request.method == "POST" else request.GET
        self.picks, self.number = asked.getlist("pick")[:MOST_IN_ADDRESS], whole_number(asked.get("plan", ""))

    @cached_property
    def picked(self) -> Picked:
        """The deletions that are meant; raises PlanMoved."""
        stored = plan_numbered(self.number, actor=self.actor, act=ACT).about if self.number is not None else []
        return _picked([*self.picks, *(f"{label}:{row}" for label, *rows in stored for row in rows)])

    def choose(self) -> HttpResponse | None:
        """Lead the person who has ticked rows, or all of a search, to the plan of bringing those back."""
        post = self.request.POST
        if self.request.method != "POST" or "show" not in post:
            return None
        tracked = tracked_by_name(post.get("model", ""))
        if "every" in post and tracked is not None and eyes_of(self.request.user)(tracked.model):
            _, rows = _searched(self.model_admin, self.request, tracked, post)
            picks = [f"{tracked.label}:{row}" for row in rows.values_list("history_id", flat=True)[: MOST_AT_ONCE + 1]]
        else:
            picks = post.getlist("pick")
        if len(picks) > MOST_AT_ONCE:
            messages.error(self.request, TOO_MANY)
            return HttpResponseRedirect(reverse("admin:changesets_recycle_bin") + f"?{_bin_query(post)}")
        rest = [("pick", pick) for pick in picks]
        if len(picks) > PER_PAGE:
            rest = [("plan", str(ask(restore_asked(_picked(picks), actor=self.actor)).pk))]
        return HttpResponseRedirect(f"{self.request.path}?{urlencode(rest)}")

    def may(self) -> bool:
        return self.model_admin.has_view_permission(self.request) and self.request.user.has_perm(links.REVERT)

    def subject(self) -> list[str]:
        return [f"{name}={value}" for name, value in self._rest()]

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
            heading="This will mean" if lines else "",
            lines=lines,
        )

    def apply(self, *, reason: str, seen: Any) -> Outcome:
        made = restore_deleted(self.picked, actor=self.actor, reason=reason, seen=seen)
        done = (made.summary or {})["restore"]
        blocked = f", {done['blocked']:,} blocked" if done["blocked"] else ""
        sentence = f"{done['recreated']:,} brought back{blocked}."
        back = reverse("admin:changesets_recycle_bin"), "Back to the recycle bin"
        return links.lead_to(self.request.user, made, sentence, back=back)

    def _rest(self) -> list[tuple[str, str]]:
        """Return what stands in the address: which objects are meant."""
        stored = [] if self.number is None else [("plan", str(self.number))]
        return [*stored, *(("pick", pick) for pick in self.picks)]

    def _rows(self, plan: RestorePlan) -> dict[str, Any]:
        sees = eyes_of(self.request.user)
        rows_query = read_rows_query(self.request.GET, self._rest())
        context = rows_context(self.shown, rows_query, COMING, sees)
        stuck = [returning for returning in plan.objects if not returning.comes_back]
        also = sorted({(o.model, o.row) for returning in stuck for o in returning.obstacles if o.row})[:MOST_IN_ADDRESS]
        return {
            **context,
            "rows": plain_rows(context, {bucket.name: bucket.sign for bucket in COMING}, sees),
            "rest": rows_query.rest,
            "number": number_of(self.picked),
            "stuck": [
                (returning, links.object_url(type(returning.row.instance), returning.row.instance.pk, page="history"))
                for returning in stuck[:PER_PAGE]
            ],
            "more_stuck": len(stuck[PER_PAGE:]),
            "also": len(also),
            "also_url": "?" + urlencode([*self._rest(), *(("pick", f"{label}:{row}") for label, row in also)]),
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


def _bin_query(post: QueryDict) -> str:
    return urlencode({name: post.get(name, "") for name in ("model", "q")})


def _picked(picks: Iterable[str]) -> Picked:
    """Return the ticked rows, each known as `airports.airport:123`; values of another form are ignored."""
    picked: Picked = {}
    for pick in picks:
        label, _, row = pick.rpartition(":")
        tracked = tracked_by_name(label)
        number = whole_number(row)
        if tracked is not None and number is not None:
            picked.setdefault(tracked.label, []).append(number)
    return picked
