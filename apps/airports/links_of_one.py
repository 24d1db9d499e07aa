"""The links of one airport: clearing one of them, and linking it again to the places that its codes name.

Nothing is created: a place that is not there is told.
"""

from dataclasses import dataclass
from typing import Any

from django.db import models

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.base.text import search_form
from apps.changesets.context import changeset
from apps.changesets.diff import FieldChange
from apps.changesets.errors import PlanMoved
from apps.changesets.models import Changeset, Kind
from apps.changesets.versions import lock_row, newest_version

RELINK, CLEAR_COUNTRY, CLEAR_CITY = "relink", "clear_country", "clear_city"


@dataclass(frozen=True)
class LinkPlan:
    """What would become of an airport's links, and what cannot be done and why; `seen` is its version by then."""

    values: dict[str, models.Model | None]
    fields: tuple[FieldChange, ...]
    notes: tuple[str, ...]
    seen: int


def plan_links(airport: Airport, act: str) -> LinkPlan:
    """Return what relinking the airport, or clearing its country or its city, would change."""
    if act == RELINK:
        values, notes = _places(airport)
    else:
        values, notes = {act.removeprefix("clear_"): None}, ()
    now = {name: getattr(airport, name) for name in values}
    changed = {name: value for name, value in values.items() if value != now[name]}
    fields = tuple(
        FieldChange(name, str(airport._meta.get_field(name).verbose_name), _name(now[name]), _name(value))
        for name, value in changed.items()
    )
    return LinkPlan(changed, fields, notes, newest_version(airport) or 0)


def change_links(
    airport: Airport, act: str, *, actor: Any, reason: str, seen: int | None = None
) -> tuple[Changeset | None, LinkPlan]:
    """Do it as one changeset (None when nothing was to change), and return the plan that was followed.

    Raises PlanMoved when the airport is gone, or is not as it was at version `seen` any more.
    """
    kind = Kind.RELINK if act == RELINK else Kind.BULK_ACTION
    with changeset(kind=kind, actor=actor, reason=reason) as opened:
        live = lock_row(airport)
        if live is None:
            raise PlanMoved(f"{airport} is deleted by now: nothing was done.")
        plan = plan_links(live, act)
        if seen is not None and plan.seen != seen:
            raise PlanMoved("Somebody changed it since you opened this page: this is what would be done now.")
        if plan.values:
            for name, value in plan.values.items():
                setattr(live, name, value)
            live.save(update_fields=[*plan.values, "updated_at"])
    return (opened if opened.pk else None), plan


def _places(airport: Airport) -> tuple[dict[str, models.Model | None], tuple[str, ...]]:
    """Return the places that the codes name, by the link; and which could not be found."""
    code, name = airport.iso_country.strip().upper(), search_form(airport.municipality)
    country = Country.objects.filter(iso_code=code).first() if code else None
    if country is None:
        return {}, (f"There is no country with the code {code}." if code else "It has no country code.",)
    if not name:
        return {"country": country}, ("It has no municipality, so its city is left as it is.",)
    city = City.objects.filter(country=country, search_name=name).first()
    if city is None:
        return {"country": country}, (
            f"There is no city {airport.municipality} in {country}, so its city is left as it is.",
        )
    return {"country": country, "city": city}, ()


def _name(place: models.Model | None) -> str | None:
    return None if place is None else str(place)
