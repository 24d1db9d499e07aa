#!/usr/bin/env python
"""Run the console's commands: `python manage.py help` lists them."""

import os
import sys


def main() -> None:
    # The tests have one more app, of another domain.
    settings = "tests.settings" if sys.argv[1:2] == ["test"] else "travelmathlite.settings"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings)
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
