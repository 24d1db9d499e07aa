"""What a person makes of a list: which columns it shows, and views of it that are saved with their filters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import label_for_field
from django.contrib.admin.views.main import ChangeList
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern
from django.utils.functional import SimpleLazyObject

from apps.changesets.acts.methods import DOES, page_at, turned_away
from apps.changesets.follow_models import Follow
from apps.changesets.models import COLUMNS, SavedView
from apps.changesets.pages import links
from apps.changesets.text import whole_number
from apps.changesets.tracking import tracked_for

# In the address of a list: no default view is wanted.
VIEW = "_view"
_TICK = "action_checkbox"
LONGEST_NAME, LONGEST_QUERY = 80, 2000


@dataclass(frozen=True)
class Column:
    """A column that a list may show."""

    name: str
    label: str
    shown: bool


class ViewFilter(admin.ListFilter):
    """Takes what only the page needs out of the address; it filters nothing and shows nothing."""

    title = "view"

    def __init__(self, request: HttpRequest, params: dict, model: Any, model_admin: Any):
        super().__init__(request, params, model, model_admin)
        for name in (COLUMNS, VIEW):
            params.pop(name, None)

    def has_output(self) -> bool:
        return False

    def expected_parameters(self) -> list[str | None]:
        return [COLUMNS, VIEW]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset


class ChosenColumns(ChangeList):
    """A list with the columns that its address names; those of the admin where it names none that there is."""

    def __init__(
        self, request: HttpRequest, model: Any, display: Sequence[Any], links_of: Any, *rest: Any, **named: Any
    ) -> None:
        tick = [name for name in display if name == _TICK]
        usual = {_name(column): column for column in display if column != _TICK}
        model_admin: Any = next(part for part in (*rest, *named.values()) if isinstance(part, admin.ModelAdmin))
        hidden = model_admin.hidden_links(request)
        more = [field.name for field in tracked_for(model).news if field.name not in {*usual, *hidden}]
        known = usual | {name: name for name in more}
        wanted = [name for name in request.GET.get(COLUMNS, "").split(",") if name in known]
        shown = dict.fromkeys(wanted or usual)
        labels = {name: str(label_for_field(column, model, model_admin)) for name, column in known.items()}
        # A column of the admin that is called as a field stands for it.
        taken = {labels[name].casefold() for name in usual}
        offered = [*usual, *(name for name in more if labels[name].casefold() not in taken)]
        self.columns = [Column(name, labels[name], name in shown) for name in offered]
        if wanted:
            display = [*tick, *(known[name] for name in shown)]
            if not {*map(_name, display)} & {*map(_name, links_of or ())}:
                links_of = [known[wanted[0]]]
        super().__init__(request, model, list(display), links_of, *rest, **named)


class ListViewsAdmin(admin.ModelAdmin):
    """The part of a tracked model's admin that chooses columns, and saves and opens views of the list."""

    def get_urls(self) -> list[URLPattern]:
        return [page_at("views/", self, save_view, "views"), *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return type("ChosenColumns", (ChosenColumns, super().get_changelist(request, **kwargs)), {})

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        """Show the list, or lead to the person's default view of it where the address asks for nothing."""
        if request.method == "GET" and len(request.GET.getlist(COLUMNS)) > 1:
            # A form sends each ticked box apart.
            address = request.GET.copy()
            address[COLUMNS] = ",".join(request.GET.getlist(COLUMNS))
            return HttpResponseRedirect(f"{request.path}?{address.urlencode(safe=',')}")
        views = SimpleLazyObject(lambda: list(views_of(request, self.opts.label_lower)))
        if request.method == "GET" and not request.GET and self.has_view_or_change_permission(request):
            usual = next((view for view in views if view.is_default and view.owner_id == request.user.pk), None)
            if usual is not None and usual.query:
                return HttpResponseRedirect(f"{request.path}?{usual.query}")
        context = {
            "saved_views": views,
            "views_url": links.model_url(self.model, "views"),
            "address_now": _worth_saving(request.GET).urlencode(safe=","),
            "without_columns": [
                (name, value) for name, value in request.GET.items() if name not in (COLUMNS, "p", "o")
            ],
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})


def views_of(request: HttpRequest, label: str) -> QuerySet[SavedView]:
    """Return the views of a list that are the person's own, or shared by others; `followed`: by the person."""
    seen = Q(owner_id=request.user.pk) | Q(shared=True)
    views = SavedView.objects.filter(seen, model=label).select_related("owner").order_by("name", "pk")
    follows = Follow.objects.filter(user_id=request.user.pk or 0, view=OuterRef("pk"))
    return views.annotate(followed=Exists(follows))


def save_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Save what the list shows under a name, or delete a view of one's own."""
    may = model_admin.has_view_permission(request)
    if (refused := turned_away(request, DOES, may=may)) is not None:
        return refused
    own = SavedView.objects.filter(owner_id=request.user.pk, model=model_admin.opts.label_lower)
    list_url, number = links.list_url(model_admin.model), whole_number(request.POST.get("delete", ""))
    if number is not None:
        deleted = own.filter(pk=number).delete()[0]
        messages.info(request, "The view is deleted." if deleted else "That view is not yours, or was deleted before.")
        return HttpResponseRedirect(f"{list_url}?{VIEW}=all")
    name = " ".join(request.POST.get("name", "").split())
    query = _worth_saving(QueryDict(request.POST.get("query", ""))).urlencode(safe=",")
    if not name or len(name) > LONGEST_NAME or len(query) > LONGEST_QUERY:
        messages.error(request, f"Give the view a name of 1 to {LONGEST_NAME} characters: nothing was saved.")
        return HttpResponseRedirect(f"{list_url}?{query or f'{VIEW}=all'}")
    usual = "default" in request.POST
    values = {"query": query, "shared": "shared" in request.POST, "is_default": usual}
    with transaction.atomic():
        if usual:
            own.update(is_default=False)
        _, made = own.update_or_create(
            owner_id=request.user.pk, model=model_admin.opts.label_lower, name=name, defaults=values
        )
    messages.success(request, f"The view “{name}” is {'saved' if made else 'changed'}.")
    return HttpResponseRedirect(f"{list_url}?{query or f'{VIEW}=all'}")


def _worth_saving(address: QueryDict) -> QueryDict:
    """Return what an address asks of a list, but for the page of it and for what is of one moment."""
    kept = address.copy()
    for name in ("p", "all", "e", VIEW):
        kept.pop(name, None)
    for name in [name for name in kept if name.startswith("_") and name != COLUMNS]:
        kept.pop(name)
    return kept


def _name(column: Any) -> str:
    return column if isinstance(column, str) else column.__name__
