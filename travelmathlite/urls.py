"""The console is the admin; the root leads there."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from apps.changesets.pages.following import feed
from travelmathlite.probes import live, ready

handler400 = "travelmathlite.failures.bad_request"
handler403 = "travelmathlite.failures.forbidden"
handler404 = "travelmathlite.failures.not_found"
handler500 = "travelmathlite.failures.server_error"
urlpatterns = [
    path("", require_safe(RedirectView.as_view(pattern_name="admin:index")), name="home"),
    path("admin/", admin.site.urls),
    path("feed/<str:token>/", feed, name="feed"),
    path("healthz", live),
    path("readyz", ready),
]
if settings.SINGLE_SIGN_ON:
    urlpatterns.append(path("oidc/", include("mozilla_django_oidc.urls")))
