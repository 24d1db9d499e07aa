"""The buttons of an airport that change its links: the list's actions, for this one."""

from django.http import HttpRequest, HttpResponse

from apps.airports.models import Airport
from apps.changesets.pages.bulk import act_on_one
from apps.changesets.pages.tools import object_tool


class LinkTools:
    """The buttons, for who may change airports; stands before ObjectTools among the bases."""

    @object_tool(label="Relink…", permissions=("change",), words="Link it to the country and city that its codes name")
    def relink(self, request: HttpRequest, obj: Airport) -> HttpResponse:
        return act_on_one("relink", self, request, obj)

    @object_tool(label="Clear country…", permissions=("change",), words="Take its link to a country away")
    def clear_country(self, request: HttpRequest, obj: Airport) -> HttpResponse:
        return act_on_one("clear_country", self, request, obj)

    @object_tool(label="Clear city…", permissions=("change",), words="Take its link to a city away")
    def clear_city(self, request: HttpRequest, obj: Airport) -> HttpResponse:
        return act_on_one("clear_city", self, request, obj)
