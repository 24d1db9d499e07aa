"""What the address of a changeset's page asks for: which changes, and from where on."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.http import HttpRequest
from django.utils.http import urlencode

from apps.changesets.history.counts import Counts, total
from apps.changesets.history.selection import OPERATIONS, Filters
from apps.changesets.numbers import whole_number
from apps.changesets.tracking import Tracked, tracked_by_name

# The longest list has not so many rows.
START_DIGITS = 10


@dataclass(frozen=True)
class Asked:
    """The model, filters and start that an address asks for; what it gets wrong is left out."""

    tracked: Tracked
    filters: Filters
    start: int

    def query(self, *, start: int = 0, **changed: str) -> str:
        """Return the query of the address that asks for the same but for what is given."""
        values = {name: getattr(self.filters, name) for name in ("operation", "field", "place", "text")} | changed
        asked = {
            "model": self.tracked.label,
            "op": values["operation"],
            "field": values["field"],
            place_name(self.tracked): values["place"],
            "q": values["text"],
            "start": str(start) if start else "",
        }
        return "?" + urlencode({name: value for name, value in asked.items() if name and value})


def read_asked(request: HttpRequest, counts: Counts) -> Asked | None:
    """Return what the address asks for; the model with the most objects where it names none; None without objects."""
    label = _chosen_model(counts, request.GET.get("model", ""))
    tracked = tracked_by_name(label) if label else None
    if tracked is None:
        return None
    start = request.GET.get("start", "")
    filters = Filters(
        operation=_one_of(OPERATIONS, request.GET.get("op", "")),
        field=_field_of(tracked, request.GET.get("field", "")),
        place=_place_of(tracked, request.GET.get(place_name(tracked), "")),
        text=request.GET.get("q", "").replace("\x00", "").strip()[:200],
    )
    return Asked(tracked, filters, whole_number(start, digits=START_DIGITS) or 0)


def place_name(tracked: Tracked) -> str:
    """Return the name in addresses of what the model is filtered by: `country`."""
    return (tracked.filter_model._meta.model_name or "") if tracked.filter_model else ""


def _chosen_model(counts: Counts, wanted: str) -> str:
    tracked = tracked_by_name(wanted) if wanted else None
    if tracked is not None and tracked.label in counts:
        return tracked.label
    return max(counts, key=lambda label: total({"": counts[label]}), default="")


def _one_of(known: Any, asked: str) -> str:
    return asked if asked in known else ""


def _field_of(tracked: Tracked, asked: str) -> str:
    try:
        field = tracked.model._meta.get_field(asked)
    except FieldDoesNotExist:
        return ""
    return field.name if field in tracked.news else ""


def _place_of(tracked: Tracked, asked: str) -> str:
    if not asked or tracked.filter_model is None:
        return ""
    try:
        return str(tracked.filter_model._meta.pk.clean(asked, None))
    except ValidationError:
        return ""
