"""What the address of a changeset's page asks for: which changes, and from where on."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.http import HttpRequest
from django.utils.http import urlencode

from apps.changesets.history.counts import Counts, total
from apps.changesets.history.selection import OPERATIONS, Filters
from apps.changesets.rights import Sees
from apps.changesets.text import whole_number
from apps.changesets.tracking import Tracked, tracked_by_name

# The longest list has not so many rows.
START_DIGITS = 10
MOST_PLACES = 1000


@dataclass(frozen=True)
class ChangesQuery:
    """The model, filters and start that an address asks for; what it gets wrong is left out."""

    tracked: Tracked
    filters: Filters
    start: int

    def address(self, *, start: int = 0, **changed: str) -> str:
        """Return the query of the address that asks for the same but for what is given."""
        values = {name: getattr(self.filters, name) for name in ("operation", "field", "place", "text")} | changed
        parameters = {
            "model": self.tracked.label,
            "op": values["operation"],
            "field": values["field"],
            place_name(self.tracked): values["place"],
            "q": values["text"],
            "start": str(start) if start else "",
        }
        return "?" + urlencode({name: value for name, value in parameters.items() if name and value})


def read_changes_query(request: HttpRequest, counts: Counts, sees: Sees) -> ChangesQuery | None:
    """Return what the address asks for; the model with the most objects where it names none; None without objects.

    Only models that may be seen are chosen from, and only values that may be seen are searched.
    """
    seen = {label: of for label, of in counts.items() if (known := tracked_by_name(label)) and sees(known.model)}
    label = _chosen_model(seen, request.GET.get("model", ""))
    tracked = tracked_by_name(label) if label else None
    if tracked is None:
        return None
    start, change = request.GET.get("start", ""), request.GET.get("op", "")
    filters = Filters(
        operation=change if change in OPERATIONS else "",
        field=_field_of(tracked, request.GET.get("field", ""), sees),
        place=_place_of(tracked, request.GET.get(place_name(tracked), ""), sees),
        text=request.GET.get("q", "").replace("\x00", "").strip()[:200],
    )
    return ChangesQuery(tracked, filters, whole_number(start, digits=START_DIGITS) or 0)


def place_name(tracked: Tracked) -> str:
    """Return the name in addresses of what the model is filtered by: `country`."""
    return (tracked.filter_model._meta.model_name or "") if tracked.filter_model else ""


def places_of(tracked: Tracked, sees: Sees) -> list[tuple[Any, str]]:
    """Return the objects that a model is filtered by, by key, to choose from; none where they may not be seen."""
    if tracked.filter_model is None or not sees(tracked.filter_model):
        return []
    return [(place.pk, str(place)) for place in tracked.filter_model._default_manager.all()[:MOST_PLACES]]


def _chosen_model(counts: Counts, wanted: str) -> str:
    tracked = tracked_by_name(wanted) if wanted else None
    if tracked is not None and tracked.label in counts:
        return tracked.label
    return max(counts, key=lambda label: total({"": counts[label]}), default="")


def _field_of(tracked: Tracked, name: str, sees: Sees) -> str:
    try:
        field = tracked.model._meta.get_field(name)
    except FieldDoesNotExist:
        return ""
    linked = field.related_model
    hidden = isinstance(linked, type) and not sees(linked)
    return field.name if field in tracked.news and not hidden else ""


def _place_of(tracked: Tracked, key: str, sees: Sees) -> str:
    if not key or tracked.filter_model is None or not sees(tracked.filter_model):
        return ""
    try:
        return str(tracked.filter_model._meta.pk.clean(key, None))
    except ValidationError:
        return ""
