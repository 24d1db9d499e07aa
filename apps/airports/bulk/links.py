"""Clearing the links of many airports: of those selected, or of those that point to selected places."""

from django.db.models import QuerySet

from apps.airports.models import Airport
from apps.changesets.acts.lines import Line
from apps.changesets.bulk.apply import BulkWork
from apps.changesets.bulk.plans import BulkPlan, Options, sample_of
from apps.changesets.bulk.selection import Selection
from apps.changesets.bulk.setting import setting, write_values
from apps.changesets.models import Kind
from apps.changesets.text import counted, plural


def clearing_of_places(field: str) -> BulkWork:
    """Return the work that clears this link on every airport that points to a selected place."""

    def airports(selection: Selection) -> QuerySet:
        return selection.pointing(Airport, field)

    def plan(selection: Selection, options: Options) -> BulkPlan:
        number = airports(selection).count()
        linked = airports(selection).order_by().values(field).distinct().count()
        lines = [Line("changed", number, f"{plural(number, Airport)} will have no {field}")]
        if selection.number > linked:
            names = plural(selection.number - linked, selection.model)
            lines.append(Line("kept", selection.number - linked, f"{names} no airport points to"))
        affected = counted(number, Airport)
        shown = lines if number else lines[1:]
        return BulkPlan(
            number, affected, f"The {field} of {affected} cleared.", tuple(shown), sample_of(airports(selection))
        )

    def write(selection: Selection, plan: BulkPlan, options: Options) -> None:
        write_values(airports(selection), {field: None})

    return BulkWork(Kind.BULK_ACTION, plan, write, names=(Airport,))


CLEAR_COUNTRY = setting("country", None, done="without country", already="without country already")
CLEAR_CITY = setting("city", None, done="without city", already="without city already")
CLEAR_IATA = setting("iata_code", None, done="without IATA code", already="without IATA code already")
CLEAR_COUNTRY_OF_PLACES = clearing_of_places("country")
CLEAR_CITY_OF_PLACES = clearing_of_places("city")
