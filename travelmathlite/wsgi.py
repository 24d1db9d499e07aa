"""The WSGI entry point, for production only: it starts with SECRET_KEY and ALLOWED_HOSTS set and DEBUG off."""

import os

from django.core.wsgi import get_wsgi_application

from travelmathlite.production import refuse_unless_ready
from travelmathlite.requests import Utf8Request

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "travelmathlite.settings")

application = get_wsgi_application()
application.request_class = Utf8Request
refuse_unless_ready()
