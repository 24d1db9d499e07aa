"""Which imports there are: each app registers its specs when Django starts."""

from django.db import models

from apps.imports.spec import ImportSpec

_specs: dict[str, ImportSpec] = {}


def register_spec(spec: ImportSpec) -> None:
    """Make `spec` known by its name; the first one registered for a model is the one that its pages use."""
    _specs[spec.name] = spec


def spec_named(name: str) -> ImportSpec:
    """Return the spec registered under `name`; raises LookupError naming those there are."""
    try:
        return _specs[name]
    except KeyError:
        raise LookupError(f"No import is called {name!r}; there are: {', '.join(sorted(_specs))}.") from None


def spec_for(model: type[models.Model]) -> ImportSpec:
    """Return the first spec registered for `model`; raises LookupError when there is none."""
    for spec in _specs.values():
        if spec.model is model:
            return spec
    raise LookupError(f"Nothing imports {model._meta.verbose_name_plural}.")


def has_spec(model: type[models.Model]) -> bool:
    """Whether files of this model are imported and exported."""
    return any(spec.model is model for spec in _specs.values())


def all_specs() -> tuple[ImportSpec, ...]:
    """Return all registered specs, in the order in which they were registered."""
    return tuple(_specs.values())
