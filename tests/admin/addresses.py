"""Every address of the admin, from the resolver itself, with the arguments of one world."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.urls import NoReverseMatch, URLPattern, get_resolver, reverse

from apps.changesets.tracking import tracked_models

# These let people in and out, and ask no permission.
EXEMPT = {"login", "logout"}
MODELS = {tracked.table: tracked.name for tracked in tracked_models()}


def url_names() -> Iterator[tuple[str, Any]]:
    """Yield the name and pattern of each address; those without a name only lead to another one that has one."""

    def walk(resolver: Any) -> Iterator[URLPattern]:
        for each in resolver.url_patterns:
            yield from [each] if isinstance(each, URLPattern) else walk(each)

    for pattern in walk(get_resolver()):
        if pattern.name and pattern.name not in EXEMPT:
            yield pattern.name, pattern.pattern


def addresses_of(world: dict[str, Any]) -> dict[str, str]:
    """Return each address by its name, those of tracked tables under `<model>_`, buttons with the tool's name.

    `world` has the arguments, by how the names begin that they are for.
    """
    found = {}
    for name, pattern in url_names():
        model = next((model for model in MODELS if name.startswith(f"{model}_")), "")
        values = dict(world[""])
        for start in sorted(world, key=len):
            values |= world[start] if name.startswith(start) else {}
        for tool in _tools(name, model):
            key = f"<model>{name.removeprefix(model)}" if model else name
            key, values["tool"] = (f"{key} {tool}", tool) if tool else (key, "")
            key = f"{key} {MODELS[model]}" if model else key
            found[key] = _reverse(name, pattern, values)
    return found


def _tools(name: str, model: str) -> list[str]:
    if name != f"{model}_actions":
        return [""]
    return next(list(a.change_actions) for m, a in admin.site._registry.items() if m._meta.db_table == model)


def _reverse(name: str, pattern: Any, values: dict[str, Any]) -> str:
    wanted = getattr(pattern, "converters", None) or dict.fromkeys(pattern.regex.groupindex)
    for prefix in ("admin:", ""):
        try:
            if wanted or not pattern.regex.groups:
                return reverse(prefix + name, kwargs={each: values[each] for each in wanted})
            return reverse(prefix + name, args=values["args"])
        except NoReverseMatch:
            continue
    raise LookupError(f"No address for {name}: give its arguments in the world of the matrix.")
