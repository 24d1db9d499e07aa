"""The buttons of an airport that change its links: Relink, Clear country, Clear city."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.airports.links_of_one import CLEAR_CITY, CLEAR_COUNTRY, RELINK, change_links, plan_links
from apps.airports.models import Airport
from apps.changesets.errors import ChangesetError
from apps.changesets.pages import links
from apps.changesets.pages.forms import RevertForm, posted_version
from apps.changesets.pages.tools import object_tool

TITLES = {RELINK: "Relink {}", CLEAR_COUNTRY: "Clear the country of {}", CLEAR_CITY: "Clear the city of {}"}
BUTTONS = {RELINK: "Relink this airport", CLEAR_COUNTRY: "Clear its country", CLEAR_CITY: "Clear its city"}
DONE = {RELINK: "{} is linked again.", CLEAR_COUNTRY: "{} has no country now.", CLEAR_CITY: "{} has no city now."}


class LinkTools:
    """The buttons, for who may change airports; stands before ObjectTools among the bases."""

    @object_tool(label="Relink…", permissions=("change",), words="Link it to the country and city that its codes name")
    def relink(self, request: HttpRequest, obj: Airport) -> HttpResponse:
        return self._links_page(request, obj, RELINK)

    @object_tool(label="Clear country…", permissions=("change",), words="Take its link to a country away")
    def clear_country(self, request: HttpRequest, obj: Airport) -> HttpResponse:
        return self._links_page(request, obj, CLEAR_COUNTRY)

    @object_tool(label="Clear city…", permissions=("change",), words="Take its link to a city away")
    def clear_city(self, request: HttpRequest, obj: Airport) -> HttpResponse:
        return self._links_page(request, obj, CLEAR_CITY)

    def _links_page(self, request: HttpRequest, airport: Airport, act: str) -> HttpResponse:
        """Show what would be done and ask why (GET), or do it (POST)."""
        form = RevertForm(request.POST) if request.method == "POST" else RevertForm()
        try:
            if form.is_bound and form.is_valid():
                return self._do_links(request, airport, act, reason=form.cleaned_data["reason"])
        except ChangesetError as refusal:
            form.add_error(None, str(refusal))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": TITLES[act].format(airport),
            "button": BUTTONS[act],
            "object": airport,
            "plan": plan_links(airport, act),
            "form": form,
            "plural": str(self.opts.verbose_name_plural).capitalize(),
            "changelist_url": reverse("admin:airports_airport_changelist"),
            "object_url": links.object_url(Airport, airport.pk),
        }
        return TemplateResponse(request, "admin/airports/change_links.html", context)

    def _do_links(self, request: HttpRequest, airport: Airport, act: str, *, reason: str) -> HttpResponse:
        made, plan = change_links(airport, act, actor=request.user, reason=reason, seen=posted_version(request))
        sentence = DONE[act].format(airport) if made else f"Nothing was to be changed on {airport}, and nothing was."
        told = links.outcome_message(request.user, made, sentence)
        messages.add_message(request, messages.SUCCESS if made else messages.INFO, told)
        for note in plan.notes:
            messages.warning(request, note)
        return HttpResponseRedirect(links.object_url(Airport, airport.pk))
