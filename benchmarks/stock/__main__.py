"""`python -m benchmarks.stock URL migrate|default|best|preview [FILE]`: one stock process, with its own settings."""

import json
import sys
from pathlib import Path

import django
import environ
import tablib
from django.conf import settings
from django.core.management import call_command

from benchmarks.measure import PRAGMAS

CONTRIB = ("contenttypes", "auth", "admin", "sessions", "messages", "staticfiles")
MIDDLEWARE = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
)
CONTEXT = (
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
)

if __name__ == "__main__":
    url, action, *files = sys.argv[1:]
    database = environ.Env.db_url_config(url)
    if url.startswith("sqlite"):
        database["OPTIONS"] = {"init_command": "".join(f"PRAGMA {pragma};" for pragma in PRAGMAS)}
    settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=[
            *(f"django.contrib.{name}" for name in CONTRIB),
            "import_export",
            "simple_history",
            "benchmarks.stock",
        ],
        MIDDLEWARE=MIDDLEWARE,
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": CONTEXT},
            }
        ],
        ALLOWED_HOSTS=["localhost"],
        ROOT_URLCONF="benchmarks.stock.urls",
        STATIC_URL="static/",
        SECRET_KEY="of a benchmark",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()
    from benchmarks.stock.previewing import make_user, preview

    if action == "migrate":
        call_command("migrate", verbosity=0)
        call_command("migrate", run_syncdb=True, verbosity=0)
        make_user()
    elif action == "preview":
        print(json.dumps(preview(files[0])))
    else:
        from benchmarks.stock.resource import AirportResource, BestResource

        resource = (BestResource if action == "best" else AirportResource)()
        dataset = tablib.Dataset().load(Path(files[0]).read_text(encoding="utf-8"), format="csv")
        resource.import_data(dataset, raise_errors=True)
