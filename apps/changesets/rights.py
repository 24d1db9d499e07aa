"""The one rule of who may see values of a model, and who may write its rows: pages, files, acts and workers ask it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from django.contrib.auth import get_permission_codename
from django.db.models import Model
from django.utils.text import get_text_list

from apps.changesets.errors import NotPermitted
from apps.changesets.models import Actor, Visitor
from apps.changesets.text import counted, plural
from apps.changesets.tracking import Tracked, tracked_by_name, tracked_models

# Whether the person who looks may see values of a model.
Sees = Callable[[type[Model]], bool]
# What an act takes: a model, and what is done to its rows (view, add, change, delete).
Need = tuple[type[Model], str]
# What a sort of change does to a row.
_VERBS = {"created": "add", "changed": "change", "deleted": "delete"}
# What a verb is called of an act.
_DEEDS = {"view": "show"}
# Who acts, and what the act's own permission gives.
_acting: ContextVar[tuple[Visitor, frozenset[Need]] | None] = ContextVar("acting", default=None)


def may(user: Visitor, verb: str, model: type[Model]) -> bool:
    """Whether the person may do this to rows of the model; whoever may change one sees it, as in Django's admin."""
    if verb == "view":
        return user.has_perm(permission(model, "view")) or user.has_perm(permission(model, "change"))
    return user.has_perm(permission(model, verb))


def may_view(user: Visitor, model: type[Model]) -> bool:
    """Whether the person may see values of the model."""
    return may(user, "view", model)


def eyes_of(user: Visitor) -> Sees:
    """Return what the person may see, as a function of the model."""
    return lambda model: may_view(user, model)


def all_seen(model: type[Model]) -> bool:
    """See everything, as commands and jobs do."""
    return True


def permission(model: type[Model], verb: str) -> str:
    """Return the name of a permission: `airports.change_airport`."""
    return f"{model._meta.app_label}.{get_permission_codename(verb, model._meta)}"


def not_shown(counts: Mapping[str, Mapping[str, int]], sees: Sees) -> str:
    """Return in one sentence how many objects of which models are not shown; `counts` is by label and operation."""
    hidden = [
        (tracked, sum(counts[tracked.label].get(name, 0) for name in _VERBS)) for tracked in unseen_of(counts, sees)
    ]
    if not hidden:
        return ""
    objects = " and ".join(counted(number, tracked.model) for tracked, number in hidden)
    return f"Not shown: {objects}. Values of these are for those who may view them."


def unseen_of(labels: Iterable[str], sees: Sees) -> list[Tracked]:
    """Return those of the tracked models, by label, that may not be seen."""
    labels = set(labels)
    return [tracked for tracked in tracked_models() if tracked.label in labels and not sees(tracked.model)]


# -- writing -----------------------------------------------------------------------------------------------------


def needs_of(counts: Mapping[str, Mapping[str, int]]) -> set[Need]:
    """Return what a changeset with these counts (by label and operation) did to which models."""
    return {
        (tracked.model, verb)
        for label, of_model in counts.items()
        if (tracked := tracked_by_name(label)) is not None
        for operation, verb in _VERBS.items()
        if of_model.get(operation)
    }


def why_not(user: Visitor, needs: Iterable[Need]) -> str | None:
    """Return in a sentence what the person may not do of what an act takes, or None."""
    lacking = {permission(model, verb): (verb, model) for model, verb in needs if not may(user, verb, model)}
    if not lacking:
        return None
    names = sorted(lacking)
    words = [(lacking[name][0], lacking[name][1]._meta.verbose_name_plural) for name in names]
    deeds = [f"{_DEEDS.get(verb, verb)} {objects}" for verb, objects in words]
    which = plural(len(names), "the permission", "the permissions")
    would, those = get_text_list(deeds, "and"), get_text_list(names, "and")
    return f"This would {would}: for that you need {which} {those}. Nothing was changed."


def require(user: Visitor, needs: Iterable[Need]) -> None:
    """Raise NotPermitted, which names models and permissions, where the person may not do all of it."""
    if refusal := why_not(user, needs):
        raise NotPermitted(refusal)


@contextmanager
def within_rights(user: Actor | Visitor, *, given: Collection[Need] = ()) -> Iterator[None]:
    """Let no changeset inside write what the person may not write; `given` is what the act's own permission gives.

    Inside another one this one holds alone. None is a job or a command, which nothing is asked of.
    """
    token = _acting.set(None if user is None else (user, frozenset(given)))
    try:
        yield
    finally:
        _acting.reset(token)


def refuse_beyond_rights(counts: Mapping[str, Mapping[str, int]]) -> None:
    """Raise NotPermitted where a changeset with these counts goes beyond the rights of the person who acts."""
    if (acting := _acting.get()) is not None:
        user, given = acting
        require(user, needs_of(counts) - given)
