"""The admin of a tracked model with all that the console can do to one: a new model's admin is a subclass of this."""

from typing import Any

from django.http import HttpRequest

from apps.backups.pages.object_tools import ObjectBackups
from apps.base.pages.figures import FiguresMixin
from apps.changesets.pages.recorded import RecordedModelAdmin
from apps.changesets.pages.tools import ObjectTools
from apps.imports.pages.exporting import ExportingMixin
from apps.imports.pages.importing import ImportingMixin
from apps.imports.pages.pinning import PinningMixin
from apps.quality.pages.addresses import VIEW as VIEW_FINDINGS
from apps.quality.pages.addresses import findings_url
from apps.quality.pages.list_filter import FindingFilter, order_of


class ConsoleModelAdmin(
    ImportingMixin, ExportingMixin, ObjectBackups, PinningMixin, FiguresMixin, ObjectTools, RecordedModelAdmin
):
    """List, edit, history, points in time, recycle bin, deletion by a plan, bulk actions, revert, import, export, pins,
    backups of objects and findings of a tracked model; what it imports and exports is in its app's `columns.py`.
    """

    change_actions = ("backup", "restore", "undo_last_change")

    def get_list_filter(self, request: HttpRequest) -> list:
        filters = super().get_list_filter(request)
        return [FindingFilter, *filters] if filters else []

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        """What breaks a rule together stands together."""
        return order_of(request, self.opts.label_lower) or tuple(super().get_ordering(request))

    def list_tools(self, request: HttpRequest) -> list[tuple[str, str]]:
        sees = request.user.has_perm(VIEW_FINDINGS)
        return [*super().list_tools(request), *([(findings_url(), "Validate")] if sees else [])]
