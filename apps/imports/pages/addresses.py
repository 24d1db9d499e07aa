"""Where the pages of imports are."""

from django.db import models
from django.urls import reverse

from apps.changesets.pages import links
from apps.imports.models import ImportRun


def run_url(run: ImportRun) -> str:
    """Return the address of a run's page."""
    return reverse("admin:imports_importrun_change", args=[run.pk])


def page_url(run: ImportRun, page: str) -> str:
    """Return the address of one of the steps of a run: mapping, plan_again, decide, confirm, cancel, ..."""
    return reverse(f"admin:imports_importrun_{page}", args=[run.pk])


def upload_url(model: type[models.Model]) -> str:
    """Return the address where a file of this model is uploaded."""
    return links.model_url(model, "import")
