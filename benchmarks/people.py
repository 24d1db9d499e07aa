"""`python -m benchmarks.people FOLDER make NUMBER|lost`: users with sessions for the load, and what they lost."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import django

AIRPORTS_EACH = 40


def make(number: int) -> dict[str, Any]:
    """Make so many users who are logged in; return their sessions, each with the idents that only they edit."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    from apps.airports.models import Airport

    keys, people = [key for key in Airport.objects.values_list("pk", flat=True) if key.isalnum()], []
    for who in range(number):
        browser = Client()
        browser.force_login(get_user_model().objects.create_superuser(f"person{who}"))
        people.append([browser.session.session_key, keys[who::number][:AIRPORTS_EACH]])
    return {"people": people}


def lost() -> dict[str, Any]:
    """Return the airports that have not the value that somebody saved last."""
    from apps.airports.models import Airport

    saved = json.loads((Path(sys.argv[1]) / "saved.json").read_text(encoding="utf-8"))
    # An import may have given an airport another ident since: its number stays.
    rows = Airport.history.filter(ident__in=saved, municipality__startswith="Saved by ")
    numbers = dict(rows.order_by("history_id").values_list("ident", "source_id"))
    now = dict(Airport.objects.filter(source_id__in=numbers.values()).values_list("source_id", "municipality"))
    found = {key: now.get(numbers.get(key)) for key in saved}
    wrong = {key: [typed, found[key]] for key, typed in saved.items() if found[key] != typed}
    return {"lost": len(wrong), "which": dict(list(wrong.items())[:5])}


def main() -> None:
    """Do one of both, and print it as JSON."""
    folder, what, *number = sys.argv[1:]
    os.environ["BENCHMARK_FOLDER"] = folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.console_settings"
    django.setup()
    print(json.dumps(make(int(number[0])) if what == "make" else lost()))


if __name__ == "__main__":
    main()
