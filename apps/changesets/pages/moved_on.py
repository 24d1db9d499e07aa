"""Old addresses: one of an object that was renamed leads to the living object, and says so."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html_join

from apps.changesets.history.renames import KeyHistory
from apps.changesets.pages import links
from apps.changesets.tracking import tracked_for


def lead_on(model_admin: Any, request: HttpRequest, key: Any, *, page: str) -> HttpResponse | None:
    """Lead from a key that an object had to this page of the object; None where it has no other key now.

    What somebody wanted to do there was not done: the object is shown first.
    """
    moved = KeyHistory(tracked_for(model_admin.model), key).lives_on()
    if moved is None:
        return None
    if request.method == "POST":
        messages.warning(request, f"{moved} Nothing was done.")
    else:
        messages.info(request, str(moved))
    query = request.META.get("QUERY_STRING", "")
    address = links.object_url(model_admin.model, moved.obj.pk, page=page)
    return HttpResponseRedirect(f"{address}?{query}" if query and request.method != "POST" else address)


def had_this_key(history: KeyHistory) -> str:
    """Return a sentence for each other object that had the key, with a link to it; empty for none."""
    meta = history.tracked.model._meta
    others = [
        (other.changeset, meta.pk.verbose_name, other.key, links.object_url(meta.model, other.obj.pk), other.obj)
        for other in history.earlier_holders()
    ]
    return format_html_join(" ", 'Until {} the {} {} was that of <a href="{}">{}</a>.', others)
