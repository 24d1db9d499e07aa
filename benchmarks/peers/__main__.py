"""`python -m benchmarks.peers URL PACKAGE STEP [FILE]`: one process of a project that uses a package of others."""

import json
import sys
from pathlib import Path

import django
import environ
from django.apps import apps
from django.conf import settings
from django.core.management import call_command

from benchmarks.measure import PRAGMAS

CONTRIB = ("contenttypes", "auth", "admin", "sessions", "messages", "staticfiles")
PACKAGES = {
    "simple_history": ("import_export", "simple_history"),
    "reversion": ("reversion",),
    "pghistory": ("pgtrigger", "pghistory"),
}
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


def configure(url: str, package: str) -> None:
    """Make this process one of a project that has Django's own apps, the package and the three tables."""
    database = environ.Env.db_url_config(url)
    if url.startswith("sqlite"):
        database["OPTIONS"] = {"init_command": "".join(f"PRAGMA {pragma};" for pragma in PRAGMAS)}
    settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=[*(f"django.contrib.{name}" for name in CONTRIB), *PACKAGES[package], "benchmarks.peers"],
        MIDDLEWARE=MIDDLEWARE,
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": CONTEXT},
            }
        ],
        ALLOWED_HOSTS=["localhost"],
        ROOT_URLCONF="benchmarks.peers.urls",
        STATIC_URL="static/",
        SECRET_KEY="of a benchmark",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()


def migrate() -> None:
    """Make the tables, and a user who may import."""
    from django.contrib.auth import get_user_model

    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)
    if apps.is_installed("pgtrigger"):
        call_command("pgtrigger", "install")
    get_user_model().objects.create_superuser(username="bench", password="a benchmark of ours")


if __name__ == "__main__":
    url, package, step, *files = sys.argv[1:]
    configure(url, package)
    if step == "migrate":
        migrate()
    else:
        from benchmarks.peers.steps import STEPS

        print(json.dumps(STEPS[step](*map(Path, files)) or {}))
