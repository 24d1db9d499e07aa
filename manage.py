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
    from django.db import DatabaseError, InterfaceError

    try:
        execute_from_command_line(sys.argv)
        sys.stdout.flush()
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except (DatabaseError, InterfaceError) as error:
        # Ours say it themselves; these come from Django's own commands.
        from apps.changesets.processes.failures import sentence_with_words

        sys.exit(sentence_with_words(error))
    except BrokenPipeError:
        # The reader has gone (`| head`). What is left goes nowhere, or Python would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
