"""What a command imports when it starts: nothing that only pages or files of spreadsheets need."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
NOT_NEEDED = (
    *("openpyxl", "odf", "tablib", "gnupg", "import_export.admin", "apps.airports.admin", "apps.imports.pages"),
    *("apps.airports.columns", "apps.backups.creating", "django.db.migrations.loader"),
)


def modules_after(code: str) -> set[str]:
    shown = f"import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'travelmathlite.settings'\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", f"{shown}\nprint('\\n'.join(sys.modules))"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": "sqlite:////nowhere/at/all.sqlite3"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_a_command_starts_without_pages_and_libraries_of_spreadsheets() -> None:
    # The database has no tables, which the command finds out after everything that comes before its work.
    code = (
        "from django.core.management import execute_from_command_line\n"
        "try:\n    execute_from_command_line(['manage.py', 'imports', 'status'])\nexcept SystemExit:\n    pass\n"
    )
    modules = modules_after(code)

    assert "apps.imports.models" in modules
    assert modules.isdisjoint(NOT_NEEDED)


def test_who_asks_the_admin_for_a_model_gets_it_without_loading_addresses() -> None:
    code = (
        "import django\ndjango.setup()\n"
        "from django.contrib import admin\nfrom apps.base.models import City\nassert admin.site.is_registered(City)\n"
    )
    modules = modules_after(code)

    assert "apps.base.admin" in modules
    assert "travelmathlite.urls" not in modules
