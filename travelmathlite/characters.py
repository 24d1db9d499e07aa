"""What is sent must be text that any database can hold; all else is refused here, before a page sees it."""

import codecs
import re
from collections.abc import Callable, Iterator

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError

from travelmathlite.failures import bad_request

# PostgreSQL stores no NUL, and nothing writes half of a character.
_UNFIT = re.compile("[\x00\ud800-\udfff]")
NO_TEXT = BadRequest("A character that was sent is not allowed in text, so nothing was changed: type it again.")


class CharactersMiddleware:
    """Refuses paths, parameters, forms and names of files that have what no text has, or cannot be read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            if not _is_utf8(request) or any(map(_UNFIT.search, _texts(request))):
                return bad_request(request, NO_TEXT)
        except (SuspiciousOperation, BadRequest, MultiPartParserError) as error:
            return bad_request(request, error)
        return self.get_response(request)


def _is_utf8(request: HttpRequest) -> bool:
    """Whether the request names UTF-8 or no encoding, as all our pages do."""
    charset = (request.content_params or {}).get("charset", "utf-8")
    try:
        return codecs.lookup(charset).name in ("utf-8", "ascii")
    except (LookupError, ValueError):
        return False


def _texts(request: HttpRequest) -> Iterator[str]:
    yield request.path_info
    for given in [request.GET, request.POST] if request.method == "POST" else [request.GET]:
        for name, values in given.lists():
            yield name
            yield from map(str, values)
    if request.method == "POST":
        for name, files in request.FILES.lists():
            yield name
            yield from (file.name or "" for file in files)
