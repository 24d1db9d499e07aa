"""The search of the header: the objects of all tracked tables that fit a text, the best first."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from apps.changesets.fields import target_of
from apps.changesets.history.object_search import stable_keys_of
from apps.changesets.history.stable_key import stable_key_of
from apps.changesets.models import Visitor
from apps.changesets.pages import links
from apps.changesets.rights import eyes_of, may_view
from apps.changesets.text import LONGEST_SEARCH, counted
from apps.changesets.tracking import tracked_for
from travelmathlite.dashboard import shown_models

MOST_OF_A_MODEL = 8


@dataclass(frozen=True)
class Found:
    """What one table has: the first objects, each with its address and former key, and the list of all."""

    title: str
    number: str
    all_url: str
    rows: tuple[tuple[str, str, str], ...]
    more: bool


def search_page(site: AdminSite, request: HttpRequest) -> dict[str, Any]:
    """Return the context of the page: what each table that the person may view has of what is asked for."""
    text = request.GET.get(SEARCH_VAR, "").strip()[:LONGEST_SEARCH]
    elsewhere = []
    if text and request.user.has_perm(links.VIEW):
        elsewhere = [
            (f"{links.changesets_url()}?{urlencode({'object': text})}", "Changesets that touched it"),
            (f"{reverse('admin:changesets_recycle_bin')}?{urlencode({SEARCH_VAR: text})}", "The recycle bin"),
        ]
    return {
        "title": f"Search for “{text}”" if text else "Search",
        "text": text,
        "found": list(_found(site, request, text)) if text else [],
        "elsewhere": elsewhere,
    }


def searchable(request: HttpRequest) -> str:
    """Return the names of the tables that the person may search, in words; empty for who may search none."""
    names = [str(model._meta.verbose_name_plural) for model in shown_models() if may_view(request.user, model)]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _found(site: AdminSite, request: HttpRequest, text: str) -> Iterator[Found]:
    for model in filter(eyes_of(request.user), shown_models()):
        model_admin: Any = site.get_model_admin(model)
        rows, _ = model_admin.get_search_results(request, model_admin.get_queryset(request), text)
        page = model_admin.get_paginator(request, rows, MOST_OF_A_MODEL).page(1)
        former = stable_keys_of(tracked_for(model), text)
        number = page.paginator.count
        yield Found(
            title=str(model._meta.verbose_name_plural).capitalize(),
            number=counted(number, model),
            all_url=f"{links.list_url(model)}?{urlencode({SEARCH_VAR: text})}",
            rows=tuple(_row(model_admin, request.user, obj, text, former) for obj in page.object_list),
            more=number > MOST_OF_A_MODEL,
        )


def _row(model_admin: Any, user: Visitor, obj: Model, text: str, former: list[object]) -> tuple[str, str, str]:
    renamed = stable_key_of(tracked_for(type(obj)), obj) in former and str(obj.pk).casefold() != text.casefold()
    return links.object_url(type(obj), obj.pk), telling_label(model_admin, user, obj), text.upper() if renamed else ""


def telling_label(model_admin: Any, user: Visitor, obj: Model) -> str:
    """Return a name that tells homonyms apart, there are 30 Springfields, where the person may see what tells them."""
    linked = [target_of(field) for field in type(obj)._meta.concrete_fields if field.is_relation]
    seen = all(may_view(user, model) for model in linked)
    label: str = (getattr(model_admin, "label_in_choices", str) if seen else str)(obj)
    return label
