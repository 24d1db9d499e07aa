"""The search over all changesets: an object, a field, a country, a period, in the address of the list."""

from collections.abc import Iterator
from datetime import datetime, time
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_date
from django.utils.timezone import make_aware

from apps.changesets.errors import TooManyObjects
from apps.changesets.history.search import Wanted, changesets_that_touched, place_model
from apps.changesets.rights import eyes_of
from apps.changesets.tracking import tracked_models

PERIOD = ("since", "until")
# In the address: the form is wanted. Where it is not, the list need not read its choices.
OPEN = "find"
MOST_PLACES = 1000


class TouchedFilter(admin.ListFilter):
    """Keeps the changesets that touched what the search form above the list names; it has no column beside the list."""

    title = "what was touched"
    template = "admin/changesets/no_filter.html"

    def __init__(self, request: HttpRequest, params: dict, model: Any, model_admin: Any):
        super().__init__(request, params, model, model_admin)
        for name in _parameters():
            if name in params:
                # Further values of one name are of no use.
                self.used_parameters[name] = params.pop(name)[-1].replace("\x00", "").strip()[:200]

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [*_parameters()]

    def choices(self, changelist: Any) -> Iterator[dict]:
        return iter(())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        wanted_of = {name: str(value) for name, value in self.used_parameters.items()}
        since, until = (_day(wanted_of.get(name, "")) for name in PERIOD)
        if since:
            queryset = queryset.filter(created_at__gte=make_aware(datetime.combine(since, time.min)))
        if until:
            queryset = queryset.filter(created_at__lte=make_aware(datetime.combine(until, time.max)))
        place = next((wanted_of[name] for name in _place_names() if wanted_of.get(name)), "")
        wanted = Wanted(wanted_of.get("object", ""), wanted_of.get("field", ""), _place_key(place))
        if wanted == Wanted():
            return queryset
        try:
            return queryset.filter(pk__in=changesets_that_touched(wanted, sees=eyes_of(request.user)).values("pk"))
        except TooManyObjects as refusal:
            messages.warning(request, str(refusal))
            return queryset.none()


def search_form(request: HttpRequest) -> dict[str, Any]:
    """Return what the form above the list shows: the choices, what is chosen, and what else stands in the address."""
    address, sees = request.GET, eyes_of(request.user)
    names = ("object", "field", *PERIOD, *_place_names())
    wanted = {name: address.get(name, "") for name in names}
    opened = address.copy()
    opened[OPEN] = "1"
    if not any(wanted.values()) and OPEN not in address:
        return {"opened": opened.urlencode()}
    model = place_model()
    places = model._default_manager.all()[:MOST_PLACES] if model and sees(model) else ()
    return {
        "open": True,
        "wanted": wanted,
        "fields": [
            (f"{tracked.name}.{field.name}", f"{tracked.model._meta.verbose_name}: {field.verbose_name}")
            for tracked in tracked_models()
            if sees(tracked.model)
            for field in tracked.news
        ],
        "place_name": next(iter(_place_names()), ""),
        "place": next((wanted[name] for name in _place_names()), ""),
        "places": [(str(place.pk), str(place)) for place in places],
        "further": [(name, value) for name, value in address.items() if name not in (*names, OPEN, "p")],
    }


def _parameters() -> list[str]:
    return [OPEN, "object", "field", *PERIOD, *_place_names()]


def _place_names() -> list[str]:
    """Return the names in addresses of what changes are filtered by; one is enough so far: `country`."""
    model = place_model()
    return [model._meta.model_name or ""] if model else []


def _place_key(text: str) -> str:
    """The key asked for, or one that no place has where it cannot be read."""
    model = place_model()
    try:
        return str(model._meta.pk.clean(text, None)) if text and model else ""
    except ValidationError:
        return "0"


def _day(text: str) -> Any:
    try:
        return parse_date(text)
    except ValueError:
        return None
