"""Recording while the schema changes: taken away before, installed again after, and what happened between recorded."""

from typing import Any

from django.db import transaction

from apps.changesets.recording.install import install_recording, recording_problems, uninstall_recording
from apps.changesets.tracking import tracked_models


def before_migrate(*, using: str, plan: list[Any], **kwargs: Any) -> None:
    """Take the triggers away before a plan that touches the tracked tables, their history or the changesets."""
    labels = {tracked.model._meta.app_label for tracked in tracked_models()} | {"changesets"}
    if any(migration.app_label in labels for migration, _backwards in plan):
        uninstall_recording(using)


def after_migrate(*, using: str, **kwargs: Any) -> None:
    """Install the recording from the tables as they are now, and record what the migration did to their rows."""
    from apps.changesets.recording.audit import record_drift

    with transaction.atomic(using=using):
        if recording_problems(using):
            install_recording(using)
        record_drift(kind="migration", reason="Found changed after a migration.", using=using)
