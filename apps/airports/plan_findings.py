"""The findings that a plan would leave: the rules run on temporary tables with the rows as they would be."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import models
from django.db.models import Q

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.fields import column_of
from apps.imports.plan.missing import superseded_pks
from apps.imports.staging.tables import Staging
from apps.quality.accepting import accepted_of
from apps.quality.findings import count_findings, findings_of, reading_from
from apps.quality.rules import Rule, all_rules
from apps.quality.tallies import newest_counted

_MODELS = (Country, City, Airport)
# Of so many findings of a rule the airports are kept with the plan.
_KEPT_KEYS = 1000


def look_for_findings(staging: Staging) -> dict[str, dict[str, Any]]:
    """Return the rules whose number of findings would change: the present and the planned number, by code.

    Where there would be more findings about airports, the keys of those airports are there, too.
    """
    # Whether the plan writes anything.
    if not staging.value(
        """
        SELECT (SELECT COUNT(*) FROM {changed}) + (SELECT COUNT(*) FROM {created}) + (SELECT COUNT(*) FROM {missing})
        """
    ):
        return {}
    rules = [rule for rule in all_rules() if rule.model_class in _MODELS]
    today = newest_counted().counts
    using = staging.using
    accepted = accepted_of(rules, using=using)

    def keys_of(rule: Rule) -> list[str]:
        return list(findings_of(rule, using=using, accepted=accepted).values_list("pk", flat=True))

    with _tables_then(staging) as tables, reading_from(tables, using=using):
        # A slow rule is not looked for twice: its keys say how many findings it has.
        slow = {rule.code: keys_of(rule) for rule in rules if _is_slow(rule)}
        counted = count_findings([rule for rule in rules if rule.code not in slow], using=using)
        then = counted | {code: len(keys) for code, keys in slow.items()}
        more = {rule.code: rule for rule in rules if then[rule.code] > today[rule.code] and rule.model_class is Airport}
        keys = {code: slow[code] if code in slow else keys_of(rule) for code, rule in more.items()}
    return {
        rule.code: {"today": today[rule.code], "then": then[rule.code], "keys": keys.get(rule.code, [])[:_KEPT_KEYS]}
        for rule in rules
        if then[rule.code] != today[rule.code]
    }


def _is_slow(rule: Rule) -> bool:
    return rule.model_class is Airport and not isinstance(rule.broken, Q)


@contextmanager
def _tables_then(staging: Staging) -> Iterator[dict[str, str]]:
    """Give temporary tables of countries, cities and airports as they would be after the plan."""
    tables = {model._meta.db_table: f"then_{model._meta.db_table}" for model in _MODELS}
    try:
        _make(staging, Country, _new_countries(), "TRUE")
        _make(staging, City, _new_cities(staging), "TRUE")
        _make(staging, Airport, _written_airports(staging), _stays(staging))
        yield tables
    finally:
        for name in tables.values():
            staging.run("DROP TABLE IF EXISTS {name}", name=name)


def _make(staging: Staging, model: type[models.Model], arriving: tuple[dict[str, str], str], stays: str) -> None:
    """Make the table of a model from its unchanged rows and the planned ones, given by field and as a FROM clause."""
    values, rows = arriving
    fields = [field for field in model._meta.concrete_fields if field.get_internal_type() != "JSONField"]
    name = f"then_{model._meta.db_table}"
    known = [field for field in fields if field.name in values]
    sql = staging.with_parts(name=name, rows=rows, stays=stays).with_names(
        table=model._meta.db_table, columns=[column_of(field) for field in known]
    )
    sql.run("DROP TABLE IF EXISTS {name}")
    # The rows that the plan does not change ...
    sql.run(
        "CREATE TEMP TABLE {name} AS SELECT {all} FROM {table} t WHERE {stays}",
        all=sql.names([column_of(field) for field in fields], of="t"),
    )
    # ... and those that it writes; columns that no rule reads stay empty.
    sql.run(
        "INSERT INTO {name} ({columns}) SELECT {values} FROM {rows}",
        values=", ".join(values[field.name] for field in known),
    )
    staging.analyze(name, [column_of(model._meta.pk)])


def _new_countries() -> tuple[dict[str, str], str]:
    # Countries to be created have no key yet; a number below zero stands for it.
    keyed = "(SELECT iso_code, -ROW_NUMBER() OVER (ORDER BY iso_code) AS id FROM imports_new_countries) n"
    return {"id": "n.id", "iso_code": "n.iso_code", "name": "n.iso_code", "active": "TRUE"}, keyed


def _new_cities(staging: Staging) -> tuple[dict[str, str], str]:
    values = {"id": "-n.line", "country": "c.id", "active": "TRUE"}
    same = ("name", "search_name", "ascii_name", "slug", "latitude", "longitude")
    values |= {field: f"n.{staging.quote(field)}" for field in same}
    return values, "imports_cities n JOIN then_base_country c ON c.iso_code = n.iso_country"


def _stays(staging: Staging) -> str:
    gone = "SELECT old_pk FROM {missing}" if staging.options.missing == "delete" else superseded_pks(staging)
    changed, gone = staging.absent("t.{pk}", "SELECT old_pk FROM {changed}"), staging.absent("t.{pk}", gone)
    return staging.fill(f"{changed} AND {gone}")


def _written_airports(staging: Staging) -> tuple[dict[str, str], str]:
    values = {field: f"w.{staging.quote(field)}" for field in staging.stored}
    for link in staging.links:
        column = staging.column(link.field)
        linked_pk = "lc.id" if link.field == "country" else "lt.id"
        values[link.field] = f"CASE WHEN w.{staging.want(link.field)} THEN {linked_pk} ELSE l.{column} END"
    rows = staging.fill(
        """
        {writes} w LEFT JOIN {live} l ON l.{pk} = w.old_pk
        LEFT JOIN then_base_country lc ON lc.iso_code = w.iso_country
        LEFT JOIN then_base_city lt ON lt.country_id = lc.id AND lt.search_name = w.city_search
        """
    )
    return values, rows
