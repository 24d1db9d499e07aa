"""Template tags of the pages of imports."""

from typing import Any

from django import template
from django.urls import reverse

from apps.imports.pages import status
from apps.imports.pages.addresses import page_url
from apps.imports.pages.run import steps

register = template.Library()
register.filter("state_of_run", status.state)
register.filter("page_of_run", page_url)


@register.simple_tag
def run_address(number: int) -> str:
    """Return the address of the page of the run with this number."""
    return reverse("admin:imports_importrun_change", args=[number])


@register.inclusion_tag("admin/imports/steps.html")
def import_steps(current: int, status: str = "") -> dict[str, Any]:
    """Show the three steps of an import, and where one is."""
    return {"steps": list(steps(current, status))}
