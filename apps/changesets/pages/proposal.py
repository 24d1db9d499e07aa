"""What a person asked for that another one has to confirm: that one has the plan made, who asked may withdraw it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.methods import ASKS, show_page, turned_away
from apps.changesets.acts.second import may_confirm, open_proposals, proposal_url, why_another
from apps.changesets.revert.apart import is_under_way


def proposal_page(model_admin: admin.ModelAdmin[Any], request: HttpRequest, pk: int) -> HttpResponse:
    """Show what was asked for, by whom and why (GET); withdraw it (POST)."""
    if (refused := turned_away(request, ASKS)) is not None:
        return refused
    proposal = open_proposals().filter(pk=pk).first()
    if proposal is None:
        raise Http404("This was carried out or withdrawn, or it was asked for more than a day ago.")
    is_own = proposal.asked_by_id == actor_of(request).pk
    if not is_own and (request.method == "POST" or not may_confirm(request.user, proposal)):
        raise PermissionDenied
    if request.method == "POST" and is_under_way(proposal.key):
        messages.error(request, "Somebody confirmed this, and a worker does it: it cannot be withdrawn any more.")
        return HttpResponseRedirect(proposal_url(pk))
    if request.method == "POST":
        proposal.delete()
        messages.success(request, f"Withdrawn: {proposal.title}. Nothing was changed.")
        return HttpResponseRedirect(reverse("admin:index"))
    context = {
        "title": proposal.title,
        "proposal": proposal,
        "is_own": is_own,
        "why": why_another(),
    }
    return show_page(model_admin, request, "admin/acts/proposal.html", context)
