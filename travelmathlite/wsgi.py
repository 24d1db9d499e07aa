"""The WSGI entry point, for production only: it starts with SECRET_KEY and ALLOWED_HOSTS set and DEBUG off."""

import os

from django.core.wsgi import get_wsgi_application

from travelmathlite.production import refuse_unless_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "travelmathlite.settings")

application = get_wsgi_application()
refuse_unless_ready()
