"""The schema that a stored plan is of: its rows hold names of fields, which another version may not have."""

from hashlib import sha256

from django.db import connections

from apps.imports.models import ImportRun
from apps.imports.registry import spec_named
from apps.imports.spec import ImportSpec


def schema_of(spec: ImportSpec) -> str:
    """Return a mark of the fields that a plan of this spec is made of; it differs when one is added or named anew."""
    fields = [
        (model._meta.label_lower, field.name, field.column, field.db_type(connections["default"]))
        for model in spec.watched
        for field in model._meta.concrete_fields
    ]
    columns = [column.field for column in spec.columns]
    links = [link.field for link in spec.linker.links] if spec.linker else []
    return sha256(repr((fields, columns, spec.merged, links)).encode()).hexdigest()[:16]


def why_not_this_plan(run: ImportRun) -> str | None:
    """Return why the stored plan of a run cannot be used any more, or None; one without a schema is older."""
    if (run.summary or {}).get("schema") == schema_of(spec_named(run.spec)):
        return None
    return f"The plan of {run} was made by another version of the console, for other columns: plan it again."
