"""The registry of bulk actions: the basic ones of every list, and those that apps add to the list of a model."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import models

from apps.changesets.bulk.apply import BulkWork
from apps.changesets.bulk.deleting import deleting
from apps.changesets.bulk.recent import DELETE_RECENT_IMPORT
from apps.changesets.bulk.set_field import SET_FIELD
from apps.changesets.bulk.setting import SET_ACTIVE, SET_INACTIVE
from apps.changesets.hooks import Hook
from apps.changesets.pages.options import OptionsForm
from apps.changesets.pages.set_field import SetFieldForm
from apps.changesets.rights import permission
from apps.changesets.tracking import tracked_by_name


@dataclass(frozen=True)
class Tool:
    """The button on an object's page that does a bulk action to this one object."""

    label: str
    words: str


@dataclass(frozen=True)
class BulkAction:
    """An action of a list: its name is what is posted, `title` what the page and the button say of `{what}`.

    With a `tool` it is also a button on the page of each object.
    """

    name: str
    label: str
    title: str
    permission: str
    work: BulkWork
    danger: bool = False
    form: Callable[..., OptionsForm] = OptionsForm
    tool: Tool | None = None


# The actions of models, by label.
ACTIONS: Hook[BulkAction] = Hook()


def actions_of(label: str) -> dict[str, BulkAction]:
    """Return the actions of a tracked model's list by name: its own, then the basic ones that every such list has."""
    tracked = tracked_by_name(label)
    basic = {action.name: action for action in basic_actions(tracked.model)} if tracked else {}
    own = {action.name: action for action in ACTIONS.of(label)}
    return {name: action for name, action in own.items() if name not in basic} | basic | own


def basic_actions(model: type[models.Model]) -> Iterator[BulkAction]:
    """Yield what the list of every tracked model offers; one registered under the same name takes its place."""
    change = permission(model, "change")
    if any(field.name == "active" and isinstance(field, models.BooleanField) for field in model._meta.concrete_fields):
        yield BulkAction("set_active", "Set active…", "Set {what} active", change, SET_ACTIVE)
        yield BulkAction("set_inactive", "Set inactive…", "Set {what} inactive", change, SET_INACTIVE)
    yield BulkAction("set_field", "Change a field…", "Change {what}", change, SET_FIELD, form=SetFieldForm)
    yield deleting_recent(permission(model, "delete"))
    yield deleting_selected(model)


def deleting_recent(needs: str) -> BulkAction:
    """Return the action that deletes what the newest import created, for who has the permission."""
    label, title = "Delete what the newest import created…", "Delete {what} of the newest import"
    return BulkAction("delete_recent_import", label, title, needs, DELETE_RECENT_IMPORT, danger=True)


def deleting_selected(model: type[models.Model], *along: str) -> BulkAction:
    """Return the action that deletes the selected objects of a model, and with them those of the relations `along`."""
    may = permission(model, "delete")
    return BulkAction("delete_selected", "Delete…", "Delete {what}", may, deleting(*along), danger=True)
