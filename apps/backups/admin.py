"""Backups of the whole database in the admin: a list, and what can be done about each."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from apps.backups.models import Backup
from apps.backups.pages import doing
from apps.backups.pages.listing import list_page
from apps.changesets.acts.methods import ASKS, DOES, READS, turned_away

# name: (address, page, permission, methods)
PAGES: dict[str, tuple[str, Callable, str, tuple[str, ...]]] = {
    "changelist": ("", list_page, "view_backups", READS),
    "add": ("add/", doing.create_page, "create_backup", ASKS),
    "work": ("work/<slug:key>/", doing.work_page, "view_backups", READS),
    "progress": ("work/<slug:key>/progress/", doing.progress_view, "view_backups", READS),
    "verify": ("<slug:name>/verify/", doing.verify_view, "verify_backup", DOES),
    "restore": ("<slug:name>/restore/", doing.restore_page, "restore_backup", ASKS),
    "download": ("<slug:name>/download/", doing.download_view, "download_backup", READS),
}


@admin.register(Backup)
class BackupAdmin(admin.ModelAdmin):
    """Pages alone: what they show are files, and the model has no rows."""

    def get_urls(self) -> list[URLPattern]:
        return [
            path(address, self._page(page, permission, methods), name=f"backups_backup_{name}")
            for name, (address, page, permission, methods) in PAGES.items()
        ]

    def _page(self, page: Callable, permission: str, methods: tuple[str, ...]) -> Callable:
        """Return the page for those who have the permission, by these methods alone."""

        def checked(request: HttpRequest, **about: Any) -> HttpResponse:
            may = request.user.has_perm(f"backups.{permission}")
            return turned_away(request, methods, may=may) or page(self, request, **about)

        return self.admin_site.admin_view(checked)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Backup | None = None) -> bool:
        return request.user.has_perm("backups.view_backups")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("backups.create_backup")

    def has_change_permission(self, request: HttpRequest, obj: Backup | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Backup | None = None) -> bool:
        return False
