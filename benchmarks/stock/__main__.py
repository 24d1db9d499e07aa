"""`python -m benchmarks.stock URL migrate|default|best [FILE]`: one stock process, with settings of its own."""

import sys
from pathlib import Path

import django
import environ
import tablib
from django.conf import settings
from django.core.management import call_command

from benchmarks.measure import PRAGMAS

if __name__ == "__main__":
    url, action, *files = sys.argv[1:]
    database = environ.Env.db_url_config(url)
    if url.startswith("sqlite"):
        database["OPTIONS"] = {"init_command": "".join(f"PRAGMA {pragma};" for pragma in PRAGMAS)}
    settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "import_export",
            "simple_history",
            "benchmarks.stock",
        ],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()
    if action == "migrate":
        call_command("migrate", verbosity=0)
        call_command("migrate", run_syncdb=True, verbosity=0)
    else:
        from benchmarks.stock.resource import AirportResource, BestResource

        resource = (BestResource if action == "best" else AirportResource)()
        dataset = tablib.Dataset().load(Path(files[0]).read_text(encoding="utf-8"), format="csv")
        resource.import_data(dataset, raise_errors=True)
