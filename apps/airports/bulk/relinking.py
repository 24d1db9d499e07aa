"""Relinking airports to country and city, set-based, with the reason why each is linked or not."""

from django.utils import timezone

from apps.airports.bulk.candidates import CHANGES, LIMIT_KM, fill_candidates, with_places
from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.acts.lines import Line
from apps.changesets.bulk.apply import BulkWork
from apps.changesets.bulk.plans import SAMPLE, BulkPlan, Listed, Options
from apps.changesets.bulk.rehearsal import rehearsed
from apps.changesets.bulk.selection import Selection
from apps.changesets.fields import field_of
from apps.changesets.models import Kind
from apps.changesets.sql import Sql
from apps.changesets.text import counted, plural
from apps.changesets.tracking import tracked_for

_FAR = f"would be linked to a city more than {LIMIT_KM} km away: doubtful, not linked"
# outcome -> the words for one airport that has it, and for several.
NOT_DONE = {
    "no_country": ("has a country code that no country has", "have a country code that no country has"),
    "no_municipality": ("names no municipality", "name no municipality"),
    "no_city": ("names a municipality that no city is called", "name a municipality that no city is called"),
    "several": ("names a municipality that several cities may be", "name a municipality that several cities may be"),
    "doubtful": (_FAR, _FAR),
}


def relinking(condition: str) -> BulkWork:
    """Return the work that relinks the airports that belong to a selection (see `fill_candidates`).

    In the condition `{selected}` is the query of the selected keys, `{city}` the table of cities.
    """

    def plan(selection: Selection, options: Options) -> BulkPlan:
        sql = fill_candidates(selection, condition)
        number, countries, cities, right, pinned, *left = _count(sql)
        names = _names(sql)
        lines = [
            Line("changed", number, f"will be linked: {countries:,} to another country, {cities:,} to another city"),
            Line("kept", right, plural(right, "is already linked correctly", "are already linked correctly")),
            Line("kept", pinned, plural(pinned, "has a pinned link, which stays", "have a pinned link, which stays")),
        ]
        listed = []
        for n, (outcome, words) in zip(left, NOT_DONE.items(), strict=True):
            why = plural(n, *words)
            lines.append(Line("blocked", n, why))
            if outcome != "no_municipality":
                listed.append(Listed(why, n, tuple(names.get(outcome, ()))))
        airports = counted(number, Airport)
        done = f"{airports} relinked: {countries:,} to a country, {cities:,} to a city."
        shown = tuple(line for line in lines if line.number)
        some = tuple(names for names in listed if names.number)
        return BulkPlan(number, airports, done, shown, tuple(names.get("changes", ())), some)

    return BulkWork(Kind.RELINK, plan, _write, names=(Airport, City, Country))


def _count(sql: Sql) -> list[int]:
    """Return how many change, by country and by city, are right already, are pinned, and each outcome not done."""
    conditions = [
        CHANGES,
        "r.new_country IS NOT NULL AND r.new_country IS DISTINCT FROM r.old_country",
        "r.new_city IS NOT NULL AND r.new_city IS DISTINCT FROM r.old_city",
        f"r.outcome = 'found' AND r.pinned = 0 AND NOT {CHANGES}",
        "r.pinned = 1",
        *(f"r.outcome = '{outcome}'" for outcome in NOT_DONE),
    ]
    counts = ", ".join(f"COUNT(CASE WHEN {condition} THEN 1 END)" for condition in conditions)
    return list(sql.rows("SELECT {counts} FROM {relink} r", counts=counts)[0])


def _names(sql: Sql) -> dict[str, list[str]]:
    """Return the first airports of each listed outcome, and of those that change, with the reason."""
    # A few of each; an airport that changes may also have an outcome that is listed.
    groups = {"changes": CHANGES} | {
        outcome: f"r.outcome = '{outcome}'" for outcome in NOT_DONE if outcome != "no_municipality"
    }
    few = [
        sql.fill(
            """
            SELECT * FROM (
                SELECT r.pk, r.municipality, r.km, r.new_country, r.new_city, '{group}' AS outcome_group FROM {relink} r
                WHERE {condition} ORDER BY r.pk LIMIT {limit}
            ) {group}
            """,
            group=group,
            condition=condition,
            limit=str(SAMPLE),
        )
        for group, condition in groups.items()
    ]
    rows = sql.rows(
        """
        SELECT f.outcome_group, f.pk, a.name, f.municipality, a.iso_country, f.km, t.name, c.name FROM ({few}) f
        JOIN {airport} a ON a.ident = f.pk
        LEFT JOIN {city} t ON t.id = f.new_city LEFT JOIN {country} c ON c.id = f.new_country ORDER BY f.pk
        """,
        few=" UNION ALL ".join(few),
    )
    named: dict[str, list[str]] = {}
    for group, pk, name, municipality, code, km, *new in rows:
        becomes = f": to {', '.join(filter(None, new))}"
        where = {"changes": becomes, "no_country": f": {code or 'no code'}"}.get(group, f": {municipality}, {code}")
        named.setdefault(group, []).append(f"{pk} · {name}{where}" + (f", {km:,} km" if km else ""))
    return named


def _write(selection: Selection, plan: BulkPlan, options: Options) -> None:
    sql = with_places(selection.sql)
    if rehearsal := rehearsed():
        links = {"country": "COALESCE(r.new_country, l.country_id)", "city": "COALESCE(r.new_city, l.city_id)"}
        source = sql.fill("FROM {relink} r JOIN {airport} l ON l.ident = r.pk WHERE {changes}", changes=CHANGES)
        after = {field_of(Airport, name): value for name, value in links.items()}
        rehearsal.note(sql, tracked_for(Airport), source, after=after)
        return
    # Write the matched links; the others stay.
    sql.run(
        """
        UPDATE {airport} SET country_id = COALESCE(r.new_country, {airport}.country_id),
            city_id = COALESCE(r.new_city, {airport}.city_id), updated_at = %s
        FROM {relink} r WHERE r.pk = {airport}.ident AND {changes}
        """,
        [sql.moment(timezone.now())],
        changes=CHANGES,
    )


RELINK = relinking("a.ident IN ({selected})")
RELINK_OF_COUNTRIES = relinking("(a.country_id IN ({selected}) OR c.id IN ({selected}))")
# SQLite knows no small letters but those of ASCII: a city may also be named as the airport names it.
RELINK_OF_CITIES = relinking(
    "(a.city_id IN ({selected}) OR n.id IN ({selected}) "
    "OR (c.id, a.municipality) IN (SELECT country_id, name FROM {city} WHERE id IN ({selected})))"
)
