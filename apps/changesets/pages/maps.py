"""Maps on pages: the figure, the answer that carries its data, and the names of what it shows."""

import gzip
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from apps.changesets.history.cache import remembered
from apps.changesets.history.maps import Addresses, Move, PackedMap
from apps.changesets.pages import links, nearby
from apps.changesets.rights import may_view
from apps.changesets.tracking import Tracked, tracked_by_name

# What an address has in the place of an object's key.
KEY = "KEY"


@dataclass(frozen=True)
class MapFigure:
    """A map as a page shows it: where its data come from by what the colours mean; `fit` shows only where they are,
    and `close` as near as neighbours are.
    """

    title: str
    views: Sequence[tuple[str, str]]
    id: str = "map"
    fit: bool = False
    close: bool = False


def map_answer(request: HttpRequest, name: str, state: str, work_out: Callable[[], PackedMap]) -> HttpResponse:
    """Answer with the data of a map, worked out once a state of the tables; a browser that has them gets 304."""
    etag = f'"{name}-{state}"'
    answer = get_conditional_response(request, etag=etag)
    if answer is None:
        answer = packed_answer(request, remembered(f"map-{name}", state, work_out).body)
        answer["ETag"] = etag
    # It may be kept, but is asked for each time; what is not changed does not travel again.
    answer["Cache-Control"] = "private, no-cache"
    patch_vary_headers(answer, ["Cookie"])
    return answer


def packed_answer(request: HttpRequest, body: bytes) -> HttpResponse:
    """Answer with JSON that is gzipped already, unpacked only for who cannot do it."""
    packed = "gzip" in request.headers.get("Accept-Encoding", "")
    answer = HttpResponse(body if packed else gzip.decompress(body), content_type="application/json")
    if packed:
        answer["Content-Encoding"] = "gzip"
    patch_vary_headers(answer, ["Accept-Encoding"])
    return answer


def addresses_of(model: type[models.Model], *, page: str = "change") -> Addresses:
    """Return where a map of this model leads; `page` is the page of an object."""
    names = urlencode({"model": model._meta.label_lower, "key": KEY})
    return Addresses(
        links.object_url(model, KEY, page=page),
        f"{links.list_url(model)}?{nearby.PARAMETER}=NEAR",
        f"{reverse('admin:changesets_changeset_name_of')}?{names}",
    )


@require_safe
def name_page(request: HttpRequest) -> HttpResponse:
    """Answer with what an object is called, or was called last, to who may see its model."""
    tracked = tracked_by_name(request.GET.get("model", ""))
    if tracked is None or not may_view(request.user, tracked.model):
        raise PermissionDenied
    return JsonResponse({"name": links.name_of(tracked.label, request.GET.get("key", "")[:300])})


class ShownMove(NamedTuple):
    """How far an object moved, with its name and its address."""

    key: str
    name: str
    url: str
    km: float


def named_moves(
    tracked: Tracked, moves: Sequence[Move], url_of: Callable[[str], str], *, changeset: int | None = None
) -> list[ShownMove]:
    """Return moves with the names of the objects, and the address that `url_of` gives for each key; one query.

    With a changeset, a name is the one that the object had after it: its key may be another object's by now.
    """
    keys = [move.key for move in moves]
    found: Iterable[models.Model] = tracked.model._base_manager.filter(pk__in=keys)
    if changeset is not None:
        pk = tracked.model._meta.pk.attname
        rows = tracked.history_model._base_manager.filter(changeset_id=changeset, **{f"{pk}__in": keys})
        found = (row.instance for row in rows.order_by("history_id"))
    names = {str(obj.pk): str(obj) for obj in found}
    return [ShownMove(move.key, names.get(move.key, move.key), url_of(move.key), move.km) for move in moves]
