"""Whether a scope that somebody asked for makes sense."""

from apps.changesets.errors import EmptyScope
from apps.changesets.revert.verdicts import Scope
from apps.changesets.tracking import tracked_by_name, tracked_models


def check_scope(scope: Scope) -> None:
    """Raise EmptyScope with a sentence for a model or a field that does not exist."""
    for name in scope.models:
        if tracked_by_name(name) is None:
            raise EmptyScope(f"There is no model “{name}”: choose {', '.join(t.name for t in tracked_models())}.")
    chosen = [tracked for tracked in tracked_models() if not scope.models or tracked.label in scope.models]
    known = {name for tracked in chosen for f in tracked.model._meta.concrete_fields for name in (f.name, f.column)}
    for field in scope.fields:
        if field not in known:
            raise EmptyScope(f"There is no field “{field}” in {' or '.join(tracked.name for tracked in chosen)}.")
