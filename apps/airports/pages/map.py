"""The map of airports: its data for pages that show it."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from apps.airports.maps import count_by_type, map_of_airports, map_of_findings
from apps.airports.models import Airport
from apps.changesets.acts.methods import for_viewers
from apps.changesets.history.cache import reading_alias, remembered, state_of_tables
from apps.changesets.pages import links
from apps.changesets.pages.maps import addresses_of, map_answer
from apps.changesets.text import whole_number
from apps.quality.models import AcceptedFinding
from apps.quality.pages.addresses import VIEW as VIEW_FINDINGS
from apps.quality.pages.addresses import findings_url


@method_decorator(require_safe)
@for_viewers
def airports_map(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Answer with the data of the map of all airports, or of the `country` that the address names."""
    country, using = whole_number(request.GET.get("country", "")), reading_alias()
    state = state_of_tables("airports.airport", using=using)

    def work_out() -> Any:
        return map_of_airports(
            list_url=links.list_url(Airport), addresses=addresses_of(Airport), country=country, using=using
        )

    return map_answer(request, "airports" if country is None else f"airports-{country}", state, work_out)


@method_decorator(require_safe)
@for_viewers
def airports_findings_map(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Answer with the data of the map of airports with findings, for people who may see both."""
    if not request.user.has_perm(VIEW_FINDINGS):
        raise PermissionDenied
    using = reading_alias()
    # Accepted findings are left out, and an acceptance may end with the day.
    known = AcceptedFinding.objects.aggregate(newest=Max("pk"), withdrawn=Max("withdrawn_at"))
    parts = (state_of_tables(using=using), timezone.localdate().isoformat(), known["newest"], known["withdrawn"])
    state = "-".join(map(str, parts)).replace(" ", "")
    return map_answer(
        request,
        "findings",
        state,
        lambda: map_of_findings(findings_url=findings_url(), addresses=addresses_of(Airport), using=using),
    )


def types_shown(*, country: int | None = None) -> list[tuple[str, int, int, str]]:
    """Return the name of each type, its number of airports, how many lack a city, and the address of its list."""
    using, of_country = reading_alias(), "" if country is None else f"&country__id__exact={country}"
    if country is None:
        state = state_of_tables("airports.airport", using=using)
        counted = remembered("airports-by-type", state, lambda: count_by_type(using=using))
    else:
        counted = count_by_type(country=country, using=using)
    address = f"{links.list_url(Airport)}?airport_type__exact="
    return [(row.name, row.number, row.without_city, f"{address}{row.value}{of_country}") for row in counted]


def map_url(*, country: int | None = None) -> str:
    """Return the address of the map's data."""
    address = links.model_url(Airport, "map")
    return address if country is None else f"{address}?country={country}"
