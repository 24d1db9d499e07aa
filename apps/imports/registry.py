"""Which imports there are. Any installed app may have a `columns.py` that registers what is imported and exported.

These modules are found when somebody first asks for a spec: few commands need the machinery of imports.
"""

from functools import cache
from typing import TYPE_CHECKING

from django.db import models
from django.utils.module_loading import autodiscover_modules

from apps.changesets.hooks import Hook

if TYPE_CHECKING:
    from apps.imports.spec import ImportSpec

# What is registered after those of all `columns.py`, and stands elsewhere.
FURTHER: Hook["ImportSpec"] = Hook()
_specs: dict[str, "ImportSpec"] = {}


def register_spec(spec: "ImportSpec") -> None:
    """Make `spec` known by its name; the first one registered for a model is the one that its pages use."""
    _specs[spec.name] = spec


def spec_named(name: str) -> "ImportSpec":
    """Return the spec registered under `name`; raises LookupError naming those there are."""
    try:
        return _found()[name]
    except KeyError:
        raise LookupError(f"No import is called {name!r}; there are: {', '.join(sorted(_specs))}.") from None


def spec_for(model: type[models.Model]) -> "ImportSpec":
    """Return the first spec registered for `model`; raises LookupError when there is none."""
    for spec in _found().values():
        if spec.model is model:
            return spec
    raise LookupError(f"Nothing imports {model._meta.verbose_name_plural}.")


def has_spec(model: type[models.Model]) -> bool:
    """Whether files of this model are imported and exported."""
    return any(spec.model is model for spec in _found().values())


def all_specs() -> tuple["ImportSpec", ...]:
    """Return all registered specs, in the order in which they were registered."""
    return tuple(_found().values())


def _found() -> dict[str, "ImportSpec"]:
    _discover()
    return _specs


@cache
def _discover() -> None:
    autodiscover_modules("columns")
    for spec in FURTHER.of():
        register_spec(spec)
