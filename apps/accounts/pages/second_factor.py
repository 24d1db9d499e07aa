"""The pages of the second factor: setting it up, and showing it."""

from typing import Any

import segno
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_otp.util import random_hex

from apps.accounts import second_factor
from apps.accounts.log import tell
from apps.accounts.second_factor import CodeRefused, Enrolment
from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.methods import ASKS, turned_away
from apps.changesets.acts.tokens import make_token, read_token
from apps.changesets.errors import ChangesetError

ACT = "second-factor"


class CodeForm(forms.Form):
    """Asks for a code of the app."""

    code = forms.CharField(
        max_length=40,
        error_messages={"required": "Enter the code that the app shows now."},
        widget=forms.TextInput(
            attrs={"class": "vTextField", "autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}
        ),
    )


def setup_page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Show the key of a new second factor, or the one that there is; set it up, change its codes, remove it (POST)."""
    if (refused := _turned_away(request)) is not None:
        return refused
    if not second_factor.has_second_factor(request.user):
        return _set_up(site, request)
    if address := second_factor.where_to_prove(request):
        return HttpResponseRedirect(address)
    person = actor_of(request)
    if "codes" in request.POST:
        return _page(site, request, codes=second_factor.new_recovery_codes(person))
    if "remove" in request.POST:
        second_factor.remove(person)
        tell("second_factor_removed", request, person.get_username(), by=person.get_username())
        messages.success(request, "Your second factor is removed.")
        return HttpResponseRedirect(request.path)
    return _page(site, request, left=second_factor.recovery_codes_left(person))


def check_page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Ask for a code, and go on to where the person wanted to go."""
    if (refused := _turned_away(request)) is not None:
        return refused
    form, refusal = CodeForm(request.POST or None), ""
    if second_factor.is_shown(request) or not second_factor.has_second_factor(request.user):
        # There is nothing to show any more, for instance because a superuser removed it meanwhile.
        request.session.pop(second_factor.DUE, None)
        return HttpResponseRedirect(_next(request))
    if form.is_valid():
        try:
            second_factor.show(request, actor_of(request), form.cleaned_data["code"])
            return HttpResponseRedirect(_next(request))
        except CodeRefused as error:
            form, refusal = CodeForm(), str(error)
    context = {"title": "Second factor", "form": form, "refusal": refusal, "next": request.GET.get("next", "")}
    return _render(site, request, "check", context)


def _turned_away(request: HttpRequest) -> HttpResponse | None:
    if settings.SECOND_FACTOR == second_factor.OFF:
        raise Http404("The settings have no second factor.")
    return turned_away(request, ASKS)


def _set_up(site: AdminSite, request: HttpRequest) -> HttpResponse:
    form, person, refusal, key = CodeForm(request.POST or None), actor_of(request), "", random_hex(20)
    if request.method == "POST":
        try:
            key = read_token(request.POST.get("seen", ""), user_id=person.pk, act=ACT, subject="", noun="key")
            if form.is_valid():
                codes = second_factor.set_up(request, Enrolment(person, key), form.cleaned_data["code"])
                return _page(site, request, codes=codes, next=_next(request))
        except ChangesetError as error:
            refusal = str(error)
    enrolment = Enrolment(person, key)
    return _page(
        site,
        request,
        form=form,
        refusal=refusal,
        enrolment=enrolment,
        picture=segno.make(enrolment.address, error="m").svg_data_uri(scale=5, border=4, light="#fff"),
        token=make_token(key, user_id=person.pk, act=ACT, subject=""),
        asked="next" in request.GET,
    )


def _page(site: AdminSite, request: HttpRequest, **context: Any) -> HttpResponse:
    return _render(site, request, "second_factor", {"title": "Second factor", **context})


def _render(site: AdminSite, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    request.current_app = site.name
    return TemplateResponse(request, f"admin/accounts/{template}.html", {**site.each_context(request), **context})


def _next(request: HttpRequest) -> str:
    """Return where the person wanted to go, which is a page of this console."""
    wanted = request.GET.get("next", "")
    own = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return wanted if own else reverse("admin:index")
