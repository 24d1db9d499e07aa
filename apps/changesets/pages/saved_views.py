"""Views of a list that a person saves under a name, with filters and all that its address asks for."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
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

# In the address of a list: no default view is wanted.
VIEW = "_view"
ALL = f"?{VIEW}=all"
LONGEST_NAME, LONGEST_QUERY = 80, 2000


class SavedViewsAdmin(admin.ModelAdmin):
    """The part of an admin that saves and opens views of its list; the list shows them by `parts/views.html`."""

    def get_urls(self) -> list[URLPattern]:
        return [page_at("views/", self, save_view, "views"), *super().get_urls()]

    def with_views(self, request: HttpRequest, show: Callable[[dict[str, Any]], HttpResponse]) -> HttpResponse:
        """Show the list with this context, or lead to the person's default view where the address asks for nothing."""
        views = SimpleLazyObject(lambda: list(views_of(request, self.opts.label_lower)))
        if request.method == "GET" and not request.GET and self.has_view_or_change_permission(request):
            usual = next((view for view in views if view.is_default and view.owner_id == request.user.pk), None)
            if usual is not None and usual.query:
                return HttpResponseRedirect(f"{request.path}?{usual.query}")
        address = _worth_saving(request.GET).urlencode(safe=",")
        return show({"saved_views": views, "views_url": links.model_url(self.model, "views"), "address_now": address})


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
        return HttpResponseRedirect(f"{list_url}{ALL}")
    name = " ".join(request.POST.get("name", "").split())
    query = _worth_saving(QueryDict(request.POST.get("query", ""))).urlencode(safe=",")
    if not name or len(name) > LONGEST_NAME or len(query) > LONGEST_QUERY:
        messages.error(request, f"Give the view a name of 1 to {LONGEST_NAME} characters: nothing was saved.")
        return HttpResponseRedirect(f"{list_url}{f'?{query}' if query else ALL}")
    usual = "default" in request.POST
    values = {"query": query, "shared": "shared" in request.POST, "is_default": usual}
    with transaction.atomic():
        if usual:
            own.update(is_default=False)
        _, made = own.update_or_create(
            owner_id=request.user.pk, model=model_admin.opts.label_lower, name=name, defaults=values
        )
    messages.success(request, f"The view “{name}” is {'saved' if made else 'changed'}.")
    return HttpResponseRedirect(f"{list_url}{f'?{query}' if query else ALL}")


def _worth_saving(address: QueryDict) -> QueryDict:
    """Return what an address asks of a list, but for the page of it and for what is of one moment."""
    kept = address.copy()
    for name in ("p", "all", "e", VIEW):
        kept.pop(name, None)
    for name in [name for name in kept if name.startswith("_") and name != COLUMNS]:
        kept.pop(name)
    return kept
