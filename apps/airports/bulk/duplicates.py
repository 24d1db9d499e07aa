"""Airports that share an IATA code: one of them keeps it, the others lose it or are deleted.

Who keeps a code is ranked by the database; Python holds the few groups that are shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from django.db.models import Case, Count, F, IntegerField, Max, Q, QuerySet, When, Window
from django.db.models.functions import RowNumber

from apps.airports.models import Airport, AirportType
from apps.changesets.acts.lines import Line
from apps.changesets.bulk.apply import BulkWork
from apps.changesets.bulk.deleting import delete_rows
from apps.changesets.bulk.plans import SAMPLE, BulkPlan, Listed, Options
from apps.changesets.bulk.selection import Selection
from apps.changesets.bulk.setting import write_values
from apps.changesets.history.maps import distance_km
from apps.changesets.history.moves import in_words
from apps.changesets.models import Kind
from apps.changesets.text import counted, plural
from apps.changesets.tracking import tracked_for

CLEAR, DELETE = "clear", "delete"
KEEP = "keep_"
# So many of a group that loses its code are named in a line.
FEW = 5


@dataclass(frozen=True)
class Group:
    """The airports that share a code; the first is the one that is proposed to keep it."""

    code: str
    airports: tuple[Airport, ...]

    @property
    def proposed(self) -> Airport:
        return self.airports[0]

    @property
    def others(self) -> str:
        """Return the idents of the others, of many only the first."""
        keys = [airport.pk for airport in self.airports[1:]]
        few = ", ".join(keys[:FEW])
        return few if len(keys) <= FEW else f"{few} and {len(keys) - FEW:,} more"

    def described(self, airport: Airport) -> str:
        """Return what tells an airport of the group from the others: type, name, links, distance."""
        links = ", ".join(str(link) for link in (airport.city, airport.country) if link) or "no links"
        parts = [str(airport), airport.get_airport_type_display(), links]
        own, kept = _point(airport), _point(self.proposed)
        if airport is not self.proposed and own and kept:
            parts.append(f"{in_words(distance_km(own, kept))} from {self.proposed.pk}")
        return " · ".join(parts) + ("" if airport.active else " · inactive")


def _point(airport: Airport) -> tuple[float, float] | None:
    latitude, longitude = airport.latitude_deg, airport.longitude_deg
    return None if latitude is None or longitude is None else (latitude, longitude)


def first_groups(airports: QuerySet, number: int, *, kept: Iterable[str] = ()) -> list[Group]:
    """Return the first groups that share a code with any of the airports; others than those are in them, too."""
    codes = _codes(airports).order_by("iata_code")[:number]
    ranked = _ranked(Airport.objects.filter(iata_code__in=codes), kept).order_by("iata_code", "place")
    rows = ranked.select_related("country", "city").defer("upstream")
    return [Group(code, tuple(group)) for code, group in groupby(rows, key=lambda row: row.iata_code)]


def keep_field(code: str) -> str:
    """Return the name of the option that says which airport keeps a code."""
    return f"{KEEP}{code}"


def _codes(airports: QuerySet) -> QuerySet:
    """Return the codes that any of the airports shares with another one."""
    counted = Airport.objects.filter(iata_code__gt="").order_by().values("iata_code").annotate(number=Count("pk"))
    shared = counted.filter(number__gt=1).values("iata_code")
    some = Airport.objects.filter(iata_code__in=shared, pk__in=airports.order_by().values("pk"))
    return some.order_by().values_list("iata_code", flat=True).distinct()


def _ranked(members: QuerySet, kept: Iterable[str]) -> QuerySet:
    """Give each its place in its group: who is to keep, by type (large first), active, with more links, by ident.

    Idents with a hyphen (`ID-RTI`) are those that OurAirports makes up where an airport has no code of its own. Of the
    20 shared codes of 2022 that the snapshot of 2026 has given to one airport, 18 so go to that one.
    """
    of_type = [When(airport_type=value, then=place) for place, value in enumerate(AirportType.values)]
    links = [Case(When(**{f"{link}__isnull": False}, then=1), default=0) for link in ("country", "city")]
    order = [
        Case(When(pk__in=list(kept), then=0), default=1),
        Case(*of_type, default=len(of_type), output_field=IntegerField()),
        F("active").desc(),
        (links[0] + links[1]).desc(),
        Case(When(pk__contains="-", then=1), default=0),
        F("pk").asc(),
    ]
    return members.annotate(place=Window(RowNumber(), partition_by=F("iata_code"), order_by=order))


def _kept(options: Mapping) -> tuple[list[str], str]:
    """Return the airports that were chosen to keep their code; or a sentence where one has not the code."""
    chosen = {name.removeprefix(KEEP): pk for name, pk in options.items() if name.startswith(KEEP) and pk}
    if not chosen:
        return [], ""
    codes = dict(Airport.objects.filter(pk__in=chosen.values()).values_list("pk", "iata_code"))
    for code, pk in chosen.items():
        if codes.get(pk) != code:
            return [], f"{pk} has not the code {code} any more: look again which airports share it."
    return list(chosen.values()), ""


def _plan(selection: Selection, options: Options) -> BulkPlan:
    kept, refusal = _kept(options)
    if refusal:
        return BulkPlan(0, counted(0, Airport), "", refusal=refusal)
    members = selection.subset("bulk_sharing", Airport.objects.filter(iata_code__in=_codes(selection.rows())))
    losers = _ranked(members, kept).filter(place__gt=1)
    # Each group has one that keeps the code, and so one loser at least.
    outside = Count("pk", filter=~Q(pk__in=selection.keys()))
    facts = losers.aggregate(number=Count("pk"), groups=Count("iata_code", distinct=True), outside=outside)
    number, groups = facts["number"], facts["groups"]
    history = tracked_for(Airport).history_model._base_manager
    newest = history.filter(ident__in=members.values("pk")).aggregate(newest=Max("history_id"))["newest"]
    first = first_groups(members, SAMPLE, kept=kept)
    airports, deletes = counted(number, Airport), options.get("rule") == DELETE
    fate = "will be deleted" if deletes else "will have no IATA code"
    lines = [
        Line("deleted" if deletes else "changed", number, f"{plural(number, Airport)} {fate}"),
        _unselected(facts["outside"], deletes=deletes),
        Line("kept", groups, "with the code, one of each group"),
    ]
    if not groups:
        share = plural(selection.number, "shares", "share")
        lines.append(Line("kept", selection.number, f"{share} no IATA code with another airport"))
    codes = plural(groups, "code is", "codes are")
    shown = [f"{group.code}: {group.proposed.pk} keeps it, not {group.others}" for group in first]
    return BulkPlan(
        number,
        counted(groups, "shared IATA code"),
        f"{airports} {'deleted' if deletes else 'without IATA code'}: {groups:,} {codes} unique now.",
        tuple(line for line in lines if line.number),
        tuple(str(airport) for group in first for airport in group.airports[1:])[:SAMPLE],
        (Listed(f"{codes} shared", groups, tuple(shown)),) if groups else (),
        also_seen=str(newest or 0),
        facts={"losers": losers},
    )


def _unselected(number: int, *, deletes: bool) -> Line:
    """Say how many are changed that nobody selected: a code is made unique among all that share it."""
    who = plural(number, "of them is not selected: it shares", "of them are not selected: they share")
    return Line("deleted" if deletes else "changed", number, f"{who} a code with one that is", part=True)


def _write(selection: Selection, plan: BulkPlan, options: Options) -> None:
    losers = Airport.objects.filter(pk__in=plan.facts["losers"].values("pk"))
    if options.get("rule") == DELETE:
        delete_rows(losers)
    else:
        write_values(losers, {"iata_code": None})


RESOLVE_DUPLICATES = BulkWork(Kind.BULK_ACTION, _plan, _write, deletes=lambda options: options.get("rule") == DELETE)
