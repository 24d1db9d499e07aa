"""Names of fields in what imports keep: pins, values of upstream, mappings of headers, and how runs are to be read."""

import json
from collections.abc import Iterator
from typing import Any

from django.db import connections
from django.db.models import Count, Model

from apps.changesets.fields import column_of, field_of
from apps.changesets.names import Renaming, rewrite, rows_in
from apps.changesets.sql import Sql
from apps.changesets.text import counted, plural
from apps.imports.models import HeaderMapping, ImportRun, Pin, RunStatus
from apps.imports.plan.pins import pinnable_fields
from apps.imports.registry import all_specs
from apps.imports.runs.schema import why_not_this_plan
from apps.imports.spec import ImportSpec


class ImportNames:
    """What imports keep under names of fields."""

    def carry(self, renaming: Renaming) -> None:
        """Let pins, values of upstream, mappings and runs follow a renamed field."""
        _carry_pins(renaming)
        names = [spec.name for spec in _specs_of(renaming.label)]
        mappings = rows_in(HeaderMapping, renaming.using, "spec", "mapping", "changes").filter(spec__in=names)
        for column in ("mapping", "changes"):
            rewrite(mappings, column, renaming.keys)
        # The rows of a plan stay as they are: what is not applied yet has to be planned again.
        runs = rows_in(ImportRun, renaming.using, "spec", "mapping", "options").filter(spec__in=names)
        rewrite(runs, "mapping", renaming.keys)
        rewrite(runs, "options", lambda options: _renamed_in(options, renaming))
        for upstream in {spec.upstream for spec in _specs_of(renaming.label) if spec.upstream}:
            for model in filter(None, (renaming.model, renaming.history)):
                _carry_upstream(renaming, model, upstream)

    def strays(self, using: str) -> Iterator[str]:
        """Yield what is pinned or mapped under a name that no field answers to, and the plans of other columns."""
        pins = rows_in(Pin, using, "model", "field").exclude(field="").order_by()
        for label, field, number in pins.values_list("model", "field").annotate(Count("pk")):
            if field not in _pinnable(label):
                yield f"{counted(number, 'pin')} of {label} {plural(number, 'is', 'are')} of {field!r}, {_NO_FIELD}"
        for spec in all_specs():
            yield from _mapping_strays(spec, using)
            yield from _run_strays(spec, using)
            if spec.upstream:
                gone = sorted(_names_in_upstream(spec, using) - {*spec.merged})
                if gone:
                    yield (
                        f"The kept values of {spec.upstream_title or 'upstream'} for {spec.model._meta.label_lower} "
                        f"have {', '.join(gone)}, {_NO_FIELD}"
                    )


_NO_FIELD = "which no field that imports fill answers to any more."
# Where names are: as keys of an object, or as a list.
_OPTIONS = {"mapping": "keys", "changes": "keys", "columns": "names", "skip_links": "names"}


def _specs_of(label: str) -> list[ImportSpec]:
    return [spec for spec in all_specs() if spec.model._meta.label_lower == label]


def _renamed_in(options: dict[str, Any], renaming: Renaming) -> dict[str, Any]:
    given = {name: options[name] for name in _OPTIONS if options.get(name) is not None}
    return {**options, **{name: getattr(renaming, _OPTIONS[name])(value) for name, value in given.items()}}


def _carry_pins(renaming: Renaming) -> None:
    pins = rows_in(Pin, renaming.using, "model", "object_key", "field").filter(model=renaming.label)
    old = pins.filter(field=renaming.old)
    # Those of the new name lost their field long ago, and would be in the way.
    pins.filter(field=renaming.new, object_key__in=list(old.values_list("object_key", flat=True))).delete()
    old.update(field=renaming.new)


def _carry_upstream(renaming: Renaming, model: type[Model], upstream: str) -> None:
    """Rename a key of upstream's values; history is rewritten along, so that row and newest history row stay equal."""
    if upstream not in {field.name for field in model._meta.concrete_fields}:
        return
    connection = connections[renaming.using]
    sql = Sql(renaming.using, table=model._meta.db_table, upstream=column_of(field_of(model, upstream)))
    if sql.postgresql:
        sql.run(
            """
            UPDATE {table} SET {upstream} = ({upstream} - %s - %s) || jsonb_build_object(%s, {upstream} -> %s)
            WHERE {upstream} -> %s IS NOT NULL
            """,
            [renaming.old, renaming.new, renaming.new, renaming.old, renaming.old],
        )
        return
    # SQLite's own functions write JSON otherwise than Django does, and the text is what is compared.
    connection.connection.create_function("renamed_keys", 1, lambda text: json.dumps(renaming.keys(json.loads(text))))
    sql.run(
        "UPDATE {table} SET {upstream} = renamed_keys({upstream}) WHERE {upstream} -> %s IS NOT NULL", [renaming.old]
    )


def _pinnable(label: str) -> tuple[str, ...]:
    return next((pinnable_fields(spec.model) for spec in _specs_of(label)), ())


def _mapping_strays(spec: ImportSpec, using: str) -> Iterator[str]:
    known = {column.field for column in spec.columns}
    for mapping in rows_in(HeaderMapping, using, "spec", "mapping").filter(spec=spec.name).values_list("mapping"):
        if gone := sorted(mapping[0].keys() - known):
            yield f"A mapping of titles that is remembered for {spec.name} fills {', '.join(gone)}, {_NO_FIELD}"


def _run_strays(spec: ImportSpec, using: str) -> Iterator[str]:
    planned = (RunStatus.PLANNED, RunStatus.APPROVED)
    runs = rows_in(ImportRun, using, "spec", "status", "summary", "file_name").filter(
        spec=spec.name, status__in=planned
    )
    for run in runs.only("file_name", "summary", "spec"):
        if why := why_not_this_plan(run):
            yield why


def _names_in_upstream(spec: ImportSpec, using: str) -> set[str]:
    model, upstream = spec.model, column_of(field_of(spec.model, spec.upstream or ""))
    if not rows_in(model, using, upstream).exists():
        return set()
    sql = Sql(using, table=model._meta.db_table, upstream=upstream)
    # The names that the values of upstream are kept under.
    if sql.postgresql:
        query = "SELECT DISTINCT jsonb_object_keys({upstream}) FROM {table} WHERE jsonb_typeof({upstream}) = 'object'"
    else:
        query = "SELECT DISTINCT k.key FROM {table} t, json_each(t.{upstream}) k WHERE k.key IS NOT NULL"
    return set(sql.firsts(query))


KEEPER = ImportNames()
