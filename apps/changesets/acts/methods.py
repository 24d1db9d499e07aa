"""Who may call a page and by which method: 403 for who may not, 405 with `Allow` for any other method."""

from collections.abc import Callable, Iterable
from functools import partial, wraps
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from apps.changesets.hooks import PROOFS

Answer = TypeVar("Answer", bound=HttpResponseBase)
READS = ("GET", "HEAD")
DOES = ("POST",)
ASKS = (*READS, *DOES)


def turned_away(request: HttpRequest, methods: tuple[str, ...], *, may: bool = True) -> HttpResponse | None:
    """Return the answer to a method that the page does not have, or None; raises PermissionDenied for who may not."""
    if not may:
        raise PermissionDenied
    return None if request.method in methods else HttpResponseNotAllowed(methods)


def proof_first(request: HttpRequest) -> HttpResponse | None:
    """Lead to where a person proves who they are before a page that can destroy most, where that is asked for."""
    return next((HttpResponseRedirect(address) for ask in PROOFS.of() if (address := ask(request))), None)


def show_page(
    model_admin: Any, request: HttpRequest, template: str, context: dict[str, Any], **how: Any
) -> HttpResponse:
    """Return a page in the frame of the admin of a model, with what every page of the site has in its context."""
    site = model_admin.admin_site
    request.current_app = site.name
    context = {**site.each_context(request), "opts": model_admin.opts, **context}
    return TemplateResponse(request, template, context, **how)


def stream_file(
    parts: Iterable[str], name: str, *, content_type: str = "text/csv; charset=utf-8"
) -> StreamingHttpResponse:
    """Return a file of this name that is sent while it is written."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(parts, content_type=content_type, headers=disposition)


def page_at(route: str, model_admin: Any, page: Callable[..., Any], name: str, **options: bool) -> URLPattern:
    """Return the route to a page (admin, request, ...) of a model's admin, named as Django names such pages."""
    view = model_admin.admin_site.admin_view(partial(page, model_admin), **options)
    pattern: URLPattern = path(route, view, name=f"{model_admin.opts.app_label}_{model_admin.opts.model_name}_{name}")
    return pattern


def for_viewers(page: Callable[..., Answer]) -> Callable[..., Answer | HttpResponse]:
    """Return a page of a model's admin (admin, request, ...) that only reads, for those who may view the model."""

    @wraps(page)
    def checked(model_admin: Any, request: HttpRequest, *about: Any, **named: Any) -> Answer | HttpResponse:
        may = model_admin.has_view_permission(request)
        return turned_away(request, READS, may=may) or page(model_admin, request, *about, **named)

    return checked
