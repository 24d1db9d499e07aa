"""The console is the admin; the root leads there."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from travelmathlite.probes import live, ready

handler500 = "travelmathlite.failures.server_error"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", admin.site.urls),
    path("healthz", live),
    path("readyz", ready),
]
