"""What browsers post to the lists, for the tests of bulk actions."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from apps.changesets.models import Changeset

LISTS = {"airport": "/admin/airports/airport/", "country": "/admin/base/country/", "city": "/admin/base/city/"}


def act(client: Client, address: str, action: str, keys: Iterable[Any] = (), **posted: Any) -> HttpResponse:
    """Choose an action for the ticked rows, as the list's form posts it."""
    return client.post(address, {"action": action, "_selected_action": [str(key) for key in keys], **posted})


def confirm(client: Client, address: str, action: str, keys: Iterable[Any] = (), **posted: Any) -> HttpResponse:
    """Post what the confirm page posts."""
    return act(client, address, action, keys, **{"confirm": "yes", "reason": "tidying", **posted})


def all_rows(model: type[models.Model]) -> list[dict]:
    """Return every row of a table as it is, but when it was changed."""
    return [
        {name: value for name, value in row.items() if name != "updated_at"}
        for row in model._base_manager.order_by("pk").values()
    ]


def undo(client: Client, made: Changeset) -> None:
    """Take the changeset back as its page does."""
    from apps.changesets.revert import plan_revert, revert

    revert(plan_revert([made]), actor=None, reason="undo")


def list_of(model: type[models.Model]) -> str:
    """Return the address of a model's list."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def newest() -> Changeset:
    """Return the changeset that was made last."""
    return Changeset.objects.order_by("-pk").first()
