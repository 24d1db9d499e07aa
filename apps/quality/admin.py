"""Findings in the admin: the list of rules, the rows behind each, and what was accepted."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from apps.changesets.acts.methods import page_at
from apps.changesets.pages.read_only import ReadOnlyAdmin
from apps.changesets.pages.saved_views import SavedViewsAdmin, save_view
from apps.changesets.rights import eyes_of
from apps.quality.models import Finding
from apps.quality.pages import rule as rule_pages
from apps.quality.pages.addresses import ACCEPT, VIEW, findings_url
from apps.quality.pages.findings import findings_file, findings_page, keep_counts
from apps.quality.rules import rules_seen


@admin.register(Finding)
class FindingAdmin(SavedViewsAdmin, ReadOnlyAdmin):
    """Findings are looked for, not stored: none is added, changed or deleted here."""

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable, name: str, permission: str = VIEW) -> URLPattern:
            return path(route, self.admin_site.admin_view(_asking(permission, view)), name=name)

        return [
            page("", self.list_view, "quality_finding_changelist"),
            page("", self.list_view, "quality_findings"),
            page("findings.csv", self.file_view, "quality_findings_file"),
            page("keep/", keep_counts, "quality_keep", ACCEPT),
            page("accepted/<int:pk>/withdraw/", rule_pages.withdraw_one, "quality_withdraw", ACCEPT),
            page_at("views/", self, save_view, "views"),
            page("<slug:code>/", self.rule_view, "quality_rule"),
            page("<slug:code>/accept/", self.accept_view, "quality_accept", ACCEPT),
            page("<slug:code>/findings.csv", self.file_view, "quality_rule_file"),
        ]

    def list_view(self, request: HttpRequest) -> HttpResponse:
        return self.with_views(request, lambda views: findings_page(request, {**self._context(request), **views}))

    def rule_view(self, request: HttpRequest, code: str) -> HttpResponse:
        return rule_pages.rule_page(self, request, self._context(request), rule_pages.rule_of(request, code))

    def accept_view(self, request: HttpRequest, code: str) -> HttpResponse:
        return rule_pages.accept_rows(self, request, self._context(request), rule_pages.rule_of(request, code))

    def file_view(self, request: HttpRequest, code: str = "") -> HttpResponseBase:
        rules = (rule_pages.rule_of(request, code),) if code else rules_seen(eyes_of(request.user))
        return findings_file(request, rules, f"findings-of-{code}" if code else "findings")

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        request.current_app = self.admin_site.name
        return {**self.admin_site.each_context(request), "opts": self.opts, "findings_url": findings_url()}

    def has_view_permission(self, request: HttpRequest, obj: Finding | None = None) -> bool:
        return request.user.has_perm(VIEW)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(VIEW)


def _asking(permission: str, view: Callable) -> Callable:
    """Return the view for those who have the permission, whatever the method; the others get 403."""

    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_perm(permission):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded
