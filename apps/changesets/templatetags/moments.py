"""Template tags that lead to points in time."""

from typing import Any

from django import template
from django.urls import reverse

from apps.changesets.pages.changed_by import list_of_changed
from apps.changesets.tracking import tracked_by_name

register = template.Library()


@register.inclusion_tag("admin/changesets/around.html")
def around(counts: dict[str, Any], pk: int) -> dict[str, Any]:
    """Lead to the tables that a changeset touched as they were before and after it."""
    lines = []
    for tracked in filter(None, map(tracked_by_name, counts)):
        meta = tracked.model._meta
        address = reverse(f"admin:{meta.app_label}_{meta.model_name}_as_of_list")
        now = list_of_changed(tracked.model, pk)
        lines.append((meta.verbose_name_plural, f"{address}?at=before-{pk}", f"{address}?at=after-{pk}", now))
    return {"lines": lines}
