"""The values that upstream gave in a row, as the JSON text that is kept with its object."""

import json
from json.encoder import encode_basestring_ascii
from typing import Any

from apps.changesets.fields import field_of
from apps.imports.mapping.layout import Layout


def upstream_texts(by_field: dict[str, list[Any]], layout: Layout) -> list[str]:
    """Build the JSON of each row's upstream values, exactly as Django's JSONField writes it.

    What the file has no column for is null, where that may be: a later file with an empty column changes nothing.

    SQL could build it too, but SQLite's json_object keeps 15 digits of a float, and a plain save() of an object would
    write the text anew in Python's form, which on SQLite is a change.
    """
    names = layout.merged
    absent = {name for name in layout.lacking if field_of(layout.spec.model, name).null}
    marks = [(name, "null" if name in absent else "%s") for name in layout.spec.merged if name in absent.union(names)]
    template = "{" + ", ".join(f"{encode_basestring_ascii(name)}: {mark}" for name, mark in marks) + "}"
    return [template % row for row in zip(*(_fragments(by_field[name]) for name in names), strict=True)]


def sparse_texts(by_field: dict[str, list[Any]], names: list[str]) -> list[str]:
    """Build the JSON of the values of each row, without blank cells."""
    rows = zip(*(by_field[name] for name in names), strict=True)
    return [
        json.dumps({name: value for name, value in zip(names, row, strict=True) if value is not None}) for row in rows
    ]


def _fragments(values: list[Any]) -> list[str]:
    """Return the JSON of each value of one column; the types in it decide the fastest way."""
    types = set(map(type, values))
    if types == {str}:
        return list(map(encode_basestring_ascii, values))
    if types <= {int, float}:
        return list(map(repr, values))
    if types == {bool}:
        return ["true" if value else "false" for value in values]
    if str in types:
        return ["null" if value is None else encode_basestring_ascii(value) for value in values]
    return ["null" if value is None else repr(value) for value in values]
