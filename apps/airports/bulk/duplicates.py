"""Airports that share an IATA code: one of them keeps it, the others lose it or are deleted."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from django.db.models import Count, QuerySet

from apps.airports.models import Airport, AirportType
from apps.base.points import distance_km, in_words
from apps.changesets.bulk.deleting import delete_rows
from apps.changesets.bulk.operations import Operation
from apps.changesets.bulk.plans import SAMPLE, BulkPlan, Line, Listed, Options, counted
from apps.changesets.bulk.selection import Selection
from apps.changesets.bulk.setting import write_values
from apps.changesets.models import Kind

CLEAR, DELETE = "clear", "delete"
_TYPES = list(AirportType.values)


@dataclass(frozen=True)
class Group:
    """The airports that share a code; the first is the one that is proposed to keep it."""

    code: str
    airports: tuple[Airport, ...]

    @property
    def proposed(self) -> Airport:
        return self.airports[0]

    def described(self, airport: Airport) -> str:
        """Return what tells an airport of the group from the others: type, name, links, distance."""
        links = ", ".join(str(link) for link in (airport.city, airport.country) if link) or "no links"
        parts = [str(airport), airport.get_airport_type_display(), links]
        points = [(a.latitude_deg, a.longitude_deg) for a in (airport, self.proposed)]
        if airport is not self.proposed and None not in points[0] + points[1]:
            parts.append(f"{in_words(distance_km(*points))} from {self.proposed.pk}")
        return " · ".join(parts) + ("" if airport.active else " · inactive")


def duplicates_of(airports: QuerySet) -> list[Group]:
    """Return the groups that share a code with any of the airports, by code; others than those are in them, too."""
    codes = Airport.objects.filter(pk__in=airports.order_by().values("pk"), iata_code__gt="").values("iata_code")
    shared = Airport.objects.filter(iata_code__in=codes).order_by().values("iata_code").annotate(number=Count("pk"))
    members = Airport.objects.filter(iata_code__in=shared.filter(number__gt=1).values("iata_code"))
    found = members.select_related("country", "city").defer("upstream").order_by("iata_code", "pk")
    return [
        Group(code, tuple(sorted(group, key=_worth))) for code, group in groupby(found, key=lambda row: row.iata_code)
    ]


def _worth(airport: Airport) -> tuple:
    """Order by type (large first), then active ones, then those with more links, then by ident."""
    place = _TYPES.index(airport.airport_type) if airport.airport_type in _TYPES else len(_TYPES)
    links = (airport.country_id is not None) + (airport.city_id is not None)
    return place, not airport.active, -links, airport.pk


def keep_field(code: str) -> str:
    """Return the name of the option that says which airport keeps a code."""
    return f"keep_{code}"


def _kept(group: Group, options: Mapping) -> Airport | None:
    asked = options.get(keep_field(group.code)) or group.proposed.pk
    return next((airport for airport in group.airports if airport.pk == asked), None)


def _plan(selection: Selection, options: Options) -> BulkPlan:
    groups = duplicates_of(selection.rows())
    deletes = options.get("rule") == DELETE
    losers, names = [], []
    for group in groups:
        kept = _kept(group, options)
        if kept is None:
            asked = options[keep_field(group.code)]
            refusal = f"{asked} has not the code {group.code} any more: look again which airports share it."
            return BulkPlan(0, counted(0, Airport), "", refusal=refusal)
        others = [airport for airport in group.airports if airport is not kept]
        losers += others
        names.append(f"{group.code}: {kept.pk} keeps it, not {', '.join(airport.pk for airport in others)}")
    number, what = len(losers), counted(len(losers), Airport)
    codes = f"{len(groups):,} {'code is' if len(groups) == 1 else 'codes are'}"
    shared = f"{len(groups):,} shared IATA {'code' if len(groups) == 1 else 'codes'}"
    fate = "will be deleted" if deletes else "will have no IATA code"
    lines = [
        Line("deleted" if deletes else "changed", number, f"{what.partition(' ')[2]} {fate}"),
        Line("kept", len(groups), "with the code, one of each group"),
    ]
    return BulkPlan(
        number, shared, f"{what} {'deleted' if deletes else 'without IATA code'}: {codes} unique now.",
        tuple(lines) if groups else (), tuple(str(airport) for airport in losers[:SAMPLE]),
        (Listed(f"{codes.partition(' ')[2]} shared", len(groups), tuple(names[:SAMPLE])),) if groups else (),
        seen=f"~{zlib.crc32(repr([(group.code, [a.pk for a in group.airports]) for group in groups]).encode())}",
        facts={"losers": [airport.pk for airport in losers]})  # fmt: skip


def _write(selection: Selection, plan: BulkPlan, options: Options) -> None:
    losers = Airport.objects.filter(pk__in=plan.facts["losers"])
    if options.get("rule") == DELETE:
        delete_rows(losers)
    else:
        write_values(losers, {"iata_code": None})


RESOLVE_DUPLICATES = Operation(Kind.BULK_ACTION, _plan, _write, deletes=lambda options: options.get("rule") == DELETE)
