"""Merging cities into another one of the same country: links to them move to it, then they are deleted."""

from django.db.models import Count, QuerySet

from apps.base.models import City, Country
from apps.base.text import search_form
from apps.changesets.acts.lines import Line
from apps.changesets.bulk.apply import BulkWork
from apps.changesets.bulk.deleting import delete_rows, relations_to
from apps.changesets.bulk.plans import BulkPlan, Options, sample_of
from apps.changesets.bulk.selection import Selection
from apps.changesets.bulk.setting import write_values
from apps.changesets.models import Kind
from apps.changesets.text import counted, plural

SAY_WHICH = "Say into which city to merge: the name or the number of a city of the same country."


def proposed_target(cities: QuerySet) -> int | None:
    """Return the key of the city that most objects point to, of several; of one alone none can be proposed."""
    keys = list(cities.order_by("pk").values_list("pk", flat=True)[:2])
    if len(keys) < 2:
        return None
    ranked = City.objects.filter(pk__in=cities.order_by().values("pk")).order_by()
    counts = {f"n{i}": Count(relation.name, distinct=True) for i, relation in enumerate(relations_to(City))}
    return ranked.annotate(**counts).order_by(*(f"-{name}" for name in counts), "pk").values_list("pk", flat=True)[0]


def _target(selection: Selection, typed: str) -> City | str:
    """Return the city to merge into, or the sentence that refuses."""
    countries = list(selection.rows().order_by().values_list("country_id", flat=True).distinct()[:2])
    if len(countries) > 1:
        return "Cities of several countries are selected: merge those of one country at a time. Nothing was changed."
    if not typed:
        return SAY_WHICH
    cities = City.objects.select_related("country")
    number = typed.isdecimal() and len(typed) < 19
    by_name = cities.filter(country_id=countries[0], search_name=search_form(typed))
    city = (cities.filter(pk=typed) if number else by_name).first()
    if city is None:
        return f"There is no city {typed!r} to merge into. {SAY_WHICH}"
    if city.country_id != countries[0]:
        return f"{city} is in {city.country}, not in the country of the selected cities. Nothing was changed."
    return city


def _merged(selection: Selection, target: City) -> QuerySet:
    return selection.rows().exclude(pk=target.pk)


def _plan(selection: Selection, options: Options) -> BulkPlan:
    target = _target(selection, str(options.get("target") or "").strip())
    if isinstance(target, str):
        return BulkPlan(0, counted(selection.number, City), "", refusal=target)
    merged = _merged(selection, target)
    number = merged.count()
    if not number:
        return BulkPlan(
            0, counted(0, City), "", refusal=f"Only {target} itself is selected: select what to merge into it."
        )
    lines = [Line("deleted", number, f"{plural(number, City)} will go into {target} (no. {target.pk})")]
    for relation in relations_to(City):
        moving = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": merged.values("pk")})
        if links := moving.count():
            noun = plural(links, relation.related_model)
            lines.append(Line("changed", links, f"{noun} will be linked to {target} instead"))
    cities = counted(number, City)
    return BulkPlan(
        number,
        f"{cities} into {target}",
        f"{cities} merged into {target}.",
        tuple(lines),
        sample_of(merged),
        facts={"target": target},
    )


def _write(selection: Selection, plan: BulkPlan, options: Options) -> None:
    target = plan.facts["target"]
    merged = _merged(selection, target)
    for relation in relations_to(City):
        name = relation.field.name
        rows = relation.related_model._base_manager.filter(**{f"{name}__in": merged.values("pk")})
        write_values(rows, {name: target})
    delete_rows(merged)


MERGE_CITY = BulkWork(Kind.BULK_ACTION, _plan, _write, deletes=lambda options: True, names=(Country,))
