"""Backups of the whole database in the admin: a list, and what can be done about each."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from apps.backups.models import Backup
from apps.backups.pages import doing
from apps.backups.pages.listing import list_page, may_do
from apps.changesets.acts.methods import ASKS, DOES, READS, proof_first, turned_away
from apps.changesets.pages.read_only import ReadOnlyAdmin

# name: (address, page, what it takes the permission for, or nothing for looking, methods)
PAGES: dict[str, tuple[str, Callable, str, tuple[str, ...]]] = {
    "changelist": ("", list_page, "", READS),
    "add": ("add/", doing.create_page, "create", ASKS),
    "work": ("work/<slug:key>/", doing.work_page, "", READS),
    "progress": ("work/<slug:key>/progress/", doing.progress_view, "", READS),
    "verify": ("<slug:name>/verify/", doing.verify_view, "verify", DOES),
    "restore": ("<slug:name>/restore/", doing.restore_page, "restore", ASKS),
    "download": ("<slug:name>/download/", doing.download_page, "download", ASKS),
}
# Whoever does this can take everything, or put something else in its place.
PROVED = ("restore", "download")


@admin.register(Backup)
class BackupAdmin(ReadOnlyAdmin):
    """Pages alone: what they show are files, and the model has no rows."""

    def get_urls(self) -> list[URLPattern]:
        return [
            path(address, self._page(page, verb, methods), name=f"backups_backup_{name}")
            for name, (address, page, verb, methods) in PAGES.items()
        ]

    def _page(self, page: Callable, verb: str, methods: tuple[str, ...]) -> Callable:
        """Return the page for those who may do that, by these methods alone."""

        def checked(request: HttpRequest, **about: Any) -> HttpResponse:
            may = may_do(request, verb) if verb else self.has_view_permission(request)
            turned = turned_away(request, methods, may=may) or (proof_first(request) if verb in PROVED else None)
            return turned or page(self, request, **about)

        return self.admin_site.admin_view(checked)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Backup | None = None) -> bool:
        return request.user.has_perm("backups.view_backups")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("backups.create_backup")
