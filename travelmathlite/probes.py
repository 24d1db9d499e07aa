"""The addresses that load balancers and monitors ask, without a login: /healthz answers, /readyz looks at the parts."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Answer, and touch nothing."""
    return JsonResponse({"ok": True})


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 when every part is well, else 503, with a sentence about each."""
    # Imported late, because commands load the addresses, too.
    from travelmathlite.health import as_json, look_at_parts

    answer = as_json(look_at_parts())
    response = JsonResponse(answer, status=200 if answer["ok"] else 503)
    # Whoever asks every few seconds hears it; the log needs no line for each time.
    vars(response)["_has_been_logged"] = True
    return response
